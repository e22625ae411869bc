"""OpenRouter's own SDK drives our fake of OpenRouter, which it can only if the fake is faithful: it checks every field."""

from contextlib import asynccontextmanager

import pytest
from openrouter import OpenRouter, errors
from openrouter.utils import BackoffStrategy, RetryConfig

from tests.support.providers.base import KEY, serving
from tests.support.providers.openrouter import COSTS, MODEL, MP3, PCM, OpenRouterServer, answer_to, app_of

ONCE = RetryConfig("none", BackoffStrategy(1, 1, 1, 1), False)  # by itself the SDK asks again for an hour
MESSAGES = [{"role": "user", "content": "hi"}]


@pytest.fixture
async def server():
    return OpenRouterServer()


@asynccontextmanager
async def driving(server, key=KEY):
    async with (
        serving(app_of(server)) as url,
        OpenRouter(api_key=key, server_url=f"{url}/api/v1", retry_config=ONCE) as client,
    ):
        yield client


@pytest.fixture
async def sdk(server):
    async with driving(server) as client:
        yield client


def asking(fault):
    return [{"role": "user", "content": f"hi [fault:{fault}]"}]


async def test_chat(sdk, server):
    result = await sdk.chat.send_async(model="m", messages=MESSAGES)
    assert result.choices[0].message.content == answer_to("hi")
    assert result.model == MODEL
    assert result.usage.cost == COSTS["text"]
    assert [charge.id for charge in server.charges] == [result.id]


async def test_a_streamed_chat(sdk):
    chunks = [chunk async for chunk in await sdk.chat.send_async(model="m", messages=MESSAGES, stream=True)]
    assert "".join(chunk.choices[0].delta.content for chunk in chunks) == answer_to("hi")
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert chunks[-1].usage.cost == COSTS["text"]


async def test_a_stream_that_fails_in_the_middle(sdk):
    stream = await sdk.chat.send_async(model="m", messages=asking("failing"), stream=True)
    last = [chunk async for chunk in stream][-1]
    assert (last.error.code, last.error.metadata.error_type) == (502, "server")
    assert last.choices[0].finish_reason == "error"


@pytest.mark.parametrize(
    ("fault", "status", "error"),
    [
        ("refused", 400, errors.BadRequestResponseError),
        ("no-credit", 402, errors.PaymentRequiredResponseError),
        ("moderated", 403, errors.ForbiddenResponseError),
        ("rate-limited", 429, errors.TooManyRequestsResponseError),
        ("error", 500, errors.InternalServerResponseError),
        ("unavailable", 503, errors.ServiceUnavailableResponseError),
        ("edge-timeout", 524, errors.EdgeNetworkTimeoutResponseError),
        ("overloaded", 529, errors.ProviderOverloadedResponseError),
    ],
)
async def test_errors(sdk, fault, status, error):
    with pytest.raises(error) as raised:
        await sdk.chat.send_async(model="m", messages=asking(fault))
    assert raised.value.status_code == status
    assert raised.value.data.error.code == status


async def test_a_wrong_key(server):
    async with driving(server, "wrong") as sdk:
        with pytest.raises(errors.UnauthorizedResponseError):
            await sdk.api_keys.get_current_key_metadata_async()


async def test_images(sdk):
    result = await sdk.images.generate_async(model="m", prompt="a cat", aspect_ratio="16:9", quality="low", seed=1)
    assert result.data[0].media_type == "image/png"
    assert result.usage.cost == COSTS["image"]


async def test_an_image_out_of_an_image(sdk, server):
    reference = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    result = await sdk.images.generate_async(model="m", prompt="as watercolor", input_references=[reference])
    assert result.usage.cost == COSTS["image_transform"]
    assert server.bodies[0]["input_references"] == [reference]


@pytest.mark.parametrize(("form", "file"), [("mp3", MP3), ("pcm", PCM)])
async def test_speech(sdk, form, file):
    reply = await sdk.tts.create_speech_async(model="m", input="hello", voice="alloy", response_format=form)
    assert await reply.aread() == file
    assert reply.headers["X-Generation-Id"] == "speech-1"


async def test_transcriptions(sdk):
    result = await sdk.stt.create_transcription_async(
        model="m", input_audio={"data": "AAAA", "format": "wav"}, response_format="verbose_json", language="en"
    )
    assert (result.text, result.usage.cost) == ("What was said.", COSTS["transcription"])
    assert [word.word for word in result.words] == ["What", "was", "said."]
    assert result.segments[0].end == 1.5


async def test_transcriptions_of_a_form(sdk):
    file = {"file_name": "a.wav", "content": b"AAAA"}
    result = await sdk.stt.create_transcription_multipart_async(file=file, model="m")
    assert result.text == "What was said."


async def test_the_record_of_a_generation(sdk, server):
    server.missing = 1
    identifier = (await sdk.chat.send_async(model="m", messages=MESSAGES)).id
    with pytest.raises(errors.NotFoundResponseError):
        await sdk.generations.get_generation_async(id=identifier)
    record = (await sdk.generations.get_generation_async(id=identifier)).data
    assert (record.total_cost, record.model, record.finish_reason) == (COSTS["text"], MODEL, "stop")
    kept = (await sdk.generations.list_generation_content_async(id=identifier)).data
    assert (kept.output.completion, kept.error) == (answer_to("hi"), None)
    server.keeps_texts = False
    with pytest.raises(errors.NotFoundResponseError):
        await sdk.generations.list_generation_content_async(id=identifier)


# The SDK reads the field `rate_limit`, which OpenRouter still sends, and warns of it on the way.
@pytest.mark.filterwarnings("ignore:warning. .. DEPRECATED:DeprecationWarning")
async def test_the_key(sdk):
    assert (await sdk.api_keys.get_current_key_metadata_async()).data.limit_remaining == 9.5
