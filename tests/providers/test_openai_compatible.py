"""Servers that speak OpenAI's API: the setting that names them, and how they are asked."""

import json

import pytest

from genesis.domain.attempt import ProviderClass
from genesis.errors import (
    Misconfigured,
    ModelLoading,
    ModelUnavailable,
    ProviderAmbiguous,
    ProviderError,
    ProviderMisconfigured,
    ProviderRejected,
)
from genesis.net.exchange import Reply
from genesis.providers.base import Media, ProviderCall
from genesis.providers.registry import providers
from genesis.settings import Settings

URL = "http://127.0.0.1:11434/v1"
MODELS = {
    "text": ["llama3.3", "openai/gpt-6-luna"],
    "image": ["sdxl", "gpt-image-2"],
    "image_transform": ["flux-kontext"],
    "speech": ["kokoro"],
    "transcription": ["whisper-large-v3"],
}
PNG, AUDIO = Media(b"\x89PNG", "image/png"), Media(b"RIFF", "audio/wav")


def settings(name="mine", **more):
    servers = {name: {"url": URL, "models": MODELS, **more}}
    return Settings(openai_compatible_servers=servers, local_provider=False)


def row(capability="text", **more):
    return next(one for one in providers(settings(**more), capability) if one.name == "mine")


def request(capability, model, *, text="hi", media=None, provider_options=None, **options):
    call = ProviderCall(model, text, media, options, provider_options or {})
    return row(capability).services[capability].adapter.build_request(call)


def test_the_row_of_a_server():
    one = row(api_key=" sk-abcdefgh ", slots=2, free=True)
    assert (one.name, one.base_url, one.missing, one.slots) == ("mine", URL, "", 2)
    assert one.headers == {"Authorization": "Bearer sk-abcdefgh"}
    assert (one.provider_class, one.key_variable) == (ProviderClass.REPEATABLE, "OPENAI_COMPATIBLE_SERVERS")
    assert one.services["text"].models == ("llama3.3", "openai/gpt-6-luna")
    assert "sk-" not in repr(one)


@pytest.mark.parametrize(
    ("name", "more", "expected"),
    [
        ("mine", {}, False),
        ("groq", {}, False),
        ("groq", {"url": "https://api.groq.com/openai/v1"}, True),
        ("groq", {"url": "https://api.groq.com/openai/v1", "free": True}, False),
    ],
)
def test_a_server_has_the_prices_of_a_seller_only_at_its_address(name, more, expected):
    (one,) = (one for one in providers(settings(name, **more), "text") if one.name == name)
    assert one.list_prices is expected


def test_a_server_without_a_key():
    one = row()
    assert (one.headers, one.key_variable, one.slots) == ({}, "", None)
    assert one.provider_class is ProviderClass.OPAQUE
    assert row(api_key="").headers == {}


def test_a_server_serves_what_it_has_models_for():
    few = settings(models={"text": ["llama3.3"], "image": []})
    assert "mine" in [one.name for one in providers(few, "text")]
    for capability in ("image", "speech"):
        assert "mine" not in [one.name for one in providers(few, capability)]


def test_its_place_is_behind_the_hosted_and_before_local():
    keys = {"openrouter_api_key": "sk-abcdefgh", "openai_api_key": "sk-abcdefgh"}
    servers = {name: {"url": URL, "models": MODELS} for name in ("one", "two")}
    chain = providers(Settings(openai_compatible_servers=servers, **keys), "text")
    assert [one.name for one in chain if not one.missing][:2] == ["openrouter", "openai"]
    assert [one.name for one in chain if not one.missing][-3:] == ["one", "two", "local"]


def test_it_comes_out_of_the_environment(monkeypatch):
    written = {"mine": {"url": URL + "/", "models": {"text": ["llama3.3"]}}}
    monkeypatch.setenv("OPENAI_COMPATIBLE_SERVERS", json.dumps(written))
    assert next(one for one in providers(Settings.load(), "text") if one.name == "mine").base_url == URL


@pytest.mark.parametrize("name", ["openai", "openrouter", "huggingface", "local", "fake", "fake-opaque"])
def test_a_name_that_another_provider_has(name):
    with pytest.raises(Misconfigured, match=f"`{name}` is the name of another provider") as raised:
        providers(settings(name), "text")
    assert f"`my-{name}`" in raised.value.hint


@pytest.mark.parametrize(
    "url",
    ["", "localhost:8080/v1", "ftp://host/v1", "http://", "http://[", "http://user:pw@host/v1", "http://h/v1?key=1"],
)
def test_a_url_that_cannot_be_used(url):
    with pytest.raises(Misconfigured, match="the url of `mine` cannot be used") as raised:
        providers(settings(url=url), "text")
    assert "http://host:port/v1" in raised.value.hint
    assert "pw" not in raised.value.message


def test_a_capability_that_does_not_exist():
    with pytest.raises(Misconfigured, match="`video`, which is no capability") as raised:
        providers(settings(models={"text": ["m"], "video": ["m"]}), "text")
    assert "text, image" in raised.value.hint


@pytest.mark.parametrize("models", [{}, {"text": []}, {"text": [" "]}])
def test_a_server_without_models(models):
    with pytest.raises(Misconfigured, match="names no models") as raised:
        providers(settings(models=models), "text")
    assert '"models"' in raised.value.hint


@pytest.mark.parametrize(
    ("model", "field"),
    [
        ("llama3.3", "max_tokens"),
        ("openai/gpt-oss-20b", "max_tokens"),
        ("EleutherAI/gpt-j-6b", "max_tokens"),
        ("gpt-6-luna", "max_completion_tokens"),
        ("openai/gpt-5.4-mini", "max_completion_tokens"),
        ("o3-mini", "max_completion_tokens"),
        ("chatgpt-4o-latest", "max_completion_tokens"),
    ],
)
def test_the_longest_answer(model, field):
    assert request("text", model, max_tokens=9).json == {
        "model": model,
        "messages": [{"role": "user", "content": "hi"}],
        field: 9,
    }


def test_images():
    assert request("image", "sdxl", style="watercolor", quality="draft").json == {
        "model": "sdxl",
        "prompt": "hi, watercolor style",
        "size": "512x512",
        "response_format": "b64_json",
    }
    openais = request("image", "gpt-image-2", quality="draft", aspect_ratio="16:9").json
    assert openais == {"model": "gpt-image-2", "prompt": "hi", "size": "1536x864", "quality": "low"}


def test_an_image_out_of_an_image():
    form = dict(request("image_transform", "flux-kontext", media=Media(b"GIF", "image/gif"), style="x").form)
    assert form.pop("image").filename == "image.gif"
    assert form.pop("prompt").startswith("Redraw")
    assert form == {"model": "flux-kontext", "response_format": "b64_json"}
    assert "response_format" not in request("image_transform", "gpt-image-2", media=PNG, style="x").form


def test_speech():
    assert request("speech", "kokoro").json == {"model": "kokoro", "input": "hi"}
    told = request("speech", "kokoro", voice="af_sky", speed=1.2, provider_options={"response_format": "mp3"})
    body = {"model": "kokoro", "input": "hi", "voice": "af_sky", "speed": 1.2}
    assert told.json == {**body, "response_format": "mp3"}
    assert request("speech", "openai/gpt-4o-mini-tts").json["voice"] == "alloy"


def test_transcription():
    form = request("transcription", "whisper-large-v3", media=AUDIO, language="en").form
    assert "timestamp_granularities[]" not in form
    assert (form["response_format"], form["language"]) == ("verbose_json", "en")
    assert request("transcription", "voxtral", media=AUDIO).form["response_format"] == "json"
    words = {"timestamp_granularities": ["word"]}
    told = request("transcription", "whisper-large-v3", media=AUDIO, provider_options=words).form
    assert told["timestamp_granularities[]"] == ("word",)
    request("transcription", "voxtral", media=Media(b"", "audio/aac"))


def read(document, status=200, capability="text"):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return row(capability).services[capability].adapter.parse_reply(Reply(status, {}, body))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"object": "error", "message": "No such model.", "type": "NotFoundError", "code": 404}, "No such model."),
        ({"error": {"message": "No such model.", "type": "NotFoundError", "code": 404}}, "No such model."),
        ({"error": "model 'x' not found"}, "model 'x' not found"),
        ({"detail": "Not Found"}, "Not Found"),
        (b"404 page not found", "404 page not found"),
    ],
)
def test_the_forms_of_an_error(body, message):
    with pytest.raises(ModelUnavailable) as raised:
        read(body, 404)
    assert raised.value.message == f"The provider answered 404: {message}"
    assert "the `url` of `mine` in OPENAI_COMPATIBLE_SERVERS" in raised.value.hint


@pytest.mark.parametrize(("status", "kind"), [(503, ModelLoading), (400, ProviderRejected), (500, ProviderAmbiguous)])
def test_a_server_that_loads_its_model_says_so(status, kind):
    with pytest.raises(ProviderError, match="Loading model") as raised:
        read({"error": {"code": status, "message": "Loading model", "type": "unavailable_error"}}, status)
    assert type(raised.value) is kind


def test_a_wrong_key():
    for status, body in ((401, {"detail": "Unauthorized"}), (400, {"error": {"type": "no_db_connection"}})):
        with pytest.raises(ProviderMisconfigured) as raised:
            read(body, status)
        assert "`api_key` of `mine`" in raised.value.hint


def test_an_answer_without_usage():
    done = read({"choices": [{"message": {"content": "Hello."}}]})
    assert (done.text, done.usage, done.quantities, done.model) == ("Hello.", {}, {}, None)


def test_an_image_that_is_somewhere(png):
    done = read({"data": [{"url": "http://127.0.0.1/a.png"}]}, capability="image")
    assert (done.media, done.media_url) == (None, "http://127.0.0.1/a.png")
    with_both = read({"data": [{"url": "http://h/a.png", "b64_json": "iVBORw0KGgo="}]}, capability="image")
    assert with_both.media == Media(b"\x89PNG\r\n\x1a\n", "image/png")
