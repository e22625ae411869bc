"""What every way to a worker promises: over HTTP, and within the process."""

import asyncio

import pytest

from genesis.domain.identity import new_id
from genesis.errors import (
    AttemptCanceled,
    InputRejected,
    ProviderAmbiguous,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
    WorkerBusy,
)
from genesis.settings import Settings
from tests.support.worker_servers import call, in_process, over_http


@pytest.fixture(params=[in_process, over_http], ids=["in process", "http"])
def worker(request):
    return request.param


@pytest.fixture
def settings(tmp_path):
    return Settings(
        storage_path=tmp_path / "storage",
        fake_provider=True,
        local_provider=False,
        log_level="ERROR",
        worker_slots=2,
    )


async def test_describes_itself(settings, worker):
    async with worker("speech", settings) as client:
        described = await client.describe("speech")
    assert (described.worker, described.capability) == ("tts", "speech")
    assert [provider.name for provider in described.chain] == ["fake"]
    assert {provider.missing for provider in described.providers if not provider.configured} == {
        "HUGGINGFACE_API_KEY is not set"
    }


async def test_files_go_through_the_shared_store(settings, worker):
    async with worker("image", settings) as client:
        made = await client.generate(call("image", "a cat", style="oil"))
    assert made.artifact is not None
    assert made.artifact.media_type == "image/png"
    assert made.output == {"image_url": made.artifact.url}
    assert (settings.storage_path / made.artifact.key).stat().st_size == made.artifact.size
    async with worker("image_transform", settings) as client:
        changed = await client.generate(call("image_transform", made.artifact.url))
    assert changed.output["image_url"].startswith("/storage/images/")


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("[fail-safe]", ProviderUnavailable),
        ("[fail-final]", ProviderRejected),
        ("[rate-limited]", ProviderRateLimited),
        ("[ambiguous]", ProviderAmbiguous),
    ],
)
async def test_failures_keep_their_kind_across_the_wire(settings, worker, prompt, kind):
    async with worker("text", settings) as client:
        with pytest.raises(kind) as caught:
            await client.generate(call(value=prompt))
    if kind is ProviderRateLimited:
        assert caught.value.retry_after == 1


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"model": "nobody:x"}, ProviderRejected),
        ({"model": "fake:x"}, ProviderRejected),
        ({"model": "openrouter:x"}, ProviderMisconfigured),
        ({"temperature": 99}, InputRejected),
    ],
)
async def test_impossible_calls_are_refused(settings, worker, options, kind):
    async with worker("text", settings) as client:
        with pytest.raises(kind):
            await client.generate(call(**options))


async def test_without_any_provider_it_says_what_to_set(settings, worker):
    bare = settings.model_copy(update={"fake_provider": False})
    async with worker("text", bare) as client:
        assert (await client.describe("text")).chain == ()
        with pytest.raises(ProviderMisconfigured) as caught:
            await client.generate(call())
    assert "OPENROUTER_API_KEY" in caught.value.hint


async def test_a_full_worker_refuses(settings, worker):
    slow = settings.model_copy(update={"fake_delay_ms": 60_000})
    async with worker("text", slow) as client:
        calls = [call() for _ in range(2)]
        tasks = [asyncio.create_task(client.generate(one)) for one in calls]
        async with asyncio.timeout(20):
            while True:
                # A probe that comes too early takes a slot itself; it is canceled and tried again.
                probe = call()
                task = asyncio.create_task(client.generate(probe))
                done, _ = await asyncio.wait({task}, timeout=0.5)
                if done:
                    break
                await client.cancel("text", probe.attempt)
                await asyncio.gather(task, return_exceptions=True)
        with pytest.raises(WorkerBusy):
            task.result()
        for one in calls:
            await client.cancel("text", one.attempt)
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(answer) for answer in answers} == {AttemptCanceled}


async def test_cancel_of_an_unknown_attempt_is_nothing(settings, worker):
    async with worker("text", settings) as client:
        await client.cancel("text", new_id())
