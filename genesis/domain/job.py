"""Jobs: one run of a pipeline each."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from genesis.domain.attempt import OPEN, Attempt, AttemptState
from genesis.domain.expression import Scope
from genesis.domain.failure import Failure
from genesis.domain.identity import Milliseconds
from genesis.domain.money import Money
from genesis.domain.pipeline import OnError, Pipeline, PipelineStep
from genesis.domain.step import Step

CUT = "genesis:cut"
"""What cuts recordings into parts; in place of a provider's model."""
JOIN = "genesis:join"
"""What joins spoken parts."""


class OnAmbiguous(StrEnum):
    """What follows when nobody knows whether a paid call was made."""

    FAIL = "fail"
    RESEND = "resend"  # the caller accepts that it may be paid twice


class JobStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


TRANSITIONS: Mapping[JobStatus, frozenset[JobStatus]] = MappingProxyType(
    {
        JobStatus.QUEUED: frozenset({JobStatus.RUNNING, JobStatus.FAILED, JobStatus.CANCELED}),
        JobStatus.RUNNING: frozenset(
            {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED, JobStatus.QUEUED}  # the last: no worker took it
        ),
        JobStatus.COMPLETED: frozenset(),
        JobStatus.FAILED: frozenset({JobStatus.QUEUED}),  # retried by hand
        JobStatus.CANCELED: frozenset({JobStatus.QUEUED}),
    }
)

SUSPECT_CRASHES = 2
"""Deaths of its owners after which a job runs apart from all others."""

TERMINAL = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED})


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a pipeline, with all that is known about it.

    Attributes:
        plan: the pipeline as it was when the job was submitted; editing a pipeline never changes a job.
        owner: the executor that runs it now, if one does; with `epoch` it fences decisions.
        lane: the capability that it needs next.
        wake_at: not to be claimed before this moment; 0 for at once.
        priority: higher ones are claimed first within an organization.
        start_by: it fails unless it has been claimed by then.
        finish_by: it fails unless it has ended by then.
        crash_count: how many of its owners died while they ran it.
        max_cost: a step that might make the whole dearer than this is not begun; None for no limit.
        held: it waits for a word since a backup was restored. It has neither `start_by` nor `finish_by` meanwhile: they are
            told again, as much later, when it goes on.
        retried_at: when it was last queued again by hand; earlier attempts do not count against it.
        cancel_requested_at: when somebody asked to cancel it while it was owned.
        steps: in the plan's order, and then the parts of those that were too long for one call.
        attempts: of all steps, oldest first.
    """

    id: str
    organization: str
    pipeline: str
    inputs: Mapping[str, Any]
    options: Mapping[str, Any]
    plan: Pipeline
    created_at: Milliseconds
    status: JobStatus = JobStatus.QUEUED
    outputs: Mapping[str, Any] = field(default_factory=dict)
    failure: Failure | None = None
    started_at: Milliseconds | None = None
    completed_at: Milliseconds | None = None
    cancel_requested_at: Milliseconds | None = None
    wake_at: Milliseconds = 0
    owner: str | None = None
    epoch: int = 0
    steps: tuple[Step, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    priority: int = 0
    batch: str | None = None
    start_by: Milliseconds | None = None
    finish_by: Milliseconds | None = None
    on_ambiguous: OnAmbiguous = OnAmbiguous.FAIL
    max_cost: Money | None = None
    crash_count: int = 0
    retried_at: Milliseconds | None = None
    lane: str = ""
    held: bool = False

    @property
    def scope(self) -> Scope:
        """The values that the plan's expressions refer to."""
        outputs = {step.name: step.output for step in self.steps if step.output is not None}
        return Scope(self.inputs, self.options, outputs)

    @property
    def results(self) -> Mapping[str, Any]:
        """The job's outputs so far, also those of a job that has failed since; what has no value is left out."""
        scope = self.scope
        values = {name: expression.evaluate(scope) for name, expression in self.plan.outputs.items()}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def is_suspect(self) -> bool:
        """Whether it may be what its executors died of."""
        return self.crash_count >= SUSPECT_CRASHES

    def step(self, name: str) -> Step:
        """The step of this name; the plan guarantees that it exists."""
        return next(step for step in self.steps if step.name == name)

    def planned(self, name: str) -> PipelineStep:
        """What the plan says of a step, or what follows from it for a part of one."""
        found = next((step for step in self.plan.steps if step.name == name), None)
        return found or _planned_part(self.step(name))

    @property
    def planned_steps(self) -> tuple[PipelineStep, ...]:
        """The plan's steps, and then the parts."""
        if not self.has_parts:
            return self.plan.steps
        return (*self.plan.steps, *(_planned_part(step) for step in self.steps if step.part))

    @property
    def has_parts(self) -> bool:
        """Whether any of its steps was too long for one call."""
        return len(self.steps) > len(self.plan.steps)

    def parts_of(self, name: str) -> tuple[Step, ...]:
        """The parts of a step in their order; none where it is one call."""
        return tuple(step for step in self.steps if step.part and step.part.of == name) if self.has_parts else ()

    def attempts_of(self, step: str) -> tuple[Attempt, ...]:
        """The attempts of one step, oldest first."""
        return tuple(attempt for attempt in self.attempts if attempt.step == step)

    def attempts_that_count(self, step: str) -> tuple[Attempt, ...]:
        """The attempts of one step since the job was last queued, oldest first."""
        since = self.retried_at or 0
        return tuple(attempt for attempt in self.attempts_of(step) if attempt.created_at >= since)

    @property
    def open_attempts(self) -> tuple[Attempt, ...]:
        """The attempts whose outcome is not written yet."""
        return tuple(attempt for attempt in self.attempts if attempt.state in OPEN)

    def attempt_to_take_up(self, step: str, asked: Collection[str] = ()) -> Attempt | None:
        """An attempt of a step that is not settled which has to be dealt with before there may be another.

        It has succeeded too late for the run that made it, it is open, or its outcome is unknown and can be asked for, or
        nobody has accepted to pay twice.

        Args:
            asked: ids of unknown attempts that have been asked for in vain.
        """
        attempts = self.attempts_of(step)
        if self.parts_of(step):  # what has cut it into them has done its work
            attempts = tuple(attempt for attempt in attempts if attempt.target != CUT)
        found = [attempt for attempt in attempts if attempt.state is AttemptState.SUCCEEDED]
        found += [attempt for attempt in attempts if attempt.state in OPEN]
        unknown = [attempt for attempt in attempts if attempt.state is AttemptState.UNKNOWN]
        found += [attempt for attempt in unknown if attempt.handle is not None and attempt.id not in asked]
        if self.on_ambiguous is OnAmbiguous.FAIL:
            counted = self.attempts_that_count(step)
            found += [attempt for attempt in counted if attempt.state is AttemptState.UNKNOWN]
        return found[0] if found else None


def _planned_part(step: Step) -> PipelineStep:
    """A part's input and options are not in the plan, and what its failure means is for the other step to say."""
    return PipelineStep(step.name, step.capability, {}, {}, on_error=OnError.CONTINUE)
