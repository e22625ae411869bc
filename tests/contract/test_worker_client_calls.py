"""What every way to a worker promises of calls that cost money: none is made twice, and none is forgotten."""

import asyncio
from dataclasses import replace

import pytest

from genesis.domain.identity import new_id
from genesis.errors import (
    AttemptCanceled,
    InputRejected,
    ProviderAmbiguous,
    ProviderRejected,
    ProviderUnavailable,
    TooLate,
    WorkerUnavailable,
)
from genesis.ports.clock import SystemClock
from genesis.ports.workers import CallPending, CallResult
from genesis.settings import Settings
from tests.support.worker_servers import call, in_process, over_http, paid_provider

KEYED, HANDLE, OPAQUE = ({"model": f"fake-{kind}:made-up"} for kind in ("keyed", "handle", "opaque"))
PAID = pytest.mark.parametrize("options", [KEYED, OPAQUE], ids=["keyed", "opaque"])


@pytest.fixture(params=[in_process, over_http], ids=["in process", "http"])
def worker(request):
    return request.param


@pytest.fixture
async def paid(tmp_path):
    async with paid_provider(tmp_path) as provider:
        yield provider


@pytest.fixture
def settings(tmp_path, paid):
    return Settings(
        storage_path=tmp_path / "storage",
        fake_provider=True,
        fake_url=paid.url,
        local_provider=False,
        log_level="ERROR",
        call_timeout_seconds=5,
    )


async def finished(client, one, outcome):
    """The result of a pending call, by single polls."""
    async with asyncio.timeout(20):
        while isinstance(outcome, CallPending):
            await asyncio.sleep(outcome.wait_seconds)
            try:
                outcome = await client.poll(one, outcome.handle)
            except WorkerUnavailable:
                continue
    return outcome


def test_who_shares_whose_fate():
    from genesis.transport.http import HttpWorkers
    from genesis.transport.in_process import InProcessWorkers

    assert InProcessWorkers({}).shares_fate
    assert not HttpWorkers(None, {}, 1).shares_fate


class TestResends:
    @pytest.mark.parametrize("options", [KEYED, HANDLE, OPAQUE], ids=["keyed", "handle", "opaque"])
    @pytest.mark.parametrize("capability", ["text", "image"])
    async def test_a_call_key_is_paid_for_once(self, settings, worker, paid, options, capability):
        async with worker(capability, settings) as client:
            first = call(capability, "a cat", **options)
            made = await finished(client, first, await client.generate(first))
            again = await client.generate(replace(first, attempt=new_id()))
            assert again == await client.recall(first) == made
        assert made.cost == (1_000 if capability == "text" else 40_000)
        assert [line["key"] for line in paid.charges] == [first.call_key]

    @PAID
    async def test_failures_are_remembered_too(self, settings, worker, paid, options):
        async with worker("text", settings) as client:
            one = call(value="[fault:refused]", **options)
            for asking in (client.generate, client.generate, client.recall):
                with pytest.raises(ProviderRejected, match="fault 400"):
                    await asking(one)
        assert paid.charges == []

    async def test_a_call_in_doubt_is_sent_again_only_with_the_providers_key(self, settings, worker, paid):
        async with worker("text", settings) as client:
            keyed = call(value="keyed [fault:charged-reset:1]", **KEYED)
            with pytest.raises(ProviderAmbiguous):
                await client.generate(keyed)
            assert (await client.generate(keyed)).output == {"text": f"answer to {keyed.input['text']}"}
            opaque = call(value="opaque [fault:charged-reset:1]", **OPAQUE)
            for asking in (client.generate, client.generate, client.recall):
                with pytest.raises(ProviderAmbiguous):
                    await asking(opaque)
        assert [line["key"] for line in paid.charges] == [keyed.call_key, opaque.call_key]

    @PAID
    async def test_a_key_is_of_one_call_only(self, settings, worker, paid, options):
        async with worker("text", settings) as client:
            first = call(value="one", **options)
            await client.generate(first)
            with pytest.raises(InputRejected, match="another call"):
                await client.generate(call(value="another", call_key=first.call_key, **options))
        assert len(paid.charges) == 1

    async def test_what_is_free_is_made_again(self, settings, worker):
        async with worker("text", settings) as client:
            one = call(model="fake:made-up")
            assert await client.generate(one) == await client.generate(one)
            assert await client.recall(one) is None

    async def test_a_receipt_outlives_the_worker(self, settings, worker, paid):
        first = call("image", "a cat", **OPAQUE)
        async with worker("image", settings) as client:
            made = await client.generate(first)
        async with worker("image", settings) as client:
            assert await client.recall(first) == made
            assert await client.generate(first) == made
            with pytest.raises(InputRejected, match="another call"):
                await client.generate(call("image", "a dog", call_key=first.call_key, **OPAQUE))
        assert len(paid.charges) == 1
        receipts = settings.storage_path / ".receipts" / "image"
        assert [path.name for path in receipts.rglob("*.*")] == [f"{first.call_key}.json"]

    async def test_nothing_is_known_of_a_text_after_the_worker(self, settings, worker):
        one = call(**OPAQUE)
        async with worker("text", settings) as client:
            await client.generate(one)
        async with worker("text", settings) as client:
            assert await client.recall(one) is None

    async def test_a_call_under_way_is_waited_for(self, settings, worker, paid):
        async with worker("text", settings) as client:
            one = call(value="[fault:slow]", **OPAQUE)
            lost = asyncio.create_task(client.generate(one))
            while not paid.charges:
                await asyncio.sleep(0.01)
            lost.cancel()
            made = await client.recall(one)
        assert made.output == {"text": "answer to [fault:slow]"}
        assert len(paid.charges) == 1


class TestLateCalls:
    async def test_one_that_is_late_is_not_sent(self, settings, worker, paid):
        clock = SystemClock()
        async with worker("text", settings) as client:
            with pytest.raises(TooLate):
                await client.generate(call(not_after=clock.now() - 1, **OPAQUE))
            assert paid.charges == []
            assert isinstance(await client.generate(call(not_after=clock.now() + 60_000, **OPAQUE)), CallResult)

    @pytest.mark.parametrize("capability", ["text", "image"])
    async def test_what_was_made_already_is_never_called_late(self, settings, worker, paid, capability):
        first = call(capability, "a cat", **OPAQUE)
        async with worker(capability, settings) as client:
            made = await client.generate(first)
            assert await client.generate(replace(first, not_after=1)) == made
        if capability == "image":
            async with worker(capability, settings) as client:
                assert await client.generate(replace(first, not_after=1)) == made
        assert len(paid.charges) == 1

    async def test_a_keyed_call_in_doubt_stays_in_doubt_when_it_comes_late(self, settings, worker):
        async with worker("text", settings) as client:
            one = call(value="[fault:charged-error]", **KEYED)
            for late in (one, replace(one, not_after=1)):
                with pytest.raises(ProviderAmbiguous):
                    await client.generate(late)


class TestPending:
    async def test_each_poll_asks_once(self, settings, worker, paid):
        async with worker("text", settings) as client:
            one = call(value="[fault:pending:3]", **HANDLE)
            outcome = await client.generate(one)
            seen = []
            while isinstance(outcome, CallPending):
                seen.append(outcome)
                outcome = await client.poll(one, outcome.handle)
        assert len(seen) == 4
        assert outcome.output == {"text": "answer to [fault:pending:3]"}
        assert seen[0].wait_seconds == 0.05
        assert "fake-key" not in str(seen)
        assert len(paid.charges) == 1

    @pytest.mark.parametrize("fault", ["poll-error", "poll-reset"])
    async def test_a_poll_that_did_not_come_through_says_nothing(self, settings, worker, fault):
        async with worker("text", settings) as client:
            one = call(value=f"[fault:{fault}:2]", **HANDLE)
            pending = await client.generate(one)
            for _ in range(2):
                with pytest.raises(WorkerUnavailable):
                    await client.poll(one, pending.handle)
            assert isinstance(await finished(client, one, pending), CallResult)

    async def test_another_worker_can_poll(self, settings, worker, paid):
        one = call("image", "[fault:pending:1]", **HANDLE)
        async with worker("image", settings) as client:
            pending = await client.generate(one)
            assert await client.recall(one) == await client.generate(one) == pending
        async with worker("image", settings) as client:
            made = await finished(client, one, pending)
            assert await client.recall(one) == made
        assert made.artifact
        assert len(paid.charges) == 1

    async def test_work_that_failed_is_final(self, settings, worker):
        async with worker("text", settings) as client:
            one = call(value="[fault:lost]", **HANDLE)
            with pytest.raises(ProviderRejected, match="The model broke"):
                await finished(client, one, await client.generate(one))
            with pytest.raises(ProviderRejected):
                await client.recall(one)

    async def test_the_provider_is_told_of_a_cancel(self, settings, worker):
        async with worker("text", settings) as client:
            one = call(value="[fault:pending:100]", **HANDLE)
            pending = await client.generate(one)
            await client.cancel("text", one.attempt, pending.handle)
            with pytest.raises(ProviderRejected, match="canceled"):
                await client.poll(one, pending.handle)

    @pytest.mark.parametrize(
        "changes",
        [
            {"provider": "fake-opaque"},
            {"provider": "fake"},
            {"poll": {"method": "GET", "url": "http://127.0.0.1:9/steal", "headers": {}}},
            {"poll": {"method": "GET", "url": "https://evil.test/x", "headers": {}}},
            {"poll": {"method": "TRACE", "url": "/x", "headers": {}}},
            {"poll": {"method": "GET", "url": "x", "headers": {}}},
            {"poll": {"method": "GET", "url": "http://[", "headers": {}}},
            {"poll": {"method": "GET", "url": "/x", "headers": {}, "data": "%"}},
            {"poll": None},
            {"poll": "GET /"},
        ],
    )
    async def test_a_foreign_handle_asks_nobody(self, settings, worker, changes):
        async with worker("text", settings) as client:
            one = call(**HANDLE)
            pending = await client.generate(one)
            with pytest.raises(ProviderAmbiguous, match="handle"):
                await client.poll(one, {**pending.handle, **changes})
            assert isinstance(await finished(client, one, pending), CallResult)

    async def test_a_poll_of_a_provider_that_is_gone_says_nothing(self, settings, worker):
        one = call(**HANDLE)
        async with worker("text", settings) as client:
            pending = await client.generate(one)
        async with worker("text", settings.model_copy(update={"fake_url": None})) as client:
            with pytest.raises(WorkerUnavailable, match="no provider"):
                await client.poll(one, pending.handle)
            await client.cancel("text", one.attempt, pending.handle)


class TestDeltas:
    @pytest.mark.parametrize("model", ["fake", "fake-keyed", "fake-opaque"])
    async def test_text_comes_in_pieces_and_whole(self, settings, worker, model):
        async with worker("text", settings.model_copy(update={"fake_delay_ms": 400})) as client:
            options = {"model": f"{model}:made-up"}
            pieces = []
            streamed = await client.generate(call(value="one two three", **options), pieces.append)
            assert streamed == await client.generate(call(value="one two three", **options))
        assert "".join(pieces) == streamed.output["text"]
        if model == "fake":
            assert len(pieces) > 1

    async def test_slow_text_is_heard_as_it_is_written(self, settings, worker):
        async with worker("text", settings) as client:
            pieces = []
            one = call(value="a b c d [fault:slow]", **OPAQUE)
            task = asyncio.create_task(client.generate(one, pieces.append))
            while not pieces:
                await asyncio.sleep(0.01)
            assert not task.done()
            await task
        assert len(pieces) > 2

    async def test_whoever_comes_later_hears_all(self, settings, worker, paid):
        async with worker("text", settings) as client:
            first, second = [], []
            one = call(value="a b c d [fault:slow]", **OPAQUE)
            task = asyncio.create_task(client.generate(one, first.append))
            while not first:
                await asyncio.sleep(0.01)
            made = await client.generate(replace(one, attempt=new_id()), second.append)
            await task
        assert "".join(first) == "".join(second) == made.output["text"]
        assert len(paid.charges) == 1

    @pytest.mark.parametrize("fault", ["truncated", "failing"])
    async def test_a_stream_that_breaks_off_is_in_doubt(self, settings, worker, paid, fault):
        async with worker("text", settings) as client:
            with pytest.raises(ProviderAmbiguous):
                await client.generate(call(value=f"a b [fault:{fault}]", **OPAQUE), [].append)
        assert len(paid.charges) == 1

    async def test_a_refusal_needs_no_stream(self, settings, worker):
        async with worker("text", settings) as client:
            with pytest.raises(ProviderUnavailable):
                await client.generate(call(value="[fault:unavailable]", **OPAQUE), [].append)
            with pytest.raises(ProviderUnavailable):
                await client.generate(call(value="[fail-safe]", model="fake:made-up"), [].append)

    async def test_images_have_none(self, settings, worker):
        async with worker("image", settings) as client:
            pieces = []
            assert (await client.generate(call("image", "a cat", **OPAQUE), pieces.append)).artifact
        assert pieces == []

    async def test_leaving_does_not_end_the_call(self, settings, worker, paid):
        async with worker("text", settings) as client:
            pieces = []
            one = call(value="a b c d [fault:slow]", **OPAQUE)
            task = asyncio.create_task(client.generate(one, pieces.append))
            while not pieces:
                await asyncio.sleep(0.01)
            task.cancel()
            assert (await client.recall(one)).output["text"].startswith("answer to a b c d")
        assert len(paid.charges) == 1

    async def test_a_cancel_ends_it(self, settings, worker):
        async with worker("text", settings) as client:
            pieces = []
            one = call(value="a b c d [fault:slow]", **OPAQUE)
            task = asyncio.create_task(client.generate(one, pieces.append))
            while not pieces:
                await asyncio.sleep(0.01)
            await client.cancel("text", one.attempt)
            for asking in (task, client.recall(one)):
                with pytest.raises(AttemptCanceled):
                    await asking
