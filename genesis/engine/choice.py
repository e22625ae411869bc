"""With which model a step is tried next, and the record of that intent."""

from collections.abc import Sequence
from dataclasses import dataclass

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.attempt import Attempt
from genesis.domain.copies import replace
from genesis.domain.event import Event, EventType
from genesis.domain.failure import Failure
from genesis.domain.identity import Milliseconds, new_id
from genesis.domain.job import Job
from genesis.domain.pipeline import PipelineStep
from genesis.domain.step import StepState
from genesis.engine import plan
from genesis.engine.breaker import Breakers
from genesis.engine.budget import over_budget
from genesis.engine.chain import Target, draw_of, next_target, targets
from genesis.engine.parts import CUTTER, Divided, United, divided, must_be_cut, united
from genesis.engine.retry import RetryPolicy
from genesis.errors import FailureClass, InvalidRequest
from genesis.ports.ledger import Change
from genesis.ports.prices import Prices
from genesis.ports.workers import WorkerDescription

NOT_AFTER_MILLISECONDS = 5_000
"""A call begins within this time of its intent, or never (line 12 of the protocol)."""
_GRACE_MILLISECONDS = 15_000
"""Between the longest call and the moment at which one is surely over."""
_WORKER_RETRY_MILLISECONDS = 1_000


@dataclass(frozen=True, slots=True)
class Chosen:
    """A step is to be tried with `target`.

    Attributes:
        first: whether it is of the one provider that all steps are tried with first, whose slots are those of the
            capability.
    """

    target: Target
    first: bool

    def lanes(self, capability: str) -> tuple[str, ...]:
        """The lanes that its call needs a slot of: further providers have their own beside the capability's."""
        return (capability,) if self.first else (capability, f"{capability}:{self.target.provider}")


@dataclass(frozen=True, slots=True)
class Later:
    """A step cannot be tried before a moment.

    Attributes:
        resting: the model that has failed too often to be asked before; None while the worker is missing.
    """

    retry_at: Milliseconds
    resting: str | None = None


def choose(
    job: Job,
    planned: PipelineStep,
    worker: WorkerDescription | None,
    breakers: Breakers,
    policy: RetryPolicy,
    prices: Prices,
    now: Milliseconds,
) -> Chosen | Later | Divided | United | Failure:
    """The model that a ready step is tried with; or when it can be, or why it cannot be tried at all.

    A step that is too long for one call goes on in parts, and one whose parts have settled with what they have made.

    Args:
        worker: None while it is missing.
    """
    if planned.capability not in CAPABILITIES:
        return _unknown_capability(planned)
    if worker is None:
        return Later(now + _WORKER_RETRY_MILLISECONDS)
    earlier = job.attempts_that_count(planned.name)
    match united(job, planned):
        case Target() as joiner:
            return _own(joiner, earlier, policy)
        case United() | Failure() as made:
            return made
    if must_be_cut(earlier):
        return _own(CUTTER, earlier, policy)
    return _of_chain(job, planned, worker, breakers, policy, prices)


def _of_chain(
    job: Job,
    planned: PipelineStep,
    worker: WorkerDescription,
    breakers: Breakers,
    policy: RetryPolicy,
    prices: Prices,
) -> Chosen | Later | Divided | Failure:
    """The next model of the chain."""
    try:
        chain = targets(worker, plan.model_of(job, planned), draw_of(job, planned.name))
    except InvalidRequest as error:
        return Failure(error.code, error.message, error.hint, FailureClass.FINAL)
    earlier = job.attempts_that_count(planned.name)

    def is_open(name: str) -> bool:
        return breakers.open_until(planned.capability, name) > 0

    target = next_target(chain, earlier, policy.limits, is_open)
    if target is None:
        # The chain has become shorter since the last attempt.
        return next(attempt.failure for attempt in reversed(earlier) if attempt.failure)
    if is_open(target.name):
        return Later(breakers.open_until(planned.capability, target.name), target.name)
    if (failure := over_budget(job, planned, target, prices)) is not None:
        return failure
    if (parts := divided(job, planned, worker, chain)) is not None:
        return parts
    return Chosen(target, [provider.name for provider in worker.first] == [target.provider])


def _own(target: Target, earlier: Sequence[Attempt], policy: RetryPolicy) -> Chosen | Failure:
    """What the platform does itself, in a slot of the capability."""
    tried = [attempt for attempt in earlier if attempt.target == target.name]
    if next_target((target,), tried, policy.limits) is not None:
        return Chosen(target, first=True)
    return next(attempt.failure for attempt in reversed(tried) if attempt.failure)


def intend(job: Job, planned: PipelineStep, target: Target, policy: RetryPolicy, now: Milliseconds) -> Change:
    """The record of an attempt, to be written before its call is made (line 9 of the protocol)."""
    step = job.step(planned.name)
    step = replace(step, state=StepState.RUNNING, started_at=step.started_at or now, retry_at=None)
    attempt = Attempt(
        id=new_id(),
        step=step.name,
        number=len(job.attempts_of(step.name)) + 1,
        call_key=new_id(),
        target=target.name,
        provider_class=target.provider_class,
        created_at=max(now, job.retried_at or 0),  # it counts, whatever has been done to the clock
        not_after=now + NOT_AFTER_MILLISECONDS,
        call_deadline=now + round(policy.call_seconds * 1000) + _GRACE_MILLISECONDS,
    )
    event = Event(EventType.STEP_STARTED, now, {"step": step.name, "target": target.name, "attempt": attempt.number})
    return Change(steps=(step,), intents=(attempt,), events=(event,))


def longest_call(attempt: Attempt) -> Milliseconds:
    """How long a call may take from its intent until it is surely over."""
    return attempt.call_deadline - attempt.not_after + NOT_AFTER_MILLISECONDS


def _unknown_capability(planned: PipelineStep) -> Failure:
    return Failure(
        "unknown-capability",
        f"This version of Genesis has no capability `{planned.capability}`.",
        "The job was made by another version; run that one, or create the job again.",
        FailureClass.FINAL,
    )
