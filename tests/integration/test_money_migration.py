"""The migration of money on databases in use: up and down again with data in them."""

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
ATTEMPT = (
    "INSERT INTO attempts (id, job, step, number, call_key, target, provider_class, state, created_at, cost) "
    "VALUES ('{id}', 'j', 's', {number}, '{id}', 'one:m', 'opaque', 'succeeded', 5, {cost})"
)
ATTEMPTS = (ATTEMPT.format(id="a", number=1, cost=7), ATTEMPT.format(id="b", number=2, cost="NULL"))
NEW = "SELECT cost, cost_source, quantities, (SELECT max_cost FROM jobs WHERE jobs.id = job) FROM attempts ORDER BY id"
MIGRATED = [(7, "provider", "{}", None), (None, None, "{}", None)]
OLD = "SELECT * FROM attempts ORDER BY id"


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

    to(command.upgrade, "0003")
    run(JOB, *ATTEMPTS)
    before = run(OLD)
    for _ in range(2):
        to(command.upgrade, "0004")
        assert run(NEW) == MIGRATED
        to(command.downgrade, "0003")
        assert run(OLD) == before
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
        await asyncio.to_thread(migrate, command.downgrade, "0003")
        for statement in (JOB, *ATTEMPTS):
            await connection.execute(statement)
        before = await connection.fetch(OLD)
        for _ in range(2):
            await asyncio.to_thread(migrate, command.upgrade, "0004")
            assert [tuple(row) for row in await connection.fetch(NEW)] == MIGRATED
            await asyncio.to_thread(migrate, command.downgrade, "0003")
            assert await connection.fetch(OLD) == before
    finally:
        await connection.close()
