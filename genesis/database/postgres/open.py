"""Opens the ledger on a PostgreSQL database."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg

from genesis.database.plans import Plans
from genesis.database.postgres.clock import DatabaseClock
from genesis.database.postgres.connection import REFUSALS, Server, Trouble, reason, trouble
from genesis.database.postgres.files import PostgresFiles
from genesis.database.postgres.ledger import PostgresLedger, Pulse
from genesis.database.postgres.queries import PostgresQueries
from genesis.database.postgres.schema import migrate
from genesis.database.postgres.signals import PostgresSignals
from genesis.database.postgres.writer import Writer
from genesis.errors import Misconfigured, Unavailable
from genesis.ports.clock import Clock
from genesis.ports.database import Database

logger = logging.getLogger(__name__)

WAIT_SECONDS = 20.0
"""How long a database that is not there yet is waited for at the start."""
_PAUSE_SECONDS = 0.5
Waiting = Callable[[str], None]
"""Told, in words without a password, why a database that may come is waited for."""


class Unreachable(Misconfigured):
    """The server does not answer; later it may."""


_REFUSALS: tuple[type[BaseException], ...] = (*REFUSALS, ValueError, Unavailable)
_LONGEST_IDLE_SECONDS = 5.0


@asynccontextmanager
async def open_postgres(
    url: str,
    *,
    lease_seconds: float,
    clock: Clock | None = None,
    wait_seconds: float = WAIT_SECONDS,
    waiting: Waiting | None = None,
) -> AsyncIterator[Database]:
    """Migrates the database and opens both sides of the ledger.

    It needs connections of its own: a pooler in between may share them between sessions, but not between transactions.

    Args:
        lease_seconds: how long an executor owns its jobs without a sign of life.
        clock: the time that everything goes by, for tests; the database's own where it is None.
        wait_seconds: how long a database that does not answer is waited for.
        waiting: told of each wait, which then has no end.

    Raises:
        Unreachable: the database does not answer.
        Misconfigured: it cannot be used.
    """
    # A process that is stopped in the middle of a transaction must not keep its locks beyond its lease.
    server = Server(url, idle_seconds=min(_LONGEST_IDLE_SECONDS, lease_seconds / 2))
    patience = _Patience(server, wait_seconds, waiting)
    await patience.until_done(lambda: migrate(server))
    plans, signals = Plans(), PostgresSignals(server)
    time_of_day = clock or DatabaseClock()
    pulse = Pulse(server, int(lease_seconds * 1000), time_of_day)
    writer = Writer(server, plans, time_of_day, signals.announcement, signals.tell)
    queries = PostgresQueries(server, plans, writer, lambda: pulse.now)
    async with AsyncExitStack() as opened:
        for part in (pulse, signals, writer, queries):
            opened.push_async_callback(part.close)
            await patience.until_done(part.open)
        for warning in queries.warnings:
            logger.warning("%s", warning)
        files = PostgresFiles(writer, queries.fetch)
        yield Database(PostgresLedger(writer, pulse), queries, signals, time_of_day, files)


def check_postgres(url: str, *, wait_seconds: float = WAIT_SECONDS) -> None:
    """Creates or upgrades the schema, so that a wrong setting is told before anything starts; not in an event loop.

    Raises:
        Unreachable: the database does not answer.
        Misconfigured: it cannot be used.
    """
    server = Server(url)
    asyncio.run(_Patience(server, wait_seconds).until_done(lambda: migrate(server)))


class _Patience:
    """Waits for a database that may be about to start.

    Args:
        seconds: how long, unless there is somebody to be told that it is waited for.
    """

    def __init__(self, server: Server, seconds: float, waiting: Waiting | None = None) -> None:
        self._server = server
        self._seconds = seconds
        self._waiting = waiting
        self._told = ""

    async def until_done(self, work: Callable[[], Awaitable[object]]) -> None:
        """Does something that needs the database.

        Raises:
            Unreachable, Misconfigured: as `open_postgres` says.
        """
        deadline = time.monotonic() + self._seconds
        while True:
            try:
                await work()
                return
            except _REFUSALS as error:
                if isinstance(error, Unavailable):
                    words = error.message
                elif trouble(error) is Trouble.DEFECT or isinstance(error, asyncpg.InsufficientPrivilegeError):
                    raise _unusable(self._server, error) from None
                else:
                    words = f"The database {self._server.name} does not answer: {reason(error)}."
            if self._waiting is None and time.monotonic() > deadline:
                raise Unreachable(words, hint="Start it, or correct DATABASE_URL.")
            self._tell(words)
            await asyncio.sleep(_PAUSE_SECONDS)

    def _tell(self, words: str) -> None:
        if words != self._told:
            logger.warning("waiting for the database: %s", words)
            self._told = words
        if self._waiting is not None:
            self._waiting(words)


def _unusable(server: Server, error: BaseException) -> Misconfigured:
    if isinstance(error, asyncpg.ClientConfigurationError):
        return Misconfigured(
            f"DATABASE_URL of the database {server.name} has a parameter that does not exist or has a wrong value.",
            hint="Check what stands after its `?`, such as sslmode.",
        )
    return Misconfigured(
        f"The database {server.name} cannot be used: {reason(error)}.",
        hint="Check user, password and database name in DATABASE_URL.",
    )
