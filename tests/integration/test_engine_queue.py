"""Who is next, since when it may run, and what is told of it."""

import asyncio
import time

import pytest

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.event import EventType
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.engine.choice import choose
from genesis.engine.order import Order
from genesis.errors import IdempotencyConflict, InvalidRequest, ProviderUnavailable
from genesis.ports.signals import TextDelta
from tests.support.bad_moments import Wrapped
from tests.support.engine import SETTINGS, always, ended, failing, soon, submit, until
from tests.support.workers import ScriptedWorkers, answer, described


def gate(slots=1):
    """Workers whose calls wait until the gate opens."""
    opened = asyncio.Event()

    async def script(call):
        await opened.wait()
        return answer(call)

    return opened, ScriptedWorkers(script, (described("one", slots=slots),))


async def test_priority_goes_before_age(engine_on):
    opened, workers = gate()
    async with engine_on(workers) as engine:
        jobs = [await submit(engine, inputs={"text": "first"})]
        await until(lambda: workers.calls)
        for text, priority in (("old", 0), ("urgent", 5), ("idle", -5)):
            jobs.append(await submit(engine, inputs={"text": text}, order={"priority": priority}))
        opened.set()
        for job in jobs:
            await ended(engine, job)
    assert [call.input["text"] for call in workers.calls] == ["first", "urgent", "old", "idle"]


async def test_a_delayed_job_waits_and_says_so(engine_on):
    workers = ScriptedWorkers(always)
    async with engine_on(workers) as engine:
        not_before = time.time_ns() // 1_000_000 + 700
        job = await submit(engine, order={"not_before": not_before})
        assert (await engine.outlook(job)).estimated_start in (None, not_before)
        assert "later time" in (await engine.waits_for([job]))[0]
        job = await ended(engine, job)
    assert job.started_at >= not_before


async def test_a_delayed_job_waits_on_after_a_restart(engine_on):
    job = None
    for _ in range(2):
        workers = ScriptedWorkers(always)
        async with engine_on(workers) as engine:
            job = job or await submit(engine, order=soon(3_600_000))
            await ended(engine, await submit(engine))  # so the queue was looked through
            await until(lambda: engine._executor._next_wake)
            after = await engine.job(DEFAULT_ORGANIZATION, job.id)
            assert (after.status, after.wake_at) == (JobStatus.QUEUED, job.wake_at)
        assert len(workers.calls) == 1


async def test_what_is_due_and_cannot_be_claimed_is_not_looked_for_all_the_time(engine_on, monkeypatch):
    looks = 0
    workers = ScriptedWorkers(always)
    async with engine_on(workers) as engine:
        next_wake = engine._queries.next_wake

        async def counted():
            nonlocal looks
            looks += 1
            return await next_wake()

        job = await submit(engine, order=soon(200))
        workers.missing.update(CAPABILITIES)
        for capability in CAPABILITIES:
            engine.directory.lose(capability, "away")
        await asyncio.sleep(0.3)  # the job is due now
        monkeypatch.setattr(engine._queries, "next_wake", counted)
        await asyncio.sleep(1.0)
        assert (await engine.job(DEFAULT_ORGANIZATION, job.id)).status is JobStatus.QUEUED
    assert looks <= 10


async def test_a_deadline_that_has_come_is_told_without_claiming_all_the_time(engine_on, monkeypatch):
    claims = 0

    class Counted(Wrapped):
        async def claim(self, *arguments):
            nonlocal claims
            claims += 1
            return await self._ledger.claim(*arguments)

    monkeypatch.setattr("genesis.engine.executor._SWEEP_SECONDS", 2.0)
    opened, workers = gate()
    async with engine_on(workers, wrap=Counted) as engine:
        first = await submit(engine)
        await until(lambda: workers.calls)
        late = await submit(engine, order={"start_within": 0.1})
        late = await ended(engine, late)
        assert late.failure.code == "start-deadline-passed"
        opened.set()
        await ended(engine, first)
    assert claims < 50


async def test_a_job_that_cannot_start_in_time_fails(engine_on):
    opened, workers = gate()
    async with engine_on(workers) as engine:
        first = await submit(engine)
        late = await submit(engine, order={"start_within": 0.2})
        late = await ended(engine, late)
        assert (late.status, late.failure.code) == (JobStatus.FAILED, "start-deadline-passed")
        opened.set()
        await ended(engine, first)
    assert len(workers.calls) == 1


async def test_the_outlook_of_a_queued_job(engine_on):
    opened, workers = gate()
    async with engine_on(workers) as engine:
        first = await submit(engine)
        await until(lambda: workers.calls)
        queued = [await submit(engine) for _ in range(3)]
        assert [(await engine.outlook(job)).position for job in queued] == [0, 1, 2]
        assert (await engine.outlook(queued[0])).estimated_start is None  # nothing has ended yet
        assert "slots" in (await engine.outlook(queued[0])).reason
        assert await engine.outlook(await engine.job(DEFAULT_ORGANIZATION, first.id)) is None
        opened.set()
        await ended(engine, queued[-1])
        opened.clear()
        await submit(engine)
        waiting = [await submit(engine) for _ in range(2)]
        starts = [(await engine.outlook(job)).estimated_start for job in waiting]
        assert starts[0] is not None
        assert starts[0] <= starts[1]
        opened.set()
        await ended(engine, waiting[-1])


async def test_the_outlook_knows_how_many_jobs_the_organization_may_run(engine_on, monkeypatch):
    opened, workers = gate(slots=8)
    async with engine_on(workers) as engine:

        async def room(_self, organization):
            return 2, 0

        monkeypatch.setattr(type(engine._queries), "room", room)
        engine._forecast._pace.note("text", 1_000)
        engine._executor._claiming = False  # as if others had taken the places
        queued = [await submit(engine) for _ in range(4)]
        now = engine._clock.now()
        outlooks = [await engine.outlook(job) for job in queued]
        assert {outlook.reason for outlook in outlooks} == {"The organization runs as many jobs as it may."}
        starts = [round((outlook.estimated_start - now) / 100) for outlook in outlooks]
        assert starts == [5, 10, 15, 20]
        opened.set()


async def test_the_same_key_is_the_same_job(engine_on):
    order = Order("text_to_text", {"text": "hi"}, {})
    async with engine_on(ScriptedWorkers(always)) as engine:
        first = await engine.submit(DEFAULT_ORGANIZATION, order, idempotency_key="k")
        again = await asyncio.gather(
            *(engine.submit(DEFAULT_ORGANIZATION, order, idempotency_key="k") for _ in range(5))
        )
        assert {one.job.id for one in again} == {first.job.id}
        assert all(one.replayed for one in again)
        with pytest.raises(IdempotencyConflict):
            await engine.submit(DEFAULT_ORGANIZATION, Order("text_to_text", {"text": "ho"}, {}), idempotency_key="k")
        await ended(engine, first.job)
        assert len((await engine.jobs(DEFAULT_ORGANIZATION, limit=10)).jobs) == 1


async def test_a_batch_is_all_or_nothing(engine_on):
    good, bad = Order("text_to_text", {"text": "hi"}, {}), Order("text_to_text", {}, {})
    async with engine_on(ScriptedWorkers(always)) as engine:
        with pytest.raises(InvalidRequest) as caught:
            await engine.submit_batch(DEFAULT_ORGANIZATION, [good, bad, Order("none", {}, {})])
        assert [error.field for error in caught.value.errors] == ["jobs.1.inputs.text", "jobs.2"]
        assert (await engine.jobs(DEFAULT_ORGANIZATION, limit=10)).jobs == []
        batch, _ = await engine.submit_batch(DEFAULT_ORGANIZATION, [good] * 20)
        async with asyncio.timeout(20):
            while (await engine.batch(DEFAULT_ORGANIZATION, batch.id))[1][JobStatus.COMPLETED] < 20:
                await asyncio.sleep(0.02)


async def test_a_one_step_job_alone_costs_two_flushes(engine_on):
    flushes = []

    class Counted:
        def __init__(self, ledger):
            self._ledger = ledger

        def __getattr__(self, name):
            if name in ("submit", "claim", "decide"):
                flushes.append(name)
            return getattr(self._ledger, name)

    async with engine_on(ScriptedWorkers(always), wrap=Counted) as engine:
        await until(lambda: flushes.count("claim") >= 5)  # the first look at every lane
        flushes.clear()
        job = await ended(engine, await submit(engine))
    assert job.status is JobStatus.COMPLETED
    assert [name for name in flushes if name != "claim"] == ["submit", "decide"]
    assert "claim" not in flushes[: flushes.index("decide")]


async def test_events_tell_the_whole_story(engine_on):
    workers = ScriptedWorkers(failing(ProviderUnavailable("Down.")))
    async with engine_on(workers) as engine:
        job = await ended(engine, await submit(engine))
        async with engine.follower.job_events(DEFAULT_ORGANIZATION, job.id, after=0) as stream:
            events = await stream.read(5.0)
    assert [event.event.type for event in events] == [
        EventType.JOB_QUEUED,
        EventType.JOB_STARTED,
        EventType.STEP_STARTED,
        EventType.STEP_RETRIED,
        EventType.STEP_STARTED,
        EventType.STEP_COMPLETED,
        EventType.JOB_COMPLETED,
    ]
    assert [event.seq for event in events] == list(range(1, 8))


async def test_text_is_streamed_where_it_is_asked_for(database, engine_on):
    heard = []
    workers = ScriptedWorkers(always)
    async with engine_on(workers, SETTINGS) as engine:
        engine._signals.listen(lambda signal: heard.append(signal) if isinstance(signal, TextDelta) else None)
        await ended(engine, await submit(engine))
        assert heard == []
        job = await ended(engine, await submit(engine, stream=True))
        await until(lambda: heard)
    assert "".join(delta.text for delta in heard) == job.outputs["text"]
    assert heard[0].offset == 0
    assert "stream" not in workers.calls[-1].options


async def test_the_whole_text_is_streamed_before_the_step_is_completed(engine_on):
    heard = []
    told = {}

    class Noting(Wrapped):
        async def decide(self, decision):
            types = {event.type for event in decision.change.events}
            if EventType.STEP_COMPLETED in types:
                told[decision.fence.job] = "".join(delta.text for delta in heard)
            await self._ledger.decide(decision)

    async def script(call):
        return answer(call, "hello world")

    async with engine_on(ScriptedWorkers(script), wrap=Noting) as engine:
        engine._signals.listen(lambda signal: heard.append(signal) if isinstance(signal, TextDelta) else None)
        job = await ended(engine, await submit(engine, stream=True))
    assert told == {job.id: "hello world"}
    assert job.outputs == {"text": "hello world"}


async def test_who_follows_a_job_reads_its_whole_text(engine_on):
    opened, workers = gate()
    async with engine_on(workers) as engine, engine.follower.listening():
        job = await submit(engine, stream=True)
        async with engine.follower.job_events(DEFAULT_ORGANIZATION, job.id, 0) as stream:
            opened.set()
            text = ""
            async with asyncio.timeout(20):
                while not stream.ended:
                    read = await stream.read(5.0)
                    text += "".join(item.text for item in read if isinstance(item, TextDelta))
        job = await ended(engine, job)
    assert text == job.outputs["text"]


@pytest.mark.parametrize("claimed", [False, True])
async def test_a_job_that_cannot_be_begun_fails_and_keeps_nobody_waiting(engine_on, monkeypatch, claimed):
    """A defect of ours, which speaks of this one job."""

    def broken(job, *arguments):
        if job.inputs["text"] == "bad":
            raise KeyError("a defect")
        return choose(job, *arguments)

    for module in ("beginning", "run"):
        monkeypatch.setattr(f"genesis.engine.{module}.choose", broken)
    async with engine_on(ScriptedWorkers(always, (described("one", slots=1),))) as engine:
        order = soon() if claimed else None
        bad = await submit(engine, inputs={"text": "bad"}, order=order)
        good = await submit(engine, order=order)
        assert (await ended(engine, good)).status is JobStatus.COMPLETED
        bad = await ended(engine, bad)
        assert (bad.status, bad.failure.code) == (JobStatus.FAILED, "internal-error")
        await until(lambda: engine._lanes.free("text") == 1)
