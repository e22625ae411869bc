"""When a queued job will start, and what any job waits for."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from genesis.domain.event import Event
from genesis.domain.identity import Milliseconds
from genesis.domain.job import TERMINAL, Job, JobStatus
from genesis.engine.directory import WorkerDirectory
from genesis.engine.lanes import Lanes
from genesis.engine.pace import Pace
from genesis.engine.waiting import Circumstances, is_put_off, is_unclaimed, why_waiting
from genesis.errors import Unavailable
from genesis.ports.queries import Queries

FARTHEST_POSITION = 1_000
"""Positions are counted up to here."""
_KNOWN_MILLISECONDS = 2_000
"""For so long, what was asked of the ledger is not asked again."""


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
        is_quarantined: whether it begins nothing but a job that may bring executors down.
        without_slot: names the steps of a job that wait for a free slot in this process.
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
        is_quarantined: Callable[[], bool],
        without_slot: Callable[[str], Collection[str]],
    ) -> None:
        self._queries = queries
        self._directory = directory
        self._lanes = lanes
        self._pace = pace
        self._now = now
        self._executes = executes
        self._is_quarantined = is_quarantined
        self._without_slot = without_slot
        self._executors: int | None = None
        self._unlimited: set[str] = set()  # organizations that may run any number of jobs
        self._looked_at = 0

    async def _look(self) -> None:
        """Looks whether anybody runs jobs, unless that is known."""
        now = self._now()
        if abs(now - self._looked_at) < _KNOWN_MILLISECONDS:
            return
        self._looked_at = now
        self._unlimited.clear()
        if self._executes:
            return
        try:
            self._executors = await self._queries.live_executors()
        except Unavailable:  # nobody knows then
            self._executors = None

    async def reasons(self, jobs: Sequence[Job]) -> list[str | None]:
        """What each of some jobs waits for, in their order; None where it goes on, is over, or nothing is in its way."""
        if all(job.status in TERMINAL for job in jobs):
            return [None] * len(jobs)
        await self._look()
        now = self._now()
        retries = await self._last_retries([job.id for job in jobs if is_put_off(job, now)])
        full = {name for name in {job.organization for job in jobs if is_unclaimed(job)} if await self._at_limit(name)}
        return [why_waiting(job, self._around(job, now, full, retries.get(job.id, {}))) for job in jobs]

    async def _at_limit(self, organization: str) -> bool:
        if organization in self._unlimited:
            return False
        try:
            limit, room = await self._queries.room(organization)
        except Unavailable:  # less is told then
            return False
        if limit is None:
            self._unlimited.add(organization)
        return room == 0

    async def _last_retries(self, jobs: Sequence[str]) -> Mapping[str, Mapping[str, Event]]:
        try:
            return await self._queries.last_retries(jobs) if jobs else {}
        except Unavailable:  # less is told then
            return {}

    def _around(
        self, job: Job, now: Milliseconds, at_limit: Collection[str], put_off: Mapping[str, Event]
    ) -> Circumstances:
        return Circumstances(
            now=now,
            executors=self._executors,
            missing=self._directory.missing,
            is_full=lambda lane: not self._lanes.free(lane),
            is_quarantined=self._is_quarantined(),
            at_limit=job.organization in at_limit,
            without_slot=self._without_slot(job.id),
            put_off=put_off,
        )

    async def outlook(self, job: Job) -> Outlook | None:
        """The outlook of a queued job; None for any other."""
        if job.status is not JobStatus.QUEUED:
            return None
        (reason,) = await self.reasons([job])
        position = await self._queries.position(job, limit=FARTHEST_POSITION)
        limit, _ = await self._queries.room(job.organization)
        slots = self._directory.slots(job.lane)
        wait = self._pace.until_turn(job.lane, position, slots if limit is None else min(slots, limit))
        if job.held:
            return Outlook(position, None, reason)
        start = None if wait is None or position >= FARTHEST_POSITION else max(job.wake_at, self._now() + wait)
        return Outlook(position, start, reason)
