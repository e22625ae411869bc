"""Hugging Face's adapters against the fake router, through a real worker: results, faults, charges, and nothing twice."""

from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

import pytest

from genesis.domain.quantity import Unit
from genesis.errors import (
    CallFailed,
    ModelLoading,
    ModelUnavailable,
    ProviderAmbiguous,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
    WorkerUnavailable,
)
from genesis.net.client import HttpClient
from genesis.ports.workers import CallPending, CallResult
from genesis.providers.huggingface.row import provider
from genesis.settings import Settings
from tests.support.providers.base import serving
from tests.support.providers.huggingface import KEY, SPOKEN, FakeRouter, app_of
from tests.support.worker_servers import call, in_process, over_http
from workers.channels import open_channel

IMAGE_MODELS = {
    "hf-inference": "stabilityai/stable-diffusion-3-medium-diffusers",
    "fal-ai": "fal-ai/flux/dev@fal-ai",
    "replicate": "black-forest-labs/flux-schnell@replicate",
    "together": "black-forest-labs/FLUX.1-schnell@together",
    "nscale": "black-forest-labs/FLUX.1-schnell@nscale",
    "wavespeed": "wavespeed-ai/flux-dev@wavespeed",
    "zai-org": "glm-image@zai-org",
}
TRANSFORM_MODELS = {
    "fal-ai": "fal-ai/flux-2/klein/9b/edit",
    "replicate": "black-forest-labs/flux-kontext-dev:0123abcd@replicate",
    "together": "black-forest-labs/FLUX.1-kontext-dev@together",
    "wavespeed": "wavespeed-ai/flux-kontext-dev@wavespeed",
}
SPEECH_MODELS = {
    "fal-ai": "fal-ai/kokoro/american-english",
    "replicate": "jaaari/kokoro-82m:f559560e@replicate",
    "together": "hexgrad/Kokoro-82M@together",
    "deepinfra": "hexgrad/Kokoro-82M@deepinfra",
}
TRANSCRIPTION_MODELS = {
    "hf-inference": "openai/whisper-large-v3",
    "fal-ai": "fal-ai/whisper@fal-ai",
    "replicate": "openai/whisper:80996996@replicate",
    "deepinfra": "openai/whisper-large-v3@deepinfra",
}
NOT_CHARGED = {"rate-limited", "unavailable", "refused", "error", "reset", "no-credit", "loading"}
FAULTS = {
    "rate-limited": ProviderRateLimited,
    "unavailable": ProviderUnavailable,
    "loading": ModelLoading,
    "no-credit": ProviderMisconfigured,
    "refused": ProviderRejected,
    "error": ProviderAmbiguous,
    "reset": ProviderAmbiguous,
    "charged-error": ProviderAmbiguous,
    "charged-reset": ProviderAmbiguous,
    "truncated": ProviderAmbiguous,
    "html": ProviderAmbiguous,
    "hang": ProviderAmbiguous,
}


@dataclass
class At:
    """A worker with the router behind it."""

    client: object
    router: FakeRouter
    url: str

    async def finished(self, wanted, answer=None):
        """The result of a call, polled to its end."""
        answer = answer or await self.client.generate(wanted)
        for _ in range(20):
            if isinstance(answer, CallResult):
                return answer
            try:
                answer = await self.client.poll(wanted, answer.handle)
            except WorkerUnavailable:
                continue
        raise AssertionError(answer)

    @property
    def posts(self):
        return [line for line in self.router.requests if line.startswith("POST")]


def settings_of(url, tmp_path, **settings):
    given = {
        "huggingface_api_key": KEY,
        "huggingface_base_url": url,
        "huggingface_hub_url": url,
        "storage_path": tmp_path,
        "fetch_allowed_hosts": ("127.0.0.1",),
        "local_provider": False,
        **settings,
    }
    return Settings(**given)


@asynccontextmanager
async def worker(tmp_path, capability, opened=in_process, **settings):
    router = FakeRouter()
    async with (
        serving(app_of(router)) as url,
        opened(capability, settings_of(url, tmp_path, **settings)) as client,
    ):
        yield At(client, router, url)


def wanted_of(at, capability, model, mark=""):
    options = {"style": "ink"} if capability == "image_transform" else {}
    value = f"hello{mark}"
    if capability == "image_transform":
        options["prompt"], value = f"add a hat{mark}", f"{at.url}/files/image.png"
    elif capability == "transcription":
        fault = mark.strip("[]").removeprefix("fault:")
        value = f"{at.url}/files/input.wav" + (f"?fault={fault}" if fault else "")
    return call(capability, value, model=f"huggingface:{model}", **options)


@pytest.mark.parametrize(
    ("capability", "model"),
    [
        *(("image", model) for model in IMAGE_MODELS.values()),
        *(("image_transform", model) for model in TRANSFORM_MODELS.values()),
        *(("speech", model) for model in SPEECH_MODELS.values()),
    ],
)
async def test_every_partner_makes_files(capability, model, tmp_path):
    async with worker(tmp_path, capability) as at:
        result = await at.finished(wanted_of(at, capability, model))
        assert result.artifact.media_type == ("audio/wav" if capability == "speech" else "image/png")
        assert result.target == f"huggingface:{model}"
        assert [charge.capability for charge in at.router.charges] == [capability]
        assert len(at.posts) == 1
        assert result.warnings == ()
        assert result.cost is None
        if capability != "speech":
            assert result.quantities[Unit.IMAGES] == Decimal(1)


@pytest.mark.parametrize("partner", TRANSCRIPTION_MODELS)
async def test_every_partner_hears(partner, tmp_path):
    async with worker(tmp_path, "transcription") as at:
        result = await at.finished(wanted_of(at, "transcription", TRANSCRIPTION_MODELS[partner]))
        assert result.output["text"] == SPOKEN
        assert [charge.capability for charge in at.router.charges] == ["transcription"]
        # Each raw file says what it is, since servers of one's own refuse those that do not.
        assert all(media_type == "audio/wav" for media_type, _ in at.router.uploads)
        assert len(at.router.uploads) == (partner in ("hf-inference", "deepinfra"))


async def test_text_over_http(tmp_path):
    async with worker(tmp_path, "text", over_http) as at:
        result = await at.client.generate(call(value="hi", model="huggingface:openai/gpt-oss-120b:groq", max_tokens=9))
        assert result.output == {"text": "You said: hi"}
        assert result.target == "huggingface:openai/gpt-oss-120b:groq"  # not as the partner calls it
        assert result.quantities == {Unit.INPUT_TOKENS: 5, Unit.OUTPUT_TOKENS: 3}
        assert at.router.bodies[-1]["model"] == "openai/gpt-oss-120b:groq"
        assert at.router.bodies[-1]["max_tokens"] == 9


async def test_streamed_text(tmp_path):
    deltas = []
    async with worker(tmp_path, "text", over_http) as at:
        result = await at.client.generate(call(value="hi", model="huggingface:a/b", stream=True), deltas.append)
        assert "".join(deltas).strip() == result.output["text"].strip() == "You said: hi"
        assert result.quantities == {Unit.INPUT_TOKENS: 5, Unit.OUTPUT_TOKENS: 3}
        assert len(at.router.charges) == 1


@pytest.mark.parametrize("mark", ["truncated", "lost"])
async def test_a_stream_that_ends_too_early_is_in_doubt(mark, tmp_path):
    async with worker(tmp_path, "text") as at:
        with pytest.raises(ProviderAmbiguous):
            await at.client.generate(call(value=f"hi [fault:{mark}]", model="huggingface:a/b"), lambda _: None)
        assert len(at.router.charges) == 1
        assert len(at.posts) == 1


@pytest.mark.parametrize(
    ("capability", "model"),
    [
        ("text", "a/b"),
        *(("image", IMAGE_MODELS[partner]) for partner in ("hf-inference", "fal-ai", "replicate", "wavespeed")),
        ("image_transform", TRANSFORM_MODELS["fal-ai"]),
        ("speech", SPEECH_MODELS["deepinfra"]),
        ("transcription", TRANSCRIPTION_MODELS["hf-inference"]),
    ],
)
async def test_each_fault_is_what_it_is_and_nothing_is_sent_twice(capability, model, tmp_path):
    async with worker(tmp_path, capability, call_timeout_seconds=1.0) as at:
        for mark, kind in FAULTS.items():
            at.router.charges.clear()
            at.router.requests.clear()
            with pytest.raises(CallFailed) as failed:
                await at.client.generate(wanted_of(at, capability, model, f"[fault:{mark}]"))
            assert isinstance(failed.value, kind), mark
            assert failed.value.code == kind.code, mark
            assert len(at.router.charges) == (mark not in NOT_CHARGED), mark
            assert len(at.posts) == 1, mark
            assert KEY not in failed.value.message + failed.value.hint


async def test_waits_are_those_that_were_asked_for(tmp_path):
    async with worker(tmp_path, "image") as at:
        for mark, seconds in (("loading", 0.1), ("rate-limited", 1.0)):
            with pytest.raises(CallFailed) as failed:
                await at.client.generate(wanted_of(at, "image", IMAGE_MODELS["hf-inference"], f"[fault:{mark}]"))
            assert failed.value.retry_after == pytest.approx(seconds)


QUEUES = {
    "fal-ai": ("image_transform", TRANSFORM_MODELS["fal-ai"]),
    "replicate": ("image", IMAGE_MODELS["replicate"]),
    "wavespeed": ("image", IMAGE_MODELS["wavespeed"]),
    "zai-org": ("image", IMAGE_MODELS["zai-org"]),
}


@pytest.mark.parametrize("partner", QUEUES)
async def test_a_queued_request_that_fails_is_final(partner, tmp_path):
    async with worker(tmp_path, QUEUES[partner][0]) as at:
        with pytest.raises(ProviderRejected, match="gave the request up"):
            await at.finished(wanted_of(at, *QUEUES[partner], "[fault:lost]"))
        assert len(at.router.charges) == 1


@pytest.mark.parametrize("partner", QUEUES)
async def test_another_worker_goes_on_with_a_handle(partner, tmp_path):
    router = FakeRouter()
    async with serving(app_of(router)) as url:
        settings, capability = settings_of(url, tmp_path), QUEUES[partner][0]
        async with in_process(capability, settings) as client:
            wanted = wanted_of(At(client, router, url), *QUEUES[partner], "[fault:slow]")
            pending = await client.generate(wanted)
        assert isinstance(pending, CallPending)
        assert KEY not in str(pending.handle)
        async with in_process(capability, settings) as client:
            result = await At(client, router, url).finished(wanted, pending)
        assert result.artifact.media_type == "image/png"
        assert len(router.charges) == 1


@pytest.mark.parametrize("partner", ["fal-ai", "replicate"])
async def test_a_cancel_reaches_the_partner(partner, tmp_path):
    async with worker(tmp_path, QUEUES[partner][0]) as at:
        wanted = wanted_of(at, *QUEUES[partner], "[fault:slow]")
        pending = await at.client.generate(wanted)
        await at.client.cancel(wanted.capability, wanted.attempt, pending.handle)
        assert at.router.canceled == ["request-1"]


async def test_a_queued_request_that_is_unknown_now_is_in_doubt(tmp_path):
    async with worker(tmp_path, "image") as at:
        wanted = wanted_of(at, "image", IMAGE_MODELS["replicate"], "[fault:slow]")
        pending = await at.client.generate(wanted)
        poll = {**pending.handle["poll"], "url": "/replicate/v1/predictions/gone/or/never"}
        with pytest.raises(ProviderAmbiguous, match="does not know"):
            await at.client.poll(wanted, {**pending.handle, "poll": poll})


async def test_a_model_that_nobody_serves(tmp_path):
    async with worker(tmp_path, "text") as at:
        with pytest.raises(ModelUnavailable, match="not supported by any provider") as failed:
            await at.client.generate(call(value="hi", model="huggingface:a/unserved"))
        assert "settings/inference-providers" in failed.value.hint
        assert at.router.charges == []


async def test_a_wrong_key_names_its_variable(tmp_path):
    async with worker(tmp_path, "text", huggingface_api_key="hf_wrong_key_of_someone") as at:
        with pytest.raises(ProviderMisconfigured) as failed:
            await at.client.generate(call(value="hi", model="huggingface:a/b"))
        assert "HUGGINGFACE_API_KEY" in failed.value.hint
        assert "hf_wrong" not in failed.value.message + failed.value.hint


@pytest.mark.parametrize(
    ("model", "options", "warned"),
    [
        (IMAGE_MODELS["hf-inference"], {"negative_prompt": "dogs", "seed": 1}, []),
        (IMAGE_MODELS["wavespeed"], {"negative_prompt": "dogs", "seed": 1}, ["negative_prompt"]),
        (IMAGE_MODELS["nscale"], {"negative_prompt": "dogs", "seed": 1}, ["negative_prompt", "seed"]),
    ],
)
async def test_options_that_a_partner_cannot_honor_are_named(model, options, warned, tmp_path):
    async with worker(tmp_path, "image") as at:
        result = await at.finished(call("image", "a cat", model=f"huggingface:{model}", **options))
        sentences = tuple(f"huggingface cannot honor `{name}`; it was left out." for name in warned)
        assert result.warnings == sentences
        assert not at.router.bodies[0].keys() & set(warned)


async def test_the_language_is_told_where_that_is_possible(tmp_path):
    async with worker(tmp_path, "transcription") as at:
        results = {}
        for partner in ("hf-inference", "fal-ai"):
            url = f"{at.url}/files/input.wav"
            model = f"huggingface:{TRANSCRIPTION_MODELS[partner]}"
            results[partner] = await at.client.generate(call("transcription", url, model=model, language="pt-BR"))
        assert results["hf-inference"].warnings == ("huggingface cannot honor `language`; it was left out.",)
        assert results["fal-ai"].warnings == ()
        assert at.router.bodies[-1]["language"] == "pt"


async def test_the_key_is_tried_at_the_hub_for_nothing(tmp_path):
    router = FakeRouter()
    async with serving(app_of(router)) as hub, HttpClient() as client:
        for key, status in ((KEY, 200), ("hf_wrong_key_of_someone", 401)):
            settings = settings_of("http://127.0.0.1:9", tmp_path, huggingface_hub_url=hub, huggingface_api_key=key)
            row = provider(settings)
            channel = open_channel(row, "text", client, settings)
            assert (await channel.send(row.check)).status == status
    assert router.requests == ["GET /api/whoami-v2"] * 2
    assert router.charges == []


async def test_a_dedicated_endpoint_serves_by_its_url(tmp_path):
    """`IMAGE_MODEL_URL` is the default model, asked verbatim, with the key."""
    router = FakeRouter()
    async with serving(app_of(router)) as url:
        endpoint = f"{url}/hf-inference/models/my/own"
        settings = settings_of("http://127.0.0.1:9", tmp_path, image_model_url=endpoint)
        async with in_process("image", settings) as client:
            result = await client.generate(call("image", "a cat", model=f"huggingface:{endpoint}"))
        assert result.artifact.media_type == "image/png"
        assert router.requests == ["POST /hf-inference/models/my/own"]
