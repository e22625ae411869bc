"""The engine, and the gateway, on a real database."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from genesis.database.sqlite.ledger import open_sqlite
from genesis.engine.engine import Engine
from genesis.pipelines.catalog import builtin_pipelines
from genesis.ports.clock import SystemClock
from genesis.settings import Settings
from tests.support.engine import SETTINGS
from tests.support.gateway import serving


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


@pytest.fixture
def settings(tmp_path):
    return Settings(
        db_path=tmp_path / "jobs.db",
        storage_path=tmp_path / "storage",
        page_path=tmp_path / "page",
        fake_provider=True,
        local_provider=False,
        log_level="ERROR",
        retry_base_seconds=0.01,
        cors_origins="https://page.example",
    )


@pytest.fixture
async def client(settings):
    async with serving(settings) as client:
        yield client
