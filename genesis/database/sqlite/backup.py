"""Copies a database file that is in use, and puts a copy in the place of an empty one."""

import os
import re
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

from genesis.database import incarnation
from genesis.database.backup import OCCUPYING, TABLES, Facts, HasReceipt, Parts, Put, Restored, not_empty
from genesis.database.incarnation import Queued
from genesis.database.sqlite.incarnation import begin
from genesis.database.sqlite.lock import DatabaseLock
from genesis.database.sqlite.schema import migrate
from genesis.domain.identity import Milliseconds
from genesis.errors import Misconfigured, Unavailable

_MEMBER = "database/jobs.db"
_PIECE = 1024 * 1024
_SECRET = 0o600


class SqliteSnapshot:
    """A complete copy of a database file."""

    def __init__(self, copy: Path, made_at: Milliseconds) -> None:
        self._copy = copy
        with closing(sqlite3.connect(copy)) as connection:
            (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        self.facts = Facts("sqlite", revision, made_at, {}, copy.stat().st_size)

    async def write(self, put: Put) -> Mapping[str, int]:
        """Hands over the file; see the port."""
        await put(_MEMBER, self._copy.stat().st_size, _pieces(self._copy))
        with closing(sqlite3.connect(self._copy)) as connection:
            return {
                table: int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
                for table in TABLES
                if _has(connection, table)
            }


@asynccontextmanager
async def open_sqlite_snapshot(database: Path, folder: Path) -> AsyncIterator[SqliteSnapshot]:
    """Copies the file by SQLite's own backup interface, as of one moment, while another process writes it.

    Args:
        folder: of the copy, which is deleted in the end.

    Raises:
        Misconfigured: there is no such file, it is not a database of Genesis, or it cannot be read.
        Unavailable: the copy cannot be written.
    """
    copy = folder / f".{secrets.token_hex(8)}.db"
    try:
        os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _SECRET))
        made_at = _copy(database, copy)
        yield SqliteSnapshot(copy, made_at)
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
            raise Unavailable(
                f"The database could not be copied to {folder}: {error}.", hint="Check the space on its disk."
            ) from error
        raise Misconfigured(
            f"The database {database} cannot be read: {error}.", hint="Check that DB_PATH names a database of Genesis."
        ) from error
    finally:
        for name in _files(copy):
            name.unlink(missing_ok=True)


def _copy(database: Path, copy: Path) -> Milliseconds:
    """Copies as of one moment, which it returns."""
    if not database.is_file():
        raise Misconfigured(
            f"There is no database {database}.", hint="Set DB_PATH or DATABASE_URL as for the platform that uses it."
        )
    with closing(sqlite3.connect(database, isolation_level=None)) as source, closing(sqlite3.connect(copy)) as target:
        source.execute("PRAGMA query_only = ON")
        target.execute("PRAGMA journal_mode = OFF")
        target.execute("PRAGMA synchronous = OFF")
        # Within a transaction of the source all that is copied is as of its beginning, and no writer makes it begin anew.
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        made_at = time.time_ns() // 1_000_000
        source.backup(target)
        source.execute("COMMIT")
    return made_at


async def _pieces(file: Path) -> AsyncIterator[bytes]:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        while piece := os.read(descriptor, _PIECE):
            yield piece
    finally:
        os.close(descriptor)


def _has(connection: sqlite3.Connection, table: str) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(query, (table,)).fetchone() is not None


class SqliteTarget:
    """A place for a database file, under the lock of that."""

    def __init__(self, database: Path) -> None:
        self._database = database

    async def load(self, facts: Facts, parts: Parts, queued: Queued, has_receipt: HasReceipt) -> Restored:
        """Makes the new file ready beside its place and moves it there; see the port."""
        self._remove_remains()
        new = self._database.with_name(f".{self._database.name}.{secrets.token_hex(8)}")
        try:
            with _told(new):
                async for _, pieces in parts:
                    await _write(new, pieces)
                migrate(new)
                restored = await _begun(new, facts.made_at, queued, has_receipt)
                self._put_in_place(new)
        finally:
            for name in _files(new):
                name.unlink(missing_ok=True)
        return restored

    def _remove_remains(self) -> None:
        """Deletes what a restore has left that was killed: nobody else has the lock now."""
        left = re.compile(rf"\.{re.escape(self._database.name)}\.[0-9a-f]{{16}}(-wal|-shm|-journal)?", re.ASCII)
        with _told(self._database):
            for file in self._database.parent.iterdir():
                if left.fullmatch(file.name):
                    file.unlink()

    def _put_in_place(self, new: Path) -> None:
        descriptor = os.open(new, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        if self._database.exists():
            with closing(
                sqlite3.connect(self._database)
            ) as connection:  # what is beside the file belongs to the old one
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for beside in _files(self._database)[1:]:
            beside.unlink(missing_ok=True)
        new.replace(self._database)
        folder = os.open(self._database.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


@asynccontextmanager
async def open_sqlite_target(database: Path) -> AsyncIterator[SqliteTarget]:
    """Locks the place of a database file.

    Raises:
        Misconfigured: another process uses it, or it is not empty.
    """
    with DatabaseLock(database, wait_seconds=0):
        yield SqliteTarget(_empty_place(database))


def _empty_place(database: Path) -> Path:
    """Where links lead."""
    database = database.resolve()
    if database.exists() and not _is_empty(database):
        raise not_empty(str(database))
    return database


def _is_empty(database: Path) -> bool:
    try:
        with closing(sqlite3.connect(database)) as connection:
            tables = [table for table in OCCUPYING if _has(connection, table)]
            return not any(connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() for table in tables)
    except sqlite3.Error as error:
        raise Misconfigured(
            f"The file {database} is not a database: {error}.", hint="Set DB_PATH to a new file."
        ) from error


@contextmanager
def _told(file: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise Misconfigured(
            f"The database could not be restored beside {file.parent}: {error}.",
            hint="Nothing was changed. Check the space on the disk, and the permissions of the folder.",
        ) from error


async def _write(file: Path, pieces: AsyncIterator[bytes]) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        async for piece in pieces:
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)


async def _begun(database: Path, made_at: Milliseconds, queued: Queued, has_receipt: HasReceipt) -> Restored:
    now = time.time_ns() // 1_000_000
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("BEGIN IMMEDIATE")
        doubtful = connection.execute(incarnation.IN_DOUBT).fetchall()
        known = {attempt for attempt, call_key, capability in doubtful if await has_receipt(capability, call_key)}
        unknown = begin(connection, queued, now, made_at, known)
        (jobs,) = connection.execute("SELECT count(*) FROM jobs").fetchone()
        (held,) = connection.execute(incarnation.COUNT_HELD).fetchone()
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Restored(jobs, held, unknown)


def _files(database: Path) -> list[Path]:
    """The file and those that SQLite keeps beside it."""
    return [database, *(database.with_name(database.name + end) for end in ("-wal", "-shm", "-journal"))]
