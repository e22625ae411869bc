"""OpenRouter's adapters against aimock, which nobody here wrote; it knows the paths of chat, audio and the key."""

import base64

import pytest
from pydantic import SecretStr

from genesis.domain.money import Money
from genesis.domain.quantity import Unit
from genesis.errors import ProviderAmbiguous, ProviderMisconfigured, ProviderRateLimited
from genesis.net.client import HttpClient
from genesis.providers.openrouter import provider
from genesis.settings import Settings
from genesis.storage.open import open_store
from tests.support.sites import WAV
from tests.support.third_party import KEY, aimock
from tests.support.worker_servers import call, in_process

TEXT = "An answer that is longer than one of the pieces in which it comes."
MP3 = (b"\xff\xfb\x90\x00" + bytes(413)) * 4
FIXTURES = [
    {"match": {"endpoint": "chat", "userMessage": "cut"}, "response": {"content": TEXT}, "truncateAfterChunks": 2},
    {
        "match": {"endpoint": "chat", "userMessage": "hi"},
        "response": {"content": TEXT, "usage": {"prompt_tokens": 10, "completion_tokens": 12, "cost": 0.00042}},
    },
    {"match": {"endpoint": "speech"}, "response": {"audio": base64.b64encode(MP3).decode(), "format": "mp3"}},
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
PATHS = {
    "text": "/api/v1/chat/completions",
    "speech": "/api/v1/audio/speech",
    "transcription": "/api/v1/audio/transcriptions",
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
def settings(server, tmp_path):
    return Settings(
        openrouter_api_key=KEY,
        openrouter_base_url=f"{server.url}/api/v1",
        storage_path=tmp_path,
        local_provider=False,
        call_timeout_seconds=10,
    )


@pytest.fixture
async def made(settings):
    recording = (await open_store(settings).write("inputs/a.wav", WAV, "audio/wav")).url

    async def make(capability, value="hi", *, on_delta=None, **options):
        async with in_process(capability, settings) as client:
            value = recording if capability == "transcription" else value
            return await client.generate(call(capability, value, **options), on_delta)

    return make


@pytest.mark.parametrize("streams", [True, False])
async def test_text(made, server, streams):
    pieces = []
    result = await made("text", on_delta=pieces.append if streams else None, model="openrouter:openai/gpt-4o-mini")
    assert result.output == {"text": TEXT}
    assert "".join(pieces) == (TEXT if streams else "")
    assert result.cost == Money(420)
    assert result.quantities == {Unit.INPUT_TOKENS: 10, Unit.OUTPUT_TOKENS: 12}
    assert [entry["path"] for entry in server.journal] == [PATHS["text"]]


async def test_speech(made):
    result = await made("speech", voice="alloy")
    assert (result.artifact.media_type, result.artifact.size) == ("audio/mpeg", len(MP3))


async def test_transcription(made, server):
    result = await made("transcription", language="en")
    assert result.output["text"] == "What was said."
    assert [entry["path"] for entry in server.journal] == [PATHS["transcription"]]


async def test_a_stream_that_is_cut_off_is_in_doubt(made, server):
    with pytest.raises(ProviderAmbiguous):
        await made("text", "cut", on_delta=[].append)
    assert len(server.journal) == 1


@pytest.mark.parametrize("capability", PATHS)
@pytest.mark.parametrize(("rates", "error"), FAULTS)
async def test_faults(made, server, capability, rates, error):
    server.fail(**rates)
    with pytest.raises(error):
        await made(capability)
    assert [entry["path"] for entry in server.journal] == [PATHS[capability]]


@pytest.mark.parametrize(("key", "status"), [(KEY, 200), ("wrong", 401)])
async def test_the_key_is_tried(settings, key, status):
    row = provider(settings)
    async with HttpClient() as client:
        headers = {**row.headers, "Authorization": f"Bearer {key}"}
        reply = await client.send(row.check, base_url=row.base_url, headers=headers, timeout_seconds=5, max_bytes=10**6)
    assert reply.status == status


async def test_a_wrong_key_says_which_variable(settings, server):
    wrong = settings.model_copy(update={"openrouter_api_key": SecretStr("wrong")})
    async with in_process("text", wrong) as client:
        with pytest.raises(ProviderMisconfigured) as raised:
            await client.generate(call("text", "hi"))
    assert "OPENROUTER_API_KEY" in raised.value.hint
