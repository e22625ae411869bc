"""Several ledgers on one PostgreSQL database, and what a single one does there that no contract speaks of."""

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import asyncpg
import pytest

from genesis.database.postgres.connection import Server
from genesis.database.postgres.open import open_postgres
from genesis.database.postgres.schema import HEAD, migrate
from genesis.domain.attempt import AttemptState
from genesis.domain.event import Event, EventType
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.step import StepState
from genesis.errors import Conflict, Fenced, Misconfigured
from genesis.ports.ledger import Change, Decision, Finish, Idempotency, Release
from genesis.ports.signals import CancelRequested, JobChanged, Reread, TextDelta, WorkQueued
from tests.support.jobs import job_of
from tests.support.ledger import TWO_STEPS, SetClock, attempt_of, fence_of, first_call, head_start, nothing
from tests.support.postgres import postgres_url, shared_server


@pytest.fixture
def url():
    return postgres_url()


@pytest.fixture
def opened(url):
    """Opens the same database, as another process would."""

    @asynccontextmanager
    async def opening(clock=None, lease_seconds=15.0):
        async with open_postgres(url, lease_seconds=lease_seconds, clock=clock) as database:
            yield database

    return opening


@asynccontextmanager
async def several(opened, count, clock=None):
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(opened(clock)) for _ in range(count)]


async def until(condition, within=15.0):
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.02)


async def submit_many(ledger, count, **more):
    jobs = [job_of(TWO_STEPS, wake_at=0, **more) for _ in range(count)]
    await asyncio.gather(*(ledger.submit(job) for job in jobs))
    return jobs


async def test_two_ledgers_that_claim_at_once_never_get_the_same_job(opened):
    async with several(opened, 2) as (one, two):
        jobs = await submit_many(one.ledger, 60)
        await one.ledger.join("one")
        await two.ledger.join("two")
        claims = [
            database.ledger.claim(name, "text", 3, first_call) for database, name in ((one, "one"), (two, "two")) * 12
        ]
        claimed = [each.job.id for some in await asyncio.gather(*claims) for each in some]
        assert sorted(claimed) == sorted(job.id for job in jobs)


async def test_a_capped_organization_is_not_overfilled_by_two_ledgers(opened, url):
    await run(url, "UPDATE organizations SET max_running = 3")
    async with several(opened, 2) as (one, two):
        await one.ledger.join("one")
        await two.ledger.join("two")
        jobs = [job_of(TWO_STEPS, wake_at=0) for _ in range(20)]
        starts = [
            database.ledger.submit(job, head_start=head_start(job, name))
            for job, (database, name) in zip(jobs, ((one, "one"), (two, "two")) * 10, strict=True)
        ]
        await asyncio.gather(*starts)
        claims = [
            database.ledger.claim(name, "text", 5, nothing) for database, name in ((one, "one"), (two, "two")) * 3
        ]
        await asyncio.gather(*claims)
        assert await run(url, "SELECT count(*) FROM jobs WHERE owner IS NOT NULL") == [(3,)]


async def test_while_another_process_fills_a_capped_organization_it_gets_nothing_here(opened, url):
    await run(url, "UPDATE organizations SET max_running = 3")
    async with opened() as database:
        await database.ledger.join("me")
        other = await asyncpg.connect(url)
        try:
            await other.execute("BEGIN; SELECT 1 FROM organizations FOR NO KEY UPDATE")
            job = job_of(TWO_STEPS, wake_at=0)
            assert (await database.ledger.submit(job, head_start=head_start(job))).job.owner is None
            assert await database.ledger.claim("me", "text", 5, nothing) == []
            await other.execute("COMMIT")
        finally:
            await other.close()
        assert len(await database.ledger.claim("me", "text", 5, nothing)) == 1


async def test_two_ledgers_that_hammer_the_same_jobs_do_not_deadlock(opened, url):
    async with several(opened, 2) as (one, two):
        await one.ledger.join("one")
        jobs = await submit_many(one.ledger, 40)
        claimed = [each.job for each in await one.ledger.claim("one", "text", 40, nothing)]
        assert len(claimed) == len(jobs)
        progress = Change(events=(Event(EventType.STEP_STARTED, 1),))
        decisions = [
            database.ledger.decide(Decision(fence_of(job), progress))
            for _ in range(5)
            for job in claimed
            for database in (one, two)
        ]
        cancels = [two.ledger.cancel(DEFAULT_ORGANIZATION, job.id) for job in reversed(claimed)]
        await asyncio.gather(*decisions, *cancels, two.ledger.sweep(), one.ledger.sweep())
        assert await run(url, "SELECT count(*), max(seq) FROM events WHERE type = 'step-started'") == [(400, 12)]
        gaps = "SELECT job FROM events GROUP BY job HAVING count(*) <> max(seq)"
        assert await run(url, gaps) == []
        assert await run(url, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == [(0,)]


async def test_a_dead_executors_jobs_are_taken_over_and_it_decides_nothing_but_its_evidence_counts(opened):
    clock = SetClock()
    async with several(opened, 2, clock) as (dead, alive):
        (job,) = await submit_many(dead.ledger, 1)
        await dead.ledger.join("dead")
        await alive.ledger.join("alive")
        ((claimed),) = await dead.ledger.claim("dead", "text", 1, first_call)
        clock.time += 14_000
        assert await alive.ledger.heartbeat("alive")
        assert await alive.ledger.sweep() == 0
        clock.time += 2_000
        assert await alive.ledger.sweep() == 1
        assert await dead.ledger.heartbeat("dead") is False
        assert await dead.ledger.claim("dead", "text", 1, nothing) == []
        (again,) = await alive.ledger.claim("alive", "text", 1, nothing)
        assert (again.job.id, again.job.crash_count, again.job.epoch > claimed.job.epoch) == (job.id, 1, True)
        late = replace(claimed.change.intents[0], state=AttemptState.SUCCEEDED, settled_at=clock.time)
        finish = Finish(JobStatus.COMPLETED, {"text": "late"})
        with pytest.raises(Fenced):
            await dead.ledger.decide(Decision(fence_of(claimed.job), Change(evidence=(late,), outcome=finish)))
        stored = await alive.queries.job(DEFAULT_ORGANIZATION, job.id)
        assert (stored.status, stored.owner, stored.attempts[0].state) == (
            JobStatus.RUNNING,
            "alive",
            AttemptState.SUCCEEDED,
        )


async def test_leases_go_by_the_databases_clock(opened):
    async with several(opened, 2) as (one, two):
        assert abs(one.clock.now() - time.time() * 1000) < 2_000
        await one.ledger.join("one")
        await submit_many(one.ledger, 1)
        assert len(await one.ledger.claim("one", "text", 1, nothing)) == 1
        assert await two.ledger.sweep() == 0
        assert await one.ledger.heartbeat("one")
        assert not await one.ledger.heartbeat("nobody")
    async with opened(lease_seconds=1.0) as short:
        await short.ledger.join("short")
        await submit_many(short.ledger, 1)
        assert len(await short.ledger.claim("short", "text", 1, nothing)) == 1
        async with asyncio.timeout(10):  # who has not asked the database for a while grants a lease in which it has
            while not (lost := await short.ledger.sweep()):
                await asyncio.sleep(0.2)
        assert lost == 1


async def test_hints_reach_other_processes_and_ones_own_only_once(opened):
    here, there = [], []
    async with several(opened, 2) as (one, two):
        one.signals.listen(here.append)
        two.signals.listen(there.append)
        (job,) = await submit_many(one.ledger, 1)
        await one.ledger.join("one")
        await until(lambda: len(there) == 2)
        assert there == [JobChanged(DEFAULT_ORGANIZATION, job.id), WorkQueued("text")] == here
        await one.ledger.claim("one", "text", 1, nothing)
        await two.ledger.cancel(DEFAULT_ORGANIZATION, job.id)
        await until(lambda: CancelRequested(job.id) in here)
        deltas = [TextDelta(DEFAULT_ORGANIZATION, job.id, "a", "attempt", 3 * n, f"'{n}\\") for n in range(3)]
        for delta in deltas:
            one.signals.send(delta)
        await until(lambda: deltas[-1] in there)
        assert [signal for signal in there if isinstance(signal, TextDelta)] == deltas
        assert [signal for signal in here if isinstance(signal, TextDelta)] == deltas


async def test_too_many_hints_become_one_to_read_again(opened):
    there = []
    async with several(opened, 2) as (one, two):
        two.signals.listen(there.append)
        await submit_many(one.ledger, 1)
        await until(lambda: there)
        for number in range(2_000):
            one.signals.send(JobChanged(DEFAULT_ORGANIZATION, f"job {number}"))
        await until(lambda: Reread() in there)
        assert len(there) < 10


async def test_several_processes_migrate_at_once():
    server = shared_server()
    name = await server.create_database("template0")
    await asyncio.gather(*(migrate(Server(server.url(name))) for _ in range(4)))
    assert await server.execute("SELECT version_num FROM alembic_version", database=name) == [(HEAD,)]


async def test_a_schema_of_a_newer_version_is_refused(opened, url):
    await run(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Misconfigured, match="9999"):
        async with opened():
            pass


async def test_a_value_that_the_database_refuses_takes_no_other_command_with_it(opened):
    async with opened() as database:
        good = [job_of(TWO_STEPS, wake_at=0) for _ in range(20)]
        bad = [job_of(TWO_STEPS, wake_at=0, pipeline="nul \0 byte"), job_of(TWO_STEPS, organization="nobody")]
        jobs = [*good[:10], bad[0], *good[10:], bad[1]]
        answers = await asyncio.gather(*(database.ledger.submit(job) for job in jobs), return_exceptions=True)
        refused = [job for job, answer in zip(jobs, answers, strict=True) if isinstance(answer, Exception)]
        assert refused == bad
        page = await database.queries.jobs(DEFAULT_ORGANIZATION, limit=50)
        assert {job.id for job in page.jobs} == {job.id for job in good}


async def test_decisions_of_one_job_that_wait_together_apply_in_order(opened):
    async with opened() as database:
        await database.ledger.join("me")
        (job,) = await submit_many(database.ledger, 1)
        (claimed,) = await database.ledger.claim("me", "text", 1, nothing)
        fence = fence_of(claimed.job)
        kinds = [EventType.STEP_STARTED, EventType.STEP_RETRIED, EventType.STEP_COMPLETED]
        changes = [Change(events=(Event(kind, 1),)) for kind in kinds]
        changes += [
            Change(intents=(attempt_of(),)),
            Change(outcome=Release("speech", 0)),
            Change(outcome=Release("text", 0)),
        ]
        answers = await asyncio.gather(
            *(database.ledger.decide(Decision(fence, change)) for change in changes), return_exceptions=True
        )
        assert [type(answer) for answer in answers] == [type(None)] * 5 + [Fenced]
        events = await database.queries.events(DEFAULT_ORGANIZATION, job.id, after=2, limit=9)
        assert [each.event.type for each in events] == kinds
        assert (await database.queries.job(DEFAULT_ORGANIZATION, job.id)).lane == "speech"


async def test_steps_and_attempts_that_move_twice_while_they_wait_move_twice(opened):
    async with opened() as database:
        await database.ledger.join("me")
        (job,) = await submit_many(database.ledger, 1)
        (claimed,) = await database.ledger.claim("me", "text", 1, nothing)
        running = replace(claimed.job.steps[0], state=StepState.RUNNING, started_at=1)
        done = replace(running, state=StepState.DONE, output={"text": "x"}, completed_at=2)
        attempt = attempt_of()
        pending = replace(attempt, state=AttemptState.PENDING, handle={"id": 7})
        succeeded = replace(attempt, state=AttemptState.SUCCEEDED, settled_at=2)
        changes = [
            Change(steps=(running,), intents=(attempt,)),
            Change(evidence=(pending,)),
            Change(evidence=(succeeded,), steps=(done,)),
        ]
        fence = fence_of(claimed.job)
        await asyncio.gather(*(database.ledger.decide(Decision(fence, change)) for change in changes))
        stored = await database.queries.job(DEFAULT_ORGANIZATION, job.id)
        assert (stored.steps[0], stored.attempts) == (done, (replace(succeeded, handle={"id": 7}),))


async def test_a_decision_waits_for_whoever_changes_the_same_job(opened, url):
    async with opened() as database:
        await database.ledger.join("me")
        (job,) = await submit_many(database.ledger, 1)
        (claimed,) = await database.ledger.claim("me", "text", 1, nothing)
        other = await asyncpg.connect(url)
        try:
            await other.execute("BEGIN; UPDATE jobs SET event_seq = event_seq + 1")
            change = Change(events=(Event(EventType.STEP_STARTED, 1),))
            deciding = asyncio.create_task(database.ledger.decide(Decision(fence_of(claimed.job), change)))
            await asyncio.sleep(0.2)
            assert not deciding.done()
            await other.execute("COMMIT")
            await deciding
        finally:
            await other.close()
        events = await database.queries.events(DEFAULT_ORGANIZATION, job.id, after=0, limit=9)
        assert [each.seq for each in events] == [1, 2, 4]


async def test_the_same_key_at_two_processes_at_once_is_one_job(opened):
    async with several(opened, 2) as (one, two):
        key = Idempotency("key", "print")
        jobs = [job_of(TWO_STEPS, wake_at=0) for _ in range(16)]
        submits = [
            database.ledger.submit(job, idempotency=key) for job, database in zip(jobs, (one, two) * 8, strict=True)
        ]
        submissions = await asyncio.gather(*submits)
        assert len({submission.job.id for submission in submissions}) == 1
        assert [submission.replayed for submission in submissions].count(False) == 1


async def test_a_claim_whose_beginning_fails_claims_nothing(opened):
    def broken(_):
        raise ZeroDivisionError

    async with opened() as database:
        await database.ledger.join("me")
        (job,) = await submit_many(database.ledger, 1)
        with pytest.raises(ZeroDivisionError):
            await database.ledger.claim("me", "text", 1, broken)
        (claimed,) = await database.ledger.claim("me", "text", 1, nothing)
        assert claimed.job.id == job.id


async def test_a_process_stopped_inside_a_transaction_blocks_nobody_for_long(opened, url):
    async with opened(lease_seconds=1.0) as database:
        (job,) = await submit_many(database.ledger, 1)
        stopped = await Server(url, idle_seconds=0.5).connect("writer of another process")
        try:
            await stopped.execute("BEGIN")
            await stopped.execute("SELECT 1 FROM jobs FOR UPDATE")
            async with asyncio.timeout(10):
                canceled = await database.ledger.cancel(DEFAULT_ORGANIZATION, job.id)
            assert canceled.status is JobStatus.CANCELED
        finally:
            stopped.terminate()
        with pytest.raises(Conflict):
            await database.ledger.cancel(DEFAULT_ORGANIZATION, job.id)


async def test_a_newer_version_may_add_columns_meanwhile(opened, url):
    async with opened() as database:
        await database.ledger.join("me")
        jobs = await submit_many(database.ledger, 4)
        await database.ledger.claim("me", "text", 1, first_call)
        await database.queries.job(DEFAULT_ORGANIZATION, jobs[0].id)
        for table in ("jobs", "steps", "attempts", "events"):
            await run(url, f"ALTER TABLE {table} ADD COLUMN of_tomorrow text")
        (claimed,) = await database.ledger.claim("me", "text", 1, first_call)
        assert (await database.queries.job(DEFAULT_ORGANIZATION, claimed.job.id)).attempts == claimed.change.intents
        await database.ledger.decide(Decision(fence_of(claimed.job), Change(outcome=Release("text", 0))))
        assert (await database.ledger.cancel(DEFAULT_ORGANIZATION, jobs[2].id)).status is JobStatus.CANCELED
        assert len((await database.queries.jobs(DEFAULT_ORGANIZATION, limit=9)).jobs) == 4


async def test_weak_durability_is_told(opened, url):
    async with opened() as database:
        assert database.queries.warnings == ()
        name = (await run(url, "SELECT current_database()"))[0][0]
    await run(url, f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    async with opened() as database:
        assert "synchronous_commit" in database.queries.warnings[0]


async def test_writers_leave_nothing_behind(opened, url):
    async with opened() as database:
        await submit_many(database.ledger, 3)
        assert len(await run(url, "SELECT id FROM writers")) == 2
    assert await run(url, "SELECT id FROM writers") == []
    assert await run(url, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()") == [(1,)]


async def run(url, statement):
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()
