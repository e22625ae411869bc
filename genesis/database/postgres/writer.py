"""Collects all that is to be written, for two connections: one for what is written together, one for the rest."""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from genesis.database.plans import Plans
from genesis.database.postgres.connection import Connection, Server
from genesis.database.postgres.deciding import decide
from genesis.database.postgres.entry import Entry, away, held_up
from genesis.database.postgres.flush import Flush
from genesis.database.postgres.lane import Lane, Run
from genesis.database.postgres.submitting import NewJob, size_of, submit
from genesis.errors import GenesisError, Unavailable
from genesis.ports.clock import Clock
from genesis.ports.ledger import Decision
from genesis.ports.signals import Signal

_LONGEST_QUEUE = 20_000
_LARGEST_QUEUE = 64 * 1024 * 1024
_OLDEST_SECONDS = 5.0
_REFUSING_SECONDS = 0.5
_CLOSING_SECONDS = 10.0
_EXIT_CODE = 74  # EX_IOERR of sysexits.h


@dataclass(frozen=True, slots=True)
class FileChange:
    """A change of the records of files; those that wait share a transaction.

    Attributes:
        run: a GenesisError that it raises is its answer, and takes nothing back.
    """

    run: Run


class Writer:
    """The writing connections of one process.

    What concerns single jobs, in the order in which it is asked for, has one: new jobs and decisions, which are most of
    it, share its transactions. Spread over two they cost almost twice as much, for each transaction is half as large.
    Claims, what concerns many jobs, and the records of files have another, so that they hold up no decision.

    Args:
        announce: writes what is to be notified within a transaction, as SQL.
        tell: passes on what has been committed.
        on_fatal: called when the database has lost what it acknowledged; by default it ends the process.
    """

    def __init__(
        self,
        server: Server,
        plans: Plans,
        clock: Clock,
        announce: Callable[[Sequence[Signal]], str],
        tell: Callable[[Sequence[Signal]], None],
        on_fatal: Callable[[], None] = lambda: os._exit(_EXIT_CODE),
    ) -> None:
        self._plans = plans
        self._clock = clock
        self._tell = tell
        self.plans_known: set[str] = set()
        """Digests of plans that are stored for certain."""
        self._together, self._singly = (
            Lane(server, name, self._start, self._run, announce, self._committed, on_fatal)
            for name in ("writer", "claims")
        )
        self._lanes = (self._together, self._singly)
        self._waiting = 0
        self._bytes = 0
        self._refusing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connects.

        Raises:
            one of `REFUSALS`: the database cannot be reached.
        """
        for lane in self._lanes:
            await lane.open()
        self._refusing = asyncio.create_task(self._refuse())

    async def close(self) -> None:
        """Writes what waits, for a while."""
        if self._refusing is not None:
            self._refusing.cancel()
        await asyncio.gather(*(lane.close(_CLOSING_SECONDS) for lane in self._lanes))

    async def submit(self, new: NewJob) -> Any:
        """Stores a job.

        Raises:
            Unavailable: too much waits to be written, or the database is away.
        """
        name, size = f"job {new.job.id}", size_of(new.job)
        return await self._put(self._together, Entry(new, _future(), refusable=name, size=size))

    async def decide(self, decision: Decision) -> None:
        """Applies a decision, whenever the database can."""
        await self._put(self._together, Entry(decision, _future()))

    async def change(self, name: str, run: Run) -> Any:
        """Changes one job in a transaction of its own, in turn with the job's decisions.

        Raises:
            Unavailable: the database is away.
        """
        return await self._put(self._together, Entry(run, _future(), refusable=name))

    async def change_many(self, name: str, run: Run) -> Any:
        """Changes many jobs in a transaction of its own; refused as `change` is."""
        return await self._put(self._singly, Entry(run, _future(), refusable=name))

    async def store(self, name: str, run: Run, size: int) -> Any:
        """Stores something new that has a transaction to itself; refused as `submit` is."""
        return await self._put(self._singly, Entry(run, _future(), refusable=name, size=size))

    async def run(self, run: Run, *, droppable: bool = False) -> Any:
        """Does what concerns many jobs in a transaction of its own, whenever the database can.

        Args:
            droppable: whether it need not be done when the caller has given up before its turn came.
        """
        return await self._put(self._singly, Entry(run, _future(), droppable=droppable))

    async def change_file(self, name: str, run: Run, *, size: int = 0) -> Any:
        """Changes records of files; refused as `change` is, or as `submit` is where it takes room."""
        return await self._put(self._singly, Entry(FileChange(run), _future(), refusable=name, size=size))

    @property
    def hindrance(self) -> str | None:
        """What waits for locks of others while all else is written, in words; None when nothing does."""
        return next((words for lane in self._lanes if (words := lane.hindrance)), None)

    async def check(self, seconds: float) -> None:
        """Returns when all tables can be written, at once if nothing speaks against it.

        Raises:
            TimeoutError: it has not been so for as long as `seconds`.
        """
        doubtful = [lane for lane in self._lanes if not lane.healthy or lane.hindrance]
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(self._put(lane, Entry(_writable, _future(), droppable=True)) for lane in doubtful))

    async def _put(self, lane: Lane, entry: Entry) -> Any:
        if entry.refusable is not None:
            self._check_room(lane, entry)
        self._waiting += 1
        self._bytes += entry.size
        try:
            lane.put(entry)
            return await entry.future
        finally:
            self._waiting -= 1
            self._bytes -= entry.size

    def _check_room(self, lane: Lane, entry: Entry) -> None:
        late = lane.age > _OLDEST_SECONDS
        if late and lane.away:
            raise away()
        full = self._waiting >= _LONGEST_QUEUE or self._bytes >= _LARGEST_QUEUE
        if entry.size and (late or full):  # what needs no room is not refused for want of it
            if words := lane.hindrance:
                raise held_up(words.removesuffix("."))
            raise Unavailable(
                "The job ledger has more to write than it can. Nothing was stored.", hint="Try again in a few seconds."
            )

    def _start(self, connection: Connection) -> Flush:
        return Flush(connection, self._plans, self._clock.now())

    async def _run(self, flush: Flush, commands: Sequence[Any]) -> Sequence[Any]:
        if commands and isinstance(commands[0], FileChange):  # then all of them are: jobs have another connection
            return [await _answer(flush, command) for command in commands]
        decisions = [command for command in commands if isinstance(command, Decision)]
        new_jobs = [command for command in commands if isinstance(command, NewJob)]
        decided = iter(await decide(flush, decisions) if decisions else ())
        submitted = iter(await submit(flush, new_jobs, self.plans_known) if new_jobs else ())
        return [next(decided) if isinstance(command, Decision) else next(submitted) for command in commands]

    def _committed(self, flush: Flush) -> None:
        self.plans_known |= flush.plans_written
        self._tell(flush.signals)

    async def _refuse(self) -> None:
        while True:
            await asyncio.sleep(_REFUSING_SECONDS)
            for lane in self._lanes:
                lane.refuse_old()


async def _answer(flush: Flush, change: FileChange) -> Any:
    try:
        return await change.run(flush)
    except GenesisError as error:
        return error


async def _writable(flush: Flush) -> None:
    """Writes that this writer lives, and gets the locks that any change needs."""
    await flush.connection.execute("LOCK TABLE jobs, steps, attempts, events, files IN ROW EXCLUSIVE MODE")


def _future() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()
