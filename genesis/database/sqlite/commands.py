"""What the ledger writes, one function per command, each within the transaction of its flush."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TypeVar

from genesis.capabilities.catalog import CAPABILITIES
from genesis.database.sqlite.rows import dump, dump_failure, load_jobs, rows
from genesis.domain import attempt as attempt_states
from genesis.domain import job as job_states
from genesis.domain import step as step_states
from genesis.domain.attempt import OPEN, Attempt, AttemptState, ProviderClass
from genesis.domain.event import Event, EventType
from genesis.domain.failure import INTERRUPTED, OUTCOME_UNKNOWN, UNREADABLE, Failure
from genesis.domain.identity import Milliseconds
from genesis.domain.job import TERMINAL, Job, JobStatus
from genesis.domain.pipeline import to_document
from genesis.domain.step import SETTLED, Step
from genesis.errors import Conflict, Fenced, NotFound
from genesis.ports.ledger import Decision, Finish, Release

State = TypeVar("State", bound=StrEnum)

_JOB_COLUMNS = "id, organization, pipeline, status, lane, wake_at, created_at, inputs, options, plan"
_STEP_COLUMNS = "job, number, name, capability, state"
_ATTEMPT_COLUMNS = "id, job, step, number, call_key, target, provider_class, state, created_at"

_OPEN = ", ".join(f"'{state}'" for state in sorted(OPEN))
_TERMINAL = ", ".join(f"'{status}'" for status in sorted(TERMINAL))
_SETTLED = ", ".join(f"'{state}'" for state in sorted(SETTLED))


def _before(transitions: Mapping[State, frozenset[State]], state: State) -> str:
    """The states from which `state` can be reached, as SQL."""
    return ", ".join(f"'{earlier}'" for earlier, following in transitions.items() if state in following)


def submit(connection: sqlite3.Connection, job: Job) -> None:
    """Stores a new job, its steps and its first event."""
    connection.execute(
        f"INSERT INTO jobs ({_JOB_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            job.id,
            job.organization,
            job.pipeline,
            job.status,
            job.steps[0].capability,
            job.wake_at,
            job.created_at,
            dump(job.inputs),
            dump(job.options),
            dump(to_document(job.plan)),
        ),
    )
    connection.executemany(
        f"INSERT INTO steps ({_STEP_COLUMNS}) VALUES (?, ?, ?, ?, ?)",
        [(job.id, number, step.name, step.capability, step.state) for number, step in enumerate(job.steps)],
    )
    _append(connection, job.id, (Event(EventType.JOB_QUEUED, job.created_at, {"pipeline": job.pipeline}),))


def claim(connection: sqlite3.Connection, owner: str, lane: str, limit: int, now: Milliseconds) -> list[Job]:
    """Gives waiting jobs to an owner, by priority and then by age; one that cannot be read fails visibly."""
    waiting = _load(
        connection,
        "owner IS NULL AND status IN ('queued', 'running') AND lane = ? AND wake_at <= ? "
        "ORDER BY priority DESC, id LIMIT ?",
        (lane, now, limit),
    )
    claimed: list[Job] = []
    for job in waiting:
        if not job.plan.steps:
            _end_unowned(connection, job, JobStatus.FAILED, now, UNREADABLE)
            continue
        connection.execute(
            "UPDATE jobs SET owner = ?, epoch = epoch + 1, status = 'running', started_at = coalesce(started_at, ?) "
            "WHERE id = ?",
            (owner, now, job.id),
        )
        if job.status is JobStatus.QUEUED:
            _append(connection, job.id, (Event(EventType.JOB_STARTED, now),))
        claimed.append(
            replace(job, owner=owner, epoch=job.epoch + 1, status=JobStatus.RUNNING, started_at=job.started_at or now)
        )
    return claimed


def decide(connection: sqlite3.Connection, decision: Decision, now: Milliseconds) -> None:
    """Applies a decision; the evidence first, which stays even when the fence does not hold."""
    for attempt in decision.evidence:
        _settle(connection, attempt)
    if not _guard(connection, decision, now):
        raise Fenced(f"Job {decision.fence.job} has another owner.")
    job = decision.fence.job
    for step in decision.steps:
        _update_step(connection, job, step)
    connection.executemany(
        f"INSERT INTO attempts ({_ATTEMPT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                attempt.id,
                job,
                attempt.step,
                attempt.number,
                attempt.call_key,
                attempt.target,
                attempt.provider_class,
                attempt.state,
                attempt.created_at,
            )
            for attempt in decision.intents
        ],
    )
    _append(connection, job, decision.events)
    if isinstance(decision.outcome, Release):
        # Who asked the owner to cancel asked the job's next one as well.
        for asked in _load(connection, "id = ? AND cancel_requested_at IS NOT NULL", (job,)):
            _end_unowned(connection, asked, JobStatus.CANCELED, now)


def _load(connection: sqlite3.Connection, where: str, arguments: tuple[object, ...]) -> list[Job]:
    return load_jobs(connection, rows(connection.execute(f"SELECT * FROM jobs WHERE {where}", arguments)))


def _guard(connection: sqlite3.Connection, decision: Decision, now: Milliseconds) -> bool:
    """Changes the job's row if owner and epoch are the decider's; a changed owner raises the epoch."""
    where = "WHERE id = ? AND owner = ? AND epoch = ?"
    fence = (decision.fence.job, decision.fence.owner, decision.fence.epoch)
    match decision.outcome:
        case None:
            # Touches the row so that the guard and the children share one atomic check.
            cursor = connection.execute(f"UPDATE jobs SET epoch = epoch {where}", fence)
        case Release(lane, wake_at):
            cursor = connection.execute(
                f"UPDATE jobs SET owner = NULL, epoch = epoch + 1, lane = ?, wake_at = ? {where}",
                (lane, wake_at, *fence),
            )
        case Finish(status, outputs, failure):
            cursor = connection.execute(
                f"UPDATE jobs SET owner = NULL, epoch = epoch + 1, status = ?, outputs = ?, failure = ?, "
                f"completed_at = ? {where} AND status IN ({_before(job_states.TRANSITIONS, status)})",
                (status, dump(outputs), dump_failure(failure), now, *fence),
            )
    return cursor.rowcount == 1


def _settle(connection: sqlite3.Connection, attempt: Attempt) -> None:
    """Writes how an attempt turned out, unless it is settled already."""
    connection.execute(
        "UPDATE attempts SET state = ?, target = ?, settled_at = ?, failure = ?, cost = ?, retry_after = ?, "
        f"warnings = ?, usage = ? WHERE id = ? AND state IN ({_before(attempt_states.TRANSITIONS, attempt.state)})",
        (
            attempt.state,
            attempt.target,
            attempt.settled_at,
            dump_failure(attempt.failure),
            attempt.cost,
            attempt.retry_after,
            dump(attempt.warnings),
            dump(dict(attempt.usage)),
            attempt.id,
        ),
    )


def _update_step(connection: sqlite3.Connection, job: str, step: Step) -> None:
    connection.execute(
        "UPDATE steps SET state = ?, output = ?, failure = ?, started_at = ?, completed_at = ?, retry_at = ? "
        f"WHERE job = ? AND name = ? AND (state = '{step.state}' OR state IN "
        f"({_before(step_states.TRANSITIONS, step.state)})) "
        f"AND state NOT IN ({_SETTLED})",
        (
            step.state,
            None if step.output is None else dump(step.output),
            dump_failure(step.failure),
            step.started_at,
            step.completed_at,
            step.retry_at,
            job,
            step.name,
        ),
    )


def _append(connection: sqlite3.Connection, job: str, events: Sequence[Event]) -> None:
    """Adds to the job's log; the counter in the job's row makes the sequence gapless."""
    if not events:
        return
    (last,) = connection.execute(
        "UPDATE jobs SET event_seq = event_seq + ? WHERE id = ? RETURNING event_seq", (len(events), job)
    ).fetchone()
    connection.executemany(
        "INSERT INTO events (job, seq, type, at, data) VALUES (?, ?, ?, ?, ?)",
        [
            (job, seq, event.type, event.at, dump(dict(event.data)))
            for seq, event in enumerate(events, start=last - len(events) + 1)
        ],
    )


def cancel(connection: sqlite3.Connection, organization: str, job_id: str, now: Milliseconds) -> Job:
    """Ends a job that nobody runs, or leaves word for its owner."""
    found = _load(connection, "organization = ? AND id = ?", (organization, job_id))
    if not found:
        raise NotFound(f"There is no job {job_id}.")
    job = found[0]
    if job.status in TERMINAL:
        raise Conflict(f"Job {job_id} is {job.status} already.", hint="Only queued and running jobs can be canceled.")
    connection.execute(
        "UPDATE jobs SET cancel_requested_at = coalesce(cancel_requested_at, ?) WHERE id = ?", (now, job_id)
    )
    if job.owner is None:
        _end_unowned(connection, job, JobStatus.CANCELED, now)
    return _load(connection, "id = ?", (job_id,))[0]


def _end_unowned(
    connection: sqlite3.Connection, job: Job, status: JobStatus, now: Milliseconds, failure: Failure | None = None
) -> None:
    """Ends a job that nobody runs; what it has produced stays."""
    connection.execute(
        "UPDATE jobs SET status = ?, completed_at = ?, outputs = ?, failure = ?, epoch = epoch + 1 WHERE id = ?",
        (status, now, dump(job.results), dump_failure(failure), job.id),
    )
    connection.execute(
        f"UPDATE steps SET state = 'skipped', completed_at = ? WHERE job = ? AND state NOT IN ({_SETTLED})",
        (now, job.id),
    )
    _close_attempts(connection, job.id, now)
    event = EventType.JOB_CANCELED if status is JobStatus.CANCELED else EventType.JOB_FAILED
    _append(connection, job.id, (Event(event, now, {"code": failure.code} if failure else {}),))


def _close_attempts(connection: sqlite3.Connection, job_id: str, now: Milliseconds) -> None:
    """Settles what a dead owner left open: a free call is over, of a paid one nobody knows."""
    for repeatable, state, failure in (
        (True, AttemptState.FAILED, INTERRUPTED),
        (False, AttemptState.UNKNOWN, OUTCOME_UNKNOWN),
    ):
        connection.execute(
            f"UPDATE attempts SET state = ?, settled_at = ?, failure = ? WHERE job = ? AND state IN ({_OPEN}) "
            "AND (provider_class = ?) = ?",
            (state, now, dump_failure(failure), job_id, ProviderClass.REPEATABLE, repeatable),
        )


def recover(connection: sqlite3.Connection, now: Milliseconds) -> int:
    """Takes every job from its owner: who holds the lock knows that all earlier owners are dead.

    Times to wait for are forgotten as well: the clock may have been set since they were written.
    """
    released = connection.execute(
        f"UPDATE jobs SET owner = NULL, epoch = epoch + 1 WHERE owner IS NOT NULL AND status NOT IN ({_TERMINAL})"
    ).rowcount
    connection.execute("UPDATE jobs SET wake_at = 0 WHERE owner IS NULL AND status IN ('queued', 'running')")
    asked = "owner IS NULL AND status IN ('queued', 'running') AND cancel_requested_at IS NOT NULL"
    for job in _load(connection, asked, ()):
        _end_unowned(connection, job, JobStatus.CANCELED, now)
    marks = ",".join("?" * len(CAPABILITIES))
    stranded = f"owner IS NULL AND status IN ('queued', 'running') AND lane NOT IN ({marks})"
    for job in _load(connection, stranded, tuple(CAPABILITIES)):
        _end_unowned(connection, job, JobStatus.FAILED, now, UNREADABLE)
    return released
