"""The session under both HTTP clients: what it writes, what it keeps, and when it says that something may have been sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from io import BytesIO

import pytest
from aiohttp import ClientError, ClientTimeout
from aiohttp.payload import BytesIOPayload
from yarl import URL

from genesis.net.session import Progress, Session
from tests.support.processes import free_port

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LARGE = 8 * 1024 * 1024
"""More than the buffers of both sides take."""


@pytest.fixture
async def session() -> AsyncIterator[Session]:
    async with Session(ClientTimeout(sock_connect=5)) as opened:
        yield opened


class Server:
    """Talks on each connection as it is told.

    Attributes:
        connections: how many there have been.
        heads: of all requests, as they came.
    """

    def __init__(self, *answers: bytes) -> None:
        self.connections = 0
        self.heads: list[bytes] = []
        self.url = URL()
        self._answers = list(answers)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while self._answers:
                self.heads.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(self._answers.pop(0))
            await reader.readexactly(1)
        writer.close()


@asynccontextmanager
async def serving(*answers: bytes) -> AsyncIterator[Server]:
    told = Server(*answers)
    listening = await asyncio.start_server(told.talk, "127.0.0.1", 0)
    told.url = URL(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/path?query=1")
    try:
        yield told
    finally:
        listening.close()


async def ask(session: Session, url: URL, method: str = "GET", **more: object) -> bytes:
    async with (
        asyncio.timeout(20),
        await session.request(method, url, Progress(), **{"headers": {}, **more}) as response,
    ):
        return await response.content.read()


async def test_one_connection_serves_one_request_after_the_other(session: Session) -> None:
    async with serving(OK, OK, OK) as server:
        assert [await ask(session, server.url) for _ in range(3)] == [b"ok"] * 3
        assert server.connections == 1


async def test_what_it_writes(session: Session) -> None:
    async with serving(OK, OK, OK) as server:
        await ask(session, server.url, headers={"X-One": "1", "accept": "text/plain"})
        await ask(session, server.url, "POST")
        await ask(session, server.url.with_user("user").with_password("word"), "DELETE")
    get, post, delete = (head.decode().lower().split("\r\n") for head in server.heads)
    assert get[0] == "get /path?query=1 http/1.1"
    assert {
        f"host: {server.url.host}:{server.url.port}",
        "user-agent: genesis",
        "x-one: 1",
        "accept: text/plain",
    } <= set(get)
    assert sum(line.startswith("accept:") for line in get) == 1
    assert "content-length: 0" in post
    assert not any(line.startswith("content-length") for line in get)
    assert "authorization: basic dxnlcjp3b3jk" in delete


async def test_interim_responses_are_passed_over(session: Session) -> None:
    async with serving(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK) as server:
        assert await ask(session, server.url) == b"ok"


@pytest.mark.parametrize(
    "unused",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        OK + OK,
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
async def test_a_connection_in_doubt_is_not_used_again(session: Session, unused: bytes) -> None:
    async with serving(unused, OK) as server:
        assert await ask(session, server.url) == b"ok"
        assert await ask(session, server.url) == b"ok"
        assert server.connections == 2


async def test_a_response_that_is_not_read_costs_its_connection(session: Session) -> None:
    async with serving(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", OK) as server:
        async with await session.request("GET", server.url, Progress(), headers={}) as response:
            assert response.status == 200
        assert await ask(session, server.url) == b"ok"
        assert server.connections == 2


@pytest.mark.parametrize("body", [bytes(LARGE), BytesIOPayload(BytesIO(bytes(LARGE)))], ids=["bytes", "payload"])
async def test_an_answer_before_the_end_of_the_question_is_heard(
    session: Session, body: bytes | BytesIOPayload
) -> None:
    async with serving(OK, OK) as server:
        assert await ask(session, server.url, "POST", body=body) == b"ok"
        assert await ask(session, server.url) == b"ok"
        assert server.connections == 2


@pytest.mark.parametrize("headers", [{"X-One": "1\r\nX-Two: 2"}, {"X-One\r\nX-Two: 2": "1"}])
async def test_a_field_with_a_line_break_is_not_sent(session: Session, headers: dict[str, str]) -> None:
    progress = Progress()
    async with serving(OK) as server:
        with pytest.raises(ValueError, match="header"):
            await session.request("GET", server.url, progress, headers=headers)
    assert not progress.connected
    assert server.heads == []


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "/path", "http:///path", "127.0.0.1:80"])
async def test_a_url_that_cannot_be_asked(session: Session, url: str) -> None:
    progress = Progress()
    with pytest.raises(ValueError):  # noqa: PT011  # whatever it says
        await session.request("GET", URL(url), progress, headers={})
    assert not progress.connected


async def test_nobody_there(session: Session) -> None:
    progress = Progress()
    with pytest.raises(ClientError):
        await session.request("GET", URL(f"http://127.0.0.1:{free_port()}/"), progress, headers={})
    assert not progress.connected


@pytest.mark.parametrize("body", [b"question", BytesIOPayload(BytesIO(b"question"))], ids=["bytes", "payload"])
async def test_a_request_under_way_may_have_been_sent(session: Session, body: bytes | BytesIOPayload) -> None:
    progress = Progress()
    async with serving(b"HTTP/1.1 200") as server:
        response = await session.request("POST", server.url, progress, headers={}, body=body)
        task = asyncio.create_task(response.__aenter__())
        while not server.heads:
            await asyncio.sleep(0)
        assert progress.connected
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"a" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Many: 1\r\n" * 10_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"\x00" * 1000,
        OK + b"more than was announced",
    ],
    ids=["long field", "many fields", "two lengths", "negative length", "status", "protocol", "zeros", "more"],
)
async def test_an_answer_that_is_no_http(session: Session, answer: bytes) -> None:
    progress = Progress()
    async with serving(answer, OK) as server:
        with pytest.raises(ClientError):
            async with await session.request("GET", server.url, progress, headers={}):
                pass
        assert progress.connected
        assert await ask(session, server.url) == b"ok"
    assert server.connections == 2
