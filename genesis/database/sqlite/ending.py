"""Ends jobs that nobody runs, and takes jobs from owners that let go of them or have died."""

from collections.abc import Iterable

from genesis.database.lifecycle import calls_go_on, end_after_release, ended
from genesis.database.plans import Plans
from genesis.database.rows import dump, dump_failure
from genesis.database.sqlite.loading import load_these
from genesis.database.sqlite.transaction import Transaction
from genesis.database.states import OPEN, SETTLED
from genesis.domain.attempt import AttemptState, ProviderClass
from genesis.domain.failure import INTERRUPTED, Failure
from genesis.domain.identity import Milliseconds
from genesis.domain.job import Job, JobStatus
from genesis.domain.price import CostSource
from genesis.domain.step import StepState

_END = (
    "UPDATE jobs SET status = ?, completed_at = ?, outputs = ?, failure = ?, epoch = epoch + 1, "
    "event_seq = event_seq + 1 WHERE id = ? RETURNING event_seq"
)
_SKIP = f"UPDATE steps SET state = '{StepState.SKIPPED}', completed_at = ? WHERE job = ? AND state NOT IN ({SETTLED})"
_CLOSE_REPEATABLE = (
    f"UPDATE attempts SET state = '{AttemptState.FAILED}', settled_at = ?, failure = ?, cost = 0, "
    f"cost_source = '{CostSource.CATALOG}' WHERE job = ? AND state IN ({OPEN}) AND provider_class = '{ProviderClass.REPEATABLE}'"
)
_RELEASE = (
    "UPDATE jobs INDEXED BY jobs_owned SET owner = NULL, epoch = epoch + 1, wake_at = 0, "
    "crash_count = crash_count + :crashed, lone_crash_count = lone_crash_count + :crashed * alone, alone = 0 "
    "WHERE owner = :owner AND owner IS NOT NULL AND id NOT IN (SELECT value FROM json_each(:keeping)) "
    "RETURNING id, organization, lane, cancel_requested_at, lone_crash_count"
)


def end_unowned(
    transaction: Transaction, job: Job, status: JobStatus, now: Milliseconds, failure: Failure | None = None
) -> None:
    """Ends a job that nobody runs; what it has produced stays.

    Of its open attempts only the free ones are settled: what became of the others is still to be found out.
    """
    values = (status.value, now, dump(job.results), dump_failure(failure), job.id)
    (last,) = transaction.connection.execute(_END, values).fetchone()
    transaction.connection.execute(_SKIP, (now, job.id))
    transaction.connection.execute(_CLOSE_REPEATABLE, (now, dump_failure(INTERRUPTED), job.id))
    transaction.add_events(job.organization, job.id, (ended(status, failure, now),), last)
    if calls_go_on(job):
        transaction.cancel_requested(job.id)


def end_all(
    transaction: Transaction,
    plans: Plans,
    ids: Iterable[str],
    status: JobStatus,
    now: Milliseconds,
    failure: Failure | None = None,
) -> None:
    """Ends jobs that nobody runs, all in the same way."""
    for job in load_these(transaction.connection, plans, list(ids)):
        end_unowned(transaction, job, status, now, failure)


def release(
    transaction: Transaction, plans: Plans, owner: str, now: Milliseconds, *, crashed: bool, keeping: str = "[]"
) -> int:
    """Takes its jobs from an owner and returns how many they were.

    A job that was to be canceled ends as such, and one that has taken down three executors alone is parked.

    Args:
        crashed: whether the owner died on them, which counts against them.
        keeping: ids of jobs that it keeps, as JSON.
    """
    values = {"owner": owner, "crashed": int(crashed), "keeping": keeping}
    released = transaction.connection.execute(_RELEASE, values).fetchall()
    for job, organization, lane, cancel_requested_at, lone_crash_count in released:
        transaction.free(organization)
        cancel_requested = cancel_requested_at is not None
        end = end_after_release(cancel_requested=cancel_requested, lone_crash_count=lone_crash_count)
        if end is None:
            transaction.work_queued(lane)
        else:
            status, failure = end
            end_all(transaction, plans, [job], status, now, failure)
    return len(released)
