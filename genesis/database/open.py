"""Opens the database that the settings name."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeGuard

from genesis.database.sqlite.lock import DatabaseLock
from genesis.database.sqlite.open import open_sqlite
from genesis.database.sqlite.schema import migrate
from genesis.errors import Misconfigured
from genesis.ports.clock import SteadyClock
from genesis.ports.database import Database
from genesis.settings import Settings

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")


@asynccontextmanager
async def open_database(settings: Settings, waiting: Callable[[str], None] | None = None) -> AsyncIterator[Database]:
    """Opens the ledger and its queries; `DATABASE_URL` wins over `DB_PATH`.

    Args:
        waiting: told why a server that does not answer is waited for, without an end; by default it is an error soon.

    Raises:
        Misconfigured: the database cannot be used.
    """
    url = settings.database_url
    if is_postgres(url):
        from genesis.database.postgres.open import open_postgres

        async with open_postgres(url, lease_seconds=settings.lease_seconds, waiting=waiting) as opened:
            yield opened
    else:
        async with open_sqlite(database_file(settings), SteadyClock()) as opened:
            yield opened


def is_postgres(url: str | None) -> TypeGuard[str]:
    """Whether a DATABASE_URL names a PostgreSQL server."""
    return url is not None and url.startswith(_POSTGRES)


def database_file(settings: Settings) -> Path:
    """The SQLite file that the settings name.

    Raises:
        Misconfigured: DATABASE_URL is of a kind that is not supported.
    """
    url = settings.database_url
    if url is None:
        return settings.db_path
    if not url.startswith(_SQLITE) or url == _SQLITE:
        scheme = url.partition("://")[0]
        raise Misconfigured(
            f"DATABASE_URL: databases of the kind `{scheme}` are not supported.",
            hint="Use sqlite:///path/to/jobs.db or postgresql://user:password@host/database.",
        )
    return Path(url.removeprefix(_SQLITE))


def check_database(settings: Settings, *, required: bool = True) -> None:
    """Creates or upgrades the database and lets go of it again, so that a wrong setting is told before anything starts.

    Args:
        required: whether a server that does not answer is waited for and then an error; else it is left for later.

    Raises:
        Misconfigured: the database cannot be used.
    """
    url = settings.database_url
    if is_postgres(url):
        from genesis.database.postgres.open import WAIT_SECONDS, Unreachable, check_postgres

        try:
            check_postgres(url, wait_seconds=WAIT_SECONDS if required else 0)
        except Unreachable:
            if required:
                raise
        return
    database = database_file(settings)
    with DatabaseLock(database):
        migrate(database)
