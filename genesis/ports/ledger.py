"""The job ledger's writing side: every change of a job goes through it and is durable when a method returns."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from genesis.domain.attempt import Attempt
from genesis.domain.batch import Batch
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
        wake_at: not to be claimed before this moment; 0 for at once.
        begun: whether anything has been tried; a job of which nothing was is queued again.
    """

    lane: str
    wake_at: Milliseconds
    begun: bool = True


@dataclass(frozen=True, slots=True)
class Finish:
    """Ends a job."""

    status: JobStatus
    outputs: Mapping[str, Any] = field(default_factory=dict)
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What changes in a job, all at once.

    Attributes:
        evidence: attempts as they turned out so far: settled, or pending with their handle; with their output, which is
            stored with the attempt only where the rest of the change is refused.
        steps: the changed steps, whole.
        parts: steps that are added; a step is either here or among `steps`.
        intents: new attempts, recorded before their calls are made.
    """

    evidence: tuple[Attempt, ...] = ()
    steps: tuple[Step, ...] = ()
    intents: tuple[Attempt, ...] = ()
    events: tuple[Event, ...] = ()
    outcome: Release | Finish | None = None
    parts: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """One atomic change of a job by its owner.

    Its evidence needs no fence: what a provider answered stays true, and is written even when the rest is refused.
    """

    fence: Fence
    change: Change


@dataclass(frozen=True, slots=True)
class Idempotency:
    """What makes a repeated submission the same one.

    Attributes:
        key: chosen by the caller, unique within the organization.
        fingerprint: a digest of what was submitted.
    """

    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Submission:
    """An accepted job.

    Attributes:
        job: as it is stored; running with its first attempt where the head start was taken.
        replayed: it was accepted before, under the same idempotency key.
    """

    job: Job
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job taken from the queue, as it was with its new owner, and the change with which it began."""

    job: Job
    change: Change


Begin = Callable[[Job], Change]
"""What a job that has just been claimed begins with; pure, quick, and called in any thread."""


class Ledger(Protocol):
    """Writes jobs. All methods raise Unavailable when the change could not be made durable.

    Attributes:
        exclusive: whether no other process can use this database while we do, so that all earlier owners are dead.
    """

    @property
    def exclusive(self) -> bool: ...

    async def submit(
        self, job: Job, *, idempotency: Idempotency | None = None, head_start: Claimed | None = None
    ) -> Submission:
        """Stores a new job with its steps.

        Args:
            head_start: the same job claimed, and how it begins; stored instead if nothing waits ahead of it.

        Raises:
            IdempotencyConflict: the key was used for something else.
            InvalidRequest: a file that it takes was deleted.
        """

    async def submit_batch(
        self, batch: Batch, jobs: Sequence[Job], *, idempotency: Idempotency | None = None
    ) -> tuple[Batch, bool]:
        """Stores a batch with all its jobs, or none of them; tells whether it was accepted before.

        Raises:
            IdempotencyConflict: the key was used for something else.
            InvalidRequest: a file that it takes was deleted.
        """

    async def claim(self, owner: str, lane: str, limit: int, begin: Begin) -> list[Claimed]:
        """Takes up to `limit` unsuspected jobs that need capability `lane` now, in fair turns between organizations and by
        priority and age within one; they are running and owned, and what `begin` says is written, when it returns.

        Nothing is claimed for an owner that is not alive.
        """

    async def claim_suspects(self, owner: str, begin: Begin) -> list[Claimed]:
        """Takes the oldest jobs, of any lane, whose owners have died at least twice while they ran them: some together as
        long as there were few deaths, then one at a time.

        They are to run apart from all others. Should the executor of one that ran alone die as well, it is clear which job
        did it: after the third such death the job is parked, failed as poisoned.
        """

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

    async def cancel_batch(self, organization: str, batch_id: str) -> None:
        """Cancels every job of a batch that has not ended, as `cancel` does.

        Raises:
            NotFound: the organization has no such batch.
        """

    async def retry(self, organization: str, job_id: str, *, resend: bool) -> Job:
        """Queues a failed or canceled job again: what is done stays done, all else starts anew, at once and
        without deadlines.

        Args:
            resend: go on although nobody knows what an earlier attempt came to; it may then be paid twice.

        Raises:
            NotFound: the organization has no such job.
            Conflict: it is not over, it is completed, or an attempt's outcome is unknown and `resend` is not set.
        """

    async def resume(self, organization: str) -> int:
        """Lets all jobs of an organization go on that wait for a word since a backup was restored; returns how many.

        The time in which they waited does not count against their deadlines, nor against calls that are asked for.
        """

    async def join(self, executor: str) -> None:
        """Registers an executor with a lease. In an exclusive ledger this proves all earlier ones dead."""

    async def heartbeat(self, executor: str) -> bool:
        """Renews the lease; false when the executor was declared dead, and has to stay so."""

    async def leave(self, executor: str) -> None:
        """Ends an executor in good order; its jobs go back to the queue and nobody is blamed."""

    async def sweep(self) -> int:
        """Takes the jobs of executors whose lease is over, and ends waiting jobs whose deadline is.

        Returns how many jobs lost their owner.
        """

    async def disown(self, executor: str, running: Collection[str]) -> int:
        """Gives back what an executor owns in the ledger without running it; returns how many jobs that were."""
