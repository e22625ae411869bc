"""What a sweep tidies up on PostgreSQL, and that nobody misses it; and the migration of what SQLite has no need of."""

import asyncio

import asyncpg
import pytest

from genesis.database.postgres import executors
from genesis.database.postgres.open import open_postgres
from tests.support.jobs import job_of
from tests.support.ledger import TWO_STEPS
from tests.support.postgres import postgres_url

DAY = 24 * 3_600_000
AGE = "UPDATE writers SET written_at = now() - interval '2 days'"


@pytest.fixture
def url():
    return postgres_url()


def opened(url):
    return open_postgres(url, lease_seconds=15)


async def run(url, statement):
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


async def test_rows_of_writers_that_are_gone_are_deleted(url):
    await run(url, "INSERT INTO writers VALUES ('killed', 7, now() - interval '2 days'), ('idle', 7, now())")
    async with opened(url) as database:
        await database.ledger.sweep()
        rows = await run(url, "SELECT id FROM writers WHERE id IN ('killed', 'idle')")
    assert rows == [("idle",)]


async def test_who_writes_shows_that_it_is_there(url):
    async with opened(url) as database:
        await database.ledger.submit(job_of(TWO_STEPS))
        await run(url, AGE)
        await database.ledger.submit(job_of(TWO_STEPS))
        await database.ledger.sweep()
        recent = "SELECT count(*) FROM writers WHERE written_at > now() - interval '1 hour'"
        assert await run(url, recent) == [(2,)]


async def test_a_writer_that_was_idle_for_long_goes_on_with_a_new_row(url):
    async with opened(url) as database:
        await database.ledger.submit(job_of(TWO_STEPS))
        lane = database.ledger._writer._together
        lane._registered -= DAY
        await run(url, "DELETE FROM writers")
        await database.ledger.submit(job_of(TWO_STEPS))
        assert await run(url, "SELECT id, flush_number FROM writers") == [(lane._id, 1)]
        assert await run(url, "SELECT count(*) FROM jobs") == [(2,)]


async def test_rows_of_writers_are_deleted_without_waiting_for_them(url):
    await run(url, "INSERT INTO writers VALUES ('writes', 7, now() - interval '2 days')")
    other = await asyncpg.connect(url)
    try:
        async with opened(url) as database, other.transaction():
            await other.execute("UPDATE writers SET flush_number = 8 WHERE id = 'writes'")
            async with asyncio.timeout(2):
                await database.ledger.sweep()
    finally:
        await other.close()
    assert await run(url, "SELECT flush_number FROM writers") == [(8,)]


async def test_a_sweep_that_was_under_way_while_the_server_stood_still_declares_nobody_dead(url):
    await run(url, f"INSERT INTO executors VALUES ('me', 1, {executors.NOW.replace('$1', 'NULL')} + 1000, 'live')")
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("BEGIN; SELECT pg_sleep(1.5)")
        assert await connection.execute(executors._DECLARE_DEAD, None, 0, 1) == "UPDATE 0"
        await connection.execute("COMMIT")
        assert await connection.execute(executors._DECLARE_DEAD, None, 0, 1) == "UPDATE 1"
    finally:
        await connection.close()


async def test_times_to_wait_keep_all_their_bits(url):
    kind = "SELECT data_type FROM information_schema.columns WHERE column_name = 'retry_after'"
    assert await run(url, kind) == [("double precision",)]
