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
    ResultLost,
    StorageUnavailable,
    Unavailable,
    WorkerBusy,
)
from genesis.providers.fake import FakeAdapter
from genesis.settings import Settings
from genesis.storage.file import FileStore
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
    settings = settings.model_copy(update={"openai_base_url": "http://127.0.0.1:9/v1"})
    async with worker("speech", settings) as client:
        described = await client.describe("speech")
    assert (described.worker, described.capability) == ("tts", "speech")
    assert [link.provider for link in described.chain] == ["fake"]
    assert [one.name for one in described.providers if not one.list_prices] == ["openai"]
    missing = {provider.missing for provider in described.providers if not provider.configured}
    assert "HUGGINGFACE_API_KEY is not set" in missing
    assert all(missing)


async def test_tells_its_chain(settings, worker):
    chained = settings.model_copy(update={"speech_chain": "huggingface*3|fake*2,fake"})
    async with worker("speech", chained) as client:
        described = await client.describe("speech")
    assert [(link.provider, link.group, link.weight) for link in described.links] == [
        ("huggingface", 0, 3),
        ("fake", 0, 2),
        ("fake", 1, 1),
    ]
    assert [link.group for link in described.chain] == [0, 1]


async def test_files_go_through_the_shared_store(settings, worker):
    async with worker("image", settings) as client:
        made = await client.generate(call("image", "a cat", style="oil"))
    assert made.artifact is not None
    assert made.artifact.media_type == "image/png"
    assert made.output == {"image_url": made.artifact.url}
    assert FileStore(settings.storage_path).local_path(made.artifact.key).stat().st_size == made.artifact.size
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


async def test_a_call_that_is_sent_twice_is_made_once(settings, worker, monkeypatch):
    made = counted(monkeypatch)
    slow = settings.model_copy(update={"fake_delay_ms": 1000})
    async with worker("image", slow) as client:
        first = call("image", "a cat")
        again = call("image", "a cat", call_key=first.call_key)
        answers = await asyncio.gather(*(client.generate(one) for one in (first, again, first)))
    assert len(made) == 1
    assert answers[0] == answers[1] == answers[2]


async def test_canceling_one_attempt_ends_the_call_for_all(settings, worker):
    slow = settings.model_copy(update={"fake_delay_ms": 60_000, "worker_slots": 1})
    async with worker("text", slow) as client:
        first = call()
        again = call(call_key=first.call_key)
        tasks = [asyncio.create_task(client.generate(one)) for one in (first, again)]
        while not all(task.done() for task in tasks):
            await client.cancel("text", again.attempt)
            await asyncio.sleep(0.05)
        for task in tasks:
            assert isinstance(task.exception(), AttemptCanceled)


@pytest.mark.parametrize("same", ["attempt", "call_key"])
async def test_an_id_under_way_takes_no_other_call(settings, worker, same):
    slow = settings.model_copy(update={"fake_delay_ms": 60_000})
    async with worker("text", slow) as client:
        first = call()
        other = call(value="another", **{same: getattr(first, same)})
        tasks = [asyncio.create_task(client.generate(one)) for one in (first, other)]
        async with asyncio.timeout(20):
            (refused,), _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        assert isinstance(refused.exception(), WorkerBusy)
        for one in (first, other):
            await client.cancel("text", one.attempt)
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(answer) for answer in answers} == {AttemptCanceled, WorkerBusy}


async def test_who_gives_up_waiting_does_not_end_the_call_for_others(settings, worker, monkeypatch):
    made = counted(monkeypatch)
    slow = settings.model_copy(update={"fake_delay_ms": 1000})
    async with worker("text", slow) as client:
        first = call()
        impatient = asyncio.create_task(client.generate(first))
        patient = asyncio.create_task(client.generate(call(call_key=first.call_key)))
        await asyncio.sleep(0.3)
        impatient.cancel()
        assert (await patient).output == {"text": "fake: hi"}
    assert len(made) == 1


async def test_a_stored_file_is_not_replaced(settings, worker):
    async with worker("image", settings) as client:
        first = await client.generate(call("image", "a cat"))
        key = first.artifact.key.removeprefix("images/").removesuffix(".png")
        second = await client.generate(call("image", "a dog", call_key=key))
        assert second.artifact.key != first.artifact.key
        assert second.artifact.sha256 != first.artifact.sha256
        assert (await client.generate(call("image", "a cat", call_key=key))).artifact == first.artifact
    files = {path.name for path in (settings.storage_path / "images").rglob("*.*")}
    assert files == {one.artifact.key.removeprefix("images/") for one in (first, second)}


async def test_a_storage_that_comes_back_costs_nothing(settings, worker, monkeypatch):
    made, tried = counted(monkeypatch), []
    write = FileStore.write

    async def sometimes(store, key, data, media_type):
        tried.append(key)
        if len(tried) < 4:
            raise Unavailable("The disk is full.")
        return await write(store, key, data, media_type)

    monkeypatch.setattr(FileStore, "write", sometimes)
    async with worker("image", settings) as client:
        assert (await client.generate(call("image", "a cat"))).artifact
    assert (len(made), len(set(tried))) == (1, 1)


async def test_a_result_that_cannot_be_stored_is_known_to_be_lost(settings, worker, monkeypatch):
    monkeypatch.setattr("workers.keeper._LEAST_SECONDS", 0.5)
    tried = []

    async def full(store, key, data, media_type):
        tried.append(key)
        raise Unavailable("The disk is full.", hint="Empty it.")

    monkeypatch.setattr(FileStore, "write", full)
    short = settings.model_copy(update={"call_timeout_seconds": 1})
    async with worker("image", short) as client:
        with pytest.raises(ResultLost, match=r"The disk is full\.") as lost:
            await client.generate(call("image", "a cat"))
    assert (lost.value.hint, lost.value.cost) == ("Empty it.", 0)
    assert len(tried) >= 3


async def test_an_error_of_our_own_is_in_doubt(settings, worker, monkeypatch):
    def broken(self, reply):
        raise ZeroDivisionError

    monkeypatch.setattr(FakeAdapter, "parse_reply", broken)
    async with worker("text", settings) as client:
        with pytest.raises(ProviderAmbiguous, match="error of its own"):
            await client.generate(call())


async def test_a_store_that_cannot_be_read_is_asked_again_later(settings, worker, monkeypatch):
    async def away(store, key, *, limit):
        raise Unavailable("The file store does not answer.")

    monkeypatch.setattr(FileStore, "read", away)
    async with worker("image_transform", settings) as client:
        with pytest.raises(StorageUnavailable, match="does not answer"):
            await client.generate(call("image_transform", "/storage/images/a.png"))


def counted(monkeypatch):
    """Notes each reply of the fake provider that is read."""
    made = []
    parse = FakeAdapter.parse_reply

    def noted(self, reply):
        made.append(reply)
        return parse(self, reply)

    monkeypatch.setattr(FakeAdapter, "parse_reply", noted)
    return made
