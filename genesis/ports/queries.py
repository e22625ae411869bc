"""The job ledger's reading side."""

from typing import Protocol

from genesis.domain.job import Job


class Queries(Protocol):
    """Reads jobs, always within one organization."""

    async def job(self, organization: str, job_id: str) -> Job:
        """One job with its steps and attempts.

        Raises:
            NotFound: the organization has no such job.
        """

    async def jobs(self, organization: str, *, limit: int, offset: int = 0, before: str | None = None) -> list[Job]:
        """Jobs, newest first; only those older than job `before` where that is given."""

    async def next_wake(self, lane: str) -> int | None:
        """When the next unowned job that needs capability `lane` may be claimed; None when there is none."""
