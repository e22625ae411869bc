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
from typing import Any, NoReturn, TypeVar

from genesis.database.sqlite.transaction import Transaction
from genesis.errors import GenesisError, Unavailable
from genesis.ports.signals import Signal

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
Command = Callable[[Transaction], Result]
"""Writes inside the current transaction. A GenesisError that it raises is its answer: what it has written by then stays."""

_FATAL = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
"""After these, nothing that was or will be written is certain (line 5 of the protocol)."""
_HELD = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_SHARED = _HELD | {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
"""After these, every command of the flush meets the same, and each would wait for it anew."""
_EXIT_CODE = 74  # EX_IOERR of sysexits.h

_PRAGMAS = (
    "synchronous = FULL",
    "foreign_keys = ON",
    "busy_timeout = 5000",
    # Pages that change again and again are copied back to the file once per 16 MB: some 5 % less work per job.
    "wal_autocheckpoint = 4000",
    "cache_size = -16000",
)
_LARGEST_FLUSH = 512
_LONGEST_QUEUE = 20_000
"""Waiting commands after which new jobs are refused; settles and cancels never are."""


_Identity = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A command that waits.

    Attributes:
        refusable: whether it may be refused, as new jobs may.
    """

    command: Command[Any]
    future: "asyncio.Future[Any]"
    refusable: bool


@dataclass(frozen=True, slots=True)
class _Flushed:
    """What became of a transaction.

    Attributes:
        answers: one per command: its result, or the exception to raise for it.
    """

    answers: list[Any]
    signals: list[Signal]


class Writer:
    """The one writer of a database file; it answers in the event loop in which it was started.

    Args:
        on_commit: told in the event loop what has become durable, before the commands' results are.
        on_fatal: called when the disk or the file can no longer be trusted; by default it ends the process, because
            what a failed write has left behind is known only to a process that starts anew.
    """

    def __init__(
        self,
        database: Path,
        on_commit: Callable[[list[Signal]], None],
        on_fatal: Callable[[], None] = lambda: os._exit(_EXIT_CODE),
    ) -> None:
        self._database = database
        self._on_commit = on_commit
        self._on_fatal = on_fatal
        self._queue: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._file: _Identity | None = None

    def check_file(self) -> None:
        """Returns when the database's name still leads to the file that is written.

        Raises:
            Unavailable: it was deleted or replaced, so that a process that starts anew would find nothing of it.
        """
        if (refusal := self._refusal()) is not None:
            raise refusal

    def _refusal(self) -> Unavailable | None:
        if _identity(self._database) == self._file:
            return None
        return Unavailable(
            f"The database file {self._database} was deleted or replaced while it was in use.",
            hint="Put the file back where it was, or restart the process; stop it first whenever you change the file.",
        )

    def start(self) -> None:
        self._file = _identity(self._database)
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def close(self) -> None:
        """Commits what waits and ends the thread."""
        self._queue.put(None)
        self._thread.join()

    async def execute(self, command: Command[Result], *, refusable: bool = False) -> Result:
        """Runs a command and returns its result once it is durable.

        Args:
            refusable: whether it may be refused: when too many wait, or where nobody would find it again.

        Raises:
            Unavailable: the database could not write it now, or it was refused.
            Exception: what the command itself raised; unless it is a GenesisError, nothing of it was written.
        """
        if refusable and self._queue.qsize() >= _LONGEST_QUEUE:
            raise Unavailable("The job ledger has more to write than it can.", hint="Try again in a few seconds.")
        if not self._thread.is_alive():
            raise Unavailable("The job ledger is not written any more.", hint="Restart the process.")
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._queue.put(_Entry(command, future, refusable))
        return await future

    def _run(self) -> None:
        try:
            self._write_all()
        except Exception:
            # Without its writer the process would wait for ever for what it asks for.
            logger.critical("the job ledger can no longer be written", exc_info=True)
            self._on_fatal()

    def _write_all(self) -> None:
        # Without it, the driver raises and catches an exception for each None in a row.
        sqlite3.register_adapter(type(None), lambda null: null)
        with closing(sqlite3.connect(self._database, isolation_level=None)) as connection:
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            while entries := self._next():
                flushed = _flush(connection, self._commands(entries))
                self._deliver(entries, flushed)

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

    def _commands(self, entries: list[_Entry]) -> list[Command[Any]]:
        """What is written: where the file has gone, only what cannot be refused."""
        refusal = self._refusal()
        if refusal is None:
            return [entry.command for entry in entries]

        def refuse(_: Transaction) -> NoReturn:
            raise refusal

        return [refuse if entry.refusable else entry.command for entry in entries]

    def _deliver(self, entries: list[_Entry], flushed: _Flushed) -> None:
        """Hands everything over to the event loop in one call: each wake-up of it costs a system call."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._settle, entries, flushed)

    def _settle(self, entries: list[_Entry], flushed: _Flushed) -> None:
        if flushed.signals:
            self._on_commit(flushed.signals)
        for entry, answer in zip(entries, flushed.answers, strict=True):
            if entry.future.done():  # whoever waited has gone away; what was written stays
                continue
            if isinstance(answer, Exception):
                entry.future.set_exception(answer)
            else:
                entry.future.set_result(answer)


def _identity(file: Path) -> _Identity | None:
    """The file's device and number; None where it cannot be found. Another one of the same name has others."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _flush(connection: sqlite3.Connection, commands: list[Command[Any]]) -> _Flushed:
    """Runs commands in one transaction.

    Raises:
        sqlite3.Error: the disk or the file can no longer be trusted.
    """
    transaction = Transaction(connection)
    try:
        connection.execute("BEGIN IMMEDIATE")
        answers = [_answer(transaction, command) for command in commands]
        transaction.conclude()
        connection.execute("COMMIT")
        return _Flushed(answers, transaction.signals)
    except Exception as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _FATAL:
            raise
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if len(commands) == 1 or code in _SHARED:
            logger.error("the job ledger could not write: %s", error)
            return _Flushed([_reason(error)] * len(commands), [])
    # One of them is the offender: each gets a transaction of its own.
    alone = [_flush(connection, [command]) for command in commands]
    return _Flushed(
        [answer for flushed in alone for answer in flushed.answers],
        [signal for flushed in alone for signal in flushed.signals],
    )


def _answer(transaction: Transaction, command: Command[Any]) -> Any:
    try:
        return command(transaction)
    except GenesisError as error:
        return error


def _reason(error: Exception) -> Exception:
    """What to tell: an outage passes and is worth waiting for, anything else is a defect of the command."""
    if isinstance(error, sqlite3.OperationalError):
        if error.sqlite_errorcode & 0xFF in _HELD:
            return Unavailable(
                f"The job ledger could not write: {error}.",
                hint="Another program holds the database file, such as a shell of SQLite or a backup. End it.",
            )
        return Unavailable(
            f"The job ledger could not write: {error}.", hint="Check the disk and the permissions of the database file."
        )
    return error
