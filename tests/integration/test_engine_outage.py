"""A database that is away for longer than a lease: nobody has died of that, and who has died is found out all the same."""

import asyncio
import os
import signal
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from genesis.database.postgres.open import open_postgres
from genesis.domain.attempt import ProviderClass
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.engine.engine import Engine
from genesis.pipelines.catalog import builtin_pipelines
from tests.support.bad_moments import Cut
from tests.support.engine import SETTINGS, always, ended, never, submit, until
from tests.support.postgres import PostgresServer
from tests.support.prices import SetPrices
from tests.support.workers import ScriptedWorkers, answer, described

LEASE_SECONDS = 3.0
FREE = (described("one", ProviderClass.REPEATABLE),)


@pytest.fixture(scope="module")
def server():
    server = PostgresServer()
    server.start()
    asyncio.run(server.create_template())
    yield server
    server.remove()


@pytest.fixture
def name(server):
    return asyncio.run(server.create_database())


@pytest.fixture
def engine_of(server, name, monkeypatch):
    """Opens engines on one database, each with its ledger's `Cut`."""
    monkeypatch.setattr("genesis.engine.executor._SWEEP_SECONDS", 0.2)
    url = server.url(name)
    settings = SETTINGS.model_copy(update={"lease_seconds": LEASE_SECONDS, "drain_seconds": 0})

    @asynccontextmanager
    async def opened(workers):
        async with open_postgres(url, lease_seconds=LEASE_SECONDS) as db:
            ledger = Cut(db.ledger)
            engine = Engine(replace(db, ledger=ledger), workers, builtin_pipelines(), SetPrices(), settings)
            async with engine.running():
                await until(lambda: engine.directory.known)
                yield engine, ledger

    return opened


async def outage(server):
    """The server is away for longer than a lease; returns once it is back."""
    server.stop()
    await asyncio.sleep(LEASE_SECONDS * 1.5)
    await asyncio.to_thread(server.start)


async def stall(server):
    """The server stands still for longer than a lease, with all that is under way there, and goes on."""
    found = await server.execute("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    stopped = [server.process, *(row["pid"] for row in found)]
    for process in stopped:
        os.kill(process, signal.SIGSTOP)
    try:
        await asyncio.sleep(LEASE_SECONDS * 1.5)
    finally:
        for process in stopped:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


def late(ledger):
    """Holds heartbeats back while the returned event is not set: their way is longer than that of everything else."""
    heartbeat, gate = ledger.heartbeat, asyncio.Event()
    gate.set()

    async def held_back(executor):
        await gate.wait()
        return await heartbeat(executor)

    ledger.heartbeat = held_back
    return gate


async def as_stored(engine, job):
    return await engine.job(DEFAULT_ORGANIZATION, job.id)


@pytest.mark.parametrize("away", [outage, stall])
async def test_an_outage_longer_than_a_lease_is_nobodys_death(server, engine_of, away):
    released = asyncio.Event()

    async def slow(call):
        await released.wait()
        return answer(call)

    first, second = ScriptedWorkers(slow, FREE), ScriptedWorkers(slow, FREE)
    async with engine_of(first) as (one, ledger), engine_of(second) as (two, other_ledger):
        gates = [late(ledger), late(other_ledger)]
        owners = [one._executor._owner, two._executor._owner]
        submitted = [await submit(one), await submit(two)]
        await until(lambda: len(first.under_way) + len(second.under_way) == 2)
        jobs = [await as_stored(one, job) for job in submitted]
        assert all(job.owner in owners for job in jobs)
        for _ in range(2):
            for gate in gates:
                gate.clear()
            await away(server)
            await asyncio.sleep(LEASE_SECONDS / 2)
            for gate in gates:
                gate.set()
            await asyncio.sleep(LEASE_SECONDS + 1)
            for job in jobs:
                found = await as_stored(one, job)
                assert (found.status, found.crash_count, found.owner) == (JobStatus.RUNNING, 0, job.owner)
        assert [one._executor._owner, two._executor._owner] == owners
        released.set()
        for job in jobs:
            assert (await ended(one, job)).status is JobStatus.COMPLETED
    assert len(first.calls) + len(second.calls) == 2


async def test_who_died_during_an_outage_is_followed_within_a_lease_after_it(server, engine_of):
    hanging, healthy = ScriptedWorkers(never, FREE), ScriptedWorkers(always, FREE)
    async with engine_of(hanging) as (one, ledger), engine_of(healthy) as (two, _):
        job = await submit(one)
        await until(lambda: hanging.under_way)
        job = await as_stored(one, job)
        server.stop()
        ledger.cut_off = True  # no more heartbeats
        await asyncio.sleep(LEASE_SECONDS * 1.5)
        await asyncio.to_thread(server.start)
        back = time.monotonic()
        job = await ended(two, job, within=LEASE_SECONDS + 5)
        assert time.monotonic() - back < LEASE_SECONDS + 5
        ledger.cut_off = False
    assert (job.status, job.crash_count) == (JobStatus.COMPLETED, 1)


async def test_a_process_that_comes_after_an_outage_declares_nobody_dead(server, engine_of):
    hanging = ScriptedWorkers(never, FREE)
    async with engine_of(hanging) as (one, ledger):
        job = await submit(one)
        await until(lambda: hanging.under_way)
        job = await as_stored(one, job)
        ledger.cut_off = True  # it is slow to come back
        await outage(server)
        async with engine_of(ScriptedWorkers(always, FREE)) as (two, _):
            await two._executor._sweep()
            ledger.cut_off = False
            await asyncio.sleep(LEASE_SECONDS + 1)
            found = await as_stored(two, job)
    assert (found.status, found.crash_count, found.owner) == (JobStatus.RUNNING, 0, job.owner)


DECLARE_DEAD = "UPDATE executors SET state = 'dead'"


async def test_free_calls_of_a_job_that_was_lost_end_at_once(server, name, engine_of):
    first = ScriptedWorkers(never, FREE)
    async with engine_of(first) as (one, _):
        await submit(one)
        await until(lambda: first.under_way)
        attempt, before = next(iter(first.under_way)), one._executor._owner
        await server.execute(DECLARE_DEAD, database=name)
        await until(lambda: one._executor._owner != before, within=10)
        await until(lambda: attempt not in first.under_way, within=5)
    assert attempt in first.cancels


async def test_a_call_that_outlives_its_lost_job_does_not_keep_suspects_waiting(server, name, engine_of):
    workers = ScriptedWorkers(never)
    async with engine_of(workers) as (one, _):
        job = await submit(one)
        await until(lambda: workers.under_way)
        before, has_suspects = one._executor._owner, one._queries.has_suspects

        async def once_reborn():
            return one._executor._owner != before and await has_suspects()

        one._queries.has_suspects = once_reborn  # as when it cannot be asked before, because the lease is over
        await server.execute("UPDATE jobs SET crash_count = 1", database=name)
        await server.execute(DECLARE_DEAD, database=name)
        async with asyncio.timeout(10):
            while (await as_stored(one, job)).epoch < 3:  # taken from the dead, and claimed again
                await asyncio.sleep(0.05)
        assert workers.under_way, "what may have been paid for is still waited for"
