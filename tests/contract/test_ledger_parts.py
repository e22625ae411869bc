"""Parts of steps: stored by a decision with an input of their own, changed, retried and reset like any step."""

from dataclasses import replace

import pytest

from genesis.domain.attempt import AttemptState
from genesis.domain.failure import Failure
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.step import Part, Step, StepState
from genesis.errors import FailureClass, Fenced
from genesis.ports.ledger import Change, Decision, Fence, Finish
from tests.support.jobs import job_of
from tests.support.ledger import TWO_STEPS, attempt_of, claim_one, decide, joined, stored

FAILURE = Failure("provider-rejected", "No.", "", FailureClass.FINAL)


def parts_of(job, name="a", count=3):
    return tuple(
        Step(
            f"{name}#{number + 1}",
            "text",
            part=Part(name, len(job.steps) + number, {"text": f"„{number}“ \n ${{x}}"}, 0.5 * number, 0.5 + number),
        )
        for number in range(count)
    )


async def divided(opened, **more):
    await opened.ledger.submit(job_of(TWO_STEPS))
    job = await claim_one(opened.ledger)
    parts = parts_of(job)
    whole = replace(job.steps[0], state=StepState.RUNNING, started_at=1_100)
    await decide(opened.ledger, job, steps=(whole,), parts=parts, **more)
    return job, whole, parts


async def test_parts_are_kept_with_all_that_they_are(database):
    async with joined(database) as opened:
        job, whole, parts = await divided(opened)
        assert (await stored(opened, job)).steps == (whole, job.steps[1], *parts)
        later = parts_of(replace(job, steps=(*job.steps, *parts)), "b", 2)
        running = replace(parts[1], state=StepState.RUNNING, started_at=1_200)
        attempt = attempt_of("a#2")
        await decide(opened.ledger, job, steps=(running,), parts=later, intents=(attempt,))
        found = await stored(opened, job)
        assert found.steps == (whole, job.steps[1], parts[0], running, parts[2], *later)
        assert found.attempts == (attempt,)
        assert (await opened.queries.jobs(DEFAULT_ORGANIZATION, limit=9)).jobs[0].steps == found.steps


async def test_two_jobs_in_one_flush_have_parts_of_their_own(database):
    async with joined(database) as opened:
        for _ in range(2):
            await opened.ledger.submit(job_of(TWO_STEPS))
        claimed = [one.job for one in await opened.ledger.claim("me", "text", 2, lambda _: Change())]
        for job in claimed:
            await decide(opened.ledger, job, parts=parts_of(job))
        for job in claimed:
            assert [step.name for step in (await stored(opened, job)).steps] == ["a", "b", "a#1", "a#2", "a#3"]


async def test_who_has_lost_the_job_adds_no_parts(database):
    async with joined(database) as opened:
        await opened.ledger.submit(job_of(TWO_STEPS))
        job = await claim_one(opened.ledger)
        with pytest.raises(Fenced):
            await opened.ledger.decide(Decision(Fence(job.id, "another", job.epoch), Change(parts=parts_of(job))))
        assert (await stored(opened, job)).steps == job.steps


async def test_a_retry_keeps_the_parts_and_what_is_done(database):
    async with joined(database) as opened:
        job, whole, parts = await divided(opened)
        done = replace(parts[0], state=StepState.DONE, output={"text": "out"}, completed_at=1_300)
        failed = replace(parts[1], state=StepState.FAILED, failure=FAILURE, completed_at=1_300)
        skipped = replace(parts[2], state=StepState.SKIPPED, completed_at=1_300)
        ended = (replace(whole, state=StepState.FAILED, failure=FAILURE), done, failed, skipped)
        await decide(opened.ledger, job, steps=ended, outcome=Finish(JobStatus.FAILED, {}, FAILURE))
        retried = await opened.ledger.retry(DEFAULT_ORGANIZATION, job.id, resend=False)
        anew = (Step("a", "text"), Step("b", "text"), done, parts[1], parts[2])
        assert retried.steps == anew
        assert (await stored(opened, job)).steps == anew


async def test_open_attempts_of_parts_are_found_after_the_end(database):
    async with joined(database) as opened:
        attempt = attempt_of("a#1")
        job, _, _ = await divided(opened, intents=(attempt,))
        await decide(opened.ledger, job, outcome=Finish(JobStatus.CANCELED))
        (left,) = await opened.queries.open_attempts(limit=9)
        assert (left.attempt.id, left.capability, left.attempt.state) == (attempt.id, "text", AttemptState.INTENDED)


async def test_a_cancel_of_a_job_that_nobody_runs_skips_its_parts(database):
    async with joined(database) as opened:
        job, _, _ = await divided(opened)
        await opened.ledger.leave("me")
        canceled = await opened.ledger.cancel(DEFAULT_ORGANIZATION, job.id)
        assert {step.state for step in canceled.steps} == {StepState.SKIPPED}
