"""The engine does nothing in vain: it does not spin, look, hold or tell things again for nothing."""

import asyncio

import pytest

from genesis.domain.attempt import Attempt, ProviderClass
from genesis.domain.job import JobStatus
from genesis.engine.flights import Flight
from genesis.engine.run import JobRun
from genesis.errors import Fenced, ProviderAmbiguous, ProviderRejected, ProviderUnavailable, Unavailable
from genesis.pipelines.contract import contract_of
from genesis.ports.signals import TextDelta
from tests.support.bad_moments import Losing
from tests.support.engine import SETTINGS, always, ended, never, submit, until
from tests.support.jobs import pipeline, text_step
from tests.support.workers import ScriptedWorkers, answer, described

THREE = {"trial": contract_of(pipeline(text_step("a", "a"), text_step("b", "b"), text_step("c", "c")))}


@pytest.fixture
def rounds(monkeypatch):
    """One entry for each time that a run has waited for something."""
    counted = []
    original = JobRun._next

    async def count(self):
        counted.append(self)
        await original(self)

    monkeypatch.setattr(JobRun, "_next", count)
    return counted


async def test_a_failed_job_waits_for_its_siblings_in_peace(engine_on, rounds):
    async def script(call):
        match call.input["text"]:
            case "a":
                raise ProviderUnavailable("Down.")  # it would be tried again soon
            case "b":
                raise ProviderRejected("No.")
            case _:
                await asyncio.sleep(0.8)
                return answer(call)

    settings = SETTINGS.model_copy(update={"retry_base_seconds": 0.2, "retry_cap_seconds": 0.2})
    async with engine_on(ScriptedWorkers(script), settings, pipelines=THREE) as engine:
        job = await ended(engine, await submit(engine, "trial"))
    assert job.status is JobStatus.FAILED
    assert len(rounds) < 10


async def test_a_drained_job_waits_for_its_call_in_peace(engine_on, rounds):
    async def script(call):
        if call.input["text"] == "a":
            raise ProviderUnavailable("Down.")
        await asyncio.sleep(0.8)
        return answer(call)

    settings = SETTINGS.model_copy(update={"retry_base_seconds": 0.2, "retry_cap_seconds": 0.2})
    workers = ScriptedWorkers(script)
    async with engine_on(workers, settings, pipelines=THREE) as engine:
        await submit(engine, "trial")
        await until(lambda: len(workers.under_way) == 2)
    assert len(rounds) < 10


async def test_a_submit_that_was_refused_leaves_nothing_behind(engine_on):
    async with engine_on(ScriptedWorkers(always), wrap=Losing) as engine:
        await ended(engine, await submit(engine))
        await until(lambda: not engine._executor._tasks)
        free = engine._lanes.free("text")
        engine._ledger.refuse("submit", times=1)
        with pytest.raises(Unavailable):
            await submit(engine)
        assert engine._lanes.free("text") == free
        assert (engine._executor._head_starts, engine._executor._tasks) == (set(), set())


async def test_a_job_is_not_begun_in_vain_where_others_wait(engine_on):
    """Where the last claim has used every slot, more is likely to wait: the ledger would not let a new job begin at once."""
    answers = asyncio.Semaphore(1)

    async def script(call):
        await answers.acquire()
        return answer(call)

    async with engine_on(ScriptedWorkers(script, (described("one", slots=1),))) as engine:
        executor, jobs = engine._executor, [await submit(engine) for _ in range(3)]
        await until(lambda: executor._crowded)
        for _ in range(4):
            answers.release()
        assert all([(await ended(engine, job)).status is JobStatus.COMPLETED for job in jobs])
        await until(lambda: not executor._crowded)
        executor._crowded.add("text")
        behind = await submit(engine)
        assert behind.status is JobStatus.QUEUED
        assert (await ended(engine, behind)).status is JobStatus.COMPLETED
        await until(lambda: not executor._crowded)
        assert (await submit(engine)).status is JobStatus.RUNNING


async def test_what_is_due_is_swept_once_and_not_at_each_look(engine_on, monkeypatch):
    async with engine_on(ScriptedWorkers(always)) as engine:
        executor, swept = engine._executor, []
        original = engine._ledger.sweep

        async def sweep():
            swept.append("now")
            return await original()

        monkeypatch.setattr(type(engine._ledger), "sweep", lambda _: sweep())
        executor._look_everywhere, executor._next_wake = False, 1
        for _ in range(5):
            await executor._claim_all()
        assert len(swept) <= 2  # one may be the regular one


async def test_a_suspect_that_waits_does_not_stop_the_others_again_and_again(engine_on, monkeypatch):
    async with engine_on(ScriptedWorkers(always)) as engine:
        executor = engine._executor

        async def always_some(_):
            return True

        monkeypatch.setattr(type(engine._queries), "has_suspects", always_some)
        await executor._sweep()
        await until(lambda: not executor.is_quarantined)  # there is none after all
        for _ in range(3):
            await executor._sweep()
            assert not executor.is_quarantined


async def test_text_that_was_told_is_not_told_again_when_a_keyed_call_is_resent(engine_on, impatient):
    heard = []

    class Telling(ScriptedWorkers):
        async def generate(self, call, on_delta=None):
            if on_delta is not None:
                on_delta("said once")
            return await super().generate(call)

    async def script(call):
        if len(workers.calls) == 1:
            raise ProviderAmbiguous("Lost.")
        return answer(call, "said once")

    workers = Telling(script, (described("one", ProviderClass.KEYED),), shares_fate=False)
    async with engine_on(workers) as engine:
        engine._signals.listen(lambda signal: heard.append(signal) if isinstance(signal, TextDelta) else None)
        await ended(engine, await submit(engine, stream=True))
        await until(lambda: heard)
    assert "".join(delta.text for delta in heard) == "said once"
    assert len(workers.calls) == 2


async def test_a_call_of_which_the_handle_was_fenced_has_nothing_more_to_say():
    async def fenced():
        raise Fenced("Somebody else decides.")

    task = asyncio.create_task(fenced())
    await asyncio.wait({task})
    attempt = Attempt("id", "a", 1, "key", "one:m", ProviderClass.HANDLE, 0)
    assert Flight(THREE["trial"].pipeline.steps[0], attempt, task).evidence(5) == ()


async def test_a_job_that_comes_while_the_process_stops_is_given_back_unsent(engine_on):
    stopped = ScriptedWorkers(never)
    async with engine_on(stopped, wrap=Losing) as engine:
        executor, original = engine._executor, engine._ledger.submit

        async def late(*arguments, **named):
            submission = await original(*arguments, **named)
            executor._claiming = False  # as the stop does first
            return submission

        engine._ledger.submit = late
        await until(lambda: not executor._queued)
        job = await submit(engine)
        await until(lambda: not executor._runs)
    assert stopped.calls == []
    async with engine_on(ScriptedWorkers(always)) as engine:
        assert (await ended(engine, job)).status is JobStatus.COMPLETED
