"""Steps of a job: one capability call each, or several parts of what is too long for one call."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
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


MOST_PARTS = 100
"""Of one step."""
PART_MARK = "#"
"""Between a step's name and the number of a part of it; no plan has it in a name."""


@dataclass(frozen=True, slots=True)
class Part:
    """What makes a step a part of another one, which was too long for one call.

    Attributes:
        of: the other step's name.
        place: its number among all steps of the job, in the order in which they are stored.
        input: of its call; its options are those of the other step.
        start, end: seconds from the beginning of the other step's recording, where that is one.
    """

    of: str
    place: int
    input: Mapping[str, Any]
    start: float = 0.0
    end: float = 0.0

    @property
    def seconds(self) -> Decimal | None:
        """How much of the other step's recording it is; None where that has none."""
        return Decimal(str(self.end)) - Decimal(str(self.start)) if self.end else None


@dataclass(frozen=True, slots=True)
class Step:
    """The run of one step of a job.

    Attributes:
        part: of parts of other steps; such are added while the job runs.
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
    part: Part | None = None
