"""What happens when the PostgreSQL server, or the way to it, goes away: nothing that was acknowledged is lost."""

import asyncio
import logging
import threading
import time
from contextlib import asynccontextmanager

import asyncpg
import pytest

from genesis.database.plans import Plans
from genesis.database.postgres import entry as entry_module
from genesis.database.postgres import lane, ledger, schema, signals
from genesis.database.postgres.connection import Server
from genesis.database.postgres.open import check_postgres, open_postgres
from genesis.database.postgres.submitting import NewJob
from genesis.database.postgres.writer import Writer
from genesis.domain.event import Event, EventType
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.errors import CommitUnknown, Misconfigured, NotFound, Unavailable
from genesis.ports.ledger import Change, Decision, Finish
from genesis.ports.signals import Reread
from tests.support.jobs import job_of
from tests.support.ledger import TWO_STEPS, SetClock, fence_of, nothing
from tests.support.postgres import PostgresServer
from tests.support.proxy import Proxy

PASSWORD = "s3cret/word"
COMPLETED = Change(
    events=(Event(EventType.JOB_COMPLETED, 1),), outcome=Finish(JobStatus.COMPLETED, {"text": "it is done"})
)


@pytest.fixture(scope="module")
def server():
    server = PostgresServer()
    server.start()
    asyncio.run(server.create_template())
    yield server
    server.remove()


@pytest.fixture
def name(server):
    return asyncio.run(server.create_database())


@pytest.fixture
def url(server, name):
    return server.url(name, password="s3cret%2Fword")


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(entry_module, "_PATIENCE_SECONDS", 0.5)


@asynccontextmanager
async def opened(url, **more):
    async with open_postgres(url, lease_seconds=15, **more) as database:
        yield database


async def in_thread(work):
    await asyncio.get_running_loop().run_in_executor(None, work)


async def stored(url):
    connection = await asyncpg.connect(url)
    try:
        return {row["id"]: row["status"] for row in await connection.fetch("SELECT id, status FROM jobs")}
    finally:
        await connection.close()


def new_job(**more):
    return job_of(TWO_STEPS, wake_at=0, **more)


async def submitted(database, job):
    """The job's id if it was taken."""
    try:
        return {(await database.ledger.submit(job)).job.id}
    except Unavailable:
        return set()


async def well(database):
    try:
        await database.queries.check()
    except Unavailable:
        return False
    return True


async def running_jobs(database, count):
    await database.ledger.join("me")
    await asyncio.gather(*(database.ledger.submit(new_job()) for _ in range(count)))
    return [claimed.job for claimed in await database.ledger.claim("me", "text", count, nothing)]


async def test_a_database_that_is_down_at_the_start_is_waited_for_and_then_named(server, url, caplog):
    caplog.set_level(logging.DEBUG)
    server.stop()
    try:
        started = time.monotonic()
        with pytest.raises(Misconfigured) as refused:
            async with opened(url, wait_seconds=1.0):
                pass
        assert time.monotonic() - started > 1.0
        assert "does not answer" in refused.value.message
        assert "DATABASE_URL" in refused.value.hint
        assert any("waiting for the database" in message for message in caplog.messages)
    finally:
        server.start()
    told = f"{refused.value} {refused.value.hint} {caplog.text}"
    assert PASSWORD not in told
    assert "s3cret" not in told


async def test_a_database_that_comes_up_late_is_waited_for(server, url):
    server.stop()
    late = threading.Timer(1.0, server.start)
    late.start()
    try:
        async with opened(url) as database:
            await database.ledger.submit(new_job())
    finally:
        late.join()


@pytest.mark.parametrize(
    "wrong", ["postgresql://u:s3cret@/nothing?host={}", "postgresql://nobody:s3cret@/{1}?host={0}"]
)
async def test_a_wrong_url_is_refused_at_once_without_its_password(server, name, wrong, caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(Misconfigured) as refused:
        async with opened(wrong.format(server.folder, name)):
            pass
    assert "s3cret" not in f"{refused.value} {refused.value.hint} {caplog.text}"


@pytest.mark.parametrize("wrong", ["postgresql://u:s3cret@host:port/d", "postgresql://u:s3cret@[::1/d"])
def test_a_url_that_cannot_be_read_is_refused_without_its_password(wrong):
    with pytest.raises(Misconfigured) as refused:
        check_postgres(wrong, wait_seconds=0)
    assert "s3cret" not in f"{refused.value} {refused.value.hint}"


async def test_nothing_acknowledged_is_lost_when_the_server_is_killed_in_the_middle(server, url, impatient):
    acknowledged, refused = set(), 0
    stop = asyncio.Event()

    async def submitting(database):
        nonlocal refused
        while not stop.is_set():
            job = new_job()
            try:
                acknowledged.add((await database.ledger.submit(job)).job.id)
            except Unavailable:
                refused += 1
                await asyncio.sleep(0.01)  # it may refuse at once: nothing else would ever have its turn

    async with opened(url) as database:
        running = await running_jobs(database, 20)
        everyone = [asyncio.create_task(submitting(database)) for _ in range(16)]
        await asyncio.sleep(0.5)
        server.kill()
        decisions = [asyncio.create_task(database.ledger.decide(Decision(fence_of(job), COMPLETED))) for job in running]
        while not refused:
            await asyncio.sleep(0.05)
        with pytest.raises(Unavailable):
            await database.queries.job(DEFAULT_ORGANIZATION, running[0].id)
        with pytest.raises(Unavailable):
            await database.queries.check()
        with pytest.raises(Unavailable):
            await database.ledger.heartbeat("me")
        assert not any(decision.done() for decision in decisions)
        before = len(acknowledged)
        await in_thread(server.start)
        async with asyncio.timeout(30):
            await asyncio.gather(*decisions)
            while len(acknowledged) == before:
                await asyncio.sleep(0.05)
        stop.set()
        await asyncio.gather(*everyone)
        await database.queries.check()
        assert await database.ledger.heartbeat("me")
    kept = await stored(url)
    assert acknowledged <= kept.keys()
    assert {kept[job.id] for job in running} == {"completed"}


async def test_hints_come_again_after_an_outage_with_word_to_read_again(server, url):
    heard = []
    async with opened(url) as database:
        database.signals.listen(heard.append)
        server.stop()
        await in_thread(server.start)
        async with asyncio.timeout(30):
            while Reread() not in heard:
                await asyncio.sleep(0.05)
        async with opened(url) as other:
            job = new_job()
            await other.ledger.submit(job)
            async with asyncio.timeout(30):
                while not any(getattr(signal, "job", None) == job.id for signal in heard):
                    await asyncio.sleep(0.05)


@pytest.mark.parametrize("word", [b"server_version_num", b"clock_timestamp", b"LISTEN", b"INSERT INTO writers"])
async def test_a_way_to_the_server_that_falls_silent_at_the_start_is_not_waited_for(server, name, word, monkeypatch):
    waits = {schema: "_LOOK", ledger: "_HEARTBEAT", signals: "_CHECK", lane: "_FLUSH"}
    for module, wait in waits.items():
        monkeypatch.setattr(module, f"{wait}_SECONDS", 0.3)
    proxy = Proxy(server.folder)
    proxy.mute_at(word)
    async with asyncio.timeout(20), proxy.running(), opened(server.url(name, folder=proxy.folder)) as database:
        assert (await database.ledger.submit(new_job())).job.epoch == 0
    assert proxy.cuts == 1


@pytest.mark.parametrize("passing", [True, False])
async def test_a_commit_in_doubt_is_done_exactly_once(server, name, url, passing):
    proxy = Proxy(server.folder)
    async with proxy.running(), opened(server.url(name, folder=proxy.folder)) as database:
        (job,) = await running_jobs(database, 1)
        proxy.cut_at(b"COMMIT", passing=passing)
        new = new_job()
        assert (await database.ledger.submit(new)).job.id == new.id
        proxy.cut_at(b"COMMIT", passing=passing)
        await database.ledger.decide(Decision(fence_of(job), COMPLETED))
        proxy.cut_at(b"COMMIT", passing=passing)
        (claimed,) = await database.ledger.claim("me", "text", 1, nothing)
        assert (claimed.job.id, proxy.cuts) == (new.id, 3)
        events = await database.queries.events(DEFAULT_ORGANIZATION, job.id, after=0, limit=9)
        assert [each.event.type for each in events] == ["job-queued", "job-started", "job-completed"]
        assert (await database.queries.job(DEFAULT_ORGANIZATION, new.id)).epoch == 1
    assert len(await stored(url)) == 2


async def test_a_connection_lost_before_the_commit_loses_nothing(server, name, url):
    proxy = Proxy(server.folder)
    async with proxy.running(), opened(server.url(name, folder=proxy.folder)) as database:
        (job,) = await running_jobs(database, 1)
        proxy.cut_at(b"it is done", passing=True)
        await database.ledger.decide(Decision(fence_of(job), COMPLETED))
        assert proxy.cuts == 1
    assert await stored(url) == {job.id: "completed"}


async def test_a_commit_that_nobody_can_tell_of_is_called_unknown(server, name, url, impatient):
    proxy = Proxy(server.folder)
    new = new_job()
    async with proxy.running(), opened(server.url(name, folder=proxy.folder)) as database:
        proxy.cut_at(b"COMMIT", passing=True)
        submitting = asyncio.create_task(database.ledger.submit(new))
        while not proxy.cuts:
            await asyncio.sleep(0.001)
        server.kill()
        with pytest.raises(CommitUnknown, match=new.id):
            await submitting
        with pytest.raises(Unavailable) as refused:
            await database.ledger.submit(new_job())
        assert not isinstance(refused.value, CommitUnknown)
        await in_thread(server.start)
        other = new_job()
        async with asyncio.timeout(30):
            while other.id not in await submitted(database, other):
                await asyncio.sleep(0.05)
    assert (await stored(url)).keys() <= {new.id, other.id}


async def test_a_job_that_was_refused_is_not_stored_later(server, url, impatient):
    async with opened(url) as database:
        server.kill()
        refused = [new_job() for _ in range(8)]
        answers = await asyncio.gather(*(database.ledger.submit(job) for job in refused), return_exceptions=True)
        assert all(isinstance(answer, Unavailable) for answer in answers)
        await in_thread(server.start)
        async with asyncio.timeout(30):
            while not await well(database):
                await asyncio.sleep(0.05)
        for job in refused:
            with pytest.raises(NotFound):
                await database.queries.job(DEFAULT_ORGANIZATION, job.id)


async def test_a_database_that_has_forgotten_commits_stops_the_writer(server, url):
    alarms = []
    writer = Writer(Server(url), Plans(), SetClock(), lambda _: "", lambda _: None, lambda: alarms.append(1))
    await writer.open()
    try:
        jobs = [new_job() for _ in range(6)]
        for job in jobs:
            await writer.submit(NewJob(job, None, None))
        connection = await asyncpg.connect(url)
        await connection.execute("UPDATE writers SET flush_number = flush_number - 1")  # as an older copy of it has
        await connection.close()
        answers = await asyncio.gather(
            *(writer.submit(NewJob(new_job(), None, None)) for _ in range(6)), return_exceptions=True
        )
        assert alarms
        assert all(isinstance(answer, Unavailable) for answer in answers)
    finally:
        await writer.close()
