"""When a waiting job will start, and what it waits for."""

from collections.abc import Callable
from dataclasses import dataclass

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.identity import Milliseconds
from genesis.domain.job import Job, JobStatus
from genesis.engine.directory import WorkerDirectory
from genesis.engine.lanes import Lanes
from genesis.engine.pace import Pace
from genesis.errors import Unavailable
from genesis.ports.queries import Queries

FARTHEST_POSITION = 1_000
"""Positions are counted up to here."""
_EXECUTORS_KNOWN_MILLISECONDS = 2_000


@dataclass(frozen=True, slots=True)
class Outlook:
    """The prospects of a queued job.

    Attributes:
        position: how many jobs of its organization start before it, counted up to `FARTHEST_POSITION`.
        estimated_start: None when there is nothing to estimate from.
        reason: why it waits, in words; None when nothing stands in its way.
    """

    position: int
    estimated_start: Milliseconds | None
    reason: str | None


class Forecast:
    """Tells the outlook of jobs.

    Args:
        executes: whether this process runs jobs itself; the ledger is asked for executors otherwise.
    """

    def __init__(
        self,
        queries: Queries,
        directory: WorkerDirectory,
        lanes: Lanes,
        pace: Pace,
        now: Callable[[], Milliseconds],
        *,
        executes: bool,
    ) -> None:
        self._queries = queries
        self._directory = directory
        self._lanes = lanes
        self._pace = pace
        self._now = now
        self._executes = executes
        self._executors: int | None = None
        self._executors_asked = 0

    async def look(self) -> None:
        """Looks whether anybody runs jobs, unless that is known; to be done before `reason`."""
        now = self._now()
        if self._executes or abs(now - self._executors_asked) < _EXECUTORS_KNOWN_MILLISECONDS:
            return
        self._executors_asked = now
        try:
            self._executors = await self._queries.live_executors()
        except Unavailable:  # nobody knows then
            self._executors = None

    def reason(self, job: Job) -> str | None:
        """Why a queued job has not started, as of the last look; None when it has, or nothing stands in its way."""
        if job.status is not JobStatus.QUEUED:
            return None
        if job.wake_at > self._now():
            return "It is not to start before a later time."
        if self._executors == 0:
            return "No executor is running."
        missing = self._directory.missing.get(job.lane)
        if missing is not None:
            worker = CAPABILITIES[job.lane].worker if job.lane in CAPABILITIES else job.lane
            return f"The {worker} worker is missing: {missing}"
        return None if self._lanes.free(job.lane) else f"All slots of {job.lane} are busy."

    async def outlook(self, job: Job) -> Outlook | None:
        """The outlook of a queued job; None for any other."""
        if job.status is not JobStatus.QUEUED:
            return None
        await self.look()
        position = await self._queries.position(job, limit=FARTHEST_POSITION)
        wait = self._pace.until_turn(job.lane, position, self._directory.slots(job.lane))
        start = None if wait is None or position >= FARTHEST_POSITION else max(job.wake_at, self._now() + wait)
        return Outlook(position, start, self.reason(job))
