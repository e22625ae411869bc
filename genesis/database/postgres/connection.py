"""Connections to the PostgreSQL server: their settings, and what their errors mean."""

import asyncio
import logging
from enum import StrEnum
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import asyncpg

from genesis.errors import Misconfigured

logger = logging.getLogger(__name__)

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

CONNECT_SECONDS = 5.0
"""Longest that opening one connection may take."""
_LOCK_SECONDS = 3.0
_STATEMENT_SECONDS = 10.0


class Trouble(StrEnum):
    """What an error of the database means for what was asked of it."""

    LOST = "lost"  # the connection is gone; nobody knows what became of what was under way
    BUSY = "busy"  # rolled back because of somebody else: run it again
    OUTAGE = "outage"  # rolled back, and will be again until somebody mends the database
    DEFECT = "defect"  # rolled back because of what was asked


_BUSY = ("40", "55P03", "57014")  # serialization and deadlock, lock timeout, statement timeout
_OUTAGE = (
    "53",
    "58",
    "25006",
    "42501",
    "F0",
    "XX001",
    "XX002",
)  # resources, I/O, read-only standby, rights, corruption
_LOST = (
    "08",
    "57P01",
    "57P02",
    "57P03",
    "57P05",
    "25P03",
    "25P04",
)  # connection, shutdown, idle and transaction timeouts


def trouble(error: BaseException) -> Trouble:
    """Sorts an error by its SQLSTATE (PostgreSQL's documentation, appendix A)."""
    if isinstance(error, _SCHEMA_CHANGED):
        return Trouble.BUSY
    if isinstance(error, asyncpg.PostgresError):
        state: str = error.sqlstate or ""
        for prefixes, kind in ((_LOST, Trouble.LOST), (_BUSY, Trouble.BUSY), (_OUTAGE, Trouble.OUTAGE)):
            if state.startswith(prefixes):
                return kind
        return Trouble.DEFECT
    if isinstance(error, asyncpg.ClientConfigurationError):
        return Trouble.DEFECT
    if isinstance(error, asyncpg.InterfaceError) and not isinstance(error, asyncpg.DataError):
        return Trouble.LOST
    if isinstance(error, asyncpg.InternalClientError):  # the connection went in the middle of an exchange
        return Trouble.LOST
    return Trouble.LOST if isinstance(error, OSError | TimeoutError | EOFError) else Trouble.DEFECT


_SCHEMA_CHANGED = (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError)
"""Somebody has just migrated the database; the driver has forgotten what it knew of the tables."""

REFUSALS: tuple[type[BaseException], ...] = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OutdatedSchemaCacheError,
    OSError,  # includes TimeoutError
    EOFError,
)
"""All that a database may answer with instead of a result."""


def is_lock(error: BaseException) -> bool:
    """Whether it was waited in vain for what others hold or do; else it is BUSY because of a conflict that is over."""
    return isinstance(error, asyncpg.LockNotAvailableError | asyncpg.QueryCanceledError)


def reason(error: BaseException) -> str:
    """Says in a few words what is wrong, without anything of the URL."""
    if isinstance(error, asyncpg.LockNotAvailableError):
        return "another session of the database holds a lock that is needed"
    if isinstance(error, TimeoutError) and not error.args:
        return "it has not answered in time"
    words = str(error).strip().partition("\n")[0] if isinstance(error, asyncpg.PostgresError | OSError) else ""
    return words or type(error).__name__


class Server:
    """Where the database is, and how to connect to it.

    Args:
        url: `postgresql://user:password@host:port/database`, with parameters as libpq knows them.
        idle_seconds: a transaction in which nothing happens for this long is ended by the server, so that a process
            stopped in the middle of one does not keep its locks.

    Raises:
        Misconfigured: the URL cannot be read.
    """

    def __init__(self, url: str, *, idle_seconds: float = 5.0) -> None:
        self._url = url
        self._idle_seconds = idle_seconds
        try:
            parts = urlsplit(url)
            parameters = dict(parse_qsl(parts.query))
            host = parts.hostname or parameters.get("host") or "localhost"
            self.name = f"{parts.path.lstrip('/') or 'postgres'} at {host}{f':{parts.port}' if parts.port else ''}"
        except ValueError:
            raise Misconfigured(
                "DATABASE_URL cannot be read.",
                hint="Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE; encode special characters of the password.",
            ) from None

    def settings(self, role: str) -> dict[str, str]:
        """Settings of the server for one of our connections."""
        return {
            "application_name": f"genesis {role}",
            "lock_timeout": _milliseconds(_LOCK_SECONDS),
            "statement_timeout": _milliseconds(_STATEMENT_SECONDS),
            "idle_in_transaction_session_timeout": _milliseconds(self._idle_seconds),
            "timezone": "UTC",
            "jit": "off",
            # Every statement is written for an index. The planner, which knows little of a young table, may not choose
            # to read all of it and then keep that plan.
            "enable_seqscan": "off",
            "enable_hashjoin": "off",
            "enable_mergejoin": "off",
            "plan_cache_mode": "force_generic_plan",
        }

    async def connect(self, role: str, **options: Any) -> Connection:
        """Opens a connection.

        Raises:
            one of `REFUSALS`, or ValueError: it does not work; the error names neither password nor URL.
        """
        settings = self.settings(role)
        async with asyncio.timeout(CONNECT_SECONDS):
            return await asyncpg.connect(self._url, timeout=CONNECT_SECONDS, server_settings=settings, **options)

    async def pool(self, role: str, size: int) -> "asyncpg.Pool[asyncpg.Record]":
        """Connections that are opened when they are needed and can only read."""
        settings = self.settings(role) | {"default_transaction_read_only": "on"}
        return await asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=size,
            timeout=CONNECT_SECONDS,
            command_timeout=_STATEMENT_SECONDS,
            server_settings=settings,
            reset=_leave_as_it_is,
        )


async def _leave_as_it_is(_: Connection) -> None:
    """Nothing that we ask changes a connection; resetting it would cost another turn to the server each time."""


def _milliseconds(seconds: float) -> str:
    return str(int(seconds * 1000))
