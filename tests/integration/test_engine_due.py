"""What is due at a moment goes on then, whoever has accepted it and however busy the executor is with other hints."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.engine.engine import Engine
from genesis.pipelines.catalog import builtin_pipelines
from tests.support.engine import SETTINGS, always, ended, soon, submit, until
from tests.support.postgres import postgres_database
from tests.support.prices import SetPrices
from tests.support.workers import ScriptedWorkers

NEVER = 3_600.0


@asynccontextmanager
async def running(open_database, workers, **changes):
    async with open_database() as database:
        settings = SETTINGS.model_copy(update=changes)
        engine = Engine(database, workers, builtin_pipelines(), SetPrices(), settings)
        async with engine.running():
            await until(lambda: len(engine.directory.known) + len(workers.missing) >= len(CAPABILITIES))
            yield engine


@pytest.fixture
def workers(monkeypatch):
    """Workers that are looked at once."""
    monkeypatch.setattr("genesis.engine.directory._RETRY_SECONDS", NEVER)
    return ScriptedWorkers(always)


@pytest.fixture
def shared():
    return postgres_database()


async def test_that_another_process_has_accepted_starts_at_its_time(shared, workers, monkeypatch):
    monkeypatch.setattr("genesis.engine.executor._LONGEST_PAUSE_SECONDS", NEVER)
    monkeypatch.setattr("genesis.engine.executor._SWEEP_SECONDS", NEVER)
    async with running(shared, workers) as engine, running(shared, workers, executor=False) as gateway:
        await until(lambda: not engine._executor._look_everywhere)
        job = await ended(gateway, await submit(gateway, order=soon(200)))
        assert job.status is JobStatus.COMPLETED
        late = await submit(gateway, order=soon(3_600_000) | {"finish_within": 0.2})
        assert (await ended(gateway, late)).failure.code == "deadline-passed"


async def test_that_nobody_has_told_of_is_found_between_hints_of_other_things(engine_on, workers, monkeypatch):
    monkeypatch.setattr("genesis.engine.executor._LONGEST_PAUSE_SECONDS", 0.2)
    monkeypatch.setattr("genesis.engine.executor._SWEEP_SECONDS", NEVER)
    workers.missing.add("speech")

    async def hint_again_and_again(executor):
        while True:
            executor.wake("speech")
            await asyncio.sleep(0.01)

    async with engine_on(workers) as engine:
        hints = asyncio.create_task(hint_again_and_again(engine._executor))
        monkeypatch.setattr(engine._executor, "wake_at", lambda _: None)
        job = await ended(engine, await submit(engine, order=soon(100)))
        assert job.status is JobStatus.COMPLETED
        hints.cancel()


async def test_a_worker_that_is_missing_wakes_nobody(engine_on, monkeypatch):
    monkeypatch.setattr("genesis.engine.directory._RETRY_SECONDS", 0.01)
    workers = ScriptedWorkers(always, missing=set(CAPABILITIES) - {"text"})
    woken = []
    async with engine_on(workers) as engine:
        await engine.jobs(DEFAULT_ORGANIZATION, limit=1)
        monkeypatch.setattr(engine._executor, "wake", woken.append)
        await asyncio.sleep(0.2)
    assert set(woken) <= {"text"}
