"""Accepts jobs and batches, once per idempotency key."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from genesis.database.files import file_gone, uses_of
from genesis.database.lifecycle import accepted, due_of, head_started, lane_of
from genesis.database.postgres import statements
from genesis.database.postgres.flush import Flush
from genesis.database.refusals import key_used
from genesis.database.rows import (
    Values,
    batch_from,
    dump,
    event_values,
    intent_values,
    job_values,
    step_values,
)
from genesis.database.states import CLAIMABLE
from genesis.domain.batch import Batch
from genesis.domain.event import Event
from genesis.domain.file import FileState
from genesis.domain.job import Job
from genesis.errors import GenesisError, IdempotencyConflict
from genesis.ports.ledger import Claimed, Idempotency, Submission
from genesis.ports.signals import JobChanged, WorkQueued

_BYTES_OF_A_JOB = 1_000
"""Beside its inputs and options, about."""
_KEY_COLUMNS = ("organization", "key", "fingerprint", "job", "batch", "created_at")
_USE_KEYS = f"{statements.insert('idempotency', _KEY_COLUMNS)} ON CONFLICT DO NOTHING RETURNING job, batch"
_KEYS = (
    "SELECT idempotency.organization, idempotency.key, fingerprint, job, batch FROM idempotency "
    "JOIN unnest($1::text[], $2::text[]) AS used(organization, key) "
    "ON idempotency.organization = used.organization AND idempotency.key = used.key"
)
_GIVE_BACK = (
    "DELETE FROM idempotency USING unnest($1::text[], $2::text[]) AS used(organization, key) "
    "WHERE idempotency.organization = used.organization AND idempotency.key = used.key"
)
_ADD_PLANS = f"{statements.insert('plans', ('digest', 'document'))} ON CONFLICT DO NOTHING"
_ADD_BATCH = "INSERT INTO batches (id, organization, created_at, size) VALUES ($1, $2, $3, $4)"
_BATCH = "SELECT * FROM batches WHERE id = $1"

_FREE = f"""
SELECT ARRAY(SELECT id FROM executors WHERE id = ANY($1::text[]) AND state = 'live') AS live,
    ARRAY(
        SELECT lane FROM unnest($2::text[]) AS lanes(lane)
        WHERE NOT EXISTS (SELECT FROM jobs WHERE jobs.lane = lanes.lane AND {CLAIMABLE})
    ) AS lanes,
    ARRAY(SELECT id FROM organizations WHERE id = ANY($3::text[]) AND max_running IS NOT NULL) AS capped
"""
# Who may not run more than so many jobs has its row locked, so that no two processes fill the last place.
_LOCK_CAPPED = "SELECT id FROM organizations WHERE id = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED"
_ROOM = (
    "SELECT id, max_running - (SELECT count(*) FROM jobs WHERE organization = organizations.id AND owner IS NOT NULL) "
    "FROM organizations WHERE id = ANY($1::text[])"
)


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be accepted."""

    job: Job
    idempotency: Idempotency | None
    head_start: Claimed | None


def size_of(job: Job) -> int:
    """About how many bytes of memory a new job takes until it is stored."""
    texts = (value for value in job.inputs.values() if isinstance(value, str))
    return _BYTES_OF_A_JOB + sum(map(len, texts)) + len(dump(job.options))


async def submit(
    flush: Flush, given: Sequence[NewJob], plans_known: Collection[str]
) -> list[Submission | GenesisError]:
    """Stores jobs; one answer each: IdempotencyConflict, or InvalidRequest where a file was deleted that a job takes, for
    those that are not stored.

    Args:
        plans_known: digests of plans that are stored for certain.
    """
    earlier = await _use_keys(
        flush, [(new.job.organization, new.idempotency, new.job.id, None) for new in given if new.idempotency]
    )
    fresh = [new for new in given if new.job.id not in earlier]
    refused = await _without_their_files(flush, [new.job for new in fresh])
    if refused:
        fresh = [new for new in fresh if new.job.id not in refused]
        await _give_keys_back(flush, [new for new in given if new.job.id in refused])
        refused |= {job: refused[found] for job, found in earlier.items() if found in refused}  # by the same key
        earlier = {job: found for job, found in earlier.items() if job not in refused}
    await _add_plans(flush, (new.job for new in fresh), plans_known)
    begun = await _without_anything_ahead(flush, [new for new in fresh if new.head_start is not None])
    stored = [
        head_started(new.head_start, flush.now)
        if new.head_start is not None and new.job.id in begun
        else accepted(new.job, flush.now)
        for new in fresh
    ]
    await _store(flush, stored)
    replayed = [found for found in earlier.values() if isinstance(found, str)]
    jobs = {job.id: job for job in await flush.load("jobs.id = ANY($1::text[])", replayed)} if replayed else {}
    new_jobs = {job.id: job for job, _ in stored}
    answers: list[Submission | GenesisError] = []
    for new in given:
        found = earlier.get(new.job.id)
        if isinstance(found, IdempotencyConflict):
            answers.append(found)
        elif new.job.id in refused:
            answers.append(file_gone(new.job, refused[new.job.id]))
        else:
            answers.append(Submission(jobs[found], replayed=True) if found else Submission(new_jobs[new.job.id]))
    return answers


async def submit_batch(
    flush: Flush, batch: Batch, jobs: Sequence[Job], idempotency: Idempotency | None, plans_known: Collection[str]
) -> tuple[Batch, bool]:
    """Stores a batch with its jobs.

    Raises:
        IdempotencyConflict: the key was used for something else.
        InvalidRequest: a file was deleted that one of them takes.
    """
    if idempotency is not None:
        earlier = (await _use_keys(flush, [(batch.organization, idempotency, None, batch.id)])).get(batch.id)
        if isinstance(earlier, IdempotencyConflict):
            raise earlier
        if earlier is not None:
            (row,) = await flush.connection.fetch(_BATCH, earlier)
            return batch_from(row), True
    refused = await _without_their_files(flush, jobs)
    for number, job in enumerate(jobs):
        if job.id in refused:
            raise file_gone(job, refused[job.id], f"jobs.{number}.")
    await _add_plans(flush, jobs, plans_known)
    await flush.connection.execute(_ADD_BATCH, batch.id, batch.organization, batch.created_at, batch.size)
    await _store(flush, [accepted(job, flush.now) for job in jobs])
    return batch, False


_Use = tuple[str, Idempotency, str | None, str | None]
"""An organization, its key, and the job or the batch that it is used for."""


async def _use_keys(flush: Flush, uses: Sequence[_Use]) -> dict[str, str | IdempotencyConflict]:
    """Takes keys for jobs or batches. By the id of each whose key was taken before: who has it, or a conflict."""
    if not uses:
        return {}
    ordered = sorted(uses, key=lambda use: (use[0], use[1].key))  # all processes lock in the same order
    rows = [(use[0], use[1].key, use[1].fingerprint, use[2], use[3], flush.now) for use in ordered]
    taken = {row[0] or row[1] for row in await flush.connection.fetch(_USE_KEYS, statements.rows(rows))}
    late = [use for use in uses if (use[2] or use[3]) not in taken]
    if not late:
        return {}
    found = await flush.connection.fetch(_KEYS, [use[0] for use in late], [use[1].key for use in late])
    users = {(row["organization"], row["key"]): row for row in found}
    earlier: dict[str, str | IdempotencyConflict] = {}
    for organization, idempotency, job, batch in late:
        row = users[organization, idempotency.key]
        user = row["batch"] if job is None else row["job"]
        same = user is not None and row["fingerprint"] == idempotency.fingerprint
        earlier[job or batch or ""] = user if same else key_used(idempotency)
    return earlier


async def _give_keys_back(flush: Flush, given: Sequence[NewJob]) -> None:
    keys = [(new.job.organization, new.idempotency.key) for new in given if new.idempotency]
    if keys:
        await flush.connection.execute(_GIVE_BACK, [key[0] for key in keys], [key[1] for key in keys])


async def _without_their_files(flush: Flush, jobs: Sequence[Job]) -> dict[str, str]:
    """The files that jobs take and that were deleted, one of each job, by the jobs' ids; the others are not deleted now."""
    used = [use for job in jobs for use in uses_of(job)]
    if not used:  # nothing of jobs that take none
        return {}
    files = await flush.connection.fetch(statements.LOCK_FILES, statements.rows(used))
    return {row["job"]: row["id"] for row in files if row["state"] == FileState.DELETED}


async def _add_plans(flush: Flush, jobs: Iterable[Job], known: Collection[str]) -> None:
    wanted = {plan.digest: plan.document for plan in map(flush.plans.stored, (job.plan for job in jobs))}
    new = sorted((digest, document) for digest, document in wanted.items() if digest not in known)
    if new:
        await flush.connection.execute(_ADD_PLANS, statements.rows(new))
        flush.plans_written.update(digest for digest, _ in new)


def _lane(job: Job) -> str:
    return job.lane or lane_of(job.steps)


async def _without_anything_ahead(flush: Flush, given: Sequence[NewJob]) -> set[str]:
    """The ids of those jobs that may begin at once."""
    claims = [new.head_start.job for new in given if new.head_start is not None]
    if not claims:
        return set()
    owners, lanes = {job.owner for job in claims}, {_lane(job) for job in claims}
    organizations = {job.organization for job in claims}
    (free,) = await flush.connection.fetch(_FREE, list(owners), list(lanes), list(organizations))
    room = await room_of(flush, free["capped"])
    begun: set[str] = set()
    for job in claims:
        if job.owner not in free["live"] or _lane(job) not in free["lanes"]:
            continue
        if job.organization in room:
            if room[job.organization] <= 0:
                continue
            room[job.organization] -= 1
        begun.add(job.id)
    return begun


async def room_of(flush: Flush, capped: Sequence[str]) -> dict[str, int]:
    """How many more jobs organizations may run that have a limit; with their rows locked, so that it holds."""
    if not capped:
        return {}
    locked = [row[0] for row in await flush.connection.fetch(_LOCK_CAPPED, capped)]
    room = {row[0]: row[1] for row in await flush.connection.fetch(_ROOM, locked)}
    return {organization: room.get(organization, 0) for organization in capped}


async def _store(flush: Flush, jobs: Sequence[tuple[Job, tuple[Event, ...]]]) -> None:
    rows: list[Values] = []
    steps: list[Values] = []
    attempts: list[Values] = []
    happened: list[Values] = []
    used: list[Values] = []
    for job, events in jobs:
        plan = flush.plans.stored(job.plan).digest
        rows.append(job_values(job, lane=job.lane, plan=plan, event_seq=len(events)))
        steps.extend(step_values(job.id, number, step) for number, step in enumerate(job.steps))
        attempts.extend(intent_values(job.id, attempt) for attempt in job.attempts)
        happened.extend(
            event_values(job.organization, job.id, number, event) for number, event in enumerate(events, start=1)
        )
        used.extend(uses_of(job))
        flush.signals.append(JobChanged(job.organization, job.id))
        if job.owner is None and job.wake_at == 0:
            flush.signals.append(WorkQueued(job.lane))
        if (due := due_of(job)) is not None:
            flush.note_due(due)
    if rows:
        await flush.connection.execute(
            statements.CREATE,
            statements.rows(rows),
            statements.rows(steps),
            statements.rows(attempts),
            statements.rows(happened),
        )
    if used:  # nothing of jobs that take none
        await flush.connection.execute(statements.USE_FILES, statements.rows(used))
