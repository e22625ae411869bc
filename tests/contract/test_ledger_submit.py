"""Accepting jobs and batches, at once where nothing waits, and once per idempotency key."""

import asyncio

import pytest

from genesis.domain.attempt import AttemptState
from genesis.domain.batch import Batch
from genesis.domain.identity import new_id
from genesis.domain.job import JobStatus, OnAmbiguous
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.step import StepState
from genesis.errors import IdempotencyConflict, NotFound
from genesis.ports.ledger import Finish, Idempotency
from genesis.ports.queries import JobFilter
from tests.support.jobs import job_of
from tests.support.ledger import TWO_STEPS, claim_one, decide, head_start, joined, nothing, stored, types_of

HOUR = 3_600_000


def batch_of(size):
    return Batch(new_id(), DEFAULT_ORGANIZATION, 1_000, size)


async def test_a_job_comes_back_as_it_was_submitted(database):
    job = job_of(
        TWO_STEPS,
        inputs={"text": "grüße 🎨 'quoted' %s"},
        options={"seed": 4, "stop": ["\n"]},
        wake_at=0,
        priority=-3,
        start_by=70_000,
        finish_by=80_000,
        on_ambiguous=OnAmbiguous.RESEND,
        lane="text",
    )
    async with database() as opened:
        submission = await opened.ledger.submit(job)
        assert (submission.job, submission.replayed) == (job, False)
        assert await stored(opened, job) == job
    async with database() as opened:
        assert await stored(opened, job) == job
        assert await types_of(opened, job) == ["job-queued"]
        (event,) = await opened.queries.events(DEFAULT_ORGANIZATION, job.id, after=0, limit=9)
        assert (event.event.at, event.event.data) == (1_000, {"pipeline": "trial"})


@pytest.mark.parametrize(("given", "kept"), [(0, 0), (999, 0), (1_000, 0), (1_001, 1_001)])
async def test_a_moment_that_has_passed_is_no_reason_to_wait(database, given, kept):
    async with database() as opened:
        job = (await opened.ledger.submit(job_of(TWO_STEPS, wake_at=given))).job
        assert (job.wake_at, (await stored(opened, job)).wake_at) == (kept, kept)


async def test_jobs_are_seen_by_their_organization_only(database):
    job = job_of(TWO_STEPS)
    async with joined(database) as opened:
        await opened.ledger.submit(job)
        other = new_id()
        for ask in (
            opened.queries.job(other, job.id),
            opened.queries.events(other, job.id, after=0, limit=9),
            opened.ledger.cancel(other, job.id),
            opened.ledger.retry(other, job.id, resend=True),
            opened.queries.job(DEFAULT_ORGANIZATION, other),
        ):
            with pytest.raises(NotFound, match="job"):
                await ask
        assert (await opened.queries.jobs(other, limit=10)).jobs == []
        assert await opened.queries.feed(other, after=None, limit=10) == []


async def test_thousands_of_jobs_keep_their_plan_once(database):
    async with database() as opened:
        await asyncio.gather(*(opened.ledger.submit(job_of(TWO_STEPS)) for _ in range(20)))
        await opened.ledger.submit(job_of("text_to_speech"))
    async with database() as opened:
        await opened.ledger.submit(job_of(TWO_STEPS))
    assert await database.execute("SELECT count(*) FROM plans") == [(2,)]


async def test_the_same_key_is_the_same_job(database):
    key = Idempotency("k1", "f1")
    async with joined(database) as opened:
        jobs = [job_of(TWO_STEPS) for _ in range(5)]
        answers = await asyncio.gather(*(opened.ledger.submit(job, idempotency=key) for job in jobs))
        assert len({answer.job.id for answer in answers}) == 1
        assert sorted(answer.replayed for answer in answers) == [False, True, True, True, True]
        owned = await claim_one(opened.ledger)
        again = await opened.ledger.submit(job_of(TWO_STEPS), idempotency=key)
        assert again.replayed
        assert again.job == owned
        with pytest.raises(IdempotencyConflict, match="k1"):
            await opened.ledger.submit(job_of(TWO_STEPS), idempotency=Idempotency("k1", "f2"))
        assert len((await opened.queries.jobs(DEFAULT_ORGANIZATION, limit=9)).jobs) == 1


async def test_keys_belong_to_their_organization(database, organization):
    await organization("other")
    key = Idempotency("k1", "f1")
    async with database() as opened:
        first = await opened.ledger.submit(job_of(TWO_STEPS), idempotency=key)
        second = await opened.ledger.submit(job_of(TWO_STEPS, organization="other"), idempotency=key)
    assert not second.replayed
    assert second.job.id != first.job.id


async def test_a_key_is_kept_for_a_day_at_least_and_not_for_ever(database, clock):
    key = Idempotency("k1", "f1")
    async with database() as opened:
        await opened.ledger.submit(job_of(TWO_STEPS), idempotency=key)
        clock.time += 25 * HOUR
        await opened.ledger.sweep()
        assert (await opened.ledger.submit(job_of(TWO_STEPS), idempotency=key)).replayed
        clock.time += 24 * HOUR
        await opened.ledger.sweep()
        assert not (await opened.ledger.submit(job_of(TWO_STEPS), idempotency=key)).replayed


async def test_with_nothing_ahead_a_job_begins_at_once(database):
    job = job_of(TWO_STEPS)
    start = head_start(job)
    async with joined(database) as opened:
        submission = await opened.ledger.submit(job, head_start=start)
        assert await stored(opened, job) == submission.job
        assert (submission.job.owner, submission.job.epoch, submission.job.status) == ("me", 1, JobStatus.RUNNING)
        assert submission.job.attempts == start.change.intents
        assert [step.state for step in submission.job.steps] == [StepState.RUNNING, StepState.WAITING]
        assert await types_of(opened, job) == ["job-queued", "job-started", "step-started"]
        assert await opened.ledger.claim("me", "text", 9, nothing) == []
        await decide(opened.ledger, submission.job, outcome=Finish(JobStatus.COMPLETED))
        assert (await stored(opened, job)).status is JobStatus.COMPLETED


@pytest.mark.parametrize(
    ("waiting", "begins"),
    [
        ({}, False),
        ({"organization": "other"}, False),
        ({"wake_at": 9_000}, True),
        ({"lane": "speech"}, True),
    ],
)
async def test_a_job_does_not_push_in(database, organization, waiting, begins):
    await organization("other")
    ahead = job_of(TWO_STEPS, **waiting)
    job = job_of(TWO_STEPS)
    async with joined(database) as opened:
        await opened.ledger.submit(ahead)
        submission = await opened.ledger.submit(job, head_start=head_start(job))
        assert (submission.job.status is JobStatus.RUNNING) is begins
        assert (await stored(opened, job)).attempts == submission.job.attempts
        assert await types_of(opened, job) == ["job-queued", *(["job-started", "step-started"] if begins else [])]


async def test_a_head_start_is_within_the_limits_of_its_organization(database, organization):
    await organization("small", max_running=1)
    jobs = [job_of(TWO_STEPS, organization="small") for _ in range(2)]
    async with joined(database) as opened:
        answers = [await opened.ledger.submit(job, head_start=head_start(job)) for job in jobs]
    assert [answer.job.status for answer in answers] == [JobStatus.RUNNING, JobStatus.QUEUED]


async def test_nobody_who_is_not_alive_gets_a_head_start(database):
    async with joined(database, "me", "gone") as opened:
        await opened.ledger.leave("gone")
        for owner in ("gone", "unheard-of"):
            job = job_of("text_to_speech")
            answer = await opened.ledger.submit(job, head_start=head_start(job, owner))
            assert (answer.job.status, answer.job.owner) == (JobStatus.QUEUED, None)
            await opened.ledger.cancel(DEFAULT_ORGANIZATION, job.id)


async def test_a_batch_is_accepted_as_a_whole(database):
    batch = batch_of(3)
    jobs = [job_of(TWO_STEPS, batch=batch.id) for _ in range(2)] + [job_of("text_to_speech", batch=batch.id)]
    async with joined(database) as opened:
        await opened.ledger.submit(job_of(TWO_STEPS))
        assert await opened.ledger.submit_batch(batch, jobs) == (batch, False)
        claimed = await opened.ledger.claim("me", "speech", 9, nothing)
        assert [one.job.id for one in claimed] == [jobs[2].id]
        found, counts = await opened.queries.batch(DEFAULT_ORGANIZATION, batch.id)
        assert found == batch
        assert counts == {**dict.fromkeys(JobStatus, 0), JobStatus.QUEUED: 2, JobStatus.RUNNING: 1}
        page = await opened.queries.jobs(DEFAULT_ORGANIZATION, limit=9, where=JobFilter(batch=batch.id))
        assert [job.id for job in page.jobs] == [job.id for job in reversed(jobs)]
        assert {job.batch for job in page.jobs} == {batch.id}
        assert await types_of(opened, jobs[0]) == ["job-queued"]
        with pytest.raises(NotFound, match="batch"):
            await opened.queries.batch(new_id(), batch.id)


async def test_a_batch_with_a_job_that_cannot_be_stored_is_not_stored(database):
    batch, twin = batch_of(3), job_of(TWO_STEPS)
    async with database() as opened:
        await opened.ledger.submit(twin)
        jobs = [job_of(TWO_STEPS, batch=batch.id), twin, job_of(TWO_STEPS, batch=batch.id)]
        (refusal,) = await asyncio.gather(opened.ledger.submit_batch(batch, jobs), return_exceptions=True)
        assert isinstance(refusal, Exception)
        with pytest.raises(NotFound):
            await opened.queries.batch(DEFAULT_ORGANIZATION, batch.id)
        assert [job.id for job in (await opened.queries.jobs(DEFAULT_ORGANIZATION, limit=9)).jobs] == [twin.id]


async def test_the_same_key_is_the_same_batch(database):
    key = Idempotency("k1", "f1")
    batch = batch_of(1)
    async with database() as opened:
        await opened.ledger.submit_batch(batch, [job_of(TWO_STEPS, batch=batch.id)], idempotency=key)
        other = batch_of(1)
        again = await opened.ledger.submit_batch(other, [job_of(TWO_STEPS, batch=other.id)], idempotency=key)
        assert again == (batch, True)
        for ask in (
            opened.ledger.submit_batch(other, [job_of(TWO_STEPS)], idempotency=Idempotency("k1", "f2")),
            opened.ledger.submit(job_of(TWO_STEPS), idempotency=key),
        ):
            with pytest.raises(IdempotencyConflict):
                await ask
        assert len((await opened.queries.jobs(DEFAULT_ORGANIZATION, limit=9)).jobs) == 1


async def test_an_intent_keeps_its_times(database):
    job = job_of(TWO_STEPS)
    async with joined(database) as opened:
        await opened.ledger.submit(job, head_start=head_start(job))
        (attempt,) = (await stored(opened, job)).attempts
    assert (attempt.state, attempt.not_after, attempt.call_deadline) == (AttemptState.INTENDED, 6_000, 301_000)
