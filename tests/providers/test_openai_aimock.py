"""OpenAI's adapters against aimock, which nobody here wrote, and against the faults that it injects."""

import base64

import pytest

from genesis.domain.quantity import Unit
from genesis.errors import (
    ModelUnavailable,
    ProviderAmbiguous,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
)
from genesis.net.client import HttpClient
from genesis.providers.openai import provider
from genesis.settings import Settings
from genesis.storage.open import open_store
from tests.support.sites import PNG, WAV
from tests.support.third_party import KEY, aimock
from tests.support.worker_servers import call, in_process

TEXT = "An answer that is longer than one of the pieces in which it comes."
USAGE = {"prompt_tokens": 10, "completion_tokens": 12}
FIXTURES = [
    {"match": {"endpoint": "chat", "userMessage": "cut"}, "response": {"content": TEXT}, "truncateAfterChunks": 2},
    {
        "match": {"endpoint": "chat", "userMessage": "no credit"},
        "response": {"status": 429, "error": {"message": "No credit.", "code": "insufficient_quota"}},
    },
    {
        "match": {"endpoint": "chat", "userMessage": "forbidden"},
        "response": {"status": 400, "error": {"message": "Not allowed.", "code": "content_policy_violation"}},
    },
    {"match": {"endpoint": "chat", "userMessage": "hi"}, "response": {"content": TEXT, "usage": USAGE}},
    {"match": {"endpoint": "image"}, "response": {"image": {"b64Json": base64.b64encode(PNG).decode()}}},
    {"match": {"endpoint": "speech"}, "response": {"audio": base64.b64encode(WAV).decode(), "format": "wav"}},
    {
        "match": {"endpoint": "transcription"},
        "response": {
            "transcription": {
                "text": "What was said.",
                "duration": 1.5,
                "words": [{"word": "What", "start": 0, "end": 0.5}],
                "segments": [{"id": 0, "start": 0, "end": 1.5, "text": "What was said."}],
            }
        },
    },
]
CAPABILITIES = ("text", "image", "image_transform", "speech", "transcription")
PATHS = {
    "text": "/v1/chat/completions",
    "image": "/v1/images/generations",
    "image_transform": "/v1/images/edits",
    "speech": "/v1/audio/speech",
    "transcription": "/v1/audio/transcriptions",
}
FAULTS = [
    ({"rateLimitRate": 1}, ProviderRateLimited),
    ({"dropRate": 1}, ProviderAmbiguous),
    ({"malformedRate": 1}, ProviderAmbiguous),
    ({"disconnectRate": 1}, ProviderAmbiguous),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with aimock(FIXTURES, tmp_path_factory.mktemp("aimock")) as server:
        yield server


@pytest.fixture
def server(running):
    running.reset()
    return running


@pytest.fixture
async def made(server, tmp_path):
    settings = Settings(
        openai_api_key=KEY,
        openai_base_url=f"{server.url}/v1",
        storage_path=tmp_path,
        local_provider=False,
        call_timeout_seconds=10,
    )
    store = open_store(settings)
    files = {
        "image_transform": (await store.write("inputs/a.png", PNG, "image/png")).url,
        "transcription": (await store.write("inputs/a.wav", WAV, "audio/wav")).url,
    }

    async def make(capability, value="hi", *, on_delta=None, **options):
        if capability == "image_transform":
            options["style"] = "watercolor"
        async with in_process(capability, settings) as client:
            return await client.generate(call(capability, files.get(capability, value), **options), on_delta)

    return make


async def test_text(made, server):
    result = await made("text", temperature=0.5)
    assert (result.output, result.target) == ({"text": TEXT}, "openai:gpt-6-luna")
    assert result.quantities == {Unit.INPUT_TOKENS: 10, Unit.OUTPUT_TOKENS: 12}
    assert [entry["path"] for entry in server.journal] == ["/v1/chat/completions"]


async def test_streamed_text(made):
    pieces = []
    result = await made("text", on_delta=pieces.append)
    assert "".join(pieces) == result.output["text"] == TEXT
    assert len(pieces) > 1
    assert result.quantities == {Unit.INPUT_TOKENS: 10, Unit.OUTPUT_TOKENS: 12}


async def test_image(made):
    result = await made("image", "a cat", quality="draft")
    assert (result.artifact.media_type, result.artifact.size) == ("image/png", len(PNG))


async def test_image_transform(made, server):
    result = await made("image_transform")
    assert (result.artifact.media_type, result.artifact.size) == ("image/png", len(PNG))
    assert server.journal[0]["body"]["model"] == "gpt-image-2.5-flare"


async def test_speech(made):
    result = await made("speech")
    assert (result.artifact.media_type, result.artifact.size) == ("audio/wav", len(WAV))


@pytest.mark.parametrize("model", ["openai:gpt-transcribe", "openai:whisper-1"])
async def test_transcription(made, server, model):
    result = await made("transcription", model=model, language="en")
    assert result.output == {"text": "What was said."}
    assert server.journal[0]["body"]["model"] == model.removeprefix("openai:")


@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize(("rates", "error"), FAULTS)
async def test_faults(made, server, capability, rates, error):
    server.fail(**rates)
    with pytest.raises(error):
        await made(capability)
    assert [entry["path"] for entry in server.journal] == [PATHS[capability]]


@pytest.mark.parametrize(("rates", "error"), FAULTS)
async def test_faults_of_a_stream(made, server, rates, error):
    server.fail(**rates)
    with pytest.raises(error):
        await made("text", on_delta=[].append)
    assert [entry["path"] for entry in server.journal] == ["/v1/chat/completions"]


async def test_how_long_to_wait(made, server):
    server.fail(rateLimitRate=1)
    with pytest.raises(ProviderRateLimited) as raised:
        await made("text")
    assert raised.value.retry_after == 1


async def test_a_stream_that_breaks_off(made, server):
    pieces = []
    with pytest.raises(ProviderAmbiguous):
        await made("text", "cut", on_delta=pieces.append)
    assert TEXT.startswith("".join(pieces))
    assert len(server.journal) == 1


async def test_no_credit(made):
    with pytest.raises(ProviderMisconfigured, match="No credit") as raised:
        await made("text", "no credit")
    assert "Add credit" in raised.value.hint


async def test_what_is_not_allowed(made):
    with pytest.raises(ProviderRejected, match="Not allowed") as raised:
        await made("text", "forbidden")
    assert raised.value.hint == "Change the prompt."


async def test_what_it_does_not_know(made):
    with pytest.raises(ModelUnavailable, match="No fixture matched"):
        await made("text", "of what nobody knows")


@pytest.mark.parametrize(("key", "status"), [(KEY, 200), ("another", 401)])
async def test_the_check_of_a_key(server, key, status):
    row = provider(Settings(openai_api_key=key, openai_base_url=f"{server.url}/v1"))
    limits = {"timeout_seconds": 10, "max_bytes": 1_000_000}
    async with HttpClient() as client:
        reply = await client.send(row.check, base_url=row.base_url, headers=row.headers, **limits)
    assert reply.status == status


async def test_a_wrong_key(server, tmp_path):
    settings = Settings(
        openai_api_key="another", openai_base_url=f"{server.url}/v1", storage_path=tmp_path, local_provider=False
    )
    async with in_process("text", settings) as client:
        with pytest.raises(ProviderMisconfigured) as raised:
            await client.generate(call())
    assert "OPENAI_API_KEY" in raised.value.hint
