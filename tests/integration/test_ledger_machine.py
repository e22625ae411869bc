"""Any order of what people, executors and time do to a ledger, beside a model of it in memory that is simple enough to be
believed: on SQLite and on PostgreSQL alike."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from itertools import count

import asyncpg
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from genesis.database.postgres.open import open_postgres
from genesis.database.sqlite.open import open_sqlite
from genesis.database.sqlite.schema import migrate
from tests.support.ledger_machine import LedgerMachine
from tests.support.postgres import LEASE_SECONDS, postgres_url

HASTE = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$"
TABLES = ("file_uses", "jobs", "steps", "attempts", "events", "executors", "idempotency", "lanes", "shares", "writers")


def run(database, *, examples, steps):
    """Tries many orders of steps."""

    class Machine(LedgerMachine):
        pass

    Machine.database = staticmethod(database)
    limits = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Machine, settings=limits)


def test_sqlite(tmp_path):
    template = tmp_path / "migrated.db"
    migrate(template)
    with closing(sqlite3.connect(template)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    numbers = count()

    def fresh(clock):
        file = tmp_path / f"{next(numbers)}.db"
        shutil.copy(template, file)
        return lambda: open_sqlite(file, clock)

    run(fresh, examples=100, steps=50)


def test_postgres():
    url = postgres_url()
    asyncio.run(execute(url, HASTE))

    def fresh(clock):
        """The same database, emptied: making a new one takes longer than all that is tried in it."""
        asyncio.run(execute(url, f"TRUNCATE {', '.join(TABLES)}"))
        return lambda: open_postgres(url, lease_seconds=LEASE_SECONDS, clock=clock)

    run(fresh, examples=50, steps=40)


async def execute(url, *statements):
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
