"""What a job waits for, in words: pure decisions about what the ledger and the directory know of it.

What only the process that runs a job could know is told where that is this one, and not guessed elsewhere.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.attempt import Attempt, AttemptState, ProviderClass
from genesis.domain.event import Event
from genesis.domain.identity import Milliseconds
from genesis.domain.job import TERMINAL, Job, JobStatus
from genesis.domain.pipeline import PipelineStep
from genesis.engine import plan
from genesis.engine.outcome import CIRCUIT_OPEN


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known beside the job itself.

    Attributes:
        executors: how many there are, in whichever process; None where that is not known.
        missing: why workers do not answer, by capability.
        is_full: whether all slots of a lane are taken in this process.
        is_quarantined: whether this process begins nothing but a job that may bring executors down.
        at_limit: whether the organization runs as many jobs as it may.
        without_slot: the job's steps that wait for a free slot, as far as this process runs it.
        put_off: why the job's steps were put off last, by step: their last events `step-retried`.
    """

    now: Milliseconds
    executors: int | None
    missing: Mapping[str, str]
    is_full: Callable[[str], bool]
    is_quarantined: bool = False
    at_limit: bool = False
    without_slot: Collection[str] = ()
    put_off: Mapping[str, Event] = field(default_factory=dict)


def is_put_off(job: Job, now: Milliseconds) -> bool:
    """Whether a step of a running job is not to be tried before a later moment."""
    return job.status is JobStatus.RUNNING and any(_is_later(step.retry_at, now) for step in job.steps)


def is_unclaimed(job: Job) -> bool:
    """Whether a job that is not over has no owner."""
    return job.owner is None and job.status not in TERMINAL


_HELD = "It waits for a word since a backup was restored: `genesis-server resume` or POST /jobs/resume."


def why_waiting(job: Job, around: Circumstances) -> str | None:
    """Why a job that is not over does not go on; None when it does, or when nothing is known to stand in its way."""
    if job.held:
        return _HELD
    match job.status:
        case JobStatus.QUEUED:
            return _why_queued(job, around)
        case JobStatus.RUNNING:
            return _why_running(job, around)
    return None


def _why_queued(job: Job, around: Circumstances) -> str | None:
    if job.wake_at > around.now:
        return "It is not to start before a later time."
    return _why_unclaimed(job, around)


def _why_unclaimed(job: Job, around: Circumstances) -> str | None:
    if around.executors == 0:
        return "No executor is running."
    if (missing := _missing(job.lane, around)) is not None:
        return missing
    if job.is_suspect:
        return f"It waits to run apart from others: the process that ran it has died {job.crash_count} times."
    if around.at_limit:
        return "The organization runs as many jobs as it may."
    if around.is_quarantined:
        return "Nothing begins until jobs have run apart from others that executors have died of."
    return f"All slots of {job.lane} are busy." if around.is_full(job.lane) else None


def _why_running(job: Job, around: Circumstances) -> str | None:
    """What all of its steps wait for that could go on; nothing where one of them does."""
    if job.cancel_requested_at is not None or any(_is_called(job, attempt, around.now) for attempt in job.attempts):
        return None
    if around.executors == 0:
        return "No executor is running."
    open_attempts = {attempt.step: attempt for attempt in job.open_attempts}
    startable = plan.startable(job)
    active = [step for step in job.plan.steps if step.name in open_attempts or step in startable]
    reasons = [_why_step(job, step, open_attempts.get(step.name), around) for step in active]
    return " ".join(dict.fromkeys(reason or "" for reason in reasons)) if all(reasons) and reasons else None


def _is_called(job: Job, attempt: Attempt, now: Milliseconds) -> bool:
    """Whether a provider is being asked, as far as anybody but the run can tell."""
    return attempt.state is AttemptState.INTENDED and job.owner is not None and now <= attempt.call_deadline


def _why_step(job: Job, step: PipelineStep, attempt: Attempt | None, around: Circumstances) -> str | None:
    if (missing := _missing(step.capability, around)) is not None:
        return missing
    if attempt is not None and attempt.state is AttemptState.PENDING:
        return f"Step `{step.name}` waits for {attempt.target}, which works on it."
    if attempt is not None and attempt.provider_class is not ProviderClass.REPEATABLE:
        return (
            f"Step `{step.name}` waits to learn what became of an earlier call of {attempt.target}: "
            "it may have been made."
        )
    if _is_later(job.step(step.name).retry_at, around.now):
        return _why_put_off(job, step, around)
    if step.name in around.without_slot:
        return f"Step `{step.name}` waits for a free slot of {step.capability}."
    waits_for_claim = job.owner is None and job.wake_at <= around.now
    return _why_unclaimed(job, around) if waits_for_claim else None


def _why_put_off(job: Job, step: PipelineStep, around: Circumstances) -> str:
    event = around.put_off.get(step.name)
    if event and event.data.get("code") == CIRCUIT_OPEN and event.data["retry_at"] == job.step(step.name).retry_at:
        return f"Step `{step.name}` waits for {event.data['target']}, which rests: it has failed too often of late."
    words = f"Step `{step.name}` is tried again at a later time"
    failed = [attempt for attempt in job.attempts_of(step.name) if attempt.failure]
    if not failed or failed[-1].failure is None:
        return f"{words}."
    fate = "was not made" if failed[-1].state is AttemptState.NOT_SENT else "failed"
    return f"{words}; its last attempt {fate}: {failed[-1].failure.message}"


def _missing(capability: str, around: Circumstances) -> str | None:
    reason = around.missing.get(capability)
    if reason is None:
        return None
    worker = CAPABILITIES[capability].worker if capability in CAPABILITIES else capability
    return f"The {worker} worker is missing: {reason}"


def _is_later(moment: Milliseconds | None, now: Milliseconds) -> bool:
    return moment is not None and moment > now
