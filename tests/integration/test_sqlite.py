"""What is special about SQLite: its lock, its migrations, and what a broken file or command does."""

import asyncio
import re
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace

import pytest

from genesis.database.open import open_database
from genesis.database.sqlite import claiming, ending, executors, listing, queries, submitting, transaction
from genesis.database.sqlite.lock import DatabaseLock
from genesis.database.sqlite.open import open_sqlite
from genesis.database.sqlite.schema import HEAD, migrate
from genesis.database.sqlite.writer import Writer
from genesis.domain.attempt import AttemptState
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.step import StepState
from genesis.errors import Conflict, Misconfigured, Unavailable
from genesis.ports.clock import SystemClock
from genesis.ports.ledger import Change, Decision, Release
from genesis.ports.queries import JobFilter
from genesis.settings import Settings
from tests.support.jobs import job_of
from tests.support.ledger import TWO_STEPS, fence_of, head_start, nothing


def test_a_second_process_is_told_to_use_another_database(tmp_path):
    database = tmp_path / "jobs.db"
    script = (
        "import sys; from pathlib import Path; from genesis.database.sqlite.lock import DatabaseLock\n"
        "with DatabaseLock(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Misconfigured, match="Another process") as caught, DatabaseLock(database, wait_seconds=0.2):
            pass
        assert "DATABASE_URL" in caught.value.hint
        holder.kill()
    with DatabaseLock(database, wait_seconds=5):
        pass


def test_the_newest_migration_is_the_one_that_the_start_expects(tmp_path):
    migrate(tmp_path / "jobs.db")
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (HEAD,)
        assert connection.execute("SELECT id FROM organizations").fetchall() == [(DEFAULT_ORGANIZATION,)]
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_second_start_imports_no_alembic(tmp_path):
    migrate(tmp_path / "jobs.db")
    script = (
        "import sys; from pathlib import Path; from genesis.database.sqlite.schema import migrate\n"
        "migrate(Path(sys.argv[1])); print('alembic' in sys.modules, 'sqlalchemy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "jobs.db")], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("folder", ["a?b", "a%20b", "a b", "a#b"])
def test_odd_names_of_folders_are_names(tmp_path, folder):
    (tmp_path / folder).mkdir()
    migrate(tmp_path / folder / "jobs.db")
    assert [path.name for path in tmp_path.iterdir()] == [folder]
    migrate(tmp_path / folder / "jobs.db")


def test_a_database_of_a_newer_version_is_left_alone(tmp_path):
    database = tmp_path / "jobs.db"
    migrate(database)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(Misconfigured, match="9999"):
        migrate(database)


def test_a_file_that_is_no_database_is_told(tmp_path):
    (tmp_path / "jobs.db").write_bytes(b"This is a letter, not a database. " * 100)
    with pytest.raises(Misconfigured, match=r"jobs\.db"):
        migrate(tmp_path / "jobs.db")


@pytest.mark.parametrize("url", ["mysql://x", "sqlite:///", "jobs.db"])
async def test_other_databases_are_refused_by_name(url):
    with pytest.raises(Misconfigured, match="DATABASE_URL"):
        async with open_database(Settings(database_url=url)):
            pass


async def test_database_url_wins(tmp_path):
    settings = Settings(db_path=tmp_path / "a.db", database_url=f"sqlite:///{tmp_path / 'b.db'}")
    async with open_database(settings):
        pass
    assert {path.name for path in tmp_path.iterdir() if path.suffix == ".db"} == {"b.db"}


@pytest.fixture
def signals():
    return []


@pytest.fixture
async def writer(tmp_path, signals):
    with closing(sqlite3.connect(tmp_path / "w.db")) as connection:
        connection.execute("CREATE TABLE t (n INTEGER UNIQUE)")
        connection.commit()
    writer = Writer(tmp_path / "w.db", signals.extend)
    writer.start()
    yield writer
    writer.close()


def insert(number):
    return lambda transaction: transaction.connection.execute("INSERT INTO t VALUES (?)", (number,)).rowcount


async def test_an_offender_takes_no_other_command_down(writer, tmp_path):
    numbers = [1, 2, 2, 3, 2, 4]
    answers = await asyncio.gather(*(writer.execute(insert(number)) for number in numbers), return_exceptions=True)
    twice = sqlite3.IntegrityError
    assert [answer if isinstance(answer, int) else type(answer) for answer in answers] == [1, 1, twice, 1, twice, 1]
    with closing(sqlite3.connect(tmp_path / "w.db")) as connection:
        assert connection.execute("SELECT n FROM t ORDER BY n").fetchall() == [(1,), (2,), (3,), (4,)]


@pytest.mark.parametrize("error", [KeyError, OverflowError, UnicodeError, ZeroDivisionError])
async def test_a_defect_of_a_command_is_its_own(writer, tmp_path, error):
    def write_then_break(transaction):
        insert(8)(transaction)
        raise error

    answers = await asyncio.gather(
        writer.execute(insert(1)), writer.execute(write_then_break), writer.execute(insert(2)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [int, error, int]
    with closing(sqlite3.connect(tmp_path / "w.db")) as connection:
        assert connection.execute("SELECT n FROM t ORDER BY n").fetchall() == [(1,), (2,)]


async def test_text_that_no_database_holds_fails_alone(writer):
    def write(transaction):
        transaction.connection.execute("SELECT ?", ("\ud800",))

    with pytest.raises(UnicodeEncodeError):
        await writer.execute(write)
    assert await writer.execute(insert(1)) == 1


async def test_a_job_that_turns_out_not_to_fit_when_it_is_written_fails_alone(tmp_path):
    good = [job_of(TWO_STEPS) for _ in range(3)]
    bad = job_of(TWO_STEPS, priority=1 << 70)
    async with open_sqlite(tmp_path / "jobs.db", SystemClock()) as opened:
        submitted = (opened.ledger.submit(job) for job in (good[0], bad, *good[1:]))
        answers = await asyncio.gather(*submitted, return_exceptions=True)
        assert isinstance(answers[1], OverflowError)
        page = await opened.queries.jobs(DEFAULT_ORGANIZATION, limit=9)
    assert {job.id for job in page.jobs} == {job.id for job in good}


async def test_commands_of_one_flush_see_what_those_before_them_wrote(tmp_path):
    job = job_of(TWO_STEPS)
    async with open_sqlite(tmp_path / "jobs.db", SystemClock()) as opened:
        await opened.ledger.join("me")
        started = head_start(job)
        mine = replace(started.change.intents[0], state=AttemptState.SUCCEEDED, settled_at=2)
        done = replace(started.change.steps[0], state=StepState.DONE, output={"text": "x"})
        settled = Change(evidence=(mine,), steps=(done,), outcome=Release("text", 0))
        _, _, claims = await asyncio.gather(
            opened.ledger.submit(job, head_start=started),
            opened.ledger.decide(Decision(fence_of(started.job), settled)),
            opened.ledger.claim("me", "text", 9, nothing),
        )
    (claimed,) = claims
    assert claimed.job.attempts[0].state is AttemptState.SUCCEEDED
    assert [step.state for step in claimed.job.steps] == [StepState.DONE, StepState.WAITING]


async def test_a_disk_that_cannot_be_trusted_ends_the_process(tmp_path):
    ended = threading.Event()
    writer = Writer(tmp_path / "w.db", lambda _: None, ended.set)
    writer.start()

    def write(_):
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    asking = asyncio.create_task(writer.execute(write))
    assert await asyncio.to_thread(ended.wait, 10)
    assert not asking.done(), "nothing may be told of what was not written"
    asking.cancel()
    writer.close()
    with pytest.raises(Unavailable, match="written any more"):
        await writer.execute(write)


CRASH = """
import os, sys
from pathlib import Path
import sqlalchemy as sa
from genesis.database.sqlite.open import open_sqlite
from genesis.database.sqlite.schema import migrate
left = int(sys.argv[2])
def count(*_):
    global left
    left -= 1
    if left == 0:
        os._exit(9)
sa.event.listen(sa.engine.Engine, "after_cursor_execute", count)
migrate(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("statement", [2, 5, 8, 12, 16, 24, 32, 40, 48, 56])
def test_a_crash_in_a_migration_leaves_no_half_schema(tmp_path, statement):
    database = tmp_path / "jobs.db"
    crashed = subprocess.run([sys.executable, "-c", CRASH, str(database), str(statement)], check=False)
    assert crashed.returncode == 9, "it was over before the crash: this test has shown nothing"
    migrate(database)
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (HEAD,)


async def test_a_deliberate_error_keeps_what_was_written_before_it(writer, tmp_path):
    def write_then_refuse(transaction):
        insert(7)(transaction)
        raise Conflict("No.")

    with pytest.raises(Conflict):
        await writer.execute(write_then_refuse)
    with closing(sqlite3.connect(tmp_path / "w.db")) as connection:
        assert connection.execute("SELECT n FROM t").fetchall() == [(7,)]


async def test_a_waiter_that_goes_away_does_not_stop_the_write(writer, tmp_path):
    task = asyncio.create_task(writer.execute(insert(1)))
    await asyncio.sleep(0)
    task.cancel()
    await writer.execute(insert(2))
    with closing(sqlite3.connect(tmp_path / "w.db")) as connection:
        assert connection.execute("SELECT n FROM t ORDER BY n").fetchall() == [(1,), (2,)]


async def test_hints_are_sent_of_what_was_written_and_of_nothing_else(writer, signals):
    def write_and_tell(number):
        def write(transaction):
            transaction.work_queued(str(number))
            insert(number)(transaction)

        return write

    numbers = [1, 2, 2, 3]
    await asyncio.gather(*(writer.execute(write_and_tell(number)) for number in numbers), return_exceptions=True)
    assert [signal.lane for signal in signals] == ["1", "2", "3"]


def pragma(text):
    return lambda transaction: transaction.connection.execute(f"PRAGMA {text}").fetchone()


async def test_a_full_database_refuses_and_goes_on_when_there_is_room(tmp_path):
    async with open_sqlite(tmp_path / "jobs.db", SystemClock()) as opened:
        await opened.ledger._writer.execute(pragma("max_page_count = 1"))
        large = [job_of("text_to_text", inputs={"text": "x" * 20_000}) for _ in range(200)]
        with pytest.raises(Unavailable, match="full"):
            await asyncio.gather(*(opened.ledger.submit(job) for job in large))
        await opened.ledger._writer.execute(pragma("max_page_count = 100000"))
        job = job_of("text_to_text")
        await opened.ledger.submit(job)
        assert (await opened.queries.job(DEFAULT_ORGANIZATION, job.id)).id == job.id


async def test_a_file_that_can_only_be_read_is_told_and_read(tmp_path):
    async with open_sqlite(tmp_path / "jobs.db", SystemClock()) as opened:
        await opened.queries.check()
        await opened.ledger._writer.execute(pragma("query_only = ON"))
        opened.queries._writer_was_well = float("-inf")
        with pytest.raises(Unavailable, match="readonly"):
            await opened.queries.check()
        with pytest.raises(Unavailable, match="readonly"):
            await opened.ledger.submit(job_of("text_to_text"))
        assert (await opened.queries.jobs(DEFAULT_ORGANIZATION, limit=1)).jobs == []


async def test_the_check_writes_and_not_too_often(tmp_path):
    log = tmp_path / "jobs.db-wal"
    async with open_sqlite(tmp_path / "jobs.db", SystemClock()) as opened:
        await opened.ledger.submit(job_of("text_to_text"))
        sizes = [log.stat().st_size]
        for well_until in (float("-inf"), float("inf")):
            opened.queries._writer_was_well = well_until
            await opened.queries.check()
            sizes.append(log.stat().st_size)
        assert sizes[0] < sizes[1] == sizes[2]


async def test_a_locked_file_holds_up_all_at_once_and_not_one_after_another(tmp_path):
    async with open_sqlite(tmp_path / "jobs.db", SystemClock()) as opened:
        await opened.ledger._writer.execute(pragma("busy_timeout = 200"))
        with closing(sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)) as stranger:
            stranger.execute("BEGIN IMMEDIATE")
            jobs = [job_of("text_to_text") for _ in range(500)]
            async with asyncio.timeout(50):  # one after another would take 100 seconds
                answers = await asyncio.gather(*(opened.ledger.submit(job) for job in jobs), return_exceptions=True)
            assert {type(answer) for answer in answers} == {Unavailable}
            assert "locked" in answers[0].message
            assert "Another program holds the database file" in answers[0].hint
            stranger.execute("ROLLBACK")
        await opened.ledger.submit(jobs[0])


async def test_readers_cannot_write(tmp_path):
    async with open_sqlite(tmp_path / "jobs.db", SystemClock()) as opened:
        with pytest.raises(Unavailable, match="readonly"):
            await opened.queries.read(lambda connection: connection.execute("DELETE FROM jobs"))


async def test_a_job_that_waits_for_what_does_not_exist_ends_at_the_next_start(tmp_path):
    job = job_of("text_to_text")
    async with open_sqlite(tmp_path / "jobs.db", SystemClock()) as opened:
        await opened.ledger.submit(job)
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection:
        connection.execute("UPDATE jobs SET lane = 'music'")
        connection.commit()
    async with open_sqlite(tmp_path / "jobs.db", SystemClock()) as opened:
        await opened.ledger.join("me")
        found = await opened.queries.job(DEFAULT_ORGANIZATION, job.id)
        assert (found.status, found.failure.code) == (JobStatus.FAILED, "unreadable-job")


QUERIES_AND_INDEXES = [
    (claiming._WAKE, "jobs_sleeping (wake_at>? AND wake_at<?)"),
    (claiming._CANDIDATES, "jobs_claimable (lane=? AND organization>?)"),
    (claiming._BEST, "jobs_claimable (lane=? AND organization=?)"),
    (claiming._OLDEST_SUSPECTS, "jobs_suspect"),
    (submitting._NOTHING_AHEAD, "jobs_claimable (lane=?)"),
    (ending._RELEASE, "jobs_owned"),
    (executors._TOO_LATE_TO_START, "jobs_to_start (start_by>? AND start_by<?)"),
    (executors._TOO_LATE_TO_FINISH, "jobs_to_finish (finish_by>? AND finish_by<?)"),
    (transaction._LANES_OF_CAPPED, "jobs_claimable (lane=? AND organization=?)"),
    (executors._FORGET_EXECUTORS, "jobs_owned"),
    (executors._FORGET_KEYS, "idempotency_by_age (created_at<?)"),
    (queries._AHEAD, "jobs_claimable (lane=? AND organization=? AND priority=? AND id<?)"),
    (queries._NEXT_WAKE, "jobs_sleeping (wake_at>?)"),
    (queries._ROOM, "jobs_owned (organization=? AND owner>?)"),
    (queries._FEED, "events_of_organization (organization=? AND id>?)"),
    (queries._EVENTS, "events_of_job (job=? AND seq>?)"),
    (queries._CANCEL_REQUESTS, "jobs_owned"),
    (queries._OPEN_ATTEMPTS, "attempts_open"),
    (queries._IN_DOUBT, "attempts_in_doubt (settled_at>?)"),
    (listing._candidates(JobFilter()), "jobs_of_organization (organization=? AND id>? AND id<?)"),
    (
        listing._candidates(JobFilter(status=JobStatus.FAILED)),
        "jobs_by_status (organization=? AND status=? AND id>? AND id<?)",
    ),
    (
        listing._candidates(JobFilter(pipeline="p")),
        "jobs_by_pipeline (organization=? AND pipeline=? AND status=? AND id>? AND id<?)",
    ),
    (listing._candidates(JobFilter(batch="b")), "jobs_of_batch (batch=?)"),
]


@pytest.mark.parametrize(("query", "index"), QUERIES_AND_INDEXES)
def test_no_query_reads_more_than_it_has_to(tmp_path_factory, query, index):
    database = tmp_path_factory.getbasetemp() / "plans.db"
    migrate(database)
    with closing(sqlite3.connect(database)) as connection:
        names = dict.fromkeys(re.findall(r":([a-z]+)", query), 1)
        values = names or [1] * query.count("?")
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", values)]
    assert any(index in line for line in plan), plan
    assert not [line for line in plan if re.search(r"SCAN (jobs|attempts|events|steps|idempotency)$", line)], plan
