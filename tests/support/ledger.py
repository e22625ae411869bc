"""What the tests of ledgers and queries share: attempts, changes and short forms of what executors do."""

from contextlib import asynccontextmanager
from dataclasses import replace

from genesis.domain.attempt import Attempt, ProviderClass
from genesis.domain.event import Event, EventType
from genesis.domain.identity import new_id
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.step import StepState
from genesis.ports.ledger import Change, Claimed, Decision, Fence
from tests.support.jobs import pipeline, text_step

TWO_STEPS = pipeline(text_step("a"), text_step("b", "${steps.a.text}"))
LEASE_IS_OVER = 60_000
"""Milliseconds after which every lease of a test is over."""


class SetClock:
    """Tells the time that a test has set."""

    def __init__(self):
        self.time = 1_000

    def now(self):
        return self.time


def attempt_of(step="a", number=1, provider_class=ProviderClass.OPAQUE, at=1_000):
    return Attempt(
        new_id(), step, number, new_id(), "one:m", provider_class, at, not_after=at + 5_000, call_deadline=at + 300_000
    )


def fence_of(job):
    return Fence(job.id, job.owner, job.epoch)


def nothing(_):
    """Begins with no change."""
    return Change()


def first_call(job, provider_class=ProviderClass.OPAQUE):
    """Begins with a call of the first step."""
    step = replace(job.steps[0], state=StepState.RUNNING, started_at=job.started_at)
    event = Event(EventType.STEP_STARTED, job.started_at, {"step": step.name})
    intent = attempt_of(step.name, provider_class=provider_class, at=job.started_at)
    return Change(steps=(step,), intents=(intent,), events=(event,))


def head_start(job, owner="me", at=1_000):
    """The same job claimed by its owner at once."""
    claimed = replace(job, owner=owner, epoch=1, status=JobStatus.RUNNING, started_at=at, wake_at=0)
    return Claimed(claimed, first_call(claimed))


async def claim_one(ledger, owner="me", lane="text", begin=nothing):
    """The one job that can be claimed, which belongs to the owner then."""
    (claimed,) = await ledger.claim(owner, lane, 1, begin)
    return claimed.job


async def decide(ledger, job, **change):
    """A decision of the job's owner."""
    await ledger.decide(Decision(fence_of(job), Change(**change)))


@asynccontextmanager
async def joined(database, *executors):
    """The opened database with executors that are alive; they neither leave nor give up a lease when it is closed."""
    async with database() as opened:
        for executor in executors or ("me",):
            await opened.ledger.join(executor)
        await opened.ledger.sweep()
        yield opened


async def stored(opened, job, organization=DEFAULT_ORGANIZATION):
    """The job as it is now."""
    return await opened.queries.job(organization, job.id)


async def types_of(opened, job, organization=DEFAULT_ORGANIZATION):
    """The types of a job's events; their numbers have no gap."""
    events = await opened.queries.events(organization, job.id, after=0, limit=1_000)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert {event.job for event in events} <= {job.id}
    return [event.event.type.value for event in events]


def ids(claims):
    return [claim.job.id for claim in claims]
