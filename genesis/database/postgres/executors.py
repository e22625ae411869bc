"""The lives of executors, and what a regular look at the ledger tidies up (lines 15 and 17 of the protocol)."""

from collections.abc import Collection, Sequence

from genesis.database.postgres import claiming
from genesis.database.postgres.flush import Changes, Flush, Head
from genesis.database.states import HELD, SLEEPING, WAITING
from genesis.domain.failure import DEADLINE_PASSED, START_DEADLINE_PASSED, Failure
from genesis.domain.identity import Milliseconds
from genesis.domain.job import JobStatus
from genesis.ports.signals import WorkQueued

NOW = "coalesce($1::bigint, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)"
"""Milliseconds: the first parameter, or the database's time where that is null."""

JOIN = (
    f"INSERT INTO executors (id, started_at, lease_until, state) VALUES ($2, {NOW}, {NOW} + $3::bigint, 'live') "
    f"RETURNING {NOW}"
)
HEARTBEAT = f"UPDATE executors SET lease_until = {NOW} + $3::bigint WHERE id = $2 AND state = 'live' RETURNING {NOW}"

_PORTION = 500
"""Rows of a kind that one sweep changes at most, so that it holds nobody up for long."""
_KEYS_KEPT = 48 * 3_600_000
"""Milliseconds."""
_EXECUTORS_KEPT = 24 * 3_600_000
"""Milliseconds after the end of their lease."""

_LEAVE = "UPDATE executors SET state = 'gone' WHERE id = $1 AND state = 'live'"
# As of the transaction's begin: what passes until the statement runs is time in which the database may not have answered.
_SINCE_BEGUN = "(extract(epoch FROM pg_catalog.clock_timestamp() - transaction_timestamp()) * 1000)::bigint"
# Nobody can say for how long a server was away that has just been started. That its clock was set back is another matter.
_HAS_RUN = "extract(epoch FROM transaction_timestamp() - pg_postmaster_start_time()) * 1000"
_DECLARE_DEAD = (
    "UPDATE executors SET state = 'dead' WHERE id IN "
    f"(SELECT id FROM executors WHERE state = 'live' AND lease_until + $2::bigint <= {NOW} - {_SINCE_BEGUN} "
    f"AND ($1::bigint IS NOT NULL OR {_HAS_RUN} NOT BETWEEN 0 AND $3::bigint) ORDER BY id FOR UPDATE SKIP LOCKED)"
)
_LONGEST_LEASE = 300_000
"""Milliseconds: what can be set at most."""
_LONGEST_SLEEP = 60_000
"""Milliseconds that a job may sleep longer than it was meant to; those that do are left alone."""
_SHORTEN = (
    f"UPDATE executors SET lease_until = {NOW} + $2::bigint WHERE id IN (SELECT id FROM executors "
    f"WHERE state = 'live' AND lease_until > {NOW} + {_LONGEST_LEASE} ORDER BY id FOR UPDATE)"
)
_SLEEPS_LONG = f"{SLEEPING} AND status = 'running' AND wake_at > $1 AND wake_at < {HELD}"
_OF_OWNER = "owner = $1 AND NOT id = ANY($2::text[])"
_ORPHANED = "owner IS NOT NULL AND owner NOT IN (SELECT executors.id FROM executors WHERE state = 'live')"
_GONE = "SELECT id FROM executors WHERE id = ANY($1::text[]) AND state = 'gone'"
_TOO_LATE_TO_START = f"{WAITING} AND status = 'queued' AND start_by IS NOT NULL AND start_by <= $1"
_TOO_LATE_TO_FINISH = f"{WAITING} AND finish_by IS NOT NULL AND finish_by <= $1"
_FORGET_KEYS = (
    "DELETE FROM idempotency WHERE (organization, key) IN "
    f"(SELECT organization, key FROM idempotency WHERE created_at < $1 ORDER BY created_at LIMIT {_PORTION} "
    "FOR UPDATE SKIP LOCKED)"
)
_FORGET_EXECUTORS = (
    "DELETE FROM executors WHERE id IN (SELECT id FROM executors WHERE state <> 'live' AND lease_until < $1 "
    "AND NOT EXISTS (SELECT FROM jobs WHERE owner = executors.id AND owner IS NOT NULL) "
    f"LIMIT {_PORTION} FOR UPDATE SKIP LOCKED)"
)
# Twice as long as its writer counts on the row (see `lane`).
_FORGET_WRITERS = (
    "DELETE FROM writers WHERE id IN (SELECT id FROM writers WHERE written_at < now() - interval '1 day' "
    f"LIMIT {_PORTION} FOR UPDATE SKIP LOCKED)"
)
_EVERYTHING = 1_000_000


async def leave(flush: Flush, executor: str) -> None:
    """Ends an executor; its jobs go back without blame."""
    await flush.connection.execute(_LEAVE, executor)
    await disown(flush, executor, ())


async def disown(flush: Flush, executor: str, running: Collection[str]) -> int:
    """Gives back what an executor owns without running it; returns how many jobs that were."""
    heads = await flush.lock_where(_OF_OWNER, executor, list(running), limit=_EVERYTHING)
    await flush.release(heads)
    return len(heads)


async def wake(flush: Flush, now: Milliseconds | None, lease: Milliseconds) -> None:
    """Lets nothing wait for a time that was written before the clock was set back, if it was.

    Jobs that go on at a time far ahead are looked at anew: who runs one knows how long it was to wait. No executor that lives
    has a lease of that length; it will write another one soon.

    Args:
        now: None for the database's time, which leases are written by.
    """
    await flush.connection.execute(_SHORTEN, now, lease)
    changes = Changes()
    for head in await flush.lock_where(_SLEEPS_LONG, flush.now + _LONGEST_SLEEP, limit=_EVERYTHING):
        head.wake_at = 0
        changes.change_job(head)
        flush.signals.append(WorkQueued(head.lane))
    if changes.heads:
        await flush.write(changes)


async def sweep(flush: Flush, now: Milliseconds | None, lost: Milliseconds, lease: Milliseconds) -> int:
    """Takes the jobs of executors that are not alive, wakes sleepers, ends waiting jobs whose time is over, and forgets old
    keys, executors and writers.

    Args:
        now: None for the database's time, which leases are written by.
        lost: by how much leases are longer than they are written, because the database has not answered (see `Contact`).
        lease: how long a server has to run before anybody is taken for dead.

    Returns:
        how many jobs lost their owner.
    """
    await flush.connection.execute(_DECLARE_DEAD, now, lost, lease)
    orphans = await flush.lock_where(_ORPHANED, limit=_PORTION)
    await _release(flush, orphans)
    await claiming.wake(flush)  # beside claims, for which there may be no slot
    await _end(flush, _TOO_LATE_TO_START, START_DEADLINE_PASSED)
    await _end(flush, _TOO_LATE_TO_FINISH, DEADLINE_PASSED)
    await flush.connection.execute(_FORGET_KEYS, flush.now - _KEYS_KEPT)
    await flush.connection.execute(_FORGET_EXECUTORS, flush.now - _EXECUTORS_KEPT)
    await flush.connection.execute(_FORGET_WRITERS)
    return len(orphans)


async def _release(flush: Flush, orphans: Sequence[Head]) -> None:
    owners = {head.owner for head in orphans if head.owner is not None}
    gone = {row[0] for row in await flush.connection.fetch(_GONE, list(owners))} if owners else set()
    await flush.release(orphans, frozenset(head.id for head in orphans if head.owner not in gone))


async def _end(flush: Flush, late: str, failure: Failure) -> None:
    await flush.end_unowned(await flush.lock_where(late, flush.now, limit=_PORTION), JobStatus.FAILED, failure)
