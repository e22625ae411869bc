"""Steps: the parts of a job, one capability call each."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from genesis.domain.failure import Failure
from genesis.domain.identity import Milliseconds


class StepState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"  # its condition did not hold, or the job ended before it


TRANSITIONS: Mapping[StepState, frozenset[StepState]] = MappingProxyType(
    {
        StepState.WAITING: frozenset({StepState.RUNNING, StepState.DONE, StepState.SKIPPED, StepState.FAILED}),
        StepState.RUNNING: frozenset(
            {StepState.DONE, StepState.FAILED, StepState.SKIPPED, StepState.WAITING}  # the last: no worker took it
        ),
        StepState.DONE: frozenset(),
        StepState.FAILED: frozenset({StepState.WAITING}),  # the job is retried by hand
        StepState.SKIPPED: frozenset({StepState.WAITING}),
    }
)

SETTLED = frozenset({StepState.DONE, StepState.FAILED, StepState.SKIPPED})


@dataclass(frozen=True, slots=True)
class Step:
    """The run of one step of a job.

    Attributes:
        output: the capability's output by field name, once done.
        retry_at: not to be tried again before this moment, after a failed attempt.
    """

    name: str
    capability: str
    state: StepState = StepState.WAITING
    output: Mapping[str, Any] | None = None
    failure: Failure | None = None
    started_at: Milliseconds | None = None
    completed_at: Milliseconds | None = None
    retry_at: Milliseconds | None = None
