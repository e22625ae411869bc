"""Recordings cut and joined: no sample is lost, cuts lie in pauses, and joins do not click."""

import io
import math
import wave

import av
import numpy as np
import pytest

from workers.conversion import _audio
from workers.measure import audio_seconds
from workers.recordings import UnusableRecording, cut, joined

RATE = 16_000


def tone(seconds, rate=RATE, hertz=300):
    return 8_000 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def wav(samples, rate=RATE, channels=1):
    target = io.BytesIO()
    with wave.open(target, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(np.asarray(samples, np.int16).tobytes())
    return target.getvalue()


def samples_of(data):
    with av.open(io.BytesIO(data)) as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


def spoken_with_pauses(seconds, pauses):
    samples = tone(seconds)
    for start, end in pauses:
        samples[round(start * RATE) : round(end * RATE)] = 0
    return samples


def test_cuts_lie_in_pauses_and_lose_nothing():
    pauses = [(8.2, 8.8), (17.0, 17.6), (25.3, 25.9)]
    samples = spoken_with_pauses(30, pauses)
    parts = list(cut(wav(samples), 10))
    assert [part.start for part in parts[1:]] == [part.end for part in parts[:-1]]
    assert (parts[0].start, parts[-1].end) == (0, 30)
    assert all(part.end - part.start <= 10 for part in parts)
    for part, (start, end) in zip(parts[:-1], pauses, strict=True):
        assert start < part.end < end
    assert np.array_equal(np.concatenate([samples_of(part.data) for part in parts]), samples.astype(np.int16))


def test_a_recording_without_a_pause_is_cut_all_the_same():
    parts = list(cut(wav(tone(25)), 10))
    assert sum(len(samples_of(part.data)) for part in parts) == 25 * RATE
    assert max(part.end - part.start for part in parts) <= 10


def test_what_fits_stays_whole():
    (part,) = cut(wav(tone(3)), 10)
    assert (part.start, part.end) == (0, 3)


@pytest.mark.parametrize("rate", [8_000, 44_100])
@pytest.mark.parametrize("channels", [1, 2])
def test_any_rate_and_any_channels_are_cut_alike(rate, channels):
    samples = np.repeat(tone(25, rate), channels)
    parts = list(cut(wav(samples, rate, channels), 10))
    assert len(parts) >= 3
    assert math.isclose(parts[-1].end, 25, abs_tol=0.05)


@pytest.mark.parametrize("seconds", [10.01, 10.5, 10.99, 11.0, 20.3])
def test_no_part_is_a_snippet(seconds):
    samples = spoken_with_pauses(seconds, [(9.7, seconds)])
    parts = list(cut(wav(samples), 10))
    assert all(1 <= part.end - part.start <= 10 for part in parts)
    assert [part.start for part in parts[1:]] == [part.end for part in parts[:-1]]
    assert parts[-1].end == pytest.approx(seconds, abs=0.001)


def mp3(samples, rate=RATE, channels=1):
    return _audio(wav(samples, rate, channels), "mp3")


def damaged(data):
    """As streams of several files are, and as what was recorded while the line was bad."""
    half = len(data) // 2
    return data[:half] + b"no sound" * 40 + data[half:]


@pytest.mark.parametrize(
    "made",
    [
        lambda: mp3(tone(2)) * 2,
        lambda: mp3(tone(2)) + mp3(np.repeat(tone(2), 2), RATE, 2),
        lambda: mp3(tone(2)) + mp3(tone(2, 24_000), 24_000),
        lambda: damaged(mp3(tone(4))),
    ],
    ids=["two", "channels", "rates", "damaged"],
)
def test_what_is_no_sound_in_the_midst_of_a_recording_is_passed_over(made):
    data = made()
    (part,) = cut(data, 10)
    assert part.end == pytest.approx(4, abs=0.3)
    assert float(audio_seconds(joined([data, data]))) == pytest.approx(8.25, abs=0.6)


def test_passages_without_a_sample_are_joined_all_the_same():
    made = joined([wav(tone(1)), wav([]), wav([0], 1), wav(tone(1))])
    assert float(audio_seconds(made)) == pytest.approx(2.75, abs=0.01)


def test_a_join_has_pauses_and_does_not_click():
    rate = 24_000
    passages = [tone(1, rate)[30:], tone(0.5, rate)[17:], tone(1, rate)[5:]]
    made = joined([wav(passage, rate) for passage in passages])
    samples = samples_of(made).astype(int)
    assert math.isclose(len(samples) / rate, 2.5 + 2 * 0.25, abs_tol=0.01)
    assert float(audio_seconds(made)) == pytest.approx(3.0, abs=0.01)
    steepest = np.abs(np.diff(tone(1, rate))).max()
    assert np.abs(np.diff(samples)).max() <= steepest * 1.02
    assert samples[0] == samples[-1] == 0


def test_passages_of_other_formats_are_joined_in_the_first_ones():
    made = joined([wav(tone(1, 22_050), 22_050), wav(np.repeat(tone(1, 48_000), 2), 48_000, 2)])
    with wave.open(io.BytesIO(made)) as reader:
        assert (reader.getframerate(), reader.getnchannels()) == (22_050, 1)
        assert math.isclose(reader.getnframes() / 22_050, 2.25, abs_tol=0.01)


@pytest.mark.parametrize("data", [b"", b"RIFF....WAVEnothing", b"<html></html>"])
def test_what_is_no_recording_is_refused(data):
    with pytest.raises(UnusableRecording):
        list(cut(data, 10))
    with pytest.raises(UnusableRecording):
        joined([data])
