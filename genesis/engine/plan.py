"""What a job does next: a pure function of its plan and of what its steps have come to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from genesis.capabilities.catalog import CAPABILITIES, longest
from genesis.domain.identity import Milliseconds
from genesis.domain.job import Job, JobStatus
from genesis.domain.pipeline import OnError, PipelineStep
from genesis.domain.step import SETTLED, Step, StepState
from genesis.engine.chain import was_refused
from genesis.ports.ledger import Change, Finish, Release


@dataclass(frozen=True, slots=True)
class Moves:
    """What follows.

    Attributes:
        job: the job with the steps that are skipped now.
        skipped: these steps.
        ready: steps to start an attempt of.
        outcome: set when nothing can go on here: the job is over, or waits.
    """

    job: Job
    skipped: tuple[Step, ...]
    ready: tuple[PipelineStep, ...]
    outcome: Release | Finish | None


def call_of(job: Job, step: PipelineStep) -> tuple[dict[str, Any], dict[str, Any]]:
    """Input and options of a step's call; what has no value is left out, what is too long falls back or is cut."""
    scope = job.scope
    model = CAPABILITIES[step.capability].input
    call_input = {
        name: expression.evaluate(scope, longest=longest(model, name)) for name, expression in step.input.items()
    }
    options = {name: expression.evaluate(scope) for name, expression in step.options.items()}
    return _given(call_input), _given(options)


def advance(job: Job, in_flight: frozenset[str], now: Milliseconds) -> Moves:
    """The next moves of a running job.

    Args:
        in_flight: names of the steps that have an attempt under way.
    """
    job, skipped = _skip(job)
    states = {step.name: step for step in job.steps}
    broken = next((step for step in job.plan.steps if _breaks_job(step, states)), None)
    open_steps = [step for step in job.plan.steps if states[step.name].state not in SETTLED]
    if broken is None and open_steps:
        startable = [step for step in open_steps if step.name not in in_flight and _needs_met(step, states)]
        ready = tuple(step for step in startable if (states[step.name].retry_at or 0) <= now)
        waits = None if ready or in_flight else _wait(startable, states)
        return Moves(job, skipped, ready, waits)
    if in_flight:  # siblings of a failed step finish first
        return Moves(job, skipped, (), None)
    if broken is not None:
        job, ended = _end_open_steps(job, now)
        failure = states[broken.name].failure
        return Moves(job, (*skipped, *ended), (), Finish(JobStatus.FAILED, job.results, failure))
    return Moves(job, skipped, (), Finish(JobStatus.COMPLETED, job.results))


def startable(job: Job) -> tuple[PipelineStep, ...]:
    """The steps that nothing is to come before, whether they are being tried or not; none once the job has to end."""
    job, _ = _skip(job)
    if is_broken(job):
        return ()
    states = {step.name: step for step in job.steps}
    return tuple(step for step in job.plan.steps if states[step.name].state not in SETTLED and _needs_met(step, states))


def is_broken(job: Job) -> bool:
    """Whether a step has failed that its job cannot do without."""
    states = {step.name: step for step in job.steps}
    return any(_breaks_job(step, states) for step in job.plan.steps)


def was_only_refused(job: Job) -> bool:
    """Whether all that has come of a job since it was last queued is that busy workers had no slot for it."""
    attempts = [attempt for step in job.steps for attempt in job.attempts_that_count(step.name)]
    return bool(attempts) and all(was_refused(attempt) for attempt in attempts)


def next_retry(job: Job, in_flight: frozenset[str]) -> Milliseconds | None:
    """When the next step may be tried again; None when none waits for that."""
    moments = (
        step.retry_at
        for step in job.steps
        if step.retry_at and step.state not in SETTLED and step.name not in in_flight
    )
    return min(moments, default=None)


def begun_anew(job: Job, longest: Callable[[str], Milliseconds], now: Milliseconds) -> tuple[Step, ...]:
    """The steps whose wait would last longer than it was meant to, with another one: the clock was set back since it began.

    Args:
        longest: how long a step of this name waits at most.
    """
    anew: list[Step] = []
    for step in job.steps:
        if step.retry_at is None or step.retry_at <= now or step.state in SETTLED:
            continue
        moments = (job.started_at, *(attempt.settled_at for attempt in job.attempts_of(step.name)))
        began = max((moment for moment in moments if moment and moment <= step.retry_at), default=now)
        latest = now + min(step.retry_at - began, longest(step.name))
        if step.retry_at > latest:
            anew.append(replace(step, retry_at=latest))
    return tuple(anew)


def seconds_left(job: Job, now: Milliseconds) -> float | None:
    """The time until a job has to end, as of now; no more than it was given, whatever has been done to the clock."""
    if job.finish_by is None:
        return None
    return (job.finish_by - max(now, job.created_at)) / 1000


def first_lane(job: Job) -> str:
    """The capability that a job that has not begun needs first."""
    moves = advance(job, frozenset(), job.created_at)
    return moves.ready[0].capability if moves.ready else job.steps[0].capability


def end(job: Job, status: JobStatus, now: Milliseconds) -> tuple[Job, tuple[Step, ...], Finish]:
    """Ends a job from outside; returns it with the steps that this skips."""
    job, ended = _end_open_steps(job, now)
    return job, ended, Finish(status, job.results)


def applied(job: Job, change: Change) -> Job:
    """The job after a change, without its outcome."""
    steps = {step.name: step for step in change.steps}
    evidence = {attempt.id: attempt for attempt in change.evidence}
    attempts = tuple(evidence.get(attempt.id, attempt) for attempt in job.attempts)
    return replace(
        job,
        steps=tuple(steps.get(step.name, step) for step in job.steps) if steps else job.steps,
        attempts=(*attempts, *change.intents),
    )


def with_step(job: Job, changed: Step) -> Job:
    """The job with one step replaced."""
    return replace(job, steps=tuple(changed if step.name == changed.name else step for step in job.steps))


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _needs_met(step: PipelineStep, states: Mapping[str, Step]) -> bool:
    return all(states[name].state in SETTLED for name in step.needs)


def _breaks_job(step: PipelineStep, states: Mapping[str, Step]) -> bool:
    return step.on_error is OnError.FAIL and states[step.name].state is StepState.FAILED


def _skip(job: Job) -> tuple[Job, tuple[Step, ...]]:
    """Skips the steps whose condition does not hold; one may decide about the next, so in the order of needs."""
    skipped: list[Step] = []
    while (unwanted := _unwanted(job)) is not None:
        skipped.append(replace(unwanted, state=StepState.SKIPPED))
        job = with_step(job, skipped[-1])
    return job, tuple(skipped)


def _unwanted(job: Job) -> Step | None:
    states = {step.name: step for step in job.steps}
    scope = job.scope
    for planned in job.plan.steps:
        undecided = states[planned.name].state is StepState.WAITING and _needs_met(planned, states)
        if undecided and planned.when and not scope.value(planned.when):
            return states[planned.name]
    return None


def _end_open_steps(job: Job, now: Milliseconds) -> tuple[Job, tuple[Step, ...]]:
    ended = tuple(
        replace(step, state=StepState.SKIPPED, completed_at=now) for step in job.steps if step.state not in SETTLED
    )
    for step in ended:
        job = with_step(job, step)
    return job, ended


def _wait(startable: list[PipelineStep], states: Mapping[str, Step]) -> Release:
    first = min(startable, key=lambda step: states[step.name].retry_at or 0)
    return Release(first.capability, states[first.name].retry_at or 0)
