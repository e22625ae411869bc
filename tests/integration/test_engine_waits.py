"""What is told of a running job that waits, by the process that runs it and by one that only reads the ledger."""

import asyncio
from contextlib import asynccontextmanager

import httpx2

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.attempt import ProviderClass
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.engine.engine import Engine
from genesis.errors import ProviderUnavailable
from genesis.pipelines.contract import contract_of
from genesis.ports.database import Database
from genesis.ports.workers import CallPending
from tests.support.engine import SETTINGS, always, ended, never, submit, until
from tests.support.gateway import app_of
from tests.support.jobs import pipeline, text_step
from tests.support.prices import SetPrices
from tests.support.workers import ScriptedWorkers, answer, described

SPOKEN = {
    "trial": contract_of(
        pipeline(
            text_step("write"),
            {"name": "speak", "capability": "speech", "input": {"text": "${steps.write.text}"}},
            outputs={"audio_url": "${steps.speak.audio_url}"},
        )
    )
}


@asynccontextmanager
async def elsewhere(engine, workers):
    """An engine that runs no jobs, as in another process: it has the ledger, and asks the workers itself."""
    settings = SETTINGS.model_copy(update={"executor": False})
    files = engine._given_files._records
    database = Database(engine._ledger, engine._queries, engine._signals, engine._clock, files)
    other = Engine(database, workers, engine.pipelines, SetPrices(), settings)
    async with other.running():
        await until(lambda: len(other.directory.known) + len(workers.missing) >= len(CAPABILITIES))
        yield other


async def told(engine, job):
    shown = await engine.job(DEFAULT_ORGANIZATION, job.id)
    (listed,) = [one for one in (await engine.jobs(DEFAULT_ORGANIZATION, limit=100)).jobs if one.id == job.id]
    reason, of_list = await engine.waits_for([shown, listed])
    assert reason == of_list or shown != listed
    return of_list


async def until_told(engine, job, words):
    async with asyncio.timeout(20):
        while (await told(engine, job)) != words:
            await asyncio.sleep(0.01)
    assert (await engine.job(DEFAULT_ORGANIZATION, job.id)).status is JobStatus.RUNNING


async def test_that_its_model_rests(engine_on, monkeypatch):
    monkeypatch.setattr("genesis.engine.breaker._OPEN_MILLISECONDS", 1_500)
    left = 5

    async def failing_five_times(call):
        nonlocal left
        if left:
            left -= 1
            raise ProviderUnavailable("Down.")
        return answer(call)

    workers = ScriptedWorkers(failing_five_times)
    words = "Step `generate` waits for one:m, which rests: it has failed too often of late."
    async with engine_on(workers) as engine, elsewhere(engine, workers) as other:
        first = await ended(engine, await submit(engine))
        assert (first.status, first.failure.message) == (JobStatus.FAILED, "Down.")
        second = await submit(engine)  # its second attempt is the fifth failure
        await until_told(other, second, words)
        third = await submit(engine)
        await asyncio.gather(*(until_told(one, job, words) for one in (engine, other) for job in (second, third)))
        for job in (second, third):
            done = await ended(engine, job)
            assert (done.status, await told(engine, done)) == (JobStatus.COMPLETED, None)


async def test_that_the_worker_of_its_next_step_is_missing(engine_on):
    workers = ScriptedWorkers(always, missing={"speech"})
    words = "The tts worker is missing: It is away."
    async with engine_on(workers, pipelines=SPOKEN) as engine, elsewhere(engine, workers) as other:
        job = await submit(engine, "trial")
        await asyncio.gather(until_told(engine, job, words), until_told(other, job, words))
        app = app_of(other, SETTINGS)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://localhost") as client,
        ):
            shown = (await client.get(f"/jobs/{job.id}")).json()
            (listed,) = (await client.get("/jobs")).json()
        for document in (shown, listed):
            assert (document["status"], document["metadata"]["waiting_for"]) == ("running", words)
            assert document["metadata"]["queue"] is None
        workers.missing.clear()
        assert (await ended(engine, job)).status is JobStatus.COMPLETED
    assert [call.capability for call in workers.calls] == ["text", "speech"]


async def test_that_its_last_attempt_failed(engine_on):
    down = True

    async def script(call):
        if down:
            raise ProviderUnavailable("Down.", retry_after=2.0)
        return answer(call)

    workers = ScriptedWorkers(script)
    words = "Step `generate` is tried again at a later time; its last attempt failed: Down."
    async with engine_on(workers) as engine, elsewhere(engine, workers) as other:
        job = await submit(engine)
        await asyncio.gather(until_told(engine, job, words), until_told(other, job, words))
        down = False
        assert (await ended(engine, job)).status is JobStatus.COMPLETED


async def test_that_a_call_is_in_doubt(engine_on, impatient):
    """The process that has made it is gone, and nobody knows what has become of it."""
    settings = impatient.model_copy(update={"call_timeout_seconds": 60.0})
    before = ScriptedWorkers(never, shares_fate=False)
    async with engine_on(before, settings) as engine:
        job = await submit(engine)
        await until(lambda: before.under_way)
        assert await told(engine, job) is None
    known = False

    async def recalled(call):
        return answer(call) if known else None

    after = ScriptedWorkers(always, shares_fate=False, recall_script=recalled)
    words = "Step `generate` waits to learn what became of an earlier call of one:m: it may have been made."
    async with engine_on(after, settings) as engine, elsewhere(engine, after) as other:
        await asyncio.gather(until_told(engine, job, words), until_told(other, job, words))
        known = True
        assert (await ended(engine, job)).status is JobStatus.COMPLETED
    assert after.calls == []


async def test_that_a_provider_works_on_it(engine_on):
    done = False

    async def script(call):
        return CallPending({"id": 1}, 0.01)

    async def polled(call, handle):
        return answer(call) if done else CallPending(handle, 0.01)

    workers = ScriptedWorkers(script, (described("one", ProviderClass.HANDLE),), poll_script=polled)
    words = "Step `generate` waits for one:m, which works on it."
    async with engine_on(workers) as engine, elsewhere(engine, workers) as other:
        job = await submit(engine)
        await asyncio.gather(until_told(engine, job, words), until_told(other, job, words))
        done = True
        assert (await ended(engine, job)).status is JobStatus.COMPLETED


async def test_that_no_slot_is_free_as_far_as_that_is_known(engine_on):
    workers = ScriptedWorkers(always, (described("one", slots=1),))
    words = "Step `speak` waits for a free slot of speech."
    async with engine_on(workers, pipelines=SPOKEN) as engine, elsewhere(engine, workers) as other:
        await until(lambda: "speech" in engine.directory.known)
        await engine._lanes.wait("speech")  # somebody else speaks
        job = await submit(engine, "trial")
        await until_told(engine, job, words)
        assert await told(other, job) is None
        engine._lanes.give("speech")
        assert (await ended(engine, job)).status is JobStatus.COMPLETED
