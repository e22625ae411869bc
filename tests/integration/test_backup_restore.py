"""A backup that is restored: what was is there again, and nothing goes on before somebody gives the word."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace

import asyncpg
import pytest

from genesis.capabilities.catalog import CAPABILITIES
from genesis.database.backup import NOT_KEPT, TABLES
from genesis.database.incarnation import Queued
from genesis.domain.attempt import AttemptState
from genesis.domain.failure import INTERRUPTED
from genesis.domain.identity import new_id
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.errors import InvalidRequest, Misconfigured
from genesis.files.examiner import Examiner
from genesis.files.upkeep import Upkeep
from genesis.ports.ledger import Change
from genesis.ports.workers import CallResult
from genesis.storage.open import open_receipts, open_store
from launcher.backup import back_up, restore
from tests.support.backups import HANDLE, HOUR, jobs_in_every_state, now, pair, place, stored
from tests.support.files import file_of
from tests.support.jobs import job_of
from tests.support.ledger import TWO_STEPS, SetClock, ids, types_of
from workers.receipts import Receipts

NOT_OVER = {"repeatable", "keyed", "handle", "opaque", "pending", "half", "queued", "later"}


@pytest.fixture(params=["sqlite", "postgres"])
def places(request, tmp_path):
    """Where a backup is made, and where it is restored."""
    return pair(request.param, tmp_path)


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "backup.tar"


async def all_of(opened, jobs):
    return {name: await stored(opened, job) for name, job in jobs.items()}


async def brought_back(places, archive, queued=Queued.HOLD):
    """The jobs in every state as they were in the old place and as they are in the new one."""
    old, new = places
    async with old.open() as opened:
        jobs = await jobs_in_every_state(opened)
        before = await all_of(opened, jobs)
        await back_up(old.settings, archive, with_files=True)
    restored, _ = await restore(new.settings, archive, queued)
    return jobs, before, restored


async def test_all_that_was_is_there_again_and_waits_for_a_word(places, archive):
    _, new = places
    jobs, before, restored = await brought_back(places, archive)
    assert (restored.jobs, restored.held, restored.unknown) == (len(jobs), len(NOT_OVER), 2)
    async with new.open() as opened:
        await opened.ledger.join("other")
        await opened.ledger.sweep()
        after = await all_of(opened, jobs)
        assert await opened.ledger.claim("other", "text", 99, lambda _: Change()) == []
        assert await opened.queries.live_executors() == 1
        for name in jobs:
            await types_of(opened, jobs[name])  # without gaps
    assert after["over"] == before["over"]
    for name in NOT_OVER:
        job = after[name]
        assert job.held, name
        assert job.owner is None
        assert job.steps == before[name].steps
        assert (job.start_by, job.finish_by, job.crash_count) == (None, None, 0)
        assert job.status is before[name].status
        assert job.wake_at == before[name].wake_at
    assert after["canceled"].status is JobStatus.CANCELED
    states = {name: [attempt.state for attempt in after[name].attempts] for name in NOT_OVER}
    assert states == {
        "repeatable": [AttemptState.FAILED],
        "keyed": [AttemptState.INTENDED],
        "handle": [AttemptState.UNKNOWN],
        "opaque": [AttemptState.UNKNOWN],
        "pending": [AttemptState.PENDING],
        "half": [AttemptState.SUCCEEDED],
        "queued": [],
        "later": [],
    }
    assert after["pending"].attempts[0].handle == HANDLE.handle
    assert after["repeatable"].attempts[0].failure == INTERRUPTED
    assert after["opaque"].attempts[0].failure.code == "outcome-unknown"
    assert after["half"].attempts == before["half"].attempts


async def test_after_the_word_all_go_on_with_the_time_that_they_had_left(places, archive):
    _, new = places
    jobs, before, _ = await brought_back(places, archive)
    async with new.open() as opened:
        await opened.ledger.join("other")
        assert await opened.ledger.resume("another organization") == 0
        since = now()
        assert await opened.ledger.resume(DEFAULT_ORGANIZATION) == len(NOT_OVER)
        assert await opened.ledger.resume(DEFAULT_ORGANIZATION) == 0
        after = await all_of(opened, jobs)
        claimed = await opened.ledger.claim("other", "text", 99, lambda _: Change())
    assert set(ids(claimed)) == {jobs[name].id for name in NOT_OVER - {"later"}}
    assert not any(job.held for job in after.values())
    assert after["later"].wake_at == before["later"].wake_at
    assert since < after["queued"].start_by <= since + HOUR + 5_000
    assert after["queued"].finish_by - after["queued"].start_by == HOUR
    for name in ("keyed", "pending"):
        (old,), (renewed,) = before[name].attempts, after[name].attempts
        assert renewed.call_deadline >= since + old.call_deadline - old.created_at
        assert renewed == replace(old, not_after=renewed.not_after, call_deadline=renewed.call_deadline)


async def test_a_deadline_does_not_pass_while_its_job_waits_for_the_word(places, archive):
    old, new = places
    moment = now()
    job = job_of(TWO_STEPS, now=moment, wake_at=0, start_by=moment + 800, finish_by=moment + 900)
    async with old.open() as opened:
        await opened.ledger.submit(job)
        await back_up(old.settings, archive, with_files=False)
    await restore(new.settings, archive, Queued.HOLD)
    await asyncio.sleep(1)
    async with new.open() as opened:
        await opened.ledger.join("other")
        await opened.ledger.sweep()
        assert (await stored(opened, job)).status is JobStatus.QUEUED
        assert await opened.queries.next_wake() > now() + HOUR
        await opened.ledger.resume(DEFAULT_ORGANIZATION)
        await asyncio.sleep(1)
        await opened.ledger.sweep()
        assert (await stored(opened, job)).failure.code == "start-deadline-passed"


async def test_jobs_may_go_on_at_once_or_be_canceled(places, archive, tmp_path):
    _, new = places
    jobs, _, restored = await brought_back(places, archive, Queued.RUN)
    assert restored.held == 0
    async with new.open() as opened:
        await opened.ledger.join("other")
        claimed = await opened.ledger.claim("other", "text", 99, lambda _: Change())
    assert set(ids(claimed)) == {jobs[name].id for name in NOT_OVER - {"later"}}


async def test_all_that_is_not_over_may_be_canceled(places, archive):
    _, new = places
    jobs, _, restored = await brought_back(places, archive, Queued.CANCEL)
    assert restored.held == 0
    async with new.open() as opened:
        after = await all_of(opened, jobs)
        assert {name for name, job in after.items() if job.status is JobStatus.CANCELED} == NOT_OVER | {"canceled"}
        assert (await types_of(opened, jobs["queued"]))[-1] == "job-canceled"
        assert (await opened.ledger.retry(DEFAULT_ORGANIZATION, jobs["queued"].id, resend=False)).wake_at == 0
        again = await stored(opened, jobs["queued"])
    assert (again.held, again.start_by, again.wake_at) == (False, None, 0)


async def test_a_held_job_can_be_canceled_by_itself(places, archive):
    _, new = places
    jobs, _, _ = await brought_back(places, archive)
    async with new.open() as opened:
        canceled = await opened.ledger.cancel(DEFAULT_ORGANIZATION, jobs["half"].id)
        assert (canceled.status, canceled.held, canceled.finish_by) == (JobStatus.CANCELED, False, None)
        assert canceled.outputs == {}
        assert await opened.ledger.resume(DEFAULT_ORGANIZATION) == len(NOT_OVER) - 1


async def test_a_restored_database_can_be_backed_up_while_its_jobs_wait(places, archive, tmp_path):
    old, new = places
    jobs, before, _ = await brought_back(places, archive)
    second = tmp_path / "second.tar"
    await back_up(new.settings, second, with_files=True)
    if old.settings.database_url:
        from tests.support.postgres import shared_server

        name = await shared_server().create_database()
        third = place(tmp_path / "third", shared_server().url(name))
    else:
        third = place(tmp_path / "third")
    await restore(third.settings, second, Queued.RUN)
    async with third.open() as opened:
        after = await stored(opened, jobs["queued"])
        later = await stored(opened, jobs["later"])
    assert now() < after.start_by <= now() + HOUR + 5_000
    assert later.wake_at == before["later"].wake_at


async def test_a_receipt_keeps_a_call_from_being_unknown(places, archive):
    old, new = places
    async with old.open() as opened:
        jobs = await jobs_in_every_state(opened)
        (attempt,) = (await stored(opened, jobs["opaque"])).attempts
        receipts = open_receipts(old.settings)
        result = CallResult({"text": "hi"}, "one:m")
        await Receipts(receipts, CAPABILITIES["text"]).write(attempt.call_key, "what was asked", result)
        await receipts.close()
        await back_up(old.settings, archive, with_files=True)
    await restore(new.settings, archive, Queued.HOLD)
    async with new.open() as opened:
        (kept,) = (await stored(opened, jobs["opaque"])).attempts
        assert kept == attempt
    receipts = open_receipts(new.settings)
    assert await Receipts(receipts, CAPABILITIES["text"]).find(attempt.call_key) == ("what was asked", result)
    await receipts.close()


async def test_nothing_is_deleted_by_itself_before_the_word(places, archive):
    """The store may have been kept, and a newer backup be found that tells of what it has."""
    old, new = places
    file = file_of(expires_at=now() - 5 * HOUR)
    async with old.open() as opened:
        await jobs_in_every_state(opened)
        await opened.files.add(file)
        await back_up(old.settings, archive, with_files=False)
    await restore(new.settings, archive, Queued.HOLD)
    store, clock = open_store(new.settings), SetClock()
    contents = {file.key, f"images/{new_id()}.png"}
    for key in contents:
        await store.write(key, b"x", "image/png")
    clock.time = now() + 30 * HOUR

    async def left(opened):
        upkeep = Upkeep(store, open_receipts(new.settings), opened.files, Examiner(), clock, new.settings)
        await upkeep.expire()
        await upkeep.sweep()
        return {blob.key async for blob in store.blobs()}

    async with new.open() as opened:
        assert await left(opened) == contents
        await opened.ledger.resume(DEFAULT_ORGANIZATION)
        assert await left(opened) == set()
    await store.close()


async def test_an_old_key_is_not_trusted(places, archive, monkeypatch):
    monkeypatch.setattr("genesis.database.incarnation._KEYS_KEPT", -1_000)
    _, new = places
    jobs, _, _ = await brought_back(places, archive, Queued.RUN)
    async with new.open() as opened:
        assert [one.state for one in (await stored(opened, jobs["keyed"])).attempts] == [AttemptState.UNKNOWN]


async def test_contents_come_back_byte_by_byte(places, archive):
    old, new = places
    contents = {f"images/{number:036d}.png": bytes([number]) * (number * 70_001) for number in range(20)}
    store = open_store(old.settings)
    for key, data in contents.items():
        await store.write(key, data, "image/png")
    async with old.open():
        made = await back_up(old.settings, archive, with_files=True)
    await store.close()
    assert made.contents == len(contents)
    assert archive.stat().st_mode & 0o777 == 0o600
    _, count = await restore(new.settings, archive, Queued.HOLD)
    assert count == len(contents)
    store = open_store(new.settings)
    assert {key: await store.read(key, limit=10**8) for key in contents} == contents
    await store.close()


async def test_the_feed_tells_what_was_and_what_comes(places, archive):
    _, new = places
    jobs, _, _ = await brought_back(places, archive)
    async with new.open() as opened:
        feed = await opened.queries.feed(DEFAULT_ORGANIZATION, after=None, limit=1_000)
        end = await opened.queries.feed_end(DEFAULT_ORGANIZATION)
        seen: dict[str, int] = {}
        for event in feed:
            assert event.seq == seen.get(event.job, 0) + 1
            seen[event.job] = event.seq
        assert set(seen) == {job.id for job in jobs.values()}
        fresh = job_of(TWO_STEPS, wake_at=0)
        await opened.ledger.submit(fresh)
        await opened.ledger.cancel(DEFAULT_ORGANIZATION, jobs["queued"].id)
        later = await opened.queries.feed(DEFAULT_ORGANIZATION, after=end, limit=1_000)
        assert [(event.job, event.seq) for event in later] == [
            (fresh.id, 1),
            (jobs["queued"].id, seen[jobs["queued"].id] + 1),
        ]


@pytest.mark.parametrize("is_empty", [False, True])
async def test_a_place_in_the_feed_that_was_undone_stays_unknown(places, archive, is_empty):
    old, new = places
    async with old.open() as opened:
        if not is_empty:
            await opened.ledger.submit(job_of(TWO_STEPS))
        await back_up(old.settings, archive, with_files=True)
        await opened.ledger.submit(job_of(TWO_STEPS))  # after the backup
        undone = await opened.queries.feed_end(DEFAULT_ORGANIZATION)
    await restore(new.settings, archive, Queued.HOLD)
    async with new.open() as opened:
        for _ in range(9):
            await opened.ledger.submit(job_of(TWO_STEPS))
        with pytest.raises(InvalidRequest):
            await opened.queries.feed(DEFAULT_ORGANIZATION, after=undone, limit=9)


async def test_a_backup_of_a_busy_database_is_of_one_moment(places, archive):
    old, new = places
    jobs = [job_of(TWO_STEPS, wake_at=0) for _ in range(1_000)]
    async with old.open() as opened:
        await asyncio.gather(*(opened.ledger.submit(job) for job in jobs))
        await opened.ledger.join("me")
        stop = asyncio.Event()
        more = []

        async def go_on():
            while not stop.is_set():
                job = job_of(TWO_STEPS, wake_at=0)
                await opened.ledger.submit(job)
                more.append(job)  # not before it was accepted
                await opened.ledger.claim("me", "text", 1, lambda _: Change())

        busy = asyncio.create_task(go_on())
        while len(more) < 5:
            await asyncio.sleep(0.01)
        before = len(more)
        await asyncio.to_thread(lambda: asyncio.run(back_up(old.settings, archive, with_files=False)))
        stop.set()
        await busy
    assert len(more) > before, "nothing came in meanwhile: this test has shown nothing"
    restored, _ = await restore(new.settings, archive, Queued.HOLD)
    assert len(jobs) + before <= restored.jobs <= len(jobs) + len(more)
    async with new.open() as opened:
        feed = await opened.queries.feed(DEFAULT_ORGANIZATION, after=None, limit=100_000)
        listed = await opened.queries.jobs(DEFAULT_ORGANIZATION, limit=5_000)
    counted: dict[str, int] = {}
    for event in feed:
        counted[event.job] = counted.get(event.job, 0) + 1
    assert set(counted) == {job.id for job in listed.jobs}
    assert all(len(job.steps) == 2 for job in listed.jobs)
    assert {job.id: 1 + (job.status is JobStatus.RUNNING) for job in listed.jobs} == counted


async def test_every_table_is_kept_or_left_out_on_purpose(places):
    old, _ = places
    async with old.open():
        pass
    if old.settings.database_url:
        connection = await asyncpg.connect(old.settings.database_url)
        found = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        await connection.close()
        assert {row[0] for row in found} == {*TABLES, *NOT_KEPT}
        return
    with closing(sqlite3.connect(old.settings.db_path)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        assert {row[0] for row in found} == {*TABLES, *NOT_KEPT} - {"writers"}


async def test_a_database_that_is_used_takes_no_backup(places, archive):
    old, new = places
    async with old.open():
        await back_up(old.settings, archive, with_files=False)
    async with new.open():
        with pytest.raises(Misconfigured, match=r"[Aa]nother process is using|in use by a running Genesis"):
            await restore(new.settings, archive, Queued.HOLD)


async def test_a_database_that_is_not_empty_takes_no_backup(places, archive):
    old, new = places
    jobs, before, _ = await brought_back(places, archive)
    with pytest.raises(Misconfigured, match="not empty"):
        await restore(old.settings, archive, Queued.HOLD)
    async with old.open() as opened:
        await opened.ledger.join("other")
        assert (await stored(opened, jobs["queued"])) == before["queued"]
    with pytest.raises(Misconfigured, match="not empty"):
        await restore(new.settings, archive, Queued.HOLD)
