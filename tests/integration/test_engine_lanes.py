"""What waits for a slot, in which lane, and whom it holds up."""

import asyncio

import pytest

from genesis.domain.attempt import ProviderClass
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.step import StepState
from genesis.errors import ProviderRejected, ProviderUnavailable
from genesis.pipelines.contract import contract_of
from tests.support.bad_moments import Cut
from tests.support.engine import SETTINGS, always, ended, never, submit, until
from tests.support.jobs import pipeline, text_step
from tests.support.workers import ScriptedWorkers, answer, described

OUTPUTS = {"text": "${steps.a.text}"}


def trial(*steps):
    """Pipelines with one called `trial`, which outputs the text of its step `a`."""
    return {"trial": contract_of(pipeline(*steps, outputs=OUTPUTS))}


async def test_a_backoff_ends_beside_a_call_that_takes_long(engine_on):
    opened = asyncio.Event()
    quick = 0

    async def script(call):
        nonlocal quick
        if call.input["text"] == "slow":
            await opened.wait()
            return answer(call)
        quick += 1
        if quick == 1:
            raise ProviderUnavailable("Down.")
        return answer(call)

    steps = (text_step("a", "slow"), text_step("b", "quick"))
    async with engine_on(ScriptedWorkers(script), pipelines=trial(*steps)) as engine:
        job = await submit(engine, "trial")
        await until(lambda: quick == 2)
        assert (await engine.job(DEFAULT_ORGANIZATION, job.id)).step("a").state is StepState.RUNNING
        opened.set()
        job = await ended(engine, job)
    assert job.status is JobStatus.COMPLETED
    assert len(job.attempts_of("b")) == 2


async def test_a_job_that_has_failed_does_not_wait_for_a_slot(engine_on):
    waits = asyncio.Event()

    async def script(call):
        if call.capability == "text":
            await waits.wait()
            raise ProviderRejected("No.")
        return answer(call)

    speech = {"name": "b", "capability": "speech", "input": {"text": "x"}}
    workers = ScriptedWorkers(script, (described("one", slots=1),))
    async with engine_on(workers, pipelines=trial(text_step("a"), speech)) as engine:
        await engine._lanes.wait("speech")  # somebody else speaks
        job = await submit(engine, "trial")
        await until(lambda: engine._lanes._waiting.get("speech"))
        waits.set()
        job = await ended(engine, job)
        engine._lanes.give("speech")
    assert (job.status, job.step("b").state) == (JobStatus.FAILED, StepState.SKIPPED)
    assert [call.capability for call in workers.calls] == ["text"]


async def test_a_retried_job_waits_in_the_lane_that_it_needs(engine_on):
    failures = [ProviderRejected("No.")]

    async def script(call):
        if failures:
            raise failures.pop()
        return answer(call)

    workers = ScriptedWorkers(script)
    async with engine_on(workers) as engine:
        job = await ended(engine, await submit(engine, "text_to_image", {"text": "a cat"}))
        assert (job.status, job.step("enhance").state) == (JobStatus.FAILED, StepState.SKIPPED)
        workers.missing.add("text")  # what was skipped is not needed
        engine.directory.lose("text", "away")
        job = await engine.retry(DEFAULT_ORGANIZATION, job.id)
        assert job.lane == "image"
        job = await ended(engine, job)
    assert job.status is JobStatus.COMPLETED
    assert [call.capability for call in workers.calls] == ["image", "image"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # where a new process proves the earlier one dead
async def test_a_suspect_of_which_the_worker_is_missing_holds_nobody_up(engine_on, monkeypatch):
    monkeypatch.setattr("genesis.engine.executor._SWEEP_SECONDS", 0.1)
    settings = SETTINGS.model_copy(update={"drain_seconds": 0})
    suspect = None
    for _ in range(2):
        workers = ScriptedWorkers(never, (described("one", ProviderClass.REPEATABLE),))
        async with engine_on(workers, settings, wrap=Cut) as engine:
            suspect = suspect or await submit(engine, "text_to_speech", {"text": "x"})
            await until(lambda: workers.under_way)  # noqa: B023
            engine._ledger.cut_off = True
    workers = ScriptedWorkers(always, missing={"speech"})
    async with engine_on(workers) as engine:
        suspect = await engine.job(DEFAULT_ORGANIZATION, suspect.id)
        assert suspect.crash_count == 2
        while (await engine.job(DEFAULT_ORGANIZATION, suspect.id)).epoch == suspect.epoch:
            await asyncio.sleep(0.01)
        jobs = [await submit(engine) for _ in range(3)]
        jobs = [await ended(engine, job) for job in jobs]
        suspect = await engine.job(DEFAULT_ORGANIZATION, suspect.id)
    assert {job.status for job in jobs} == {JobStatus.COMPLETED}
    assert suspect.status is not JobStatus.COMPLETED
    assert {call.capability for call in workers.calls} == {"text"}
