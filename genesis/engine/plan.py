"""What a job does next: a pure function of its plan and of what its steps have come to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from genesis.capabilities.catalog import CAPABILITIES, longest
from genesis.domain.copies import replace
from genesis.domain.expression import Scope
from genesis.domain.identity import Milliseconds
from genesis.domain.job import Job, JobStatus
from genesis.domain.pipeline import OnError, Pipeline, PipelineStep
from genesis.domain.step import SETTLED, Step, StepState
from genesis.engine.chain import was_refused
from genesis.ports.ledger import Change, Finish, Release

_PARTS_AT_ONCE = 4
"""Parts of one step that are under way at once, so that a long text leaves slots to others."""


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
    part = job.step(step.name).part if job.has_parts else None
    if part is not None:
        return dict(part.input), options_of(job, step)
    scope = job.scope
    model = CAPABILITIES[step.capability].input
    call_input = {
        name: expression.evaluate(scope, longest=longest(model, name)) for name, expression in step.input.items()
    }
    return _given(call_input), options_of(job, step)


def options_of(job: Job, step: PipelineStep) -> dict[str, Any]:
    """The options of a step's call; a part has those of the whole."""
    part = job.step(step.name).part if job.has_parts else None
    if part is not None:
        return _part_options(options_of(job, job.planned(part.of)))
    if not step.options:
        return {}
    scope = job.scope
    return _given({name: expression.evaluate(scope) for name, expression in step.options.items()})


def model_of(job: Job, step: PipelineStep) -> str | None:
    """The model that the options of a step's call name, if they do; a part has that of the whole."""
    part = job.step(step.name).part if job.has_parts else None
    named = (step if part is None else job.planned(part.of)).options.get("model")
    return None if named is None else named.evaluate(job.scope)


def advance(job: Job, in_flight: frozenset[str], now: Milliseconds) -> Moves:
    """The next moves of a running job.

    Args:
        in_flight: names of the steps that have an attempt under way.
    """
    job, skipped = _skip(job)
    job, needless = _skip_needless_parts(job, in_flight, now)
    skipped += needless
    states = {step.name: step for step in job.steps}
    broken = next((step for step in job.plan.steps if _breaks_job(step, states)), None)
    open_steps = [step for step in job.planned_steps if states[step.name].state not in SETTLED]
    if broken is None and open_steps:
        held_back = _held_back(job)
        startable = [
            step
            for step in open_steps
            if step.name not in in_flight and step.name not in held_back and _needs_met(step, states)
        ]
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
    failed = {step.name for step in job.steps if step.state is StepState.FAILED}
    return bool(failed) and any(step.on_error is OnError.FAIL and step.name in failed for step in job.plan.steps)


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


def first_lane(plan: Pipeline, inputs: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    """The capability that a new job of a plan needs first."""
    scope = Scope(inputs, options, {})
    skipped: set[str] = set()
    while True:
        startable = [step for step in plan.steps if step.name not in skipped and step.needs <= skipped]
        unwanted = next((step for step in startable if step.when and not scope.value(step.when)), None)
        if unwanted is None:
            return (startable or plan.steps)[0].capability
        skipped.add(unwanted.name)


def end(job: Job, status: JobStatus, now: Milliseconds) -> tuple[Job, tuple[Step, ...], Finish]:
    """Ends a job from outside; returns it with the steps that this skips."""
    job, ended = _end_open_steps(job, now)
    return job, ended, Finish(status, job.results)


def applied(job: Job, change: Change) -> Job:
    """The job after a change, without its outcome."""
    steps = {step.name: step for step in change.steps}
    evidence = {attempt.id: attempt for attempt in change.evidence}
    attempts = tuple(evidence.get(attempt.id, attempt) for attempt in job.attempts)
    known = tuple(steps.get(step.name, step) for step in job.steps) if steps else job.steps
    return replace(
        job,
        steps=(*known, *change.parts),
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
    conditional = [planned for planned in job.plan.steps if planned.when]
    if not conditional:
        return None
    states = {step.name: step for step in job.steps}
    scope = job.scope
    for planned in conditional:
        undecided = states[planned.name].state is StepState.WAITING and _needs_met(planned, states)
        if undecided and planned.when and not scope.value(planned.when):
            return states[planned.name]
    return None


def _part_options(options: dict[str, Any]) -> dict[str, Any]:
    """Options of a part: subtitles are made of the times of all parts."""
    if options.pop("subtitles", None) is not None:
        options.setdefault("timestamps", "segment")
    return options


def _held_back(job: Job) -> frozenset[str]:
    """Steps that wait for others of the same origin: parts for their turn, and what is made of parts for them all."""
    if not job.has_parts:
        return frozenset()
    waiting: list[str] = []
    for planned in job.plan.steps:
        parts = job.parts_of(planned.name)
        left = [part for part in parts if part.state not in SETTLED]
        if any(part.state is StepState.FAILED for part in parts):  # so will the step
            waiting += [part.name for part in left]
            continue
        # Those that have begun, perhaps under an earlier owner, are to end first.
        in_turn = sorted(left, key=lambda part: part.state is not StepState.RUNNING)
        waiting += [part.name for part in in_turn[_PARTS_AT_ONCE:]]
        waiting += [planned.name] if left else []
    return frozenset(waiting)


def _skip_needless_parts(job: Job, in_flight: frozenset[str], now: Milliseconds) -> tuple[Job, tuple[Step, ...]]:
    """Skips the parts of failed steps that are not under way."""
    if not job.has_parts:
        return job, ()
    states = {step.name: step for step in job.steps}
    skipped = tuple(
        replace(step, state=StepState.SKIPPED, completed_at=now, retry_at=None)
        for step in job.steps
        if step.part
        and step.state not in SETTLED
        and step.name not in in_flight
        and states[step.part.of].state is StepState.FAILED
    )
    for step in skipped:
        job = with_step(job, step)
    return job, skipped


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
