"""fal's adapter against a queue, through a real worker: what is charged, what is asked again, and what is in doubt."""

from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

import pytest

from genesis.domain.quantity import Unit
from genesis.errors import (
    CallFailed,
    ModelUnavailable,
    ProviderAmbiguous,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
    WorkerUnavailable,
)
from genesis.ports.workers import CallPending, CallResult
from genesis.settings import Settings
from tests.support.providers import fal
from tests.support.providers.base import serving
from tests.support.worker_servers import call, in_process, over_http

MODELS = {
    "image": "fal:fal-ai/flux/dev",
    "image_transform": "fal:fal-ai/flux/dev/image-to-image",
    "speech": "fal:fal-ai/kokoro/american-english",
    "transcription": "fal:fal-ai/whisper",
}


@dataclass
class At:
    """A worker with fal behind it."""

    client: object
    fal: fal.FakeFal
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


@asynccontextmanager
async def worker(tmp_path, capability="image", opened=over_http, **settings):
    provider = fal.FakeFal()
    async with serving(fal.app_of(provider)) as url:
        given = {
            "fal_key": provider.key,
            "fal_base_url": url,
            "storage_path": tmp_path,
            "fetch_allowed_hosts": ("127.0.0.1",),
            "local_provider": False,
            **settings,
        }
        async with opened(capability, Settings(**given)) as client:
            yield At(client, provider, url)


def image(prompt="a cat", **options):
    return call("image", prompt, model=MODELS["image"], **options)


@pytest.mark.parametrize("capability", MODELS)
async def test_every_capability_is_submitted_polled_and_charged_once(capability, tmp_path):
    async with worker(tmp_path, capability) as at:
        ending = {"transcription": "wav", "image_transform": "png"}.get(capability)
        value = f"{at.url}/files/input.{ending}" if ending else "hello"
        options = {"style": "watercolor"} if capability == "image_transform" else {}
        wanted = call(capability, value, model=MODELS[capability], **options)
        first = await at.client.generate(wanted)
        assert isinstance(first, CallPending)
        result = await at.finished(wanted, first)
        assert len(at.fal.charges) == 1
        assert result.target == MODELS[capability]
        assert result.quantities[Unit.PROVIDER_UNITS] == Decimal(fal.UNITS)
        assert result.cost is None
        assert result.warnings == ()
        if capability == "transcription":
            assert result.output == {"text": "The spoken words."}
        else:
            kind = "audio/wav" if capability == "speech" else "image/png"
            assert result.artifact.media_type == kind
        asked = [line.partition("?")[0] for line in at.fal.requests if "/files/" not in line]
        assert [line.split()[0] for line in asked] == ["POST", "GET", "GET", "GET"]


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
        ("foreign", ProviderAmbiguous, 1),
    ],
)
async def test_a_submit_that_fails_is_safe_only_where_nothing_was_done(mark, kind, charged, tmp_path):
    async with worker(tmp_path, call_timeout_seconds=1.0) as at:
        with pytest.raises(kind) as failed:
            await at.client.generate(image(f"a cat [fault:{mark}]"))
        assert type(failed.value) is kind
        assert len(at.fal.charges) == charged
        assert [line.split()[0] for line in at.fal.requests] == ["POST"]


@pytest.mark.parametrize("mark", ["poll-error:2", "poll-reset:2", "early"])
async def test_polls_that_fail_are_made_again_and_nothing_else_is(mark, tmp_path):
    async with worker(tmp_path) as at:
        result = await at.finished(image(f"a cat [fault:{mark}]"))
        assert result.artifact.media_type == "image/png"
        assert len(at.fal.charges) == 1
        assert sum(line.startswith("POST") for line in at.fal.requests) == 1


async def test_a_request_that_completes_in_failure_is_final(tmp_path):
    async with worker(tmp_path) as at:
        with pytest.raises(ProviderRejected, match="The prompt is not allowed"):
            await at.finished(image("a cat [fault:model-error]"))
        assert len(at.fal.charges) == 1


async def test_one_that_fals_own_machines_have_failed_may_be_made_again(tmp_path):
    async with worker(tmp_path) as at:
        with pytest.raises(ProviderUnavailable, match="Runner disconnected"):
            await at.finished(image("a cat [fault:runner-error]"))
        assert at.fal.charges == []


async def test_another_worker_process_goes_on_with_a_handle(tmp_path):
    provider = fal.FakeFal()
    async with serving(fal.app_of(provider)) as url:
        settings = Settings(
            fal_key=provider.key, fal_base_url=url, storage_path=tmp_path, fetch_allowed_hosts=("127.0.0.1",)
        )
        wanted = image()
        async with over_http("image", settings) as client:
            pending = await client.generate(wanted)
        async with over_http("image", settings) as client:
            result = await At(client, provider, url).finished(wanted, pending)
        assert result.artifact.media_type == "image/png"
        assert len(provider.charges) == 1
        assert provider.key not in str(pending.handle)


async def test_a_cancel_reaches_the_queue(tmp_path):
    async with worker(tmp_path) as at:
        wanted = image("a cat [fault:held]")
        pending = await at.client.generate(wanted)
        await at.client.cancel("image", wanted.attempt, pending.handle)
        assert [queued.canceled for queued in at.fal.queue.values()] == [True]
        assert at.fal.requests[-1].startswith("PUT /fal-ai/flux/requests/")


async def test_a_request_that_is_gone_is_in_doubt(tmp_path):
    async with worker(tmp_path) as at:
        wanted = image()
        pending = await at.client.generate(wanted)
        at.fal.queue.clear()
        with pytest.raises(ProviderAmbiguous, match="does not know the request"):
            await at.client.poll(wanted, pending.handle)


async def test_a_key_that_is_revoked_meanwhile_says_nothing_about_the_request(tmp_path):
    async with worker(tmp_path) as at:
        wanted = image()
        pending = await at.client.generate(wanted)
        key, at.fal.key = at.fal.key, "another"
        for _ in range(2):
            with pytest.raises(WorkerUnavailable) as failed:
                await at.client.poll(wanted, pending.handle)
            assert "FAL_KEY" in failed.value.hint
        at.fal.key = key
        result = await at.finished(wanted, pending)
        assert result.artifact.media_type == "image/png"
        assert len(at.fal.charges) == 1
        assert sum(line.startswith("POST") for line in at.fal.requests) == 1


async def test_a_wrong_key_and_an_unknown_model_say_what_to_do(tmp_path):
    async with worker(tmp_path, fal_key="id:wrong-secret-of-fal", opened=in_process) as at:
        with pytest.raises(ProviderMisconfigured) as failed:
            await at.client.generate(image())
        assert "FAL_KEY" in failed.value.hint
        assert "wrong-secret" not in failed.value.message + failed.value.hint
    async with worker(tmp_path) as at:
        for name, kind in (("nobody/none", ModelUnavailable), ("no-path", ProviderRejected)):
            with pytest.raises(kind) as refused:
                await at.client.generate(call("image", "a cat", model=f"fal:{name}"))
            assert "fal.ai/models" in refused.value.hint
        assert at.fal.charges == []


async def test_options_that_fal_cannot_honor_are_named(tmp_path):
    async with worker(tmp_path) as at:
        result = await at.finished(image(negative_prompt="dogs", seed=7, provider_options={"num_images": 1}))
        assert result.warnings == ("fal cannot honor `negative_prompt`; it was left out.",)
        assert at.fal.bodies == [
            {"prompt": "a cat", "image_size": {"width": 1024, "height": 1024}, "seed": 7, "num_images": 1}
        ]


async def test_a_handle_of_another_server_is_not_asked(tmp_path):
    async with worker(tmp_path) as at:
        wanted = image()
        pending = await at.client.generate(wanted)
        poll = {**pending.handle["poll"], "url": "https://queue.example/requests/1/status"}
        with pytest.raises(CallFailed, match="not one of fal"):
            await at.client.poll(wanted, {**pending.handle, "poll": poll})
