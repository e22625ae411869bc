"""The log of events, the feed of an organization, and the hints that go with them."""

import asyncio

import pytest

from genesis.domain.batch import Batch
from genesis.domain.event import Event, EventType
from genesis.domain.identity import new_id
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.errors import Fenced, InvalidRequest, NotFound
from genesis.ports.ledger import Finish, Release
from genesis.ports.signals import CancelRequested, JobChanged, TextDelta, WorkDue, WorkQueued
from tests.support.jobs import job_of
from tests.support.ledger import TWO_STEPS, claim_one, decide, first_call, head_start, joined, nothing


async def whole_feed(queries, organization=DEFAULT_ORGANIZATION, *, after=None, portion=7):
    """All events of an organization, read in portions."""
    found = []
    while events := await queries.feed(organization, after=after, limit=portion):
        found += events
        after = events[-1].cursor
    return found


@pytest.fixture
async def listening(database):
    """The opened database with an executor, and the hints that it has sent."""
    async with joined(database) as opened:
        heard = []
        end = opened.signals.listen(heard.append)
        yield opened, heard
        end()


async def heard_after(heard, expected):
    """Waits until the hints that are expected have been heard, and returns all others of their kinds."""
    async with asyncio.timeout(10):
        while not expected <= set(heard):
            await asyncio.sleep(0.005)
    kinds = {type(signal) for signal in expected}
    return {signal for signal in heard if type(signal) in kinds} - expected


async def test_why_steps_were_put_off_last(database):
    def retried(step, number):
        return Event(EventType.STEP_RETRIED, number, {"step": step, "code": f"ünit-{number}", "retry_at": number})

    async with joined(database) as opened:
        for _ in range(3):
            await opened.ledger.submit(job_of(TWO_STEPS))
        first, second, _ = [await claim_one(opened.ledger, begin=first_call) for _ in range(3)]
        await decide(opened.ledger, first, events=(retried("a", 9), retried("b", 8)))
        await decide(opened.ledger, second, events=(retried("b", 7),))
        await decide(opened.ledger, first, events=(retried("b", 6), Event(EventType.STEP_FAILED, 99, {"step": "b"})))
        last_retries = opened.queries.last_retries
        assert await last_retries([first.id]) == {first.id: {"a": retried("a", 9), "b": retried("b", 6)}}
        assert await last_retries({first.id, second.id, new_id()}) == {
            first.id: {"a": retried("a", 9), "b": retried("b", 6)},
            second.id: {"b": retried("b", 7)},
        }


async def test_events_of_a_job_are_read_on_from_any_of_them(database):
    async with joined(database) as opened:
        await opened.ledger.submit(job_of(TWO_STEPS))
        job = await claim_one(opened.ledger, begin=first_call)
        event = Event(EventType.STEP_COMPLETED, 1_234, {"step": "a", "target": "ünit:m"})
        await decide(opened.ledger, job, events=(event,))
        events = await opened.queries.events(DEFAULT_ORGANIZATION, job.id, after=0, limit=9)
        assert [recorded.seq for recorded in events] == [1, 2, 3, 4]
        assert events[3].event == event
        assert await opened.queries.events(DEFAULT_ORGANIZATION, job.id, after=1, limit=2) == events[1:3]
        assert await opened.queries.events(DEFAULT_ORGANIZATION, job.id, after=4, limit=9) == []
        with pytest.raises(NotFound):
            await opened.queries.events(DEFAULT_ORGANIZATION, new_id(), after=0, limit=9)
        with pytest.raises(NotFound):
            await opened.queries.events(new_id(), job.id, after=9, limit=9)


async def test_the_feed_has_every_event_once_in_one_order(database, organization):
    await organization("other")
    async with joined(database) as opened:
        jobs = [job_of(TWO_STEPS) for _ in range(20)]
        await asyncio.gather(*(opened.ledger.submit(job) for job in jobs))
        await opened.ledger.submit(job_of(TWO_STEPS, organization="other"))
        claims = await opened.ledger.claim("me", "text", 21, first_call)
        finish = {"outcome": Finish(JobStatus.COMPLETED), "events": (Event(EventType.JOB_COMPLETED, 1_000),)}
        await asyncio.gather(*(decide(opened.ledger, claim.job, **finish) for claim in claims))
        feed = await whole_feed(opened.queries)
        assert len(feed) == len({(event.job, event.seq) for event in feed}) == 80
        assert {event.job for event in feed} == {job.id for job in jobs}
        for job in jobs:
            assert [event for event in feed if event.job == job.id] == await opened.queries.events(
                DEFAULT_ORGANIZATION, job.id, after=0, limit=99
            )
        assert await whole_feed(opened.queries, portion=3) == feed
        middle = feed[41]
        assert await whole_feed(opened.queries, after=middle.cursor) == feed[42:]
        assert len(await whole_feed(opened.queries, "other")) == 4
    async with database() as opened:
        assert await whole_feed(opened.queries) == feed


async def test_a_place_behind_all_that_was_written_is_refused(database):
    async with joined(database) as opened:
        await opened.ledger.submit(job_of(TWO_STEPS))
        first, dash, second = (await opened.queries.feed_end(DEFAULT_ORGANIZATION)).partition("-")
        with pytest.raises(InvalidRequest, match="no place"):
            await opened.queries.feed(DEFAULT_ORGANIZATION, after=f"{int(first) + 1000}{dash}{second}", limit=9)


async def test_the_end_of_the_feed_is_where_the_next_events_come(database, organization):
    await organization("other")
    async with joined(database) as opened:
        beginning = await opened.queries.feed_end(DEFAULT_ORGANIZATION)
        assert await opened.queries.feed(DEFAULT_ORGANIZATION, after=beginning, limit=9) == []
        await opened.ledger.submit(job_of(TWO_STEPS))
        await opened.ledger.submit(job_of(TWO_STEPS, organization="other"))
        end = await opened.queries.feed_end(DEFAULT_ORGANIZATION)
        assert await opened.queries.feed(DEFAULT_ORGANIZATION, after=end, limit=9) == []
        await claim_one(opened.ledger)
        (event,) = await opened.queries.feed(DEFAULT_ORGANIZATION, after=end, limit=9)
        assert event.event.type == "job-started"
        assert len(await whole_feed(opened.queries, after=beginning)) == 2


async def test_a_place_in_the_feed_is_one_of_this_organization(database, organization):
    await organization("other")
    async with joined(database) as opened:
        await opened.ledger.submit(job_of(TWO_STEPS, organization="other"))
        await opened.ledger.submit(job_of(TWO_STEPS))
        others = await opened.queries.feed_end("other")
        with pytest.raises(InvalidRequest, match="no place"):
            await opened.queries.feed(DEFAULT_ORGANIZATION, after=others, limit=9)


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1; DROP TABLE events", "9" * 40, "²", "1.5"])
async def test_a_place_that_the_feed_has_not_named_is_refused(database, cursor):
    async with database() as opened:
        with pytest.raises(InvalidRequest, match="feed"):
            await opened.queries.feed(DEFAULT_ORGANIZATION, after=cursor, limit=9)


async def test_a_reader_misses_nothing_while_others_write(database):
    async with joined(database) as opened:
        seen = []
        done = asyncio.Event()

        async def follow():
            after = None
            while not done.is_set() or len(seen) < 100:
                events = await opened.queries.feed(DEFAULT_ORGANIZATION, after=after, limit=9)
                seen.extend(events)
                after = events[-1].cursor if events else after

        async with asyncio.timeout(60):
            reading = asyncio.create_task(follow())
            await asyncio.gather(*(opened.ledger.submit(job_of(TWO_STEPS)) for _ in range(100)))
            done.set()
            await reading
        assert len({event.job for event in seen}) == len(seen) == 100


async def test_new_work_is_hinted_at(listening):
    opened, heard = listening
    job = (await opened.ledger.submit(job_of("text_to_speech"))).job
    assert not await heard_after(heard, {JobChanged(DEFAULT_ORGANIZATION, job.id), WorkQueued("speech")})


async def test_what_sleeps_or_has_begun_is_no_new_work(listening):
    opened, heard = listening
    sleeping, begun = job_of("text_to_speech", wake_at=9_000), job_of(TWO_STEPS)
    await opened.ledger.submit(sleeping)
    await opened.ledger.submit(begun, head_start=head_start(begun))
    expected = {JobChanged(DEFAULT_ORGANIZATION, sleeping.id), JobChanged(DEFAULT_ORGANIZATION, begun.id)}
    await heard_after(heard, expected | {WorkDue(9_000)})
    assert not [signal for signal in heard if isinstance(signal, WorkQueued)]


async def test_what_is_due_first_is_hinted_at(listening):
    opened, heard = listening
    jobs = [job_of(TWO_STEPS, start_by=8_000, finish_by=7_000), job_of(TWO_STEPS, wake_at=6_000)]
    await opened.ledger.submit_batch(Batch(new_id(), DEFAULT_ORGANIZATION, 1_000, 2), jobs)
    assert WorkDue(7_000) not in await heard_after(heard, {WorkDue(6_000)})
    job = await claim_one(opened.ledger)
    await decide(opened.ledger, job, outcome=Release("text", 5_000))
    await heard_after(heard, {WorkDue(5_000)})


async def test_what_is_due_of_a_job_that_runs_is_known_where_it_runs(listening):
    opened, heard = listening
    begun = job_of(TWO_STEPS, finish_by=7_000)
    await opened.ledger.submit(begun, head_start=head_start(begun))
    await heard_after(heard, {JobChanged(DEFAULT_ORGANIZATION, begun.id)})
    assert not [signal for signal in heard if isinstance(signal, WorkDue)]


@pytest.mark.parametrize("by", ["claim", "sweep"])
async def test_those_who_wake_are_hinted_at(listening, clock, by):
    opened, heard = listening
    await opened.ledger.submit(job_of("text_to_speech", wake_at=5_000))
    clock.time = 5_000
    if by == "claim":
        await opened.ledger.claim("me", "text", 1, nothing)
    else:
        await opened.ledger.sweep()
    await heard_after(heard, {WorkQueued("speech")})
    assert await opened.queries.next_wake() is None


async def test_a_release_and_a_retry_are_hinted_at(listening):
    opened, heard = listening
    await opened.ledger.submit(job_of(TWO_STEPS))
    job = await claim_one(opened.ledger)
    heard.clear()
    await decide(opened.ledger, job, outcome=Release("speech", 0))
    await heard_after(heard, {WorkQueued("speech")})
    await opened.ledger.cancel(DEFAULT_ORGANIZATION, job.id)
    heard.clear()
    await opened.ledger.retry(DEFAULT_ORGANIZATION, job.id, resend=False)
    await heard_after(heard, {WorkQueued("text"), JobChanged(DEFAULT_ORGANIZATION, job.id)})


async def test_the_owner_is_asked_to_cancel(listening):
    opened, heard = listening
    await opened.ledger.submit(job_of(TWO_STEPS))
    job = await claim_one(opened.ledger)
    await opened.ledger.cancel(DEFAULT_ORGANIZATION, job.id)
    assert not await heard_after(heard, {CancelRequested(job.id)})


async def test_what_is_refused_is_not_hinted_at(listening):
    opened, heard = listening
    await opened.ledger.submit(job_of(TWO_STEPS))
    job = await claim_one(opened.ledger)
    await decide(opened.ledger, job, outcome=Finish(JobStatus.COMPLETED))
    heard.clear()
    with pytest.raises(Fenced):
        await decide(opened.ledger, job, events=(Event(EventType.JOB_FAILED, 1),), outcome=Release("text", 0))
    last = (await opened.ledger.submit(job_of("text_to_speech"))).job
    expected = {JobChanged(DEFAULT_ORGANIZATION, last.id), WorkQueued("speech")}
    assert not await heard_after(heard, expected)


async def test_what_was_made_after_a_hint_can_be_read(listening):
    opened, _ = listening
    seen = asyncio.Queue()
    end = opened.signals.listen(lambda signal: isinstance(signal, JobChanged) and seen.put_nowait(signal))
    await opened.ledger.submit(job_of(TWO_STEPS))
    signal = await asyncio.wait_for(seen.get(), 10)
    assert await opened.queries.events(signal.organization, signal.job, after=0, limit=9)
    end()


async def test_a_text_that_is_being_written_reaches_all_listeners_and_none_that_has_left(listening):
    opened, heard = listening
    delta = TextDelta(DEFAULT_ORGANIZATION, new_id(), "a", new_id(), 3, "ü „x“ 🎨")
    also, left = [], []
    ends = [opened.signals.listen(also.append), opened.signals.listen(left.append)]
    ends[1]()
    opened.signals.send(delta)
    await heard_after(heard, {delta})
    await heard_after(also, {delta})
    assert delta not in left
    ends[0]()


async def test_a_listener_that_breaks_harms_nobody(listening, caplog):
    opened, _ = listening

    def broken(_):
        raise ZeroDivisionError

    end = opened.signals.listen(broken)
    later = []
    opened.signals.listen(later.append)
    job = (await opened.ledger.submit(job_of(TWO_STEPS))).job
    await heard_after(later, {JobChanged(DEFAULT_ORGANIZATION, job.id)})
    assert "listener" in caplog.text
    end()
