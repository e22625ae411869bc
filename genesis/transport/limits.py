"""What gateway and workers take at most from whoever speaks to them."""

from collections.abc import Callable
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send


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
