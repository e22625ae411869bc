"""Locks that somebody else holds on the database: what needs them waits or is refused, and all else goes on."""

import asyncio
import logging
import time
from contextlib import asynccontextmanager

import asyncpg
import pytest

from genesis.database.postgres import connection as connection_module
from genesis.database.postgres import entry as entry_module
from genesis.database.postgres.open import open_postgres
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.errors import NotFound, Unavailable
from genesis.ports.ledger import Change, Decision, Finish
from tests.support.jobs import job_of
from tests.support.ledger import TWO_STEPS, fence_of, nothing, stored
from tests.support.postgres import postgres_url

COMPLETED = Change(outcome=Finish(JobStatus.COMPLETED, {}))
ONE_ROW = "SELECT FROM jobs WHERE id = $1 FOR UPDATE"


@pytest.fixture
def url():
    return postgres_url()


@pytest.fixture
def impatient(monkeypatch):
    """A first lock is waited for a second, people wait for one and a half."""
    monkeypatch.setattr(connection_module, "_LOCK_SECONDS", 1.0)
    monkeypatch.setattr(entry_module, "_PATIENCE_SECONDS", 1.5)


@asynccontextmanager
async def locked(url, statement, *arguments):
    """What a session holds that has forgotten its transaction; it ends with the context at the latest."""
    session = await asyncpg.connect(url)
    try:
        await session.execute("BEGIN")
        await session.fetch(statement, *arguments)
        yield session
    finally:
        await session.close()


async def running_jobs(database, count):
    await database.ledger.join("me")
    await asyncio.gather(*(database.ledger.submit(job_of(TWO_STEPS, wake_at=0)) for _ in range(count)))
    return [claimed.job for claimed in await database.ledger.claim("me", "text", count, nothing)]


def deciding(database, job):
    return asyncio.create_task(database.ledger.decide(Decision(fence_of(job), COMPLETED)))


async def until_said(caplog, words):
    async with asyncio.timeout(20):
        while not any(words in record.message for record in caplog.records if record.levelno >= logging.WARNING):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("mode", ["ACCESS EXCLUSIVE", "SHARE"])
async def test_a_locked_table_is_told_and_what_was_refused_is_not_stored_later(url, impatient, caplog, mode):
    caplog.set_level(logging.WARNING)
    new = [job_of(TWO_STEPS, wake_at=0) for _ in range(5)]
    async with open_postgres(url, lease_seconds=15) as database:
        async with locked(url, f"LOCK TABLE jobs IN {mode} MODE"):
            started = time.monotonic()
            answers = await asyncio.gather(*(database.ledger.submit(job) for job in new), return_exceptions=True)
            assert time.monotonic() - started < 5
            assert {type(answer) for answer in answers} == {Unavailable}
            assert all("holds a lock" in answer.message for answer in answers)
            await until_said(caplog, "holds a lock")
            waiting = asyncio.create_task(database.ledger.submit(new[0]))
            await asyncio.sleep(0.5)
            with pytest.raises(Unavailable, match=r"cannot be written.*holds a lock"):
                await database.queries.check()
            with pytest.raises(Unavailable, match="holds a lock"):
                await waiting
        late = job_of(TWO_STEPS, wake_at=0)
        assert (await database.ledger.submit(late)).job.id == late.id
        assert await database.queries.check() is None
        for job in new:
            with pytest.raises(NotFound):
                await stored(database, job)


async def test_a_locked_job_keeps_nobody_else_waiting(url, impatient, caplog):
    caplog.set_level(logging.WARNING)
    async with open_postgres(url, lease_seconds=15) as database:
        stuck, *others = await running_jobs(database, 60)
        async with locked(url, ONE_ROW, stuck.id) as session:
            decisions = {job.id: deciding(database, job) for job in (stuck, *others)}
            late = job_of(TWO_STEPS, wake_at=0)
            async with asyncio.timeout(15):
                await database.ledger.submit(late)
                await asyncio.gather(*(decisions[job.id] for job in others))
            assert not decisions[stuck.id].done()
            await until_said(caplog, "holds a lock")
            assert "A change waits" in await database.queries.check()
            with pytest.raises(Unavailable, match="holds a lock"):
                await database.ledger.cancel(DEFAULT_ORGANIZATION, stuck.id)
            # What came while the lock was known does not wait for it.
            started = time.monotonic()
            for _ in range(3):
                await database.ledger.submit(job_of(TWO_STEPS, wake_at=0))
            assert time.monotonic() - started < 3
            await session.execute("ROLLBACK")
            await asyncio.wait_for(decisions[stuck.id], 10)
        assert await database.queries.check() is None
        found = await stored(database, stuck)
        assert (found.status, found.cancel_requested_at) == (JobStatus.COMPLETED, None)


async def test_what_concerns_many_jobs_goes_on_beside_a_lock(url, impatient):
    async with open_postgres(url, lease_seconds=15) as database:
        await database.ledger.join("me")
        async with locked(url, "LOCK TABLE lanes IN EXCLUSIVE MODE") as session:
            await database.ledger.submit(job_of(TWO_STEPS, wake_at=0))
            claiming = asyncio.create_task(database.ledger.claim("me", "text", 1, nothing))
            async with asyncio.timeout(10):
                await asyncio.sleep(0.1)
                assert await database.ledger.sweep() == 0
            assert not claiming.done()
            await session.execute("ROLLBACK")
            assert len(await asyncio.wait_for(claiming, 10)) == 1
