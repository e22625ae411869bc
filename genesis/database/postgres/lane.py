"""One writing connection and the queue of commands before it: whatever waits is committed together.

Lines 2 to 7 of the protocol (architecture/01-engine-protocol.md).
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from genesis.database.postgres.clock import since_boot
from genesis.database.postgres.connection import REFUSALS, Connection, Server, Trouble, is_lock, reason, trouble
from genesis.database.postgres.entry import Entry, away, commit_unknown, too_long
from genesis.database.postgres.flush import Flush
from genesis.database.postgres.held import Group, Held
from genesis.domain.identity import new_id
from genesis.errors import GenesisError
from genesis.ports.signals import Signal

logger = logging.getLogger(__name__)

Run = Callable[[Flush], Awaitable[Any]]
"""A command that has a transaction to itself. A GenesisError that it raises is its answer, and takes back what it wrote."""

_LARGEST_FLUSH = 512
_FLUSH_SECONDS = 20.0
"""A server that has not answered for this long is taken for gone."""
_LONGEST_PAUSE_SECONDS = 1.0
_ROW_KEPT = 12 * 3_600_000
"""Milliseconds for which who writes nothing counts on its row in `writers`; a sweep deletes it after a day."""


@dataclass(slots=True)
class _Written:
    """What a flush has written, before anybody is told."""

    entries: Sequence[Entry]
    answers: Sequence[Any]
    flush: Flush


class _LostCommits(Exception):
    """The database has forgotten what it had acknowledged (line 6 of the protocol)."""


class _InDoubt(Exception):
    """The connection was lost during COMMIT."""

    def __init__(self, written: _Written) -> None:
        super().__init__()
        self.written = written


class Lane:
    """Writes its commands in order, one transaction at a time.

    Args:
        run_together: applies commands that are not functions; one answer each.
        announce: writes what is to be notified within the transaction, as SQL.
        committed: told of each transaction that is durable, before the answers are given.
        on_fatal: called when acknowledged commits are lost; nothing is written afterwards.
    """

    def __init__(
        self,
        server: Server,
        name: str,
        start: Callable[[Connection], Flush],
        run_together: Callable[[Flush, Sequence[Any]], Awaitable[Sequence[Any]]],
        announce: Callable[[Sequence[Signal]], str],
        committed: Callable[[Flush], None],
        on_fatal: Callable[[], None],
    ) -> None:
        self._server = server
        self._name = name
        self._start = start
        self._run_together = run_together
        self._announce = announce
        self._committed = committed
        self._on_fatal = on_fatal
        self._id = ""
        self._number = 0
        self._registered: float | None = None
        """When its row in `writers` was written last, by `since_boot`."""
        self._connection: Connection | None = None
        self._queue: deque[Entry] = deque()
        self._held = Held()
        self._wake = asyncio.Event()
        self._closing = False
        self._healthy = True
        self._doubt: _Written | None = None
        self._under_way: Sequence[Entry] = ()
        self._under_way_since = 0.0
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connects and begins to write.

        Raises:
            one of `REFUSALS`: the database cannot be reached.
        """
        await self._connected()
        if self._task is None:
            self._task = asyncio.create_task(self._write_all(), name=f"ledger-{self._name}")

    async def close(self, seconds: float) -> None:
        """Writes what waits, for so long at most."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=seconds)
            self._task.cancel()
            await asyncio.wait([self._task])
        for entry in (*self._held, *self._queue):
            entry.answer(away())
        if self._connection is not None and self._healthy:
            await _quietly(self._connection.execute("DELETE FROM writers WHERE id = $1", self._id, timeout=1))
        await self._disconnect()

    def put(self, entry: Entry) -> None:
        """Adds a command; its future is answered once it is durable."""
        if self._closing:
            entry.answer(away())
            return
        self._queue.append(entry)
        self._wake.set()

    @property
    def age(self) -> float:
        """Seconds for which the first command in the queue has waited."""
        return time.monotonic() - self._queue[0].since if self._queue else 0.0

    @property
    def healthy(self) -> bool:
        """Whether the database answered when something was last written."""
        return self._healthy

    @property
    def hindrance(self) -> str | None:
        """What waits for locks of others while all else is written, in words; None when nothing does."""
        return self._held.hindrance

    @property
    def away(self) -> bool:
        """Whether the database could not be written when that was last tried, or has not answered for long."""
        silent = bool(self._under_way) and too_long(self._under_way_since)
        return silent or not self._healthy

    def refuse_old(self) -> None:
        """Refuses what has waited long enough while the database is away, or somebody's lock is in its way."""
        self._held.refuse_old()
        if not self.away:
            return
        for entry in self._queue:
            if entry.impatient:
                entry.answer(away())
        for entry in self._under_way:
            if entry.impatient:  # the database has it, and may or may not write it
                entry.answer(commit_unknown(entry.refusable or ""))

    async def _write_all(self) -> None:
        while self._queue or self._held or not self._closing:
            # In turn, so that neither what is held up nor all the rest waits for ever.
            fresh = await self._write_next(self._held.first_try(self._take()))
            held = await self._write_next(self._held.take())
            if not fresh and not held:
                await self._rest()

    async def _rest(self) -> None:
        """Waits until there is something to write."""
        self._wake.clear()
        if not self._closing or self._held:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._held.pause):
                    await self._wake.wait()

    async def _write_next(self, group: Group | None) -> bool:
        """Writes a group where there is one, and tells whether there was."""
        if group is None:
            return False
        try:
            await self._write(group)
        except _LostCommits:
            logger.critical("the database has lost commits that it had acknowledged; nothing more is written")
            self._closing = True
            for entry in (*group.entries, *self._held.clear(), *self._queue):
                entry.answer(away())
            self._queue.clear()
            self._on_fatal()
        except asyncio.CancelledError:
            for entry in group.entries:
                self._give_up(entry)
            raise
        return True

    def _take(self) -> list[Entry]:
        """The next command if it runs alone, else all that may go with it."""
        entries: list[Entry] = []
        while self._queue and len(entries) < _LARGEST_FLUSH:
            alone = callable(self._queue[0].command)
            if alone and entries:
                break
            entry = self._queue.popleft()
            if entry.wanted:
                entries.append(entry)
                if alone:
                    break
        return entries

    async def _write(self, group: Group) -> None:
        """Commits commands, however often that has to be tried, and answers them; sets aside what others hold up."""
        pause, entries = 0.02, group.entries
        while (entries := [entry for entry in entries if entry.wanted]) or self._doubt is not None:
            try:
                connection = await self._connected()
                self._under_way, self._under_way_since = entries, time.monotonic()
                self._deliver(await self._flush(connection, entries, group.lock_seconds))
                return
            except _LostCommits:
                raise
            except _InDoubt as lost:
                self._doubt = lost.written
                await self._after(Trouble.LOST, lost.__cause__ or lost)
            except Exception as error:  # noqa: BLE001  # of whatever kind: it is the answer to one of the commands
                kind = trouble(error)
                if kind is Trouble.DEFECT:
                    await self._roll_back()
                    await self._isolate(replace(group, entries=entries), error)
                    return
                await self._after(kind, error)
                if kind is Trouble.BUSY and self._doubt is None:
                    self._held.add(replace(group, entries=entries), reason(error), by_lock=is_lock(error))
                    return
            finally:
                self._under_way = ()
            for entry in entries:
                if self._healthy is False and entry.impatient:
                    self._give_up(entry)
            self.refuse_old()
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    def _give_up(self, entry: Entry) -> None:
        """Tells whoever waits for a command that is under way not to do so any longer."""
        in_doubt = entry.refusable is not None and self._doubt is not None and entry in self._doubt.entries
        entry.answer(commit_unknown(entry.refusable or "") if in_doubt else away())

    async def _isolate(self, group: Group, error: Exception) -> None:
        """Finds the offender by halving, so that the others are written."""
        entries = group.entries
        if len(entries) == 1:
            if not isinstance(error, GenesisError):
                logger.error("the job ledger could not write: %s", reason(error))
            entries[0].answer(error)
            return
        middle = len(entries) // 2
        await self._write(replace(group, entries=entries[:middle]))
        await self._write(replace(group, entries=entries[middle:]))

    async def _flush(self, connection: Connection, entries: Sequence[Entry], lock_seconds: float | None) -> _Written:
        """Writes commands in one transaction, unless the one that is in doubt turns out to be committed.

        Args:
            lock_seconds: how long it may wait for each lock, where that is not as long as usual.
        """
        number = self._number + 1
        limit = "" if lock_seconds is None else f"SET LOCAL lock_timeout = {round(lock_seconds * 1000)}; "
        # While the lost connection's own transaction is about to end, this waits for it.
        mark = (
            f"UPDATE writers SET flush_number = {number}, written_at = now() "
            f"WHERE id = '{self._id}' AND flush_number = {number - 1}"
        )
        async with asyncio.timeout(_FLUSH_SECONDS):
            if await connection.execute(f"BEGIN; {limit}{mark}") != "UPDATE 1":
                return await self._found(connection)
            self._doubt = None  # it was not: the number is still free
            flush = self._start(connection)
            answers = await self._run(flush, entries)
            await flush.conclude()
        written = _Written(entries, answers, flush)
        try:
            async with asyncio.timeout(_FLUSH_SECONDS):
                if await connection.execute(f"{self._announce(flush.signals)}COMMIT") != "COMMIT":
                    raise RuntimeError("the database took a transaction back without saying why")
        except REFUSALS as error:
            if trouble(error) is Trouble.LOST:
                raise _InDoubt(written) from error
            raise
        self._number, self._registered = number, since_boot()
        return written

    async def _found(self, connection: Connection) -> _Written:
        """The transaction that was in doubt: it was committed."""
        number = await connection.fetchval("SELECT flush_number FROM writers WHERE id = $1", self._id)
        await connection.execute("ROLLBACK")
        written, self._doubt = self._doubt, None
        if written is None or number != self._number + 1:
            raise _LostCommits
        logger.info("the last transaction before the connection was lost had been committed")
        self._number = number
        return written

    async def _run(self, flush: Flush, entries: Sequence[Entry]) -> Sequence[Any]:
        if entries and callable(entries[0].command):
            return [await entries[0].command(flush)]
        return await self._run_together(flush, [entry.command for entry in entries])

    def _deliver(self, written: _Written) -> None:
        self._recovered()
        self._committed(written.flush)
        for entry, answer in zip(written.entries, written.answers, strict=True):
            entry.answer(answer)

    def _recovered(self) -> None:
        if not self._healthy:
            self._healthy = True
            logger.info("the job ledger's database is back")

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._server.connect(self._name)
        await self._register(self._connection)
        return self._connection

    async def _register(self, connection: Connection) -> None:
        """Sees to it that there is a row to count flushes in; another one where the old one may be forgotten."""
        now = since_boot()
        if self._registered is None or (now - self._registered > _ROW_KEPT and self._doubt is None):
            identifier = new_id()
            added = "INSERT INTO writers (id, flush_number) VALUES ($1, 0)"
            await connection.execute(added, identifier, timeout=_FLUSH_SECONDS)
            self._id, self._number, self._registered = identifier, 0, now

    async def _after(self, kind: Trouble, error: BaseException) -> None:
        if kind is Trouble.BUSY:
            if self._doubt is None:
                self._recovered()
            await self._roll_back()
            return
        if self._healthy:
            logger.error("the job ledger cannot be written for now: %s", reason(error))
        self._healthy = False
        await self._disconnect()

    async def _roll_back(self) -> None:
        if self._connection is not None and not await _quietly(self._connection.execute("ROLLBACK", timeout=5)):
            await self._disconnect()

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()


async def _quietly(work: Awaitable[Any]) -> bool:
    """Whether it worked; the database may be gone."""
    try:
        await work
    except REFUSALS as error:
        logger.debug("the database did not take leave: %s", reason(error))
        return False
    return True
