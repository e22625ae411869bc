"""Applies what owners decide and what people ask for: decisions, cancels, retries."""

from genesis.database.lifecycle import admissible, retried, waking
from genesis.database.plans import Plans
from genesis.database.refusals import check_cancelable, check_retryable, fenced, no_batch, no_job
from genesis.database.rows import dump, dump_failure
from genesis.database.sqlite.ending import end_all, end_unowned
from genesis.database.sqlite.loading import load_jobs
from genesis.database.sqlite.transaction import Transaction
from genesis.database.states import JOB_ENDS, TERMINAL, is_among
from genesis.domain.identity import Milliseconds
from genesis.domain.job import Job, JobStatus
from genesis.domain.step import StepState
from genesis.ports.ledger import Decision, Finish, Release

_FENCE = "WHERE id = ? AND owner = ? AND epoch = ?"
# Plain columns only: SQLite 3.40 finds `IS NOT NULL` of a RETURNING clause true whatever the value is.
_RETURNING = "RETURNING event_seq, organization, cancel_requested_at"
_GO_ON = f"UPDATE jobs SET event_seq = event_seq + ? {_FENCE} {_RETURNING}"
_RELEASE = (
    "UPDATE jobs SET event_seq = event_seq + ?, owner = NULL, epoch = epoch + 1, lane = ?, wake_at = ? "
    f"{_FENCE} {_RETURNING}"
)
_REQUEUE = _RELEASE.replace(" SET ", f" SET status = '{JobStatus.QUEUED}', started_at = NULL, ", 1)
_ENDS = is_among("status || '>' || ?", JOB_ENDS)
_FINISH = (
    "UPDATE jobs SET event_seq = event_seq + ?, owner = NULL, epoch = epoch + 1, status = ?, outputs = ?, "
    f"failure = ?, completed_at = ? {_FENCE} AND {_ENDS} {_RETURNING}"
)
_JOB = "SELECT * FROM jobs WHERE id = ? AND organization = ?"
_ASK = "UPDATE jobs SET cancel_requested_at = coalesce(cancel_requested_at, ?) WHERE id = ? RETURNING owner"
_OF_BATCH = f"SELECT id FROM jobs WHERE batch = ? AND status NOT IN ({TERMINAL}) ORDER BY id"
_RETRY = (
    "UPDATE jobs SET status = 'queued', lane = ?, epoch = epoch + 1, wake_at = 0, owner = NULL, started_at = NULL, "
    "completed_at = NULL, failure = NULL, cancel_requested_at = NULL, start_by = NULL, finish_by = NULL, "
    "outputs = '{}', crash_count = 0, lone_crash_count = 0, alone = 0, retried_at = ?, event_seq = event_seq + 1 "
    "WHERE id = ? RETURNING event_seq"
)
_RESET_STEPS = (
    "UPDATE steps SET state = 'waiting', output = NULL, failure = NULL, started_at = NULL, completed_at = NULL, "
    f"retry_at = NULL WHERE job = ? AND state <> '{StepState.DONE}'"
)


def decide(transaction: Transaction, plans: Plans, decision: Decision, now: Milliseconds) -> None:
    """Applies a decision; its evidence also when the fence does not hold."""
    change, job = decision.change, decision.fence.job
    guarded = _guard(transaction, decision, now)
    fenced_off = guarded is None
    transaction.settle(admissible(change.evidence, fenced=fenced_off), keep_outputs=fenced_off)
    if guarded is None:
        raise fenced(decision.fence)
    last, organization, cancel_requested_at = guarded
    transaction.add_parts(job, change.parts)
    transaction.change_steps(job, change.steps)
    transaction.add_attempts(job, change.intents)
    transaction.add_events(organization, job, change.events, last)
    if change.outcome is not None:
        transaction.free(organization)
    if not isinstance(change.outcome, Release):
        return
    if cancel_requested_at is not None:
        # Who asked the owner to cancel asked the job's next one as well.
        end_all(transaction, plans, [job], JobStatus.CANCELED, now)
    elif wake_at := waking(change.outcome, now):
        transaction.note_due(wake_at)
    else:
        transaction.work_queued(change.outcome.lane)


def _guard(
    transaction: Transaction, decision: Decision, now: Milliseconds
) -> tuple[int, str, Milliseconds | None] | None:
    """Changes the job's row if owner and epoch are the decider's; a changed owner raises the epoch."""
    fence = (decision.fence.job, decision.fence.owner, decision.fence.epoch)
    events = len(decision.change.events)
    connection = transaction.connection_for_heads
    match decision.change.outcome:
        case None:
            cursor = connection.execute(_GO_ON, (events, *fence))
        case Release() as release:
            statement = _RELEASE if release.begun else _REQUEUE
            cursor = connection.execute(statement, (events, release.lane, waking(release, now), *fence))
        case Finish(status, outputs, failure):
            end = (status.value, dump(outputs), dump_failure(failure), now)
            cursor = connection.execute(_FINISH, (events, *end, *fence, status.value))
    row: tuple[int, str, Milliseconds | None] | None = cursor.fetchone()
    return row


def cancel(transaction: Transaction, plans: Plans, organization: str, job_id: str, now: Milliseconds) -> Job:
    """Ends a job that nobody runs, or leaves word for its owner."""
    job = _job(transaction, plans, organization, job_id)
    check_cancelable(job)
    transaction.connection.execute(_ASK, (now, job_id)).fetchone()
    if job.owner is None:
        end_unowned(transaction, job, JobStatus.CANCELED, now)
    else:
        transaction.cancel_requested(job_id)
    return _job(transaction, plans, organization, job_id)


def cancel_batch(transaction: Transaction, plans: Plans, organization: str, batch_id: str, now: Milliseconds) -> None:
    """Does the same with every job of a batch that is not over."""
    batch = "SELECT 1 FROM batches WHERE id = ? AND organization = ?"
    if transaction.connection.execute(batch, (batch_id, organization)).fetchone() is None:
        raise no_batch(batch_id)
    unowned: list[str] = []
    for (job,) in transaction.connection.execute(_OF_BATCH, (batch_id,)).fetchall():
        (owner,) = transaction.connection.execute(_ASK, (now, job)).fetchone()
        if owner is None:
            unowned.append(job)
        else:
            transaction.cancel_requested(job)
    end_all(transaction, plans, unowned, JobStatus.CANCELED, now)


def retry(
    transaction: Transaction, plans: Plans, organization: str, job_id: str, now: Milliseconds, *, resend: bool
) -> Job:
    """Queues a job that failed or was canceled again."""
    job = _job(transaction, plans, organization, job_id)
    check_retryable(job, resend=resend)
    fresh, lane, event = retried(job, now)
    (last,) = transaction.connection.execute(_RETRY, (lane, fresh.retried_at, job_id)).fetchone()
    transaction.connection.execute(_RESET_STEPS, (job_id,))
    transaction.add_events(organization, job_id, (event,), last)
    transaction.work_queued(lane)
    return fresh


def _job(transaction: Transaction, plans: Plans, organization: str, job_id: str) -> Job:
    found = load_jobs(transaction.connection, plans, _JOB, (job_id, organization))
    if not found:
        raise no_job(job_id)
    return found[0]
