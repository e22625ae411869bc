"""A call's answer as lines, written as things happen; to a slow reader fewer and longer ones."""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.types import Receive, Scope, Send

from genesis.errors import CallFailed
from genesis.ports.workers import CallPending, CallResult
from genesis.transport.wire import ATTEMPT_HEADER, LINES, answer_of, encoded, pending_of
from workers.flights import Waiting

_LINES = LINES.encode()
_ATTEMPT = ATTEMPT_HEADER.lower().encode()
_WAIT_FOR_ONE_PIECE_SECONDS = 0.05
"""An answer that is there within this time is sent in one piece."""


class News:
    """What is to be told of a call: pieces of its text, until its outcome is there."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._happened = asyncio.Event()

    def tell(self, text: str) -> None:
        """A piece of text has come."""
        self._text.append(text)
        self._happened.set()

    def ended(self, _: object) -> None:
        """The outcome is there."""
        self._happened.set()

    async def wait(self, seconds: float | None = None) -> None:
        """Until something has happened, or time is up."""
        if seconds is None:
            await self._happened.wait()
        else:
            timer = asyncio.get_running_loop().call_later(seconds, self._happened.set)
            await self._happened.wait()
            timer.cancel()
        self._happened.clear()

    def take(self) -> str:
        """The text that has come since it was last taken."""
        text = "".join(self._text)
        self._text.clear()
        return text


class LinesResponse:
    """The answer of one call as lines; an ASGI application for one request.

    It is written to its end whether or not somebody still reads; that nobody does never ends the call.

    Args:
        problem_of: the wire form of a failed call.
    """

    def __init__(
        self,
        attempt: str,
        waiting: Waiting,
        news: News,
        *,
        problem_of: Callable[[CallFailed], dict[str, Any]],
    ) -> None:
        self._attempt = attempt
        self._waiting = waiting
        self._news = news
        self._problem_of = problem_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # Starlette's
        """Answers the request."""
        try:
            await self._answer(send)
        except OSError:
            return  # the reader has gone; the call goes on
        finally:
            self._waiting.leave()

    async def _answer(self, send: Send) -> None:
        outcome, news = self._waiting.outcome, self._news
        accepted = b'{"accepted":{"attempt":"%s"}}\n' % self._attempt.encode()  # a UUID needs no escapes
        if not outcome.done():
            outcome.add_done_callback(news.ended)
            await news.wait(_WAIT_FOR_ONE_PIECE_SECONDS)
        if outcome.done():
            body = accepted + self._text() + await self._last()
            await self._start(send, len(body))
            await send({"type": "http.response.body", "body": body})
            return
        await self._start(send)
        await send({"type": "http.response.body", "body": accepted + self._text(), "more_body": True})
        while not outcome.done():
            await news.wait()
            if not outcome.done() and (line := self._text()):
                await send({"type": "http.response.body", "body": line, "more_body": True})
        await send({"type": "http.response.body", "body": self._text() + await self._last()})

    async def _start(self, send: Send, length: int | None = None) -> None:
        headers = [
            (b"content-type", _LINES),
            (b"cache-control", b"no-store"),
            (_ATTEMPT, self._attempt.encode()),
        ]
        if length is not None:
            headers.append((b"content-length", b"%d" % length))
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    def _text(self) -> bytes:
        text = self._news.take()
        return encoded({"delta": text}) + b"\n" if text else b""

    async def _last(self) -> bytes:
        try:
            outcome = await self._waiting.result()
        except CallFailed as error:
            return encoded({"error": self._problem_of(error)}) + b"\n"
        return encoded(_line(outcome)) + b"\n"


def _line(outcome: CallResult | CallPending) -> dict[str, Any]:
    if isinstance(outcome, CallPending):
        return {"pending": pending_of(outcome)}
    return {"done": answer_of(outcome)}
