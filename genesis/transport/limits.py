"""What gateway and workers take at most from whoever speaks to them."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_FIELDS = 100
LONGEST_HEAD_BYTES = 64 * 1024
_FIELD_BYTES = len(": \r\n")


def head_too_large() -> dict[str, Any]:
    """The problem of a request with too large a head, whoever refuses it."""
    return {
        "type": "about:blank",
        "title": "Request header fields too large",
        "status": 431,
        "code": "request-header-fields-too-large",
        "detail": f"The request has more than {MOST_FIELDS} header fields, or more than {LONGEST_HEAD_BYTES:,} bytes of "
        "them.",
        "hint": "Send fewer and shorter fields; look for large cookies.",
    }


class HeaderLimit:
    """Pure ASGI middleware: refuses requests with more than `MOST_FIELDS` header fields, or `LONGEST_HEAD_BYTES` of them.

    It comes first, so that nobody else looks through them.

    Args:
        refusal: makes the response to such a request, of status 431.
    """

    def __init__(self, app: ASGIApp, *, refusal: Callable[[Scope], ASGIApp]) -> None:
        self._app = app
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan" and _has_large_head(scope["headers"]):
            await self._refusal(scope)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _has_large_head(fields: list[tuple[bytes, bytes]]) -> bool:
    if len(fields) > MOST_FIELDS:
        return True
    return sum([len(name) + len(value) + _FIELD_BYTES for name, value in fields]) > LONGEST_HEAD_BYTES


class BodyLimit:
    """Pure ASGI middleware: refuses request bodies of more than `max_bytes`, whatever their headers say.

    Args:
        refusal: makes the response to a request that is too large, of status 413.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, refusal: Callable[[Scope], ASGIApp]) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise _BodyTooLargeError
            return message

        async def unless_too_large(message: Message) -> None:
            # What the application makes of the broken body is not the answer; ours follows.
            if received <= self._max_bytes:
                await send(message)

        with suppress(_BodyTooLargeError):
            await self._app(scope, limited, unless_too_large)
        if received > self._max_bytes:
            await self._refusal(scope)(scope, receive, send)


class _BodyTooLargeError(Exception):
    """Stops whoever reads the body."""
