"""The offline provider: exact requests, replies and errors of its server."""

import base64
import json
from collections.abc import Callable

import pytest

from genesis.domain.attempt import ProviderClass
from genesis.errors import ProviderAmbiguous, ProviderRejected, ProviderUnavailable
from genesis.net.exchange import FormFile, Reply, Request
from genesis.providers.base import Adapter, Done, Media, ProviderCall
from genesis.providers.local import adapter as local
from genesis.providers.local.models import LOCAL_MODELS

AUDIO = Media(b"ID3", "audio/mpeg")
PICTURE = Media(b"\xff\xd8\xff", "image/jpeg")


def adapter(capability: str) -> Adapter:
    return local.provider(capability).services[capability].adapter


def parse(capability: str, reply: Reply) -> Done:
    done = adapter(capability).parse_reply(reply)
    assert isinstance(done, Done)
    assert done.cost == 0
    return done


def test_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "installed", lambda capability: capability == "text")
    row = local.provider("text")
    assert (row.name, row.base_url, row.missing, row.slots) == ("local", "", "", 1)
    assert row.provider_class is ProviderClass.REPEATABLE
    assert {name: service.models for name, service in row.services.items()} == {
        name: (model,) for name, model in LOCAL_MODELS.items()
    }
    assert local.provider("image").missing == "packages of requirements/offline.txt are not installed"


def test_text_request() -> None:
    options = {
        "system": "S",
        "examples": [{"text": "a", "answer": "b"}],
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 8,
        "stop": ["\n"],
        "seed": 1,
    }
    assert set(options) == set(adapter("text").options)
    assert adapter("text").build_request(ProviderCall("m", "Hi", options=options)) == Request(
        "POST",
        "/v1/chat/completions",
        json={
            "model": "m",
            "messages": [
                {"role": "system", "content": "S"},
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": "b"},
                {"role": "user", "content": "Hi"},
            ],
            "temperature": 0.5,
            "top_p": 0.9,
            "max_tokens": 8,
            "stop": ["\n"],
            "seed": 1,
        },
    )


def test_speech_request() -> None:
    options = {"voice": "joe", "language": "en-US", "speed": 1.5}
    assert set(options) == set(adapter("speech").options)
    assert adapter("speech").build_request(ProviderCall("m", "Hi", options=options)) == Request(
        "POST",
        "/v1/audio/speech",
        json={"model": "m", "input": "Hi", "response_format": "wav", "voice": "joe", "speed": 1.5},
    )


def test_transcription_request() -> None:
    call = ProviderCall("m", media=AUDIO, options={"language": "en-GB"}, provider_options={"beam_size": 5})
    assert set(adapter("transcription").options) == {"language"}
    assert adapter("transcription").build_request(call) == Request(
        "POST",
        "/v1/audio/transcriptions",
        form={
            "model": "m",
            "language": "en",
            "beam_size": "5",
            "file": FormFile("input.mpeg", "audio/mpeg", b"ID3"),
        },
    )


@pytest.mark.parametrize("capability", ["speech", "transcription"])
def test_other_languages_are_rejected_with_a_way_out(capability: str) -> None:
    with pytest.raises(ProviderRejected, match="'de'") as raised:
        adapter(capability).build_request(ProviderCall("m", "Hallo", AUDIO, {"language": "de"}))
    assert "options.model" in raised.value.hint


def test_image_request() -> None:
    options = {"style": "ink", "quality": "draft", "aspect_ratio": "4:3", "negative_prompt": "dogs", "seed": 2}
    assert set(options) == set(adapter("image").options)
    assert adapter("image").build_request(ProviderCall("m", "a cat", options=options)) == Request(
        "POST",
        "/v1/images/generations",
        json={
            "model": "m",
            "prompt": "a cat",
            "size": "576x448",
            "seed": 2,
            "style": "ink",
            "quality": "draft",
            "negative_prompt": "dogs",
        },
    )


def test_image_transform_request() -> None:
    options = {"style": "ink", "strength": 0.5, "seed": 3}
    assert set(options) == set(adapter("image_transform").options)
    assert adapter("image_transform").build_request(ProviderCall("m", media=PICTURE, options=options)) == Request(
        "POST",
        "/v1/images/edits",
        form={
            "model": "m",
            "style": "ink",
            "strength": "0.5",
            "seed": "3",
            "image": FormFile("input.jpeg", "image/jpeg", PICTURE.data),
        },
    )


def test_text(stored: Callable[..., Reply]) -> None:
    done = parse("text", stored("local/chat.json"))
    assert (done.text, done.usage["total_tokens"]) == ("Hello.", 12)


def test_speech(wav: bytes) -> None:
    assert parse("speech", Reply(200, {"content-type": "audio/wav"}, wav)).media == Media(wav, "audio/wav")


def test_transcription() -> None:
    assert parse("transcription", Reply(200, {}, b'{"text":" Hello there. ","language":"en"}')).text == "Hello there."


@pytest.mark.parametrize("capability", ["image", "image_transform"])
def test_image(capability: str, png: bytes) -> None:
    body = json.dumps({"created": 1, "data": [{"b64_json": base64.b64encode(png).decode()}]}).encode()
    assert parse(capability, Reply(200, {}, body)).media == Media(png, "image/png")


@pytest.mark.parametrize(
    "body", [b"{}", b'{"data":[]}', b'{"data":[{"b64_json":"!"}]}', b'{"data":[{"b64_json":"QQ=="}]}']
)
def test_no_image(body: bytes) -> None:
    with pytest.raises(ProviderAmbiguous):
        adapter("image").parse_reply(Reply(200, {}, body))


def test_rejected_with_the_servers_words(stored: Callable[..., Reply]) -> None:
    with pytest.raises(ProviderRejected, match="known: watercolor, mosaic"):
        adapter("image").parse_reply(stored("local/unknown_style_400.json", 400))


@pytest.mark.parametrize(("headers", "wait"), [({}, 1), ({"retry_after": "4"}, 4)])
def test_busy(stored: Callable[..., Reply], headers: dict[str, str], wait: float) -> None:
    with pytest.raises(ProviderUnavailable, match="busy") as raised:
        adapter("text").parse_reply(stored("local/busy_503.json", 503, **headers))
    assert raised.value.retry_after == wait


@pytest.mark.parametrize("status", [500, 502, 504, 429])
def test_other_failures_may_be_retried(status: int) -> None:
    with pytest.raises(ProviderUnavailable):
        adapter("text").parse_reply(Reply(status, {}, b"Internal Server Error"))
