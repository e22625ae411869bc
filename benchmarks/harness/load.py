"""A load generator: keep-alive connections that each send a request, await its answer, and send the next."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

Protocol = TypeVar("Protocol", bound=asyncio.Protocol)


@dataclass(frozen=True, slots=True)
class Answers:
    """What came back.

    Attributes:
        bodies: the answers' bodies, connection by connection.
        latencies: seconds from the first byte sent to the last byte received, in the same order.
        seconds: from the first request to the last answer.
    """

    bodies: Sequence[bytes]
    latencies: Sequence[float]
    seconds: float


def request(method: str, url: str, body: Any = None) -> bytes:
    """One HTTP/1.1 request as it goes over the wire; a body is sent as JSON."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    content = json.dumps(body).encode() if body is not None else b""
    head = f"{method} {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: */*\r\n"
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return head.encode() + b"\r\n" + content


async def send(url: str, requests: Iterator[bytes], connections: int) -> Answers:
    """Sends all requests over a number of connections, each as fast as it is answered.

    Raises:
        RuntimeError: an answer was not a success, or a connection was lost.
    """
    clients = await _connect(url, connections)
    started = time.perf_counter()
    try:
        await asyncio.gather(*(client.send_all(requests) for client in clients))
        seconds = time.perf_counter() - started
    finally:
        for client in clients:
            client.close()
    bodies = [body for client in clients for body in client.bodies]
    return Answers(bodies, [latency for client in clients for latency in client.latencies], seconds)


class Connection:
    """A connection for one request after the other."""

    def __init__(self, client: "_Client") -> None:
        self._client = client

    async def exchange(self, content: bytes) -> bytes:
        """Sends a request; returns the answer's body.

        Raises:
            RuntimeError: the answer was not a success, or the connection was lost.
        """
        await self._client.send_all(iter([content]))
        return self._client.bodies.pop()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """A connection to the server of a URL."""
    clients = await _connect(url, 1)
    try:
        yield Connection(clients[0])
    finally:
        clients[0].close()


async def ask(url: str) -> Any:
    """The JSON document at a URL."""
    async with connected(url) as connection:
        return json.loads(await connection.exchange(request("GET", url)))


async def _connect(url: str, count: int) -> "list[_Client]":
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    clients = [_Client() for _ in range(count)]
    for client in clients:
        await loop.create_connection(partial(_same, client), parts.hostname or "", parts.port or 80)
    return clients


def _same(protocol: Protocol) -> Protocol:
    return protocol


class _Client(asyncio.Protocol):
    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.latencies: list[float] = []
        self._received = b""
        self._sent_at = 0.0
        self._requests: Iterator[bytes] = iter(())
        self._done: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's has the methods, not the base class

    def send_all(self, requests: Iterator[bytes]) -> "asyncio.Future[None]":
        """Sends one after the other; done when the last is answered."""
        self._done = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._send_next()
        return self._done

    def _send_next(self) -> None:
        content = next(self._requests, None)
        if content is not None:
            self._sent_at = time.perf_counter()
            self._transport.write(content)
        elif self._done and not self._done.done():
            self._done.set_result(None)

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._received = received = self._received + data if self._received else data
        head = received.find(b"\r\n\r\n")
        if head < 0:
            return
        start = head + 4
        length = _content_length(received[:head])
        if len(received) < start + length:
            return
        self.latencies.append(time.perf_counter() - self._sent_at)
        self.bodies.append(received[start:])
        self._received = b""
        if received[9:10] == b"2":
            self._send_next()
        else:
            self._fail(received[:600].decode(errors="replace"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the connection was lost: {exc}")

    def _fail(self, reason: str) -> None:
        if self._done and not self._done.done():
            self._done.set_exception(RuntimeError(reason))


def _content_length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    if not found:
        raise RuntimeError(f"an answer without a length: {head!r}")
    return int(rest.partition(b"\r\n")[0])


class _Open(asyncio.Protocol):
    """Sends one request and keeps what comes back neither looked at nor stored."""

    def __init__(self, content: bytes) -> None:
        self.answered = False
        self.lost = False
        self._content = content
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._content)

    def data_received(self, data: bytes) -> None:
        self.answered = True
        self.lost = self.lost or (data.startswith(b"HTTP/1.1 ") and data[9:10] != b"2")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        self.lost = True


@dataclass(frozen=True, slots=True)
class Held:
    """Requests under way, one connection each."""

    _opened: "Sequence[_Open]"

    @property
    def answered(self) -> int:
        """How many have begun to be answered."""
        return sum(one.answered for one in self._opened)

    @property
    def lost(self) -> int:
        """How many were refused or have ended."""
        return sum(one.lost for one in self._opened)


@asynccontextmanager
async def held(url: str, requests: Sequence[bytes]) -> AsyncIterator[Held]:
    """Sends each request over a connection of its own, which stays open until the block ends."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    opened = [_Open(content) for content in requests]
    for one in opened:
        await loop.create_connection(partial(_same, one), parts.hostname or "", parts.port or 80)
    try:
        yield Held(opened)
    finally:
        for one in opened:
            one.transport.close()
