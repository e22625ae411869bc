"""The engine, and the gateway, on a real database."""

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from genesis.database.sqlite.open import open_sqlite
from genesis.engine.engine import Engine
from genesis.pipelines.catalog import builtin_pipelines
from genesis.ports.clock import SystemClock
from genesis.settings import Settings
from genesis.storage.file import FileStore
from tests.support.engine import SETTINGS
from tests.support.gateway import serving
from tests.support.ledger import SetClock
from tests.support.prices import SetPrices
from tests.support.upkeep import files_of


@pytest.fixture
def impatient(monkeypatch):
    """Settings under which a call is over soon, and what asks about calls asks often; nothing waits for the end of one."""
    monkeypatch.setattr("genesis.engine.choice._GRACE_MILLISECONDS", 100)
    monkeypatch.setattr("genesis.engine.call._ASK_AGAIN_SECONDS", 0.02)
    monkeypatch.setattr("genesis.engine.reconciler._SECONDS", 0.1)
    return SETTINGS.model_copy(update={"call_timeout_seconds": 1.0, "drain_seconds": 0})


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, tmp_path):
    """Opens the same database each time that it is called; several times at once where that is allowed."""
    if request.param == "postgres":
        from tests.support.postgres import postgres_database

        return postgres_database(SystemClock())
    return lambda: open_sqlite(tmp_path / "jobs.db", SystemClock())


@pytest.fixture
def engine_on(database):
    """Runs an engine on the test's database: each time a new one, as a process that is started again."""

    @asynccontextmanager
    async def opened(workers, settings=SETTINGS, pipelines=None, wrap=lambda ledger: ledger, prices=None):
        async with database() as db:
            wrapped = replace(db, ledger=wrap(db.ledger))
            engine = Engine(wrapped, workers, pipelines or builtin_pipelines(), prices or SetPrices(), settings)
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


@pytest.fixture
def store(settings):
    settings.storage_path.mkdir()
    return FileStore(settings.storage_path)


@pytest.fixture
def clock():
    clock = SetClock()
    clock.time = time.time_ns() // 1_000_000
    return clock


@pytest.fixture
async def records(database):
    async with database() as opened:
        yield opened.files


@pytest.fixture
def kept(store, records, clock, settings):
    """Files whose upkeep is done when the test says so."""
    return files_of(store, records, clock, settings)
