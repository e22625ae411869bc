"""The ledger and its queries on one SQLite file."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from genesis.database.sqlite import commands
from genesis.database.sqlite.lock import DatabaseLock
from genesis.database.sqlite.rows import load_jobs, rows
from genesis.database.sqlite.schema import migrate
from genesis.database.sqlite.writer import Writer
from genesis.domain.job import Job
from genesis.errors import NotFound, Unavailable
from genesis.ports.clock import Clock
from genesis.ports.ledger import Decision

Result = TypeVar("Result")

_READERS = 2
_AFTER_ALL_IDS = "g"


class SqliteLedger:
    """Implements the port `Ledger` through the group-committing writer."""

    def __init__(self, writer: Writer, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock

    async def submit(self, job: Job) -> None:
        await self._writer.execute(lambda connection: commands.submit(connection, job), refusable=True)

    async def claim(self, owner: str, lane: str, limit: int) -> list[Job]:
        now = self._clock.now()
        return await self._writer.execute(lambda connection: commands.claim(connection, owner, lane, limit, now))

    async def decide(self, decision: Decision) -> None:
        now = self._clock.now()
        await self._writer.execute(lambda connection: commands.decide(connection, decision, now))

    async def cancel(self, organization: str, job_id: str) -> Job:
        now = self._clock.now()
        return await self._writer.execute(lambda connection: commands.cancel(connection, organization, job_id, now))

    async def recover(self) -> int:
        now = self._clock.now()
        return await self._writer.execute(lambda connection: commands.recover(connection, now))


class SqliteQueries:
    """Implements the port `Queries` on connections that cannot write."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._threads = ThreadPoolExecutor(_READERS, thread_name_prefix="ledger-reader")
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []

    async def job(self, organization: str, job_id: str) -> Job:
        found = await self._read(
            lambda connection: _load(
                connection, "SELECT * FROM jobs WHERE organization = ? AND id = ?", (organization, job_id)
            )
        )
        if not found:
            raise NotFound(f"There is no job {job_id}.", hint="GET /jobs lists the jobs there are.")
        return found[0]

    async def jobs(self, organization: str, *, limit: int, offset: int = 0, before: str | None = None) -> list[Job]:
        return await self._read(
            lambda connection: _load(
                connection,
                "SELECT * FROM jobs WHERE organization = ? AND id < ? ORDER BY id DESC LIMIT ? OFFSET ?",
                (organization, before or _AFTER_ALL_IDS, limit, offset),
            )
        )

    async def next_wake(self, lane: str) -> int | None:
        query = "SELECT min(wake_at) FROM jobs WHERE owner IS NULL AND status IN ('queued', 'running') AND lane = ?"
        row = await self._read(lambda connection: connection.execute(query, (lane,)).fetchone())
        return None if row[0] is None else int(row[0])

    def close(self) -> None:
        self._threads.shutdown()
        for connection in self._connections:
            connection.close()

    async def _read(self, query: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: query(self._connection()))
        except sqlite3.Error as error:
            raise Unavailable(f"The job ledger could not be read: {error}.", hint="Try again in a moment.") from error

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._database, check_same_thread=False)
            connection.execute("PRAGMA query_only = ON")
            self._local.connection = connection
            self._connections.append(connection)
        return connection


def _load(connection: sqlite3.Connection, query: str, arguments: tuple[Any, ...]) -> list[Job]:
    """Jobs with their parts as of one moment."""
    connection.execute("BEGIN")
    try:
        return load_jobs(connection, rows(connection.execute(query, arguments)))
    finally:
        connection.execute("COMMIT")


@asynccontextmanager
async def open_sqlite(database: Path, clock: Clock) -> AsyncIterator[tuple[SqliteLedger, SqliteQueries]]:
    """Locks and migrates the database file and opens both sides of the ledger.

    Raises:
        Misconfigured: another process uses the file, or it cannot be used.
    """
    with DatabaseLock(database):
        migrate(database)
        writer, queries = Writer(database), SqliteQueries(database)
        writer.start()
        try:
            yield SqliteLedger(writer, clock), queries
        finally:
            writer.close()
            queries.close()
