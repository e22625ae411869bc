"""The lives of executors, and what a regular look at the ledger tidies up."""

from collections.abc import Iterable

from genesis.capabilities.catalog import CAPABILITIES
from genesis.database.plans import Plans
from genesis.database.sqlite.claiming import wake
from genesis.database.sqlite.ending import end_all, release
from genesis.database.sqlite.transaction import Transaction
from genesis.database.states import CLAIMABLE, HELD, SLEEPING, WAITING, sql_list
from genesis.domain.failure import DEADLINE_PASSED, START_DEADLINE_PASSED, UNREADABLE
from genesis.domain.identity import Milliseconds
from genesis.domain.job import JobStatus

LEASE = 15_000
"""Milliseconds that are written as an executor's lease; here nobody else can look at it."""

_PORTION = 500
"""Rows of a kind that one sweep changes at most, so that it holds nobody up for long."""
_KEYS_KEPT = 48 * 3_600_000
"""Milliseconds."""
_EXECUTORS_KEPT = 24 * 3_600_000
"""Milliseconds after the end of their lease."""

_JOIN = "INSERT INTO executors (id, started_at, lease_until, state) VALUES (?, ?, ?, 'live')"
_HEARTBEAT = "UPDATE executors SET lease_until = ? WHERE id = ? AND state = 'live'"
_LEAVE = "UPDATE executors SET state = 'gone' WHERE id = ? AND state = 'live'"
_EARLIER_OWNERS = (
    "SELECT owner, coalesce(max(state), '') <> 'gone' FROM jobs INDEXED BY jobs_owned "
    "LEFT JOIN executors ON executors.id = owner WHERE owner IS NOT NULL GROUP BY owner"
)
_STRANDED = (
    f"SELECT id FROM jobs INDEXED BY jobs_claimable WHERE {CLAIMABLE} AND lane NOT IN ({sql_list(CAPABILITIES)})"
)
_WAKE_ALL = (
    f"UPDATE jobs INDEXED BY jobs_sleeping SET wake_at = 0 WHERE {SLEEPING} AND wake_at < {HELD} AND status = 'running'"
)
_TOO_LATE_TO_START = (
    "SELECT id FROM jobs INDEXED BY jobs_to_start WHERE status = 'queued' AND start_by IS NOT NULL AND start_by <= ? "
    f"ORDER BY start_by LIMIT {_PORTION}"
)
_TOO_LATE_TO_FINISH = (
    f"SELECT id FROM jobs INDEXED BY jobs_to_finish WHERE {WAITING} AND finish_by IS NOT NULL AND finish_by <= ? "
    f"ORDER BY finish_by LIMIT {_PORTION}"
)
_FORGET_KEYS = (
    "DELETE FROM idempotency WHERE (organization, key) IN "
    f"(SELECT organization, key FROM idempotency WHERE created_at < ? ORDER BY created_at LIMIT {_PORTION})"
)
_FORGET_EXECUTORS = (
    "DELETE FROM executors WHERE id IN (SELECT id FROM executors WHERE state <> 'live' AND lease_until < ? "
    f"AND id NOT IN (SELECT owner FROM jobs INDEXED BY jobs_owned WHERE owner IS NOT NULL) LIMIT {_PORTION})"
)


def join(transaction: Transaction, executor: str, now: Milliseconds) -> None:
    """Registers an executor."""
    transaction.connection.execute(_JOIN, (executor, now, now + LEASE))


def declare_dead(transaction: Transaction) -> None:
    """Notes that no executor is alive: who holds the lock knows it."""
    transaction.connection.execute("UPDATE executors SET state = 'dead' WHERE state = 'live'")


def take_over(transaction: Transaction, plans: Plans, now: Milliseconds) -> None:
    """Takes every job from its owner: who holds the lock knows that all earlier executors are dead.

    Times to wait for are forgotten as well, for the clock may have been set since they were written, and what waits for
    a capability that there is no more ends.
    """
    owners = transaction.connection.execute(_EARLIER_OWNERS).fetchall()
    declare_dead(transaction)
    for owner, crashed in owners:
        release(transaction, plans, owner, now, crashed=bool(crashed))
    transaction.connection.execute(_WAKE_ALL)
    end_all(transaction, plans, _ids(transaction, _STRANDED), JobStatus.FAILED, now, UNREADABLE)


def heartbeat(transaction: Transaction, executor: str, now: Milliseconds) -> bool:
    """Renews a lease, unless the executor is no longer alive."""
    return transaction.connection.execute(_HEARTBEAT, (now + LEASE, executor)).rowcount == 1


def leave(transaction: Transaction, plans: Plans, executor: str, now: Milliseconds) -> None:
    """Ends an executor; its jobs go back without blame."""
    release(transaction, plans, executor, now, crashed=False)
    transaction.connection.execute(_LEAVE, (executor,))


def sweep(transaction: Transaction, plans: Plans, now: Milliseconds) -> int:
    """Wakes sleepers, ends waiting jobs whose time is over, forgets old keys and executors; nobody else's lease can be
    over here."""
    wake(transaction, now)  # beside claims, for which there may be no slot
    late_starts = _ids(transaction, _TOO_LATE_TO_START, now)
    end_all(transaction, plans, late_starts, JobStatus.FAILED, now, START_DEADLINE_PASSED)
    end_all(transaction, plans, _ids(transaction, _TOO_LATE_TO_FINISH, now), JobStatus.FAILED, now, DEADLINE_PASSED)
    transaction.connection.execute(_FORGET_KEYS, (now - _KEYS_KEPT,))
    transaction.connection.execute(_FORGET_EXECUTORS, (now - _EXECUTORS_KEPT,))
    return 0


def _ids(transaction: Transaction, query: str, *arguments: object) -> Iterable[str]:
    return [job for (job,) in transaction.connection.execute(query, arguments).fetchall()]
