"""Events over a real server: server-sent events and WebSockets, interrupted, slow, many, and at its end."""

import asyncio
import json
from types import SimpleNamespace

import httpx2
import pytest
import websockets

from gateway import streaming
from genesis.domain.event import EventType
from genesis.engine.follow import Follower
from tests.support.events import MemoryLog
from tests.support.gateway import app_of, is_problem, listening, server_sent

STARTED, STEP, DONE = EventType.JOB_STARTED, EventType.STEP_STARTED, EventType.JOB_COMPLETED
FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site", "origin": "https://other.genesis.example"},
]


@pytest.fixture
def log():
    return MemoryLog()


@pytest.fixture
def follower(log):
    return Follower(log, log.signals)


@pytest.fixture
async def client(log, follower, settings):
    app = app_of(SimpleNamespace(follower=follower), settings)
    async with listening(app) as (_, url), httpx2.AsyncClient(base_url=url, timeout=20) as client:
        yield client


def events_of(client, path, **headers):
    return client.stream("GET", path, headers=headers)


async def taken(response, count):
    """The next so many events that have data."""
    events = []
    async with asyncio.timeout(20):
        async for event in server_sent(response.aiter_lines()):
            if "data" in event:
                events.append(event)
                if len(events) == count:
                    break
    return events


def socket_of(client, path, **headers):
    url = str(client.base_url).replace("http", "ws", 1).rstrip("/") + path
    return websockets.connect(url, additional_headers=headers, compression=None)


async def until_readers(follower, count):
    async with asyncio.timeout(20):
        while follower.readers != count:
            await asyncio.sleep(0.01)


async def test_a_job_is_told_from_its_beginning_to_its_end(client, log, follower):
    job = log.create()
    async with events_of(client, f"/jobs/{job}/events") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert "no-cache" in response.headers["cache-control"]
        assert response.headers["x-accel-buffering"] == "no"
        assert "content-length" not in response.headers
        told = server_sent(response.aiter_lines())
        assert (await anext(told))["retry"] == "1000"
        first = await anext(told)
        assert (first["id"], first["event"]) == ("1", "job-queued")
        assert first["data"] == {
            "type": "job-queued",
            "job_id": job,
            "seq": 1,
            "cursor": "c1",
            "at": "1970-01-01T00:00:01.001Z",
            "data": {},
        }
        log.add(job, STEP, step="generate")
        assert (await anext(told))["data"]["data"] == {"step": "generate"}
        log.write(job, "Hé\n\nllo")
        piece = await anext(told)
        assert (piece["event"], "id" in piece) == ("text-delta", False)
        assert piece["data"] == {
            "type": "text-delta",
            "job_id": job,
            "step": "generate",
            "attempt": "a1",
            "offset": 0,
            "text": "Hé\n\nllo",
        }
        log.add(job, DONE)
        assert [event["event"] async for event in told] == ["job-completed"]
    assert follower.readers == 0


@pytest.mark.parametrize("by_header", [True, False])
async def test_it_goes_on_after_the_last_event_that_was_seen(client, log, by_header):
    job = log.create()
    for number in range(10):
        log.add(job, STEP, step=f"s{number}")
    path, headers = f"/jobs/{job}/events", {}
    async with events_of(client, path) as response:
        seen = await taken(response, 4)
    log.add(job, DONE)
    last = seen[-1]["id"]
    if by_header:
        path, headers = path + "?after=1", {"last-event-id": last}
    else:
        path += f"?after={last}"
    async with events_of(client, path, **headers) as response:
        seen += await taken(response, 99)
    assert [event["data"]["seq"] for event in seen] == list(range(1, 13))
    over = await client.get(path.partition("?")[0], headers={"last-event-id": "12"})
    assert (over.status_code, over.content) == (204, b"")


async def test_all_jobs_are_told_and_can_be_continued_before_the_first_event(client, log):
    one, other = log.create(), log.create()
    async with events_of(client, "/events") as response:
        opened = await anext(server_sent(response.aiter_lines()))
    assert opened == {"retry": "1000", "id": "c2"}
    log.add(one, STARTED)
    log.add(other, STARTED)
    async with events_of(client, "/events", **{"last-event-id": opened["id"]}) as response:
        events = await taken(response, 2)
    assert [(event["id"], event["data"]["job_id"]) for event in events] == [("c3", one), ("c4", other)]
    async with events_of(client, "/events?after=beginning") as response:
        assert [event["id"] for event in await taken(response, 4)] == ["c1", "c2", "c3", "c4"]


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("/jobs/nonsense/events", {}, 422, "invalid-request"),
        ("/jobs/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55/events", {}, 404, "not-found"),
        ("/jobs/JOB/events?after=-1", {}, 422, "invalid-request"),
        ("/jobs/JOB/events?after=x", {}, 422, "invalid-request"),
        ("/jobs/JOB/events?after=²", {}, 422, "invalid-request"),
        ("/jobs/JOB/events?after=7", {}, 422, "invalid-request"),
        ("/jobs/JOB/events?after=" + "9" * 150, {}, 422, "invalid-request"),
        ("/jobs/JOB/events?after=" + "9" * 300, {}, 422, "invalid-request"),
        ("/jobs/JOB/events", {"last-event-id": "c1"}, 422, "invalid-request"),
        ("/events?after=nonsense", {}, 422, "invalid-request"),
        ("/events", {"last-event-id": "nonsense"}, 422, "invalid-request"),
    ],
)
async def test_what_cannot_be_followed_is_a_problem_in_both_ways(client, log, follower, path, headers, status, code):
    path = path.replace("JOB", log.create())
    is_problem(await client.get(path, headers=headers), status, code)
    if not headers:
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with socket_of(client, path):
                pass
        assert refused.value.response.status_code == status
        assert json.loads(refused.value.response.body)["code"] == code
    assert follower.readers == 0


async def test_a_ledger_that_is_away_ends_streams_so_that_they_can_be_continued(client, log, follower):
    job = log.create()
    async with events_of(client, f"/jobs/{job}/events") as response, socket_of(client, f"/jobs/{job}/events") as other:
        told = server_sent(response.aiter_lines())
        assert [await anext(told) for _ in range(2)][1]["id"] == "1"
        await other.recv()
        log.away = True
        log.add(job, STARTED)
        assert [event async for event in told] == []
        with pytest.raises(websockets.ConnectionClosedError) as closed:
            await other.recv()
        assert closed.value.rcvd.code == 1013
    is_problem(await client.get(f"/jobs/{job}/events"), 503, "unavailable")
    assert follower.readers == 0


async def test_websockets_tell_the_same(client, log, follower):
    job = log.create()
    log.add(job, STEP, step="generate")
    async with (
        events_of(client, f"/jobs/{job}/events?after=1") as response,
        socket_of(client, f"/jobs/{job}/events?after=1") as one,
        events_of(client, "/events?after=c1") as response_of_all,
        socket_of(client, "/events?after=c1") as of_all,
    ):
        await one.send("what is said here means nothing")
        await until_readers(follower, 4)
        log.write(job, "Hello")
        log.add(job, EventType.STEP_COMPLETED, step="generate")
        log.add(job, DONE)
        told = [event["data"] for event in await taken(response, 4)]
        assert [event["type"] for event in told] == ["step-started", "text-delta", "step-completed", "job-completed"]
        assert [json.loads(message) async for message in one] == told
        assert one.close_code == 1000
        assert json.loads(await of_all.recv()) == {"type": "stream-opened", "cursor": "c1"}
        told = [event["data"] for event in await taken(response_of_all, 3)]
        assert [json.loads(await of_all.recv()) for _ in range(3)] == told


@pytest.mark.parametrize("headers", FOREIGN)
async def test_pages_of_other_origins_get_no_websocket(client, log, headers):
    job = log.create()
    for path in (f"/jobs/{job}/events", "/events"):
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with socket_of(client, path, **headers):
                pass
        assert refused.value.response.status_code == 403
        assert json.loads(refused.value.response.body)["code"] == "cross-origin-request"


async def test_the_own_page_and_named_origins_get_one(client, log):
    own = str(client.base_url).rstrip("/")
    for headers in ({"origin": own}, {"origin": "https://page.example"}, {"sec-fetch-site": "same-origin"}):
        async with socket_of(client, "/events", **headers) as opened:
            assert json.loads(await opened.recv())["type"] == "stream-opened"


async def test_idle_streams_say_that_they_live_and_notice_who_left(client, log, follower, monkeypatch):
    monkeypatch.setattr(streaming, "HEARTBEAT_SECONDS", 0.05)
    job = log.create()
    async with events_of(client, f"/jobs/{job}/events?after=1") as response, socket_of(client, "/events") as opened:
        told = server_sent(response.aiter_lines())
        assert [await anext(told) for _ in range(3)][1:] == [{"comment": "heartbeat"}] * 2
        await opened.recv()
        assert follower.readers == 2
    await until_readers(follower, 0)


@pytest.fixture
def short_buffers(monkeypatch):
    """The server's side of a connection holds little, and waits shortly for a reader that takes nothing."""
    monkeypatch.setattr(streaming, "STALL_SECONDS", 0.3)


async def test_a_slow_reader_is_dropped_and_goes_on_without_gap_or_double(client, log, follower, short_buffers):
    job = log.create()
    for number in range(800):
        log.add(job, STEP, step="s", filler="x" * 20_000, number=number)  # 16 MB: more than sockets hold
    log.add(job, DONE)
    port = client.base_url.port
    seen, drops = [], 0
    while len(seen) < 802:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 16)
        last = f"Last-Event-ID: {seen[-1]}\r\n" if seen else ""
        writer.write(f"GET /jobs/{job}/events HTTP/1.1\r\nHost: localhost\r\n{last}\r\n".encode())
        if drops < 2:
            await asyncio.sleep(0.8)  # asleep for longer than the server waits
            assert follower.readers == 0
        content = await reader.read()
        drops += not content.endswith(b"0\r\n\r\n")
        body = b"".join(unchunked(content.partition(b"\r\n\r\n")[2]))
        whole = body[: body.rfind(b"\n\n")]
        seen += [int(line[4:]) for line in whole.split(b"\n") if line.startswith(b"id: ")]
        writer.close()
        assert drops < 10
    assert drops >= 2
    assert seen == list(range(1, 803))


def unchunked(content):
    while content:
        size, _, content = content.partition(b"\r\n")
        length = int(size, 16)
        yield content[:length]
        content = content[length + 2 :]


async def test_a_slow_websocket_is_dropped_and_others_go_on(client, log, follower, short_buffers):
    job = log.create()
    async with socket_of(client, f"/jobs/{job}/events") as slow, socket_of(client, f"/jobs/{job}/events") as quick:
        slow.transport.pause_reading()
        await until_readers(follower, 2)
        for number in range(800):
            log.add(job, STEP, step="s", filler="x" * 20_000, number=number)
        for _ in range(801):
            await quick.recv()
        await until_readers(follower, 1)
        log.add(job, DONE)
        assert json.loads(await quick.recv())["type"] == "job-completed"
        slow.transport.abort()


async def test_five_hundred_streams_at_once(client, log, follower):
    jobs = [log.create() for _ in range(100)]
    limits = httpx2.Limits(max_connections=None)

    async def follow(client, job):
        async with events_of(client, f"/jobs/{job}/events") as response:
            return [event["data"]["seq"] for event in await taken(response, 9)]

    async with httpx2.AsyncClient(base_url=client.base_url, limits=limits, timeout=60) as many:
        streams = [asyncio.create_task(follow(many, job)) for job in jobs * 5]
        await until_readers(follower, 500)
        before = log.reads
        for job in jobs:
            log.add(job, STARTED)
        await asyncio.sleep(0.2)
        assert log.reads - before <= 2 * len(jobs)  # those who follow the same job share their queries
        for job in jobs:
            log.add(job, DONE)
        assert await asyncio.gather(*streams) == [[1, 2, 3]] * 500
    assert follower.readers == 0


async def test_open_streams_end_with_the_server(log, follower, settings):
    job = log.create()
    async with (
        listening(app_of(SimpleNamespace(follower=follower), settings)) as (server, url),
        httpx2.AsyncClient(base_url=url, timeout=20) as client,
        events_of(client, f"/jobs/{job}/events") as response,
        socket_of(client, f"/jobs/{job}/events") as opened,
    ):
        told = server_sent(response.aiter_lines())
        await anext(told)
        assert (await anext(told))["id"] == "1"
        await opened.recv()
        follower.finish()
        async with asyncio.timeout(5):
            assert [event async for event in told] == []
            with pytest.raises(websockets.ConnectionClosedError):
                await opened.recv()
        assert opened.close_code == 1012
        server.should_exit = True
