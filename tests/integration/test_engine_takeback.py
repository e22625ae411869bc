"""Head starts that are given up on their way, and the ledger's jobs that nobody runs: nothing is lost or made twice."""

import asyncio

import pytest

from genesis.domain.attempt import AttemptState, ProviderClass
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.errors import Unavailable
from tests.support.bad_moments import Late, Losing
from tests.support.engine import always, ended, soon, submit, until
from tests.support.workers import ScriptedWorkers, answer, described

SLOTS = 8
FREE = (described("one", ProviderClass.REPEATABLE, SLOTS),)


async def at_rest(engine):
    """Returns when a job has come and gone, so that the next one takes a head start."""
    await ended(engine, await submit(engine))
    await until(lambda: nothing_held(engine))


def nothing_held(engine):
    return engine._lanes.free("text") == SLOTS and not engine._executor._head_starts


async def newest(engine):
    """The job that was stored last."""
    page = await engine.jobs(DEFAULT_ORGANIZATION, limit=1)
    return await engine.job(DEFAULT_ORGANIZATION, page.jobs[0].id)


async def canceled(task):
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_whoever_gives_up_a_submit_that_is_stored_leaves_a_job_that_runs(engine_on):
    workers = ScriptedWorkers(always)
    async with engine_on(workers, wrap=Late) as engine:
        await at_rest(engine)
        engine._ledger.stop_after("submit")
        submitting = asyncio.create_task(submit(engine))
        await engine._ledger.stopped.wait()
        await canceled(submitting)
        job = await ended(engine, await newest(engine))
        await until(lambda: nothing_held(engine))
    assert job.status is JobStatus.COMPLETED
    assert [attempt.state for attempt in job.attempts] == [AttemptState.NOT_SENT, AttemptState.SUCCEEDED]
    assert len(workers.calls) == 2


async def test_whoever_gives_up_a_submit_before_it_is_stored_leaves_nothing(engine_on):
    workers = ScriptedWorkers(always)
    async with engine_on(workers, wrap=Late) as engine:
        await at_rest(engine)
        engine._ledger.stop_before("submit")
        submitting = asyncio.create_task(submit(engine))
        await engine._ledger.stopped.wait()
        assert engine._lanes.free("text") == SLOTS - 1
        await canceled(submitting)
        await until(lambda: nothing_held(engine))
        assert len((await engine.jobs(DEFAULT_ORGANIZATION, limit=5)).jobs) == 1
        engine._ledger.let_through.set()
        assert (await ended(engine, await submit(engine))).status is JobStatus.COMPLETED
    assert len(workers.calls) == 2


async def test_a_submit_of_which_the_answer_is_lost_leaves_a_job_that_runs(engine_on, monkeypatch):
    monkeypatch.setattr("genesis.engine.durable._RETRY_SECONDS", 0.05)
    workers = ScriptedWorkers(always)
    async with engine_on(workers, wrap=Losing) as engine:
        await at_rest(engine)
        engine._ledger.lose("submit")
        engine._ledger.refuse("decide", times=2)
        with pytest.raises(Unavailable):
            await submit(engine)
        job = await ended(engine, await newest(engine))
        await until(lambda: nothing_held(engine))
    assert job.status is JobStatus.COMPLETED
    assert len(workers.calls) == 2


async def test_what_comes_while_jobs_are_disowned_is_run_once(engine_on, caplog):
    opened = asyncio.Event()
    opened.set()

    async def script(call):
        await opened.wait()
        return answer(call)

    workers = ScriptedWorkers(script, FREE, shares_fate=False)
    async with engine_on(workers, wrap=Late) as engine:
        await at_rest(engine)
        opened.clear()
        engine._ledger.stop_before("disown")
        disowning = asyncio.create_task(engine._executor._disown())
        await engine._ledger.stopped.wait()
        jobs = [await submit(engine) for _ in range(5)]
        engine._ledger.let_through.set()
        await disowning
        await asyncio.sleep(0.2)  # what was given back would begin once more
        opened.set()
        jobs = [await ended(engine, job) for job in jobs]
    assert "owned here" not in caplog.text
    assert [(job.status, len(job.attempts)) for job in jobs] == [(JobStatus.COMPLETED, 1)] * 5
    assert len(workers.calls) == 6


async def test_a_head_start_on_its_way_is_not_disowned(engine_on, monkeypatch):
    monkeypatch.setattr("genesis.engine.executor._LOOKS_FOR_HEAD_STARTS", 3)
    workers = ScriptedWorkers(always, FREE, shares_fate=False)
    async with engine_on(workers, wrap=Late) as engine:
        await at_rest(engine)
        engine._ledger.stop_after("submit")
        submitting = asyncio.create_task(submit(engine))
        await engine._ledger.stopped.wait()
        await engine._executor._disown()  # it is put off
        engine._ledger.let_through.set()
        job = await ended(engine, await submitting)
        again = await ended(engine, await submit(engine))
    assert {job.status, again.status} == {JobStatus.COMPLETED}
    assert (len(job.attempts), len(again.attempts), len(workers.calls)) == (1, 1, 3)


async def test_a_claim_of_which_the_answer_is_lost_is_given_back(engine_on):
    workers = ScriptedWorkers(always, FREE)
    async with engine_on(workers, wrap=Losing) as engine:
        engine._ledger.lose("claim")
        job = await submit(engine, order=soon())
        await engine._ledger.lost.wait()
        await engine._executor._disown()
        job = await ended(engine, job)
    assert job.status is JobStatus.COMPLETED
    assert [attempt.state for attempt in job.attempts] == [AttemptState.FAILED, AttemptState.SUCCEEDED]
    assert len(workers.calls) == 1
