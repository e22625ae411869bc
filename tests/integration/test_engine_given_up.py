"""Calls that outlive their jobs are given up, and what they have made all the same is found and used."""

import asyncio

import pytest

from genesis.domain.attempt import AttemptState, ProviderClass
from genesis.domain.job import JobStatus, OnAmbiguous
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.price import CostSource
from genesis.errors import Conflict, ProviderRejected, ResultLost
from genesis.ports.workers import CallPending
from tests.support.engine import SETTINGS, always, attempts_closed, ended, never, submit, until
from tests.support.workers import ScriptedWorkers, answer, described

HANDLE = (described("one", ProviderClass.HANDLE),)
IMPATIENT = SETTINGS.model_copy(update={"drain_seconds": 0})


class Queue:
    """A provider that works on calls by their handle, until it is told what they come to.

    Attributes:
        word: what it says of a call; None while it works on it.
    """

    def __init__(self, word=None):
        self.word = word
        self.handles = 0
        self.workers = ScriptedWorkers(self._taken, HANDLE, poll_script=self._asked, shares_fate=False)

    async def _taken(self, call):
        self.handles += 1
        return CallPending({"id": f"h{self.handles}"}, 0.01)

    async def _asked(self, call, handle):
        if isinstance(self.word, Exception):
            raise self.word
        return CallPending(handle, 0.01) if self.word is None else answer(call, self.word)


@pytest.fixture
def doubting(impatient, monkeypatch):
    """As `impatient`, where unknown outcomes are asked for often as well."""
    monkeypatch.setattr("genesis.engine.reconciler._DOUBT_SECONDS", 0.1)
    return impatient


@pytest.fixture
def never_doubting(impatient, monkeypatch):
    """As `impatient`, where nobody but a retry asks for an unknown outcome."""
    monkeypatch.setattr("genesis.engine.reconciler.Reconciler._pass_over_doubts", never)
    return impatient


async def pending_elsewhere(engine_on, provider=HANDLE, **order):
    """A job of which a paid call goes on at a provider, and which nobody runs."""

    async def taken(call):
        return CallPending({"id": "h0"}, 0.01)

    async def not_yet(call, handle):
        return CallPending(handle, 0.01)

    before = ScriptedWorkers(taken, provider, poll_script=not_yet, shares_fate=False)
    async with engine_on(before, IMPATIENT) as engine:
        job = await submit(engine, order=order)
        await until(lambda: before.polls)
    return job


async def taken_up(engine, job):
    """Returns once the job is not owned by anybody, after its call was asked for."""
    async with asyncio.timeout(20):
        while (await engine.job(DEFAULT_ORGANIZATION, job.id)).owner is not None or not engine._executor._next_wake:
            await asyncio.sleep(0.01)


async def unknown_after_its_time(engine, queue):
    job = await ended(engine, await submit(engine))
    assert (job.status, job.failure.code) == (JobStatus.FAILED, "outcome-unknown")
    assert job.attempts[0].state is AttemptState.UNKNOWN
    assert queue.handles == 1
    return job


async def test_a_cancel_of_a_job_that_nobody_runs_reaches_the_worker_at_once(engine_on, monkeypatch):
    monkeypatch.setattr("genesis.engine.call._ASK_AGAIN_SECONDS", 60.0)  # so nobody runs it after the first question
    job = await pending_elsewhere(engine_on)
    queue = Queue()
    async with engine_on(queue.workers) as engine:
        await until(lambda: queue.workers.polls)
        await taken_up(engine, job)
        assert queue.workers.cancels == []
        await engine.cancel(DEFAULT_ORGANIZATION, job.id)
        await until(lambda: queue.workers.cancels, within=2.0)  # the next regular look comes after five seconds
        queue.word = ProviderRejected("Canceled.")
        job = await attempts_closed(engine, job)
        await asyncio.sleep(0.2)
    assert (job.status, job.attempts[0].state) == (JobStatus.CANCELED, AttemptState.FAILED)
    assert queue.workers.cancels == [job.attempts[0].id], "it is told once"


async def test_a_job_that_nobody_runs_and_that_is_late_gives_its_call_up(engine_on, monkeypatch):
    monkeypatch.setattr("genesis.engine.call._ASK_AGAIN_SECONDS", 60.0)
    job = await pending_elsewhere(engine_on, finish_within=2.0)
    queue = Queue()
    async with engine_on(queue.workers) as engine:
        await until(lambda: queue.workers.cancels)
        job = await ended(engine, job)
    assert job.failure.code == "deadline-passed"
    assert queue.workers.cancels == [job.attempts[0].id]


async def test_a_call_in_doubt_at_a_worker_is_given_up_with_its_job(engine_on, monkeypatch):
    monkeypatch.setattr("genesis.engine.reconciler._SECONDS", 0.1)
    before = ScriptedWorkers(never, shares_fate=False)
    async with engine_on(before, IMPATIENT) as engine:
        job = await submit(engine)
        await until(lambda: before.under_way)
    after = ScriptedWorkers(never, shares_fate=False)  # which knows nothing of it
    async with engine_on(after) as engine:
        await until(lambda: after.recalls)
        await engine.cancel(DEFAULT_ORGANIZATION, job.id)
        await until(lambda: after.cancels)
    assert set(after.cancels) == {before.calls[0].attempt}


async def test_what_a_provider_makes_after_the_calls_time_is_found_and_used(engine_on, doubting):
    queue = Queue()
    async with engine_on(queue.workers, doubting) as engine:
        job = await unknown_after_its_time(engine, queue)
        queue.word = "late"
        async with asyncio.timeout(20):
            while (await engine.job(DEFAULT_ORGANIZATION, job.id)).attempts[0].state is AttemptState.UNKNOWN:
                await asyncio.sleep(0.02)
        job = await ended(engine, await engine.retry(DEFAULT_ORGANIZATION, job.id))
    assert (job.status, job.outputs) == (JobStatus.COMPLETED, {"text": "late"})
    assert (queue.handles, queue.workers.cancels) == (1, [])


async def test_a_call_that_the_provider_turns_out_to_have_refused_needs_no_word(engine_on, doubting):
    queue = Queue()
    async with engine_on(queue.workers, doubting) as engine:
        job = await unknown_after_its_time(engine, queue)
        with pytest.raises(Conflict):
            await engine.retry(DEFAULT_ORGANIZATION, job.id)
        queue.word = ProviderRejected("No.")
        async with asyncio.timeout(20):
            while (await engine.job(DEFAULT_ORGANIZATION, job.id)).attempts[0].state is AttemptState.UNKNOWN:
                await asyncio.sleep(0.02)
        queue.word = "made"
        job = await ended(engine, await engine.retry(DEFAULT_ORGANIZATION, job.id))
    assert job.status is JobStatus.COMPLETED
    assert [attempt.state for attempt in job.attempts] == [AttemptState.FAILED, AttemptState.SUCCEEDED]


async def test_what_a_lost_result_has_cost_is_known_once_the_provider_tells(engine_on, doubting):
    queue = Queue()
    async with engine_on(queue.workers, doubting) as engine:
        job = await unknown_after_its_time(engine, queue)
        queue.word = ResultLost("It was made, and is gone.", cost=40_000)
        async with asyncio.timeout(20):
            while (job := await engine.job(DEFAULT_ORGANIZATION, job.id)).attempts[0].cost is None:
                await asyncio.sleep(0.02)
    (attempt,) = job.attempts
    assert (attempt.state, attempt.cost, attempt.cost_source) == (AttemptState.UNKNOWN, 40_000, CostSource.PROVIDER)


async def test_a_retry_learns_what_a_lost_result_has_cost(engine_on, never_doubting):
    queue = Queue()
    async with engine_on(queue.workers, never_doubting) as engine:
        job = await unknown_after_its_time(engine, queue)
        queue.word = ResultLost("It was made, and is gone.", cost=40_000)
        job = await engine.retry(DEFAULT_ORGANIZATION, job.id, resend=True)
        await until(lambda: queue.handles == 2)
        queue.word = "made"
        job = await ended(engine, job)
    assert [attempt.cost for attempt in job.attempts] == [40_000, None]
    assert job.attempts[0].state is AttemptState.UNKNOWN


async def test_a_retry_asks_by_the_handle_before_it_pays_again(engine_on, never_doubting):
    queue = Queue()
    async with engine_on(queue.workers, never_doubting) as engine:
        job = await unknown_after_its_time(engine, queue)
        queue.word = "late"
        job = await ended(engine, await engine.retry(DEFAULT_ORGANIZATION, job.id, resend=True))
    assert (job.status, job.outputs, len(job.attempts)) == (JobStatus.COMPLETED, {"text": "late"}, 1)
    assert job.attempts[0].state is AttemptState.SUCCEEDED
    assert queue.handles == 1


@pytest.mark.parametrize(
    ("word", "state"), [(None, AttemptState.UNKNOWN), (ProviderRejected("Gone."), AttemptState.FAILED)]
)
async def test_a_retry_goes_on_where_the_handle_leads_nowhere(engine_on, never_doubting, word, state):
    queue = Queue()
    async with engine_on(queue.workers, never_doubting) as engine:
        job = await unknown_after_its_time(engine, queue)
        queue.word = word
        job = await engine.retry(DEFAULT_ORGANIZATION, job.id, resend=True)
        await until(lambda: queue.handles == 2)
        queue.word = "made"
        job = await ended(engine, job)
    assert (job.status, job.outputs) == (JobStatus.COMPLETED, {"text": "made"})
    assert [attempt.state for attempt in job.attempts] == [state, AttemptState.SUCCEEDED]
    if word is None:
        assert queue.workers.cancels == [job.attempts[0].id], "nobody waits any more for the one before"


async def test_who_accepts_to_pay_twice_in_advance_is_asked_for_once_more_as_well(engine_on, never_doubting):
    queue = Queue()
    patient = never_doubting.model_copy(update={"retry_base_seconds": 1.0, "retry_cap_seconds": 1.0})
    async with engine_on(queue.workers, patient) as engine:
        job = await submit(engine, order={"on_ambiguous": OnAmbiguous.RESEND})
        async with asyncio.timeout(20):
            while (await engine.job(DEFAULT_ORGANIZATION, job.id)).attempts[0].state is not AttemptState.UNKNOWN:
                await asyncio.sleep(0.005)
        queue.word = "late"
        job = await ended(engine, job)
    assert (job.status, job.outputs, queue.handles) == (JobStatus.COMPLETED, {"text": "late"}, 1)


async def test_what_stays_in_doubt_for_long_is_given_up(engine_on, doubting, monkeypatch):
    monkeypatch.setattr("genesis.engine.reconciler._LONGEST_DOUBT_MILLISECONDS", 1_500)
    queue = Queue()
    async with engine_on(queue.workers, doubting) as engine:
        job = await unknown_after_its_time(engine, queue)
        assert queue.workers.cancels == []
        await until(lambda: queue.workers.cancels)
        asked = len(queue.workers.polls)
        await asyncio.sleep(0.5)
    assert len(queue.workers.polls) == asked
    assert queue.workers.cancels == [job.attempts[0].id]


async def test_a_result_that_was_paid_for_needs_no_second_call_after_a_restart(engine_on, never_doubting):
    queue = Queue()
    async with engine_on(queue.workers, never_doubting) as engine:
        job = await unknown_after_its_time(engine, queue)
    after = ScriptedWorkers(always, HANDLE, poll_script=Queue("late")._asked)
    async with engine_on(after, never_doubting) as engine:
        job = await ended(engine, await engine.retry(DEFAULT_ORGANIZATION, job.id, resend=True))
    assert (job.outputs, after.calls) == ({"text": "late"}, [])
