"""What people ask for while the PostgreSQL server is away: it is refused soon, and never done after the refusal."""

import asyncio
import os
import signal
import time

import pytest

from genesis.database.postgres import entry as entry_module
from genesis.database.postgres import lane as lane_module
from genesis.database.postgres import queries as queries_module
from genesis.database.postgres.open import check_postgres, open_postgres
from genesis.domain.batch import Batch
from genesis.domain.identity import new_id
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.errors import CommitUnknown, Misconfigured, Unavailable
from genesis.ports.ledger import Change, Decision, Finish
from tests.support.jobs import job_of
from tests.support.ledger import TWO_STEPS, fence_of, nothing
from tests.support.postgres import PostgresServer

QUEUED, CANCELED = JobStatus.QUEUED, JobStatus.CANCELED


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
def impatient(monkeypatch):
    monkeypatch.setattr(entry_module, "_PATIENCE_SECONDS", 0.5)


@pytest.fixture
def database(server, name):
    return lambda: open_postgres(server.url(name), lease_seconds=15)


async def some_jobs(ledger):
    """A queued job, a canceled one, and a batch of one job."""
    queued, canceled = job_of(TWO_STEPS, wake_at=0), job_of(TWO_STEPS, wake_at=0)
    for job in (queued, canceled):
        await ledger.submit(job)
    await ledger.cancel(DEFAULT_ORGANIZATION, canceled.id)
    batch = Batch(new_id(), DEFAULT_ORGANIZATION, 1, 1)
    of_batch = job_of(TWO_STEPS, wake_at=0, batch=batch.id)
    await ledger.submit_batch(batch, [of_batch])
    return queued.id, canceled.id, batch.id, of_batch.id


def asked(ledger, queued, canceled, batch):
    return (
        asyncio.create_task(ledger.cancel(DEFAULT_ORGANIZATION, queued)),
        asyncio.create_task(ledger.retry(DEFAULT_ORGANIZATION, canceled, resend=False)),
        asyncio.create_task(ledger.cancel_batch(DEFAULT_ORGANIZATION, batch)),
    )


async def back(server, database):
    await asyncio.to_thread(server.start)
    async with asyncio.timeout(30):
        while True:
            try:
                await database.queries.check()
                return
            except Unavailable:
                await asyncio.sleep(0.05)


async def statuses(database, *jobs):
    return [(await database.queries.job(DEFAULT_ORGANIZATION, job)).status for job in jobs]


async def test_commands_are_refused_and_not_done_later(server, database, impatient):
    async with database() as db:
        queued, canceled, batch, of_batch = await some_jobs(db.ledger)
        server.kill()
        async with asyncio.timeout(20):
            answers = await asyncio.gather(*asked(db.ledger, queued, canceled, batch), return_exceptions=True)
        assert [type(answer) for answer in answers] == [Unavailable] * 3
        assert all("Nothing was changed" in answer.message for answer in answers)
        await back(server, db)
        assert await statuses(db, queued, canceled, of_batch) == [QUEUED, CANCELED, QUEUED]
        await asyncio.gather(*asked(db.ledger, queued, canceled, batch))
        assert await statuses(db, queued, canceled, of_batch) == [CANCELED, QUEUED, CANCELED]


async def test_commands_of_those_who_left_are_not_done(server, database):
    async with database() as db:
        queued, canceled, batch, of_batch = await some_jobs(db.ledger)
        server.kill()
        commands = asked(db.ledger, queued, canceled, batch)
        await asyncio.sleep(0.2)
        for command in commands:
            command.cancel()
        await asyncio.wait(commands)
        await back(server, db)
        assert await statuses(db, queued, canceled, of_batch) == [QUEUED, CANCELED, QUEUED]


async def test_a_decision_outlasts_the_refusals(server, database, impatient):
    async with database() as db:
        await db.ledger.join("me")
        await db.ledger.submit(job_of(TWO_STEPS, wake_at=0))
        (claimed,) = await db.ledger.claim("me", "text", 1, nothing)
        server.kill()
        failed = Change(outcome=Finish(JobStatus.COMPLETED, {}))
        deciding = asyncio.create_task(db.ledger.decide(Decision(fence_of(claimed.job), failed)))
        with pytest.raises(Unavailable):
            await db.ledger.cancel(DEFAULT_ORGANIZATION, claimed.job.id)
        await back(server, db)
        await deciding
        assert await statuses(db, claimed.job.id) == [JobStatus.COMPLETED]


async def test_a_server_that_stands_still_is_named_as_such(server, name, database, impatient, monkeypatch):
    monkeypatch.setattr(queries_module, "_READ_SECONDS", 0.5)
    monkeypatch.setattr("genesis.database.postgres.writer._OLDEST_SECONDS", 0.5)
    async with database() as db:
        job = job_of(TWO_STEPS, wake_at=0)
        await db.ledger.submit(job)
        await db.queries.job(DEFAULT_ORGANIZATION, job.id)
        found = await server.execute("SELECT pid FROM pg_stat_activity WHERE datname = $1", name)
        stopped = [server.process, *(row["pid"] for row in found)]
        for process in stopped:
            os.kill(process, signal.SIGSTOP)
        try:
            started = time.monotonic()
            under_way = asyncio.create_task(db.ledger.cancel(DEFAULT_ORGANIZATION, job.id))
            await asyncio.sleep(0.1)
            waiting = asyncio.create_task(db.ledger.submit(job_of(TWO_STEPS, wake_at=0)))
            with pytest.raises(CommitUnknown, match="cancellation of job"):
                await under_way
            with pytest.raises(Unavailable, match="does not answer"):
                await waiting
            with pytest.raises(Unavailable, match="does not answer"):
                await db.ledger.submit(job_of(TWO_STEPS, wake_at=0))
            with pytest.raises(Unavailable, match=r"not answered within 0\.5 seconds"):
                await db.queries.job(DEFAULT_ORGANIZATION, job.id)
            assert time.monotonic() - started < lane_module._FLUSH_SECONDS
        finally:
            for process in stopped:
                os.kill(process, signal.SIGCONT)


def test_a_wrong_parameter_of_the_url_is_no_outage():
    with pytest.raises(Misconfigured, match="parameter") as refused:
        check_postgres("postgresql://u:s3cret@localhost/d?sslmode=maybe")
    assert "sslmode" in refused.value.hint
    assert "s3cret" not in f"{refused.value} {refused.value.hint}"
