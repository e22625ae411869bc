"""What an attempt's result or failure means for its step: pure decisions, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genesis.domain.artifact import Artifact
from genesis.domain.attempt import Attempt, AttemptState, ProviderClass
from genesis.domain.copies import replace
from genesis.domain.event import Event, EventType
from genesis.domain.failure import INTERRUPTED, OUTCOME_UNKNOWN, WITHHELD, Failure
from genesis.domain.identity import Milliseconds
from genesis.domain.job import Job, OnAmbiguous
from genesis.domain.money import Money
from genesis.domain.quantity import Unit
from genesis.domain.step import Part, Step, StepState
from genesis.domain.storable import storable, storable_text
from genesis.engine.chain import Target, next_target
from genesis.engine.retry import RetryPolicy
from genesis.errors import (
    AttemptCanceled,
    CallFailed,
    FailureClass,
    InputRejected,
    InputTooLong,
    NothingSaid,
    TooLate,
    WorkerBusy,
    WorkerUnavailable,
)
from genesis.ports.ledger import Change, Release
from genesis.ports.workers import CallPending, CallResult

CIRCUIT_OPEN = "circuit-open"
"""The code of an event `step-retried` whose step waits for a model that rests."""
_LONGEST_TARGET = 300
_LONGEST_KEY = 300
_LARGEST_FILE = 2**53
_NOT_SENT = (WorkerBusy, WorkerUnavailable, InputRejected, InputTooLong, TooLate)
"""Failures that prove that the provider was never asked."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a failed step may still try.

    Attributes:
        earlier: the step's attempts before this one that count.
        chain: the models that it may be tried with.
        on_ambiguous: what the job's caller wants when nobody knows the outcome.
    """

    earlier: tuple[Attempt, ...]
    chain: tuple[Target, ...]
    policy: RetryPolicy
    on_ambiguous: OnAmbiguous = OnAmbiguous.FAIL


def succeeded(step: Step, attempt: Attempt, result: CallResult, now: Milliseconds) -> Change:
    """The step is done."""
    settled = paid(attempt, result, now)
    return replace(united(step, result.output, settled.target, now), evidence=(settled,))


def paid(attempt: Attempt, result: CallResult, now: Milliseconds) -> Attempt:
    """The attempt, succeeded."""
    return replace(
        attempt,
        state=AttemptState.SUCCEEDED,
        settled_at=now,
        target=storable_text(result.target, longest=_LONGEST_TARGET),
        cost=attempt.cost if result.cost is None else result.cost,
        quantities=result.quantities,
        usage=storable(result.usage),
        warnings=tuple(storable_text(warning) for warning in result.warnings),
        output=storable(result.output),
        artifact=None if result.artifact is None else _storable_artifact(result.artifact),
    )


def _storable_artifact(artifact: Artifact) -> Artifact | None:
    """What a worker says of a file that it has stored; None where that cannot be true."""
    texts = (artifact.key, artifact.media_type, artifact.sha256)
    is_storable = all(storable_text(text, longest=_LONGEST_KEY) == text for text in texts)
    return artifact if is_storable and 0 <= artifact.size <= _LARGEST_FILE else None


def returned(attempt: Attempt) -> CallResult:
    """What a succeeded attempt returned whose output has been kept."""
    return CallResult(
        output=attempt.output or {},
        target=attempt.target,
        cost=attempt.cost,
        quantities=attempt.quantities,
        usage=attempt.usage,
        warnings=attempt.warnings,
    )


def pending(attempt: Attempt, answer: CallPending) -> Attempt:
    """The attempt, of which the provider now gives a handle."""
    return replace(attempt, state=AttemptState.PENDING, handle=storable(answer.handle))


def failed(step: Step, attempt: Attempt, error: CallFailed, prospect: Prospect, now: Milliseconds) -> Change:
    """The step is tried again later, or has failed."""
    attempt = settled(attempt, error, now)
    too_long = isinstance(error, InputTooLong)
    if step.part is not None and isinstance(error, NothingSaid):
        return _silent(step, step.part, attempt, now)
    if step.part is not None and too_long:  # the chain has changed since it was cut
        return _given_up(step, attempt, Failure.of(error), now)
    attempts = (*prospect.earlier, attempt)
    policy = prospect.policy
    following = next_target(prospect.chain, attempts, policy.limits)
    if following is None or not _may_repeat(attempt, error, prospect.on_ambiguous):
        return _given_up(step, attempt, Failure.of(error), now)
    retry_at = now + (0 if too_long else round(policy.pause(attempts, following.name) * 1000))
    event = Event(
        EventType.STEP_RETRIED,
        now,
        {"step": step.name, "target": attempt.target, "code": error.code, "retry_at": retry_at},
    )
    return Change(evidence=(attempt,), steps=(replace(step, retry_at=retry_at),), events=(event,))


def asked_in_vain(job: Job, attempt: Attempt, error: CallFailed, now: Milliseconds) -> Change | None:
    """What follows where an attempt of unknown outcome was asked for once more, and its step may be tried again whatever
    came of it, as somebody has accepted to pay twice; None for all others.
    """
    if attempt.state is not AttemptState.UNKNOWN:
        return None
    still_unknown = error.failure is FailureClass.AMBIGUOUS
    if not may_be_replaced(job, attempt) or (not still_unknown and attempt in job.attempts_that_count(attempt.step)):
        return None
    known = settled(attempt, error, now)
    return Change() if still_unknown and known.cost == attempt.cost else Change(evidence=(known,))


def may_be_replaced(job: Job, attempt: Attempt) -> bool:
    """Whether somebody has accepted that an attempt of unknown outcome is paid twice, now or when the job was submitted."""
    return job.on_ambiguous is OnAmbiguous.RESEND or attempt not in job.attempts_that_count(attempt.step)


def _silent(step: Step, part: Part, attempt: Attempt, now: Milliseconds) -> Change:
    """A part of a recording in which nobody speaks is done; it was listened to all the same."""
    if part.seconds is not None:
        attempt = replace(attempt, quantities={Unit.AUDIO_SECONDS: part.seconds})
    return replace(united(step, {"text": ""}, attempt.target, now), evidence=(attempt,))


def united(step: Step, output: Mapping[str, Any], target: str, now: Milliseconds) -> Change:
    """The step is done without a call of its own.

    Args:
        target: the models that have made what it is done with.
    """
    done = replace(step, state=StepState.DONE, output=storable(output), completed_at=now, retry_at=None)
    event = Event(EventType.STEP_COMPLETED, now, {"step": step.name, "target": target})
    return Change(steps=(done,), events=(event,))


def put_off(step: Step, target: str, now: Milliseconds) -> Change:
    """The step waits, since its model has failed too often of late."""
    data = {"step": step.name, "target": target, "code": CIRCUIT_OPEN, "retry_at": step.retry_at}
    return Change(steps=(step,), events=(Event(EventType.STEP_RETRIED, now, data),))


def requeued(job: Job, release: Release, now: Milliseconds) -> Change:
    """Busy workers had no slot for the job: it waits in the queue again, at its place and as if it had not begun."""
    begun = (step for step in job.steps if step.state is StepState.RUNNING)
    return Change(
        steps=tuple(Step(step.name, step.capability) for step in begun),
        events=(Event(EventType.JOB_QUEUED, now, {"pipeline": job.pipeline, "code": WorkerBusy.code}),),
        outcome=Release(release.lane, 0, begun=False),
    )


def withheld(attempt: Attempt, now: Milliseconds) -> Attempt:
    """The attempt was recorded, but is not to be sent any more."""
    return replace(attempt, state=AttemptState.NOT_SENT, settled_at=now, failure=WITHHELD)


def settled(attempt: Attempt, error: CallFailed, now: Milliseconds) -> Attempt:
    """The attempt after this failure."""
    return replace(
        attempt,
        state=_state_after(attempt, error),
        settled_at=now,
        failure=Failure.of(error),
        retry_after=error.retry_after,
        cost=attempt.cost if error.cost is None else Money(error.cost),  # what was once told stays known
    )


def _state_after(attempt: Attempt, error: CallFailed) -> AttemptState:
    if isinstance(error, _NOT_SENT) and attempt.state is AttemptState.INTENDED:
        return AttemptState.NOT_SENT
    in_doubt = error.failure is FailureClass.AMBIGUOUS or isinstance(error, AttemptCanceled)
    if in_doubt and attempt.provider_class is not ProviderClass.REPEATABLE:
        return AttemptState.UNKNOWN
    return AttemptState.FAILED


def _may_repeat(attempt: Attempt, error: CallFailed, on_ambiguous: OnAmbiguous) -> bool:
    if error.failure is FailureClass.AMBIGUOUS:
        return attempt.provider_class is ProviderClass.REPEATABLE or on_ambiguous is OnAmbiguous.RESEND
    return error.failure is FailureClass.SAFE


def _given_up(step: Step, attempt: Attempt, failure: Failure, now: Milliseconds) -> Change:
    unsent = failed_unsent(step, failure, now)
    return replace(unsent, evidence=(attempt,))


def failed_unsent(step: Step, failure: Failure, now: Milliseconds) -> Change:
    """The step has failed, and there is no attempt to blame."""
    step = replace(step, state=StepState.FAILED, failure=failure, completed_at=now, retry_at=None)
    event = Event(EventType.STEP_FAILED, now, {"step": step.name, "code": failure.code})
    return Change(steps=(step,), events=(event,))


def left_unknown(step: Step, attempt: Attempt, now: Milliseconds) -> Change:
    """The step has failed, since nobody knows what came of an attempt of it."""
    return failed_unsent(step, attempt.failure or OUTCOME_UNKNOWN, now)


def interrupted(job: Job, attempt: Attempt, now: Milliseconds) -> Change:
    """A free attempt that a dead owner left open: it is over, and repeated."""
    step = replace(job.step(attempt.step), retry_at=None)
    over = replace(attempt, state=AttemptState.FAILED, settled_at=now, failure=INTERRUPTED)
    event = Event(EventType.STEP_RETRIED, now, {"step": step.name, "code": INTERRUPTED.code, "retry_at": now})
    return Change(evidence=(over,), steps=(step,), events=(event,))
