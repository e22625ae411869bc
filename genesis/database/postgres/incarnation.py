"""A new incarnation of a database, and the word that lets its jobs go on."""

from collections.abc import Collection

from genesis.database import incarnation
from genesis.database.incarnation import Queued
from genesis.database.postgres.flush import Flush
from genesis.database.states import IS_HELD
from genesis.domain.identity import Milliseconds
from genesis.domain.job import JobStatus
from genesis.ports.signals import WorkQueued

_PORTION = 2_000
_EVERYTHING = 1_000_000
_HELD_OF = f"{IS_HELD} AND organization = $1"
_ORGANIZATIONS = "SELECT id FROM organizations"
_THESE = "job = ANY($1::text[])"


async def begin(flush: Flush, queued: Queued, backed_up_at: Milliseconds, known: Collection[str]) -> int:
    """Makes a restored database fit to be used, within one transaction of the caller; returns how many calls are unknown now.

    Args:
        known: ids of attempts in doubt of which a receipt tells what they came to.
    """
    connection, now = flush.connection, flush.now
    await connection.execute(incarnation.NOBODY_LIVES)
    await connection.execute(incarnation.close_repeatable(now))
    doubtful = [row[0] for row in await connection.fetch(incarnation.IN_DOUBT) if row[0] not in known]
    await connection.execute(incarnation.leave_unknown(now, "id = ANY($1::text[])"), doubtful)
    await flush.release(await flush.lock_where("owner IS NOT NULL", limit=_EVERYTHING))
    await connection.execute(incarnation.hold(backed_up_at))
    if queued is Queued.CANCEL:
        while held := await flush.lock_where(IS_HELD, limit=_PORTION):
            await flush.end_unowned(held, JobStatus.CANCELED)
    if queued is Queued.RUN:
        for row in await connection.fetch(_ORGANIZATIONS):
            while await resume(flush, row[0]):
                pass
    return len(doubtful)


async def resume(flush: Flush, organization: str) -> int:
    """Lets some of the held jobs of an organization go on; returns how many."""
    connection, now = flush.connection, flush.now
    jobs = [head.id for head in await flush.lock_where(_HELD_OF, organization, limit=_PORTION)]
    if not jobs:
        return 0
    await connection.execute(incarnation.give_up_old_keys(now, _THESE), jobs)
    await connection.execute(incarnation.renew_calls(now, _THESE), jobs)
    let_go = f"UPDATE jobs SET {incarnation.let_go(now)} WHERE id = ANY($1::text[]) RETURNING lane"
    lanes = {row[0] for row in await connection.fetch(let_go, jobs)}
    flush.signals.extend(WorkQueued(lane) for lane in lanes)
    return len(jobs)
