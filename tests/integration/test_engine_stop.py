"""A cancel or a stop at every bad moment of an attempt: before its intent, while it is written, and after the call."""

import asyncio

import pytest

from genesis.domain.attempt import AttemptState
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.step import StepState
from genesis.errors import Unavailable
from tests.support.bad_moments import Late, Wrapped
from tests.support.engine import SETTINGS, always, ended, soon, submit, until
from tests.support.workers import ScriptedWorkers, answer, described


async def test_a_canceled_job_that_waits_for_a_slot_makes_no_call(engine_on):
    release = asyncio.Event()

    async def script(call):
        if call.input == {"text": "first"}:
            await release.wait()
        return answer(call)

    workers = ScriptedWorkers(script, (described("one", slots=1),))
    async with engine_on(workers) as engine:
        first = await submit(engine, inputs={"text": "first"})
        await until(lambda: workers.under_way)
        speech = await submit(engine, "speech_to_image", {"audio_url": "/storage/audio/a.wav"})
        await until(lambda: any(call.capability == "transcription" for call in workers.calls))
        await asyncio.sleep(0.1)  # its next step waits for the slot of text now
        await engine.cancel(DEFAULT_ORGANIZATION, speech.id)
        release.set()
        assert (await ended(engine, first)).status is JobStatus.COMPLETED
        speech = await ended(engine, speech)
        await asyncio.sleep(0.2)
    assert speech.status is JobStatus.CANCELED
    assert [call.capability for call in workers.calls] == ["text", "transcription"]
    assert speech.step("enhance").state is StepState.SKIPPED


class Slow(Wrapped):
    """A ledger of which each decision takes a while to be written."""

    async def decide(self, decision):
        await asyncio.sleep(0.2)
        await self._ledger.decide(decision)


NOT_FIRST = [described("off"), described("one")]
"""A job that names the second provider records its intent by itself, not with its claim."""
SOON_OVER = SETTINGS.model_copy(update={"call_timeout_seconds": 1.0})
"""A call that is in doubt is given up as unknown after a second."""


async def test_a_cancel_while_the_intent_is_written_sends_nothing(engine_on):
    workers = ScriptedWorkers(always, tuple(NOT_FIRST))
    async with engine_on(workers, wrap=Slow) as engine:
        job = await submit(engine, model="one:m")
        await asyncio.sleep(0.1)
        await engine.cancel(DEFAULT_ORGANIZATION, job.id)
        job = await ended(engine, job)
    assert job.status is JobStatus.CANCELED
    assert workers.calls == []
    assert [attempt.state for attempt in job.attempts] == [AttemptState.NOT_SENT]


async def test_a_stop_while_the_intent_is_written_loses_nothing(engine_on):
    before = ScriptedWorkers(always, tuple(NOT_FIRST))
    async with engine_on(before, wrap=Slow) as engine:
        job = await submit(engine, model="one:m")
        await asyncio.sleep(0.1)
    after = ScriptedWorkers(always)
    async with engine_on(after) as engine:
        job = await ended(engine, job)
    assert job.status is JobStatus.COMPLETED
    assert len(before.calls) + len(after.calls) == 1


def let_through_later(engine):
    """What is stopped in the engine's ledger goes on when the engine is about to stop."""
    asyncio.get_running_loop().call_later(0.3, engine._ledger.let_through.set)


async def test_a_stop_between_the_written_intent_and_its_call_loses_nothing(engine_on, impatient):
    before = ScriptedWorkers(always, tuple(NOT_FIRST))
    async with engine_on(before, SOON_OVER, wrap=Late) as engine:
        engine._ledger.stop_after("decide")
        job = await submit(engine, model="one:m")
        await engine._ledger.stopped.wait()
        let_through_later(engine)
    after = ScriptedWorkers(always)
    async with engine_on(after, SOON_OVER) as engine:
        job = await ended(engine, job)
    assert job.status is JobStatus.COMPLETED
    assert [attempt.state for attempt in job.attempts] == [AttemptState.NOT_SENT, AttemptState.SUCCEEDED]
    assert (len(before.calls), len(after.calls)) == (0, 1)


async def test_a_stop_between_the_written_claim_and_its_run_loses_nothing(engine_on, impatient):
    before = ScriptedWorkers(always)
    async with engine_on(before, SOON_OVER, wrap=Late) as engine:
        engine._ledger.stop_after("claim")
        job = await submit(engine, order=soon())
        await engine._ledger.stopped.wait()
        let_through_later(engine)
    after = ScriptedWorkers(always)
    async with engine_on(after, SOON_OVER) as engine:
        job = await ended(engine, job)
    assert job.status is JobStatus.COMPLETED
    assert len(before.calls) + len(after.calls) == 1


async def test_a_stop_at_any_moment_leaves_no_call_in_doubt(engine_on, impatient):
    async def script(call):
        await asyncio.sleep(0.005)
        return answer(call)

    jobs = []
    for milliseconds in (1, 5, 10, 20, 40):
        async with engine_on(ScriptedWorkers(script, (described("one", slots=4),)), SOON_OVER) as engine:
            jobs += [await submit(engine) for _ in range(10)]
            await asyncio.sleep(milliseconds / 1000)
    async with engine_on(ScriptedWorkers(always), SOON_OVER) as engine:
        jobs = [await ended(engine, job) for job in jobs]
    assert [job.failure for job in jobs if job.status is not JobStatus.COMPLETED] == []


@pytest.mark.parametrize("cancel", [True, False])
async def test_a_paid_result_is_written_although_the_ledger_is_away_for_a_moment(engine_on, monkeypatch, cancel):
    returned = asyncio.Event()
    away = 3

    class Flaky(Wrapped):
        async def decide(self, decision):
            nonlocal away
            if decision.change.evidence and away:
                away -= 1
                returned.set()
                raise Unavailable("The database is locked.")
            await self._ledger.decide(decision)

    monkeypatch.setattr("genesis.engine.durable._RETRY_SECONDS", 0.1)
    async with engine_on(ScriptedWorkers(always), wrap=Flaky) as engine:
        job = await submit(engine)
        await returned.wait()
        if cancel:
            await engine.cancel(DEFAULT_ORGANIZATION, job.id)
            await ended(engine, job)
    async with engine_on(ScriptedWorkers(always), SETTINGS) as engine:
        job = await ended(engine, job)
    assert [attempt.state for attempt in job.attempts] == [AttemptState.SUCCEEDED]
    assert job.status is JobStatus.COMPLETED  # decided before the cancel, although written after it


async def test_a_cancel_ends_the_job_although_the_worker_hangs(engine_on):
    class Hanging(ScriptedWorkers):
        async def cancel(self, capability, attempt, handle=None):
            await asyncio.Event().wait()

    async def never(call):
        await asyncio.Event().wait()

    workers = Hanging(never)
    async with engine_on(workers, SETTINGS.model_copy(update={"drain_seconds": 0})) as engine:
        job = await submit(engine)
        await until(lambda: workers.under_way)
        await engine.cancel(DEFAULT_ORGANIZATION, job.id)
        job = await ended(engine, job, within=10)
    assert job.status is JobStatus.CANCELED
