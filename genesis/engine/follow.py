"""Following jobs while they run: one listener per process wakes those who read the events of a job or an organization."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from genesis.domain.job import TERMINAL, Job
from genesis.engine.streams import EventLog, JobStream, OrganizationStream, Reader, Topic
from genesis.errors import GenesisError
from genesis.ports.queries import Queries
from genesis.ports.signals import JobChanged, Reread, Signal, Signals, TextDelta

logger = logging.getLogger(__name__)

_SWEEP_SECONDS = 5.0
"""Hints may be lost: this often, what happened is looked up all the same."""
_SWEEP_PAGE = 1_000
_GATHER_SECONDS = 0.05
"""Changes of an organization's jobs are gathered for this long before those who read them all wake."""
_TEXT_SECONDS = 60.0
"""How long texts are kept that nothing is written to."""


class _Organization:
    """What is read of one organization.

    Attributes:
        swept: the place in its feed up to which all readers were told to look.
    """

    __slots__ = ("feed", "jobs", "swept")

    def __init__(self) -> None:
        self.feed = Topic()
        self.jobs: dict[str, Topic] = {}
        self.swept: str | None = None

    @property
    def topics(self) -> tuple[Topic, ...]:
        return (self.feed, *self.jobs.values())


class Follower:
    """Lets anybody follow jobs."""

    def __init__(self, queries: Queries, signals: Signals) -> None:
        self._queries = queries
        self._signals = signals
        self._log = EventLog(queries)
        self._organizations: dict[str, _Organization] = {}

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Follows until the context ends; so do all streams and waits."""
        unlisten = self._signals.listen(self._hear)
        sweeper = asyncio.create_task(self._sweep_always())
        try:
            yield
        finally:
            self.finish()
            unlisten()
            sweeper.cancel()
            await asyncio.gather(sweeper, return_exceptions=True)
            await self._log.stop()

    def finish(self) -> None:
        """Ends all streams and waits, those to come as well, so that whoever serves them can stop."""
        self._log.finishing = True
        for organization in self._organizations.values():
            for topic in organization.topics:
                topic.wake()

    @property
    def readers(self) -> int:
        """How many streams and waits are open."""
        return sum(len(topic.readers) for each in self._organizations.values() for topic in each.topics)

    @asynccontextmanager
    async def job_events(self, organization: str, job_id: str, after: int) -> AsyncIterator[JobStream]:
        """The events of a job from the one after number `after` on, and the text of its running attempts.

        Raises:
            NotFound: the organization has no such job.
            InvalidRequest: the job has no event of this number.
        """
        stream = JobStream(self._log, self._topic(organization, job_id), organization, job_id)
        with self._reading(organization, job_id, stream):
            await stream.open(after)
            yield stream

    @asynccontextmanager
    async def organization_events(self, organization: str, after: str | None) -> AsyncIterator[OrganizationStream]:
        """The events of all jobs of an organization.

        Args:
            after: a cursor, `OrganizationStream.BEGINNING`, or None for what happens from now on.

        Raises:
            InvalidRequest: the cursor is not one.
        """
        stream = OrganizationStream(self._log, self._topic(organization, None), organization)
        with self._reading(organization, None, stream):
            await stream.open(after)
            yield stream

    async def wait(self, organization: str, job_id: str, seconds: float) -> Job:
        """A job when it has ended, or as it is after these seconds.

        Raises:
            NotFound: the organization has no such job.
        """
        until = asyncio.get_running_loop().time() + seconds
        reader = Reader()
        with self._reading(organization, job_id, reader):
            while True:
                reader.changed = False
                job = await self._queries.job(organization, job_id)
                if job.status in TERMINAL:
                    return job
                while not reader.changed:
                    if self._log.finishing or not await reader.sleep(until):
                        return job

    def _topic(self, organization: str, job_id: str | None) -> Topic:
        known = self._organizations.setdefault(organization, _Organization())
        return known.feed if job_id is None else known.jobs.setdefault(job_id, Topic())

    @contextmanager
    def _reading(self, organization: str, job_id: str | None, reader: Reader) -> Iterator[None]:
        topic = self._topic(organization, job_id)
        topic.readers.add(reader)
        try:
            yield
        finally:
            topic.readers.remove(reader)
            if not topic.readers:
                self._forget(organization, job_id)

    def _forget(self, organization: str, job_id: str | None) -> None:
        known = self._organizations[organization]
        if job_id is not None:
            del known.jobs[job_id]
        elif known.feed.timer is not None:
            known.feed.timer.cancel()
            known.feed.timer = None
        if not known.jobs and not known.feed.readers:
            del self._organizations[organization]

    def _hear(self, signal: Signal) -> None:
        match signal:
            case TextDelta():
                self._log.texts.add(signal, asyncio.get_running_loop().time())
                known = self._organizations.get(signal.organization)
                if known and (topic := known.jobs.get(signal.job)):
                    topic.wake()
            case JobChanged():
                if known := self._organizations.get(signal.organization):
                    self._job_changed(known, signal.job)
            case Reread():
                for known in self._organizations.values():
                    for topic in known.topics:
                        topic.change()

    def _job_changed(self, known: _Organization, job_id: str) -> None:
        if topic := known.jobs.get(job_id):
            topic.change()
        if known.feed.readers and known.feed.timer is None:
            known.feed.timer = asyncio.get_running_loop().call_later(_GATHER_SECONDS, known.feed.change)

    async def _sweep_always(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self._log.texts.forget(asyncio.get_running_loop().time() - _TEXT_SECONDS)
            for name, organization in list(self._organizations.items()):
                try:
                    await self._sweep(name, organization)
                except GenesisError as error:
                    logger.warning("events could not be looked up: %s", error.message)
                except Exception:
                    # A defect there must not leave all readers without what hints lose.
                    logger.exception("events could not be looked up")

    async def _sweep(self, name: str, organization: _Organization) -> None:
        """Lets those look who may have missed a hint."""
        if organization.swept is None:
            # Whoever reads from now on reads all before this place by itself.
            organization.swept = await self._queries.feed_end(name)
            missed = list(organization.topics)
        else:
            events = await self._queries.feed(name, after=organization.swept, limit=_SWEEP_PAGE)
            if not events:
                return
            missed = [organization.feed]
            if len(events) == _SWEEP_PAGE:
                organization.swept = await self._queries.feed_end(name)
                missed += organization.jobs.values()
            else:
                organization.swept = events[-1].cursor
                newest = {event.job: event.seq for event in events}
                jobs = ((organization.jobs.get(job), seq) for job, seq in newest.items())
                missed += [topic for topic, seq in jobs if topic and any(it.seq < seq for it in topic.readers)]
        for topic in missed:
            topic.change()
