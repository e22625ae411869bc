"""What readers of events hold: where they stand, and how they learn that there is more.

A reader has no buffer. A hint only marks that there is something new; the reader fetches it from the ledger, at its own
pace and from where it stands, so that a slow one costs nobody anything and none misses or doubles an event. Readers that
stand at the same place share a query.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, ClassVar

from genesis.domain.event import EventType, RecordedEvent
from genesis.engine.live_text import LiveTexts
from genesis.errors import InvalidRequest
from genesis.ports.queries import Queries
from genesis.ports.signals import TextDelta

Item = RecordedEvent | TextDelta

_PAGE = 200
"""Events read at once."""

_JOB_OVER = frozenset({EventType.JOB_COMPLETED, EventType.JOB_FAILED, EventType.JOB_CANCELED})
_STEP_OVER = frozenset(
    {EventType.STEP_COMPLETED, EventType.STEP_FAILED, EventType.STEP_SKIPPED, EventType.STEP_RETRIED}
)


class Reader:
    """Waits for hints.

    Attributes:
        changed: there may be something that it has not read.
        seq: the last event of the job that it has read; 0 where it does not count.
    """

    def __init__(self) -> None:
        self.changed = True
        self.seq = 0
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Ends its sleep."""
        self._awake.set()

    async def sleep(self, until: float) -> bool:
        """Returns when it is woken, or false at this moment of the loop's clock."""
        try:
            async with asyncio.timeout_at(until):
                await self._awake.wait()
        except TimeoutError:
            return False
        self._awake.clear()
        return True


class Topic:
    """Those who read the same thing.

    Attributes:
        version: counts the changes; readers that know of the same one may share a query.
        timer: wakes them later, where that is planned.
    """

    __slots__ = ("readers", "timer", "version")

    def __init__(self) -> None:
        self.readers: set[Reader] = set()
        self.version = 0
        self.timer: asyncio.TimerHandle | None = None

    def change(self) -> None:
        """Lets all readers look what is new."""
        self.timer = None
        self.version += 1
        for reader in self.readers:
            reader.changed = True
            reader.wake()

    def wake(self) -> None:
        """Wakes all readers though no event is new."""
        for reader in self.readers:
            reader.wake()


class EventLog:
    """The events of the ledger as readers share them.

    Attributes:
        texts: what running attempts have written.
        finishing: streams end as soon as they have told what they know.
    """

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._reads: dict[object, asyncio.Task[list[RecordedEvent]]] = {}
        self.texts = LiveTexts()
        self.finishing = False

    async def of_job(self, organization: str, job: str, after: int, version: int) -> list[RecordedEvent]:
        """The next events of a job, as they were when its topic had this version or later."""
        read = self._queries.events(organization, job, after=after, limit=_PAGE)
        return await self._shared((organization, job, after, version), read)

    async def of_organization(self, organization: str, after: str | None, version: int) -> list[RecordedEvent]:
        """The next events of an organization, as they were when its topic had this version or later."""
        read = self._queries.feed(organization, after=after, limit=_PAGE)
        return await self._shared((organization, after, version), read)

    async def end(self, organization: str) -> str:
        """The cursor behind all events that are written."""
        return await self._queries.feed_end(organization)

    async def stop(self) -> None:
        """Gives up the queries under way."""
        reads = list(self._reads.values())
        for read in reads:
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)

    async def _shared(self, key: object, read: Coroutine[Any, Any, list[RecordedEvent]]) -> list[RecordedEvent]:
        task = self._reads.get(key)
        if task is None:
            task = self._reads[key] = asyncio.create_task(read)
            task.add_done_callback(lambda done: self._done(key, done))
        else:
            read.close()
        return await asyncio.shield(task)  # one reader that leaves does not end it for the others

    def _done(self, key: object, task: asyncio.Task[list[RecordedEvent]]) -> None:
        del self._reads[key]
        if not task.cancelled():
            task.exception()  # whoever still waits has it; that nobody does is no defect


class Stream(Reader):
    """Events as they happen.

    Attributes:
        ended: nothing more will come.
        interrupted: it ended because this process stops; it can be continued elsewhere.
    """

    def __init__(self, log: EventLog, topic: Topic) -> None:
        super().__init__()
        self._log = log
        self._topic = topic
        self.ended = False
        self.interrupted = False

    async def read(self, seconds: float) -> Sequence[Item]:
        """What is new, in order; nothing when nothing comes within these seconds, or the stream has ended.

        Raises:
            Unavailable: the ledger does not answer; the stream can be opened again where it stood.
        """
        until = asyncio.get_running_loop().time() + seconds
        while not self.ended:
            if items := await self._news():
                return items
            if self._log.finishing:
                self.ended = self.interrupted = True
            elif not self.changed and not await self.sleep(until):
                break
        return ()

    async def _news(self) -> Sequence[Item]:
        raise NotImplementedError


class JobStream(Stream):
    """Events of one job, and the text of its running attempts.

    It ends after the event that ends the job; a job that is retried later is followed by opening it anew.
    """

    def __init__(self, log: EventLog, topic: Topic, organization: str, job: str) -> None:
        super().__init__(log, topic)
        self._organization = organization
        self._job = job
        self._last: EventType | None = None
        self._over: set[str] = set()  # steps whose attempt has ended
        self._told: dict[str, tuple[str, int]] = {}  # by step: attempt, and characters of its text
        self._first: list[Item] = []

    async def open(self, after: int) -> None:
        """Reads what has happened, of which only what came after event `after` is new.

        Raises:
            NotFound: the organization has no such job.
            InvalidRequest: the job has no event of this number.
        """
        while self.changed:
            self._first += [event for event in await self._events() if event.seq > after]
        if after > self.seq:
            raise InvalidRequest(
                f"Job {self._job} has no event {after}.", hint="Pass the id of the last event that you have seen, or 0."
            )
        self.ended = not self._first and self._last in _JOB_OVER

    async def _news(self) -> Sequence[Item]:
        items, self._first = self._first[:_PAGE], self._first[_PAGE:]
        if self._first:
            return items
        if not items and self.changed:
            for event in await self._events():
                if event.event.type in _STEP_OVER:
                    items += self._pieces(_step(event))
                items.append(event)
        for step in {text.step for text in self._log.texts.of(self._job)} - self._over:
            items += self._pieces(step)
        self.ended = not self.changed and self._last in _JOB_OVER
        return items

    async def _events(self) -> list[RecordedEvent]:
        self.changed = False
        events = await self._log.of_job(self._organization, self._job, self.seq, self._topic.version)
        for event in events:
            if event.event.type in _STEP_OVER:
                self._over.add(_step(event))
            elif event.event.type is EventType.STEP_STARTED:
                self._over.discard(_step(event))
            self.seq, self._last = event.seq, event.event.type
        self.changed = self.changed or len(events) == _PAGE
        return events

    def _pieces(self, step: str) -> list[TextDelta]:
        """What a step has written since it was last looked at."""
        text = next((text for text in self._log.texts.of(self._job) if text.step == step), None)
        if text is None:
            return []
        attempt, end = self._told.get(step, ("", 0))
        piece = text.after(end if attempt == text.attempt else 0)
        self._told[step] = (text.attempt, text.end)
        return [piece] if piece else []


class OrganizationStream(Stream):
    """Events of all jobs of an organization.

    Attributes:
        cursor: the place of the last event that was read, from which another stream can go on.
    """

    BEGINNING: ClassVar = "beginning"
    """Stands for the place before the first event."""

    def __init__(self, log: EventLog, topic: Topic, organization: str) -> None:
        super().__init__(log, topic)
        self._organization = organization
        self._first: Sequence[RecordedEvent] = ()
        self.cursor = self.BEGINNING

    async def open(self, after: str | None) -> None:
        """Goes to the place after a cursor, None for now.

        Raises:
            InvalidRequest: the cursor is not one.
        """
        self.cursor = await self._log.end(self._organization) if after is None else after
        self._first = await self._events()

    async def _news(self) -> Sequence[Item]:
        events, self._first = self._first, ()
        if not events and self.changed:
            events = await self._events()
        if events:
            self.cursor = events[-1].cursor
        return events

    async def _events(self) -> Sequence[RecordedEvent]:
        self.changed = False
        after = None if self.cursor == self.BEGINNING else self.cursor
        events = await self._log.of_organization(self._organization, after, self._topic.version)
        self.changed = self.changed or len(events) == _PAGE
        return events


def _step(event: RecordedEvent) -> str:
    return str(event.event.data.get("step", ""))
