"""A database that a dump has brought to a new server, where transactions are counted from the beginning again."""

import re
import time

import asyncpg
import pytest

from genesis.database.postgres.connection import Server
from genesis.database.postgres.open import open_postgres
from genesis.database.postgres.restored import _IS_RESTORED
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.errors import InvalidRequest
from tests.support.jobs import job_of
from tests.support.ledger import TWO_STEPS, claim_one
from tests.support.postgres import postgres_url

# What the other server had counted to: its transactions had greater numbers than ours will have for long.
AS_RESTORED = "UPDATE events SET transaction_id = (transaction_id::text::bigint + 5000000)::text::xid8"


@pytest.fixture
def url():
    return postgres_url()


async def execute(url, statement, *arguments):
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(statement, *arguments)
    finally:
        await connection.close()


def opened(url):
    return open_postgres(url, lease_seconds=15)


async def feed(database, after=None):
    found = await database.queries.feed(DEFAULT_ORGANIZATION, after=after, limit=100)
    return [(event.job, event.seq) for event in found]


async def test_the_feed_of_a_restored_database_tells_what_was_and_what_comes(url):
    old, waiting = job_of(TWO_STEPS, wake_at=0), job_of(TWO_STEPS, wake_at=0)
    async with opened(url) as database:
        await database.ledger.submit(old)
        await database.ledger.submit(waiting)
        cursor = await database.queries.feed_end(DEFAULT_ORGANIZATION)
    await execute(url, AS_RESTORED)
    async with opened(url) as database, opened(url):
        assert await feed(database) == [(old.id, 1), (waiting.id, 1)]
        end = await database.queries.feed_end(DEFAULT_ORGANIZATION)
        started = time.monotonic()
        assert await feed(database, end) == []
        assert time.monotonic() - started < 0.15, "nothing is held back"
        await database.ledger.join("me")
        assert (await claim_one(database.ledger, "me")).id == old.id
        new = job_of(TWO_STEPS, wake_at=0)
        await database.ledger.submit(new)
        assert await feed(database, end) == [(old.id, 2), (new.id, 1)]
        assert await feed(database) == [(old.id, 1), (waiting.id, 1), (old.id, 2), (new.id, 1)]
        transaction, _, number = cursor.partition("-")
        with pytest.raises(InvalidRequest):  # of the other server
            await feed(database, f"{int(transaction) + 5_000_000}-{number}")


async def test_a_place_in_the_feed_from_before_is_refused_whatever_this_server_has_counted_to(url):
    """It would skip what was restored and not seen."""
    async with opened(url) as database:
        await database.ledger.submit(job_of(TWO_STEPS, wake_at=0))
        await database.ledger.submit(job_of(TWO_STEPS, wake_at=0))
        seen, _ = await database.queries.feed(DEFAULT_ORGANIZATION, after=None, limit=9)
        assert len(await feed(database, seen.cursor)) == 1
    await execute(url, AS_RESTORED)
    async with opened(url) as database:
        await database.ledger.submit(job_of(TWO_STEPS, wake_at=0))
        with pytest.raises(InvalidRequest, match="no place"):
            await feed(database, seen.cursor)


async def test_a_database_that_was_not_restored_is_left_as_it_is(url):
    async with opened(url) as database:
        await database.ledger.submit(job_of(TWO_STEPS, wake_at=0))
    before = await execute(url, "SELECT id, transaction_id::text, xmin::text FROM events")
    async with opened(url):
        assert await execute(url, "SELECT id, transaction_id::text, xmin::text FROM events") == before


async def test_looking_for_it_reads_one_event_of_each_organization(url):
    async with opened(url) as database:
        await database.ledger.submit(job_of(TWO_STEPS, wake_at=0))
    await execute(
        url,
        "INSERT INTO events (organization, job, seq, type, at, data) "
        "SELECT organization, id, number, 'step-started', 1, '{}' FROM jobs, generate_series(2, 50000) AS number",
    )
    connection = await Server(url).connect("test")
    try:
        await connection.execute("ANALYZE events")
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS) {_IS_RESTORED}"))
        read = [float(rows) for rows in re.findall(r"actual \S+ rows=(\d+)", plan)]
        assert read, plan
        assert max(read) <= 1, plan
    finally:
        await connection.close()
