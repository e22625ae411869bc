"""Errors as a worker's own word over HTTP: problems that carry the attempt's header."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from genesis.errors import CallFailed
from genesis.net.words import presentable
from genesis.transport import limits
from genesis.transport.wire import ATTEMPT_HEADER, encoded, problem_of
from workers.requests import MalformedJson

EXPECTED = (CallFailed, MalformedJson, HTTPException)
"""Errors that a request may end with; every other one is the worker's own fault."""

_STATUSES = {
    "worker-busy": 503,
    "worker-unavailable": 503,
    "storage-unavailable": 503,
    "provider-unavailable": 503,
    "model-loading": 503,
    "provider-rate-limited": 429,
    "provider-misconfigured": 503,
    "provider-ambiguous": 504,
    "model-unavailable": 404,
    "provider-rejected": 422,
    "nothing-said": 422,
    "input-rejected": 422,
    "input-too-long": 422,
    "too-late": 409,
    "attempt-canceled": 409,
    "result-lost": 502,
}


def problem_response(request: Request, error: Exception) -> Response:
    """The answer to a request that ended with an error."""
    match error:
        case CallFailed():
            return _answer(request, call_problem(error))
        case MalformedJson():
            return _answer(request, _problem(400, "malformed-json", "The body is not valid JSON."))
        case HTTPException():
            return _http(request, error)
        case _:
            # The server logs it. Whether a provider was called is not known here.
            detail = "The worker met an error of its own, so nobody knows whether the provider did the work."
            return _answer(request, _problem(500, "worker-error", detail, "The worker's log has the details."))


def too_large(request: Request, max_bytes: int) -> Response:
    """The answer to a request with too long a body."""
    detail = f"The request body has more than {max_bytes:,} bytes."
    return _answer(request, _problem(413, "payload-too-large", detail, "Give files by URL."))


def head_too_large(connection: HTTPConnection) -> Response:
    """The answer to a request with too many or too large header fields."""
    return _answer(connection, limits.head_too_large())


def call_problem(error: CallFailed) -> dict[str, Any]:
    """The wire form of a failed call."""
    return problem_of(error, _STATUSES.get(error.code, 500))


def _http(request: Request, error: HTTPException) -> Response:
    phrase = HTTPStatus(error.status_code).phrase
    said = error.detail if error.detail != phrase else f"{request.method} {request.url.path}: {phrase.lower()}."
    problem = _problem(error.status_code, phrase.lower().replace(" ", "-"), presentable(said))
    return _answer(request, problem, error.headers)


def _problem(status: int, code: str, detail: str, hint: str = "") -> dict[str, Any]:
    title = code.replace("-", " ").capitalize()
    return {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail, "hint": hint}


def _answer(
    connection: HTTPConnection, problem: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Response:
    """The problem as the worker's own word: the attempt's header says so."""
    attempt = getattr(connection.state, "attempt", None) or connection.headers.get(ATTEMPT_HEADER, "")
    fields = {**(headers or {}), ATTEMPT_HEADER: attempt}
    if (retry_after := problem.get("retry_after")) is not None:
        fields["Retry-After"] = str(max(1, round(retry_after)))
    return Response(encoded(problem), problem["status"], headers=fields, media_type="application/problem+json")
