"""The hot queries use their indexes at 100,000 jobs: row 10 of the promises."""

import asyncio
import re

import asyncpg
import pytest

from genesis.database.filters import LOOKED_THROUGH
from genesis.database.postgres import claiming, executors, flush, listing, queries, statements, submitting
from genesis.database.postgres.connection import Server
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.ports.queries import JobFilter
from tests.support.postgres import shared_server

JOBS = 100_000
TABLES = ("jobs", "steps", "attempts", "events")
FILL = f"""
INSERT INTO organizations (id, name) SELECT 'o' || n, 'o' || n FROM generate_series(1, 50) AS n;
INSERT INTO plans VALUES ('p', '{{}}');
INSERT INTO batches VALUES ('b', '{DEFAULT_ORGANIZATION}', 0, 100);
INSERT INTO jobs (id, organization, pipeline, status, lane, wake_at, owner, created_at, inputs, options, plan, batch,
    start_by, finish_by)
SELECT lpad(to_hex(n), 8, '0') || '-0000-7000-8000-000000000000',
    CASE WHEN n % 2 = 0 THEN '{DEFAULT_ORGANIZATION}' ELSE 'o' || (1 + n % 50) END, 'pipeline ' || n % 7,
    CASE WHEN n % 10 = 0 THEN 'queued' WHEN n % 1000 = 1 THEN 'running' WHEN n % 3 = 0 THEN 'failed' ELSE 'completed' END,
    'text', CASE WHEN n % 100 = 0 THEN n ELSE 0 END, CASE WHEN n % 1000 = 1 THEN 'owner' END, n,
    '{{"text":"some words"}}', '{{}}', 'p', CASE WHEN n % 1000 = 0 THEN 'b' END,
    CASE WHEN n % 100 = 0 THEN n END, CASE WHEN n % 100 = 0 THEN n END
FROM generate_series(1, {JOBS}) AS n;
INSERT INTO steps (job, number, name, capability, state) SELECT id, 0, 'a', 'text', 'waiting' FROM jobs;
INSERT INTO attempts (id, job, step, number, call_key, target, provider_class, state, created_at)
SELECT 'a' || id, id, 'a', 1, 'k' || id, 't', 'opaque', CASE WHEN status = 'running' THEN 'intended' ELSE 'failed' END, 1
FROM jobs;
INSERT INTO events (organization, job, seq, type, at, data) SELECT organization, id, 1, 'job-queued', 1, '{{}}' FROM jobs;
"""


@pytest.fixture(scope="module")
def filled():
    """The name of a database that the planner knows nothing about yet."""
    server = shared_server()
    name = asyncio.run(server.create_database())
    without = "".join(f"ALTER TABLE {table} SET (autovacuum_enabled = off);" for table in TABLES)
    asyncio.run(execute(server.url(name), without + FILL))
    return name


@pytest.fixture(scope="module", params=["analyzed", "never analyzed"])
def url(request, filled):
    server = shared_server()
    url = server.url(asyncio.run(server.create_database(filled)))
    if request.param == "analyzed":
        asyncio.run(execute(url, "ANALYZE"))
    return url


async def execute(url, statements):
    connection = await asyncpg.connect(url)
    await connection.execute(statements)
    await connection.close()


def _listing(where, *, cursor=None):
    found, values = listing._candidates(where, 7)
    bounds = listing.id_bounds(cursor, where)
    return listing._PAGE.format(found=found), (DEFAULT_ORGANIZATION, bounds.lower, bounds.upper, 21, 21, 0, *values)


MIDDLE = "0000c350-0000-7000-8000-000000000000"
SOME = [f"{number:08x}-0000-7000-8000-000000000000" for number in range(1, 50_000, 1_000)]
QUERIES = {
    "one job": (queries._JOB, (MIDDLE, DEFAULT_ORGANIZATION)),
    "newest": _listing(JobFilter()),
    "deep": _listing(JobFilter(), cursor=MIDDLE),
    "by status": _listing(JobFilter(status=JobStatus.FAILED), cursor=MIDDLE),
    "by pipeline": _listing(JobFilter(pipeline="pipeline 3"), cursor=MIDDLE),
    "by both": _listing(JobFilter(pipeline="pipeline 3", status=JobStatus.FAILED), cursor=MIDDLE),
    "of a batch": _listing(JobFilter(batch="b")),
    "by time": _listing(JobFilter(created_from=1 << 28, created_before=1 << 30)),
    "events": (queries._EVENTS, (MIDDLE, 0, DEFAULT_ORGANIZATION, 100)),
    "last retries": (queries._RETRIES, (SOME,)),
    "feed": (queries._FEED, (DEFAULT_ORGANIZATION, "5", 7, 100)),
    "feed held back": (queries._HELD_BACK, (DEFAULT_ORGANIZATION, "5", 7)),
    "feed end": (queries._FEED_END, (DEFAULT_ORGANIZATION,)),
    "position": (queries._AHEAD, ("text", DEFAULT_ORGANIZATION, 0, MIDDLE, 1000)),
    "next wake": (queries._NEXT_WAKE, ()),
    "room": (queries._ROOM, (DEFAULT_ORGANIZATION,)),
    "cancel requests": (queries._CANCEL_REQUESTS, ("owner",)),
    "suspects": (queries._HAS_SUSPECTS, ()),
    "open attempts": (queries._OPEN_ATTEMPTS, (100,)),
    "attempts in doubt": (queries._IN_DOUBT, (1, 100)),
    "candidates": (claiming._CANDIDATES, ("text", 16, 5)),
    "take": (claiming._TAKE, ("text", [DEFAULT_ORGANIZATION, "o1"], [8, 8], 5)),
    "wake": (claiming._WAKE, (500,)),
    "wake and look": (claiming._WAKE_AND_LOOK, (500, "owner")),
    "free": (submitting._FREE, (["owner"], ["text"], [DEFAULT_ORGANIZATION])),
    "lock": (statements.LOCK_BY_ID, (SOME,)),
    "change": (
        statements.CHANGE,
        (
            statements.rows([(each, "failed", None, 1, "text", *(0,) * 4, "{}", None, 1, None, 0, 0) for each in SOME]),
            statements.rows(
                [(f"a{each}", "unknown", "t", *(None,) * 4, "{}", None, "[]", "{}", None) for each in SOME]
            ),
            statements.rows([(each, "a", "running", *(None,) * 5) for each in SOME]),
            "[]",
            "[]",
        ),
    ),
    "skip steps": (flush._SKIP_STEPS, (SOME, 1)),
    "orphans": (statements.lock_some(executors._ORPHANED, 500), ()),
    "of an owner": (statements.lock_some(executors._OF_OWNER, 500), ("owner", SOME)),
    "owns": (claiming._OWNS, ("owner",)),
    "too late to start": (statements.lock_some(executors._TOO_LATE_TO_START, 500), (500,)),
    "too late to finish": (statements.lock_some(executors._TOO_LATE_TO_FINISH, 500), (500,)),
    "sleeps long": (statements.lock_some(executors._SLEEPS_LONG, 1_000_000), (500,)),
    "suspects to take": (claiming._TAKE_SUSPECTS, (5,)),
    "capped": (claiming._CAPPED, ([DEFAULT_ORGANIZATION, "o1"],)),
    "old keys": (executors._FORGET_KEYS, (500,)),
    "old executors": (executors._FORGET_EXECUTORS, (500,)),
    "wait for a place": (flush._LANES_OF, (["text", "image"], [DEFAULT_ORGANIZATION, "o1"])),
}


@pytest.mark.parametrize("name", QUERIES)
async def test_reads_no_table_as_a_whole(url, name):
    query, values = QUERIES[name]
    connection = await Server(url).connect("test")
    try:
        await connection.execute("BEGIN")
        lines = [row[0] for row in await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS) {query}", *values)]
    finally:
        await connection.execute("ROLLBACK")
        await connection.close()
    plan = "\n".join(lines)
    tables = re.findall(r"Seq Scan on (jobs|events|attempts|steps|idempotency)\b", plan)
    assert not tables, plan
    removed = [int(count) for count in re.findall(r"Rows Removed by Filter: (\d+)", plan)]
    assert max(removed, default=0) <= 2_000, plan
    blocks = sum(map(int, re.search(r"Buffers: shared hit=(\d+)(?: read=(\d+))?", plan).groups("0")))
    assert blocks < 8_000, plan


def test_a_search_looks_through_a_bounded_number_of_jobs():
    assert listing._LOOKED_AT_ONCE <= LOOKED_THROUGH
