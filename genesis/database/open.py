"""Opens the database that the settings name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from genesis.database.sqlite.ledger import open_sqlite
from genesis.database.sqlite.lock import DatabaseLock
from genesis.database.sqlite.schema import migrate
from genesis.errors import Misconfigured
from genesis.ports.clock import Clock
from genesis.ports.ledger import Ledger
from genesis.ports.queries import Queries
from genesis.settings import Settings

_SQLITE = "sqlite:///"


@asynccontextmanager
async def open_database(settings: Settings, clock: Clock) -> AsyncIterator[tuple[Ledger, Queries]]:
    """Opens the ledger and its queries; `DATABASE_URL` wins over `DB_PATH`.

    Raises:
        Misconfigured: the database cannot be used.
    """
    async with open_sqlite(_database_file(settings), clock) as opened:
        yield opened


def _database_file(settings: Settings) -> Path:
    url = settings.database_url
    if url is None:
        return settings.db_path
    if not url.startswith(_SQLITE) or url == _SQLITE:
        scheme = url.partition("://")[0]
        raise Misconfigured(
            f"DATABASE_URL: databases of the kind `{scheme}` are not supported.", hint="Use sqlite:///path/to/jobs.db."
        )
    return Path(url.removeprefix(_SQLITE))


def check_database(settings: Settings) -> None:
    """Creates or upgrades the database and lets go of it again, so that a wrong setting is told before anything starts.

    Raises:
        Misconfigured: the database cannot be used.
    """
    database = _database_file(settings)
    with DatabaseLock(database):
        migrate(database)
