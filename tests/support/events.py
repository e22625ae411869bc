"""A log of events in memory that stands for the ledger, and what one does to follow it."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

from genesis.database.hub import SignalHub
from genesis.domain.event import Event, EventType, RecordedEvent
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.engine.follow import Follower
from genesis.errors import InvalidRequest, NotFound, Unavailable
from genesis.ports.signals import JobChanged, TextDelta
from tests.support.jobs import job_of

_STATUSES = {
    EventType.JOB_STARTED: JobStatus.RUNNING,
    EventType.JOB_COMPLETED: JobStatus.COMPLETED,
    EventType.JOB_FAILED: JobStatus.FAILED,
    EventType.JOB_CANCELED: JobStatus.CANCELED,
    EventType.JOB_RETRIED: JobStatus.QUEUED,
}


class MemoryLog:
    """Implements what followers need of the ports `Queries` and `Signals`.

    Attributes:
        reads: how often events were asked for.
        away: every question fails.
    """

    def __init__(self):
        self.signals = SignalHub()
        self.events_written = []
        self.jobs = {}
        self.reads = 0
        self.away = False

    def create(self):
        job = job_of("text_to_text")
        self.jobs[job.id] = job
        self.add(job.id, EventType.JOB_QUEUED)
        return job.id

    def add(self, job, kind, *, hint=True, **data):
        seq = sum(event.job == job for event in self.events_written) + 1
        event = RecordedEvent(job, seq, Event(kind, 1_000 + seq, data), f"c{len(self.events_written) + 1}")
        self.events_written.append(event)
        self.jobs[job] = replace(self.jobs[job], status=_STATUSES.get(kind, self.jobs[job].status))
        if hint:
            self.signals.send(JobChanged(DEFAULT_ORGANIZATION, job))
        return event

    def write(self, job, text, offset=0, *, attempt="a1", step="generate"):
        self.signals.send(TextDelta(DEFAULT_ORGANIZATION, job, step, attempt, offset, text))

    async def job(self, organization, job_id):
        await self._answer()
        if organization != DEFAULT_ORGANIZATION or job_id not in self.jobs:
            raise NotFound(f"There is no job {job_id}.")
        return self.jobs[job_id]

    async def events(self, organization, job_id, *, after, limit):
        await self.job(organization, job_id)
        return [event for event in self.events_written if event.job == job_id and event.seq > after][:limit]

    async def feed(self, organization, *, after, limit):
        await self._answer()
        if after is not None and not after.removeprefix("c").isdecimal():
            raise InvalidRequest(f"{after} is no cursor.")
        return self.events_written[int((after or "c0")[1:]) :][:limit]

    async def feed_end(self, organization):
        return f"c{len(self.events_written)}"

    async def _answer(self):
        self.reads += 1
        await asyncio.sleep(0)
        if self.away:
            raise Unavailable("The ledger is away.")


@asynccontextmanager
async def following(log):
    follower = Follower(log, log.signals)
    async with follower.listening():
        yield follower


async def told(stream, count, seconds=5.0):
    """The next so many items of a stream."""
    items = []
    async with asyncio.timeout(seconds):
        while len(items) < count and not stream.ended:
            items += await stream.read(seconds)
    return items


def types(items):
    return [item.event.type if isinstance(item, RecordedEvent) else item.text for item in items]
