"""The ledger's reading side on connections that cannot write."""

import asyncio
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from genesis.database.plans import Plans
from genesis.database.refusals import no_batch, no_cursor, no_job, user_of
from genesis.database.rows import attempt_from, batch_from, event_from, retries_of
from genesis.database.sqlite.listing import Page, add_functions, list_jobs
from genesis.database.sqlite.loading import load_jobs, rows
from genesis.database.sqlite.usage import add_usage_functions, usage
from genesis.database.sqlite.writer import Writer
from genesis.database.states import CLAIMABLE, IN_DOUBT, OPEN, SLEEPING, SUSPECT, TERMINAL, WAITING
from genesis.database.usage import UsageSums, days_of
from genesis.domain.batch import Batch
from genesis.domain.event import Event, EventType, RecordedEvent
from genesis.domain.identity import Milliseconds
from genesis.domain.job import Job, JobStatus
from genesis.domain.usage import Usage, UsageQuery
from genesis.errors import Unavailable
from genesis.ports.ledger import Idempotency
from genesis.ports.queries import EVERY_JOB, JobFilter, JobPage, OpenAttempt

Result = TypeVar("Result")

_READERS = 2
_LONGEST_CURSOR = 18  # digits that SQLite's integers surely hold
_CHECK_SECONDS = 1.0
"""A writer that could write is not asked again for this long."""
_CHECK_PATIENCE_SECONDS = 10.0
_WRITE = "PRAGMA user_version = 0"  # what it was: a page is written and synchronized, and nothing is changed

_JOB = "SELECT * FROM jobs WHERE id = ? AND organization = ?"
_ACCEPTED = "SELECT fingerprint, job, batch FROM idempotency WHERE organization = ? AND key = ?"
_EVENTS = "SELECT * FROM events WHERE job = ? AND seq > ? AND organization = ? ORDER BY seq LIMIT ?"
_RETRIES = (
    "SELECT * FROM events INDEXED BY events_of_job WHERE job IN (SELECT value FROM json_each(?)) "
    f"AND type = '{EventType.STEP_RETRIED}' ORDER BY job, seq"
)
_FEED = "SELECT * FROM events INDEXED BY events_of_organization WHERE organization = ? AND id > ? ORDER BY id LIMIT ?"
_IS_KNOWN = "SELECT 1 FROM events WHERE id = ? AND organization = ?"
_SAME_QUEUE = (
    f"SELECT 1 FROM jobs INDEXED BY jobs_claimable WHERE {CLAIMABLE} AND lane = :lane AND organization = :organization"
)
_AHEAD = (
    f"SELECT count(*) FROM ({_SAME_QUEUE} AND priority > :priority UNION ALL "
    f"{_SAME_QUEUE} AND priority = :priority AND id < :id LIMIT :limit)"
)
_ROOM = (
    "SELECT max_running, CASE WHEN max_running IS NOT NULL THEN max(0, max_running - ("
    "SELECT count(*) FROM jobs INDEXED BY jobs_owned WHERE organization = organizations.id AND owner IS NOT NULL"
    ")) END FROM organizations WHERE id = ?"
)
_NEXT_WAKE = (
    f"SELECT (SELECT min(wake_at) FROM jobs INDEXED BY jobs_sleeping WHERE {SLEEPING}), "
    "(SELECT min(start_by) FROM jobs INDEXED BY jobs_to_start WHERE status = 'queued' AND start_by IS NOT NULL), "
    f"(SELECT min(finish_by) FROM jobs INDEXED BY jobs_to_finish WHERE {WAITING} AND finish_by IS NOT NULL)"
)
_CANCEL_REQUESTS = (
    "SELECT id FROM jobs INDEXED BY jobs_owned "
    "WHERE owner = ? AND owner IS NOT NULL AND cancel_requested_at IS NOT NULL ORDER BY id"
)
_OF_JOBS_THAT_ARE_OVER = (
    "SELECT attempts.*, jobs.organization, steps.capability "
    "FROM attempts INDEXED BY {index} JOIN jobs ON jobs.id = attempts.job "
    "JOIN steps ON steps.job = attempts.job AND steps.name = attempts.step "
    f"WHERE jobs.status IN ({TERMINAL}) AND "
)
_OPEN_ATTEMPTS = (
    _OF_JOBS_THAT_ARE_OVER.format(index="attempts_open")
    + f"attempts.state IN ({OPEN}) ORDER BY attempts.created_at, attempts.id LIMIT ?"
)
_IN_DOUBT = (
    _OF_JOBS_THAT_ARE_OVER.format(index="attempts_in_doubt")
    + f"{IN_DOUBT} AND attempts.settled_at >= ? ORDER BY attempts.settled_at, attempts.id LIMIT ?"
)


class SqliteQueries:
    """Implements the port `Queries` on one file; the writer is asked only whether it is well."""

    def __init__(self, database: Path, plans: Plans, writer: Writer) -> None:
        self._database = database
        self._plans = plans
        self._writer = writer
        self._writer_was_well = -_CHECK_SECONDS
        self._threads = ThreadPoolExecutor(_READERS, thread_name_prefix="ledger-reader")
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []

    async def accepted(self, organization: str, idempotency: Idempotency) -> tuple[str | None, str | None]:
        used = await self.read(
            lambda connection: connection.execute(_ACCEPTED, (organization, idempotency.key)).fetchone()
        )
        return (None, None) if used is None else user_of(tuple(used), idempotency)

    async def job(self, organization: str, job_id: str) -> Job:
        found = await self.read(lambda connection: load_jobs(connection, self._plans, _JOB, (job_id, organization)))
        if not found:
            raise no_job(job_id)
        return found[0]

    async def jobs(
        self,
        organization: str,
        *,
        limit: int,
        offset: int = 0,
        cursor: str | None = None,
        where: JobFilter = EVERY_JOB,
    ) -> JobPage:
        page = Page(limit, offset, cursor)
        return await self.read(lambda connection: list_jobs(connection, self._plans, organization, page, where))

    async def batch(self, organization: str, batch_id: str) -> tuple[Batch, Mapping[JobStatus, int]]:
        found = await self.read(lambda connection: _batch(connection, organization, batch_id))
        if found is None:
            raise no_batch(batch_id)
        return found

    async def events(self, organization: str, job_id: str, *, after: int, limit: int) -> list[RecordedEvent]:
        found = await self.read(lambda connection: _job_events(connection, organization, job_id, after, limit))
        if found is None:
            raise no_job(job_id)
        return found

    async def last_retries(self, jobs: Collection[str]) -> Mapping[str, Mapping[str, Event]]:
        return retries_of(await self.read(lambda connection: _events(connection, _RETRIES, (json.dumps([*jobs]),))))

    async def feed(self, organization: str, *, after: str | None, limit: int) -> list[RecordedEvent]:
        if after is not None and not (after.isascii() and after.isdigit() and len(after) <= _LONGEST_CURSOR):
            raise no_cursor(after)
        found = await self.read(lambda connection: _feed(connection, organization, int(after or 0), limit))
        if found is None:
            raise no_cursor(after or "")
        return found

    async def feed_end(self, organization: str) -> str:
        return str(await self._value("SELECT max(id) FROM events WHERE organization = ?", organization) or 0)

    async def position(self, job: Job, *, limit: int) -> int:
        values = {
            "id": job.id,
            "lane": job.lane,
            "organization": job.organization,
            "priority": job.priority,
            "limit": limit,
        }
        row = await self.read(lambda connection: connection.execute(_AHEAD, values).fetchone())
        return int(row[0])

    async def room(self, organization: str) -> tuple[int | None, int | None]:
        row = await self.read(lambda connection: connection.execute(_ROOM, (organization,)).fetchone())
        return (None, None) if row is None else (row[0], row[1])

    async def next_wake(self) -> Milliseconds | None:
        moments = await self.read(lambda connection: connection.execute(_NEXT_WAKE).fetchone())
        return min((moment for moment in moments if moment is not None), default=None)

    async def cancel_requests(self, owner: str) -> list[str]:
        found = await self.read(lambda connection: connection.execute(_CANCEL_REQUESTS, (owner,)).fetchall())
        return [job for (job,) in found]

    async def open_attempts(self, *, limit: int) -> list[OpenAttempt]:
        return await self._attempts(_OPEN_ATTEMPTS, limit)

    async def attempts_in_doubt(self, since: Milliseconds, *, limit: int) -> list[OpenAttempt]:
        return await self._attempts(_IN_DOUBT, since, limit)

    async def _attempts(self, query: str, *values: int) -> list[OpenAttempt]:
        found = await self.read(lambda connection: rows(connection.execute(query, values)))
        return [OpenAttempt(row["job"], row["organization"], row["capability"], attempt_from(row)) for row in found]

    async def has_suspects(self) -> bool:
        query = f"SELECT EXISTS (SELECT 1 FROM jobs INDEXED BY jobs_suspect WHERE {SUSPECT})"
        return bool(await self._value(query))

    async def usage(self, organization: str, asked: UsageQuery) -> list[Usage]:
        sums = UsageSums()
        for day in days_of(asked):
            sums.add(await self.read(lambda connection, day=day: usage(connection, organization, day)))  # type: ignore[misc]
        return sums.groups

    async def live_executors(self) -> int:
        return int(await self._value("SELECT count(*) FROM executors WHERE state = 'live'"))

    async def check(self) -> str | None:
        await self._value("SELECT 1")
        self._writer.check_file()
        if time.monotonic() - self._writer_was_well < _CHECK_SECONDS:
            return None
        try:
            async with asyncio.timeout(_CHECK_PATIENCE_SECONDS):
                await self._writer.execute(lambda transaction: transaction.connection.execute(_WRITE).close())
        except TimeoutError:
            raise Unavailable("The job ledger takes too long to write.", hint="Check the disk.") from None
        self._writer_was_well = time.monotonic()
        return None

    def close(self) -> None:
        self._threads.shutdown()
        for connection in self._connections:
            connection.close()

    async def _value(self, query: str, *arguments: object) -> Any:
        row = await self.read(lambda connection: connection.execute(query, arguments).fetchone())
        return row[0]

    async def read(self, query: Callable[[sqlite3.Connection], Result]) -> Result:
        """Runs a query in one read transaction, so that all it sees is as of one moment."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: self._in_transaction(query))
        except sqlite3.Error as error:
            raise Unavailable(f"The job ledger could not be read: {error}.", hint="Try again in a moment.") from error

    def _in_transaction(self, query: Callable[[sqlite3.Connection], Result]) -> Result:
        connection = self._connection()
        connection.execute("BEGIN")
        try:
            return query(connection)
        finally:
            connection.execute("COMMIT")

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._database, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA query_only = ON")
            add_functions(connection)
            add_usage_functions(connection)
            self._local.connection = connection
            self._connections.append(connection)
        return connection


def _batch(
    connection: sqlite3.Connection, organization: str, batch_id: str
) -> tuple[Batch, Mapping[JobStatus, int]] | None:
    query = "SELECT * FROM batches WHERE id = ? AND organization = ?"
    found = rows(connection.execute(query, (batch_id, organization)))
    if not found:
        return None
    counted = "SELECT status, count(*) FROM jobs INDEXED BY jobs_of_batch WHERE batch = ? GROUP BY status"
    counts = dict(connection.execute(counted, (batch_id,)).fetchall())
    return batch_from(found[0]), {status: counts.get(status, 0) for status in JobStatus}


def _job_events(
    connection: sqlite3.Connection, organization: str, job_id: str, after: int, limit: int
) -> list[RecordedEvent] | None:
    """The events; None where the organization has no such job."""
    found = _events(connection, _EVENTS, (job_id, after, organization, limit))
    if found:
        return found
    known = connection.execute("SELECT 1 FROM jobs WHERE id = ? AND organization = ?", (job_id, organization))
    return [] if known.fetchone() else None


def _feed(connection: sqlite3.Connection, organization: str, after: int, limit: int) -> list[RecordedEvent] | None:
    """The events; None where none of the organization has this number."""
    if after and connection.execute(_IS_KNOWN, (after, organization)).fetchone() is None:
        return None
    return _events(connection, _FEED, (organization, after, limit))


def _events(connection: sqlite3.Connection, query: str, values: tuple[object, ...]) -> list[RecordedEvent]:
    return [event_from(row, str(row["id"])) for row in rows(connection.execute(query, values))]
