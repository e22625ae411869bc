"""OpenAI's adapters through a real worker, against a server that loses, breaks and delays what it has charged."""

from contextlib import asynccontextmanager

import pytest

from genesis.domain.attempt import ProviderClass
from genesis.domain.quantity import Unit
from genesis.errors import (
    InputRejected,
    ModelUnavailable,
    ProviderAmbiguous,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
    ResultLost,
)
from genesis.settings import Settings
from genesis.storage.open import open_store
from tests.support.providers.base import KEY, serving
from tests.support.providers.openai import MP3, OpenAIServer, answer_to, app_of
from tests.support.worker_servers import call, in_process, over_http

MODELS = {
    "text": "gpt-6-luna",
    "image": "gpt-image-2.5-flare",
    "image_transform": "gpt-image-2.5-flare",
    "speech": "gpt-4o-mini-tts",
    "transcription": "gpt-transcribe",
}
PLAIN_MODELS = {"text": "llama", "image": "sdxl", "image_transform": "sdxl", "speech": "kokoro"}
PLAIN_MODELS["transcription"] = "whisper-1"
SECONDS = 0.5


class Setting:
    """A server, and workers that use it: as OpenAI, or as one of the others."""

    def __init__(self, server, url, folder):
        self.server = server
        other = {"url": f"{url}/v1", "models": {name: [model] for name, model in PLAIN_MODELS.items()}, "free": True}
        self.settings = Settings(
            openai_api_key=None if server.plain else server.key,
            openai_base_url=f"{url}/v1",
            openai_compatible_servers={"other": other} if server.plain else {},
            storage_path=folder / "storage",
            db_path=folder / "jobs.db",
            local_provider=False,
            call_timeout_seconds=5,
        )
        self.store = open_store(self.settings)

    def with_settings(self, **more):
        self.settings = self.settings.model_copy(update=more)

    async def made(self, capability, value="hi", *, transport=in_process, on_delta=None, **options):
        """The result of one call by the worker's own choice of a model."""
        async with transport(capability, self.settings) as client:
            return await client.generate(call(capability, value, **options), on_delta)

    async def kept(self, data, name):
        artifact = await self.store.write(name, data, "application/octet-stream")
        return artifact.url

    async def file_of(self, result):
        return await self.store.read(result.artifact.key, limit=10_000_000)

    async def input_of(self, capability, png, wav, mark=""):
        """A prompt or a file that asks for a fault."""
        match capability:
            case "image_transform":
                return await self.kept(png + mark.encode(), "inputs/a.png")
            case "transcription":
                return await self.kept(wav + mark.encode(), "inputs/a.wav")
            case _:
                return f"hi {mark}".strip()


@asynccontextmanager
async def setting(folder, **server):
    server = OpenAIServer(forms=[], **server)
    async with serving(app_of(server)) as url:
        yield Setting(server, url, folder)


@pytest.fixture
async def at(tmp_path):
    async with setting(tmp_path) as one:
        yield one


@pytest.fixture
async def other(tmp_path):
    async with setting(tmp_path, plain=True) as one:
        yield one


def counted(result, *units):
    return [result.quantities[unit] for unit in units]


def style_of(capability):
    return {"style": "watercolor"} if capability == "image_transform" else {}


@pytest.mark.parametrize("transport", [in_process, over_http])
async def test_text(at, transport):
    result = await at.made("text", transport=transport, temperature=0.5, max_tokens=20)
    assert result.output == {"text": answer_to("hi")}
    assert (result.target, result.cost) == ("openai:gpt-6-luna-2026-09-01", None)
    assert result.warnings == ("openai cannot honor `temperature`; it was left out.",)
    assert counted(result, Unit.INPUT_TOKENS, Unit.OUTPUT_TOKENS) == [1, 6]
    assert len(at.server.charges) == 1


@pytest.mark.parametrize("transport", [in_process, over_http])
async def test_streamed_text(at, transport):
    pieces = []
    result = await at.made("text", transport=transport, on_delta=pieces.append)
    assert "".join(pieces) == result.output["text"] == answer_to("hi")
    assert counted(result, Unit.INPUT_TOKENS, Unit.OUTPUT_TOKENS) == [1, 6]
    assert result.usage["total_tokens"] == 7
    assert at.server.bodies[0]["stream_options"] == {"include_usage": True}


async def test_image(at):
    result = await at.made("image", "a cat", aspect_ratio="16:9", quality="draft", style="watercolor", seed=3)
    assert (await at.file_of(result)).startswith(b"\x89PNG")
    assert result.artifact.media_type == "image/png"
    assert counted(result, Unit.IMAGES, Unit.INPUT_TOKENS, Unit.OUTPUT_TOKENS) == [1, 7, 272]
    assert result.warnings == ("openai cannot honor `seed`; it was left out.",)
    body = {"model": "gpt-image-2.5-flare", "prompt": "a cat, watercolor style", "size": "1536x864", "quality": "low"}
    assert at.server.bodies == [body]


async def test_image_transform(at, png):
    result = await at.made("image_transform", await at.kept(png, "inputs/a.png"), style="watercolor", strength=0.5)
    assert result.artifact.media_type == "image/png"
    assert result.warnings == ("openai cannot honor `strength`; it was left out.",)
    assert ("image", "image.png image/png") in at.server.forms[0]


async def test_speech(at):
    result = await at.made("speech", "hello", voice="coral", speed=1.5, language="en")
    assert (await at.file_of(result), result.artifact.media_type) == (MP3, "audio/mpeg")
    assert result.warnings == ("openai cannot honor `language`; it was left out.",)


async def test_speech_as_bare_samples(at):
    result = await at.made("speech", "hello", provider_options={"response_format": "pcm"})
    assert result.artifact.media_type == "audio/wav"
    assert (await at.file_of(result)).startswith(b"RIFF")


async def test_transcription(at, wav):
    result = await at.made("transcription", await at.kept(wav, "inputs/a.wav"), language="pt-BR")
    assert result.output == {"text": "What was said."}
    assert counted(result, Unit.INPUT_TOKENS, Unit.OUTPUT_TOKENS) == [7, 272]
    assert ("language", "pt") in at.server.forms[0]


async def test_transcription_with_times(at, wav):
    value = await at.kept(wav, "inputs/a.wav")
    result = await at.made("transcription", value, model="openai:whisper-1")
    assert counted(result, Unit.AUDIO_SECONDS) == [9]
    granularities = [value for name, value in at.server.forms[0] if name == "timestamp_granularities[]"]
    assert granularities == ["word", "segment"]


@pytest.mark.parametrize("capability", MODELS)
async def test_the_cost_that_a_proxy_tells(tmp_path, png, wav, capability):
    async with setting(tmp_path, tells_cost=True) as at:
        value = await at.input_of(capability, png, wav)
        assert (await at.made(capability, value, **style_of(capability))).cost == 1230


FAULTS = [
    ("refused", ProviderRejected, 0),
    ("moderated", ProviderRejected, 0),
    ("too-long", ProviderRejected, 0),
    ("rate-limited", ProviderRateLimited, 0),
    ("no-credit", ProviderMisconfigured, 0),
    ("unavailable", ProviderUnavailable, 0),
    ("error", ProviderAmbiguous, 0),
    ("reset", ProviderAmbiguous, 0),
    ("charged-error", ProviderAmbiguous, 1),
    ("charged-reset", ProviderAmbiguous, 1),
    ("truncated", ProviderAmbiguous, 1),
    ("html", ProviderAmbiguous, 1),
]


@pytest.mark.parametrize("capability", MODELS)
@pytest.mark.parametrize(("fault", "error", "charges"), FAULTS)
async def test_faults(at, png, wav, capability, fault, error, charges):
    value = await at.input_of(capability, png, wav, f"[fault:{fault}]")
    with pytest.raises(error) as raised:
        await at.made(capability, value, **style_of(capability))
    assert type(raised.value) is error or (error is ProviderAmbiguous and isinstance(raised.value, error))
    assert len(at.server.charges) == charges
    assert len(at.server.requests) == 1
    assert KEY not in raised.value.message


@pytest.mark.parametrize("fault", ["truncated", "failing", "unfinished"])
async def test_a_stream_that_breaks_off(at, fault):
    pieces = []
    with pytest.raises(ProviderAmbiguous):
        await at.made("text", f"hi [fault:{fault}]", on_delta=pieces.append)
    assert pieces
    assert len(at.server.requests) == len(at.server.charges) == 1


async def test_an_answer_that_does_not_come(at):
    at.with_settings(call_timeout_seconds=SECONDS)
    with pytest.raises(ProviderAmbiguous, match="did not"):
        await at.made("text", "hi [fault:hang]")
    assert len(at.server.requests) == 1


async def test_how_long_openai_asks_to_wait(at):
    with pytest.raises(ProviderRateLimited) as raised:
        await at.made("text", "hi [fault:rate-limited]")
    assert raised.value.retry_after == 1.5


async def test_a_wrong_key(at):
    at.server.key = "another"
    with pytest.raises(ProviderMisconfigured) as raised:
        await at.made("text")
    assert raised.value.hint == "Check OPENAI_API_KEY; `genesis-server check` tries it."
    assert "xxxx" not in raised.value.message


async def test_an_unknown_model(at):
    with pytest.raises(ModelUnavailable, match="`no/such` does not exist") as raised:
        await at.made("text", model="openai:no/such")
    assert "options.model" in raised.value.hint


async def test_a_text_that_is_too_long_to_speak(at):
    with pytest.raises(ProviderRejected, match="maximum length 4096"):
        await at.made("speech", "a" * 4097)


async def test_a_file_that_is_no_audio(at, png):
    with pytest.raises(InputRejected):
        await at.made("transcription", await at.kept(png, "inputs/a.wav"))
    assert at.server.requests == []


@pytest.mark.parametrize("capability", PLAIN_MODELS)
async def test_another_server(other, png, wav, capability):
    value = await other.input_of(capability, png, wav)
    async with in_process(capability, other.settings) as client:
        described = await client.describe(capability)
        assert {one.name: one.provider_class for one in described.providers}["other"] is ProviderClass.REPEATABLE
        result = await client.generate(call(capability, value, **style_of(capability)))
    assert result.target.startswith(f"other:{PLAIN_MODELS[capability]}")
    assert (result.cost, result.usage) == (None, {})
    if capability == "speech":
        assert result.artifact.media_type == "audio/wav"
    if capability in ("image", "image_transform"):
        assert result.quantities[Unit.IMAGES] == 1


async def test_another_server_streams(other):
    pieces = []
    result = await other.made("text", on_delta=pieces.append, max_tokens=9)
    assert "".join(pieces) == result.output["text"] == answer_to("hi")
    assert (result.usage, result.quantities) == ({}, {})
    assert other.server.bodies[0]["max_tokens"] == 9


async def test_a_stream_of_a_free_server_that_breaks_off_can_be_asked_for_again(other):
    with pytest.raises(ProviderUnavailable):
        await other.made("text", "hi [fault:truncated]", on_delta=[].append)


async def test_the_errors_of_another_server(other):
    with pytest.raises(ProviderRejected, match="The provider answered 400: fault 400"):
        await other.made("text", "hi [fault:refused]")


async def test_an_image_at_a_private_address(other):
    """The address is named by the server, so that the fetcher guards it; the operator can allow it."""
    as_url = {"provider_options": {"response_format": "url"}}
    with pytest.raises(ResultLost) as raised:
        await other.made("image", "a cat", **as_url)
    host = "127.0.0.1"
    assert host in raised.value.message
    other.with_settings(fetch_allowed_hosts=(host,))
    assert (await other.made("image", "a cat", **as_url)).artifact.media_type == "image/png"
