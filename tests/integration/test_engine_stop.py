"""A cancel or a stop at every bad moment of an attempt: before its intent, while it is written, and after the call."""

import asyncio

import pytest

from genesis.database.sqlite.ledger import SqliteLedger
from genesis.domain.attempt import AttemptState
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.step import StepState
from genesis.errors import Unavailable
from tests.support.engine import SETTINGS, always, ended, submit
from tests.support.workers import ScriptedWorkers, answer, described


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


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


@pytest.fixture
def slow_decisions(monkeypatch):
    """Each decision takes a while to be written."""
    decide = SqliteLedger.decide

    async def slowly(self, decision):
        await asyncio.sleep(0.2)
        await decide(self, decision)

    monkeypatch.setattr(SqliteLedger, "decide", slowly)


async def test_a_cancel_while_the_intent_is_written_sends_nothing(engine_on, slow_decisions):
    workers = ScriptedWorkers(always)
    async with engine_on(workers) as engine:
        job = await submit(engine)
        await asyncio.sleep(0.1)
        await engine.cancel(DEFAULT_ORGANIZATION, job.id)
        job = await ended(engine, job)
    assert job.status is JobStatus.CANCELED
    assert workers.calls == []
    assert [attempt.state for attempt in job.attempts] == [AttemptState.NOT_SENT]


async def test_a_stop_while_the_intent_is_written_loses_nothing(engine_on, slow_decisions):
    before = ScriptedWorkers(always)
    async with engine_on(before) as engine:
        job = await submit(engine)
        await asyncio.sleep(0.1)
    after = ScriptedWorkers(always)
    async with engine_on(after) as engine:
        job = await ended(engine, job)
    assert job.status is JobStatus.COMPLETED
    assert len(before.calls) + len(after.calls) == 1


@pytest.mark.parametrize("cancel", [True, False])
async def test_a_paid_result_is_written_although_the_ledger_is_away_for_a_moment(engine_on, monkeypatch, cancel):
    returned = asyncio.Event()
    away = 3
    decide = SqliteLedger.decide

    async def flaky(self, decision):
        nonlocal away
        if decision.evidence and away:
            away -= 1
            returned.set()
            raise Unavailable("The database is locked.")
        await decide(self, decision)

    monkeypatch.setattr(SqliteLedger, "decide", flaky)
    monkeypatch.setattr("genesis.engine.run._LEDGER_RETRY_SECONDS", 0.1)
    async with engine_on(ScriptedWorkers(always)) as engine:
        job = await submit(engine)
        await returned.wait()
        if cancel:
            await engine.cancel(DEFAULT_ORGANIZATION, job.id)
            await ended(engine, job)
    async with engine_on(ScriptedWorkers(always), SETTINGS) as engine:
        job = await ended(engine, job)
    assert [attempt.state for attempt in job.attempts] == [AttemptState.SUCCEEDED]
    assert job.status is (JobStatus.CANCELED if cancel else JobStatus.COMPLETED)


async def test_a_cancel_ends_the_job_although_the_worker_hangs(engine_on):
    class Hanging(ScriptedWorkers):
        async def cancel(self, capability, attempt):
            await asyncio.Event().wait()

    async def never(call):
        await asyncio.Event().wait()

    workers = Hanging(never)
    async with engine_on(workers) as engine:
        job = await submit(engine)
        await until(lambda: workers.under_way)
        await engine.cancel(DEFAULT_ORGANIZATION, job.id)
        job = await ended(engine, job, within=10)
    assert job.status is JobStatus.CANCELED
