"""The engine while the clock that its times go by is set forward or back by an hour: nothing is lost or paid for twice, and
nothing waits for that hour.
"""

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from genesis.domain.attempt import AttemptState, ProviderClass
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.engine.engine import Engine
from genesis.errors import ProviderUnavailable, TooLate, WorkerLost
from genesis.pipelines.catalog import builtin_pipelines
from genesis.pipelines.contract import contract_of
from genesis.ports.workers import CallPending
from tests.support.bad_moments import Cut
from tests.support.clocks import HOUR, LEASE_SECONDS, postgres_of_its_own_time, sqlite_on_machine
from tests.support.engine import SETTINGS, always, attempts_closed, ended, failing, never, submit, until
from tests.support.jobs import pipeline, text_step
from tests.support.prices import SetPrices
from tests.support.workers import ScriptedWorkers, answer, described

SOON = 15.0
"""Seconds in which all has to go on: much less than the hour."""
FREE = (described("one", ProviderClass.REPEATABLE),)

pytestmark = pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["forward", "back"])


class Punctual(ScriptedWorkers):
    """Workers that take no call after its time, by the clock of their machine."""

    async def generate(self, call, on_delta=None):
        if time.time_ns() // 1_000_000 > call.not_after:
            raise TooLate("The call reached the worker after its time.")
        return await super().generate(call, on_delta)


@pytest.fixture(params=["sqlite", "postgres"])
def clocked(request, tmp_path, monkeypatch):
    monkeypatch.setattr("genesis.engine.executor._SWEEP_SECONDS", 0.2)
    if request.param == "sqlite":
        return sqlite_on_machine(tmp_path / "jobs.db", monkeypatch)
    return postgres_of_its_own_time()


@pytest.fixture
def engine_on(clocked):
    """Runs engines on the test's database; when one ends, all that was written of its jobs is as it should be."""

    @asynccontextmanager
    async def opened(workers, pipelines=None, wrap=lambda ledger: ledger, **changes):
        settings = SETTINGS.model_copy(update={"lease_seconds": LEASE_SECONDS, "drain_seconds": 0} | changes)
        async with clocked.opened() as db:
            wrapped = replace(db, ledger=wrap(db.ledger))
            engine = Engine(wrapped, workers, pipelines or builtin_pipelines(), SetPrices(), settings)
            async with engine.running():
                await until(lambda: engine.directory.known)
                yield engine
                await is_in_order(engine)

    return opened


async def is_in_order(engine):
    """Each job's events have no gap, and the feed has all of them in the same order."""
    jobs = [job.id for job in (await engine.jobs(DEFAULT_ORGANIZATION, limit=100)).jobs]
    feed, cursor = [], None
    while events := await engine._queries.feed(DEFAULT_ORGANIZATION, after=cursor, limit=7):
        feed += events
        cursor = events[-1].cursor
    for job in jobs:
        events = await engine._queries.events(DEFAULT_ORGANIZATION, job, after=0, limit=1_000)
        told = [event for event in feed if event.job == job]
        assert [event.seq for event in told] == list(range(1, len(told) + 1))
        assert events[: len(told)] == told


async def completed(engine, job):
    job = await ended(engine, job, within=SOON)
    assert job.status is JobStatus.COMPLETED, job.failure
    return job


async def is_written(engine, job, condition):
    async with asyncio.timeout(SOON):
        while not condition(await engine.job(DEFAULT_ORGANIZATION, job.id)):
            await asyncio.sleep(0.01)


async def test_jobs_go_on_and_new_ones_begin(engine_on, clocked, by):
    workers = Punctual(always)
    async with engine_on(workers) as engine:
        await completed(engine, await submit(engine))
        await clocked.set_by(by)
        for _ in range(3):
            await completed(engine, await submit(engine))
        await clocked.set_by(-by)
        await completed(engine, await submit(engine))
    assert len(workers.calls) == 5


async def test_a_start_is_delayed_until_the_clock_says_so(engine_on, clocked, by):
    """It was told as a time of day."""
    workers = Punctual(always)
    async with engine_on(workers) as engine:
        job = await submit(engine, order={"not_before": clocked.now() + HOUR // 2})
        await clocked.set_by(by)
        if by > 0:
            await completed(engine, job)
            return
        (reason,) = await engine.waits_for([await engine.job(DEFAULT_ORGANIZATION, job.id)])
        assert reason == "It is not to start before a later time."
        await clocked.set_by(2 * HOUR)
        await completed(engine, job)


async def test_a_backoff_ends(engine_on, clocked, by):
    workers = Punctual(failing(ProviderUnavailable("Down.", retry_after=2.0)))
    async with engine_on(workers) as engine:
        job = await submit(engine)
        await is_written(engine, job, lambda job: job.owner is None and job.wake_at)
        await clocked.set_by(by)
        job = await completed(engine, job)
    assert len(workers.calls) == 2


async def test_a_backoff_ends_beside_a_call(engine_on, clocked, by):
    opened = asyncio.Event()
    failures = [ProviderUnavailable("Down.", retry_after=2.0)]

    async def script(call):
        if call.input["text"] == "slow":
            await opened.wait()
        elif failures:
            raise failures.pop()
        return answer(call)

    both = pipeline(text_step("a", "slow"), text_step("b", "quick"), outputs={"text": "${steps.a.text}"})
    workers = Punctual(script, FREE)
    async with engine_on(workers, {"trial": contract_of(both)}) as engine:
        job = await submit(engine, "trial")
        await is_written(engine, job, lambda job: job.step("b").retry_at)
        await clocked.set_by(by)
        await until(lambda: [call.input["text"] for call in workers.calls].count("quick") == 2, within=SOON)
        opened.set()
        await completed(engine, job)


async def test_a_model_that_rests_is_asked_again(engine_on, clocked, by, monkeypatch):
    monkeypatch.setattr("genesis.engine.breaker._OPEN_MILLISECONDS", 3_000)
    workers = Punctual(failing(*[ProviderUnavailable("Down.")] * 5))
    async with engine_on(workers, max_attempts=5) as engine:
        first = await ended(engine, await submit(engine))
        assert first.status is JobStatus.FAILED
        waiting = await submit(engine)
        await is_written(engine, waiting, lambda job: job.steps[0].retry_at)
        await clocked.set_by(by)
        await completed(engine, waiting)
        await completed(engine, await submit(engine))


async def test_a_missing_worker_is_waited_for_no_longer_than_it_is_missing(engine_on, clocked, by):
    workers = Punctual(always, missing={"speech"})
    spoken = pipeline(
        text_step("write"),
        {"name": "speak", "capability": "speech", "input": {"text": "${steps.write.text}"}},
        outputs={"audio_url": "${steps.speak.audio_url}"},
    )
    async with engine_on(workers, {"trial": contract_of(spoken)}) as engine:
        job = await submit(engine, "trial")
        await is_written(engine, job, lambda job: job.lane == "speech")
        await clocked.set_by(by)
        workers.missing.clear()
        await completed(engine, job)


async def test_a_call_goes_on_and_is_made_once(engine_on, clocked, by):
    opened = asyncio.Event()

    async def script(call):
        await opened.wait()
        return answer(call)

    workers = Punctual(script, shares_fate=False)
    async with engine_on(workers) as engine:
        jobs = [await submit(engine) for _ in range(3)]
        await until(lambda: len(workers.under_way) == 3)
        await clocked.set_by(by)
        await asyncio.sleep(LEASE_SECONDS + 1)
        opened.set()
        for job in jobs:
            await completed(engine, job)
            attempts = (await attempts_closed(engine, job)).attempts
            assert [attempt.state for attempt in attempts] == [AttemptState.SUCCEEDED]
    assert len(workers.calls) == 3


@pytest.mark.parametrize("provider_class", [ProviderClass.HANDLE, ProviderClass.OPAQUE])
async def test_a_pending_call_is_waited_for(engine_on, clocked, by, provider_class):
    done = False

    async def script(call):
        return CallPending({"id": 1}, 0.05)

    async def polled(call, handle):
        return answer(call) if done else CallPending(handle, 0.05)

    workers = Punctual(script, (described("one", provider_class),), poll_script=polled, shares_fate=False)
    async with engine_on(workers) as engine:
        job = await submit(engine)
        await until(lambda: workers.polls)
        await clocked.set_by(by)
        await asyncio.sleep(LEASE_SECONDS + 1)
        done = True
        job = await completed(engine, job)
    assert (len(workers.calls), len(job.attempts)) == (1, 1)


async def test_a_call_in_doubt_is_looked_for(engine_on, clocked, by):
    """The connection to the worker is lost, and the worker remembers the call a while later."""
    known = False

    async def lost(call):
        raise WorkerLost("Lost.")

    async def recalled(call):
        return answer(call) if known else None

    workers = Punctual(lost, shares_fate=False, recall_script=recalled)
    async with engine_on(workers) as engine:
        job = await submit(engine)
        await until(lambda: workers.recalls)
        await clocked.set_by(by)
        asked = len(workers.recalls)
        await until(lambda: len(workers.recalls) > asked)
        known = True
        job = await ended(engine, job, within=2 * SOON)
    assert (job.status, len(workers.calls)) == (JobStatus.COMPLETED, 1)


async def test_a_doubt_ends(engine_on, clocked, by, monkeypatch):
    """Nobody remembers the call: that is told when it is surely over, and not an hour later."""
    monkeypatch.setattr("genesis.engine.choice._GRACE_MILLISECONDS", 100)

    async def lost(call):
        raise WorkerLost("Lost.")

    workers = Punctual(lost, shares_fate=False)
    async with engine_on(workers, call_timeout_seconds=3.0) as engine:
        job = await submit(engine)
        await until(lambda: workers.recalls)
        await clocked.set_by(by)
        job = await ended(engine, job, within=2 * SOON)
    assert (job.status, job.failure.code) == (JobStatus.FAILED, "outcome-unknown")
    assert [attempt.state for attempt in job.attempts] == [AttemptState.UNKNOWN]
    assert len(workers.calls) == 1


async def test_a_job_ends_by_its_deadline(engine_on, clocked, by):
    workers = Punctual(never, FREE)
    async with engine_on(workers) as engine:
        job = await submit(engine, order={"finish_within": 3.0})
        await until(lambda: workers.under_way)
        await clocked.set_by(by)
        job = await ended(engine, job, within=SOON)
    assert (job.status, job.failure.code) == (JobStatus.FAILED, "deadline-passed")


async def test_a_retry_by_hand_has_all_its_attempts(engine_on, clocked, by):
    workers = Punctual(failing(*[ProviderUnavailable("Down.")] * 3))
    async with engine_on(workers, max_attempts=2) as engine:
        job = await ended(engine, await submit(engine), within=SOON)
        assert (job.status, len(job.attempts)) == (JobStatus.FAILED, 2)
        await clocked.set_by(by)
        await completed(engine, await engine.retry(DEFAULT_ORGANIZATION, job.id))
    assert len(workers.calls) == 4


async def test_what_waited_goes_on_after_a_restart(engine_on, clocked, by):
    workers = Punctual(failing(ProviderUnavailable("Down.", retry_after=3.0)))
    async with engine_on(workers) as engine:
        job = await submit(engine)
        await is_written(engine, job, lambda job: job.owner is None and job.wake_at)
    await clocked.set_by(by)
    async with engine_on(workers) as engine:
        await completed(engine, job)
    assert len(workers.calls) == 2


async def test_a_call_of_before_a_restart_is_looked_for_no_longer_than_it_may_take(engine_on, clocked, by, monkeypatch):
    monkeypatch.setattr("genesis.engine.choice._GRACE_MILLISECONDS", 100)
    before, after = Punctual(never, shares_fate=False), Punctual(always, shares_fate=False)
    async with engine_on(before, call_timeout_seconds=3.0) as engine:
        job = await submit(engine)
        await until(lambda: before.under_way)
    await clocked.set_by(by)
    async with engine_on(after, call_timeout_seconds=3.0) as engine:
        job = await ended(engine, job, within=2 * SOON)
    assert (job.failure.code, after.calls) == ("outcome-unknown", [])


@pytest.mark.parametrize("clocked", ["postgres"], indirect=True)
async def test_the_jobs_of_the_dead_go_on(engine_on, clocked, by):
    ledgers = []

    def cut(ledger):
        ledgers.append(Cut(ledger))
        return ledgers[-1]

    hanging, healthy = Punctual(never, FREE), Punctual(always, FREE)
    async with engine_on(hanging, wrap=cut) as one:
        job = await submit(one)
        await until(lambda: hanging.under_way)
        async with engine_on(healthy, wrap=cut) as two:
            ledgers[0].cut_off = True  # it is dead to the others
            await clocked.set_by(by)
            job = await completed(two, job)
            ledgers[0].cut_off = False
    assert len(healthy.calls) == 1


async def test_a_call_is_late_five_seconds_after_its_intent_whatever_the_ledgers_clock_tells(engine_on, clocked, by):
    left = []

    class Noting(Punctual):
        async def generate(self, call, on_delta=None):
            left.append(call.not_after - time.time_ns() // 1_000_000)
            return await super().generate(call, on_delta)

    async with engine_on(Noting(always)) as engine:
        await completed(engine, await submit(engine))
        await clocked.set_by(by)
        await completed(engine, await submit(engine))
    assert all(0 < milliseconds <= 5_000 for milliseconds in left), left
