"""What a restart of the process makes of the jobs that were under way."""

import asyncio

import pytest

from genesis.domain.attempt import AttemptState, ProviderClass
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from tests.support.engine import SETTINGS, always, ended, never, submit
from tests.support.workers import ScriptedWorkers, answer, described


@pytest.mark.parametrize("free", [True, False])
async def test_a_restart_repeats_what_is_free_and_fails_what_may_be_paid(engine_on, free, impatient):
    provider = described("one", ProviderClass.REPEATABLE if free else ProviderClass.OPAQUE)
    hanging = ScriptedWorkers(never, (provider,))
    async with engine_on(hanging, impatient) as engine:
        job = await submit(engine)
        while not hanging.under_way:
            await asyncio.sleep(0.01)
    workers = ScriptedWorkers(always, (provider,))
    async with engine_on(workers, impatient) as engine:
        job = await ended(engine, job)
    if free:
        assert (job.status, len(workers.calls)) == (JobStatus.COMPLETED, 1)
        assert [attempt.state for attempt in job.attempts] == [AttemptState.FAILED, AttemptState.SUCCEEDED]
    else:
        assert (job.status, len(workers.calls)) == (JobStatus.FAILED, 0)
        assert job.failure.code == "outcome-unknown"
        assert [attempt.state for attempt in job.attempts] == [AttemptState.UNKNOWN]


async def test_a_restart_does_not_repeat_finished_steps(engine_on):
    async def second_hangs(call):
        if call.capability == "image":
            await asyncio.Event().wait()
        return answer(call, "fine")

    provider = described("one", ProviderClass.REPEATABLE)
    before = ScriptedWorkers(second_hangs, (provider,))
    async with engine_on(before, SETTINGS.model_copy(update={"drain_seconds": 0})) as engine:
        job = await submit(engine, "text_to_image", {"text": "a cat"}, style="oil")
        while len(before.calls) < 2:
            await asyncio.sleep(0.01)

    async def image(call):
        return answer(call, "/storage/images/x.png")

    after = ScriptedWorkers(image, (provider,))
    async with engine_on(after) as engine:
        job = await ended(engine, job)
    assert job.status is JobStatus.COMPLETED
    assert [call.capability for call in after.calls] == ["image"]
    assert after.calls[0].input == {"prompt": "a cat, fine"}


async def test_a_stopping_process_begins_no_further_step(engine_on):
    first_may_end = asyncio.Event()

    async def script(call):
        if call.capability == "text":
            await first_may_end.wait()
        return answer(call, "fine")

    before = ScriptedWorkers(script)
    async with engine_on(before) as engine:
        job = await submit(engine, "text_to_image", {"text": "a cat"}, style="oil")
        while not before.calls:
            await asyncio.sleep(0.01)
        asyncio.get_running_loop().call_later(0.3, first_may_end.set)
    assert [call.capability for call in before.calls] == ["text"]
    after = ScriptedWorkers(always)
    async with engine_on(after) as engine:
        job = await ended(engine, job)
    assert job.status is JobStatus.COMPLETED
    assert [call.capability for call in after.calls] == ["image"]
    assert [attempt.state for attempt in job.attempts] == [AttemptState.SUCCEEDED] * 2


async def test_a_stopping_process_does_not_wait_for_what_can_be_made_again(engine_on):
    workers = ScriptedWorkers(never, (described("one", ProviderClass.REPEATABLE),))
    async with asyncio.timeout(10), engine_on(workers, SETTINGS.model_copy(update={"drain_seconds": 600})) as engine:
        await submit(engine)
        while not workers.under_way:
            await asyncio.sleep(0.01)


async def test_many_restarts_do_not_use_up_a_free_job(engine_on):
    provider = described("one", ProviderClass.REPEATABLE)
    job = None
    for _ in range(5):
        hanging = ScriptedWorkers(never, (provider,))
        settings = SETTINGS.model_copy(update={"drain_seconds": 0, "max_attempts": 2})
        async with engine_on(hanging, settings) as engine:
            job = job or await submit(engine)
            while not hanging.under_way:
                await asyncio.sleep(0.01)
    async with engine_on(ScriptedWorkers(always, (provider,))) as engine:
        assert (await ended(engine, job)).status is JobStatus.COMPLETED


async def test_stopping_waits_for_what_is_under_way(engine_on):
    async def slow(call):
        await asyncio.sleep(0.2)
        return answer(call)

    workers = ScriptedWorkers(slow)
    async with engine_on(workers) as engine:
        job = await submit(engine)
        while not workers.under_way:
            await asyncio.sleep(0.01)
    async with engine_on(ScriptedWorkers(always)) as engine:
        job = await engine.job(DEFAULT_ORGANIZATION, job.id)
    assert job.status is JobStatus.COMPLETED


async def test_stopping_in_the_moment_of_a_wake_up_ends(engine_on):
    for _ in range(20):
        workers = ScriptedWorkers(always)
        async with asyncio.timeout(20), engine_on(workers) as engine:
            await submit(engine)
