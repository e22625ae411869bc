"""Pure ASGI middleware: request ids, the access log, and what errors become that nothing else has caught."""

import logging
import time

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import problem_response
from gateway.schemas.problem import Problem
from genesis.domain.identity import new_id
from genesis.errors import PayloadTooLarge
from genesis.logs import request_id

logger = logging.getLogger("gateway.access")

REQUEST_ID_HEADER = "X-Request-ID"
_LONGEST_REQUEST_ID = 128


class RequestLog:
    """Gives every request an id, which the caller may choose, and writes one line about it when it is answered.

    An error that nothing else has caught becomes a problem here.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identity = _chosen_id(scope) or new_id()
        token = request_id.set(identity)
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = identity
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            logger.exception("unexpected error")
            if status:
                raise
            await problem_response(_unexpected())(scope, receive, send_with_id)
        finally:
            milliseconds = round((time.perf_counter() - started) * 1000, 1)
            logger.info(
                "%s %s %s",
                scope["method"],
                scope["path"],
                status,
                extra={"status": status, "milliseconds": milliseconds},
            )
            request_id.reset(token)


def _chosen_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == REQUEST_ID_HEADER.lower().encode():
            chosen: str = value.decode("latin-1")
            return chosen if chosen.isprintable() and len(chosen) <= _LONGEST_REQUEST_ID else ""
    return ""


def _unexpected() -> Problem:
    return Problem(
        title="Internal error",
        status=500,
        code="internal-error",
        detail="Genesis met an error of its own.",
        hint="The log has the details under this request's id; please report it.",
        request_id=request_id.get(),
    )


def too_large(max_bytes: int) -> Problem:
    """What a request of more than `max_bytes` is answered with."""
    return Problem(
        title="Payload too large",
        status=413,
        code=PayloadTooLarge.code,
        detail=f"The request body has more than {max_bytes:,} bytes.",
        hint="Give files by URL; their content does not belong into the request.",
        request_id=request_id.get(),
    )
