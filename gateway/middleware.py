"""Pure ASGI middleware: request ids, the access log, what errors become that nothing else has caught, body limits."""

import logging
import re
import time
from collections.abc import Mapping

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import problem_response
from gateway.schemas.problem import Problem
from genesis.domain.identity import new_id
from genesis.errors import PayloadTooLarge
from genesis.logs import request_id
from genesis.transport.limits import BodyLimit, head_too_large

logger = logging.getLogger("gateway.access")

REQUEST_ID_HEADER = "X-Request-ID"
_REQUEST_ID_FIELD = REQUEST_ID_HEADER.lower().encode()
_LONGEST_REQUEST_ID = 128
_CLIENT_CLOSED_REQUEST = 499
"""What nginx writes into its log of such a request; nobody is answered with it."""

_SENDS_FILE = re.compile(r"POST /files|PUT /files/[^/]+/content")
_EVERY_ANSWER = ((b"x-content-type-options", b"nosniff"), (b"content-security-policy", b"frame-ancestors 'none'"))
"""Nothing is taken for another type than it says, and no page of another origin shows ours in a frame."""


class RequestLog:
    """Gives every request an id, which the caller may choose, and writes one line about it when it is answered.

    Every answer tells browsers what they may not do with it.

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
                own = (_REQUEST_ID_FIELD, identity.encode("latin-1"))
                message["headers"] = [*message.get("headers", ()), own, *_EVERY_ANSWER]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except ClientDisconnect:  # whoever asked has gone before the end of the question
            status = status or _CLIENT_CLOSED_REQUEST
        except Exception:
            logger.exception("unexpected error")
            if status:
                raise
            await problem_response(_unexpected())(scope, receive, send_with_id)
        finally:
            if logger.isEnabledFor(logging.INFO):
                milliseconds = round((time.perf_counter() - started) * 1000, 1)
                more = {"status": status, "milliseconds": milliseconds}
                logger.info("%s %s %s", scope["method"], scope["path"], status, extra=more)
            request_id.reset(token)


def _chosen_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == _REQUEST_ID_FIELD:
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
        hint="Send files to `POST /files`; jobs take their ids.",
        request_id=request_id.get(),
    )


def head_refusal(_: Scope) -> ASGIApp:
    """The response to a request with too many or too large header fields."""
    return problem_response(Problem(**head_too_large(), request_id=request_id.get()))


def encoded(encoding: str) -> Problem:
    """What a request with a `Content-Encoding` is answered with."""
    return Problem(
        title="Unsupported media type",
        status=415,
        code="unsupported-media-type",
        detail=f"The request body has the Content-Encoding {encoding[:50]}, which is not read.",
        hint="Send it as it is, without Content-Encoding.",
        request_id=request_id.get(),
    )


class BodyLimits:
    """Pure ASGI middleware: refuses request bodies that are too large, with a limit of its own for some paths, or encoded.

    Args:
        max_bytes: of any other path.
        by_path: bytes by path.
        upload_bytes: of requests that send a file.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, by_path: Mapping[str, int], upload_bytes: int) -> None:
        self._other = _limited(app, max_bytes)
        self._upload = _limited(app, upload_bytes)
        self._by_path = {path: _limited(app, more) for path, more in by_path.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        encoding = next((value for name, value in scope.get("headers", ()) if name == b"content-encoding"), b"identity")
        if scope["type"] == "http" and encoding.lower() != b"identity":
            refusal = problem_response(encoded(encoding.decode("latin-1")), {"Accept-Encoding": "identity"})
            await refusal(scope, receive, send)
            return
        path = scope.get("path", "")
        sends_file = path.startswith("/files") and _SENDS_FILE.fullmatch(f"{scope.get('method')} {path}")
        limited = self._upload if sends_file else self._by_path.get(path, self._other)
        await limited(scope, receive, send)


def _limited(app: ASGIApp, max_bytes: int) -> BodyLimit:
    return BodyLimit(app, max_bytes=max_bytes, refusal=lambda _: problem_response(too_large(max_bytes)))
