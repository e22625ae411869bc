"""The fake provider: real files, one answer for one question, and its marks."""

import io
import wave

import pytest

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.attempt import ProviderClass
from genesis.errors import (
    ProviderAmbiguous,
    ProviderError,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
)
from genesis.net.exchange import Reply, Request
from genesis.providers import fake
from genesis.providers.base import Done, Media, ProviderCall

PROVIDER = fake.provider()


def run(capability: str, **call: object) -> Done:
    adapter = PROVIDER.services[capability].adapter
    request = adapter.build_request(ProviderCall(model="made-up", **call))  # type: ignore[arg-type]
    done = adapter.parse_reply(fake.answer(request))
    assert isinstance(done, Done)
    return done


def png_size(data: bytes) -> tuple[int, int]:
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image.size


def test_row() -> None:
    assert PROVIDER.base_url == fake.BASE_URL == "fake:"
    assert PROVIDER.provider_class is ProviderClass.REPEATABLE
    assert set(PROVIDER.services) == set(CAPABILITIES)
    assert PROVIDER.missing == ""


def test_request() -> None:
    request = PROVIDER.services["text"].adapter.build_request(
        ProviderCall("made-up", "Hi", options={"seed": 1}, provider_options={"a": 2})
    )
    assert request == Request(
        "POST", "/text", form={"model": "made-up", "text": "Hi", "options": '{"a": 2, "seed": 1}'}
    )


def test_text() -> None:
    done = run("text", text="Hi")
    assert (done.text, done.cost, done.usage) == ("fake: Hi", 0, {"characters": 10})


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({}, (1024, 1024)),
        ({"quality": "draft", "aspect_ratio": "16:9"}, (672, 384)),
        ({"quality": "high", "aspect_ratio": "2:3"}, (1248, 1824)),
    ],
)
def test_image(options: dict[str, str], size: tuple[int, int]) -> None:
    media = run("image", text="a cat", options=options).media
    assert media is not None
    assert media.media_type == "image/png"
    assert png_size(media.data) == size


def test_an_option_that_does_not_exist_is_rejected() -> None:
    with pytest.raises(ProviderRejected, match="7:1"):
        run("image", text="a cat", provider_options={"aspect_ratio": "7:1"})


def test_image_transform() -> None:
    media = run("image_transform", media=Media(b"x", "image/png"), options={"style": "ink"}).media
    assert media is not None
    assert png_size(media.data) == (512, 512)


def test_speech_is_an_audible_tone_that_lasts_as_the_text_does() -> None:
    def seconds(text: str) -> float:
        media = run("speech", text=text).media
        assert media is not None
        assert media.media_type == "audio/wav"
        with wave.open(io.BytesIO(media.data)) as file:
            frames = file.readframes(file.getnframes())
            assert max(frames) > 0
            return float(file.getnframes() / file.getframerate())

    assert seconds("hello") == 1
    assert seconds("word " * 12) == 3
    assert seconds("word " * 1000) == 10


def test_transcription() -> None:
    assert run("transcription", media=Media(b"abc", "audio/wav")).text == "fake: 3 bytes of audio/wav"


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_the_same_question_has_one_answer_and_another_has_another(capability: str) -> None:
    def ask(text: str) -> Done:
        if capability in {"transcription", "image_transform"}:
            return run(capability, media=Media(text.encode(), "audio/wav"))
        return run(capability, text=text)

    long = "another question with so many words that it takes longer"
    assert ask("one") == ask("one")
    assert ask("one") != ask(long)


@pytest.mark.parametrize("capability", ["text", "image", "speech"])
@pytest.mark.parametrize(
    ("mark", "kind", "wait"),
    [
        ("[fail-safe]", ProviderUnavailable, None),
        ("[fail-final]", ProviderRejected, None),
        ("[rate-limited]", ProviderRateLimited, 1),
        ("[ambiguous]", ProviderAmbiguous, None),
        ("[empty]", ProviderUnavailable, None),
    ],
)
def test_marks(capability: str, mark: str, kind: type[ProviderError], wait: float | None) -> None:
    with pytest.raises(ProviderError) as raised:
        run(capability, text=f"a cat {mark}")
    assert type(raised.value) is kind
    assert raised.value.retry_after == wait


@pytest.mark.parametrize("capability", ["transcription", "image_transform"])
def test_files_always_succeed(capability: str) -> None:
    assert run(capability, media=Media(b"[fail-safe]", "audio/wav")).cost == 0


def test_the_base_url_may_stand_before_the_path() -> None:
    form = {"text": "Hi"}
    assert fake.answer(Request("POST", "fake:/text", form=form)) == fake.answer(Request("POST", "/text", form=form))


def test_unknown_path() -> None:
    reply = fake.answer(Request("POST", "/video"))
    assert isinstance(reply, Reply)
    assert reply.status == 404
