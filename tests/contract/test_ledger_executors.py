"""Executors: leases, takeover after a death, suspects, and what is given back."""

import pytest

from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.errors import Fenced
from genesis.ports.ledger import Finish, Release
from tests.support.jobs import job_of, pipeline, text_step
from tests.support.ledger import (
    LEASE_IS_OVER,
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


async def die(database, clock, owner, *, times=1, alone=False):
    """Lets executors die, one after another, while they run what they can claim; returns what they ran."""
    ran = []
    for number in range(times):
        async with joined(database, f"{owner}{number}") as opened:
            if alone:
                ran.append(ids(await opened.ledger.claim_suspects(f"{owner}{number}", nothing)))
            else:
                ran.append(ids(await opened.ledger.claim(f"{owner}{number}", "text", 9, nothing)))
        clock.time += LEASE_IS_OVER
    return ran


async def test_jobs_of_the_dead_go_on_and_the_dead_decide_nothing(database, clock):
    job, asked = job_of(TWO_STEPS), job_of(TWO_STEPS)
    async with joined(database) as opened:
        await opened.ledger.submit(job)
        await opened.ledger.submit(asked)
        owned, to_cancel = [claim.job for claim in await opened.ledger.claim("me", "text", 2, first_call)]
        await opened.ledger.cancel(DEFAULT_ORGANIZATION, to_cancel.id)
    clock.time += LEASE_IS_OVER
    async with joined(database, "you") as opened:
        assert not await opened.ledger.heartbeat("me")
        assert (await stored(opened, asked)).status is JobStatus.CANCELED
        assert (await types_of(opened, asked))[-1] == "job-canceled"
        again = await claim_one(opened.ledger, "you")
        assert (again.id, again.crash_count) == (job.id, 1)
        assert again.epoch > owned.epoch
        assert len(again.attempts) == 1
        with pytest.raises(Fenced):
            await decide(opened.ledger, owned, outcome=Finish(JobStatus.COMPLETED))
        assert await opened.ledger.claim("me", "text", 9, nothing) == []
        assert await types_of(opened, job) == ["job-queued", "job-started", "step-started"]


async def test_a_sign_of_life_keeps_the_jobs(database, clock):
    async with joined(database) as opened:
        await opened.ledger.submit(job_of(TWO_STEPS))
        job = await claim_one(opened.ledger)
        for _ in range(6):
            clock.time += 10_000
            assert await opened.ledger.heartbeat("me")
            assert await opened.ledger.sweep() == 0
        assert await stored(opened, job) == job


async def test_a_lease_that_is_over_is_over_where_several_may_work(database, clock):
    async with joined(database) as opened:
        await opened.ledger.submit(job_of(TWO_STEPS))
        job = await claim_one(opened.ledger)
        clock.time += LEASE_IS_OVER
        lost = await opened.ledger.sweep()
        found = await stored(opened, job)
        if opened.ledger.exclusive:
            assert (lost, found.owner) == (0, "me")
        else:
            assert (lost, found.owner, found.crash_count) == (1, None, 1)
            assert not await opened.ledger.heartbeat("me")


async def test_who_leaves_is_not_blamed(database):
    async with joined(database, "me", "you") as opened:
        await opened.ledger.submit(job_of(TWO_STEPS))
        job = await claim_one(opened.ledger)
        await opened.ledger.leave("me")
        assert not await opened.ledger.heartbeat("me")
        again = await claim_one(opened.ledger, "you")
        assert (again.id, again.crash_count) == (job.id, 0)
    async with joined(database, "them") as opened:
        assert not await opened.ledger.heartbeat("me")


async def test_a_job_on_which_two_have_died_runs_apart_from_others(database, clock):
    bad, good = job_of(TWO_STEPS), job_of(TWO_STEPS)
    async with joined(database, "first") as opened:
        await opened.ledger.submit(bad)
        assert not await opened.queries.has_suspects()
    assert await die(database, clock, "a", times=2) == [[bad.id]] * 2
    async with joined(database, "me", "busy") as opened:
        assert await opened.queries.has_suspects()
        await opened.ledger.submit(good)
        assert ids(await opened.ledger.claim("busy", "text", 9, nothing)) == [good.id]
        assert await opened.ledger.claim_suspects("busy", nothing) == [], "others run there"
        assert await opened.ledger.claim_suspects("unheard-of", nothing) == []
        (claim,) = await opened.ledger.claim_suspects("me", first_call)
        assert (claim.job.id, claim.job.crash_count, claim.job.owner) == (bad.id, 2, "me")
        assert (await stored(opened, bad)).attempts == claim.change.intents
        assert not await opened.queries.has_suspects()
        assert await opened.ledger.claim_suspects("me", nothing) == []
        await decide(opened.ledger, claim.job, outcome=Finish(JobStatus.COMPLETED))
        assert (await stored(opened, bad)).status is JobStatus.COMPLETED


async def test_a_job_that_kills_three_alone_is_parked(database, clock):
    bad = job_of(TWO_STEPS)
    async with joined(database, "first") as opened:
        await opened.ledger.submit(bad)
    await die(database, clock, "a", times=2)
    assert await die(database, clock, "b", times=3, alone=True) == [[bad.id]] * 3
    async with joined(database) as opened:
        found = await stored(opened, bad)
        assert (found.status, found.failure.code, found.owner) == (JobStatus.FAILED, "poisoned", None)
        assert await opened.ledger.claim_suspects("me", nothing) == []
        assert (await types_of(opened, bad))[-1] == "job-failed"
        await opened.ledger.retry(DEFAULT_ORGANIZATION, bad.id, resend=False)
        assert (await claim_one(opened.ledger)).id == bad.id, "a person has answered for it"
    clock.time += LEASE_IS_OVER
    assert await die(database, clock, "c", times=2) == [[bad.id], []]


async def test_a_drain_in_between_does_not_count(database, clock):
    bad = job_of(TWO_STEPS)
    async with joined(database, "first") as opened:
        await opened.ledger.submit(bad)
    await die(database, clock, "a", times=2)
    await die(database, clock, "b", times=2, alone=True)
    async with joined(database, "calm") as opened:
        await opened.ledger.claim_suspects("calm", nothing)
        await opened.ledger.leave("calm")
        found = await stored(opened, bad)
        assert (found.status, found.crash_count) == (JobStatus.RUNNING, 4)


async def test_suspects_of_all_lanes_run_together(database, clock):
    first, second = job_of("text_to_speech"), job_of(TWO_STEPS)
    async with joined(database, "first") as opened:
        await opened.ledger.submit(first)
        await opened.ledger.submit(second)
    for number in range(2):
        async with joined(database, f"a{number}") as opened:
            for lane in ("text", "speech"):
                assert len(await opened.ledger.claim(f"a{number}", lane, 9, nothing)) == 1
        clock.time += LEASE_IS_OVER
    async with joined(database) as opened:
        assert ids(await opened.ledger.claim_suspects("me", nothing)) == [first.id, second.id]


async def test_groups_of_suspects_become_smaller_until_one_is_parked(database, clock):
    jobs = [job_of(TWO_STEPS) for _ in range(18)]
    async with joined(database, "first") as opened:
        for job in jobs:
            await opened.ledger.submit(job)
    for number in range(2):
        async with joined(database, f"a{number}") as opened:
            assert len(await opened.ledger.claim(f"a{number}", "text", 18, nothing)) == 18
        clock.time += LEASE_IS_OVER
    bad, groups = jobs[0].id, []
    for number in range(5):  # each of which dies
        async with joined(database, f"b{number}") as opened:
            groups.append(ids(await opened.ledger.claim_suspects(f"b{number}", nothing)))
        clock.time += LEASE_IS_OVER
    assert [len(group) for group in groups] == [16, 4, 1, 1, 1]
    assert all(group[0] == bad for group in groups)
    async with joined(database) as opened:
        assert (await stored(opened, jobs[0])).failure.code == "poisoned"
        assert not any([(await stored(opened, job)).failure for job in jobs[1:]]), "none of them was alone"
        assert len(await opened.ledger.claim_suspects("me", nothing)) == 1, "the second one has been in a group of four"


async def test_suspects_keep_to_the_limit_of_their_organization(database, clock):
    async with joined(database, "first") as opened:
        for _ in range(4):
            await opened.ledger.submit(job_of(TWO_STEPS))
    for number in range(2):
        async with joined(database, f"a{number}") as opened:
            assert len(await opened.ledger.claim(f"a{number}", "text", 9, nothing)) == 4
        clock.time += LEASE_IS_OVER
    await database.execute("UPDATE organizations SET max_running = 3 RETURNING id")
    async with joined(database) as opened:
        assert len(await opened.ledger.claim_suspects("me", nothing)) == 3


async def test_a_suspect_that_cannot_be_read_fails(database, clock):
    strange = job_of(pipeline(text_step("odd")))
    async with joined(database, "first") as opened:
        await opened.ledger.submit(strange)
    await die(database, clock, "a", times=2)
    await database.execute("UPDATE plans SET document = '[]' RETURNING digest")
    async with joined(database) as opened:
        assert await opened.ledger.claim_suspects("me", nothing) == []
        assert (await stored(opened, strange)).failure.code == "unreadable-job"


async def test_what_an_executor_does_not_run_is_given_back(database):
    async with joined(database, "me", "you") as opened:
        for _ in range(3):
            await opened.ledger.submit(job_of(TWO_STEPS))
        mine, orphan = [claim.job for claim in await opened.ledger.claim("me", "text", 2, nothing)]
        yours = await claim_one(opened.ledger, "you")
        assert await opened.ledger.disown("me", [mine.id]) == 1
        assert await stored(opened, mine) == mine
        assert await stored(opened, yours) == yours
        again = await claim_one(opened.ledger, "you")
        assert (again.id, again.crash_count) == (orphan.id, 0)
        assert await opened.ledger.disown("me", [mine.id]) == 0
        assert await opened.ledger.disown("you", []) == 2


async def test_sleepers_are_looked_at_anew_after_a_restart_unless_they_have_not_begun(database, clock):
    async with joined(database) as opened:
        await opened.ledger.submit(job_of(TWO_STEPS, wake_at=500_000))
        await opened.ledger.submit(job_of(TWO_STEPS))
        job = await claim_one(opened.ledger)
        await decide(opened.ledger, job, intents=(attempt_of(),), outcome=Release("text", 600_000))
    clock.time += LEASE_IS_OVER
    async with joined(database, "you") as opened:
        claimed = await opened.ledger.claim("you", "text", 9, nothing)
        assert ids(claimed) == [job.id]
        assert await opened.queries.next_wake() == 500_000


async def test_the_executors_that_live_are_counted(database, clock):
    async with database() as opened:
        assert await opened.queries.live_executors() == 0
        await opened.ledger.join("gone")
        await opened.ledger.join("me")
        assert await opened.queries.live_executors() == 2
        await opened.ledger.leave("gone")
        assert await opened.queries.live_executors() == 1
    clock.time += LEASE_IS_OVER
    async with database() as opened:
        assert await opened.queries.live_executors() == 0


async def test_executors_that_ended_a_day_ago_are_forgotten(database, clock):
    async with joined(database, "gone") as opened:
        await opened.ledger.leave("gone")
    async with joined(database, "dead"):
        pass
    clock.time += LEASE_IS_OVER
    async with joined(database, "lately"):
        assert await executors_of(database) == ["dead", "gone", "lately"]
    clock.time += 24 * 3_600_000
    async with joined(database):
        assert await executors_of(database) == ["lately", "me"]


async def executors_of(database):
    return sorted(executor for (executor,) in await database.execute("SELECT id FROM executors"))
