"""A new incarnation of a database file, and the word that lets its jobs go on."""

import json
import sqlite3
from collections.abc import Collection

from genesis.database import incarnation
from genesis.database.incarnation import Queued
from genesis.database.plans import Plans
from genesis.database.sqlite.ending import end_all, release
from genesis.database.sqlite.transaction import Transaction
from genesis.database.states import IS_HELD
from genesis.domain.identity import Milliseconds
from genesis.domain.job import JobStatus

_PORTION = 2_000
_OWNERS = "SELECT DISTINCT owner FROM jobs INDEXED BY jobs_owned WHERE owner IS NOT NULL"
_HELD = f"SELECT id FROM jobs INDEXED BY jobs_sleeping WHERE {IS_HELD} LIMIT {_PORTION}"
_HELD_OF = f"SELECT id FROM jobs INDEXED BY jobs_sleeping WHERE {IS_HELD} AND organization = ? LIMIT {_PORTION}"
# Events that the restore has undone had numbers as well. Whoever has read them must not take them for those of others.
_SKIP_NUMBERS = (
    (
        "INSERT INTO sqlite_sequence (name, seq) SELECT 'events', 0 "
        "WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'events')"
    ),
    "UPDATE sqlite_sequence SET seq = seq + 1000000000000 WHERE name = 'events'",
)
_ORGANIZATIONS = "SELECT id FROM organizations"
_THESE = "job IN (SELECT value FROM json_each(?))"


def begin(
    connection: sqlite3.Connection,
    queued: Queued,
    now: Milliseconds,
    backed_up_at: Milliseconds,
    known: Collection[str],
) -> int:
    """Makes a restored database fit to be used, within one transaction of the caller; returns how many calls are unknown now.

    Args:
        known: ids of attempts in doubt of which a receipt tells what they came to.
    """
    transaction, plans = Transaction(connection), Plans()
    for statement in _SKIP_NUMBERS:
        connection.execute(statement)
    connection.execute(incarnation.NOBODY_LIVES)
    connection.execute(incarnation.close_repeatable(now))
    doubtful = [(row[0],) for row in connection.execute(incarnation.IN_DOUBT).fetchall() if row[0] not in known]
    connection.executemany(incarnation.leave_unknown(now, "id = ?"), doubtful)
    for (owner,) in connection.execute(_OWNERS).fetchall():
        release(transaction, plans, owner, now, crashed=False)
    transaction.conclude()
    connection.execute(incarnation.hold(backed_up_at))
    if queued is Queued.CANCEL:
        while held := [job for (job,) in connection.execute(_HELD).fetchall()]:
            end_all(transaction, plans, held, JobStatus.CANCELED, now)
            transaction.conclude()
    if queued is Queued.RUN:
        for (organization,) in connection.execute(_ORGANIZATIONS).fetchall():
            while resume(transaction, organization, now):
                pass
    return len(doubtful)


def resume(transaction: Transaction, organization: str, now: Milliseconds) -> int:
    """Lets some of the held jobs of an organization go on; returns how many."""
    connection = transaction.connection
    jobs = json.dumps([job for (job,) in connection.execute(_HELD_OF, (organization,)).fetchall()])
    connection.execute(incarnation.give_up_old_keys(now, _THESE), (jobs,))
    connection.execute(incarnation.renew_calls(now, _THESE), (jobs,))
    these = "id IN (SELECT value FROM json_each(?))"
    let_go = f"UPDATE jobs SET {incarnation.let_go(now)} WHERE {these} RETURNING lane"
    lanes = [lane for (lane,) in connection.execute(let_go, (jobs,)).fetchall()]
    for lane in set(lanes):
        transaction.work_queued(lane)
    return len(lanes)
