"""What a ledger refuses, in words that are the same for every kind of database."""

from genesis.database.lifecycle import unresolved
from genesis.database.rows import readable
from genesis.domain.attempt import OPEN
from genesis.domain.job import TERMINAL, Job, JobStatus
from genesis.errors import Conflict, Fenced, IdempotencyConflict, InvalidRequest, NotFound
from genesis.ports.ledger import Fence, Idempotency


def no_job(job_id: str) -> NotFound:
    return NotFound(f"There is no job {job_id}.", hint="GET /jobs lists the jobs there are.")


def no_batch(batch_id: str) -> NotFound:
    return NotFound(f"There is no batch {batch_id}.", hint="POST /batches answers with the id of the batch.")


def no_cursor(cursor: str) -> InvalidRequest:
    return InvalidRequest(
        f"{cursor[:100]!r} is no place in the feed of events.",
        hint="Give an event id that this feed has sent, `beginning`, or none; what was sent before a restore counts no more.",
    )


def fenced(fence: Fence) -> Fenced:
    return Fenced(f"Job {fence.job} has another owner.")


def key_used(idempotency: Idempotency) -> IdempotencyConflict:
    return IdempotencyConflict(
        f"The idempotency key {idempotency.key!r} was used for another request.",
        hint="Choose a new key for each new request; repeat a request unchanged with its own.",
    )


def user_of(used: tuple[str, str | None, str | None], idempotency: Idempotency) -> tuple[str | None, str | None]:
    """The job, or the batch, that was accepted under a key.

    Args:
        used: the fingerprint of what was submitted, and what was accepted.

    Raises:
        IdempotencyConflict: the key was used for something else.
    """
    fingerprint, job, batch = used
    if fingerprint != idempotency.fingerprint:
        raise key_used(idempotency)
    return job, batch


def check_cancelable(job: Job) -> None:
    """Raises Conflict unless the job can be canceled."""
    if job.status in TERMINAL:
        raise Conflict(f"Job {job.id} is {job.status} already.", hint="Only queued and running jobs can be canceled.")


def check_retryable(job: Job, *, resend: bool) -> None:
    """Raises Conflict unless the job can be queued again.

    Args:
        resend: whether a call of which nobody knows if it was paid may be made again.
    """
    if job.status not in (JobStatus.FAILED, JobStatus.CANCELED):
        raise Conflict(f"Job {job.id} is {job.status}.", hint="Only failed and canceled jobs can be retried.")
    if not readable(job):
        raise Conflict(
            f"Job {job.id} was made by another version of Genesis, which this one cannot read.",
            hint="Create the job again.",
        )
    if any(attempt.state in OPEN for attempt in job.attempts):
        raise Conflict(
            f"An attempt of job {job.id} is still being settled.", hint="Try again once it is; look at the attempts."
        )
    attempt = unresolved(job)
    if attempt is not None and not resend:
        raise Conflict(
            f"Nobody knows what came of an attempt of step `{attempt.step}`; it may have been charged.",
            hint="Look at the provider's own records; retry with `resend` set to true to accept that it may be paid twice.",
        )
