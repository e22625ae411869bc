"""OpenAI's own SDK drives our fake of OpenAI, which it can only if the fake is faithful: it checks every field."""

import openai
import pytest
from openai import AsyncOpenAI

from tests.support.providers.base import KEY, serving
from tests.support.providers.openai import MP3, SAMPLES, OpenAIServer, answer_to, app_of

MESSAGES = [{"role": "user", "content": "hi"}]


@pytest.fixture
async def server():
    return OpenAIServer(forms=[])


@pytest.fixture
async def sdk(server):
    async with serving(app_of(server)) as url:
        options = {"base_url": f"{url}/v1", "max_retries": 0, "_strict_response_validation": True}
        async with AsyncOpenAI(api_key=KEY, **options) as client:
            yield client


def asking(fault):
    return [{"role": "user", "content": f"hi [fault:{fault}]"}]


async def test_models(sdk):
    assert "gpt-6-luna" in [model.id async for model in sdk.models.list()]
    assert (await sdk.models.retrieve("gpt-6-luna")).owned_by == "openai"
    with pytest.raises(openai.NotFoundError):
        await sdk.models.retrieve("someone/else")


async def test_chat(sdk, server):
    result = await sdk.chat.completions.create(model="gpt-6-luna", messages=MESSAGES, max_completion_tokens=50)
    assert result.choices[0].message.content == answer_to("hi")
    assert result.usage.total_tokens == 7
    assert [charge.id for charge in server.charges] == [result.id]


async def test_a_streamed_chat(sdk):
    stream = await sdk.chat.completions.create(
        model="gpt-6-luna", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == answer_to("hi")
    assert (chunks[-1].choices, chunks[-1].usage.completion_tokens) == ([], 6)
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)


async def test_a_stream_that_fails_in_the_middle(sdk):
    stream = await sdk.chat.completions.create(model="gpt-6-luna", messages=asking("failing"), stream=True)
    with pytest.raises(openai.APIError, match="The server had an error"):
        [chunk async for chunk in stream]


@pytest.mark.parametrize(
    ("fault", "code", "error"),
    [
        ("refused", None, openai.BadRequestError),
        ("moderated", "moderation_blocked", openai.BadRequestError),
        ("too-long", "context_length_exceeded", openai.BadRequestError),
        ("rate-limited", None, openai.RateLimitError),
        ("no-credit", "insufficient_quota", openai.RateLimitError),
        ("error", None, openai.InternalServerError),
        ("unavailable", None, openai.InternalServerError),
        ("reset", None, openai.APIConnectionError),
    ],
)
async def test_errors(sdk, fault, code, error):
    with pytest.raises(error) as raised:
        await sdk.chat.completions.create(model="gpt-6-luna", messages=asking(fault))
    assert raised.value.code == code


async def test_a_wrong_key(sdk):
    with pytest.raises(openai.AuthenticationError) as raised:
        await sdk.with_options(api_key="wrong").models.list()
    assert raised.value.code == "invalid_api_key"


async def test_images(sdk):
    result = await sdk.images.generate(model="gpt-image-2.5-flare", prompt="a cat", size="1536x864", quality="low")
    assert result.data[0].b64_json.startswith("iVBOR")
    assert result.usage.output_tokens == 272


async def test_images_in_a_way_that_openai_has_given_up(sdk):
    with pytest.raises(openai.BadRequestError) as raised:
        await sdk.images.generate(model="gpt-image-2.5-flare", prompt="a cat", response_format="b64_json")
    assert raised.value.code == "unknown_parameter"


async def test_edits(sdk, server):
    file = ("a.png", b"\x89PNG", "image/png")
    for image in (file, [file]):
        result = await sdk.images.edit(model="gpt-image-2.5-flare", image=image, prompt="as watercolor")
        assert result.data[0].b64_json.startswith("iVBOR")
    assert [form[-1] for form in server.forms] == [("image", "a.png image/png"), ("image[]", "a.png image/png")]


@pytest.mark.parametrize(("form", "file"), [("mp3", MP3), ("pcm", SAMPLES)])
async def test_speech(sdk, form, file):
    voice = {"voice": "alloy", "response_format": form}
    reply = await sdk.audio.speech.create(model="gpt-4o-mini-tts", input="hello", **voice)
    assert await reply.aread() == file


async def test_speech_of_a_text_that_is_too_long(sdk):
    with pytest.raises(openai.BadRequestError) as raised:
        await sdk.audio.speech.create(model="gpt-4o-mini-tts", input="a" * 4097, voice="alloy")
    assert raised.value.code == "string_above_max_length"


async def test_transcriptions(sdk):
    result = await sdk.audio.transcriptions.create(model="gpt-transcribe", file=("a.wav", b"RIFF"), language="en")
    assert (result.text, result.usage.type, result.usage.total_tokens) == ("What was said.", "tokens", 279)


async def test_transcriptions_with_times(sdk, server):
    result = await sdk.audio.transcriptions.create(
        model="whisper-1",
        file=("a.wav", b"RIFF"),
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    assert [word.word for word in result.words] == ["What", "was", "said."]
    assert result.segments[0].end == 1.5
    assert [value for name, value in server.forms[0] if name == "timestamp_granularities[]"] == ["word", "segment"]
