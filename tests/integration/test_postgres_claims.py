"""Claims of several processes at once."""

import asyncio

import pytest

from genesis.database.postgres import claiming
from genesis.database.postgres.open import open_postgres
from genesis.domain.attempt import AttemptState
from genesis.ports.ledger import Change, Decision, Release
from tests.support.jobs import job_of
from tests.support.ledger import TWO_STEPS, fence_of, first_call, nothing
from tests.support.postgres import postgres_url

_SLEEP = "WITH slow AS MATERIALIZED (SELECT pg_sleep(1.0)), taken AS ("


@pytest.mark.parametrize("begin", [first_call, nothing])
async def test_a_claim_that_takes_long_takes_no_old_version_of_a_job(monkeypatch, begin):
    """The job is run and given back by another process while the statement of a busy server locks it."""
    url = await asyncio.to_thread(postgres_url)
    async with open_postgres(url, lease_seconds=15) as one, open_postgres(url, lease_seconds=15) as other:
        await one.ledger.join("one")
        await other.ledger.join("other")
        job = (await one.ledger.submit(job_of(TWO_STEPS, wake_at=0, now=one.clock.now()))).job
        quick = claiming._TAKE
        slow = quick.replace("WITH taken AS (", _SLEEP, 1).replace("FROM unnest(", "FROM slow CROSS JOIN unnest(", 1)
        assert slow.count("slow") == 2
        monkeypatch.setattr(claiming, "_TAKE", slow)
        claiming_slowly = asyncio.create_task(one.ledger.claim("one", "text", 1, _only_if_new(begin)))
        await asyncio.sleep(0.4)
        monkeypatch.setattr(claiming, "_TAKE", quick)
        (claimed,) = await other.ledger.claim("other", "text", 1, first_call)
        await other.ledger.decide(Decision(fence_of(claimed.job), Change(outcome=Release("text", 0))))
        (taken,) = await claiming_slowly
        stored = await one.queries.job(job.organization, job.id)
    assert (taken.job.owner, taken.job.epoch) == ("one", 3)
    assert (stored.owner, stored.epoch) == ("one", 3)
    assert [attempt.state for attempt in taken.job.attempts] == [AttemptState.INTENDED]


def _only_if_new(begin):
    return lambda job: Change() if job.attempts else begin(job)
