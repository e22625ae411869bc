"""What is special about SQLite: its lock, its migrations, and what a broken file or command does."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from genesis.database.open import open_database
from genesis.database.sqlite.ledger import open_sqlite
from genesis.database.sqlite.lock import DatabaseLock
from genesis.database.sqlite.schema import HEAD, migrate
from genesis.database.sqlite.writer import Writer
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.errors import Conflict, Misconfigured, Unavailable
from genesis.ports.clock import SystemClock
from genesis.settings import Settings
from tests.support.jobs import job_of


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


@pytest.mark.parametrize("url", ["postgresql://x/y", "mysql://x", "sqlite:///", "jobs.db"])
async def test_other_databases_are_refused_by_name(url):
    with pytest.raises(Misconfigured, match="DATABASE_URL"):
        async with open_database(Settings(database_url=url), SystemClock()):
            pass


async def test_database_url_wins(tmp_path):
    settings = Settings(db_path=tmp_path / "a.db", database_url=f"sqlite:///{tmp_path / 'b.db'}")
    async with open_database(settings, SystemClock()):
        pass
    assert {path.name for path in tmp_path.iterdir() if path.suffix == ".db"} == {"b.db"}


@pytest.fixture
def writer(tmp_path):
    with closing(sqlite3.connect(tmp_path / "w.db")) as connection:
        connection.execute("CREATE TABLE t (n INTEGER UNIQUE)")
        connection.commit()
    writer = Writer(tmp_path / "w.db")
    writer.start()
    yield writer
    writer.close()


def insert(number):
    return lambda connection: connection.execute("INSERT INTO t VALUES (?)", (number,)).rowcount


async def test_an_offender_takes_no_other_command_down(writer, tmp_path):
    numbers = [1, 2, 2, 3, 2, 4]
    answers = await asyncio.gather(*(writer.execute(insert(number)) for number in numbers), return_exceptions=True)
    twice = sqlite3.IntegrityError
    assert [answer if isinstance(answer, int) else type(answer) for answer in answers] == [1, 1, twice, 1, twice, 1]
    with closing(sqlite3.connect(tmp_path / "w.db")) as connection:
        assert connection.execute("SELECT n FROM t ORDER BY n").fetchall() == [(1,), (2,), (3,), (4,)]


@pytest.mark.parametrize("error", [KeyError, OverflowError, UnicodeError, ZeroDivisionError])
async def test_a_defect_of_a_command_is_its_own(writer, tmp_path, error):
    def write_then_break(connection):
        insert(8)(connection)
        raise error

    answers = await asyncio.gather(
        writer.execute(insert(1)), writer.execute(write_then_break), writer.execute(insert(2)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [int, error, int]
    with closing(sqlite3.connect(tmp_path / "w.db")) as connection:
        assert connection.execute("SELECT n FROM t ORDER BY n").fetchall() == [(1,), (2,)]


async def test_text_that_no_database_holds_fails_alone(writer):
    def write(connection):
        connection.execute("SELECT ?", ("\ud800",))

    with pytest.raises(UnicodeEncodeError):
        await writer.execute(write)
    assert await writer.execute(insert(1)) == 1


async def test_a_disk_that_cannot_be_trusted_ends_the_process(tmp_path):
    ended = threading.Event()
    writer = Writer(tmp_path / "w.db", ended.set)
    writer.start()

    def write(_):
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    asking = asyncio.create_task(writer.execute(write))
    assert await asyncio.to_thread(ended.wait, 10)
    assert not asking.done(), "nothing may be told of what was not written"
    asking.cancel()


CRASH = """
import os, sys
from pathlib import Path
import sqlalchemy as sa
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


@pytest.mark.parametrize("statement", [2, 5, 8, 12, 16])
def test_a_crash_in_a_migration_leaves_no_half_schema(tmp_path, statement):
    database = tmp_path / "jobs.db"
    crashed = subprocess.run([sys.executable, "-c", CRASH, str(database), str(statement)], check=False)
    assert crashed.returncode == 9, "it was over before the crash: this test has shown nothing"
    migrate(database)
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (HEAD,)


async def test_a_deliberate_error_keeps_what_was_written_before_it(writer, tmp_path):
    def write_then_refuse(connection):
        insert(7)(connection)
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


async def test_a_full_database_refuses_and_goes_on_when_there_is_room(tmp_path):
    async with open_sqlite(tmp_path / "jobs.db", SystemClock()) as (ledger, queries):
        await ledger._writer.execute(lambda connection: connection.execute("PRAGMA max_page_count = 1").fetchone())
        large = [job_of("text_to_text", inputs={"text": "x" * 20_000}) for _ in range(200)]
        with pytest.raises(Unavailable, match="full"):
            await asyncio.gather(*(ledger.submit(job) for job in large))
        await ledger._writer.execute(lambda connection: connection.execute("PRAGMA max_page_count = 100000").fetchone())
        job = job_of("text_to_text")
        await ledger.submit(job)
        assert (await queries.job(DEFAULT_ORGANIZATION, job.id)).id == job.id


async def test_readers_cannot_write(tmp_path):
    async with open_sqlite(tmp_path / "jobs.db", SystemClock()) as (_, queries):
        with pytest.raises(Unavailable, match="readonly"):
            await queries._read(lambda connection: connection.execute("DELETE FROM jobs"))
