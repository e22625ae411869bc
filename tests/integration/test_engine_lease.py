"""Several engines on one PostgreSQL: leases, takeover, and owners that come back from the dead (lines 15-18, 22)."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from genesis.domain.attempt import AttemptState, ProviderClass
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.engine.engine import Engine
from genesis.errors import Unavailable
from genesis.pipelines.catalog import builtin_pipelines
from genesis.ports.clock import SystemClock
from tests.support.bad_moments import Cut
from tests.support.engine import SETTINGS, always, attempts_closed, ended, never, submit, until
from tests.support.jobs import job_of
from tests.support.postgres import postgres_database
from tests.support.prices import SetPrices
from tests.support.workers import ScriptedWorkers, answer, described

LEASE_SECONDS = 1.0
FREE = (described("one", ProviderClass.REPEATABLE),)


@pytest.fixture
def cluster(monkeypatch):
    """Opens engines on one database, each with its ledger's `Cut`."""
    monkeypatch.setattr("genesis.engine.executor._SWEEP_SECONDS", 0.2)
    opened = postgres_database(SystemClock(), lease_seconds=LEASE_SECONDS)
    settings = SETTINGS.model_copy(update={"lease_seconds": LEASE_SECONDS, "drain_seconds": 0})

    @asynccontextmanager
    async def engine_of(workers, **changes):
        async with opened() as db:
            ledger = Cut(db.ledger)
            changed = settings.model_copy(update=changes)
            engine = Engine(replace(db, ledger=ledger), workers, builtin_pipelines(), SetPrices(), changed)
            async with engine.running():
                await until(lambda: engine.directory.known)
                yield engine, ledger

    return engine_of


async def test_jobs_are_shared_and_each_runs_once(cluster):
    async def slow(call):
        await asyncio.sleep(0.05)
        return answer(call)

    first, second = (
        ScriptedWorkers(slow, (described("one", slots=2),)),
        ScriptedWorkers(slow, (described("one", slots=2),)),
    )
    async with cluster(first) as (one, _), cluster(second) as (two, _):
        jobs = [await submit(one) for _ in range(20)]
        for job in jobs:
            assert (await ended(two, job)).status is JobStatus.COMPLETED
    assert len(first.calls) + len(second.calls) == 20
    assert second.calls


async def test_a_gateway_without_executor_leaves_the_work_to_others(cluster):
    accepting, running = ScriptedWorkers(always), ScriptedWorkers(always)
    async with cluster(accepting, executor=False) as (gateway, _), cluster(running) as _:
        assert not gateway.executes
        job = await ended(gateway, await submit(gateway))
    assert job.status is JobStatus.COMPLETED
    assert (len(accepting.calls), len(running.calls)) == (0, 1)


async def test_a_cancel_reaches_the_engine_that_runs_the_job(cluster):
    running = ScriptedWorkers(never, FREE)
    async with cluster(ScriptedWorkers(always), executor=False) as (gateway, _), cluster(running) as _:
        job = await submit(gateway)
        await until(lambda: running.under_way)
        await gateway.cancel(DEFAULT_ORGANIZATION, job.id)
        job = await ended(gateway, job, within=5)
    assert job.status is JobStatus.CANCELED
    assert running.cancels


async def test_the_jobs_of_the_dead_go_on_elsewhere(cluster):
    hanging, healthy = ScriptedWorkers(never, FREE), ScriptedWorkers(always, FREE)
    async with cluster(hanging) as (one, ledger):
        job = await submit(one)
        await until(lambda: hanging.under_way)
        ledger.cut_off = True  # no more heartbeats
        async with cluster(healthy) as (two, _):
            job = await ended(two, job, within=LEASE_SECONDS + 10)
        ledger.cut_off = False
    assert job.status is JobStatus.COMPLETED
    assert job.crash_count == 1
    assert [attempt.state for attempt in job.attempts] == [AttemptState.FAILED, AttemptState.SUCCEEDED]


async def test_what_a_zombie_has_paid_for_is_not_thrown_away(cluster):
    answered = asyncio.Event()

    async def slow(call):
        await answered.wait()
        return answer(call, "paid for")

    zombie = ScriptedWorkers(slow, shares_fate=False)
    heir = ScriptedWorkers(always, shares_fate=False)
    async with cluster(zombie) as (one, ledger):
        job = await submit(one)
        await until(lambda: zombie.under_way)
        ledger.cut_off = True
        async with cluster(heir) as (two, _):
            await until(lambda: heir.recalls, within=LEASE_SECONDS + 10)
            answered.set()  # the zombie has its answer, and cannot write it yet
            await asyncio.sleep(0.3)
            ledger.cut_off = False
            job = await ended(two, job, within=30)
    assert (job.status, job.outputs) == (JobStatus.COMPLETED, {"text": "paid for"})
    assert (len(zombie.calls), heir.calls) == (1, [])
    assert [attempt.state for attempt in job.attempts] == [AttemptState.SUCCEEDED]


async def test_a_late_answer_serves_the_retry(cluster, impatient):
    answered = asyncio.Event()

    class Deaf(ScriptedWorkers):
        async def cancel(self, capability, attempt, handle=None):
            self.cancels.append("ignored")

    async def slow(call):
        await answered.wait()
        return answer(call, "paid for")

    workers = Deaf(slow)
    async with cluster(workers) as (engine, _):
        job = await submit(engine)
        await until(lambda: workers.under_way)
        await engine.cancel(DEFAULT_ORGANIZATION, job.id)
        job = await ended(engine, job)
        answered.set()
        job = await attempts_closed(engine, job)
        assert (job.status, job.attempts[0].output) == (JobStatus.CANCELED, {"text": "paid for"})
        job = await ended(engine, await engine.retry(DEFAULT_ORGANIZATION, job.id))
    assert (job.status, job.outputs) == (JobStatus.COMPLETED, {"text": "paid for"})
    assert len(workers.calls) == 1


async def test_who_was_declared_dead_goes_on_under_a_new_name(cluster):
    workers = ScriptedWorkers(always, FREE)
    async with cluster(workers) as (one, ledger):
        before = one._executor._owner
        ledger.cut_off = True
        async with cluster(ScriptedWorkers(always, FREE)) as (two, _):
            await asyncio.sleep(LEASE_SECONDS + 0.5)
            ledger.cut_off = False
            await until(lambda: one._executor._owner != before)
            assert (await ended(two, await submit(one))).status is JobStatus.COMPLETED


@pytest.mark.parametrize("error", [Unavailable("Away for a moment."), RuntimeError("A defect of ours.")])
async def test_heartbeats_go_on_although_the_new_name_cannot_be_told(cluster, error):
    async with cluster(ScriptedWorkers(always, FREE)) as (engine, ledger):
        heartbeat, join = ledger.heartbeat, ledger.join
        beats, joins = 0, 0

        async def declared_dead(executor):
            nonlocal beats
            beats += 1
            return beats > 1 and await heartbeat(executor)

        async def away_once(executor):
            nonlocal joins
            joins += 1
            if joins == 1:
                raise error
            await join(executor)

        ledger.heartbeat, ledger.join = declared_dead, away_once
        await until(lambda: joins == 1)
        await asyncio.sleep(LEASE_SECONDS)  # the lease of the old name is over
        assert (await ended(engine, await submit(engine))).status is JobStatus.COMPLETED


async def test_nothing_begins_when_the_lease_is_in_doubt(cluster):
    async with cluster(ScriptedWorkers(always, FREE)) as (one, ledger):
        executor, job = one._executor, job_of("text_to_text", lane="text")
        head_start = executor.head_start(job)
        assert head_start is not None
        executor.forgo(job)
        ledger.cut_off = True
        await until(lambda: executor.head_start(job) is None)


async def test_a_job_that_kills_its_executors_runs_alone_and_is_parked(cluster):
    """Each death is simulated: the engine loses its ledger while the job runs, and another takes over."""
    job = None
    for death in range(5):
        workers = ScriptedWorkers(never, FREE)
        async with cluster(workers) as (engine, ledger):
            job = job or await submit(engine)
            await until(lambda: workers.under_way, within=30)  # noqa: B023
            if death >= 2:  # twice before, it was among others: now it runs alone
                assert len(workers.under_way) == 1
            ledger.cut_off = True
    async with cluster(ScriptedWorkers(never, FREE)) as (engine, _):
        job = await ended(engine, job, within=30)
    assert (job.status, job.failure.code) == (JobStatus.FAILED, "poisoned")
    assert job.crash_count == 5
