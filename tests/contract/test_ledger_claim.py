"""Claims: who gets which job, and in which order."""

import asyncio
from dataclasses import replace

import pytest

from genesis.domain.identity import new_id
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.step import StepState
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


async def submit(opened, count=1, **changes):
    """Jobs, oldest first."""
    jobs = [job_of(TWO_STEPS, **changes) for _ in range(count)]
    for job in jobs:
        await opened.ledger.submit(job)
    return [job.id for job in jobs]


async def test_a_claim_takes_the_oldest_waiting_jobs_of_its_lane_once(database):
    async with joined(database, "me", "you") as opened:
        jobs = await submit(opened, 3)
        other = job_of("text_to_speech")
        await opened.ledger.submit(other)
        claimed = await opened.ledger.claim("me", "text", 2, nothing)
        assert ids(claimed) == jobs[:2]
        assert {(one.job.status, one.job.owner, one.job.epoch, one.job.started_at) for one in claimed} == {
            (JobStatus.RUNNING, "me", 1, 1_000)
        }
        assert await stored(opened, claimed[0].job) == claimed[0].job
        assert ids(await opened.ledger.claim("you", "text", 9, nothing)) == jobs[2:]
        assert await opened.ledger.claim("you", "text", 9, nothing) == []
        assert ids(await opened.ledger.claim("you", "speech", 9, nothing)) == [other.id]


async def test_what_a_job_begins_with_is_written_with_the_claim(database):
    async with joined(database) as opened:
        await submit(opened, 2)
        claims = await opened.ledger.claim("me", "text", 2, first_call)
        for claim in claims:
            assert claim.job.attempts == ()
            job = await stored(opened, claim.job)
            assert job.attempts == claim.change.intents
            assert job.steps[0] == claim.change.steps[0]
            assert await types_of(opened, job) == ["job-queued", "job-started", "step-started"]


async def test_a_job_that_goes_on_has_started_once(database, clock):
    async with joined(database) as opened:
        await submit(opened)
        job = await claim_one(opened.ledger)
        await decide(opened.ledger, job, outcome=Release("text", 0))
        clock.time = 5_000
        again = await claim_one(opened.ledger)
        assert (again.started_at, again.epoch) == (1_000, job.epoch + 2)
        assert await types_of(opened, job) == ["job-queued", "job-started"]


async def test_higher_priorities_go_first_and_older_ones_within_them(database):
    async with joined(database) as opened:
        low, usual, high = [await submit(opened, 2, priority=priority) for priority in (-5, 0, 7)]
        claimed = await opened.ledger.claim("me", "text", 5, nothing)
        assert ids(claimed) == [*high, *usual, low[0]]


async def test_a_claim_waits_for_wake_at(database, clock):
    async with joined(database) as opened:
        (job,) = await submit(opened, wake_at=5_000)
        assert await opened.ledger.claim("me", "text", 1, nothing) == []
        assert await opened.queries.next_wake() == 5_000
        clock.time = 5_000
        claimed = await claim_one(opened.ledger)
        assert (claimed.id, claimed.wake_at) == (job, 0)
        assert await opened.queries.next_wake() is None


async def test_a_claim_wakes_other_lanes_as_well(database, clock):
    async with joined(database) as opened:
        await submit(opened, wake_at=5_000)
        clock.time = 6_000
        assert await opened.ledger.claim("me", "speech", 1, nothing) == []
        assert await opened.queries.next_wake() is None
        assert len(await opened.ledger.claim("me", "text", 1, nothing)) == 1


async def test_only_the_living_claim(database):
    async with joined(database, "me", "gone") as opened:
        await submit(opened)
        await opened.ledger.leave("gone")
        assert await opened.ledger.claim("gone", "text", 1, nothing) == []
        assert await opened.ledger.claim("unheard-of", "text", 1, nothing) == []
        assert len(await opened.ledger.claim("me", "text", 1, nothing)) == 1


async def test_what_is_too_late_is_not_begun(database, clock):
    async with joined(database) as opened:
        await submit(opened, start_by=2_000)
        await submit(opened, finish_by=2_000)
        (started,) = await submit(opened, start_by=2_000, priority=1)
        job = await claim_one(opened.ledger)
        assert job.id == started
        await decide(opened.ledger, job, outcome=Release("text", 0))
        clock.time = 2_000
        assert ids(await opened.ledger.claim("me", "text", 9, nothing)) == [started]


async def test_organizations_take_turns(database, organization):
    await organization("late")
    async with joined(database) as opened:
        await submit(opened, 20)
        assert len(await opened.ledger.claim("me", "text", 5, nothing)) == 5
        await submit(opened, 3, organization="late")
        turns = [(await claim_one(opened.ledger)).organization for _ in range(8)]
        assert turns.count("late") == 3
        assert turns.index("late") < 2
        assert turns[-2:] == [DEFAULT_ORGANIZATION] * 2
        batch = await opened.ledger.claim("me", "text", 3, nothing)
        assert {claim.job.organization for claim in batch} == {DEFAULT_ORGANIZATION}


async def test_idling_earns_no_credit(database, organization):
    await organization("idle")
    async with joined(database) as opened:
        await submit(opened, 40)
        await submit(opened, 1, organization="idle")
        await opened.ledger.claim("me", "text", 20, nothing)
        await submit(opened, 20, organization="idle")
        claimed = await opened.ledger.claim("me", "text", 10, nothing)
        assert [claim.job.organization for claim in claimed].count("idle") == 5


@pytest.mark.parametrize("portion", [1, 5, 20])
async def test_shares_follow_weights(database, organization, portion):
    await organization("heavy", weight=3.0)
    async with joined(database) as opened:
        await submit(opened, 20)
        await submit(opened, 20, organization="heavy")
        claimed = []
        while len(claimed) < 20:
            claimed += await opened.ledger.claim("me", "text", portion, nothing)
        assert 14 <= [claim.job.organization for claim in claimed].count("heavy") <= 16


async def test_priority_orders_within_an_organization_only(database, organization):
    await organization("pushy")
    async with joined(database) as opened:
        await submit(opened, 4)
        await submit(opened, 4, organization="pushy", priority=100)
        claimed = await opened.ledger.claim("me", "text", 4, nothing)
        assert [claim.job.organization for claim in claimed].count("pushy") == 2


async def test_an_organization_runs_as_many_as_it_may(database, organization):
    await organization("small", max_running=2)
    async with joined(database) as opened:
        await submit(opened, 5, organization="small")
        (claimed, *_) = await opened.ledger.claim("me", "text", 9, nothing)
        assert await opened.ledger.claim("me", "text", 9, nothing) == []
        await decide(opened.ledger, claimed.job, outcome=Finish(JobStatus.COMPLETED))
        assert len(await opened.ledger.claim("me", "text", 9, nothing)) == 1


async def test_those_who_may_not_run_more_stand_in_nobodys_way(database, organization):
    for number in range(20):
        await organization(f"a{number:02}", max_running=0)
    await organization("z")
    async with joined(database) as opened:
        for number in range(20):
            await submit(opened, organization=f"a{number:02}")
        (job,) = await submit(opened, organization="z")
        assert ids(await opened.ledger.claim("me", "text", 9, nothing)) == [job]


async def test_every_one_of_many_organizations_gets_its_turn(database, organization):
    names = [await organization(f"o{number:02}") for number in range(40)]
    async with joined(database) as opened:
        for name in names:
            await submit(opened, 2, organization=name)
        seen = []
        for _ in range(8):
            seen += await opened.ledger.claim("me", "text", 5, nothing)
        assert sorted(claim.job.organization for claim in seen) == names


async def test_many_claims_at_once_lose_nothing(database):
    jobs = [job_of(TWO_STEPS) for _ in range(300)]
    owners = [f"e{number}" for number in range(4)]
    async with joined(database, *owners) as opened:
        await asyncio.gather(*(opened.ledger.submit(job) for job in jobs))
        claims = []
        while len(claims) < 300:
            asked = (opened.ledger.claim(owner, "text", 7, first_call) for owner in owners * 3)
            claims += [claim for found in await asyncio.gather(*asked) for claim in found]
        assert sorted(ids(claims)) == sorted(job.id for job in jobs)
        assert len((await opened.queries.jobs(DEFAULT_ORGANIZATION, limit=1_000)).jobs) == 300


async def test_a_job_of_another_version_fails_alone_and_can_be_looked_at(database):
    strange, good = job_of(pipeline(text_step("odd"))), job_of(TWO_STEPS)
    async with database() as opened:
        await opened.ledger.submit(strange)
        await opened.ledger.submit(good)
    await database.execute(
        f"UPDATE plans SET document = '{{\"stages\": []}}' WHERE digest = "
        f"(SELECT plan FROM jobs WHERE id = '{strange.id}') RETURNING digest"
    )
    async with joined(database) as opened:
        assert ids(await opened.ledger.claim("me", "text", 1, nothing)) == [good.id]
        found = await stored(opened, strange)
        assert (found.status, found.failure.code) == (JobStatus.FAILED, "unreadable-job")
        assert await types_of(opened, strange) == ["job-queued", "job-failed"]
        assert len((await opened.queries.jobs(DEFAULT_ORGANIZATION, limit=9)).jobs) == 2


async def test_a_job_that_holds_words_of_another_version_hides_no_other(database):
    strange, good = job_of(TWO_STEPS), job_of(TWO_STEPS)
    async with joined(database) as opened:
        await opened.ledger.submit(strange)
        owned = await claim_one(opened.ledger)
        await decide(opened.ledger, owned, intents=(attempt_of(),), outcome=Release("text", 0))
        await opened.ledger.submit(good)
        await database.execute("UPDATE attempts SET provider_class = 'metered' RETURNING id")
        assert len((await opened.queries.jobs(DEFAULT_ORGANIZATION, limit=9)).jobs) == 2
        assert ids(await opened.ledger.claim("me", "text", 9, nothing)) == [good.id]
        assert (await stored(opened, strange)).status is JobStatus.FAILED


async def test_the_position_counts_who_is_claimed_before(database, organization, clock):
    await organization("other")
    async with joined(database) as opened:
        await submit(opened, 3, organization="other")
        await opened.ledger.submit(job_of("text_to_speech"))
        older = await submit(opened, 2)
        await submit(opened, wake_at=9_000)
        (asked,) = await submit(opened)
        await submit(opened)
        (urgent,) = await submit(opened, priority=1)
        job = await opened.queries.job(DEFAULT_ORGANIZATION, asked)
        assert await opened.queries.position(job, limit=100) == 3
        assert await opened.queries.position(job, limit=2) == 2
        first = await opened.queries.job(DEFAULT_ORGANIZATION, urgent)
        assert await opened.queries.position(first, limit=100) == 0
        second = replace(first, id=older[0], priority=0)
        assert await opened.queries.position(second, limit=100) == 1


async def test_a_claim_of_nothing_changes_nothing(database):
    async with joined(database) as opened:
        await submit(opened)
        assert await opened.ledger.claim("me", "text", 0, nothing) == []
        assert await opened.ledger.claim("me", new_id(), 5, nothing) == []
        job = await claim_one(opened.ledger)
        assert job.steps[0].state is StepState.WAITING
