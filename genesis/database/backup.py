"""Copies a database that is in use into an archive, and an archive into an empty database."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from genesis.database.incarnation import Queued
from genesis.database.open import database_file, is_postgres
from genesis.domain.identity import Milliseconds
from genesis.errors import Misconfigured
from genesis.settings import Settings

TABLES = (
    "organizations",
    "plans",
    "batches",
    "jobs",
    "steps",
    "attempts",
    "events",
    "idempotency",
    "executors",
    "lanes",
    "shares",
    "files",
    "file_uses",
    "secrets",
)
"""All that is kept, each after those that its rows refer to; older schemas lack some."""
NOT_KEPT = ("alembic_version", "writers")
"""What belongs to one database for itself."""
OCCUPYING = ("jobs", "batches", "files")
"""A database in which one of these has a row is not empty."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a copy of a database is.

    Attributes:
        kind: of the database.
        revision: of its schema.
        made_at: the moment as of which it is, by the database's time.
        columns: the columns of each table whose rows are copied.
        size: bytes that the copy has, roughly.
    """

    kind: str
    revision: str
    made_at: Milliseconds
    columns: Mapping[str, Sequence[str]]
    size: int


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restored database holds.

    Attributes:
        held: jobs that wait for a word.
        unknown: calls that were under way and of which nobody knows what they came to.
    """

    jobs: int
    held: int
    unknown: int


Put = Callable[[str, int, AsyncIterator[bytes]], Awaitable[None]]
"""Takes a part of a copy: its name, its size in bytes and its content."""
Parts = AsyncIterator[tuple[str, AsyncIterator[bytes]]]
"""The same parts again, in their order; each is to be read before the next is asked for."""
HasReceipt = Callable[[str, str], Awaitable[bool]]
"""Tells whether there is a receipt of a call, by its capability and call key."""


class Snapshot(Protocol):
    """A database as it was at one moment, while others go on writing."""

    @property
    def facts(self) -> Facts: ...

    async def write(self, put: Put) -> Mapping[str, int]:
        """Hands over its parts; returns the number of rows of each table."""


class Target(Protocol):
    """An empty database that nobody else uses."""

    async def load(self, facts: Facts, parts: Parts, queued: Queued, has_receipt: HasReceipt) -> Restored:
        """Fills it from a copy, all at once, as a new incarnation at this version's schema.

        Args:
            facts: of the copy.
            queued: what becomes of the jobs that are not over.

        Raises:
            Misconfigured: the database does not take it; nothing was changed.
        """


def open_snapshot(settings: Settings, folder: Path) -> AbstractAsyncContextManager[Snapshot]:
    """The database as it is now.

    Args:
        folder: of temporary files.

    Raises:
        Misconfigured: on entering: there is no such database, or it cannot be read.
    """
    url = settings.database_url
    if is_postgres(url):
        from genesis.database.postgres.backup import open_postgres_snapshot

        return open_postgres_snapshot(url)
    from genesis.database.sqlite.backup import open_sqlite_snapshot

    return open_sqlite_snapshot(database_file(settings), folder)


def open_target(settings: Settings) -> AbstractAsyncContextManager[Target]:
    """The database to restore into, which nobody else can use meanwhile.

    Raises:
        Misconfigured: on entering: somebody uses it, it is not empty, or it cannot be reached.
    """
    url = settings.database_url
    if is_postgres(url):
        from genesis.database.postgres.backup import open_postgres_target

        return open_postgres_target(url)
    from genesis.database.sqlite.backup import open_sqlite_target

    return open_sqlite_target(database_file(settings))


def check_fits(facts: Facts, settings: Settings) -> None:
    """Returns when a copy can be restored into the database that the settings name.

    Raises:
        Misconfigured: it is of another kind, or a newer version of Genesis has made it.
    """
    from genesis.database.sqlite.schema import HEAD

    kind = "postgresql" if is_postgres(settings.database_url) else "sqlite"
    if facts.kind != kind:
        raise Misconfigured(
            f"The archive holds a database of the kind {facts.kind}, and the settings name one of the kind {kind}.",
            hint="Set DATABASE_URL, or DB_PATH, to an empty database of the archive's kind.",
        )
    if facts.revision > HEAD:
        raise Misconfigured(
            f"The archive has schema {facts.revision}, which this version of Genesis does not know.",
            hint="Restore it with the version of Genesis that has made it, or a newer one.",
        )


def not_empty(name: str) -> Misconfigured:
    return Misconfigured(
        f"The database {name} is not empty: it has jobs or files.",
        hint="A backup is restored into an empty database only. Name another one, or delete this one first.",
    )
