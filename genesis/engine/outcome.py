"""What an attempt's result or failure means for its step: pure decisions, no I/O."""

from dataclasses import dataclass, replace

from genesis.domain.attempt import Attempt, AttemptState, ProviderClass
from genesis.domain.event import Event, EventType
from genesis.domain.failure import INTERRUPTED, OUTCOME_UNKNOWN, WITHHELD, Failure
from genesis.domain.identity import Milliseconds
from genesis.domain.job import Job
from genesis.domain.money import Money
from genesis.domain.step import Step, StepState
from genesis.domain.storable import storable, storable_text
from genesis.engine.chain import Target, next_target
from genesis.engine.retry import RetryPolicy
from genesis.errors import AttemptCanceled, CallFailed, FailureClass, InputRejected, WorkerBusy, WorkerUnavailable
from genesis.ports.workers import CallResult

_LONGEST_TARGET = 300


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an attempt ended, and what its step is after it."""

    attempt: Attempt
    step: Step
    events: tuple[Event, ...]


def succeeded(step: Step, attempt: Attempt, result: CallResult, now: Milliseconds) -> Verdict:
    """The step is done."""
    attempt = replace(
        attempt,
        state=AttemptState.SUCCEEDED,
        settled_at=now,
        target=storable_text(result.target, longest=_LONGEST_TARGET),
        cost=result.cost,
        usage=storable(result.usage),
        warnings=tuple(storable_text(warning) for warning in result.warnings),
    )
    step = replace(step, state=StepState.DONE, output=storable(result.output), completed_at=now, retry_at=None)
    event = Event(EventType.STEP_COMPLETED, now, {"step": step.name, "target": result.target})
    return Verdict(attempt, step, (event,))


def failed(
    step: Step,
    attempt: Attempt,
    error: CallFailed,
    *,
    earlier: tuple[Attempt, ...],
    chain: tuple[Target, ...],
    policy: RetryPolicy,
    now: Milliseconds,
) -> Verdict:
    """The step is tried again later, or has failed.

    Args:
        earlier: the step's attempts before this one.
    """
    attempt = settled(attempt, error, now)
    if not _may_repeat(attempt, error):
        return _give_up(step, attempt, Failure.of(error), now)
    attempts = (*earlier, attempt)
    if next_target(chain, attempts, policy.max_attempts) is None:
        return _give_up(step, attempt, Failure.of(error), now)
    retry_at = now + round(policy.pause(attempts) * 1000)
    event = Event(
        EventType.STEP_RETRIED,
        now,
        {"step": step.name, "target": attempt.target, "code": error.code, "retry_at": retry_at},
    )
    return Verdict(attempt, replace(step, retry_at=retry_at), (event,))


def withheld(step: Step, attempt: Attempt, now: Milliseconds) -> Verdict:
    """The attempt was recorded, but the job is to stop before it is sent."""
    return Verdict(replace(attempt, state=AttemptState.NOT_SENT, settled_at=now, failure=WITHHELD), step, ())


def settled(attempt: Attempt, error: CallFailed, now: Milliseconds) -> Attempt:
    """The attempt after this failure."""
    return replace(
        attempt,
        state=_state_after(attempt, error),
        settled_at=now,
        failure=Failure.of(error),
        retry_after=error.retry_after,
        cost=None if error.cost is None else Money(error.cost),
    )


def _state_after(attempt: Attempt, error: CallFailed) -> AttemptState:
    if isinstance(error, WorkerBusy | WorkerUnavailable | InputRejected):
        return AttemptState.NOT_SENT
    in_doubt = error.failure is FailureClass.AMBIGUOUS or isinstance(error, AttemptCanceled)
    if in_doubt and attempt.provider_class is not ProviderClass.REPEATABLE:
        return AttemptState.UNKNOWN
    return AttemptState.FAILED


def _may_repeat(attempt: Attempt, error: CallFailed) -> bool:
    if error.failure is FailureClass.AMBIGUOUS:
        return attempt.provider_class is ProviderClass.REPEATABLE
    return error.failure is FailureClass.SAFE


def _give_up(step: Step, attempt: Attempt, failure: Failure, now: Milliseconds) -> Verdict:
    step = failed_step(step, failure, now)
    return Verdict(attempt, step, (failed_event(step, now),))


def failed_step(step: Step, failure: Failure, now: Milliseconds) -> Step:
    """The step, failed."""
    return replace(step, state=StepState.FAILED, failure=failure, completed_at=now, retry_at=None)


def failed_event(step: Step, now: Milliseconds) -> Event:
    """The event of a failed step."""
    return Event(EventType.STEP_FAILED, now, {"step": step.name, "code": step.failure.code if step.failure else ""})


def interrupted(job: Job, now: Milliseconds) -> tuple[Verdict, ...]:
    """What the attempts that a dead owner left open mean: free ones are repeated, paid ones fail their step."""
    steps = {step.name: step for step in job.steps}
    return tuple(
        _interrupted(steps[attempt.step], attempt, now)
        for attempt in job.attempts
        if attempt.state in (AttemptState.INTENDED, AttemptState.PENDING)
    )


def _interrupted(step: Step, attempt: Attempt, now: Milliseconds) -> Verdict:
    if attempt.provider_class is ProviderClass.REPEATABLE:
        over = replace(attempt, state=AttemptState.FAILED, settled_at=now, failure=INTERRUPTED)
        event = Event(EventType.STEP_RETRIED, now, {"step": step.name, "code": INTERRUPTED.code, "retry_at": now})
        return Verdict(over, replace(step, retry_at=None), (event,))
    unknown = replace(attempt, state=AttemptState.UNKNOWN, settled_at=now, failure=OUTCOME_UNKNOWN)
    return _give_up(step, unknown, OUTCOME_UNKNOWN, now)
