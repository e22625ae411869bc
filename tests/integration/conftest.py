"""The engine on a real database."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from genesis.database.sqlite.ledger import open_sqlite
from genesis.engine.engine import Engine
from genesis.pipelines.catalog import builtin_pipelines
from genesis.ports.clock import SystemClock
from tests.support.engine import SETTINGS


@pytest.fixture
def engine_on(tmp_path):
    @asynccontextmanager
    async def opened(workers, settings=SETTINGS, pipelines=None):
        clock = SystemClock()
        async with open_sqlite(tmp_path / "jobs.db", clock) as (ledger, queries):
            engine = Engine(ledger, queries, workers, pipelines or builtin_pipelines(), clock, settings)
            async with engine.running():
                while not engine.directory.known and not workers.missing:
                    await asyncio.sleep(0.01)
                yield engine

    return opened
