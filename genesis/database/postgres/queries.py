"""The ledger's reading side on a few connections that cannot write."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, TypeVar

import asyncpg

from genesis.database.plans import Plans
from genesis.database.postgres import executors, statements
from genesis.database.postgres.connection import REFUSALS, Server, reason
from genesis.database.postgres.flush import load_jobs
from genesis.database.postgres.listing import Page, list_jobs
from genesis.database.postgres.usage import usage
from genesis.database.postgres.writer import Writer
from genesis.database.refusals import no_batch, no_cursor, no_job, user_of
from genesis.database.rows import attempt_from, batch_from, event_from, retries_of
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

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

_READERS = 4
_READ_SECONDS = 5.0
_CHECK_SECONDS = 3.0
_CURSOR = re.compile(r"(\d{1,19})-(\d{1,19})", re.ASCII)
_LARGEST = 2**63 - 1
_FEED_TRIES = 20
_FEED_PAUSE_SECONDS = 0.01

_JOB = f"{statements.JOBS} WHERE jobs.id = $1 AND jobs.organization = $2"
_BATCH = "SELECT * FROM batches WHERE id = $1 AND organization = $2"
_BATCH_COUNTS = "SELECT status, count(*) FROM jobs WHERE batch = $1 GROUP BY status"
_EVENT = "SELECT id, job, seq, type, at, data, transaction_id::text AS transaction_id FROM events"
_ACCEPTED = "SELECT fingerprint, job, batch FROM idempotency WHERE organization = $1 AND key = $2"
_EVENTS = f"{_EVENT} WHERE job = $1 AND seq > $2 AND organization = $3 ORDER BY seq LIMIT $4"
_RETRIES = f"{_EVENT} WHERE job = ANY($1::text[]) AND type = '{EventType.STEP_RETRIED}' ORDER BY job, seq"
_KNOWN = "SELECT EXISTS (SELECT FROM jobs WHERE id = $1 AND organization = $2)"
# A position that was ever given is that of an event, or the beginning. Any other was given by a server of which this database
# was restored: what stands before it here is not what stood before it there.
_IS_KNOWN = (
    "($2::text = '0' AND $3 = 0 OR EXISTS (SELECT FROM events AS seen "
    "WHERE seen.organization = $1 AND seen.transaction_id = $2::text::xid8 AND seen.id = $3))"
)
# Rows become visible when their transaction ends, in another order than they were numbered in. Below the oldest
# transaction that is still under way nothing new can appear.
_FEED = (
    f"{_EVENT} WHERE organization = $1 AND (events.transaction_id, id) > ($2::text::xid8, $3) AND {_IS_KNOWN} "
    "AND events.transaction_id < pg_snapshot_xmin(pg_current_snapshot()) "
    "ORDER BY events.transaction_id, id LIMIT $4"
)
_HELD_BACK = (
    "SELECT EXISTS (SELECT FROM events WHERE organization = $1 "
    f"AND transaction_id >= pg_snapshot_xmin(pg_current_snapshot())) AS held_back, {_IS_KNOWN} AS is_known"
)
_FEED_END = (
    "SELECT transaction_id::text, id FROM events WHERE organization = $1 "
    "AND transaction_id < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY events.transaction_id DESC, id DESC LIMIT 1"
)
_SAME_QUEUE = f"SELECT FROM jobs WHERE lane = $1 AND organization = $2 AND {CLAIMABLE}"
_AHEAD = (
    f"SELECT count(*) FROM ((({_SAME_QUEUE} AND priority > $3 LIMIT $5) UNION ALL "
    f"({_SAME_QUEUE} AND priority = $3 AND id < $4 LIMIT $5)) LIMIT $5) AS ahead"
)
_ROOM = (
    "SELECT max_running, CASE WHEN max_running IS NOT NULL THEN greatest(0, max_running - ("
    "SELECT count(*) FROM jobs WHERE organization = organizations.id AND owner IS NOT NULL"
    ")) END FROM organizations WHERE id = $1"
)
_NEXT_WAKE = (
    f"SELECT least((SELECT min(wake_at) FROM jobs WHERE {SLEEPING}), "
    "(SELECT min(start_by) FROM jobs WHERE status = 'queued' AND start_by IS NOT NULL), "
    f"(SELECT min(finish_by) FROM jobs WHERE {WAITING} AND finish_by IS NOT NULL))"
)
_CANCEL_REQUESTS = "SELECT id FROM jobs WHERE owner = $1 AND cancel_requested_at IS NOT NULL ORDER BY id"
_HAS_SUSPECTS = f"SELECT EXISTS (SELECT FROM jobs WHERE {SUSPECT})"
_OF_JOBS_THAT_ARE_OVER = (
    "SELECT attempts.*, jobs.organization, steps.capability FROM attempts JOIN jobs ON jobs.id = attempts.job "
    "JOIN steps ON steps.job = attempts.job AND steps.name = attempts.step "
    f"WHERE jobs.status IN ({TERMINAL}) AND "
)
_OPEN_ATTEMPTS = (
    f"{_OF_JOBS_THAT_ARE_OVER} attempts.state IN ({OPEN}) ORDER BY attempts.created_at, attempts.id LIMIT $1"
)
_IN_DOUBT = (
    f"{_OF_JOBS_THAT_ARE_OVER} {IN_DOUBT} AND attempts.settled_at >= $1 "
    "ORDER BY attempts.settled_at, attempts.id LIMIT $2"
)
_LIVE_EXECUTORS = f"SELECT count(*) FROM executors WHERE state = 'live' AND lease_until > {executors.NOW}"
_DURABILITY = "SELECT current_setting('synchronous_commit'), current_setting('fsync')"


class PostgresQueries:
    """Implements the port `Queries`.

    Args:
        lease_time: the time that leases are written by, None for the database's own.

    Attributes:
        warnings: what of the server's settings, as last looked at, makes our guarantees weaker than we say.
    """

    def __init__(
        self, server: Server, plans: Plans, writer: Writer, lease_time: Callable[[], Milliseconds | None]
    ) -> None:
        self._server = server
        self._plans = plans
        self._writer = writer
        self._lease_time = lease_time
        self._pool: Any = None
        self.warnings: tuple[str, ...] = ()

    async def open(self) -> None:
        """Gets ready; connections are made when they are needed."""
        if self._pool is None:
            self._pool = await self._server.pool("reader", _READERS)
        await self.check()

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.terminate()

    async def accepted(self, organization: str, idempotency: Idempotency) -> tuple[str | None, str | None]:
        used = await self._read(self._pool.fetchrow, _ACCEPTED, organization, idempotency.key)
        return (None, None) if used is None else user_of(tuple(used), idempotency)

    async def job(self, organization: str, job_id: str) -> Job:
        found = await self._read(load_jobs, self._pool, self._plans, _JOB, job_id, organization)
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
        return await self._read(list_jobs, self._pool, self._plans, organization, Page(limit, offset, cursor), where)

    async def batch(self, organization: str, batch_id: str) -> tuple[Batch, Mapping[JobStatus, int]]:
        row = await self._read(self._pool.fetchrow, _BATCH, batch_id, organization)
        if row is None:
            raise no_batch(batch_id)
        counts = dict(await self._read(self._pool.fetch, _BATCH_COUNTS, batch_id))
        return batch_from(row), {status: counts.get(status.value, 0) for status in JobStatus}

    async def events(self, organization: str, job_id: str, *, after: int, limit: int) -> list[RecordedEvent]:
        found = await self._events(_EVENTS, job_id, after, organization, limit)
        if not found and not await self._read(self._pool.fetchval, _KNOWN, job_id, organization):
            raise no_job(job_id)
        return found

    async def last_retries(self, jobs: Collection[str]) -> Mapping[str, Mapping[str, Event]]:
        return retries_of(await self._events(_RETRIES, list(jobs)))

    async def feed(self, organization: str, *, after: str | None, limit: int) -> list[RecordedEvent]:
        transaction, number = _position(after)
        for _ in range(_FEED_TRIES):
            found = await self._events(_FEED, organization, str(transaction), number, limit)
            if found:
                break
            values = (organization, str(transaction), number)
            held_back, is_known = await self._read(self._pool.fetchrow, _HELD_BACK, *values)
            if not is_known:
                raise no_cursor(after or "")
            # What was just written waits for transactions that began before and are about to end.
            if not held_back:
                break
            await asyncio.sleep(_FEED_PAUSE_SECONDS)
        return found

    async def feed_end(self, organization: str) -> str:
        row = await self._read(self._pool.fetchrow, _FEED_END, organization)
        return "0-0" if row is None else f"{row[0]}-{row[1]}"

    async def position(self, job: Job, *, limit: int) -> int:
        values = (job.lane, job.organization, job.priority, job.id, limit)
        count: int = await self._read(self._pool.fetchval, _AHEAD, *values)
        return count

    async def room(self, organization: str) -> tuple[int | None, int | None]:
        row = await self._read(self._pool.fetchrow, _ROOM, organization)
        return (None, None) if row is None else (row[0], row[1])

    async def next_wake(self) -> Milliseconds | None:
        moment: Milliseconds | None = await self._read(self._pool.fetchval, _NEXT_WAKE)
        return moment

    async def cancel_requests(self, owner: str) -> list[str]:
        return [row[0] for row in await self._read(self._pool.fetch, _CANCEL_REQUESTS, owner)]

    async def open_attempts(self, *, limit: int) -> list[OpenAttempt]:
        return await self._attempts(_OPEN_ATTEMPTS, limit)

    async def attempts_in_doubt(self, since: Milliseconds, *, limit: int) -> list[OpenAttempt]:
        return await self._attempts(_IN_DOUBT, since, limit)

    async def _attempts(self, query: str, *values: int) -> list[OpenAttempt]:
        found = await self._read(self._pool.fetch, query, *values)
        return [OpenAttempt(row["job"], row["organization"], row["capability"], attempt_from(row)) for row in found]

    async def has_suspects(self) -> bool:
        return bool(await self._read(self._pool.fetchval, _HAS_SUSPECTS))

    async def usage(self, organization: str, asked: UsageQuery) -> list[Usage]:
        sums = UsageSums()
        for day in days_of(asked):
            sums.add(await self._read(usage, self._pool, organization, day))
        return sums.groups

    async def live_executors(self) -> int:
        count: int = await self._read(self._pool.fetchval, _LIVE_EXECUTORS, self._lease_time())
        return count

    async def check(self) -> str | None:
        row = await self._read(self._pool.fetchrow, _DURABILITY)
        self.warnings = _warnings(*row)
        before = self._writer.hindrance
        try:
            await self._writer.check(_CHECK_SECONDS)
        except TimeoutError:
            words = self._writer.hindrance or before or ""
            raise Unavailable(
                f"The job ledger's database answers, but cannot be written. {words}".rstrip(),
                hint="Check the database server's log, its disk, who holds locks, and whether it is a read-only standby.",
            ) from None
        return self._writer.hindrance

    async def fetch(self, query: str, *values: object) -> list[Any]:
        """The rows of a query.

        Raises:
            Unavailable: the database does not answer.
        """
        return await self._read(self._pool.fetch, query, *values)

    async def _events(self, query: str, *values: object) -> list[RecordedEvent]:
        found = await self._read(self._pool.fetch, query, *values)
        return [event_from(row, f"{row['transaction_id']}-{row['id']}") for row in found]

    async def _read(self, read: Callable[..., Awaitable[Result]], *values: Any, **options: Any) -> Result:
        for _ in range(_READERS):
            try:
                async with asyncio.timeout(_READ_SECONDS):
                    return await read(*values, **options)
            except asyncpg.OutdatedSchemaCacheError:
                logger.info("a reading connection learns about a migration")
            except REFUSALS as error:
                late = isinstance(error, TimeoutError)
                words = f"it has not answered within {_READ_SECONDS:g} seconds" if late else reason(error)
                raise Unavailable(
                    f"The job ledger could not be read: {words}.", hint="Try again in a moment."
                ) from error
        return await read(*values, **options)


def _position(after: str | None) -> tuple[int, int]:
    if after is None:
        return 0, 0
    match = _CURSOR.fullmatch(after)
    if match is None or max(int(match[1]), int(match[2])) > _LARGEST:
        raise no_cursor(after)
    return int(match[1]), int(match[2])


def _warnings(synchronous_commit: str, fsync: str) -> tuple[str, ...]:
    warnings: list[str] = []
    if synchronous_commit not in ("on", "remote_apply"):
        warnings.append(
            f"The database's synchronous_commit is `{synchronous_commit}`: jobs that were accepted can be lost in a crash. "
            "Set it to `on`."
        )
    if fsync != "on":
        warnings.append("The database's fsync is off: a crash of its machine can lose everything. Set it to `on`.")
    return tuple(warnings)
