"""Hugging Face: requests to its first partners, files, and every form of error."""

import base64
import io
import json
from collections.abc import Callable
from decimal import Decimal

import pytest
from PIL import Image
from pydantic import SecretStr

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.quantity import Unit
from genesis.errors import (
    Misconfigured,
    ModelLoading,
    ModelUnavailable,
    ProviderAmbiguous,
    ProviderError,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
)
from genesis.net.exchange import Reply, Request
from genesis.providers.base import Adapter, Done, Media, Pending, ProviderCall, options_of
from genesis.providers.huggingface.row import provider
from genesis.settings import Settings

KEY = "hf_abcdefghijklmnop"
ENDPOINT = "https://abc.endpoints.huggingface.cloud/generate"
AUDIO = Media(b"fLaC....", "audio/flac")
PICTURE = Media(b"\xff\xd8\xff", "image/jpeg")
ONE_IMAGE = {Unit.IMAGES: Decimal(1)}


def adapter(capability: str, image_model_url: str | None = None) -> Adapter:
    return provider(Settings(image_model_url=image_model_url)).services[capability].adapter


def image_bytes(reply: Reply) -> Done | Pending:
    return adapter("image").parse_reply(reply)


def test_row() -> None:
    row = provider(Settings(huggingface_api_key=SecretStr(KEY), huggingface_base_url="http://127.0.0.1:9/"))
    assert (row.base_url, row.missing, row.headers) == ("http://127.0.0.1:9", "", {"Authorization": f"Bearer {KEY}"})
    assert set(row.services) == set(CAPABILITIES)
    assert (row.key_variable, row.check) == (
        "HUGGINGFACE_API_KEY",
        Request("GET", "https://huggingface.co/api/whoami-v2"),
    )
    assert row.own_urls == {"https://huggingface.co/api/whoami-v2"}
    assert KEY not in repr(row)
    assert {name: service.models[0] for name, service in row.services.items()} == {
        "text": "openai/gpt-oss-120b",
        "image": "stabilityai/stable-diffusion-3-medium-diffusers",
        "transcription": "openai/whisper-large-v3",
        "speech": "fal-ai/kokoro/american-english",
        "image_transform": "fal-ai/flux-2/klein/9b/edit",
    }


def test_row_without_a_key() -> None:
    row = provider(Settings(huggingface_api_key=None))
    assert (row.missing, row.headers) == ("HUGGINGFACE_API_KEY is not set", {})


@pytest.mark.parametrize("capability", ["image", "transcription", "speech", "image_transform"])
def test_every_default_model_can_be_asked(capability: str) -> None:
    service = provider(Settings(image_model_url=ENDPOINT)).services[capability]
    for model in service.models:
        call = ProviderCall(model, "x", AUDIO, {"style": "ink"} if capability == "image_transform" else {})
        assert service.adapter.build_request(call).method == "POST"


def test_plain_image_request() -> None:
    request = adapter("image").build_request(ProviderCall("stabilityai/sdxl", "a cat"))
    assert request == Request(
        "POST",
        "/hf-inference/models/stabilityai/sdxl",
        {"Accept": "image/png"},
        json={"inputs": "a cat", "parameters": {"width": 1024, "height": 1024}},
    )


def test_image_request_with_all_options() -> None:
    options = {
        "style": "watercolor",
        "quality": "draft",
        "aspect_ratio": "16:9",
        "negative_prompt": "dogs",
        "seed": 7,
    }
    call = ProviderCall("a/b@hf-inference", "a cat.", None, options, {"parameters": {"num_inference_steps": 4}})
    assert set(options) == set(adapter("image").options)
    assert adapter("image").build_request(call).json == {
        "inputs": "a cat, watercolor style",
        "parameters": {
            "width": 672,
            "height": 384,
            "negative_prompt": "dogs",
            "seed": 7,
            "num_inference_steps": 4,
        },
    }


def test_a_style_in_the_prompt_is_not_said_twice() -> None:
    call = ProviderCall("a/b", "A Watercolor of a cat", options={"style": "watercolor"})
    assert adapter("image").build_request(call).json["inputs"] == "A Watercolor of a cat"


def test_image_at_fal() -> None:
    call = ProviderCall("fal-ai/flux/dev@fal-ai", "a cat", options={"seed": 1}, provider_options={"num_images": 1})
    assert adapter("image").build_request(call) == Request(
        "POST",
        "/fal-ai/fal-ai/flux/dev",
        json={"prompt": "a cat", "image_size": {"width": 1024, "height": 1024}, "seed": 1, "num_images": 1},
    )


def test_image_model_url_is_the_default_and_used_verbatim() -> None:
    service = provider(Settings(image_model_url=ENDPOINT)).services["image"]
    assert service.models[0] == ENDPOINT
    request = service.adapter.build_request(ProviderCall(ENDPOINT, "a cat"))
    assert (request.url, request.json["inputs"]) == (ENDPOINT, "a cat")


@pytest.mark.parametrize(
    "url",
    ["stabilityai/sdxl", f"{ENDPOINT}?token=secret", f"{ENDPOINT}#a", "https://me:secret@h/x", "https://", "ftp://h/x"],
)
def test_image_model_url_must_be_a_plain_url(url: str) -> None:
    """It is shown as the name of a model."""
    with pytest.raises(Misconfigured, match="IMAGE_MODEL_URL") as raised:
        provider(Settings(image_model_url=url))
    assert "secret" not in raised.value.message + raised.value.hint


@pytest.mark.parametrize(
    "model",
    [
        "https://evil.example/x",
        "//evil.example/x",
        "a/../../v1/models",
        "../x",
        "a//b",
        "a/b?x=1",
        "a/b#x",
        "a/./b",
        "a b",
        "",
        "@fal-ai",
        "a\\b",
        "a/b\n",
        "a%2fb",
        "http://x@fal-ai",
    ],
)
@pytest.mark.parametrize("capability", ["image", "transcription", "speech", "image_transform"])
def test_a_model_cannot_lead_elsewhere(capability: str, model: str) -> None:
    with pytest.raises(ProviderRejected):
        adapter(capability, image_model_url=ENDPOINT).build_request(ProviderCall(model, "x", AUDIO, {"style": "ink"}))


def test_unknown_partner() -> None:
    with pytest.raises(ProviderRejected) as raised:
        adapter("image").build_request(ProviderCall("a/b@deepinfra", "x"))
    assert "`model@fal-ai`" in raised.value.hint


def test_transcription_sends_the_file_with_its_type() -> None:
    assert adapter("transcription").build_request(ProviderCall("openai/whisper", media=AUDIO)) == Request(
        "POST", "/hf-inference/models/openai/whisper", {"Content-Type": "audio/flac"}, data=AUDIO.data
    )
    assert options_of(adapter("transcription"), "openai/whisper") == {}


def test_transcription_with_provider_options_needs_json() -> None:
    call = ProviderCall("a/b", media=AUDIO, provider_options={"parameters": {"return_timestamps": True}})
    assert adapter("transcription").build_request(call) == Request(
        "POST",
        "/hf-inference/models/a/b",
        json={"inputs": base64.b64encode(AUDIO.data).decode(), "parameters": {"return_timestamps": True}},
    )


def test_transcription_at_fal() -> None:
    request = adapter("transcription").build_request(ProviderCall("fal-ai/whisper@fal-ai", media=AUDIO))
    assert request == Request(
        "POST", "/fal-ai/fal-ai/whisper", json={"audio_url": "data:audio/flac;base64,ZkxhQy4uLi4="}
    )


def test_a_call_without_its_file_is_rejected() -> None:
    with pytest.raises(ProviderRejected, match="no input file"):
        adapter("transcription").build_request(ProviderCall("a/b"))


def test_speech_request() -> None:
    options = {"voice": "af_heart", "speed": 1.5}
    call = ProviderCall("fal-ai/kokoro/american-english", "Hello", options=options)
    assert set(options) == set(adapter("speech").options)
    assert adapter("speech").build_request(call) == Request(
        "POST",
        "/fal-ai/fal-ai/kokoro/american-english",
        json={"text": "Hello", "voice": "af_heart", "speed": 1.5},
    )


def test_image_transform_request() -> None:
    options = {"style": "ink", "prompt": "add a hat", "seed": 3}
    call = ProviderCall("fal-ai/flux-2/klein/9b/edit", media=PICTURE, options=options)
    assert set(options) == set(adapter("image_transform").options)
    assert adapter("image_transform").build_request(call) == Request(
        "POST",
        "/fal-ai/fal-ai/flux-2/klein/9b/edit?_subdomain=queue",
        json={
            "image_url": "data:image/jpeg;base64,/9j/",
            "image_urls": ["data:image/jpeg;base64,/9j/"],
            "prompt": "add a hat, ink style",
            "seed": 3,
        },
    )


def test_image_transform_by_style_alone() -> None:
    request = adapter("image_transform").build_request(ProviderCall("m", media=PICTURE, options={"style": "ink"}))
    assert request.json["prompt"] == "Redraw this image in ink style. Keep its subject and composition."


def test_image_transform_needs_words() -> None:
    with pytest.raises(ProviderRejected, match="what to change"):
        adapter("image_transform").build_request(ProviderCall("m", media=PICTURE))


def test_image_bytes(png: bytes) -> None:
    assert image_bytes(Reply(200, {"content-type": "image/jpeg"}, png)) == Done(
        media=Media(png, "image/png"), quantities=ONE_IMAGE
    )


def test_audio_bytes(wav: bytes) -> None:
    done = adapter("speech").parse_reply(Reply(200, {"content-type": "audio/x-wav"}, wav))
    assert done == Done(media=Media(wav, "audio/wav"))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"error":"CUDA out of memory"}', ProviderAmbiguous),
        (b'{"error":["a","b"]}', ProviderAmbiguous),
        (b"<html><body>Sign in</body></html>", ProviderAmbiguous),
        (b'{"images":[]}', ProviderAmbiguous),
        (b'{"images":[{"url":"file:///etc/passwd"}]}', ProviderAmbiguous),
        (b'{"images":[{"url":"data:text/html;base64,PGI+"}]}', ProviderAmbiguous),
        (b"", ProviderAmbiguous),
        (b"\x00\x01\x02", ProviderAmbiguous),
    ],
)
def test_a_success_without_an_image_is_an_error(body: bytes, kind: type[ProviderError]) -> None:
    with pytest.raises(kind):
        image_bytes(Reply(200, {"content-type": "image/png"}, body))


def test_audio_is_no_image(wav: bytes) -> None:
    with pytest.raises(ProviderAmbiguous):
        image_bytes(Reply(200, {"content-type": "image/png"}, wav))


def test_files_in_newer_formats_are_results() -> None:
    target = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 30, 30)).save(target, "AVIF")
    assert image_bytes(Reply(200, {}, target.getvalue())) == Done(
        media=Media(target.getvalue(), "image/avif"), quantities=ONE_IMAGE
    )


def test_an_image_inside_the_reply(png: bytes) -> None:
    url = "data:image/png;base64," + base64.b64encode(png).decode()
    body = json.dumps({"images": [{"url": url}]}).encode()
    assert image_bytes(Reply(200, {}, body)) == Done(media=Media(png, "image/png"), quantities=ONE_IMAGE)


def test_transcription(stored: Callable[..., Reply]) -> None:
    done = adapter("transcription").parse_reply(stored("huggingface/transcription.json"))
    assert done == Done(text="He was surprised.")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"text":" "}', ProviderRejected),
        (b'{"text":null}', ProviderAmbiguous),
        (b'[{"text":"a"}]', ProviderAmbiguous),
        (b"hello", ProviderAmbiguous),
    ],
)
def test_no_transcription(body: bytes, kind: type[ProviderError]) -> None:
    with pytest.raises(kind):
        adapter("transcription").parse_reply(Reply(200, {}, body))


def test_speech_at_fal(stored: Callable[..., Reply]) -> None:
    done = adapter("speech").parse_reply(stored("huggingface/fal_speech.json"))
    assert done == Done(media_url="https://v3.fal.media/files/rabbit/a1.wav")


@pytest.mark.parametrize(
    ("fixture", "status", "kind", "message", "hint"),
    [
        ("loading_503.json", 503, ModelLoading, "currently loading", ""),
        ("not_supported_400.json", 400, ModelUnavailable, "not supported", "IMAGE_MODEL_URL"),
        ("validation_422.json", 422, ProviderRejected, "non-empty; `width`", ""),
        ("gone_410.json", 410, ModelUnavailable, "no longer supported", "router.huggingface.co/hf-inference/models"),
        ("no_credit_402.json", 402, ProviderMisconfigured, "monthly included credits", "credit"),
        ("fal_invalid_422.json", 422, ProviderRejected, "Failed to load the image", ""),
        ("bad_gateway_502.html", 502, ProviderAmbiguous, "an HTML page", ""),
    ],
)
def test_documented_errors(
    stored: Callable[..., Reply], fixture: str, status: int, kind: type[ProviderError], message: str, hint: str
) -> None:
    with pytest.raises(ProviderError) as raised:
        image_bytes(stored(f"huggingface/{fixture}", status))
    assert type(raised.value) is kind
    assert message in raised.value.message
    assert hint in raised.value.hint


def test_loading_asks_to_wait_a_minute_at_most(stored: Callable[..., Reply]) -> None:
    for fixture, wait in (("loading_503", 20.5), ("loading_long_503", 60)):
        with pytest.raises(ModelLoading) as raised:
            image_bytes(stored(f"huggingface/{fixture}.json", 503))
        assert raised.value.retry_after == wait


@pytest.mark.parametrize(
    "body", [b'{"error":"oops"}', b'{"error":["oops"]}', b'{"error":{"message":"oops"}}', b'{"detail":"oops"}']
)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ProviderRejected),
        (401, ProviderMisconfigured),
        (403, ProviderMisconfigured),
        (404, ModelUnavailable),
        (429, ProviderRateLimited),
        *((status, ProviderAmbiguous) for status in (500, 502, 504, 520, 524, 530)),
        (425, ProviderUnavailable),
        (503, ProviderUnavailable),
        (529, ProviderUnavailable),
    ],
)
def test_error_by_status(status: int, kind: type[ProviderError], body: bytes) -> None:
    for capability in ("image", "transcription", "speech", "image_transform"):
        with pytest.raises(ProviderError, match="oops") as raised:
            adapter(capability).parse_reply(Reply(status, {}, body))
        assert type(raised.value) is kind


def test_an_unserved_model_names_the_way_out() -> None:
    with pytest.raises(ModelUnavailable) as raised:
        adapter("transcription").parse_reply(Reply(404, {}, b'{"error":"Not Found"}'))
    assert "options.model" in raised.value.hint
    assert "IMAGE_MODEL_URL" not in raised.value.hint


def test_rate_limit_header_names_the_wait() -> None:
    headers = {"ratelimit": '"api";r=0;t=55', "ratelimit-policy": '"fixed window";"api";q=500;w=300'}
    with pytest.raises(ProviderRateLimited) as raised:
        image_bytes(Reply(429, headers, b'{"error":"slow down"}'))
    assert raised.value.retry_after == 55


def test_keys_are_cut_out_of_messages() -> None:
    body = json.dumps({"error": f"Invalid token {KEY} (Bearer abcdefgh12345678)"}).encode()
    with pytest.raises(ProviderMisconfigured) as raised:
        image_bytes(Reply(401, {}, body))
    assert "abcdefgh" not in raised.value.message
    assert "Invalid token hf_…" in raised.value.message
