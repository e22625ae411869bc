"""Recordings of strangers: what is said of them, their waveforms, and what is left of them without their tags."""

import io
import json
import struct
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genesis.files import recordings
from genesis.files.probing import examine, strip
from genesis.files.recordings import PARTS, Waveform
from genesis.net.media import sniff
from tests.support.samples import film, sound

SECRET = "recorded at 48.8583N 2.2945E"


def written(folder: Path, data: bytes) -> Path:
    path = folder / "given"
    path.write_bytes(data)
    return path


def wav_of(samples: np.ndarray, rate: int = 8000) -> bytes:
    """A recording of int16 samples, of shape (samples, channels)."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setparams((samples.shape[1], 2, rate, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return target.getvalue()


def tagged(container: str, codec: str, layout: str = "stereo") -> bytes:
    target = io.BytesIO()
    with av.open(target, "w", format=container) as sink:
        sink.metadata.update({"title": SECRET, "comment": SECRET})
        stream = sink.add_stream(codec, rate=48_000, layout=layout)
        samples = (np.sin(np.arange(96_000 if layout == "stereo" else 48_000) / 20) * 12_000).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate = 48_000
        resampler = av.AudioResampler(format=stream.codec_context.format, layout=layout, rate=48_000)
        fifo = av.AudioFifo()
        for part in resampler.resample(frame):
            fifo.write(part)
        for part in fifo.read_many(stream.codec_context.frame_size or 1024, partial=True):
            sink.mux(stream.encode(part))
        sink.mux(stream.encode(None))
    return target.getvalue()


KINDS = [
    ("wav", "pcm_s16le", "audio/wav", "pcm_s16le"),
    ("mp3", "libmp3lame", "audio/mpeg", "mp3"),
    ("ogg", "libopus", "audio/ogg", "opus"),
    ("flac", "flac", "audio/flac", "flac"),
    ("ipod", "aac", "audio/mp4", "aac"),
    ("mp4", "aac", "audio/mp4", "aac"),
    ("webm", "libopus", "audio/webm", "opus"),
    ("adts", "aac", "audio/aac", "aac"),
]


@pytest.mark.parametrize(("container", "codec", "media_type", "name"), KINDS)
def test_length_and_format(tmp_path: Path, container: str, codec: str, media_type: str, name: str) -> None:
    found = examine(written(tmp_path, tagged(container, codec)), media_type)
    assert found.problem == ""
    details = found.details
    assert (details.codec, details.sample_rate, details.channels) == (name, 48_000, 2)
    assert (details.width, details.frames, details.has_peaks) == (None, None, True)
    assert details.duration_ms is not None
    assert abs(details.duration_ms - 1000) < 100
    document = json.loads(found.peaks or b"")
    assert (document["version"], document["sample_rate"]) == (1, 48_000)
    assert document["duration_ms"] == details.duration_ms
    assert abs(document["samples"] - 48_000) < 5000
    lows, highs = document["peaks"][::2], document["peaks"][1::2]
    assert 900 < len(lows) == len(highs) <= PARTS
    assert all(low <= high for low, high in zip(lows, highs, strict=True))
    assert abs(np.median(highs) - 47) < 6  # of 128, as 12,000 is of 32,768
    assert abs(np.median(lows) + 47) < 6


def test_the_waveform_follows_the_sound(tmp_path: Path) -> None:
    quiet, loud = np.full((30_000, 1), 256), np.full((10_000, 1), -32_768)
    found = examine(written(tmp_path, wav_of(np.concatenate((quiet, loud)))), "audio/wav")
    assert found.details.duration_ms == 5000
    peaks = json.loads(found.peaks or b"")["peaks"]
    assert len(peaks) == 2 * PARTS
    assert set(peaks[: 2 * 749]) == {1}
    assert set(peaks[2 * 751 :]) == {-128}


def test_the_louder_channel_counts(tmp_path: Path) -> None:
    left = np.zeros(4000)
    right = np.tile([20_000, -20_000], 2000)
    peaks = json.loads(examine(written(tmp_path, wav_of(np.stack((left, right), axis=1))), "audio/wav").peaks or b"")
    assert set(peaks["peaks"][::2]) == {-78}
    assert set(peaks["peaks"][1::2]) == {78}


@settings(max_examples=200, deadline=None)
@given(sizes=st.lists(st.integers(1, 200_000), min_size=1, max_size=8), seed=st.integers(0, 1000))
def test_every_sample_counts_however_they_come(sizes: list[int], seed: int) -> None:
    """The waveform of pieces is within the true one of parts that are a few samples longer."""
    samples = np.random.default_rng(seed).integers(-32_768, 32_768, sum(sizes), dtype=np.int16)
    waveform = Waveform()
    at = 0
    for size in sizes:
        waveform.add(samples[np.newaxis, at : at + size])
        at += size
    pairs = np.array(waveform.pairs()).reshape(-1, 2)
    assert waveform.samples == len(samples)
    assert len(pairs) == min(len(samples), PARTS) or len(pairs) > PARTS * 0.8
    assert pairs[:, 0].min() == max((int(samples.min()) + 128) >> 8, -128)
    assert pairs[:, 1].max() == min((int(samples.max()) + 128) >> 8, 127)
    if len(samples) <= PARTS:
        assert list(pairs[:, 0]) == [min((int(sample) + 128) >> 8, 127) for sample in samples]


def test_a_long_recording_has_no_waveform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, wav_of(np.zeros((8000 * 40, 1))))
    monkeypatch.setattr(recordings, "MOST_HOURS", 39 / 3600)
    found = examine(path, "audio/wav")
    assert (found.problem, found.peaks, found.details.has_peaks) == ("", None, False)
    assert found.details.duration_ms == 40_000
    monkeypatch.setattr(recordings, "MOST_HOURS", 40 / 3600)
    assert examine(path, "audio/wav").peaks is not None


def test_a_recording_that_breaks_off_is_as_long_as_what_there_is(tmp_path: Path) -> None:
    data = tagged("mp3", "libmp3lame")
    found = examine(written(tmp_path, data[: len(data) // 2]), "audio/mpeg")
    assert found.problem == ""
    assert found.details.duration_ms is not None
    assert 300 < found.details.duration_ms < 700


def test_a_wav_file_of_a_stream_does_not_tell_its_length(tmp_path: Path) -> None:
    data = bytearray(wav_of(np.zeros((8000, 1))))
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    assert examine(written(tmp_path, bytes(data)), "audio/wav").details.duration_ms == 1000


@pytest.mark.parametrize(
    ("data", "media_type", "says"),
    [
        (wav_of(np.zeros((0, 1))), "audio/wav", "no sound"),
        (film("mp4", "mpeg4"), "audio/mp4", "no sound"),
        (b"RIFF\x00\x00\x00\x00WAVE", "audio/wav", "cannot be decoded"),
        (b"OggS" + bytes(100), "audio/ogg", "cannot be decoded"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "audio/mpeg", "cannot be decoded"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "audio/mp4", "cannot be decoded"),
        (wav_of(np.zeros((100, 1)))[:24] + struct.pack("<I", 2_000_000_000) + bytes(1000), "audio/wav", ""),
    ],
)
def test_what_is_no_recording(tmp_path: Path, data: bytes, media_type: str, says: str) -> None:
    found = examine(written(tmp_path, data), media_type)
    assert found.problem
    assert says in found.problem
    assert found.peaks is None


@pytest.mark.parametrize(("container", "codec", "media_type", "name"), KINDS)
def test_whatever_is_cut_or_changed_is_told(
    tmp_path: Path, container: str, codec: str, media_type: str, name: str
) -> None:
    whole = sound(container, codec)
    for place in range(0, len(whole), max(len(whole) // 40, 1)):
        for data in (whole[:place], whole[:place] + b"\xff\xff\xff\xff" + whole[place + 4 :]):
            found = examine(written(tmp_path, data), media_type)
            assert found.peaks or found.problem
            strip(tmp_path / "given", media_type, tmp_path / "bare")


@pytest.mark.parametrize(("container", "codec", "media_type", "name"), KINDS)
def test_tags_go_and_the_sound_stays(tmp_path: Path, container: str, codec: str, media_type: str, name: str) -> None:
    data = tagged(container, codec)
    assert SECRET.encode() in data or container == "adts"
    path = written(tmp_path, data)
    assert strip(path, media_type, tmp_path / "bare") == ""
    bare = (tmp_path / "bare").read_bytes()
    assert SECRET.encode() not in bare
    assert sniff(bare) == media_type
    before, after = examine(path, media_type), examine(tmp_path / "bare", media_type)
    assert after.problem == ""
    assert (after.details.codec, after.details.sample_rate) == (name, 48_000)
    assert abs((after.details.duration_ms or 0) - (before.details.duration_ms or 0)) < 60


@pytest.mark.parametrize(("format_name", "bits"), [("s16", 16), ("s32", 24)])
def test_flac_without_its_tags_is_the_same_sound(tmp_path: Path, format_name: str, bits: int) -> None:
    noise = np.random.default_rng(1).integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (1, 20_000), dtype=np.int64)
    samples = (noise << 8).astype(np.int32) if bits == 24 else noise.astype(np.int16)
    with av.open(str(tmp_path / "given"), "w", format="flac") as sink:
        stream = sink.add_stream("flac", rate=44_100, layout="stereo", format=format_name)
        frame = av.AudioFrame.from_ndarray(samples, format=format_name, layout="stereo")
        frame.sample_rate = 44_100
        sink.mux(stream.encode(frame))
        sink.mux(stream.encode(None))
    assert strip(tmp_path / "given", "audio/flac", tmp_path / "bare") == ""
    decoded = []
    for path in (tmp_path / "given", tmp_path / "bare"):
        with av.open(str(path)) as source:
            assert source.streams.audio[0].format.name == format_name
            decoded.append(np.concatenate([part.to_ndarray() for part in source.decode(audio=0)], axis=1))
    assert np.array_equal(*decoded)
    assert np.array_equal(decoded[0], samples)


def test_a_recording_of_nothing_becomes_no_empty_file(tmp_path: Path) -> None:
    head = (
        b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0" + (8_000).to_bytes(4, "little") + (16_000).to_bytes(4, "little")
    )
    path = written(tmp_path, head + b"\x02\0\x10\0data\0\0\0\0")
    assert "no sound" in strip(path, "audio/wav", tmp_path / "bare")


@pytest.mark.parametrize("tail", [b"<script>alert(1)</script>", b"TAG" + SECRET.encode() + bytes(97)])
def test_what_hangs_on_a_recording_goes(tmp_path: Path, tail: bytes) -> None:
    for container, codec, media_type, _ in KINDS:
        path = written(tmp_path, tagged(container, codec) + tail)
        assert strip(path, media_type, tmp_path / "bare") == ""
        assert tail[:20] not in (tmp_path / "bare").read_bytes()


def test_a_cover_goes(tmp_path: Path) -> None:
    picture = b"\x89PNG" + SECRET.encode()
    body = b"\x00image/png\x00\x03\x00" + picture
    frame = b"APIC" + len(body).to_bytes(4, "big") + b"\x00\x00" + body
    size = len(frame)
    tag = b"ID3\x03\x00\x00" + bytes((size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127)) + frame
    path = written(tmp_path, tag + sound("mp3", "libmp3lame"))
    assert examine(path, "audio/mpeg").problem == ""
    assert strip(path, "audio/mpeg", tmp_path / "bare") == ""
    assert SECRET.encode() not in (tmp_path / "bare").read_bytes()


@pytest.mark.parametrize(
    ("container", "codec", "media_type", "milliseconds"),
    [("adts", "aac", "audio/aac", 2000), ("ogg", "libopus", "audio/ogg", 1000)],  # FFmpeg reads Ogg no further
)
def test_recordings_that_hang_on_each_other(
    tmp_path: Path, container: str, codec: str, media_type: str, milliseconds: int
) -> None:
    """As radio stations on the web make them, here with two numbers of channels."""
    one, two = (tagged(container, codec, layout) for layout in ("mono", "stereo"))
    found = examine(written(tmp_path, one + two), media_type)
    assert found.problem == ""
    assert found.details.channels == 1
    assert found.details.duration_ms is not None
    assert abs(found.details.duration_ms - milliseconds) < 150


def test_tags_that_are_no_text(tmp_path: Path) -> None:
    data = tagged("mp3", "libmp3lame").replace(SECRET.encode(), b"\xff\xfe\x00\xd8" * 7)
    assert examine(written(tmp_path, data), "audio/mpeg").problem == ""
