"""The migration of parts on databases in use: up, and down again with parts in them."""

import asyncio
import sqlite3
from contextlib import closing

import asyncpg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.dialects import registry
from sqlalchemy.pool import NullPool

from genesis.database.postgres import alembic_driver
from genesis.database.sqlite import schema
from tests.support.postgres import postgres_url

JOB = (
    "INSERT INTO jobs (id, organization, pipeline, status, lane, priority, wake_at, epoch, event_seq, created_at, inputs, "
    "options, plan) SELECT 'j', id, 'p', 'completed', 'text', 0, 0, 1, 0, 5, '{}', '{}', 'd' FROM organizations"
)
STEP = "INSERT INTO steps (job, number, name, capability, state) VALUES ('j', 0, 's', 'speech', 'done')"
PART = (
    "INSERT INTO steps (job, number, name, capability, state, part) "
    """VALUES ('j', 1, 's#1', 'speech', 'done', '{"of":"s","input":{"text":"x"},"start":0.0,"end":0.0}')"""
)
OLD = "SELECT job, number, name, capability, state, output FROM steps ORDER BY number"
NEW = "SELECT name, part FROM steps ORDER BY number"


def test_sqlite(tmp_path):
    database = tmp_path / "jobs.db"

    def to(direction, revision):
        with schema._migrating(database) as config:
            direction(config, revision)

    def run(*statements):
        with closing(sqlite3.connect(database)) as connection:
            found = [connection.execute(statement).fetchall() for statement in statements][-1]
            connection.commit()
            return found

    to(command.upgrade, "0004")
    run(JOB, STEP)
    before = run(OLD)
    to(command.upgrade, "0005")
    assert run(NEW) == [("s", None)]
    run(PART)
    to(command.downgrade, "0004")
    assert run(OLD) == [*before, ("j", 1, "s#1", "speech", "done", None)]
    to(command.upgrade, "0005")
    assert run(NEW) == [("s", None), ("s#1", None)]
    assert run("PRAGMA foreign_key_check") == []


@pytest.fixture
def url():
    return postgres_url()


async def test_postgres(url):
    connection = await asyncpg.connect(url)
    loop = asyncio.get_running_loop()

    def migrate(direction, revision):
        registry.register("postgresql.asyncpg_in_loop", alembic_driver.__name__, "Dialect")
        config = Config()
        config.set_main_option("script_location", "genesis.database:migrations")
        driver = alembic_driver._Connection(connection, loop)
        engine = sa.create_engine("postgresql+asyncpg_in_loop://", creator=lambda: driver, poolclass=NullPool)
        with engine.connect() as opened:
            config.attributes["connection"] = opened
            direction(config, revision)
            opened.commit()
        engine.dispose()

    try:
        await asyncio.to_thread(migrate, command.downgrade, "0004")
        for statement in (JOB, STEP):
            await connection.execute(statement)
        before = [tuple(row) for row in await connection.fetch(OLD)]
        await asyncio.to_thread(migrate, command.upgrade, "0005")
        assert [tuple(row) for row in await connection.fetch(NEW)] == [("s", None)]
        await connection.execute(PART)
        await asyncio.to_thread(migrate, command.downgrade, "0004")
        after = [tuple(row) for row in await connection.fetch(OLD)]
        assert after == [*before, ("j", 1, "s#1", "speech", "done", None)]
        await asyncio.to_thread(migrate, command.upgrade, "0005")
        assert [tuple(row) for row in await connection.fetch(NEW)] == [("s", None), ("s#1", None)]
    finally:
        await connection.close()
