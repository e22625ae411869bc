"""What people ask of jobs: to be canceled, and to be run again."""

import asyncio
from dataclasses import replace

import pytest

from genesis.domain.attempt import AttemptState, ProviderClass
from genesis.domain.batch import Batch
from genesis.domain.event import Event, EventType
from genesis.domain.failure import INTERRUPTED, OUTCOME_UNKNOWN, POISONED
from genesis.domain.identity import new_id
from genesis.domain.job import JobStatus
from genesis.domain.money import Money
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.price import CostSource
from genesis.domain.step import StepState
from genesis.errors import Conflict, Fenced, NotFound
from genesis.ports.ledger import Finish, Release
from tests.support.jobs import job_of, pipeline, text_step
from tests.support.ledger import (
    TWO_STEPS,
    attempt_of,
    claim_one,
    decide,
    first_call,
    ids,
    joined,
    nothing,
    stored,
    types_of,
)


async def cancel(opened, job):
    return await opened.ledger.cancel(DEFAULT_ORGANIZATION, job.id)


async def retry(opened, job, *, resend=False):
    return await opened.ledger.retry(DEFAULT_ORGANIZATION, job.id, resend=resend)


async def half_done(opened, clock, state=AttemptState.FAILED, failure=None):
    """A failed job whose first step is done and whose second has had an attempt of this state."""
    plan = pipeline(text_step("a"), text_step("b"), outputs={"text": "${steps.a.text}"})
    await opened.ledger.submit(job_of(plan, start_by=90_000, finish_by=99_000))
    (claim,) = await opened.ledger.claim("me", "text", 1, first_call)
    job, (first,), (running,) = claim.job, claim.change.intents, claim.change.steps
    good = replace(first, state=AttemptState.SUCCEEDED, settled_at=1_100)
    done = replace(running, state=StepState.DONE, output={"text": "made"}, completed_at=1_100)
    second = attempt_of("b", at=1_200)
    started = replace(job.steps[1], state=StepState.RUNNING, started_at=1_200)
    await decide(opened.ledger, job, evidence=(good,), steps=(done, started), intents=(second,))
    bad = replace(second, state=state, settled_at=1_300, failure=failure)
    over = replace(started, state=StepState.FAILED, failure=failure, completed_at=1_300)
    await decide(
        opened.ledger,
        job,
        evidence=() if state is AttemptState.INTENDED else (bad,),
        steps=(over,),
        events=(Event(EventType.JOB_FAILED, 1_300),),
        outcome=Finish(JobStatus.FAILED, {"text": "made"}, failure),
    )
    clock.time = 2_000
    return await stored(opened, job)


async def test_cancel_ends_a_waiting_job_and_asks_the_owner_of_a_running_one(database):
    waiting, running = job_of(TWO_STEPS), job_of(TWO_STEPS)
    async with joined(database) as opened:
        await opened.ledger.submit(running)
        owned = await claim_one(opened.ledger)
        await opened.ledger.submit(waiting)
        canceled = await cancel(opened, waiting)
        assert (canceled.status, canceled.completed_at) == (JobStatus.CANCELED, 1_000)
        assert {(step.state, step.completed_at) for step in canceled.steps} == {(StepState.SKIPPED, 1_000)}
        assert canceled == await stored(opened, waiting)
        assert await types_of(opened, waiting) == ["job-queued", "job-canceled"]
        assert await opened.queries.cancel_requests("me") == []
        asked = await cancel(opened, running)
        assert (asked.status, asked.cancel_requested_at, asked.owner) == (JobStatus.RUNNING, 1_000, "me")
        assert await opened.queries.cancel_requests("me") == [running.id]
        assert await opened.queries.cancel_requests("you") == []
        await decide(opened.ledger, owned, outcome=Finish(JobStatus.CANCELED))
        assert await opened.queries.cancel_requests("me") == []
        for job in (waiting, running):
            with pytest.raises(Conflict, match="canceled already"):
                await cancel(opened, job)


async def test_a_cancel_that_meets_a_release_is_kept(database):
    async with joined(database, "me", "you") as opened:
        await opened.ledger.submit(job_of(TWO_STEPS))
        (claim,) = await opened.ledger.claim("me", "text", 1, first_call)
        asked, _ = await asyncio.gather(
            cancel(opened, claim.job), decide(opened.ledger, claim.job, outcome=Release("text", 0))
        )
        assert asked.status is JobStatus.RUNNING
        assert await opened.ledger.claim("you", "text", 1, nothing) == []
        found = await stored(opened, claim.job)
        assert (found.status, found.owner) == (JobStatus.CANCELED, None)
        assert await types_of(opened, found) == ["job-queued", "job-started", "step-started", "job-canceled"]
        with pytest.raises(Fenced):
            await decide(opened.ledger, claim.job, outcome=Finish(JobStatus.COMPLETED))


async def test_free_calls_of_a_job_that_ends_are_over_and_others_are_still_to_be_settled(database):
    free, paid = attempt_of(provider_class=ProviderClass.REPEATABLE), attempt_of("b")
    costs_nothing = {"cost": Money(0), "cost_source": CostSource.CATALOG}
    async with joined(database) as opened:
        await opened.ledger.submit(job_of(TWO_STEPS))
        job = await claim_one(opened.ledger)
        await decide(opened.ledger, job, intents=(free, paid), outcome=Release("text", 9_000))
        assert await opened.queries.open_attempts(limit=9) == []
        canceled = await cancel(opened, job)
        assert canceled.attempts == (
            replace(free, state=AttemptState.FAILED, settled_at=1_000, failure=INTERRUPTED, **costs_nothing),
            paid,
        )
        (open_one,) = await opened.queries.open_attempts(limit=9)
        assert (open_one.job, open_one.organization, open_one.capability, open_one.attempt) == (
            job.id,
            DEFAULT_ORGANIZATION,
            "text",
            paid,
        )
        with pytest.raises(Fenced):
            await decide(opened.ledger, job, evidence=(replace(paid, state=AttemptState.SUCCEEDED, settled_at=3),))
        assert await opened.queries.open_attempts(limit=9) == []


async def test_a_cancel_keeps_what_was_made(database):
    async with joined(database) as opened:
        await opened.ledger.submit(
            job_of(pipeline(text_step("a"), text_step("b"), outputs={"text": "${steps.a.text}"}))
        )
        (claim,) = await opened.ledger.claim("me", "text", 1, first_call)
        done = replace(claim.change.steps[0], state=StepState.DONE, output={"text": "made"})
        await decide(opened.ledger, claim.job, steps=(done,), outcome=Release("text", 9_000))
        canceled = await cancel(opened, claim.job)
        assert canceled.outputs == {"text": "made"}
        assert [step.state for step in canceled.steps] == [StepState.DONE, StepState.SKIPPED]


async def test_a_batch_is_canceled_as_its_jobs_are(database):
    batch = Batch(new_id(), DEFAULT_ORGANIZATION, 1_000, 3)
    jobs = [job_of(TWO_STEPS, batch=batch.id) for _ in range(3)]
    async with joined(database) as opened:
        await opened.ledger.submit_batch(batch, jobs)
        await opened.ledger.submit(job_of(TWO_STEPS))
        done, running = [claim.job for claim in await opened.ledger.claim("me", "text", 2, nothing)]
        await decide(opened.ledger, done, outcome=Finish(JobStatus.COMPLETED))
        await opened.ledger.cancel_batch(DEFAULT_ORGANIZATION, batch.id)
        await opened.ledger.cancel_batch(DEFAULT_ORGANIZATION, batch.id)
        assert await opened.queries.cancel_requests("me") == [running.id]
        _, counts = await opened.queries.batch(DEFAULT_ORGANIZATION, batch.id)
        assert {status: count for status, count in counts.items() if count} == {
            JobStatus.COMPLETED: 1,
            JobStatus.RUNNING: 1,
            JobStatus.CANCELED: 1,
        }
        assert await types_of(opened, jobs[2]) == ["job-queued", "job-canceled"]
        assert len(await opened.ledger.claim("me", "text", 9, nothing)) == 1
        for organization, asked in ((new_id(), batch.id), (DEFAULT_ORGANIZATION, new_id())):
            with pytest.raises(NotFound, match="batch"):
                await opened.ledger.cancel_batch(organization, asked)


async def test_a_retry_goes_on_where_the_job_failed(database, clock):
    async with joined(database) as opened:
        failed = await half_done(opened, clock)
        queued = await retry(opened, failed)
        assert queued == await stored(opened, failed)
        assert queued.steps[0] == failed.steps[0]
        assert (queued.steps[1].state, queued.steps[1].started_at) == (StepState.WAITING, None)
        assert (queued.status, queued.lane, queued.wake_at, queued.retried_at) == (JobStatus.QUEUED, "text", 0, 2_000)
        assert queued.epoch > failed.epoch
        assert queued.attempts == failed.attempts
        assert [
            queued.failure,
            queued.started_at,
            queued.completed_at,
            queued.cancel_requested_at,
            queued.start_by,
            queued.finish_by,
        ] == [None] * 6
        assert (queued.outputs, queued.crash_count) == ({}, 0)
        again = await claim_one(opened.ledger)
        assert (again.id, again.started_at) == (failed.id, 2_000)
        assert (await types_of(opened, failed))[-3:] == ["job-failed", "job-retried", "job-started"]


async def test_attempts_are_earlier_than_the_retry_although_the_clock_was_set_back(database, clock):
    async with joined(database) as opened:
        failed = await half_done(opened, clock)
        clock.time = 500
        queued = await retry(opened, failed)
        assert queued.retried_at == 1_201
        assert queued == await stored(opened, failed)
        assert queued.attempts_that_count("b") == ()


async def test_a_canceled_job_can_be_retried(database):
    async with joined(database) as opened:
        job = (await opened.ledger.submit(job_of(TWO_STEPS))).job
        await cancel(opened, job)
        queued = await retry(opened, job)
        assert {step.state for step in queued.steps} == {StepState.WAITING}
        assert ids(await opened.ledger.claim("me", "text", 9, nothing)) == [job.id]


async def test_only_what_has_ended_badly_can_be_retried(database):
    async with joined(database) as opened:
        await opened.ledger.submit(job_of(TWO_STEPS))
        queued = (await opened.queries.jobs(DEFAULT_ORGANIZATION, limit=1)).jobs[0]
        with pytest.raises(Conflict, match="queued"):
            await retry(opened, queued)
        job = await claim_one(opened.ledger)
        with pytest.raises(Conflict, match="running"):
            await retry(opened, job)
        await decide(opened.ledger, job, outcome=Finish(JobStatus.COMPLETED))
        with pytest.raises(Conflict, match="completed"):
            await retry(opened, job, resend=True)
        assert (await stored(opened, job)).status is JobStatus.COMPLETED


async def test_what_may_have_been_paid_is_made_again_on_request_only(database, clock):
    async with joined(database) as opened:
        failed = await half_done(opened, clock, AttemptState.UNKNOWN, OUTCOME_UNKNOWN)
        with pytest.raises(Conflict) as refused:
            await retry(opened, failed)
        assert "resend" in refused.value.hint
        assert await stored(opened, failed) == failed
        assert (await retry(opened, failed, resend=True)).status is JobStatus.QUEUED
        clock.time = 3_000
        await cancel(opened, failed)
        with pytest.raises(Conflict, match="may have been charged"):
            await retry(opened, failed)  # what was accepted has not been made use of: this may be somebody else
        assert (await retry(opened, failed, resend=True)).status is JobStatus.QUEUED
        again = await claim_one(opened.ledger)
        third = attempt_of("b", number=2, at=again.retried_at)
        await decide(opened.ledger, again, intents=(third,))
        refused = replace(third, state=AttemptState.FAILED, settled_at=3_300, failure=POISONED)
        await decide(opened.ledger, again, evidence=(refused,), outcome=Finish(JobStatus.FAILED))
        assert (await retry(opened, failed)).status is JobStatus.QUEUED, "what was accepted and done is not asked again"


async def test_a_doubt_stands_until_something_was_sent_after_it(database, clock):
    async with joined(database) as opened:
        failed = await half_done(opened, clock, AttemptState.UNKNOWN, OUTCOME_UNKNOWN)
        await retry(opened, failed, resend=True)
        again = await claim_one(opened.ledger)
        third = attempt_of("b", number=2, at=again.retried_at)
        await decide(opened.ledger, again, intents=(third,))
        unsent = replace(third, state=AttemptState.NOT_SENT, settled_at=3_300)
        await decide(opened.ledger, again, evidence=(unsent,), outcome=Finish(JobStatus.CANCELED))
        with pytest.raises(Conflict, match="may have been charged"):
            await retry(opened, failed)


async def test_an_open_call_is_settled_first(database, clock):
    async with joined(database) as opened:
        failed = await half_done(opened, clock, AttemptState.INTENDED)
        for resend in (False, True):
            with pytest.raises(Conflict, match="still being settled"):
                await retry(opened, failed, resend=resend)


async def test_a_doubt_about_what_is_done_is_no_obstacle(database, clock):
    async with joined(database) as opened:
        await opened.ledger.submit(job_of(TWO_STEPS))
        (claim,) = await opened.ledger.claim("me", "text", 1, first_call)
        doubtful = replace(claim.change.intents[0], state=AttemptState.UNKNOWN, settled_at=1_100)
        done = replace(claim.change.steps[0], state=StepState.DONE, output={"text": "x"})
        finish = Finish(JobStatus.FAILED)
        await decide(opened.ledger, claim.job, evidence=(doubtful,), steps=(done,), outcome=finish)
        clock.time = 2_000
        assert (await retry(opened, claim.job)).status is JobStatus.QUEUED
