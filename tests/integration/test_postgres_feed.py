"""The order in which PostgreSQL gives the feed of an organization, whatever the order in which transactions end."""

from contextlib import asynccontextmanager

import asyncpg
import pytest

from genesis.database.postgres import statements
from genesis.database.postgres.open import open_postgres
from genesis.domain.organization import DEFAULT_ORGANIZATION
from tests.support.jobs import job_of
from tests.support.ledger import TWO_STEPS
from tests.support.postgres import postgres_url


@pytest.fixture
def url():
    return postgres_url()


@asynccontextmanager
async def one_job(url):
    async with open_postgres(url, lease_seconds=15.0) as database:
        await database.ledger.submit(job_of(TWO_STEPS))
        yield database


async def test_the_feed_never_skips_what_became_visible_late(url):
    insert = (
        "INSERT INTO events (organization, job, seq, type, at, data) "
        "SELECT organization, id, $1, 'step-started', 1, '{}' FROM jobs"
    )
    async with one_job(url) as database:
        start = await database.queries.feed_end(DEFAULT_ORGANIZATION)
        early, late = await asyncpg.connect(url), await asyncpg.connect(url)
        try:
            await early.execute("BEGIN")
            await early.execute(insert, 11)  # it has the lower number, and becomes visible last
            await late.execute(insert, 12)
            assert await database.queries.feed(DEFAULT_ORGANIZATION, after=start, limit=9) == []
            await early.execute("COMMIT")
        finally:
            await early.close()
            await late.close()
        seen, cursor = [], start
        while found := await database.queries.feed(DEFAULT_ORGANIZATION, after=cursor, limit=1):
            seen.append(found[0].seq)
            cursor = found[0].cursor
        assert seen == [11, 12]


async def test_no_event_stands_in_the_feed_before_an_earlier_one_of_its_job(url):
    """The later event is written by a transaction that began first."""
    later_event, columns = statements._later_events()
    async with open_postgres(url, lease_seconds=15.0) as database:
        start = await database.queries.feed_end(DEFAULT_ORGANIZATION)
        first = await asyncpg.connect(url)
        try:
            await first.execute("BEGIN; SELECT pg_current_xact_id()")
            await database.ledger.submit(job_of(TWO_STEPS))
            organization, job = await first.fetchrow("SELECT organization, id FROM jobs")
            row = [organization, job, 2, "job-started", 1, "{}"]
            await first.execute(later_event.replace("{rows}", statements.given(columns, 1)), statements.rows([row]))
            assert await database.queries.feed(DEFAULT_ORGANIZATION, after=start, limit=9) == []
            await first.execute("COMMIT")
        finally:
            await first.close()
        assert [event.seq for event in await database.queries.feed(DEFAULT_ORGANIZATION, after=start, limit=9)] == [
            1,
            2,
        ]
