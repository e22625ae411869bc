"""Jobs: one run of a pipeline each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from genesis.domain.attempt import Attempt
from genesis.domain.expression import Scope
from genesis.domain.failure import Failure
from genesis.domain.identity import Milliseconds
from genesis.domain.pipeline import Pipeline
from genesis.domain.step import Step


class JobStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


TRANSITIONS: Mapping[JobStatus, frozenset[JobStatus]] = MappingProxyType(
    {
        JobStatus.QUEUED: frozenset({JobStatus.RUNNING, JobStatus.FAILED, JobStatus.CANCELED}),
        JobStatus.RUNNING: frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED}),
        JobStatus.COMPLETED: frozenset(),
        JobStatus.FAILED: frozenset(),
        JobStatus.CANCELED: frozenset(),
    }
)

TERMINAL = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED})


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a pipeline, with all that is known about it.

    Attributes:
        plan: the pipeline as it was when the job was submitted; editing a pipeline never changes a job.
        owner: the executor that runs it now, if one does; with `epoch` it fences decisions.
        wake_at: not to be claimed before this moment.
        cancel_requested_at: when somebody asked to cancel it while it was owned.
        steps: in the plan's order.
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

    @property
    def scope(self) -> Scope:
        """The values that the plan's expressions refer to."""
        outputs = {step.name: step.output for step in self.steps if step.output is not None}
        return Scope(self.inputs, self.options, outputs)

    @property
    def results(self) -> Mapping[str, Any]:
        """The job's outputs so far, also those of a job that has failed since; what has no value is left out."""
        values = {name: expression.evaluate(self.scope) for name, expression in self.plan.outputs.items()}
        return {name: value for name, value in values.items() if value is not None}

    def step(self, name: str) -> Step:
        """The step of this name; the plan guarantees that it exists."""
        return next(step for step in self.steps if step.name == name)

    def attempts_of(self, step: str) -> tuple[Attempt, ...]:
        """The attempts of one step, oldest first."""
        return tuple(attempt for attempt in self.attempts if attempt.step == step)
