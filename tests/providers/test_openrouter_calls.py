"""OpenRouter's adapters through a real worker, against a server that loses, breaks and delays what it has charged."""

import io
import wave
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from pydantic import SecretStr

from genesis.domain.attempt import ProviderClass
from genesis.domain.money import Money
from genesis.domain.quantity import Unit
from genesis.errors import (
    ProviderAmbiguous,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
    ResultLost,
)
from genesis.ports.workers import CallPending
from genesis.settings import Settings
from genesis.storage.open import open_store
from tests.support.providers.base import KEY, serving
from tests.support.providers.openrouter import (
    COSTS,
    MODEL,
    MP3,
    PCM,
    UPSTREAM_COST,
    OpenRouterServer,
    answer_to,
    app_of,
)
from tests.support.worker_servers import call, in_process, over_http

TARGET = f"openrouter:{MODEL}"


def cost(capability):
    return Money.from_dollars(str(COSTS[capability]))


class Setting:
    """A fake OpenRouter, and workers that use it."""

    def __init__(self, server, url, folder):
        self.server = server
        self.settings = Settings(
            openrouter_api_key=KEY,
            openrouter_base_url=f"{url}/api/v1",
            storage_path=folder / "storage",
            db_path=folder / "jobs.db",
            local_provider=False,
            call_timeout_seconds=5,
        )
        self.store = open_store(self.settings)

    @asynccontextmanager
    async def worker(self, capability, transport=in_process):
        async with transport(capability, self.settings) as client:
            yield client

    async def made(self, capability, value="hi", *, transport=in_process, on_delta=None, **options):
        """The result of one call, asked for until it is there."""
        one = call(capability, value, **{"model": "openrouter:m", **options})
        async with self.worker(capability, transport) as client:
            outcome = await client.generate(one, on_delta)
            while isinstance(outcome, CallPending):
                outcome = await client.poll(one, outcome.handle)
        return outcome

    def patient(self, seconds):
        """Workers that are opened from now on wait so long for a call."""
        self.settings = self.settings.model_copy(update={"call_timeout_seconds": seconds})

    async def kept(self, data, name):
        artifact = await self.store.write(name, data, "application/octet-stream")
        return artifact.url

    async def file_of(self, result):
        return await self.store.read(result.artifact.key, limit=10_000_000)

    def asked(self, beginning=""):
        """The requests to the API; tests that run beside this one may look for their servers at its port."""
        return [line for line in self.server.requests if "/api/v1/" in line and line.startswith(beginning)]


@pytest.fixture
async def at(tmp_path):
    server = OpenRouterServer()
    async with serving(app_of(server)) as url:
        yield Setting(server, url, tmp_path)


@pytest.mark.parametrize("transport", [in_process, over_http])
async def test_text(at, transport):
    result = await at.made("text", transport=transport, temperature=0.5, max_tokens=20)
    assert result.output == {"text": answer_to("hi")}
    assert (result.target, result.cost, result.warnings) == (TARGET, cost("text"), ())
    assert result.quantities == {Unit.INPUT_TOKENS: 1, Unit.OUTPUT_TOKENS: 6}
    assert at.server.bodies == [
        {
            "model": "m",
            "messages": [{"role": "user", "content": "hi"}],
            "temperature": 0.5,
            "max_completion_tokens": 20,
        }
    ]


async def test_streamed_text(at):
    pieces = []
    result = await at.made("text", on_delta=pieces.append)
    assert "".join(pieces) == result.output["text"] == answer_to("hi")
    assert len(pieces) > 3
    assert (result.cost, result.target) == (cost("text"), TARGET)
    assert at.asked("GET") == []


async def test_a_text_that_does_not_tell_its_cost_is_asked_for_it(at):
    result = await at.made("text", "hi [fault:no-cost]")
    assert result.cost == cost("text")
    assert at.asked("GET") == ["GET /api/v1/generation?id=text-1"]


async def test_image(at):
    options = {"quality": "high", "aspect_ratio": "16:9", "style": "watercolor", "seed": 3, "negative_prompt": "dogs"}
    result = await at.made("image", "a cat", **options)
    assert (await at.file_of(result)).startswith(b"\x89PNG")
    assert (result.cost, result.artifact.media_type) == (cost("image"), "image/png")
    assert result.quantities[Unit.IMAGES] == 1
    assert result.warnings == ("openrouter cannot honor `negative_prompt`; it was left out.",)
    assert at.server.bodies == [
        {"model": "m", "prompt": "a cat, watercolor style", "quality": "high", "aspect_ratio": "16:9", "seed": 3}
    ]


async def test_of_several_images_the_first_is_kept(at):
    result = await at.made("image", "a cat", provider_options={"n": 3})
    assert result.quantities[Unit.IMAGES] == 3
    assert result.warnings == ("The provider made 3 images; the first was kept.",)


async def test_image_transform(at, png):
    url = await at.kept(png, "images/cat.png")
    result = await at.made("image_transform", url, style="watercolor", strength=0.5)
    assert (result.cost, result.artifact.media_type) == (cost("image_transform"), "image/png")
    assert result.warnings == ("openrouter cannot honor `strength`; it was left out.",)
    (reference,) = at.server.bodies[0]["input_references"]
    assert reference["image_url"]["url"].startswith("data:image/png;base64,iVBOR")


async def test_speech_is_mp3_and_its_cost_is_found_after_a_while(at):
    at.server.missing = 2
    result = await at.made("speech", "hello", voice="nova", speed=1.5)
    assert await at.file_of(result) == MP3
    assert (result.cost, result.artifact.media_type) == (cost("speech"), "audio/mpeg")
    assert at.asked("GET") == ["GET /api/v1/generation?id=speech-1"] * 3
    assert at.server.bodies == [
        {"model": "m", "input": "hello", "response_format": "mp3", "voice": "nova", "speed": 1.5}
    ]
    assert len(at.server.charges) == 1


async def test_speech_whose_cost_is_never_told_costs_an_unknown_amount(at, monkeypatch):
    monkeypatch.setattr("workers.asking._COST_PAUSES_SECONDS", (0, 0))
    at.server.missing = 99
    assert (await at.made("speech", "hello")).cost is None


async def test_a_wav_file_is_made_of_pcm(at):
    result = await at.made("speech", "hello", format="wav")
    assert result.artifact.media_type == "audio/wav"
    with wave.open(io.BytesIO(await at.file_of(result))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        assert file.readframes(file.getnframes()) == PCM


async def test_transcription(at, wav):
    url = await at.kept(wav, "audio/hello.wav")
    options = {"model": "openrouter:openai/whisper-large-v3", "language": "pt-BR", "timestamps": "word"}
    result = await at.made("transcription", url, **options)
    assert (result.output["text"], result.warnings) == ("What was said.", ())
    assert result.output["words"][2] == {"start": 1.0, "end": 1.5, "text": "said."}
    assert (result.cost, result.quantities[Unit.AUDIO_SECONDS]) == (cost("transcription"), Decimal("9.2"))
    body = at.server.bodies[0]
    assert (body["language"], body["response_format"], body["input_audio"]["format"]) == ("pt", "verbose_json", "wav")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("rate-limited", ProviderRateLimited),
        ("unavailable", ProviderUnavailable),
        ("overloaded", ProviderUnavailable),
        ("no-credit", ProviderMisconfigured),
        ("refused", ProviderRejected),
        ("moderated", ProviderRejected),
    ],
)
@pytest.mark.parametrize("capability", ["text", "image", "speech", "transcription"])
async def test_refusals_charge_nothing_and_are_told_apart(at, wav, capability, fault, error):
    prompt = f"hi [fault:{fault}]"
    value = await at.kept(wav + prompt.encode(), "audio/in.wav") if capability == "transcription" else prompt
    with pytest.raises(error) as raised:
        await at.made(capability, value)
    assert raised.value.cost is None
    assert at.server.charges == []
    assert len(at.asked()) == 1


@pytest.mark.parametrize("fault", ["error", "charged-error", "charged-reset", "edge-timeout", "html", "inner-error"])
@pytest.mark.parametrize("capability", ["text", "image", "speech", "transcription"])
async def test_what_may_have_been_charged_is_in_doubt(at, wav, capability, fault):
    prompt = f"hi [fault:{fault}]"
    value = await at.kept(wav + prompt.encode(), "audio/in.wav") if capability == "transcription" else prompt
    with pytest.raises(ProviderAmbiguous) as raised:
        await at.made(capability, value)
    assert raised.value.cost == (cost(capability) if fault == "inner-error" else None)
    assert len(at.asked()) == 1


async def test_an_image_that_failed_is_free(at):
    with pytest.raises(ProviderUnavailable):
        await at.made("image", "a cat [fault:failed]")
    assert at.server.charges == []


async def test_a_call_that_hangs_is_in_doubt(at):
    at.patient(0.3)
    with pytest.raises(ProviderAmbiguous, match="did not finish its answer within") as raised:
        await at.made("text", "hi [fault:hang]")
    assert raised.value.hint == "Raise CALL_TIMEOUT_SECONDS."
    assert len(at.server.charges) == 1


async def test_a_stream_that_fails_in_the_middle_is_asked_for_and_never_half_a_result(at):
    pieces = []
    with pytest.raises(ProviderAmbiguous, match="Provider disconnected") as raised:
        await at.made("text", "hi [fault:failing]", on_delta=pieces.append)
    assert pieces
    assert raised.value.cost == cost("text")
    assert len(at.server.charges) == len(at.asked("POST")) == 1


@pytest.mark.parametrize("on_delta", [None, [].append])
@pytest.mark.parametrize("transport", [in_process, over_http])
async def test_a_text_whose_reply_began_and_stalled_is_asked_for(at, transport, on_delta):
    at.patient(1)
    prompt = "hi [fault:stalled]"
    result = await at.made("text", prompt, transport=transport, on_delta=on_delta)
    assert (result.output, result.cost) == ({"text": answer_to(prompt)}, cost("text"))
    assert len(at.server.charges) == len(at.asked("POST")) == 1


@pytest.mark.parametrize("capability", ["image", "speech", "transcription"])
async def test_a_file_whose_reply_began_and_stalled_has_its_cost(at, wav, capability):
    at.patient(1)
    prompt = "hi [fault:stalled]"
    value = await at.kept(wav + prompt.encode(), "audio/in.wav") if capability == "transcription" else prompt
    with pytest.raises(ResultLost) as raised:
        await at.made(capability, value)
    assert raised.value.cost == cost(capability)
    assert len(at.server.charges) == len(at.asked("POST")) == 1


@pytest.mark.parametrize("on_delta", [None, [].append])
async def test_an_error_that_names_its_generation_is_asked_for(at, on_delta):
    with pytest.raises(ProviderAmbiguous, match="The model failed") as raised:
        await at.made("text", "hi [fault:named-error]", on_delta=on_delta)
    assert raised.value.cost == cost("text")
    assert len(at.server.charges) == len(at.asked("POST")) == 1


@pytest.mark.parametrize(
    ("fault", "paid"), [("own-key", Money.from_dollars(str(UPSTREAM_COST))), ("own-key-untold", None)]
)
@pytest.mark.parametrize("capability", ["text", "speech"])
async def test_what_is_paid_to_the_models_maker_is_no_free_call(at, monkeypatch, capability, fault, paid):
    """Text tells it in its reply, speech in its record."""
    monkeypatch.setattr("workers.asking._COST_PAUSES_SECONDS", (0,))
    assert (await at.made(capability, f"hi [fault:{fault}]")).cost == paid


async def test_a_streamed_text_that_does_not_tell_its_cost_is_asked_for_it(at):
    result = await at.made("text", "hi [fault:no-cost]", on_delta=[].append)
    assert result.cost == cost("text")
    assert at.asked("GET") == ["GET /api/v1/generation?id=text-1"]


@pytest.mark.parametrize("transport", [in_process, over_http])
@pytest.mark.parametrize(("fault", "streams"), [("truncated", True), ("truncated", False), ("trailing", True)])
async def test_a_text_that_was_cut_off_is_found_by_its_generation(at, transport, fault, streams):
    at.server.missing = 2
    prompt = f"hi [fault:{fault}]"
    on_delta = [].append if streams else None
    result = await at.made("text", prompt, transport=transport, on_delta=on_delta)
    assert result.output == {"text": answer_to(prompt)}
    assert (result.cost, result.target) == (cost("text"), TARGET)
    assert result.quantities == {Unit.INPUT_TOKENS: 2, Unit.OUTPUT_TOKENS: 7}
    assert at.asked() == [
        "POST /api/v1/chat/completions",
        *["GET /api/v1/generation?id=text-1"] * 3,
        "GET /api/v1/generation/content?id=text-1",
    ]
    assert len(at.server.charges) == 1


async def test_a_text_that_was_cut_off_and_is_not_kept_is_lost_and_has_its_cost(at):
    at.server.keeps_texts = False
    with pytest.raises(ResultLost, match="does not give the result out again") as raised:
        await at.made("text", "hi [fault:truncated]")
    assert raised.value.cost == cost("text")
    assert "text-1" in raised.value.hint
    assert len(at.server.charges) == len(at.asked("POST")) == 1


async def test_a_text_that_was_broken_off_with_its_stream_is_lost_and_never_half_a_result(at):
    with pytest.raises(ResultLost) as raised:
        await at.made("text", "hi [fault:cancelled]", on_delta=[].append)
    assert raised.value.cost == cost("text")
    assert at.asked("GET /api/v1/generation/content") == []


@pytest.mark.parametrize("capability", ["image", "speech", "transcription"])
async def test_a_file_that_was_cut_off_is_lost_and_has_its_cost(at, wav, capability):
    prompt = "hi [fault:truncated]"
    value = await at.kept(wav + prompt.encode(), "audio/in.wav") if capability == "transcription" else prompt
    with pytest.raises(ResultLost) as raised:
        await at.made(capability, value)
    assert raised.value.cost == cost(capability)
    assert len(at.server.charges) == len(at.asked("POST")) == 1


async def test_a_call_that_is_on_no_record_stays_in_doubt(at):
    at.server.missing = 999
    with pytest.raises(ProviderAmbiguous, match="no record") as raised:
        await at.made("text", "hi [fault:truncated]")
    assert raised.value.cost is None
    assert len(at.asked("GET")) == 12
    assert len(at.asked("POST")) == 1


async def test_a_wrong_key_says_which_variable(at):
    at.settings = at.settings.model_copy(update={"openrouter_api_key": SecretStr("wrong")})
    with pytest.raises(ProviderMisconfigured) as raised:
        await at.made("text")
    assert "OPENROUTER_API_KEY" in raised.value.hint
    assert at.server.charges == []


async def test_one_key_serves_all_capabilities(at):
    for capability in ("text", "image", "image_transform", "speech", "transcription"):
        async with at.worker(capability) as client:
            known = (await client.describe(capability)).providers
        (provider,) = [one for one in known if one.configured]
        assert (provider.name, provider.provider_class) == ("openrouter", ProviderClass.OPAQUE)
