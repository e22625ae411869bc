"""Jobs that may have brought executors down run apart from others, and hold nobody up for long."""

import asyncio

import pytest

from genesis.domain.attempt import ProviderClass
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from tests.support.bad_moments import Cut
from tests.support.engine import SETTINGS, ended, never, submit, until
from tests.support.workers import ScriptedWorkers, answer, described

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # the earlier process is dead

APART = "Nothing begins until jobs have run apart from others that executors have died of."


@pytest.fixture
def quick(monkeypatch):
    """Looks for suspects often, and waits for little."""
    monkeypatch.setattr("genesis.engine.executor._SWEEP_SECONDS", 0.1)
    monkeypatch.setattr("genesis.engine.quarantine._PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr("genesis.engine.quarantine._REST_SECONDS", 2.0)
    monkeypatch.setattr("genesis.engine.quarantine._SHORTEST_REST_SECONDS", 1.0)


async def suspects(engine_on, count):
    """Jobs that two executors have died of."""
    settings = SETTINGS.model_copy(update={"drain_seconds": 0})
    jobs = []
    for _ in range(2):
        workers = ScriptedWorkers(never, (described("one", ProviderClass.REPEATABLE),))
        async with engine_on(workers, settings, wrap=Cut) as engine:
            jobs = jobs or [await submit(engine, inputs={"text": f"suspect {number}"}) for number in range(count)]
            await until(lambda: len(workers.under_way) == count)  # noqa: B023
            engine._ledger.cut_off = True
    return jobs


async def test_a_suspect_does_not_wait_for_a_long_call_while_all_else_stands(engine_on, quick):
    (suspect,) = await suspects(engine_on, 1)
    opened = asyncio.Event()

    async def script(call):
        if call.input["text"] == "long":
            await opened.wait()
        return answer(call)

    workers = ScriptedWorkers(script)
    async with engine_on(workers) as engine:
        engine._executor._quarantine._not_before = float("inf")
        long = await submit(engine, inputs={"text": "long"})
        await until(lambda: workers.calls)
        engine._executor._quarantine._not_before = 0.0
        await until(lambda: engine._executor.is_quarantined)
        held_up = await submit(engine)
        told = await engine.job(DEFAULT_ORGANIZATION, held_up.id)
        assert (await engine.outlook(told)).reason == APART
        waiting = await engine.job(DEFAULT_ORGANIZATION, suspect.id)
        (words,) = await engine.waits_for([waiting])
        assert words == "It waits to run apart from others: the process that ran it has died 2 times."
        assert (await ended(engine, held_up)).status is JobStatus.COMPLETED
        assert len(workers.under_way) == 1, "the long call is still under way"
        opened.set()
        assert (await ended(engine, long)).status is JobStatus.COMPLETED
        assert (await ended(engine, suspect)).status is JobStatus.COMPLETED


async def test_what_a_machine_ran_that_went_down_twice_is_done_soon(engine_on, quick):
    jobs = await suspects(engine_on, 8)
    at_once = []

    async def script(call):
        at_once.append(len(workers.under_way))
        return await asyncio.sleep(0.1, answer(call))

    workers = ScriptedWorkers(script, (described("one", slots=2),))
    async with engine_on(workers) as engine:
        for job in jobs:
            assert (await ended(engine, job)).status is JobStatus.COMPLETED
    assert len(at_once) == 8
    assert max(at_once) == 2


async def test_others_have_their_turn_between_two_groups(engine_on, quick, monkeypatch):
    monkeypatch.setattr("genesis.database.suspects._TOGETHER", ())
    jobs = await suspects(engine_on, 3)
    workers = ScriptedWorkers(lambda call: asyncio.sleep(0.3, answer(call)), (described("one", slots=1),))
    async with engine_on(workers) as engine:
        others = [await submit(engine, inputs={"text": "other"}) for _ in range(12)]
        for job in (*others, *jobs):
            assert (await ended(engine, job, within=40)).status is JobStatus.COMPLETED
    order = "".join(call.input["text"][0] for call in workers.calls)
    assert "ss" not in order
    assert order.count("s") == 3


async def test_suspects_do_not_wait_for_a_turn_that_nobody_wants(engine_on, quick, monkeypatch):
    monkeypatch.setattr("genesis.database.suspects._TOGETHER", ())
    jobs = await suspects(engine_on, 3)
    for rest in ("_REST_SECONDS", "_SHORTEST_REST_SECONDS"):
        monkeypatch.setattr(f"genesis.engine.quarantine.{rest}", 3_600.0)

    async def script(call):
        assert len(workers.under_way) <= 1, "it runs alone"
        return answer(call)

    workers = ScriptedWorkers(script)
    async with engine_on(workers) as engine:
        for job in jobs:
            assert (await ended(engine, job)).status is JobStatus.COMPLETED
