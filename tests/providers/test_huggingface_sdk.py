"""The fake router is faithful: Hugging Face's own SDK, huggingface_hub, is served by it in all that we ask it for.

The SDK names its hosts in constants and in objects that exist since its import; they are turned to the fake.
"""

import asyncio
import threading
from contextlib import AsyncExitStack, contextmanager

import pytest
from huggingface_hub import AsyncInferenceClient, HfApi, constants
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.inference import _providers
from huggingface_hub.inference._providers import _common, hf_inference

from tests.support.providers.base import serving
from tests.support.providers.huggingface import KEY, SPOKEN, FakeRouter, app_of
from tests.support.providers.huggingface_forms import a_png, a_wav


@contextmanager
def in_a_thread(app):
    """The server in an event loop of its own, since the SDK asks the Hub with calls that block the caller's."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(20)

    server = serving(app)
    try:
        yield run(server.__aenter__())
        run(server.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def router(monkeypatch):
    fake = FakeRouter()
    with in_a_thread(app_of(fake)) as url:
        template = url + "/{provider}"
        monkeypatch.setattr(constants, "INFERENCE_PROXY_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", url)
        for helper in _providers.PROVIDERS["hf-inference"].values():
            monkeypatch.setattr(helper, "base_url", template.format(provider="hf-inference"))
        monkeypatch.setattr(_providers.CONVERSATIONAL_AUTO_ROUTER, "base_url", url)
        _common._fetch_inference_provider_mapping.cache_clear()
        hf_inference._check_supported_task.cache_clear()
        fake.url = url
        yield fake


@pytest.fixture
async def client_of(router):
    async with AsyncExitStack() as clients:

        async def build(partner=None):
            return await clients.enter_async_context(AsyncInferenceClient(provider=partner, api_key=KEY))

        yield build


def paid(router):
    return [charge.capability for charge in router.charges]


@pytest.mark.parametrize(
    "partner", ["hf-inference", "fal-ai", "replicate", "together", "nscale", "wavespeed", "zai-org"]
)
async def test_images(router, client_of, partner, monkeypatch):
    monkeypatch.setattr(_providers.zai_org, "_POLLING_INTERVAL", 0.01)
    client = await client_of(partner)
    image = await client.text_to_image("a cat", model=f"image/{partner}", width=512, height=512)
    assert image.size == (512, 512)
    assert paid(router) == ["image"]


_OLD_UPLOADS = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")
"""The SDK hands raw bodies to its HTTP client in a way that the client wants to drop."""


@_OLD_UPLOADS
@pytest.mark.parametrize("partner", ["hf-inference", "fal-ai", "replicate", "deepinfra"])
async def test_transcriptions(router, client_of, partner):
    client = await client_of(partner)
    heard = await client.automatic_speech_recognition(a_wav(), model=f"whisper/{partner}")
    assert heard.text.strip() == SPOKEN
    assert paid(router) == ["transcription"]


@_OLD_UPLOADS
async def test_a_transcription_with_times(router, client_of):
    client = await client_of("hf-inference")
    options = {"return_timestamps": True}
    heard = await client.automatic_speech_recognition(a_wav(), model="whisper/hf-inference", extra_body=options)
    assert b'"return_timestamps": true' in router.uploads[0][1]
    assert heard.chunks[0].timestamp == [0.0, 1.5]


@pytest.mark.parametrize("partner", ["fal-ai", "replicate", "together", "deepinfra"])
async def test_speech(router, client_of, partner):
    client = await client_of(partner)
    assert await client.text_to_speech("hello", model=f"speech/{partner}") == a_wav()
    assert paid(router) == ["speech"]


@pytest.mark.parametrize("partner", ["fal-ai", "replicate", "together", "wavespeed"])
async def test_image_transformations(router, client_of, partner):
    client = await client_of(partner)
    image = await client.image_to_image(a_png(), prompt="add a hat", model=f"edit/{partner}")
    assert image.size == (512, 512)
    assert paid(router) == ["image_transform"]


async def test_text(router, client_of):
    client = await client_of()
    answer = await client.chat_completion([{"role": "user", "content": "hi"}], model="a/b:groq", max_tokens=9)
    assert answer.choices[0].message.content == "You said: hi"
    assert answer.usage.completion_tokens == 3
    assert router.bodies[-1]["max_tokens"] == 9


async def test_streamed_text(router, client_of):
    client = await client_of()
    stream = await client.chat_completion(
        [{"role": "user", "content": "hi"}], model="a/b", stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "You said: hi "
    assert chunks[-1].usage.prompt_tokens == 5
    assert "POST /v1/chat/completions" in router.requests


async def test_the_free_check_of_a_key(router):
    asked = asyncio.to_thread(HfApi(endpoint=router.url, token=KEY).whoami)
    assert (await asked)["name"] == "someone"
    assert "GET /api/whoami-v2" in router.requests  # the SDK may ask the Hub for other things of its own at first
    assert router.charges == []


async def test_refusals_are_the_errors_of_the_sdk(router, client_of):
    client = await client_of("hf-inference")
    for mark, status in (("loading", 503), ("no-credit", 402), ("rate-limited", 429), ("refused", 400)):
        with pytest.raises(HfHubHTTPError) as raised:
            await client.text_to_image(f"a cat [fault:{mark}]", model="image/hf-inference")
        assert raised.value.response.status_code == status
    assert router.charges == []


async def test_a_wrong_key(router):
    async with AsyncInferenceClient(provider="fal-ai", api_key="hf_wrong") as client:
        with pytest.raises(HfHubHTTPError) as raised:
            await client.text_to_speech("hello", model="speech/fal-ai")
    assert raised.value.response.status_code == 401


def test_the_sdk_serves_no_other_partner_of_our_media():
    """A new release of the SDK with a further partner is worth a row in the table of partners."""
    tasks = {"text-to-image", "automatic-speech-recognition", "text-to-speech", "image-to-image"}
    serving_media = {name for name, known in _providers.PROVIDERS.items() if tasks & known.keys()}
    assert serving_media == {
        *("deepinfra", "fal-ai", "hf-inference", "nscale", "replicate", "together", "wavespeed", "zai-org")
    }
