"""Every kind of database, for what all of them promise."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from genesis.database.sqlite.open import open_sqlite
from genesis.database.sqlite.schema import migrate
from tests.support.ledger import SetClock


class SqliteFile:
    """Opens the same file each time it is called."""

    def __init__(self, file, clock):
        self._file = file
        self._clock = clock

    def __call__(self):
        return open_sqlite(self._file, self._clock)

    async def execute(self, statement):
        """Runs a statement beside the ledger, of the kind that every database understands."""
        with closing(sqlite3.connect(self._file)) as connection:
            found = connection.execute(statement).fetchall()
            connection.commit()
        return found


class PostgresDatabase:
    """Opens the same database each time it is called."""

    def __init__(self, url, clock):
        self._url = url
        self._clock = clock

    def __call__(self):
        from genesis.database.postgres.open import open_postgres
        from tests.support.postgres import LEASE_SECONDS

        return open_postgres(self._url, lease_seconds=LEASE_SECONDS, clock=self._clock)

    async def execute(self, statement):
        """Runs a statement beside the ledger, of the kind that every database understands."""
        import asyncpg

        connection = await asyncpg.connect(self._url)
        try:
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    migrate(file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, tmp_path, clock):
    """A new database: calling it opens it, each time the same one."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "jobs.db")
        return SqliteFile(tmp_path / "jobs.db", clock)
    from tests.support.postgres import postgres_url

    return PostgresDatabase(postgres_url(), clock)


@pytest.fixture
def organization(database):
    """Makes another organization."""

    async def make(name, weight=1.0, max_running=None):
        limit = "NULL" if max_running is None else str(max_running)
        await database.execute(
            "INSERT INTO organizations (id, name, weight, max_running) "
            f"VALUES ('{name}', '{name}', {weight}, {limit}) RETURNING id"
        )
        return name

    return make
