"""Asks a stack's database how many jobs are completed, from outside."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import asyncpg


def sqlite_counter(database: Path, query: str) -> Callable[[], Awaitable[int]]:
    """Counts in a SQLite file with a connection that cannot write."""

    async def count() -> int:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
            return int(connection.execute(query).fetchone()[0])

    return count


@asynccontextmanager
async def postgres_counter(url: str, query: str) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """Counts in a PostgreSQL database over one connection."""
    connection = await asyncpg.connect(url)

    async def count() -> int:
        return int(await connection.fetchval(query))

    try:
        yield count
    finally:
        await connection.close()
