"""Workers that others use as well: what they refuse goes back to the queue, and no more is asked of them than they take."""

import asyncio

import pytest

from genesis.domain.attempt import AttemptState
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.errors import WorkerBusy
from genesis.pipelines.contract import contract_of
from genesis.settings import Settings
from tests.support.engine import ended, submit, until
from tests.support.jobs import pipeline, text_step
from tests.support.workers import ScriptedWorkers, answer, described


class Shared:
    """A worker with four slots, of which others leave some.

    Attributes:
        left: how many.
    """

    def __init__(self, left=1):
        self.left = left
        self.opened = asyncio.Event()
        self.refused = []
        self.workers = ScriptedWorkers(self._made, (described("one", slots=4),))

    async def _made(self, call):
        if len(self.workers.under_way) > self.left or not self.left:
            self.refused.append(call)
            raise WorkerBusy("All 4 slots of one are taken.")
        await self.opened.wait()
        await asyncio.sleep(0.02)
        return answer(call)


@pytest.fixture
def quick_growth(monkeypatch):
    monkeypatch.setattr("genesis.engine.lanes._GROW_SECONDS", 0.3)


async def statuses(engine, jobs):
    return [(await engine.job(DEFAULT_ORGANIZATION, job.id)).status for job in jobs]


async def test_what_busy_workers_refuse_waits_in_the_queue_in_its_order(engine_on):
    shared = Shared()
    async with engine_on(shared.workers) as engine:
        jobs = [await submit(engine, inputs={"text": str(number)}) for number in range(12)]
        await until(lambda: len(shared.refused) == 3)
        async with asyncio.timeout(20):
            while (await statuses(engine, jobs)).count(JobStatus.QUEUED) != 11:
                await asyncio.sleep(0.01)
        last = await engine.job(DEFAULT_ORGANIZATION, jobs[-1].id)
        outlook = await engine.outlook(last)
        assert (outlook.position, outlook.reason) == (10, "All slots of text are busy.")
        second = await engine.job(DEFAULT_ORGANIZATION, jobs[1].id)
        assert (second.started_at, second.steps[0].state, second.steps[0].retry_at) == (None, "waiting", None)
        shared.opened.set()
        jobs = [await ended(engine, job) for job in jobs]
    assert {job.status for job in jobs} == {JobStatus.COMPLETED}
    completed = [job.completed_at for job in jobs]
    assert completed == sorted(completed)
    assert len(shared.workers.calls) <= 12 + 3 + 8, "the worker was asked for more than it takes, again and again"


async def test_that_a_job_could_not_start_in_time_is_told_although_it_was_tried(engine_on):
    shared = Shared(left=0)
    async with engine_on(shared.workers) as engine:
        late = await ended(engine, await submit(engine, order={"start_within": 0.5}))
    assert (late.status, late.failure.code) == (JobStatus.FAILED, "start-deadline-passed")
    assert {attempt.state for attempt in late.attempts} == {AttemptState.NOT_SENT}


async def test_a_job_with_priority_goes_before_one_that_was_refused(engine_on):
    shared = Shared()
    async with engine_on(shared.workers) as engine:
        jobs = [await submit(engine, inputs={"text": text}) for text in ("first", "second")]
        await until(lambda: shared.refused)
        jobs.append(await submit(engine, inputs={"text": "urgent"}, order={"priority": 5}))
        shared.opened.set()
        for job in jobs:
            await ended(engine, job)
    made = [call.input["text"] for call in shared.workers.calls if call not in shared.refused]
    assert made == ["first", "urgent", "second"]


async def test_slots_that_others_leave_are_used_again(engine_on, quick_growth):
    shared = Shared(left=0)
    async with engine_on(shared.workers) as engine:
        jobs = [await submit(engine) for _ in range(60)]
        await until(lambda: len(shared.refused) >= 4)
        assert engine._lanes.capacity("text") <= 1
        shared.left = 4
        shared.opened.set()
        for job in jobs:
            await ended(engine, job)
        assert engine._lanes.capacity("text") == 4


async def test_a_busy_worker_does_not_make_pauses_longer(engine_on, quick_growth):
    """A later step cannot be queued again; its job waits for a moment each time."""
    pauses = []

    async def script(call):
        if call.input["text"] == "out" and len(pauses) < 8:
            pauses.append(call)
            raise WorkerBusy("All 4 slots of one are taken.", retry_after=0.05)
        return answer(call)

    trial = {"trial": contract_of(pipeline(text_step("a"), text_step("b", "${steps.a.text}")))}
    settings = Settings(retry_base_seconds=0.05, retry_cap_seconds=30)
    async with engine_on(ScriptedWorkers(script), settings, pipelines=trial) as engine:
        job = await ended(engine, await submit(engine, "trial"))
        events = await engine._queries.events(DEFAULT_ORGANIZATION, job.id, after=0, limit=100)
    assert job.status is JobStatus.COMPLETED
    retries = [one.event for one in events if one.event.type == "step-retried"]
    assert [event.data["retry_at"] - event.at for event in retries] == [50] * 8
