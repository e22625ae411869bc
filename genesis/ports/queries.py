"""The job ledger's reading side."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from genesis.domain.attempt import Attempt
from genesis.domain.batch import Batch
from genesis.domain.event import Event, RecordedEvent
from genesis.domain.identity import Milliseconds
from genesis.domain.job import Job, JobStatus
from genesis.domain.usage import Usage, UsageQuery
from genesis.ports.ledger import Idempotency


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list; what is None does not matter.

    Attributes:
        created_from, created_before: moments that bound the creation.
        text: occurs in the job's inputs, whatever the case of its letters.
    """

    status: JobStatus | None = None
    pipeline: str | None = None
    created_from: Milliseconds | None = None
    created_before: Milliseconds | None = None
    text: str | None = None
    batch: str | None = None


EVERY_JOB = JobFilter()


@dataclass(frozen=True, slots=True)
class JobPage:
    """Jobs, newest first.

    Attributes:
        cursor: continues the list; None at its end. A page may be short, or empty, and yet not the last.
    """

    jobs: Sequence[Job]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An attempt that is open or in doubt although nobody runs its job any more."""

    job: str
    organization: str
    capability: str
    attempt: Attempt


class Queries(Protocol):
    """Reads jobs, always within one organization where one is named."""

    async def job(self, organization: str, job_id: str) -> Job:
        """One job with its steps and attempts.

        Raises:
            NotFound: the organization has no such job.
        """

    async def accepted(self, organization: str, idempotency: Idempotency) -> tuple[str | None, str | None]:
        """Ids of the job and of the batch that were accepted under a key; at most one of them is not None.

        Raises:
            IdempotencyConflict: the key was used for something else.
        """

    async def jobs(
        self,
        organization: str,
        *,
        limit: int,
        offset: int = 0,
        cursor: str | None = None,
        where: JobFilter = EVERY_JOB,
    ) -> JobPage:
        """Jobs, newest first, after `cursor` where that is given."""

    async def batch(self, organization: str, batch_id: str) -> tuple[Batch, Mapping[JobStatus, int]]:
        """A batch, and how many of its jobs have each status.

        Raises:
            NotFound: the organization has no such batch.
        """

    async def events(self, organization: str, job_id: str, *, after: int, limit: int) -> list[RecordedEvent]:
        """Events of one job with a higher `seq`, in order.

        Raises:
            NotFound: the organization has no such job.
        """

    async def last_retries(self, jobs: Collection[str]) -> Mapping[str, Mapping[str, Event]]:
        """The last event `step-retried` of each step that has one, by job and step."""

    async def feed(self, organization: str, *, after: str | None, limit: int) -> list[RecordedEvent]:
        """Events of all jobs of an organization after a cursor, None for the beginning, each once and in an order
        that never changes.

        Raises:
            InvalidRequest: the cursor is not one, or not one of this feed.
        """

    async def feed_end(self, organization: str) -> str:
        """The cursor after which only events stand that are not written yet."""

    async def position(self, job: Job, *, limit: int) -> int:
        """How many waiting jobs of the same organization and lane are claimed before this one, `limit` at most."""

    async def room(self, organization: str) -> tuple[int | None, int | None]:
        """How many jobs an organization may run at once, and how many more that are now; None where there is no limit."""

    async def next_wake(self) -> Milliseconds | None:
        """The next moment at which a waiting job becomes claimable or is over; None when there is none."""

    async def cancel_requests(self, owner: str) -> list[str]:
        """Jobs of an owner that somebody has asked to cancel."""

    async def open_attempts(self, *, limit: int) -> list[OpenAttempt]:
        """Open attempts of jobs that are over, oldest first."""

    async def attempts_in_doubt(self, since: Milliseconds, *, limit: int) -> list[OpenAttempt]:
        """Attempts of jobs that are over whose outcome is unknown since a moment or later, and which have a handle to ask
        for it by; oldest first.
        """

    async def usage(self, organization: str, asked: UsageQuery) -> Sequence[Usage]:
        """Groups of an organization's calls, in the order of day, provider and model.

        Raises:
            InvalidRequest: there are too many.
        """

    async def live_executors(self) -> int:
        """How many executors are alive, in whichever process."""

    async def has_suspects(self) -> bool:
        """Whether a job waits that has to run apart from others (see `Ledger.claim_suspects`)."""

    async def check(self) -> str | None:
        """Returns when the database answers and can be written; in words what single changes wait for, None when none do.

        Raises:
            Unavailable: it does not.
        """
