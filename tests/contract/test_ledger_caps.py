"""Organizations that may run only so many jobs at once: whoever waited for a place is told of it at once."""

import pytest

from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.ports.ledger import Finish, Release
from genesis.ports.signals import WorkQueued
from tests.support.jobs import job_of
from tests.support.ledger import TWO_STEPS, decide, head_start, joined, nothing


@pytest.fixture
async def waiting(database, organization):
    """A ledger where `small` runs one job and has one more waiting in another lane; that job, and the lanes hinted at."""
    await organization("small", max_running=1)
    async with joined(database) as opened:
        await opened.ledger.submit(job_of(TWO_STEPS, organization="small"))
        (claimed,) = await opened.ledger.claim("me", "text", 9, nothing)
        await opened.ledger.submit(job_of(TWO_STEPS, organization="small", lane="image"))
        assert await opened.ledger.claim("me", "image", 9, nothing) == []
        lanes = []
        opened.signals.listen(lambda signal: lanes.append(signal.lane) if isinstance(signal, WorkQueued) else None)
        yield opened, claimed.job, lanes


async def test_the_end_of_a_job_hints_at_those_that_waited_for_it(waiting):
    opened, job, lanes = waiting
    await decide(opened.ledger, job, outcome=Finish(JobStatus.COMPLETED))
    assert lanes == ["image"]
    assert len(await opened.ledger.claim("me", "image", 9, nothing)) == 1


async def test_a_job_that_backs_off_makes_room(waiting):
    opened, job, lanes = waiting
    await decide(opened.ledger, job, outcome=Release("text", 9_999_999))
    assert lanes == ["image"]


@pytest.mark.parametrize("how", ["leave", "disown"])
async def test_so_does_an_executor_that_lets_go(waiting, how):
    opened, _, lanes = waiting
    await (opened.ledger.leave("me") if how == "leave" else opened.ledger.disown("me", []))
    assert sorted(lanes) == ["image", "text"]


async def test_a_decision_that_keeps_the_place_hints_at_nothing(waiting):
    opened, job, lanes = waiting
    await decide(opened.ledger, job)
    assert lanes == []


async def test_those_without_a_limit_are_not_hinted_at_again(database):
    async with joined(database) as opened:
        job = job_of(TWO_STEPS)
        assert (await opened.ledger.submit(job, head_start=head_start(job))).job.owner == "me"
        await opened.ledger.submit(job_of(TWO_STEPS, lane="image"))
        heard = []
        opened.signals.listen(heard.append)
        await decide(opened.ledger, head_start(job).job, outcome=Finish(JobStatus.COMPLETED))
        assert not any(isinstance(signal, WorkQueued) for signal in heard)


async def test_how_much_room_an_organization_has(waiting):
    opened, job, _ = waiting
    assert await opened.queries.room("small") == (1, 0)
    await decide(opened.ledger, job, outcome=Finish(JobStatus.COMPLETED))
    assert await opened.queries.room("small") == (1, 1)
    assert await opened.queries.room(DEFAULT_ORGANIZATION) == (None, None)
    assert await opened.queries.room("unheard-of") == (None, None)
