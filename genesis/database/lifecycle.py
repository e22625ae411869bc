"""How a job's values change with what is written about it: pure, and the same in every kind of database."""

from typing import Any

from genesis.domain.attempt import Attempt, AttemptState, ProviderClass
from genesis.domain.copies import replace
from genesis.domain.event import Event, EventType
from genesis.domain.failure import POISONED, Failure
from genesis.domain.identity import Milliseconds
from genesis.domain.job import Job, JobStatus
from genesis.domain.step import Step, StepState
from genesis.ports.ledger import Change, Claimed, Release

LONE_CRASHES = 3
"""Deaths of its owners while it ran alone after which a job is parked."""


def accepted(job: Job, now: Milliseconds) -> tuple[Job, tuple[Event, ...]]:
    """A submitted job as it is stored, and its events."""
    if 0 < job.wake_at <= now or not job.lane:
        job = replace(job, wake_at=0 if job.wake_at <= now else job.wake_at, lane=job.lane or lane_of(job.steps))
    return job, (_queued(job),)


def head_started(claimed: Claimed, now: Milliseconds) -> tuple[Job, tuple[Event, ...]]:
    """A submitted job that began at once as it is stored, and its events."""
    job = applied(claimed.job, claimed.change, wake_at=0, lane=claimed.job.lane or lane_of(claimed.job.steps))
    return job, (_queued(job), Event(EventType.JOB_STARTED, now), *claimed.change.events)


def _queued(job: Job) -> Event:
    return Event(EventType.JOB_QUEUED, job.created_at, {"pipeline": job.pipeline})


def due_of(job: Job) -> Milliseconds | None:
    """The first moment at which a new job that waits may begin, or is over unless it has begun or ended by then."""
    if job.owner is not None:
        return None
    moments = (job.wake_at or None, job.start_by, job.finish_by)
    return min((moment for moment in moments if moment is not None), default=None)


def applied(job: Job, change: Change, **more: Any) -> Job:
    """The job with a change's steps and intents, which belong to it, and with `more` of its attributes changed."""
    changed = {step.name: step for step in change.steps}
    steps = tuple(changed.get(step.name, step) for step in job.steps)
    return replace(job, steps=steps, attempts=(*job.attempts, *change.intents), **more)


def admissible(evidence: tuple[Attempt, ...], *, fenced: bool) -> tuple[Attempt, ...]:
    """The evidence that counts.

    That a call of a keyed provider was not sent, or was refused, speaks of one sending only. Who has lost the job cannot
    know whether its next owner has sent the same key again.
    """
    if not fenced:
        return evidence
    return tuple(
        attempt
        for attempt in evidence
        if attempt.provider_class is not ProviderClass.KEYED or attempt.state not in _OF_ONE_SENDING
    )


_OF_ONE_SENDING = frozenset({AttemptState.NOT_SENT, AttemptState.FAILED})


def owned(job: Job, owner: str, now: Milliseconds) -> tuple[Job, tuple[Event, ...]]:
    """A waiting job as it is with a new owner, and its events."""
    events = (Event(EventType.JOB_STARTED, now),) if job.status is JobStatus.QUEUED else ()
    taken = replace(
        job,
        owner=owner,
        epoch=job.epoch + 1,
        status=JobStatus.RUNNING,
        started_at=now if job.started_at is None else job.started_at,
    )
    return taken, events


def ended(status: JobStatus, failure: Failure | None, now: Milliseconds) -> Event:
    """The event of a job that the ledger itself ends."""
    kind = EventType.JOB_CANCELED if status is JobStatus.CANCELED else EventType.JOB_FAILED
    return Event(kind, now, {"code": failure.code} if failure else {})


def calls_go_on(job: Job) -> bool:
    """Whether calls of a job that nobody runs may be under way all the same, which are to be given up with it."""
    return any(attempt.provider_class is not ProviderClass.REPEATABLE for attempt in job.open_attempts)


def end_after_release(*, cancel_requested: bool, lone_crash_count: int) -> tuple[JobStatus, Failure | None] | None:
    """How a job that has just lost its owner ends; None where it waits for the next one."""
    if cancel_requested:
        return JobStatus.CANCELED, None
    if lone_crash_count >= LONE_CRASHES:
        return JobStatus.FAILED, POISONED
    return None


def waking(release: Release, now: Milliseconds) -> Milliseconds:
    """A released job's `wake_at`."""
    return 0 if release.wake_at <= now else release.wake_at


def retried(job: Job, now: Milliseconds) -> tuple[Job, str, Event]:
    """A job queued again, with all that is not done anew; its lane, and its event.

    Its attempts so far are earlier than that, whatever has been done to the clock.
    """
    steps = tuple(step if step.state is StepState.DONE else _anew(step) for step in job.steps)
    fresh = replace(
        job,
        status=JobStatus.QUEUED,
        steps=steps,
        epoch=job.epoch + 1,
        outputs={},
        failure=None,
        started_at=None,
        completed_at=None,
        cancel_requested_at=None,
        start_by=None,
        finish_by=None,
        wake_at=0,
        crash_count=0,
        retried_at=max([now, *(attempt.created_at + 1 for attempt in job.attempts)]),
        lane=lane_of(tuple(step for step in job.steps if not _was_unwanted(step))),
    )
    return fresh, fresh.lane, Event(EventType.JOB_RETRIED, now)


def _anew(step: Step) -> Step:
    return Step(step.name, step.capability, part=step.part)


def _was_unwanted(step: Step) -> bool:
    """Whether its condition did not hold; a step that is skipped by the end of its job has the time of that."""
    return step.state is StepState.SKIPPED and step.completed_at is None


def lane_of(steps: tuple[Step, ...]) -> str:
    """The capability of the first step that is not done."""
    return next((step.capability for step in steps if step.state is not StepState.DONE), steps[-1].capability)


def unresolved(job: Job) -> Attempt | None:
    """An attempt whose outcome nobody knows and which would be made again if the job were.

    That it may be paid twice was accepted once for each time that it is: not any more before a later attempt was sent.
    """
    undone = [step.name for step in job.steps if step.state is not StepState.DONE]
    doubtful = [attempt for step in undone for attempt in job.attempts_that_count(step)]
    for step in undone:
        sent = [attempt for attempt in job.attempts_of(step) if attempt.state is not AttemptState.NOT_SENT]
        doubtful += sent[-1:]
    return next((attempt for attempt in doubtful if attempt.state is AttemptState.UNKNOWN), None)
