"""Group commit: one thread owns the writing connection and puts all waiting commands into one transaction.

Lines 1, 4, 5 and 7 of the protocol (architecture/01-engine-protocol.md): nothing is answered before its commit, and a
command that fails takes no other with it.
"""

import asyncio
import logging
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from genesis.errors import GenesisError, Unavailable

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
Command = Callable[[sqlite3.Connection], Result]
"""Writes inside the current transaction. A GenesisError that it raises is its answer: what it has written by then stays."""

_FATAL = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
"""After these, nothing that was or will be written is certain (line 5 of the protocol)."""
_EXIT_CODE = 74  # EX_IOERR of sysexits.h

_LARGEST_FLUSH = 512
_LONGEST_QUEUE = 20_000
"""Waiting commands after which new jobs are refused; settles and cancels never are."""


@dataclass(frozen=True, slots=True)
class _Entry:
    command: Command[Any]
    future: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop


class Writer:
    """The one writer of a database file.

    Args:
        on_fatal: called when the disk or the file can no longer be trusted; by default it ends the process, because
            what a failed write has left behind is known only to a process that starts anew.
    """

    def __init__(self, database: Path, on_fatal: Callable[[], None] = lambda: os._exit(_EXIT_CODE)) -> None:
        self._database = database
        self._on_fatal = on_fatal
        self._queue: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Commits what waits and ends the thread."""
        self._queue.put(None)
        self._thread.join()

    async def execute(self, command: Command[Result], *, refusable: bool = False) -> Result:
        """Runs a command and returns its result once it is durable.

        Args:
            refusable: whether it may be refused when too many wait.

        Raises:
            Unavailable: the database could not write it now, or it was refused.
            Exception: what the command itself raised; unless it is a GenesisError, nothing of it was written.
        """
        if refusable and self._queue.qsize() >= _LONGEST_QUEUE:
            raise Unavailable("The job ledger has more to write than it can.", hint="Try again in a few seconds.")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._queue.put(_Entry(command, future, loop))
        return await future

    def _run(self) -> None:
        try:
            self._write_all()
        except Exception:
            # Without its writer the process would wait for ever for what it asks for.
            logger.critical("the job ledger can no longer be written", exc_info=True)
            self._on_fatal()

    def _write_all(self) -> None:
        with closing(sqlite3.connect(self._database, isolation_level=None)) as connection:
            for pragma in ("synchronous = FULL", "foreign_keys = ON", "busy_timeout = 5000"):
                connection.execute(f"PRAGMA {pragma}")
            while entries := self._next():
                answers = _flush(connection, [entry.command for entry in entries])
                _deliver(entries, answers)

    def _next(self) -> list[_Entry]:
        """Waits for a command and takes all that wait with it; empty at the end."""
        entries: list[_Entry] = []
        entry = self._queue.get()
        while entry is not None:
            entries.append(entry)
            if len(entries) == _LARGEST_FLUSH or self._queue.empty():
                return entries
            entry = self._queue.get()
        if entries:
            self._queue.put(None)  # the end comes after these
        return entries


def _flush(connection: sqlite3.Connection, commands: list[Command[Any]]) -> list[Any]:
    """One answer per command: its result, or the exception to raise for it.

    Raises:
        sqlite3.Error: the disk or the file can no longer be trusted.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        answers = [_answer(connection, command) for command in commands]
        connection.execute("COMMIT")
        return answers
    except Exception as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _FATAL:
            raise
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if len(commands) == 1:
            logger.error("the job ledger could not write: %s", error)
            return [_reason(error)]
        # One of them is the offender: each gets a transaction of its own.
        return [answer for command in commands for answer in _flush(connection, [command])]


def _answer(connection: sqlite3.Connection, command: Command[Any]) -> Any:
    try:
        return command(connection)
    except GenesisError as error:
        return error


def _reason(error: Exception) -> Exception:
    """What to tell: an outage passes and is worth waiting for, anything else is a defect of the command."""
    if isinstance(error, sqlite3.OperationalError):
        return Unavailable(
            f"The job ledger could not write: {error}.", hint="Check the disk and the permissions of the database file."
        )
    return error


def _deliver(entries: list[_Entry], answers: list[Any]) -> None:
    """Hands the answers over to the event loops, one call per loop: a wake-up of a loop costs a system call."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for entry, answer in zip(entries, answers, strict=True):
        by_loop.setdefault(entry.loop, []).append((entry.future, answer))
    for loop, settled in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, settled)


def _settle(settled: list[tuple["asyncio.Future[Any]", Any]]) -> None:
    for future, answer in settled:
        if future.done():  # whoever waited has gone away; what was written stays
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
