"""Lets Alembic, which is synchronous, use a connection of asyncpg, so that migrations need no second driver.

It is as much of a DB-API 2.0 module (PEP 249) as SQLAlchemy needs for that.
"""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import asyncpg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.pool import NullPool

from genesis.database.postgres.connection import Connection


class UnknownRevision(Exception):
    """The schema is of a revision that there is no file of."""


class _Cursor:
    """Runs one statement and keeps its rows."""

    arraysize = 1

    def __init__(self, owner: "_Connection") -> None:
        self._owner = owner
        self._rows: list[tuple[Any, ...]] = []
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount = -1

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        self.description, self._rows, self.rowcount = self._owner.run(statement, parameters)

    def executemany(self, statement: str, many: Sequence[Sequence[Any]]) -> None:
        for parameters in many:
            self.execute(statement, parameters)

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows.pop(0) if self._rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        rows, self._rows = self._rows, []
        return rows

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    def close(self) -> None:
        self._rows = []


class _Connection:
    """A transaction at a time on a connection that lives in another thread's event loop."""

    def __init__(self, connection: Connection, loop: asyncio.AbstractEventLoop, *, within: bool = False) -> None:
        self._connection = connection
        self._loop = loop
        self._within = within

    def cursor(self) -> _Cursor:
        return _Cursor(self)

    def run(
        self, statement: str, parameters: Sequence[Any]
    ) -> tuple[list[tuple[Any, ...]] | None, list[tuple[Any, ...]], int]:
        return asyncio.run_coroutine_threadsafe(self._run(statement, parameters), self._loop).result()

    async def _run(
        self, statement: str, parameters: Sequence[Any]
    ) -> tuple[list[tuple[Any, ...]] | None, list[tuple[Any, ...]], int]:
        if not self._connection.is_in_transaction():
            await self._connection.execute("BEGIN")
        prepared = await self._connection.prepare(statement)
        records = await prepared.fetch(*parameters)
        columns = prepared.get_attributes()
        words = (prepared.get_statusmsg() or "").split()
        changed = int(words[-1]) if words and words[-1].isdigit() else -1
        described = [(column.name, *(None,) * 6) for column in columns] or None
        return described, [tuple(record) for record in records], changed

    def commit(self) -> None:
        self._end("COMMIT")

    def rollback(self) -> None:
        self._end("ROLLBACK")

    def close(self) -> None:
        """The connection belongs to the caller."""

    def _end(self, statement: str) -> None:
        if self._within:  # the transaction is the caller's
            return
        asyncio.run_coroutine_threadsafe(self._finish(statement), self._loop).result()

    async def _finish(self, statement: str) -> None:
        if self._connection.is_in_transaction():
            await self._connection.execute(statement)


class Dialect(PGDialect):
    """PostgreSQL with numbered parameters."""

    driver = "asyncpg_in_loop"
    default_paramstyle = "numeric_dollar"
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Any:
        return SimpleNamespace(paramstyle="numeric_dollar", Error=asyncpg.PostgresError)


def upgrade(
    connection: Connection, loop: asyncio.AbstractEventLoop, revision: str = "head", *, within: bool = False
) -> None:
    """Runs all migrations that are missing; called in a thread, while `loop` goes on in its own.

    Args:
        revision: the one to stop at; "base" for none, which takes everything away.
        within: whether a transaction is open that everything belongs to.

    Raises:
        UnknownRevision: the schema is of a revision that there is no file of.
    """
    registry.register("postgresql.asyncpg_in_loop", __name__, Dialect.__name__)
    config = Config()
    config.set_main_option("script_location", "genesis.database:migrations")
    driver = _Connection(connection, loop, within=within)
    engine = sa.create_engine("postgresql+asyncpg_in_loop://", creator=lambda: driver, poolclass=NullPool)
    try:
        with engine.connect() as opened:
            config.attributes["connection"] = opened
            (command.downgrade if revision == "base" else command.upgrade)(config, revision)
            opened.commit()
    except CommandError as error:
        raise UnknownRevision(str(error)) from error
    finally:
        engine.dispose()
