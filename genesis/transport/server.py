"""The protocol that servers speak HTTP with: uvicorn's, with a bound for what it keeps of a request that does not begin."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from genesis.transport.limits import LONGEST_HEAD_BYTES, MOST_FIELDS, head_too_large
from genesis.transport.wire import encoded

_LINGER_SECONDS = 2.0
"""How long the rest of a refused head is read and thrown away: a connection that is closed earlier may take the answer with
it (RFC 9112, 9.6)."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """Refuses a request whose head does not end, with status 431.

    The parser itself takes a head of any length, and the application sees none before its end. What ends in time is the
    application's to refuse (see `HeaderLimit`). The bounds are looked at after each read from the socket, so that they may
    be exceeded by what one such read brings.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._is_head_open = False
        self._unparsed = 0  # bytes since the head began, or since something was last passed on
        self._lingering: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        if self._lingering is not None:
            return
        self._unparsed += len(data)
        super().data_received(data)
        too_many = self._is_head_open and len(self.headers) > MOST_FIELDS
        if too_many or self._unparsed > LONGEST_HEAD_BYTES:
            self._refuse()

    def on_message_begin(self) -> None:
        self._is_head_open, self._unparsed = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_head_open, self._unparsed = False, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unparsed = 0
        super().on_body(body)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._lingering is not None:
            self._lingering.cancel()
        super().connection_lost(exc)

    def _refuse(self) -> None:
        """Answers and ends the connection; only ends it where the request, or one before it, has an answer of its own."""
        if self.transport.is_closing():
            return
        is_answering = not getattr(self.cycle, "response_complete", True)  # there is none before the first request
        if self._is_head_open and not is_answering:
            self.transport.write(_refusal(self.server_state.default_headers))
            if self.transport.can_write_eof():
                self.transport.write_eof()
                self._lingering = self.loop.call_later(_LINGER_SECONDS, self.transport.abort)
                return
        self.transport.close()


def _refusal(default_headers: list[tuple[bytes, bytes]]) -> bytes:
    body = encoded(head_too_large())
    fields = [
        *default_headers,
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    head = b"".join(name + b": " + value + b"\r\n" for name, value in fields)
    return b"HTTP/1.1 431 Request Header Fields Too Large\r\n" + head + b"\r\n" + body
