"""Requests with too many or too large header fields, and some that do not end, on real sockets."""

import asyncio
import contextlib
import json
from contextlib import asynccontextmanager

import httpx2
import pytest
import uvicorn
import websockets

from gateway.main import create_app
from genesis.transport.limits import LONGEST_HEAD_BYTES, MOST_FIELDS
from launcher.workers import open_in_process_workers
from tests.support.gateway import create, finished, is_problem, listening, serving
from tests.support.worker_servers import running
from workers.app import create_worker

BOUNDED = "genesis.transport.server:BoundedHttpProtocol"
CODE = "request-header-fields-too-large"
GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDLESS = {
    "fields": (GET, b"A: b\r\n" * 1_000),
    "short fields": (GET, b"A:\r\n" * 100),
    "value": (GET + b"Cookie: ", b"c" * 10_000),
    "name": (GET, b"n" * 10_000),
    "address": (b"GET /", b"a" * 10_000),
}


async def ok(scope, receive, send):
    """Answers whatever has arrived completely."""
    if scope["type"] == "http":
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})


@asynccontextmanager
async def connected(url):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def sent_for_ever(writer, piece):
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)  # who may write does not wait in `drain`


async def answer_to_endless(url, begin, piece):
    """What a connection is answered with before its request ends, which it never does."""
    async with asyncio.timeout(20), connected(url) as (reader, writer):
        writer.write(begin)
        sending = asyncio.create_task(sent_for_ever(writer, piece))
        try:
            with contextlib.suppress(ConnectionError):
                return await reader.read()
            return b""
        finally:
            sending.cancel()


def is_refusal(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 ")
    assert b"content-type: application/problem+json" in head
    problem = json.loads(body)
    assert (problem["status"], problem["code"]) == (431, CODE)
    assert problem["detail"]
    assert problem["hint"]


def fields(count):
    return {f"x-{number}": "y" for number in range(count)}


@pytest.mark.parametrize(("begin", "piece"), ENDLESS.values(), ids=ENDLESS)
async def test_a_head_without_end_is_refused(begin, piece):
    with running(ok, http=BOUNDED) as url:
        is_refusal(await answer_to_endless(url, begin, piece))


async def test_a_body_without_end_of_its_trailer_ends_the_connection():
    with running(ok, http=BOUNDED) as url:
        assert await answer_to_endless(url, POST + b"0\r\n", b"A: b\r\n" * 1_000) == b""
        assert await answer_to_endless(url, POST + b"1;", b"extension" * 1_000) == b""


async def test_what_is_under_way_is_not_answered_twice():
    """A second request on the connection has no end while the first waits for its answer."""
    answered = asyncio.Event()

    async def slow(scope, receive, send):
        if scope["type"] == "http":
            await answered.wait()
            await ok(scope, receive, send)

    async with bounded(slow) as url:
        assert await answer_to_endless(url, GET + b"\r\n" + GET, b"A: b\r\n" * 1_000) == b""
        answered.set()


@asynccontextmanager
async def bounded(app):
    """The application in this event loop."""
    config = uvicorn.Config(app, port=0, http=BOUNDED, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def test_a_long_head_that_comes_in_pieces_passes(settings):
    """As much as is allowed, byte by byte at its end, on a connection that goes on."""
    async with bounded(ok) as url, connected(url) as (reader, writer):
        for _ in range(3):
            writer.write(GET + b"Cookie: " + b"c" * 60_000)
            for piece in (b"c" * 1_000, b"c", b"\r", b"\n", b"\r", b"\n"):
                await writer.drain()
                await asyncio.sleep(0.01)
                writer.write(piece)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")


async def test_a_large_body_is_none_of_its_business():
    async with bounded(ok) as url, httpx2.AsyncClient(base_url=url) as client:
        assert (await client.post("/", content=b"b" * 10_000_000)).status_code == 200

        async def pieces():
            for _ in range(200_000):
                yield b"p"

        assert (await client.post("/", content=pieces())).status_code == 200


@pytest.mark.parametrize("http", ["auto", BOUNDED, "h11"])
async def test_the_gateway_refuses_and_goes_on(settings, http):
    async with (
        listening(create_app(settings, open_in_process_workers), http=http) as (_, url),
        httpx2.AsyncClient(base_url=url, headers={"Host": "localhost"}) as client,
    ):
        few = MOST_FIELDS - 10
        assert (await client.get("/health", headers=fields(few))).status_code == 200
        problem = is_problem(await client.get("/health", headers=fields(MOST_FIELDS)), 431, CODE)
        assert problem["hint"]
        assert problem["errors"] == []
        assert (await client.get("/health", headers={"Cookie": "c" * 60_000})).status_code == 200
        if http != "h11":  # which refuses by itself what it has not read completely
            refused = await client.get("/health", headers={"Cookie": "c" * LONGEST_HEAD_BYTES})
            assert (refused.status_code, refused.json()["code"]) == (431, CODE)
            assert refused.json()["hint"]
        assert (await finished(client, await create(client)))["status"] == "completed"


async def test_a_websocket_is_refused_as_well(settings):
    async with listening(create_app(settings, open_in_process_workers), http=BOUNDED) as (_, url):
        address = url.replace("http", "ws") + "/events"
        async with websockets.connect(address):
            pass
        with pytest.raises(websockets.InvalidStatus) as caught:
            async with websockets.connect(address, additional_headers=fields(MOST_FIELDS)):
                pass
        assert caught.value.response.status_code == 431
        assert json.loads(caught.value.response.body)["code"] == CODE


async def test_no_route_looks_at_too_many_fields(settings):
    async with serving(settings) as client:
        for method, path in (("POST", "/jobs"), ("GET", "/nowhere"), ("OPTIONS", "/jobs")):
            many = fields(MOST_FIELDS) | {"Origin": "https://evil.example", "Host": "evil.example"}
            is_problem(await client.request(method, path, headers=many), 431, CODE)


def test_a_worker_refuses_as_its_own_word(settings):
    with running(create_worker("text", settings)) as url, httpx2.Client(base_url=url) as client:
        assert client.get("/health").status_code == 200
        response = client.post("/generate", headers=fields(MOST_FIELDS) | {"Genesis-Attempt": "me"}, json={})
        assert (response.status_code, response.json()["code"]) == (431, CODE)
        assert response.headers["genesis-attempt"] == "me"
        assert response.headers["content-type"] == "application/problem+json"
