"""What the servers of all providers share: a key, a journal of charges, and faults that a prompt asks for.

A prompt chooses what goes wrong by a mark `[fault:NAME]`, or `[fault:NAME:N]` for its first N requests only:

    rate-limited    429 with Retry-After: 1          unavailable    503
    refused         400                              error          500; nothing is charged by these four
    reset           the connection is lost before anything is charged
    charged-error   500 although it was charged      charged-reset  the connection is lost after the charge
    hang            charged, and never answered      truncated      charged, half an answer
    html            charged, 200 with a page of HTML

What a media request says cannot be marked in a file, so servers look for marks in the file's bytes as well.
"""

import asyncio
import re
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

KEY = "test-key-of-the-fake-provider"
_MARK = re.compile(r"\[fault:([a-z-]+)(?::(\d+))?\]")
REFUSALS = {"rate-limited": 429, "unavailable": 503, "refused": 400, "error": 500}
UNCHARGED = frozenset({*REFUSALS, "reset"})
HOLD_SECONDS = 3600


@dataclass(frozen=True)
class Charge:
    """Work that was done and is to be paid."""

    id: str
    capability: str
    prompt: str
    fault: str


@dataclass
class FakeProvider:
    """What a server of a provider knows.

    Attributes:
        key: that it takes.
        requests: all that were made, as method and path with query.
        bodies: of those with JSON.
    """

    key: str = KEY
    charges: list[Charge] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    _asked: Counter[str] = field(default_factory=Counter)

    def fault(self, prompt: str | bytes) -> str:
        """What goes wrong with a request; empty when nothing does."""
        text = prompt.decode("latin-1") if isinstance(prompt, bytes) else prompt
        mark = _MARK.search(text)
        if mark is None:
            return ""
        self._asked[text] += 1
        count = int(mark[2] or 0)
        return "" if count and self._asked[text] > count else mark[1]

    def charge(self, capability: str, prompt: str, fault: str = "") -> Charge:
        """Writes down that work is done; its id is unique."""
        charge = Charge(f"{capability}-{len(self.charges) + 1}", capability, prompt, fault)
        self.charges.append(charge)
        return charge


Refuse = Callable[[int], web.StreamResponse]


async def interfere(
    request: web.Request, fault: str, charged: Callable[[], Any], refuse: Refuse
) -> web.StreamResponse | None:
    """The answer of a request that goes wrong before its result is written; None when it does not.

    Args:
        charged: writes the charge down.
        refuse: the provider's own form of an error of a status.
    """
    if fault in REFUSALS:
        return refuse(REFUSALS[fault])
    if fault == "reset":
        return reset(request)
    if fault in ("charged-error", "charged-reset", "hang", "html"):
        charged()
    if fault == "charged-error":
        return refuse(500)
    if fault == "charged-reset":
        return reset(request)
    if fault == "hang":
        await asyncio.sleep(HOLD_SECONDS)
    if fault == "html":
        return web.Response(text="<!doctype html><html><body>Bad gateway</body></html>", content_type="text/html")
    return None


async def delivered(
    request: web.Request, body: bytes, media_type: str, fault: str = "", headers: Mapping[str, str] | None = None
) -> web.StreamResponse:
    """An answer, or the first half of it."""
    if fault != "truncated":
        return web.Response(body=body, headers={"Content-Type": media_type, **(headers or {})})
    fields = {"Content-Length": str(len(body)), "Content-Type": media_type, **(headers or {})}
    response = web.StreamResponse(headers=fields)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    await asyncio.sleep(0.05)  # lets it be read before the connection is lost
    return reset(request)


def reset(request: web.Request) -> web.Response:
    """Loses the connection at once."""
    if transport := request.transport:
        if (connection := transport.get_extra_info("socket")) is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """Serves an application in the event loop of a test; gives its address, http://127.0.0.1:port."""
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def noted(provider: FakeProvider) -> Callable[..., Any]:
    """A middleware that keeps every request in the provider's journal."""

    @web.middleware
    async def note(request: web.Request, handler: Callable[..., Any]) -> web.StreamResponse:
        provider.requests.append(f"{request.method} {request.path_qs}")
        if request.content_type == "application/json" and request.can_read_body:
            provider.bodies.append(await request.json())
        response: web.StreamResponse = await handler(request)
        return response

    return note
