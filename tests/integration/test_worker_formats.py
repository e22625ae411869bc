"""Results in the format that was asked for, and what is said when that cannot be."""

import pytest

from genesis.domain.transcript import Segment
from genesis.errors import ProviderRejected
from genesis.net.media import sniff
from genesis.providers import fake
from genesis.providers.base import Done, Media
from genesis.settings import Settings
from genesis.storage.file import FileStore
from tests.support.sites import PNG, WAV
from tests.support.worker_servers import call, in_process


@pytest.fixture
def settings(tmp_path):
    return Settings(storage_path=tmp_path / "storage", fake_provider=True, local_provider=False, log_level="ERROR")


def stored(settings, result):
    return FileStore(settings.storage_path).local_path(result.artifact.key).read_bytes()


@pytest.mark.parametrize(
    ("capability", "form", "media_type", "ending"),
    [
        ("image", "jpeg", "image/jpeg", ".jpg"),
        ("image", "webp", "image/webp", ".webp"),
        ("image", None, "image/png", ".png"),
        ("speech", "mp3", "audio/mpeg", ".mp3"),
        ("speech", "opus", "audio/ogg", ".ogg"),
        ("speech", "wav", "audio/wav", ".wav"),
    ],
)
async def test_a_file_has_the_format_that_was_asked_for(settings, capability, form, media_type, ending):
    options = {"format": form} if form else {}
    async with in_process(capability, settings) as client:
        result = await client.generate(call(capability, "a cat", **options))
    assert result.warnings == ()
    assert result.artifact.media_type == media_type == sniff(stored(settings, result))
    assert next(iter(result.output.values())).endswith(ending)


async def test_a_file_that_cannot_be_converted_is_kept_with_a_warning(settings, monkeypatch):
    monkeypatch.setattr("workers.conversion._MOST_PIXELS", 10)
    monkeypatch.setattr(fake.FakeAdapter, "parse_reply", lambda self, reply: Done(media=Media(PNG, "image/png")))
    async with in_process("image", settings) as client:
        result = await client.generate(call("image", "a cat", format="webp"))
    assert stored(settings, result) == PNG
    (warning,) = result.warnings
    assert "could not be made webp and is image/png" in warning


@pytest.mark.parametrize(
    ("capability", "data"),
    [
        ("image", PNG[:8]),
        ("image", PNG[:40]),
        ("image", b"\xff\xd8\xff"),
        ("speech", b"OggS"),
        ("speech", WAV[:44]),
        ("speech", b"ID3\x04\x00\x00\x00\x00\x00\x00"),
    ],
)
async def test_a_broken_or_empty_file_is_no_result(settings, monkeypatch, capability, data):
    made = Done(media=Media(data, sniff(data)))
    monkeypatch.setattr(fake.FakeAdapter, "parse_reply", lambda self, reply: made)
    async with in_process(capability, settings) as client:
        with pytest.raises(ProviderRejected, match="broken or empty"):
            await client.generate(call(capability, "a cat"))


@pytest.mark.parametrize("wanted", [None, "mp3"])
async def test_sound_of_a_codec_that_is_not_known_is_believed(settings, monkeypatch, wanted):
    """It may have been paid for, and whoever has asked for it may be able to hear it."""
    data = WAV[:20] + b"\x34\x12" + WAV[22:]  # the number of a format that nobody has
    monkeypatch.setattr(fake.FakeAdapter, "parse_reply", lambda self, reply: Done(media=Media(data, sniff(data))))
    async with in_process("speech", settings) as client:
        result = await client.generate(call("speech", "hello", **({"format": wanted} if wanted else {})))
    assert stored(settings, result) == data
    assert ["could not be made mp3" in warning for warning in result.warnings] == ([True] if wanted else [])


SEGMENTS = (Segment(0, 1, "Hello"), Segment(1, 2, "there."))


@pytest.mark.parametrize(
    ("options", "done", "more", "warned"),
    [
        ({}, {"segments": SEGMENTS}, {}, []),
        ({"subtitles": "vtt"}, {"segments": SEGMENTS}, {"subtitles"}, []),
        ({"timestamps": "segment"}, {"segments": SEGMENTS}, {"segments"}, []),
        ({"timestamps": "word"}, {"segments": SEGMENTS, "words": SEGMENTS}, {"segments", "words"}, []),
        ({"timestamps": "word"}, {"segments": SEGMENTS}, {"segments"}, ["each word"]),
        ({"timestamps": "segment", "subtitles": "srt"}, {}, set(), ["no timestamps", "no subtitles"]),
    ],
)
async def test_times_and_subtitles_are_told_or_missed(settings, monkeypatch, options, done, more, warned):
    async with in_process("speech", settings) as client:
        recording = (await client.generate(call("speech", "hello"))).output["audio_url"]
    monkeypatch.setattr(fake.FakeAdapter, "parse_reply", lambda self, reply: Done(text="Hello there.", **done))
    async with in_process("transcription", settings) as client:
        result = await client.generate(call("transcription", recording, **options))
    assert result.output["text"] == "Hello there."
    assert result.output.keys() - {"text"} == set(more)
    assert len(result.warnings) == len(warned)
    assert all(part in warning for part, warning in zip(warned, result.warnings, strict=True))
    if "segments" in more:
        assert result.output["segments"][1] == {"start": 1, "end": 2, "text": "there."}
    if "subtitles" in more:
        assert result.output["subtitles"].startswith("WEBVTT")
