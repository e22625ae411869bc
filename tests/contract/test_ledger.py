"""What every ledger promises, whatever database it stands on."""

import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing
from dataclasses import replace

import pytest

from genesis.database.sqlite.ledger import open_sqlite
from genesis.domain.attempt import Attempt, AttemptState, ProviderClass
from genesis.domain.event import Event, EventType
from genesis.domain.failure import INTERRUPTED, OUTCOME_UNKNOWN, Failure
from genesis.domain.identity import new_id
from genesis.domain.job import JobStatus
from genesis.domain.money import Money
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.step import StepState
from genesis.errors import Conflict, FailureClass, Fenced, NotFound
from genesis.ports.ledger import Decision, Fence, Finish, Release
from tests.support.jobs import job_of, pipeline, text_step

TWO_STEPS = pipeline(text_step("a"), text_step("b", "${steps.a.text}"))


class SetClock:
    def __init__(self):
        self.time = 1_000

    def now(self):
        return self.time


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture(params=["sqlite"])
def database(request, tmp_path, clock):
    """Opens the same database again each time it is entered."""

    @asynccontextmanager
    async def opened():
        async with open_sqlite(tmp_path / "jobs.db", clock) as both:
            yield both

    return opened


def events_of(tmp_path, job_id):
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection:
        return connection.execute("SELECT seq, type FROM events WHERE job = ? ORDER BY seq", (job_id,)).fetchall()


def attempt_of(step="a", number=1, provider_class=ProviderClass.OPAQUE):
    return Attempt(new_id(), step, number, new_id(), "one:m", provider_class, 1_000)


def fence_of(job):
    return Fence(job.id, job.owner, job.epoch)


async def test_a_job_comes_back_as_it_was_submitted(database):
    job = job_of(TWO_STEPS, inputs={"text": "grüße 🎨 'quoted' %s"}, options={"seed": 4, "stop": ["\n"]})
    async with database() as (ledger, queries):
        await ledger.submit(job)
        assert await queries.job(DEFAULT_ORGANIZATION, job.id) == job
    async with database() as (_, queries):
        assert await queries.job(DEFAULT_ORGANIZATION, job.id) == job


async def test_jobs_are_seen_by_their_organization_only(database):
    job = job_of(TWO_STEPS)
    async with database() as (ledger, queries):
        await ledger.submit(job)
        with pytest.raises(NotFound):
            await queries.job(new_id(), job.id)
        with pytest.raises(NotFound):
            await ledger.cancel(new_id(), job.id)
        assert await queries.jobs(new_id(), limit=10) == []


async def test_lists_newest_first_in_pages(database):
    jobs = [job_of(TWO_STEPS) for _ in range(5)]
    async with database() as (ledger, queries):
        for job in jobs:
            await ledger.submit(job)
        newest_first = [job.id for job in reversed(jobs)]
        listed = await queries.jobs(DEFAULT_ORGANIZATION, limit=3)
        assert [job.id for job in listed] == newest_first[:3]
        assert all(job.steps == jobs[0].steps for job in listed)
        rest = await queries.jobs(DEFAULT_ORGANIZATION, limit=3, before=listed[-1].id)
        assert [job.id for job in rest] == newest_first[3:]
        assert [job.id for job in await queries.jobs(DEFAULT_ORGANIZATION, limit=2, offset=4)] == newest_first[4:]


async def test_a_claim_takes_the_oldest_waiting_jobs_of_its_lane_once(database):
    jobs = [job_of(TWO_STEPS) for _ in range(3)]
    other = job_of("text_to_speech")
    async with database() as (ledger, _):
        await asyncio.gather(*(ledger.submit(job) for job in [*jobs, other]))
        claimed = await ledger.claim("me", "text", 2)
        assert [job.id for job in claimed] == [job.id for job in jobs[:2]]
        assert {(job.status, job.owner, job.epoch, job.started_at) for job in claimed} == {
            (JobStatus.RUNNING, "me", 1, 1_000)
        }
        assert [job.id for job in await ledger.claim("you", "text", 9)] == [jobs[2].id]
        assert await ledger.claim("you", "text", 9) == []
        assert [job.id for job in await ledger.claim("you", "speech", 9)] == [other.id]


async def test_a_claim_waits_for_wake_at(database, clock):
    job = job_of(TWO_STEPS, wake_at=5_000)
    async with database() as (ledger, queries):
        await ledger.submit(job)
        assert await ledger.claim("me", "text", 1) == []
        assert await queries.next_wake("text") == 5_000
        clock.time = 5_000
        assert len(await ledger.claim("me", "text", 1)) == 1
        assert await queries.next_wake("text") is None


async def test_a_whole_run_is_kept(database, tmp_path):
    job = job_of(TWO_STEPS)
    async with database() as (ledger, queries):
        await ledger.submit(job)
        (job,) = await ledger.claim("me", "text", 1)
        attempt = attempt_of()
        running = replace(job.steps[0], state=StepState.RUNNING, started_at=1_000)
        started = Event(EventType.STEP_STARTED, 1_000, {"step": "a"})
        await ledger.decide(Decision(fence_of(job), steps=(running,), intents=(attempt,), events=(started,)))
        stored = await queries.job(DEFAULT_ORGANIZATION, job.id)
        assert stored.attempts == (attempt,)
        assert stored.steps[0] == running

        settled = replace(
            attempt,
            state=AttemptState.SUCCEEDED,
            settled_at=1_500,
            cost=Money(140),
            warnings=("w",),
            usage={"tokens": 3},
            target="one:m2",
        )
        done = replace(running, state=StepState.DONE, output={"text": "x"}, completed_at=1_500)
        completed = Event(EventType.STEP_COMPLETED, 1_500)
        await ledger.decide(Decision(fence_of(job), evidence=(settled,), steps=(done,), events=(completed,)))
        finish = Finish(JobStatus.COMPLETED, {"text": "x"})
        end = Event(EventType.JOB_COMPLETED, 1_600)
        await ledger.decide(Decision(fence_of(job), outcome=finish, events=(end,)))
        stored = await queries.job(DEFAULT_ORGANIZATION, job.id)
    assert (stored.status, stored.outputs, stored.owner) == (JobStatus.COMPLETED, {"text": "x"}, None)
    assert stored.attempts == (settled,)
    assert stored.steps[0] == done
    assert events_of(tmp_path, job.id) == [
        (1, "job-queued"),
        (2, "job-started"),
        (3, "step-started"),
        (4, "step-completed"),
        (5, "job-completed"),
    ]


async def test_a_stranger_decides_nothing_but_evidence_counts(database, tmp_path):
    job = job_of(TWO_STEPS)
    async with database() as (ledger, queries):
        await ledger.submit(job)
        (job,) = await ledger.claim("me", "text", 1)
        attempt = attempt_of()
        await ledger.decide(Decision(fence_of(job), intents=(attempt,)))
        await ledger.decide(Decision(fence_of(job), outcome=Release("text", 0)))
        late = replace(attempt, state=AttemptState.SUCCEEDED, settled_at=2_000, cost=Money(5))
        done = replace(job.steps[0], state=StepState.DONE, output={"text": "late"})
        with pytest.raises(Fenced):
            await ledger.decide(
                Decision(fence_of(job), evidence=(late,), steps=(done,), events=(Event(EventType.STEP_COMPLETED, 1),))
            )
        stored = await queries.job(DEFAULT_ORGANIZATION, job.id)
        assert stored.attempts[0].cost == 5
        assert stored.steps[0].state is StepState.WAITING
        (again,) = await ledger.claim("me", "text", 1)
        assert again.epoch > job.epoch
        with pytest.raises(Fenced):
            await ledger.decide(Decision(fence_of(job), outcome=Finish(JobStatus.COMPLETED)))
    assert [kind for _, kind in events_of(tmp_path, job.id)] == ["job-queued", "job-started"]


async def test_settled_attempts_and_steps_stay_as_they_are(database):
    job = job_of(TWO_STEPS)
    async with database() as (ledger, queries):
        await ledger.submit(job)
        (job,) = await ledger.claim("me", "text", 1)
        attempt = attempt_of()
        good = replace(attempt, state=AttemptState.SUCCEEDED, settled_at=1)
        bad = replace(attempt, state=AttemptState.FAILED, settled_at=2)
        done = replace(job.steps[0], state=StepState.DONE, output={"text": "x"})
        running = replace(job.steps[0], state=StepState.RUNNING)
        await ledger.decide(Decision(fence_of(job), intents=(attempt,), steps=(running,)))
        await ledger.decide(Decision(fence_of(job), evidence=(good,), steps=(done,)))
        await ledger.decide(Decision(fence_of(job), evidence=(bad,), steps=(replace(done, state=StepState.FAILED),)))
        stored = await queries.job(DEFAULT_ORGANIZATION, job.id)
    assert stored.attempts == (good,)
    assert stored.steps[0] == done


async def test_a_move_that_the_tables_do_not_know_is_not_made(database):
    job = job_of(TWO_STEPS)
    async with database() as (ledger, queries):
        await ledger.submit(job)
        (job,) = await ledger.claim("me", "text", 1)
        done_unstarted = replace(job.steps[0], state=StepState.DONE, output={"text": "x"})
        await ledger.decide(Decision(fence_of(job), steps=(done_unstarted,)))
        with pytest.raises(Fenced):
            await ledger.decide(Decision(fence_of(job), outcome=Finish(JobStatus.QUEUED)))
        assert (await queries.job(DEFAULT_ORGANIZATION, job.id)).steps[0].state is StepState.WAITING


async def test_late_evidence_settles_an_unknown_attempt(database):
    job = job_of(TWO_STEPS)
    async with database() as (ledger, queries):
        await ledger.submit(job)
        (job,) = await ledger.claim("me", "text", 1)
        attempt = attempt_of()
        unknown = replace(attempt, state=AttemptState.UNKNOWN, settled_at=1, failure=OUTCOME_UNKNOWN)
        good = replace(attempt, state=AttemptState.SUCCEEDED, settled_at=2)
        await ledger.decide(Decision(fence_of(job), intents=(attempt,)))
        await ledger.decide(Decision(fence_of(job), evidence=(unknown,)))
        await ledger.decide(Decision(fence_of(job), evidence=(good,)))
        assert (await queries.job(DEFAULT_ORGANIZATION, job.id)).attempts == (good,)


async def test_a_failure_is_kept_whole(database):
    job = job_of(TWO_STEPS)
    failure = Failure("provider-rejected", "No „cats“.", "Ask for dogs.", FailureClass.FINAL)
    async with database() as (ledger, queries):
        await ledger.submit(job)
        (job,) = await ledger.claim("me", "text", 1)
        finish = Finish(JobStatus.FAILED, {"text": "so far"}, failure)
        await ledger.decide(Decision(fence_of(job), outcome=finish))
        stored = await queries.job(DEFAULT_ORGANIZATION, job.id)
    assert (stored.failure, stored.outputs, stored.status) == (failure, {"text": "so far"}, JobStatus.FAILED)


async def test_cancel_ends_a_waiting_job_and_asks_the_owner_of_a_running_one(database):
    waiting, running = job_of(TWO_STEPS), job_of(TWO_STEPS)
    async with database() as (ledger, _):
        await ledger.submit(running)
        (owned,) = await ledger.claim("me", "text", 1)
        await ledger.submit(waiting)
        canceled = await ledger.cancel(DEFAULT_ORGANIZATION, waiting.id)
        assert canceled.status is JobStatus.CANCELED
        assert {step.state for step in canceled.steps} == {StepState.SKIPPED}
        asked = await ledger.cancel(DEFAULT_ORGANIZATION, running.id)
        assert (asked.status, asked.cancel_requested_at) == (JobStatus.RUNNING, 1_000)
        await ledger.decide(Decision(fence_of(owned), outcome=Finish(JobStatus.CANCELED)))
        for job in (waiting, running):
            with pytest.raises(Conflict):
                await ledger.cancel(DEFAULT_ORGANIZATION, job.id)


async def test_a_cancel_that_meets_a_release_is_kept(database):
    job = job_of(TWO_STEPS)
    async with database() as (ledger, queries):
        await ledger.submit(job)
        (owned,) = await ledger.claim("me", "text", 1)
        attempt = attempt_of()
        running = replace(owned.steps[0], state=StepState.RUNNING)
        done = replace(running, state=StepState.DONE, output={"text": "x"})
        await ledger.decide(Decision(fence_of(owned), steps=(running,), intents=(attempt,)))
        await ledger.decide(Decision(fence_of(owned), steps=(done,)))
        asked, _ = await asyncio.gather(
            ledger.cancel(DEFAULT_ORGANIZATION, job.id),
            ledger.decide(Decision(fence_of(owned), outcome=Release("text", 0))),
        )
        assert asked.status is JobStatus.RUNNING
        assert await ledger.claim("you", "text", 1) == []
        stored = await queries.job(DEFAULT_ORGANIZATION, job.id)
        assert (stored.status, stored.owner) == (JobStatus.CANCELED, None)
        assert stored.attempts[0].state is AttemptState.UNKNOWN


async def test_a_cancel_keeps_what_was_made(database):
    job = job_of(pipeline(text_step("a"), text_step("b"), outputs={"text": "${steps.a.text}"}))
    async with database() as (ledger, _):
        await ledger.submit(job)
        (owned,) = await ledger.claim("me", "text", 1)
        running = replace(owned.steps[0], state=StepState.RUNNING)
        await ledger.decide(Decision(fence_of(owned), steps=(running,)))
        done = replace(running, state=StepState.DONE, output={"text": "made"})
        await ledger.decide(Decision(fence_of(owned), steps=(done,), outcome=Release("text", 9_000)))
        assert (await ledger.cancel(DEFAULT_ORGANIZATION, job.id)).outputs == {"text": "made"}


async def test_a_job_of_another_version_fails_alone_and_can_be_looked_at(database, tmp_path):
    strange, good = job_of(TWO_STEPS), job_of(TWO_STEPS)
    async with database() as (ledger, queries):
        await ledger.submit(strange)
        await ledger.submit(good)
        with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection:
            connection.execute("UPDATE jobs SET plan = '{\"stages\": []}' WHERE id = ?", (strange.id,))
            connection.commit()
        assert [job.id for job in await ledger.claim("me", "text", 9)] == [good.id]
        stored = await queries.job(DEFAULT_ORGANIZATION, strange.id)
        assert (stored.status, stored.failure.code) == (JobStatus.FAILED, "unreadable-job")
        assert len(await queries.jobs(DEFAULT_ORGANIZATION, limit=9)) == 2


async def test_a_job_that_holds_words_of_another_version_hides_no_other(database, tmp_path):
    strange, good = job_of(TWO_STEPS), job_of(TWO_STEPS)
    async with database() as (ledger, queries):
        await ledger.submit(strange)
        (owned,) = await ledger.claim("me", "text", 1)
        await ledger.decide(Decision(fence_of(owned), intents=(attempt_of(),)))
        await ledger.cancel(DEFAULT_ORGANIZATION, strange.id)
        await ledger.submit(good)
        with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection:
            connection.execute("UPDATE attempts SET provider_class = 'metered'")
            connection.commit()
        assert len(await queries.jobs(DEFAULT_ORGANIZATION, limit=9)) == 2
    async with database() as (ledger, queries):
        await ledger.recover()
        assert [job.id for job in await ledger.claim("me", "text", 9)] == [good.id]
        assert (await queries.job(DEFAULT_ORGANIZATION, strange.id)).status is JobStatus.CANCELED


async def test_a_job_that_waits_for_what_does_not_exist_ends_at_the_next_start(database, tmp_path):
    job = job_of(TWO_STEPS)
    async with database() as (ledger, queries):
        await ledger.submit(job)
        with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection:
            connection.execute("UPDATE jobs SET lane = 'music'")
            connection.commit()
        await ledger.recover()
        assert (await queries.job(DEFAULT_ORGANIZATION, job.id)).status is JobStatus.FAILED


async def test_recovery_takes_jobs_from_dead_owners(database):
    job, asked = job_of(TWO_STEPS), job_of(TWO_STEPS)
    free, paid = attempt_of(provider_class=ProviderClass.REPEATABLE), attempt_of("b")
    async with database() as (ledger, _):
        await ledger.submit(job)
        await ledger.submit(asked)
        owned, to_cancel = await ledger.claim("me", "text", 2)
        await ledger.decide(Decision(fence_of(owned), intents=(attempt_of(),)))
        await ledger.decide(Decision(fence_of(to_cancel), intents=(free, paid)))
        await ledger.cancel(DEFAULT_ORGANIZATION, asked.id)
    async with database() as (ledger, queries):
        assert await ledger.recover() == 2
        stored = await queries.job(DEFAULT_ORGANIZATION, asked.id)
        assert stored.status is JobStatus.CANCELED
        assert {(one.state, one.failure) for one in stored.attempts} == {
            (AttemptState.FAILED, INTERRUPTED),
            (AttemptState.UNKNOWN, OUTCOME_UNKNOWN),
        }
        (again,) = await ledger.claim("you", "text", 9)
        assert (again.id, again.attempts[0].state) == (job.id, AttemptState.INTENDED)
        with pytest.raises(Fenced):
            await ledger.decide(Decision(fence_of(owned), outcome=Finish(JobStatus.COMPLETED)))


async def test_many_writers_at_once_lose_nothing(database, tmp_path):
    jobs = [job_of(TWO_STEPS) for _ in range(300)]
    async with database() as (ledger, queries):
        await asyncio.gather(*(ledger.submit(job) for job in jobs))
        claims = await asyncio.gather(*(ledger.claim(str(number), "text", 7) for number in range(60)))
        claimed = [job.id for claim in claims for job in claim]
        assert sorted(claimed) == sorted(job.id for job in jobs)
        assert len(await queries.jobs(DEFAULT_ORGANIZATION, limit=1000)) == 300
