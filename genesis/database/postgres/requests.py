"""What people ask for of jobs that exist: cancel and retry."""

from genesis.database.lifecycle import retried
from genesis.database.postgres.flush import Changes, Flush, Head
from genesis.database.refusals import check_cancelable, check_retryable, no_batch, no_job
from genesis.database.states import TERMINAL
from genesis.domain.job import Job, JobStatus
from genesis.ports.signals import CancelRequested, WorkQueued

_RETRY = (
    "UPDATE jobs SET start_by = NULL, finish_by = NULL, completed_at = NULL, failure = NULL, outputs = '{}', "
    "retried_at = $2 WHERE id = $1"
)
_RESET_STEPS = (
    "UPDATE steps SET state = 'waiting', output = NULL, failure = NULL, started_at = NULL, completed_at = NULL, "
    "retry_at = NULL WHERE job = $1 AND state <> 'done'"
)


async def cancel(flush: Flush, organization: str, job_id: str) -> Job:
    """Ends a job that nobody runs, or leaves word for its owner.

    Raises:
        NotFound, Conflict: as the port says.
    """
    head, job = await _locked(flush, organization, job_id)
    check_cancelable(job)
    await _cancel(flush, [head])
    return (await flush.load("jobs.id = $1", job_id))[0]


async def cancel_batch(flush: Flush, organization: str, batch_id: str) -> None:
    """Does the same with every job of a batch that is not over.

    Raises:
        NotFound: the organization has no such batch.
    """
    batch = "SELECT EXISTS (SELECT FROM batches WHERE id = $1 AND organization = $2)"
    if not await flush.connection.fetchval(batch, batch_id, organization):
        raise no_batch(batch_id)
    open_jobs = f"SELECT id FROM jobs WHERE batch = $1 AND status NOT IN ({TERMINAL})"
    ids = [row[0] for row in await flush.connection.fetch(open_jobs, batch_id)]
    heads = (await flush.lock(ids)).values()
    over = {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED}
    await _cancel(flush, [head for head in heads if head.status not in over])


async def retry(flush: Flush, organization: str, job_id: str, *, resend: bool) -> Job:
    """Queues a job that failed or was canceled again.

    Raises:
        NotFound, Conflict: as the port says.
    """
    head, job = await _locked(flush, organization, job_id)
    check_retryable(job, resend=resend)
    fresh, lane, event = retried(job, flush.now)
    await flush.connection.execute(_RETRY, job_id, fresh.retried_at)
    await flush.connection.execute(_RESET_STEPS, job_id)
    head.status, head.lane, head.epoch, head.wake_at, head.owner = fresh.status.value, lane, fresh.epoch, 0, None
    head.started_at = head.completed_at = head.cancel_requested_at = None
    head.crash_count = head.lone_crash_count = head.alone = 0
    changes = Changes()
    changes.change_job(head, (event,))
    await flush.write(changes)
    flush.signals.append(WorkQueued(lane))
    return fresh


async def _locked(flush: Flush, organization: str, job_id: str) -> tuple[Head, Job]:
    head = (await flush.lock([job_id])).get(job_id)
    if head is None or head.organization != organization:
        raise no_job(job_id)
    return head, (await flush.load("jobs.id = $1", job_id))[0]


async def _cancel(flush: Flush, heads: list[Head]) -> None:
    changes = Changes()
    unowned: list[Head] = []
    for head in heads:
        head.cancel_requested_at = head.cancel_requested_at or flush.now
        if head.owner is None:
            unowned.append(head)
            continue
        changes.change_job(head)
        flush.signals.append(CancelRequested(head.id))
    if changes.heads:
        await flush.write(changes)
    await flush.end_unowned(unowned, JobStatus.CANCELED)
