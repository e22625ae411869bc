"""The job ledger's writing side: every change of a job goes through it and is durable when a method returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from genesis.domain.attempt import Attempt
from genesis.domain.event import Event
from genesis.domain.failure import Failure
from genesis.domain.identity import Milliseconds
from genesis.domain.job import Job, JobStatus
from genesis.domain.step import Step


@dataclass(frozen=True, slots=True)
class Fence:
    """Who decides about a job: valid while the job still has this owner and epoch."""

    job: str
    owner: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Release:
    """Gives a running job back to the queue.

    Attributes:
        lane: the capability that it needs next.
        wake_at: not to be claimed before this moment.
    """

    lane: str
    wake_at: Milliseconds


@dataclass(frozen=True, slots=True)
class Finish:
    """Ends a job."""

    status: JobStatus
    outputs: Mapping[str, Any] = field(default_factory=dict)
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """One atomic change of a job by its owner.

    Attributes:
        evidence: attempts as they turned out. It needs no fence: what a provider answered stays true, and is
            written even when the rest is refused.
        steps: the changed steps, whole.
        intents: new attempts, recorded before their calls are made.
    """

    fence: Fence
    evidence: tuple[Attempt, ...] = ()
    steps: tuple[Step, ...] = ()
    intents: tuple[Attempt, ...] = ()
    events: tuple[Event, ...] = ()
    outcome: Release | Finish | None = None


class Ledger(Protocol):
    """Writes jobs. All methods raise Unavailable when the change could not be made durable."""

    async def submit(self, job: Job) -> None:
        """Stores a new job with its steps as queued."""

    async def claim(self, owner: str, lane: str, limit: int) -> list[Job]:
        """Takes up to `limit` jobs that need capability `lane` now; they are running and owned when it returns."""

    async def decide(self, decision: Decision) -> None:
        """Applies a decision.

        Raises:
            Fenced: the job has another owner or epoch; only the evidence was written.
        """

    async def cancel(self, organization: str, job_id: str) -> Job:
        """Cancels a job that nobody runs; asks the owner of a running one to. Returns the job as it is then.

        Raises:
            NotFound: the organization has no such job.
            Conflict: it has already ended.
        """

    async def recover(self) -> int:
        """Releases the jobs of dead owners; to be called before the first claim. Returns how many there were."""
