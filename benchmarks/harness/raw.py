"""The rows of a database without a ledger before them: read as they are, and written as fast as the database takes them."""

import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any, Protocol

import asyncpg

Table = tuple[str, Sequence[str], Sequence[Sequence[Any]]]
"""A name, its columns, and rows."""

_SQLITE = "sqlite:///"


class Raw(Protocol):
    """A database file or server."""

    async def read(self) -> list[Table]:
        """All tables but those without rows; columns that the database numbers or fills by itself are left out."""

    async def write(self, pieces: Iterable[Sequence[Table]]) -> float:
        """Writes each piece in one transaction; returns the seconds it took."""

    async def settle(self) -> None:
        """Brings the statistics of the query planner up to date, where the server would do it by itself in time."""


def raw(url: str) -> Raw:
    """Access to the database of a URL; foreign keys are not checked."""
    return _Sqlite(url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else _Postgres(url)


class _Sqlite:
    def __init__(self, file: str) -> None:
        self._file = file

    async def read(self) -> list[Table]:
        found: list[Table] = []
        with closing(sqlite3.connect(self._file)) as connection:
            for name, sql in connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'").fetchall():
                described = connection.execute(f"PRAGMA table_info({name})").fetchall()
                columns = [column for _, column, *_, key in described if not (key and "AUTOINCREMENT" in sql)]
                rows = connection.execute(f"SELECT {', '.join(columns)} FROM {name}").fetchall()
                if rows and not name.startswith("sqlite_"):
                    found.append((name, columns, rows))
        return found

    async def write(self, pieces: Iterable[Sequence[Table]]) -> float:
        seconds = 0.0
        with closing(sqlite3.connect(self._file, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            for piece in pieces:
                started = time.perf_counter()
                connection.execute("BEGIN IMMEDIATE")
                for name, columns, rows in piece:
                    marks = ", ".join("?" * len(columns))
                    connection.executemany(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})", rows)
                connection.execute("COMMIT")
                seconds += time.perf_counter() - started
        return seconds

    async def settle(self) -> None:
        """Nothing happens by itself."""


class _Postgres:
    def __init__(self, url: str) -> None:
        self._url = url

    async def read(self) -> list[Table]:
        connection = await asyncpg.connect(self._url)
        tables: dict[str, list[str]] = {}
        for name, column in await connection.fetch(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
            "AND is_identity = 'NO' AND coalesce(column_default, '') NOT LIKE '%(%' ORDER BY ordinal_position"
        ):
            tables.setdefault(name, []).append(column)
        found: list[Table] = []
        for name, columns in tables.items():
            rows = await connection.fetch(f"SELECT {', '.join(columns)} FROM {name}")
            if rows:
                found.append((name, columns, [tuple(row) for row in rows]))
        await connection.close()
        return found

    async def write(self, pieces: Iterable[Sequence[Table]]) -> float:
        seconds = 0.0
        connection = await asyncpg.connect(self._url)
        await connection.execute("SET session_replication_role = replica")  # no checks of foreign keys
        for piece in pieces:
            started = time.perf_counter()
            async with connection.transaction():
                for name, columns, rows in piece:
                    await connection.copy_records_to_table(name, records=rows, columns=columns)
            seconds += time.perf_counter() - started
        await connection.close()
        return seconds

    async def settle(self) -> None:
        connection = await asyncpg.connect(self._url)
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
        await connection.close()
