"""Deadlines: jobs that wait for too long."""

from dataclasses import replace

from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.step import StepState
from genesis.ports.ledger import Release
from tests.support.jobs import job_of, pipeline, text_step
from tests.support.ledger import TWO_STEPS, claim_one, decide, first_call, joined, stored, types_of


async def test_a_job_that_does_not_start_in_time_fails(database, clock):
    async with joined(database) as opened:
        job = (await opened.ledger.submit(job_of(TWO_STEPS, start_by=5_000))).job
        assert await opened.queries.next_wake() == 5_000
        clock.time = 4_999
        assert await opened.ledger.sweep() == 0
        assert await stored(opened, job) == job
        clock.time = 5_000
        assert await opened.ledger.sweep() == 0
        found = await stored(opened, job)
        assert (found.status, found.failure.code, found.completed_at) == (
            JobStatus.FAILED,
            "start-deadline-passed",
            5_000,
        )
        assert {step.state for step in found.steps} == {StepState.SKIPPED}
        (_, event) = await opened.queries.events(DEFAULT_ORGANIZATION, job.id, after=0, limit=9)
        assert (event.event.type, event.event.data) == ("job-failed", {"code": "start-deadline-passed"})
        assert await opened.queries.next_wake() is None


async def test_a_job_that_has_started_is_not_late_to_start(database, clock):
    async with joined(database) as opened:
        await opened.ledger.submit(job_of(TWO_STEPS, start_by=5_000))
        job = await claim_one(opened.ledger)
        await decide(opened.ledger, job, outcome=Release("text", 9_000))
        assert await opened.queries.next_wake() == 9_000
        clock.time = 6_000
        await opened.ledger.sweep()
        assert (await stored(opened, job)).status is JobStatus.RUNNING


async def test_a_waiting_job_that_does_not_end_in_time_fails_and_keeps_what_was_made(database, clock):
    plan = pipeline(text_step("a"), text_step("b"), outputs={"text": "${steps.a.text}"})
    async with joined(database) as opened:
        await opened.ledger.submit(job_of(plan, finish_by=5_000))
        (claim,) = await opened.ledger.claim("me", "text", 1, first_call)
        done = replace(claim.change.steps[0], state=StepState.DONE, output={"text": "made"})
        await decide(opened.ledger, claim.job, steps=(done,), outcome=Release("text", 9_000))
        assert await opened.queries.next_wake() == 5_000
        clock.time = 5_000
        await opened.ledger.sweep()
        found = await stored(opened, claim.job)
        assert (found.status, found.failure.code, found.outputs) == (
            JobStatus.FAILED,
            "deadline-passed",
            {"text": "made"},
        )
        assert (await types_of(opened, found))[-1] == "job-failed"


async def test_the_end_of_a_running_job_is_its_owners_business(database, clock):
    async with joined(database) as opened:
        await opened.ledger.submit(job_of(TWO_STEPS, finish_by=5_000))
        job = await claim_one(opened.ledger)
        assert await opened.queries.next_wake() is None
        clock.time = 6_000
        await opened.ledger.heartbeat("me")
        await opened.ledger.sweep()
        assert await stored(opened, job) == job


async def test_many_late_jobs_end_in_portions(database, clock):
    async with joined(database) as opened:
        jobs = [(await opened.ledger.submit(job_of(TWO_STEPS, start_by=5_000, finish_by=6_000))).job for _ in range(9)]
        clock.time = 7_000
        await opened.ledger.sweep()
        assert {(await stored(opened, job)).failure.code for job in jobs} == {"start-deadline-passed"}
        assert [len(await types_of(opened, job)) for job in jobs] == [2] * 9
