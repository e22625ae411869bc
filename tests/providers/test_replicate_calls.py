"""Replicate's adapter against predictions, through a real worker: what is charged, asked again, and in doubt."""

from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

import pytest
from aiohttp import web

from genesis.domain.quantity import Unit
from genesis.errors import (
    ModelUnavailable,
    ProviderAmbiguous,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
    ResultLost,
    WorkerUnavailable,
)
from genesis.ports.workers import CallPending, CallResult
from genesis.settings import Settings
from tests.support.providers import replicate
from tests.support.providers.base import serving
from tests.support.worker_servers import call, in_process, over_http

WHISPER = "openai/whisper:8099696689d249cf8b122d833c36ac3f75505c666a395ca40ef26f68e7d3d16e"
MODELS = {
    "text": "meta/meta-llama-3-8b-instruct",
    "image": "black-forest-labs/flux-schnell",
    "image_transform": "black-forest-labs/flux-kontext-pro",
    "speech": "minimax/speech-02-turbo",
    "transcription": WHISPER,
}


LARGE = b"RIFF\x24\x00\x04\x00WAVEfmt " + bytes(300_000)


@dataclass
class At:
    """A worker with Replicate behind it."""

    client: object
    replicate: replicate.FakeReplicate
    url: str

    async def finished(self, wanted, answer=None):
        """The result of a call, polled to its end; polls that say nothing are made again."""
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
    def asked(self):
        return [line for line in self.replicate.requests if " /v1/" in line]


def settings_of(provider, url, tmp_path, **settings):
    given = {
        "replicate_api_token": provider.key,
        "replicate_base_url": url,
        "storage_path": tmp_path,
        "fetch_allowed_hosts": ("127.0.0.1",),
        "local_provider": False,
        **settings,
    }
    return Settings(**given)


@asynccontextmanager
async def worker(tmp_path, capability="text", opened=over_http, **settings):
    provider = replicate.FakeReplicate()
    async with (
        serving(replicate.app_of(provider)) as url,
        opened(capability, settings_of(provider, url, tmp_path, **settings)) as client,
    ):
        yield At(client, provider, url)


def text(prompt="hi", **options):
    return call("text", prompt, model=f"replicate:{MODELS['text']}", **options)


@pytest.mark.parametrize("capability", MODELS)
async def test_every_capability_is_created_polled_and_charged_once(capability, tmp_path):
    async with worker(tmp_path, capability) as at:
        ending = {"transcription": "wav", "image_transform": "png"}.get(capability)
        value = f"{at.url}/delivery/input.{ending}" if ending else "hello"
        options = {"style": "watercolor"} if capability == "image_transform" else {}
        wanted = call(capability, value, model=f"replicate:{MODELS[capability]}", **options)
        first = await at.client.generate(wanted)
        assert isinstance(first, CallPending)
        result = await at.finished(wanted, first)
        assert len(at.replicate.charges) == 1
        assert result.target == f"replicate:{MODELS[capability]}"
        assert result.quantities[Unit.COMPUTE_SECONDS] == Decimal("1.25")
        assert (result.cost, result.warnings) == (None, ())
        match capability:
            case "text":
                assert result.output == {"text": "an answer of tokens"}
            case "transcription":
                assert result.output == {"text": "The spoken words."}
            case "speech":
                assert result.artifact.media_type == "audio/wav"
            case _:
                assert result.artifact.media_type == "image/png"
        created = "/v1/predictions" if capability == "transcription" else f"/v1/models/{MODELS[capability]}/predictions"
        assert at.asked[0] == f"POST {created}"
        assert {line.split()[0] for line in at.asked[1:]} == {"GET"}


@pytest.mark.parametrize(
    ("mark", "kind", "charged"),
    [
        ("rate-limited", ProviderRateLimited, 0),
        ("unavailable", ProviderUnavailable, 0),
        ("refused", ProviderRejected, 0),
        ("error", ProviderAmbiguous, 0),
        ("reset", ProviderAmbiguous, 0),
        ("charged-error", ProviderAmbiguous, 1),
        ("charged-reset", ProviderAmbiguous, 1),
        ("truncated", ProviderAmbiguous, 1),
        ("html", ProviderAmbiguous, 1),
        ("hang", ProviderAmbiguous, 1),
    ],
)
async def test_a_create_that_fails_is_safe_only_where_nothing_was_done(mark, kind, charged, tmp_path):
    async with worker(tmp_path, call_timeout_seconds=1.0) as at:
        with pytest.raises(kind) as failed:
            await at.client.generate(text(f"hi [fault:{mark}]"))
        assert type(failed.value) is kind
        assert len(at.replicate.charges) == charged
        assert len(at.asked) == 1


@pytest.mark.parametrize("mark", ["poll-error:2", "poll-reset:2"])
async def test_polls_that_fail_are_made_again_and_nothing_else_is(mark, tmp_path):
    async with worker(tmp_path) as at:
        assert (await at.finished(text(f"hi [fault:{mark}]"))).output == {"text": "an answer of tokens"}
        assert len(at.replicate.charges) == 1
        assert sum(line.startswith("POST") for line in at.asked) == 1


async def test_a_prediction_that_fails_is_final_and_one_whose_result_is_gone_in_doubt(tmp_path):
    async with worker(tmp_path) as at:
        with pytest.raises(ProviderRejected, match="CUDA out of memory"):
            await at.finished(text("hi [fault:failed]"))
        with pytest.raises(ResultLost, match="removed"):
            await at.finished(text("hi [fault:removed]"))
        wanted = text()
        pending = await at.client.generate(wanted)
        at.replicate.predictions.clear()
        with pytest.raises(ProviderAmbiguous, match="does not know"):
            await at.client.poll(wanted, pending.handle)
        assert len(at.replicate.charges) == 3


async def test_another_worker_process_goes_on_with_a_handle(tmp_path):
    provider = replicate.FakeReplicate()
    async with serving(replicate.app_of(provider)) as url:
        wanted = text()
        async with over_http("text", settings_of(provider, url, tmp_path)) as client:
            pending = await client.generate(wanted)
        async with over_http("text", settings_of(provider, url, tmp_path)) as client:
            result = await At(client, provider, url).finished(wanted, pending)
        assert result.output == {"text": "an answer of tokens"}
        assert len(provider.charges) == 1
        assert provider.key not in str(pending.handle)


async def test_a_cancel_reaches_the_prediction(tmp_path):
    async with worker(tmp_path) as at:
        wanted = text("hi [fault:held]")
        pending = await at.client.generate(wanted)
        await at.client.cancel("text", wanted.attempt, pending.handle)
        assert [prediction.status for prediction in at.replicate.predictions.values()] == ["canceled"]
        with pytest.raises(ProviderRejected, match="canceled"):
            await at.client.poll(wanted, pending.handle)


async def test_larger_files_are_uploaded_first(tmp_path):
    async with recording(LARGE) as source, worker(tmp_path, "transcription") as at:
        wanted = call("transcription", source, model=f"replicate:{WHISPER}")
        assert (await at.finished(wanted)).output == {"text": "The spoken words."}
        assert at.asked[:2] == ["POST /v1/files", "POST /v1/predictions"]
        ((name, data),) = at.replicate.files.items()
        assert len(data) == 300_016
        assert at.replicate.bodies[0]["input"]["audio"] == f"{at.url}/v1/files/{name}"


@asynccontextmanager
async def recording(data):
    """The URL of a file on a server of its own."""

    async def file(request):
        return web.Response(body=data, content_type="audio/wav")

    app = web.Application()
    app.router.add_get("/file.wav", file)
    async with serving(app) as url:
        yield f"{url}/file.wav"


async def test_an_upload_that_fails_costs_nothing(tmp_path):
    wrong = {"replicate_api_token": "r8_wrong-token"}
    async with recording(LARGE) as source, worker(tmp_path, "transcription", **wrong) as at:
        with pytest.raises(ProviderMisconfigured) as failed:
            await at.client.generate(call("transcription", source, model=f"replicate:{WHISPER}"))
        assert "REPLICATE_API_TOKEN" in failed.value.hint
        assert "wrong-token" not in failed.value.message + failed.value.hint
        assert at.asked == ["POST /v1/files"]


async def test_a_model_that_there_is_not_says_what_to_do(tmp_path):
    async with worker(tmp_path, opened=in_process) as at:
        with pytest.raises(ModelUnavailable) as refused:
            await at.client.generate(call("text", "hi", model="replicate:nobody/none"))
        assert "version behind a colon" in refused.value.hint
        with pytest.raises(ProviderRejected, match="not a model's name"):
            await at.client.generate(call("text", "hi", model="replicate:llama"))
        assert at.replicate.charges == []


async def test_options_that_replicate_cannot_honor_are_named(tmp_path):
    async with worker(tmp_path, "image") as at:
        model = f"replicate:{MODELS['image']}"
        wanted = call("image", "a cat", model=model, negative_prompt="dogs", quality="high", aspect_ratio="3:2")
        result = await at.finished(wanted)
        assert result.warnings == (
            "replicate cannot honor `negative_prompt`; it was left out.",
            "replicate has no high for `quality`; it used standard, one megapixel.",
        )
        assert at.replicate.bodies == [{"input": {"prompt": "a cat", "megapixels": "1", "aspect_ratio": "3:2"}}]
