"""A server that speaks OpenAI's API, as somebody runs it: LiteLLM, which tells costs, with aimock as OpenAI behind it."""

import base64

import pytest

from genesis.domain.quantity import Unit
from genesis.errors import (
    ProviderAmbiguous,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
)
from genesis.settings import Settings
from genesis.storage.open import open_store
from tests.support.sites import PNG, WAV
from tests.support.third_party import KEY, aimock, litellm
from tests.support.worker_servers import call, in_process

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(300)]

TEXT = "An answer that is longer than one of the pieces in which it comes."
MODELS = {
    "text": ["gpt-4.1-mini"],
    "image": ["gpt-image-2"],
    "image_transform": ["gpt-image-2"],
    "speech": ["gpt-4o-mini-tts"],
    "transcription": ["whisper-1"],
}
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
    {
        "match": {"endpoint": "chat", "userMessage": "hi"},
        "response": {"content": TEXT, "usage": {"prompt_tokens": 10, "completion_tokens": 12}},
    },
    {"match": {"endpoint": "image"}, "response": {"image": {"b64Json": base64.b64encode(PNG).decode()}}},
    {"match": {"endpoint": "speech"}, "response": {"audio": base64.b64encode(WAV).decode(), "format": "wav"}},
    {
        "match": {"endpoint": "transcription"},
        "response": {"transcription": {"text": "What was said.", "duration": 1.5}},
    },
]


@pytest.fixture(scope="module")
def openai(tmp_path_factory):
    with aimock(FIXTURES, tmp_path_factory.mktemp("aimock")) as server:
        yield server


@pytest.fixture(scope="module")
def proxy(openai, tmp_path_factory):
    with litellm(f"{openai.url}/v1", tmp_path_factory.mktemp("litellm")) as url:
        yield url


@pytest.fixture
def upstream(openai):
    openai.reset()
    return openai


@pytest.fixture
async def made(proxy, upstream, tmp_path):
    def settings(key):
        server = {"url": f"{proxy}/v1", "api_key": key, "models": MODELS}
        return Settings(openai_compatible_servers={"proxy": server}, storage_path=tmp_path, local_provider=False)

    store = open_store(settings(KEY))
    files = {
        "image_transform": (await store.write("inputs/a.png", PNG, "image/png")).url,
        "transcription": (await store.write("inputs/a.wav", WAV, "audio/wav")).url,
    }

    async def make(capability, value="hi", *, key=KEY, on_delta=None, **options):
        if capability == "image_transform":
            options["style"] = "watercolor"
        async with in_process(capability, settings(key)) as client:
            return await client.generate(call(capability, files.get(capability, value), **options), on_delta)

    return make


async def test_text(made):
    result = await made("text", max_tokens=50)
    assert (result.output, result.target) == ({"text": TEXT}, "proxy:gpt-4.1-mini")
    assert result.quantities == {Unit.INPUT_TOKENS: 10, Unit.OUTPUT_TOKENS: 12}
    assert result.cost == 23  # at $0.40 and $1.60 for a million tokens


async def test_streamed_text(made):
    pieces = []
    result = await made("text", on_delta=pieces.append)
    assert "".join(pieces) == result.output["text"] == TEXT
    assert len(pieces) > 1
    assert result.quantities == {Unit.INPUT_TOKENS: 10, Unit.OUTPUT_TOKENS: 12}
    assert result.cost == 23


async def test_a_model_whose_price_it_does_not_know(made):
    assert (await made("text", model="proxy:unpriced")).cost is None


async def test_image(made):
    result = await made("image", "a cat", quality="draft")
    assert (result.artifact.media_type, result.artifact.size) == ("image/png", len(PNG))
    assert (result.quantities[Unit.IMAGES], result.cost) == (1, None)
    assert Unit.INPUT_TOKENS not in result.quantities


async def test_image_transform(made):
    result = await made("image_transform")
    assert (result.artifact.media_type, result.artifact.size) == ("image/png", len(PNG))


async def test_speech(made):
    result = await made("speech")
    assert (result.artifact.media_type, result.artifact.size) == ("audio/wav", len(WAV))


async def test_transcription(made):
    result = await made("transcription")
    assert result.output == {"text": "What was said."}
    assert result.cost == 150
    assert result.quantities[Unit.AUDIO_SECONDS] > 0


async def test_a_wrong_key(made, upstream):
    with pytest.raises(ProviderMisconfigured) as raised:
        await made("text", key="sk-another")
    assert "`api_key` of `proxy`" in raised.value.hint
    assert upstream.journal == []


@pytest.mark.parametrize(
    ("rates", "error"),
    [
        ({"rateLimitRate": 1}, ProviderRateLimited),
        ({"dropRate": 1}, ProviderAmbiguous),
        ({"malformedRate": 1}, ProviderAmbiguous),
        ({"disconnectRate": 1}, ProviderAmbiguous),
    ],
)
@pytest.mark.parametrize("capability", list(MODELS))
async def test_faults_behind_it(made, upstream, capability, rates, error):
    upstream.fail(**rates)
    with pytest.raises(error):
        await made(capability)
    # LiteLLM itself repeats lost images, and cannot be told not to; we ask it once.
    assert len(upstream.journal) <= 3 if capability == "image" else len(upstream.journal) == 1


async def test_a_stream_that_breaks_off(made, upstream):
    pieces = []
    with pytest.raises(ProviderAmbiguous):
        await made("text", "cut", on_delta=pieces.append)
    assert len(upstream.journal) == 1


async def test_no_credit(made):
    """It says of all that is refused with 429 that it was too fast."""
    with pytest.raises(ProviderRateLimited, match="No credit"):
        await made("text", "no credit")


async def test_what_is_not_allowed(made):
    with pytest.raises(ProviderRejected, match="Not allowed"):
        await made("text", "forbidden")
