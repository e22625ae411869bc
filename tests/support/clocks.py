"""Clocks that a test sets forward and back while the engine runs."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg

from genesis.database.postgres.open import open_postgres
from genesis.database.sqlite.open import open_sqlite
from genesis.ports.clock import SteadyClock
from tests.support.postgres import postgres_url

HOUR = 3_600_000
LEASE_SECONDS = 1.0

# PostgreSQL finds functions of other schemas before its own ones when the search path says so.
_OWN_CLOCK = """
CREATE SCHEMA own_clock;
CREATE TABLE own_clock.off (milliseconds bigint NOT NULL);
INSERT INTO own_clock.off VALUES (0);
CREATE FUNCTION own_clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
    SELECT pg_catalog.clock_timestamp() + milliseconds * interval '1 millisecond' FROM own_clock.off
$$;
"""


@dataclass(frozen=True)
class ClockedDatabase:
    """A database whose clock, the one that its times go by, can be set.

    Attributes:
        opened: opens it; several times at once where that is allowed.
        set_by: sets the clock forward by so many milliseconds; returns when all that runs on it has noticed.
        now: what the clock tells.
        follows_back: whether times go by it when it is set back, too.
    """

    opened: Callable[[], Any]
    set_by: Callable[[int], Awaitable[None]]
    now: Callable[[], int]
    follows_back: bool


def sqlite_on_machine(file, monkeypatch):
    """SQLite, and the clock of the machine, by which workers go as well."""
    true_nanoseconds, true_seconds = time.time_ns, time.time
    off = 0
    monkeypatch.setattr(time, "time_ns", lambda: true_nanoseconds() + off * 1_000_000)
    monkeypatch.setattr(time, "time", lambda: true_seconds() + off / 1_000)

    async def set_by(milliseconds):
        nonlocal off
        off += milliseconds

    now = lambda: time.time_ns() // 1_000_000  # noqa: E731
    return ClockedDatabase(lambda: open_sqlite(file, SteadyClock()), set_by, now, follows_back=False)


def postgres_of_its_own_time():
    """PostgreSQL on another machine, whose clock is set; not to be called in an event loop."""
    url = postgres_url()
    off = 0

    async def execute(statement, *arguments):
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statement, *arguments)
        finally:
            await connection.close()

    async def prepare():
        await execute(_OWN_CLOCK)
        name = url.partition("?")[0].rpartition("/")[2]
        await execute(f'ALTER DATABASE "{name}" SET search_path = own_clock, public, pg_catalog')

    async def set_by(milliseconds):
        nonlocal off
        off += milliseconds
        await execute("UPDATE own_clock.off SET milliseconds = $1", off)
        await asyncio.sleep(LEASE_SECONDS / 2)  # two heartbeats, which measure it

    asyncio.run(prepare())
    return ClockedDatabase(
        lambda: open_postgres(url, lease_seconds=LEASE_SECONDS),
        set_by,
        lambda: time.time_ns() // 1_000_000 + off,
        follows_back=True,
    )
