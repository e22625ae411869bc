"""Decisions: fenced changes, and evidence that counts whoever brings it."""

import asyncio
from dataclasses import replace

import pytest

from genesis.domain.attempt import AttemptState, ProviderClass
from genesis.domain.event import Event, EventType
from genesis.domain.failure import OUTCOME_UNKNOWN, START_DEADLINE_PASSED, Failure
from genesis.domain.job import JobStatus
from genesis.domain.money import Money
from genesis.domain.step import StepState
from genesis.errors import FailureClass, Fenced
from genesis.ports.ledger import Change, Decision, Fence, Finish, Release
from tests.support.jobs import job_of
from tests.support.ledger import (
    TWO_STEPS,
    attempt_of,
    claim_one,
    decide,
    fence_of,
    first_call,
    joined,
    nothing,
    stored,
    types_of,
)


async def run_of_one_call(opened, **given):
    """A job that is owned and has called, and its call."""
    await opened.ledger.submit(job_of(TWO_STEPS, **given))
    (claimed,) = await opened.ledger.claim("me", "text", 1, first_call)
    return claimed.job, claimed.change.intents[0], claimed.change.steps[0]


async def test_a_whole_run_is_kept(database):
    async with joined(database) as opened:
        job, attempt, running = await run_of_one_call(opened)
        settled = replace(
            attempt,
            state=AttemptState.SUCCEEDED,
            settled_at=1_500,
            cost=Money(140),
            warnings=("w", "ü"),
            usage={"tokens": 3},
            target="one:m2",
            retry_after=0.1,
        )
        done = replace(running, state=StepState.DONE, output={"text": "x\n„y“"}, completed_at=1_500)
        next_attempt = attempt_of("b")
        next_step = replace(job.steps[1], state=StepState.RUNNING, started_at=1_500)
        await decide(
            opened.ledger,
            job,
            evidence=(settled,),
            steps=(done, next_step),
            intents=(next_attempt,),
            events=(Event(EventType.STEP_COMPLETED, 1_500), Event(EventType.STEP_STARTED, 1_500, {"step": "b"})),
        )
        halfway = await stored(opened, job)
        assert (halfway.attempts, halfway.steps) == ((settled, next_attempt), (done, next_step))
        assert (halfway.owner, halfway.epoch, halfway.status) == ("me", 1, JobStatus.RUNNING)
        end = Event(EventType.JOB_COMPLETED, 1_600)
        await decide(opened.ledger, job, outcome=Finish(JobStatus.COMPLETED, {"text": "x"}), events=(end,))
        over = await stored(opened, job)
        assert (over.status, over.outputs, over.owner, over.completed_at) == (
            JobStatus.COMPLETED,
            {"text": "x"},
            None,
            1_000,
        )
        assert over.epoch > job.epoch
        assert await types_of(opened, job) == [
            "job-queued",
            "job-started",
            "step-started",
            "step-completed",
            "step-started",
            "job-completed",
        ]


async def test_a_release_gives_the_job_back(database, clock):
    async with joined(database) as opened:
        job, _, _ = await run_of_one_call(opened)
        await decide(opened.ledger, job, outcome=Release("speech", 7_000))
        waiting = await stored(opened, job)
        assert (waiting.owner, waiting.wake_at, waiting.lane, waiting.status) == (
            None,
            7_000,
            "speech",
            JobStatus.RUNNING,
        )
        assert await opened.ledger.claim("me", "speech", 1, nothing) == []
        clock.time = 7_000
        assert (await claim_one(opened.ledger, lane="speech")).id == job.id


@pytest.mark.parametrize("wake_at", [0, 500, 1_000])
async def test_a_release_until_now_is_one_for_at_once(database, wake_at):
    async with joined(database) as opened:
        job, _, _ = await run_of_one_call(opened)
        await decide(opened.ledger, job, outcome=Release("text", wake_at))
        assert (await stored(opened, job)).wake_at == 0


async def test_a_job_that_was_not_begun_after_all_is_queued_again_at_its_place(database, clock):
    async with joined(database) as opened:
        job, attempt, running = await run_of_one_call(opened, start_by=5_000)
        await opened.ledger.submit(job_of(TWO_STEPS))
        unsent = replace(attempt, state=AttemptState.NOT_SENT, settled_at=1_000)
        waiting = replace(running, state=StepState.WAITING, started_at=None)
        await decide(
            opened.ledger,
            job,
            evidence=(unsent,),
            steps=(waiting,),
            events=(Event(EventType.JOB_QUEUED, 1_000),),
            outcome=Release("text", 0, begun=False),
        )
        found = await stored(opened, job)
        assert (found.status, found.owner, found.started_at) == (JobStatus.QUEUED, None, None)
        assert (found.steps[0], found.epoch) == (waiting, job.epoch + 1)
        clock.time = 2_000
        again = await claim_one(opened.ledger)
        assert (again.id, again.started_at) == (job.id, 2_000)
        await decide(opened.ledger, again, outcome=Release("text", 0, begun=False))
        clock.time = 5_000
        await opened.ledger.sweep()
        assert (await stored(opened, job)).failure == START_DEADLINE_PASSED
        expected = ["job-queued", "job-started", "step-started", "job-queued", "job-started", "job-failed"]
        assert await types_of(opened, job) == expected


async def test_a_cancel_ends_a_job_that_was_to_be_queued_again(database):
    async with joined(database) as opened:
        job, _, _ = await run_of_one_call(opened)
        await opened.ledger.cancel(job.organization, job.id)
        await decide(opened.ledger, job, outcome=Release("text", 0, begun=False))
        assert (await stored(opened, job)).status is JobStatus.CANCELED


async def test_a_stranger_decides_nothing_but_evidence_counts(database):
    async with joined(database, "me", "you") as opened:
        job, attempt, running = await run_of_one_call(opened)
        await decide(opened.ledger, job, outcome=Release("text", 0))
        late = replace(attempt, state=AttemptState.SUCCEEDED, settled_at=2_000, cost=Money(5))
        done = replace(running, state=StepState.DONE, output={"text": "late"})
        event = Event(EventType.STEP_COMPLETED, 1)
        with pytest.raises(Fenced):
            await decide(
                opened.ledger, job, evidence=(late,), steps=(done,), intents=(attempt_of("b"),), events=(event,)
            )
        found = await stored(opened, job)
        assert found.attempts == (late,)
        assert found.steps[0] == running
        again = await claim_one(opened.ledger, "you")
        for outcome in (None, Release("text", 0), Finish(JobStatus.COMPLETED)):
            with pytest.raises(Fenced):
                await decide(opened.ledger, job, outcome=outcome)
        with pytest.raises(Fenced):
            await opened.ledger.decide(Decision(Fence(job.id, "me", again.epoch), Change(outcome=Release("text", 0))))
        assert await stored(opened, job) == replace(again, attempts=(late,))
        assert await types_of(opened, job) == ["job-queued", "job-started", "step-started"]


async def test_settled_attempts_and_steps_stay_as_they_are(database):
    async with joined(database) as opened:
        job, attempt, running = await run_of_one_call(opened)
        good = replace(attempt, state=AttemptState.SUCCEEDED, settled_at=1)
        done = replace(running, state=StepState.DONE, output={"text": "x"})
        await decide(opened.ledger, job, evidence=(good,), steps=(done,))
        for state in AttemptState:
            step = replace(done, state=StepState.FAILED, output=None)
            await decide(opened.ledger, job, evidence=(replace(attempt, state=state, settled_at=2),), steps=(step,))
        found = await stored(opened, job)
    assert found.attempts == (good,)
    assert found.steps[0] == done


async def test_a_move_that_the_tables_do_not_know_is_not_made(database):
    async with joined(database) as opened:
        job, _, _ = await run_of_one_call(opened)
        before = await stored(opened, job)
        with pytest.raises(Fenced):
            await decide(opened.ledger, job, outcome=Finish(JobStatus.QUEUED))
        assert await stored(opened, job) == before


async def test_late_evidence_settles_an_unknown_attempt(database):
    async with joined(database) as opened:
        job, attempt, _ = await run_of_one_call(opened)
        unknown = replace(attempt, state=AttemptState.UNKNOWN, settled_at=1, failure=OUTCOME_UNKNOWN)
        good = replace(attempt, state=AttemptState.SUCCEEDED, settled_at=2)
        await decide(opened.ledger, job, evidence=(unknown,))
        await decide(opened.ledger, job, outcome=Finish(JobStatus.FAILED, {}, OUTCOME_UNKNOWN))
        with pytest.raises(Fenced):
            await decide(opened.ledger, job, evidence=(replace(attempt, state=AttemptState.NOT_SENT),))
        assert (await stored(opened, job)).attempts == (unknown,)
        with pytest.raises(Fenced):
            await decide(opened.ledger, job, evidence=(good,))
        assert (await stored(opened, job)).attempts == (good,)


async def test_a_pending_call_keeps_its_handle(database):
    async with joined(database) as opened:
        job, attempt, _ = await run_of_one_call(opened)
        pending = replace(attempt, state=AttemptState.PENDING, handle={"id": "h1", "url": "https://x/ü"})
        for _ in range(2):
            await decide(opened.ledger, job, evidence=(pending,))
            assert (await stored(opened, job)).attempts == (pending,)
        settled = replace(attempt, state=AttemptState.SUCCEEDED, settled_at=9_000)
        await decide(opened.ledger, job, evidence=(settled,))
        assert (await stored(opened, job)).attempts == (replace(settled, handle=pending.handle),)
        await decide(opened.ledger, job, evidence=(pending,))
        assert (await stored(opened, job)).attempts[0].state is AttemptState.SUCCEEDED


async def test_a_failure_is_kept_whole(database):
    failure = Failure("provider-rejected", "No „cats“.", "Ask for dogs.", FailureClass.FINAL)
    async with joined(database) as opened:
        job, attempt, running = await run_of_one_call(opened)
        failed = replace(attempt, state=AttemptState.FAILED, settled_at=2, failure=failure)
        step = replace(running, state=StepState.FAILED, failure=failure, completed_at=2)
        finish = Finish(JobStatus.FAILED, {"text": "so far"}, failure)
        await decide(opened.ledger, job, evidence=(failed,), steps=(step,), outcome=finish)
        found = await stored(opened, job)
    assert (found.failure, found.outputs, found.status) == (failure, {"text": "so far"}, JobStatus.FAILED)
    assert (found.attempts, found.steps[0]) == ((failed,), step)


async def test_a_step_may_wait_for_its_next_attempt(database):
    async with joined(database) as opened:
        job, _, running = await run_of_one_call(opened)
        await decide(opened.ledger, job, steps=(replace(running, retry_at=5_000),))
        assert (await stored(opened, job)).steps[0].retry_at == 5_000


async def test_of_many_decisions_at_once_each_is_judged_alone(database):
    async with joined(database) as opened:
        jobs = [(await run_of_one_call(opened))[0] for _ in range(30)]
        finish = Change(outcome=Finish(JobStatus.COMPLETED), events=(Event(EventType.JOB_COMPLETED, 1_000),))
        fences = [fence_of(job) for job in jobs]
        wrong = [replace(fence, epoch=9) if number % 3 == 0 else fence for number, fence in enumerate(fences)]
        answers = await asyncio.gather(
            *(opened.ledger.decide(Decision(fence, finish)) for fence in wrong), return_exceptions=True
        )
        assert [isinstance(answer, Fenced) for answer in answers] == [number % 3 == 0 for number in range(30)]
        statuses = [(await stored(opened, job)).status for job in jobs]
        assert [status is JobStatus.RUNNING for status in statuses] == [number % 3 == 0 for number in range(30)]


async def test_decisions_about_one_job_are_taken_in_order(database):
    async with joined(database) as opened:
        job, _, _ = await run_of_one_call(opened)
        events = [Event(EventType.STEP_RETRIED, number) for number in range(40)]
        await asyncio.gather(*(decide(opened.ledger, job, events=(event,)) for event in events))
        found = await opened.queries.events(job.organization, job.id, after=3, limit=100)
        assert [event.event.at for event in found] == list(range(40))
        assert [event.seq for event in found] == list(range(4, 44))


async def test_the_first_end_counts(database):
    async with joined(database) as opened:
        job, _, _ = await run_of_one_call(opened)
        answers = await asyncio.gather(
            decide(opened.ledger, job, outcome=Finish(JobStatus.COMPLETED)),
            decide(opened.ledger, job, outcome=Finish(JobStatus.FAILED)),
            return_exceptions=True,
        )
        assert [type(answer) for answer in answers] == [type(None), Fenced]
        assert (await stored(opened, job)).status is JobStatus.COMPLETED


async def test_what_an_attempt_returned_is_kept_with_it_only_where_its_step_could_not_take_it(database):
    async with joined(database) as opened:
        job, attempt, running = await run_of_one_call(opened)
        paid = replace(attempt, state=AttemptState.SUCCEEDED, settled_at=1_500, output={"text": "paid"})
        with pytest.raises(Fenced):
            await opened.ledger.decide(Decision(Fence(job.id, "you", 7), Change(evidence=(paid,))))
        assert (await stored(opened, job)).attempts[0].output == {"text": "paid"}
        other, attempt, running = await run_of_one_call(opened)
        paid = replace(attempt, state=AttemptState.SUCCEEDED, settled_at=1_500, output={"text": "paid"})
        done = replace(running, state=StepState.DONE, output=paid.output)
        await decide(opened.ledger, other, evidence=(paid,), steps=(done,))
        other = await stored(opened, other)
        assert (other.attempts[0].output, other.steps[0].output) == (None, {"text": "paid"})


@pytest.mark.parametrize("state", [AttemptState.NOT_SENT, AttemptState.FAILED])
async def test_who_lost_the_job_cannot_say_that_a_keyed_call_was_not_made(database, state):
    async with joined(database) as opened:
        await opened.ledger.submit(job_of(TWO_STEPS))
        (claimed,) = await opened.ledger.claim("me", "text", 1, lambda job: first_call(job, ProviderClass.KEYED))
        job, attempt = claimed.job, claimed.change.intents[0]
        stale = Fence(job.id, "you", 7)
        with pytest.raises(Fenced):
            await opened.ledger.decide(Decision(stale, Change(evidence=(replace(attempt, state=state),))))
        assert (await stored(opened, job)).attempts[0].state is AttemptState.INTENDED
        paid = replace(attempt, state=AttemptState.SUCCEEDED, settled_at=1_500)
        with pytest.raises(Fenced):
            await opened.ledger.decide(Decision(stale, Change(evidence=(paid,))))
        assert (await stored(opened, job)).attempts[0].state is AttemptState.SUCCEEDED
