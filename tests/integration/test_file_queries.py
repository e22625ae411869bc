"""What files cost at 100,000 of them, what jobs without files do not pay, and several processes at once."""

import asyncio
import re
import sqlite3
from contextlib import asynccontextmanager, closing
from dataclasses import replace

import asyncpg
import pytest

import genesis.database.sqlite.files as on_sqlite
from genesis.database.files import AWAITS_WORD, MAKERS, search_for
from genesis.database.postgres import files as on_postgres
from genesis.database.postgres import statements
from genesis.database.postgres.connection import Server
from genesis.database.postgres.open import open_postgres
from genesis.database.sqlite import transaction
from genesis.database.sqlite.open import open_sqlite
from genesis.database.sqlite.schema import migrate
from genesis.domain.attempt import AttemptState
from genesis.domain.file import FileSource, FileState
from genesis.domain.identity import new_id
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.engine.outcome import paid
from genesis.errors import Conflict, InvalidRequest
from genesis.ports.clock import SystemClock
from genesis.ports.files import FileFilter
from genesis.ports.ledger import Finish
from genesis.ports.workers import CallResult
from tests.support.files import artifact_of, file_of
from tests.support.jobs import job_of
from tests.support.ledger import TWO_STEPS, attempt_of, claim_one, decide, joined
from tests.support.postgres import LEASE_SECONDS, postgres_url, shared_server

FILES = 100_000
TABLES = ("files", "file_uses", "jobs", "steps", "attempts")
ID = "lpad(to_hex({n}), 8, '0') || '-0000-7000-8000-{kind}'"
FILE, CALL = ID.format(n="n", kind="000000000000"), ID.format(n="n", kind="000000000001")
FILL = f"""
INSERT INTO organizations (id, name, file_retention_seconds)
SELECT 'o' || n, 'o' || n, CASE WHEN n % 2 = 0 THEN 1 END FROM generate_series(1, 50) AS n;
INSERT INTO jobs (id, organization, pipeline, status, lane, wake_at, created_at, inputs, options, plan)
SELECT 'j' || n, '{DEFAULT_ORGANIZATION}', 'p', CASE WHEN n % 100 = 0 THEN 'running' WHEN n % 3 = 0 THEN 'failed'
    ELSE 'completed' END, 'image', 0, n, '{{}}', '{{}}', 'p' FROM generate_series(1, {FILES // 4}) AS n;
INSERT INTO steps (job, number, name, capability, state, output)
SELECT 'j' || n, 1, 's', 'image', 'done', '{{}}' FROM generate_series(1, {FILES // 4}) AS n;
INSERT INTO attempts (id, job, step, number, call_key, target, provider_class, state, created_at)
SELECT 'a' || n, 'j' || n, 's', 1, {CALL}, 't', 'opaque', 'succeeded', n FROM generate_series(1, {FILES // 4}) AS n;
INSERT INTO files (id, organization, key, media_type, size, sha256, source, created_at, state, name, folded_name, job,
    expires_at, details)
SELECT {FILE}, CASE WHEN n % 9 = 0 THEN 'o' || (1 + n % 50) ELSE '{DEFAULT_ORGANIZATION}' END, 'images/' || n,
    CASE WHEN n % 7 = 0 THEN 'audio/wav' ELSE 'image/png' END, 5, 'x', CASE WHEN n % 4 = 0 THEN 'job' ELSE 'upload' END, n,
    CASE WHEN n % 5 = 0 THEN 'deleted' ELSE 'ready' END, 'name ' || n, 'name ' || n,
    CASE WHEN n % 4 = 0 THEN 'j' || n / 4 END, CASE WHEN n % 3 = 0 THEN n + 200000 END,
    CASE WHEN n % 100 <> 1 THEN '{{}}' END
FROM generate_series(1, {FILES}) AS n;
INSERT INTO file_uses (file, job) SELECT {FILE}, 'j' || n FROM generate_series(1, {FILES // 4}) AS n;
"""
SOME = [f"{number:08x}-0000-7000-8000-00000000000{number % 2}" for number in range(1, FILES, 501)]
MIDDLE = "0000c350-0000-7000-8000-000000000000"


def listed(**where):
    search = search_for(FileFilter(**where), 50)
    query, values = on_postgres._page(search)
    return query, (DEFAULT_ORGANIZATION, MIDDLE, search.candidates, 51, *values)


QUERIES = {
    "one file": (on_postgres._FILE, (MIDDLE, DEFAULT_ORGANIZATION)),
    "some files": (on_postgres._FILES, (SOME, DEFAULT_ORGANIZATION)),
    "newest": listed(),
    "by source": listed(source=FileSource.JOB),
    "by family": listed(family="audio"),
    "by both": listed(family="audio", source=FileSource.JOB),
    "of a job": listed(job="j500"),
    "of a job and family": listed(job="j500", family="image"),
    "by text": listed(text="name 9"),
    "unexamined": (on_postgres._UNEXAMINED, (100, "")),
    "over": (on_postgres._OVER, (10_000_000, 100, 1_000)),
    "not over": (on_postgres._OVER, (100, 100, None)),
    "too old": (on_postgres._OVER, (100_000, 100, 1_000)),
    "in use": (on_postgres._IS_IN_USE, (MIDDLE,)),
    "delete": (on_postgres._DELETE, (SOME, 5)),
    "known": (on_postgres._KNOWN, (SOME, 10_000, None)),
    "known as long as jobs' files are kept": (on_postgres._KNOWN, (SOME, 10_000, 1_000)),
    "in doubt": (on_postgres._IN_DOUBT, (SOME,)),
    "recorded": (on_postgres._RECORDED, ([f"images/{number}" for number in range(1, FILES, 501)],)),
    "awaits word": (AWAITS_WORD, ()),
    "made": (
        statements.ADD_MADE_FILES,
        (statements.rows([("a500", new_id(), "images/x.png", "image/png", 5, "x", 5)]),),
    ),
    "taken": (statements.USE_FILES, (statements.rows([(MIDDLE, "j77", DEFAULT_ORGANIZATION)]),)),
}


@pytest.fixture(scope="module")
def filled():
    """The name of a database that the planner knows nothing about yet."""
    server = shared_server()
    name = asyncio.run(server.create_database())
    without = "".join(f"ALTER TABLE {table} SET (autovacuum_enabled = off);" for table in TABLES)
    asyncio.run(execute(server.url(name), without + FILL))
    return name


@pytest.fixture(scope="module", params=["analyzed", "never analyzed"])
def filled_url(request, filled):
    server = shared_server()
    url = server.url(asyncio.run(server.create_database(filled)))
    if request.param == "analyzed":
        asyncio.run(execute(url, "ANALYZE"))
    return url


async def execute(url, script):
    connection = await asyncpg.connect(url)
    await connection.execute(script)
    await connection.close()


@pytest.mark.parametrize("name", QUERIES)
async def test_reads_no_table_as_a_whole(filled_url, name):
    query, values = QUERIES[name]
    connection = await Server(filled_url).connect("test")
    try:
        await connection.execute("BEGIN")
        lines = [row[0] for row in await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS) {query}", *values)]
    finally:
        await connection.execute("ROLLBACK")
        await connection.close()
    plan = "\n".join(lines)
    assert not re.findall(rf"Seq Scan on ({'|'.join(TABLES)})\b", plan), plan
    removed = [int(count) for count in re.findall(r"Rows Removed by Filter: (\d+)", plan)]
    assert max(removed, default=0) <= 10_000, plan
    blocks = sum(map(int, re.search(r"Buffers: shared hit=(\d+)(?: read=(\d+))?", plan).groups("0")))
    assert blocks < 10_000, plan


ON_SQLITE = [
    (on_sqlite._candidates(search_for(FileFilter(), 50)), "files_of_organization (organization=? AND id<?)"),
    (on_sqlite._candidates(search_for(FileFilter(source=FileSource.JOB), 50)), "files_by_source (organization=? AND s"),
    (on_sqlite._candidates(search_for(FileFilter(family="audio"), 50)), "files_by_family (organization=? AND <expr>=?"),
    (on_sqlite._candidates(search_for(FileFilter(job="j"), 50)), "files_of_job (organization=? AND job=? AND id<?)"),
    (on_sqlite._TO_EXPIRE, "files_to_expire (expires_at>? AND expires_at<?)"),
    (on_sqlite._TOO_OLD, "files_by_age (organization=? AND created_at<?)"),
    (on_sqlite._UNEXAMINED, "files_unexamined"),
    (AWAITS_WORD, "jobs_sleeping"),
    (on_sqlite._KNOWN, "attempts_by_call (call_key=?)"),
    (on_sqlite._KNOWN, "sqlite_autoindex_attempts_1 (id=?)"),
    (on_sqlite._KNOWN, "steps USING PRIMARY KEY (job=?)"),
    (on_sqlite._RECORDED, "sqlite_autoindex_files_2 (key=?)"),
    (on_sqlite._IN_DOUBT, "attempts_by_call (call_key=?)"),
    (on_sqlite._IN_DOUBT, "sqlite_autoindex_attempts_1 (id=?)"),
    (on_sqlite._IS_IN_USE, "file_uses USING PRIMARY KEY (file=?)"),
    (f"SELECT 1 {MAKERS.format(attempt=':a')}", "sqlite_autoindex_attempts_1 (id=?)"),
    ("SELECT file FROM file_uses WHERE job = :job", "file_uses_of_job (job=?)"),
]


@pytest.mark.parametrize(("query", "index"), ON_SQLITE)
def test_no_query_reads_more_than_it_has_to(tmp_path_factory, query, index):
    database = tmp_path_factory.getbasetemp() / "plans.db"
    migrate(database)
    with closing(sqlite3.connect(database)) as connection:
        names = dict.fromkeys(re.findall(r":([a-z]+\d?)", query), "[]")
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", names or [1] * query.count("?"))]
    assert any(index in line for line in plan), plan
    assert not [line for line in plan if re.search(r"SCAN (jobs|attempts|files|file_uses)$", line)], plan


@pytest.fixture
def url():
    return postgres_url()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, tmp_path):
    if request.param == "sqlite":
        return lambda: open_sqlite(tmp_path / "jobs.db", SystemClock())
    url = request.getfixturevalue("url")
    return lambda: open_postgres(url, lease_seconds=LEASE_SECONDS)


async def test_jobs_without_files_pay_nothing_for_them(database, monkeypatch):
    """Every statement about files is one that fails: it is not run."""
    monkeypatch.setattr(statements, "ADD_MADE_FILES", "SELECT 1/0, $1")
    monkeypatch.setattr(statements, "USE_FILES", "SELECT 1/0, $1")
    for name in ("_ADD_FILE", "_USE_FILE"):
        assert "files" in getattr(transaction, name)
    written = []
    write = transaction.Transaction._write
    monkeypatch.setattr(
        transaction.Transaction,
        "_write",
        lambda self, statement, rows: (written.append(statement) if rows else None, write(self, statement, rows)),
    )
    async with joined(database) as opened:
        await opened.ledger.submit(
            job_of(TWO_STEPS, inputs={"text": "/store", "image_url": "https://example.org/1.png"})
        )
        job = await claim_one(opened.ledger)
        attempt = attempt_of()
        await decide(opened.ledger, job, intents=(attempt,))
        result = paid(attempt, CallResult({"text": "x"}, "one:m"), 2_000)
        await decide(opened.ledger, job, evidence=(result,), outcome=Finish(JobStatus.COMPLETED))
        (stored,) = (await opened.queries.job(DEFAULT_ORGANIZATION, job.id)).attempts
        assert stored.state is AttemptState.SUCCEEDED
    assert not {transaction._ADD_FILE, transaction._USE_FILE} & set(written)


async def test_a_file_that_is_just_being_taken_is_not_deleted(url):
    async with joined(lambda: open_postgres(url, lease_seconds=LEASE_SECONDS)) as opened:
        file = file_of(expires_at=1)
        await opened.files.add(file)
        job = job_of(TWO_STEPS)
        await opened.ledger.submit(job)
        async with other_process(url) as other:
            await other.execute("BEGIN")
            await other.execute(statements.USE_FILES, statements.rows([(file.id, job.id, DEFAULT_ORGANIZATION)]))
            assert await opened.files.expire(5_000, 10) == []
            deleting = asyncio.create_task(opened.files.delete(DEFAULT_ORGANIZATION, file.id, 5_000))
            await waits_for_a_lock(other)
            await other.execute("COMMIT")
            with pytest.raises(Conflict, match="in use"):
                await deleting
        assert (await opened.files.file(DEFAULT_ORGANIZATION, file.id)).state is FileState.READY


async def test_a_file_that_is_just_being_deleted_is_not_taken(url):
    async with joined(lambda: open_postgres(url, lease_seconds=LEASE_SECONDS)) as opened:
        file = file_of()
        await opened.files.add(file)
        async with other_process(url) as other:
            await other.execute("BEGIN")
            await other.fetch(on_postgres._LOCK, file.id, DEFAULT_ORGANIZATION)
            assert await other.fetch(on_postgres._DELETE, [file.id], 5_000)
            job = job_of(TWO_STEPS, inputs={"image_url": file.url})
            submitting = asyncio.create_task(opened.ledger.submit(job))
            await waits_for_a_lock(other)
            await other.execute("COMMIT")
            with pytest.raises(InvalidRequest, match="deleted"):
                await submitting
            assert await other.fetch("SELECT id FROM jobs UNION ALL SELECT file FROM file_uses") == []


@asynccontextmanager
async def other_process(url):
    """A connection that is nobody's."""
    connection = await Server(url).connect("other")
    try:
        yield connection
    finally:
        await connection.close()


async def waits_for_a_lock(connection):
    """Returns when somebody does."""
    async with asyncio.timeout(20):
        while not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
            await asyncio.sleep(0.01)


async def test_processes_that_ask_at_once_get_one_secret_and_record_a_file_once(url):
    async with (
        open_postgres(url, lease_seconds=LEASE_SECONDS) as one,
        open_postgres(url, lease_seconds=LEASE_SECONDS) as two,
    ):
        secrets = await asyncio.gather(*(opened.files.secret("links") for opened in (one, two) * 5))
        assert len(set(secrets)) == 1
        file = file_of()
        await asyncio.gather(*(opened.files.add(file) for opened in (one, two) * 5))
        deleted = await asyncio.gather(
            *(opened.files.delete(DEFAULT_ORGANIZATION, file.id, at) for at, opened in enumerate((one, two) * 5))
        )
        assert len({one.deleted_at for one in deleted}) == 1


async def test_one_refusal_takes_nothing_back_of_what_is_written_with_it(database):
    async with joined(database) as opened:
        files = [file_of() for _ in range(50)]
        await asyncio.gather(*(opened.files.add(file) for file in files))
        await opened.ledger.submit(job_of(TWO_STEPS, inputs={"image_url": files[25].url}))
        work = (opened.files.delete(DEFAULT_ORGANIZATION, file.id, 5_000) for file in files)
        answers = await asyncio.gather(*work, return_exceptions=True)
        assert [index for index, answer in enumerate(answers) if isinstance(answer, Exception)] == [25]
        assert isinstance(answers[25], Conflict)
        found = await opened.files.files(DEFAULT_ORGANIZATION, [file.id for file in files])
        assert [file for file in files if found[file.id].state is not FileState.DELETED] == [files[25]]


async def test_many_calls_that_end_at_once_have_a_record_each(database):
    async with joined(database) as opened:
        jobs = [job_of(TWO_STEPS) for _ in range(60)]
        await asyncio.gather(*(opened.ledger.submit(job) for job in jobs))
        claimed = [await claim_one(opened.ledger) for _ in jobs]
        attempts = [attempt_of() for _ in jobs]
        await asyncio.gather(
            *(decide(opened.ledger, job, intents=(one,)) for job, one in zip(claimed, attempts, strict=True))
        )
        results = [
            replace(one, state=AttemptState.SUCCEEDED, settled_at=2_000, artifact=artifact_of(one)) for one in attempts
        ]
        await asyncio.gather(
            *(decide(opened.ledger, job, evidence=(one,)) for job, one in zip(claimed, results, strict=True))
        )
        found = await opened.files.files(DEFAULT_ORGANIZATION, [one.call_key for one in attempts])
        assert {file.id: file.job for file in found.values()} == {
            one.call_key: job.id for one, job in zip(attempts, claimed, strict=True)
        }
