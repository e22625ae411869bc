"""Accepts jobs and batches, once per idempotency key."""

from collections.abc import Sequence

from genesis.database.files import file_gone, uses_of
from genesis.database.lifecycle import accepted, due_of, head_started, lane_of
from genesis.database.plans import Plans, StoredPlan
from genesis.database.refusals import key_used
from genesis.database.rows import batch_from
from genesis.database.sqlite.loading import load_these, rows
from genesis.database.sqlite.transaction import Transaction
from genesis.database.states import CLAIMABLE
from genesis.domain.batch import Batch
from genesis.domain.event import Event
from genesis.domain.file import FileState
from genesis.domain.identity import Milliseconds
from genesis.domain.job import Job
from genesis.ports.ledger import Claimed, Idempotency, Submission

_ADD_PLAN = "INSERT OR IGNORE INTO plans (digest, document) VALUES (?, ?)"
_ADD_BATCH = "INSERT INTO batches (id, organization, created_at, size) VALUES (?, ?, ?, ?)"
_USE_KEY = (
    "INSERT OR IGNORE INTO idempotency (organization, key, fingerprint, job, batch, created_at) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)
_KEY = "SELECT fingerprint, job, batch FROM idempotency WHERE organization = ? AND key = ?"
_IS_DELETED = f"SELECT 1 FROM files WHERE id = ? AND organization = ? AND state = '{FileState.DELETED}'"
_NOTHING_AHEAD = (
    "SELECT (SELECT state FROM executors WHERE id = ?) = 'live' "
    f"AND NOT EXISTS (SELECT 1 FROM jobs WHERE {CLAIMABLE} AND lane = ?) "
    "AND (SELECT max_running IS NULL OR max_running > "
    "(SELECT count(*) FROM jobs WHERE organization = organizations.id AND owner IS NOT NULL) "
    "FROM organizations WHERE id = ?)"
)


def submit(
    transaction: Transaction,
    plans: Plans,
    job: Job,
    plan: StoredPlan,
    idempotency: Idempotency | None,
    head_start: Claimed | None,
    now: Milliseconds,
    *,
    plan_known: bool,
) -> Submission:
    """Stores a new job, begun where nothing waits ahead of it.

    Args:
        plan: the job's.
        plan_known: whether it is stored for certain.

    Raises:
        IdempotencyConflict: the key was used for something else.
        InvalidRequest: a file that it takes was deleted.
    """
    _check_files(transaction, [job], idempotency)
    if idempotency is not None:
        earlier, _ = _use_key(transaction, job.organization, idempotency, now, job=job.id)
        if earlier is not None:
            return Submission(load_these(transaction.connection, plans, [earlier])[0], replayed=True)
    if not plan_known:
        transaction.connection.execute(_ADD_PLAN, (plan.digest, plan.document))
    if head_start is not None and _nothing_ahead(transaction, head_start.job):
        job, events = head_started(head_start, now)
    else:
        job, events = accepted(job, now)
    _store(transaction, job, events, plan.digest)
    return Submission(job)


def submit_batch(
    transaction: Transaction,
    plans: Plans,
    batch: Batch,
    jobs: Sequence[Job],
    idempotency: Idempotency | None,
    now: Milliseconds,
) -> tuple[Batch, bool]:
    """Stores a batch with its jobs."""
    _check_files(transaction, jobs, idempotency, of_batch=True)
    if idempotency is not None:
        _, earlier = _use_key(transaction, batch.organization, idempotency, now, batch=batch.id)
        if earlier is not None:
            (row,) = rows(transaction.connection.execute("SELECT * FROM batches WHERE id = ?", (earlier,)))
            return batch_from(row), True
    stored = {id(job.plan): plans.stored(job.plan) for job in jobs}
    transaction.connection.executemany(_ADD_PLAN, {(plan.digest, plan.document) for plan in stored.values()})
    transaction.connection.execute(_ADD_BATCH, (batch.id, batch.organization, batch.created_at, batch.size))
    for job in jobs:
        _store(transaction, *accepted(job, now), stored[id(job.plan)].digest)
    return batch, False


def _check_files(
    transaction: Transaction, jobs: Sequence[Job], idempotency: Idempotency | None, *, of_batch: bool = False
) -> None:
    """Returns when no file that the jobs take was deleted, or they were accepted before; before anything is written.

    Raises:
        InvalidRequest: one was.
    """
    for number, job in enumerate(jobs):
        for file, _, organization in uses_of(job):
            if transaction.connection.execute(_IS_DELETED, (file, organization)).fetchone() is None:
                continue
            key = None if idempotency is None else (job.organization, idempotency.key)
            if key is None or transaction.connection.execute(_KEY, key).fetchone() is None:
                raise file_gone(job, file, f"jobs.{number}." if of_batch else "")
            return


def _use_key(
    transaction: Transaction,
    organization: str,
    idempotency: Idempotency,
    now: Milliseconds,
    *,
    job: str | None = None,
    batch: str | None = None,
) -> tuple[str | None, str | None]:
    """Takes the key for a job or a batch; returns the job or the batch that has it already.

    Raises:
        IdempotencyConflict: it was used for something else.
    """
    values = (organization, idempotency.key, idempotency.fingerprint, job, batch, now)
    if transaction.connection_for_heads.execute(_USE_KEY, values).rowcount:
        return None, None
    used = transaction.connection.execute(_KEY, (organization, idempotency.key)).fetchone()
    fingerprint, earlier_job, earlier_batch = used
    if fingerprint != idempotency.fingerprint or (earlier_job is None) is not (job is None):
        raise key_used(idempotency)
    return earlier_job, earlier_batch


def _nothing_ahead(transaction: Transaction, job: Job) -> bool:
    arguments = (job.owner, job.lane or lane_of(job.steps), job.organization)
    return bool(transaction.connection_for_heads.execute(_NOTHING_AHEAD, arguments).fetchone()[0])


def _store(transaction: Transaction, job: Job, events: Sequence[Event], plan: str) -> None:
    """Adds a job; `plan` is the digest of its plan."""
    transaction.add_job(job, events, plan=plan)
    if job.owner is None and job.wake_at == 0:
        transaction.work_queued(job.lane)
    if (due := due_of(job)) is not None:
        transaction.note_due(due)
