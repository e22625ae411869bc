"""Followers of jobs: they see each event once, in order and soon, whatever becomes of hints."""

import asyncio

import pytest

from genesis.domain.event import EventType
from genesis.domain.identity import new_id
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION as ORG
from genesis.engine import follow
from genesis.engine.live_text import LiveTexts
from genesis.engine.streams import OrganizationStream
from genesis.errors import InvalidRequest, NotFound, Unavailable
from genesis.ports.signals import Reread, TextDelta
from tests.support.events import MemoryLog, following, told, types

QUEUED, STARTED, DONE = EventType.JOB_QUEUED, EventType.JOB_STARTED, EventType.JOB_COMPLETED
STEP, STEP_DONE, STEP_RETRIED = EventType.STEP_STARTED, EventType.STEP_COMPLETED, EventType.STEP_RETRIED


@pytest.fixture
def log():
    return MemoryLog()


@pytest.fixture
async def follower(log):
    async with following(log) as follower:
        yield follower


async def test_what_was_and_what_comes_until_the_end(log, follower):
    job = log.create()
    async with follower.job_events(ORG, job, 0) as stream:
        assert types(await told(stream, 1)) == [QUEUED]
        log.add(job, STARTED)
        assert types(await told(stream, 1)) == [STARTED]
        assert await stream.read(0.01) == ()
        assert not stream.ended
        log.add(job, DONE)
        assert types(await told(stream, 1)) == [DONE]
        assert stream.ended
        assert not stream.interrupted
        assert await stream.read(10) == ()
    assert follower.readers == 0


async def test_an_event_that_is_written_while_it_opens_is_not_missed(log, follower):
    job = log.create()

    async def write_much():
        for _ in range(500):
            log.add(job, STEP, step="s")
            await asyncio.sleep(0)
        log.add(job, DONE)

    writing = asyncio.create_task(write_much())
    async with follower.job_events(ORG, job, 0) as stream:
        items = await told(stream, 502)
    assert [item.seq for item in items] == list(range(1, 503))
    await writing


async def test_it_goes_on_after_an_event(log, follower):
    job = log.create()
    log.add(job, STARTED)
    async with follower.job_events(ORG, job, 1) as stream:
        assert types(await told(stream, 1)) == [STARTED]
    async with follower.job_events(ORG, job, 2) as stream:
        assert await stream.read(0.01) == ()
    with pytest.raises(InvalidRequest, match="no event 3"):
        async with follower.job_events(ORG, job, 3):
            pass
    with pytest.raises(NotFound):
        async with follower.job_events(ORG, new_id(), 0):
            pass
    assert follower.readers == 0


async def test_a_job_that_is_over_has_nothing_more_until_it_is_retried(log, follower):
    job = log.create()
    log.add(job, EventType.JOB_FAILED)
    async with follower.job_events(ORG, job, 2) as stream:
        assert stream.ended
    log.add(job, EventType.JOB_RETRIED)
    async with follower.job_events(ORG, job, 2) as stream:
        assert not stream.ended
        assert types(await told(stream, 1)) == [EventType.JOB_RETRIED]
        assert not stream.ended
    async with follower.job_events(ORG, job, 0) as stream:
        assert [item.seq for item in await told(stream, 3)] == [1, 2, 3]
        assert not stream.ended


async def test_a_lost_hint_is_made_up_for(log, monkeypatch):
    monkeypatch.setattr(follow, "_SWEEP_SECONDS", 0.05)
    async with following(log) as follower:
        job, other = log.create(), log.create()
        async with (
            follower.job_events(ORG, job, 1) as stream,
            follower.job_events(ORG, other, 1) as idle,
            follower.organization_events(ORG, None) as all_jobs,
        ):
            for kind in (STARTED, STEP):  # by the first sweep, then by a later one
                log.add(job, kind, hint=False)
                assert types(await told(stream, 1)) == [kind]
                assert types(await told(all_jobs, 1)) == [kind]
            await asyncio.sleep(0.2)
            before = log.reads
            await asyncio.sleep(0.3)
            assert log.reads - before < 12  # one look at the feed per sweep, none per reader
            assert await idle.read(0.01) == ()


async def test_reread_lets_everybody_look(log, follower):
    job = log.create()
    async with follower.job_events(ORG, job, 1) as stream, follower.organization_events(ORG, None) as all_jobs:
        log.add(job, STARTED, hint=False)
        log.signals.send(Reread())
        assert types(await told(stream, 1)) == types(await told(all_jobs, 1)) == [STARTED]


async def test_an_organization_is_followed_from_now_from_the_beginning_or_from_a_place(log, follower):
    first, second = log.create(), log.create()
    async with follower.organization_events(ORG, None) as now:
        assert now.cursor == "c2"
        assert await now.read(0.01) == ()
        log.add(second, STARTED)
        assert [(item.job, item.seq) for item in await told(now, 1)] == [(second, 2)]
        assert now.cursor == "c3"
    async with follower.organization_events(ORG, OrganizationStream.BEGINNING) as everything:
        assert [item.cursor for item in await told(everything, 3)] == ["c1", "c2", "c3"]
    async with follower.organization_events(ORG, "c1") as rest:
        assert [item.job for item in await told(rest, 2)] == [second, second]
    with pytest.raises(InvalidRequest):
        async with follower.organization_events(ORG, "x"):
            pass
    assert first != second
    assert follower.readers == 0


async def test_many_changes_cost_readers_of_all_jobs_few_queries(log, follower):
    jobs = [log.create() for _ in range(20)]
    async with follower.organization_events(ORG, None) as one, follower.organization_events(ORG, None) as two:
        before = log.reads
        for job in jobs:
            log.add(job, STARTED)
        found = await asyncio.gather(told(one, 20), told(two, 20))
        assert [len(items) for items in found] == [20, 20]
        assert log.reads - before <= 2


async def test_a_slow_reader_reads_on_where_it_was(log, follower):
    job = log.create()
    async with follower.job_events(ORG, job, 0) as slow, follower.job_events(ORG, job, 0) as quick:
        seen = await told(slow, 1)
        for _ in range(1_000):
            log.add(job, STEP, step="s")
        log.add(job, DONE)
        assert len(await told(quick, 1_002)) == 1_002
        assert len(seen := seen + await told(slow, 1_001)) == 1_002
        assert [item.seq for item in seen] == list(range(1, 1_003))


async def test_text_comes_as_it_is_written_and_from_its_beginning_to_who_comes_late(log, follower):
    job = log.create()
    log.add(job, STEP, step="generate")
    async with follower.job_events(ORG, job, 0) as early:
        await told(early, 2)
        log.write(job, "Hello, ")
        assert types(await told(early, 1)) == ["Hello, "]
        log.write(job, "world", 7)
        log.write(job, "!", 12)
        pieces = await told(early, 1)
        assert (pieces[0].offset, types(pieces)) == (7, ["world!"])
        async with follower.job_events(ORG, job, 1) as late:
            assert types(await told(late, 2)) == [STEP, "Hello, world!"]
        log.write(job, " Bye.", 13)
        log.add(job, STEP_DONE, step="generate")
        log.add(job, DONE)
        assert types(await told(early, 3)) == [" Bye.", STEP_DONE, DONE]
    async with follower.job_events(ORG, job, 0) as after:
        assert types(await told(after, 9)) == [QUEUED, STEP, STEP_DONE, DONE]


async def test_a_new_attempt_begins_anew_and_the_old_one_is_silent(log, follower):
    job = log.create()
    log.add(job, STEP, step="generate")
    async with follower.job_events(ORG, job, 2) as stream:
        log.write(job, "first", attempt="a1")
        assert types(await told(stream, 1)) == ["first"]
        log.add(job, STEP_RETRIED, step="generate")
        log.write(job, " late", 5, attempt="a1")
        log.add(job, STEP, step="generate")
        assert types(await told(stream, 2))[-1] == STEP
        log.write(job, "second", attempt="a2")
        log.write(job, " later", 10, attempt="a1")
        piece = (await told(stream, 1))[0]
        assert (piece.attempt, piece.offset, piece.text) == ("a2", 0, "second")


async def test_waiting_ends_with_the_job_or_the_time(log, follower):
    job = log.create()
    assert (await follower.wait(ORG, job, 0.01)).status is JobStatus.QUEUED
    waiting = asyncio.create_task(follower.wait(ORG, job, 20))
    await asyncio.sleep(0.01)
    log.add(job, STARTED)
    log.write(job, "text")
    await asyncio.sleep(0.01)
    assert not waiting.done()
    log.add(job, DONE)
    assert (await waiting).status is JobStatus.COMPLETED
    assert (await follower.wait(ORG, job, 20)).status is JobStatus.COMPLETED
    with pytest.raises(NotFound):
        await follower.wait(ORG, new_id(), 20)
    assert follower.readers == 0


async def test_all_streams_end_when_the_process_stops(log, follower):
    job = log.create()
    async with follower.job_events(ORG, job, 0) as stream, follower.organization_events(ORG, None) as all_jobs:
        await told(stream, 1)
        reading = [asyncio.create_task(each.read(60)) for each in (stream, all_jobs)]
        waiting = asyncio.create_task(follower.wait(ORG, job, 60))
        await asyncio.sleep(0.01)
        follower.finish()
        async with asyncio.timeout(5):
            assert await asyncio.gather(*reading) == [(), ()]
            assert (await waiting).status is JobStatus.QUEUED
        assert stream.ended
        assert stream.interrupted
        assert all_jobs.interrupted
    async with follower.job_events(ORG, job, 0) as late:
        assert types(await told(late, 1)) == [QUEUED]
        assert await late.read(60) == ()
        assert late.interrupted


async def test_an_absent_ledger_is_told_and_the_sweep_goes_on(log, monkeypatch):
    monkeypatch.setattr(follow, "_SWEEP_SECONDS", 0.02)
    async with following(log) as follower:
        job = log.create()
        async with follower.job_events(ORG, job, 1) as stream:
            await asyncio.sleep(0.1)
            log.away = True
            log.add(job, STARTED)
            with pytest.raises(Unavailable):
                await told(stream, 1)
            await asyncio.sleep(0.1)
            log.away = False
        async with follower.job_events(ORG, job, 1) as again:
            assert types(await told(again, 1)) == [STARTED]
            log.add(job, DONE, hint=False)
            assert types(await told(again, 1)) == [DONE]


def delta(offset, text, attempt="a1", job="j"):
    return TextDelta(ORG, job, "s", attempt, offset, text)


def test_texts_take_each_character_once_and_begin_anew_after_a_gap():
    texts = LiveTexts()
    for piece in (delta(0, "abc"), delta(0, "abc"), delta(2, "cd"), delta(1, "b")):
        texts.add(piece, 0)
    (text,) = texts.of("j")
    assert (text.offset, text.text) == (0, "abcd")
    texts.add(delta(10, "xyz"), 0)
    (text,) = texts.of("j")
    assert (text.offset, text.text) == (10, "xyz")
    assert text.after(0) == delta(10, "xyz")
    assert text.after(12) == delta(12, "z")
    assert text.after(13) is None


def test_texts_are_bounded_and_forgotten(monkeypatch):
    monkeypatch.setattr("genesis.engine.live_text._MOST_CHARACTERS", 25)
    texts = LiveTexts()
    for number, job in enumerate("abc"):
        texts.add(delta(0, "x" * 10, job=job), number)
    assert [job for job in "abc" if texts.of(job)] == ["b", "c"]
    texts.add(delta(10, "x" * 5, job="b"), 5)
    texts.forget(4)
    assert [job for job in "abc" if texts.of(job)] == ["b"]
    texts.add(delta(0, "x" * 30, job="d"), 6)
    assert not texts.of("d")


class LateLog(MemoryLog):
    """Answers with what it knew when it was asked, but only once the gate is open."""

    def __init__(self):
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()

    async def events(self, organization, job_id, *, after, limit):
        found = await super().events(organization, job_id, after=after, limit=limit)
        await self.gate.wait()
        return found


async def test_nobody_shares_a_query_that_is_older_than_what_it_was_told():
    log = LateLog()
    async with following(log) as follower:
        job = log.create()
        async with follower.job_events(ORG, job, 1) as one, follower.job_events(ORG, job, 1) as other:
            log.gate.clear()
            log.signals.send(Reread())
            early = asyncio.create_task(told(one, 1))
            await asyncio.sleep(0.01)
            log.add(job, STARTED)
            late = asyncio.create_task(told(other, 1, seconds=2))
            await asyncio.sleep(0.01)
            log.gate.set()
            assert types(await late) == types(await early) == [STARTED]
