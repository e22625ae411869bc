"""Speech that is heard again: the voice and the transcription check each other."""

import io
import re
import wave
from collections.abc import AsyncIterator, Callable
from typing import Any

import av
import jiwer
import numpy as np
import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="module")
SPEECH = "/v1/audio/speech"
TRANSCRIPTIONS = "/v1/audio/transcriptions"
TEXT = (
    "The salt breeze came across from the sea. The birds sing in the garden, while the quick brown fox jumps over the"
    " lazy dog. It is easy to tell the depth of a well, but a pot of tea helps to pass the evening."
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def speech(caller_for: Callable[[str], Any]) -> AsyncIterator[Any]:
    async with caller_for("speech") as caller:
        yield caller


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def transcription(caller_for: Callable[[str], Any]) -> AsyncIterator[Any]:
    async with caller_for("transcription") as caller:
        yield caller


def samples_of(wav: bytes) -> np.ndarray:
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 22_050)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32_768


def plain(text: str) -> str:
    return " ".join(re.sub(r"[^a-z0-9' ]", " ", text.lower()).split())


def as_file(wav: bytes, container: str, codec: str) -> bytes:
    """The recording in another format."""
    stream = io.BytesIO()
    with av.open(io.BytesIO(wav)) as source, av.open(stream, "w", format=container) as target:
        track = target.add_stream(codec, rate=48_000)
        for frame in source.decode(audio=0):
            target.mux(track.encode(frame))
        target.mux(track.encode(None))
    return stream.getvalue()


async def test_what_is_said_is_loud_and_clean_and_is_understood(speech: Any, transcription: Any) -> None:
    status, wav, headers = await speech.call(SPEECH, json={"model": "joe", "input": TEXT})
    assert (status, headers["Content-Type"]) == (200, "audio/wav")
    samples = samples_of(wav)
    assert 0.02 < np.sqrt(np.mean(samples**2)) < 0.3
    assert 0.85 < np.abs(samples).max() < 0.95
    for audio in (wav, as_file(wav, "mp3", "mp3"), as_file(wav, "ogg", "libopus"), as_file(wav, "webm", "libopus")):
        heard = (await transcription.call(TRANSCRIPTIONS, form={"file": audio, "model": "x", "language": "en"}))[1]
        assert jiwer.wer(plain(TEXT), plain(heard["text"])) <= 0.25, heard["text"]
        assert heard["language"] == "en"
        assert abs(heard["duration"] - len(samples) / 22_050) < 0.2
        times = [time for segment in heard["segments"] for time in (segment["start"], segment["end"])]
        assert times == sorted(times)
        assert times[-1] <= heard["duration"] + 0.01
        assert " ".join(segment["text"] for segment in heard["segments"]) == heard["text"]


async def test_sentences_are_joined_by_silence_without_clicks(speech: Any) -> None:
    samples = samples_of((await speech.call(SPEECH, json={"input": "One apple. Two pears!\n\nThree plums"}))[1])
    assert samples[0] == samples[-1] == 0
    assert np.abs(np.diff(samples)).max() < 0.6
    edges = np.flatnonzero(np.diff(np.concatenate(([0], samples == 0, [0])).astype(int)))
    silences = [(start, end) for start, end in edges.reshape(-1, 2) if end - start > 0.25 * 22_050]
    assert len(silences) == 2
    for start, end in silences:
        assert np.abs(samples[start - 8 : start]).max() < 0.02
        assert np.abs(samples[end : end + 8]).max() < 0.02


async def test_speed_changes_the_duration(speech: Any) -> None:
    length = {
        speed: len(samples_of((await speech.call(SPEECH, json={"input": TEXT, "speed": speed}))[1]))
        for speed in (0.5, 1, 2)
    }
    assert length[0.5] > 1.5 * length[1] > 1.5 * 1.3 * length[2]


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Smith, e.g., paid $5.20 (100%) on 3/4/2024 at 10:30!",
        "<b>C++ & AT&T</b> \x00 #1 🙂",
        "9" * 40,
        "x" * 200,
        "Ünï",
    ],
)
async def test_odd_text_is_spoken(speech: Any, text: str) -> None:
    status, wav, _ = await speech.call(SPEECH, json={"input": text})
    assert status == 200, wav
    assert np.abs(samples_of(wav)).max() > 0.5


async def test_text_without_anything_to_speak_is_refused(speech: Any) -> None:
    for text in ("", "  \n", "🙂🙂", "...", "日本語"):
        assert (await speech.refused(SPEECH, json={"input": text}))["param"] == "input"


async def test_bad_speech_requests_are_refused(speech: Any) -> None:
    for more, param in (
        ({"voice": "alloy"}, "voice"),
        ({"speed": 9}, "speed"),
        ({"response_format": "mp3"}, "response_format"),
        ({"input": "a" * 10_001}, "input"),
        ({"input": "9" * 10_000}, "input"),
        ({"mood": "sad"}, "mood"),
    ):
        assert (await speech.refused(SPEECH, json={"input": "Hello.", **more}))["param"] == param


async def test_silence_has_no_words(transcription: Any) -> None:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 48_000))
    heard = (await transcription.call(TRANSCRIPTIONS, form={"file": stream.getvalue()}))[1]
    assert (heard["text"], heard["segments"], heard["duration"]) == ("", [], 3.0)


async def test_bad_transcription_requests_are_refused(transcription: Any) -> None:
    for form, code in (
        ({"file": b"this is no audio"}, "invalid_audio"),
        ({"file": b""}, "missing_required_parameter"),
        ({"model": "x"}, "missing_required_parameter"),
        ({"file": b"x", "language": "de"}, "unsupported_language"),
        ({"file": b"x", "mood": "sad"}, "unknown_parameter"),
    ):
        assert (await transcription.refused(TRANSCRIPTIONS, form=form))["code"] == code
    assert (await transcription.refused(TRANSCRIPTIONS, json={"file": "x"}))["code"] == "invalid_form"
