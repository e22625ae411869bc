"""Turns every error into problem details; the only place that knows HTTP statuses of our errors."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.routing import Match

from gateway.schemas.problem import FieldProblem, Problem
from genesis.errors import (
    Conflict,
    Forbidden,
    GenesisError,
    Gone,
    IdempotencyConflict,
    InvalidRequest,
    NotFound,
    PayloadTooLarge,
    Unavailable,
    UnsupportedMedia,
)
from genesis.logs import request_id

logger = logging.getLogger(__name__)

_STATUSES: dict[type[GenesisError], int] = {
    InvalidRequest: 422,
    UnsupportedMedia: 415,
    Forbidden: 403,
    NotFound: 404,
    Gone: 410,
    Conflict: 409,
    IdempotencyConflict: 422,
    PayloadTooLarge: 413,
    Unavailable: 503,
}
_HINTS = {
    404: "The API is described at /docs.",
    405: "The API is described at /docs.",
    408: "Send it again; the operator can raise UPLOAD_IDLE_SECONDS.",
    415: "Send the body as JSON with `Content-Type: application/json`.",
}


def add_error_handlers(app: FastAPI) -> None:
    """Makes the application answer every error with a problem."""
    for kind in (GenesisError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _answer)


async def _answer(connection: HTTPConnection, error: Exception) -> JSONResponse:
    return error_response(connection, error)


def error_response(connection: HTTPConnection, error: Exception) -> JSONResponse:
    """The problem that an error is answered with.

    Raises:
        Exception: the error itself, when it is none that is known.
    """
    if isinstance(error, GenesisError):
        return _known(error)
    if isinstance(error, RequestValidationError):
        return _invalid(connection, error)
    if isinstance(error, HTTPException):
        return _http(connection, error)
    raise error


def problem_response(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    """The response for a problem."""
    return JSONResponse(
        problem.model_dump(mode="json"), problem.status, headers=headers, media_type="application/problem+json"
    )


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI description of these problems."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def _title(code: str) -> str:
    return code.replace("-", " ").capitalize()


def _known(error: GenesisError) -> JSONResponse:
    status = next((_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES), 500)
    errors = error.errors if isinstance(error, InvalidRequest) else ()
    if status >= 500:
        logger.error("%s: %s", error.code, error.message)
    problem = Problem(
        title=_title(error.code),
        status=status,
        code=error.code,
        detail=error.message,
        hint=error.hint,
        request_id=request_id.get(),
        errors=[FieldProblem(field=item.field, message=item.message) for item in errors],
    )
    return problem_response(problem, {"Retry-After": "1"} if status == 503 else None)


def _invalid(connection: HTTPConnection, error: RequestValidationError) -> JSONResponse:
    if isinstance(error.body, bytes) and "json" not in connection.headers.get("content-type", ""):
        return _http(connection, HTTPException(415, "The body is not announced as JSON."))
    malformed = any(item["type"] == "json_invalid" for item in error.errors())
    found = [
        FieldProblem(
            field=".".join(str(part) for part in item["loc"][1:]), message=item["msg"].removeprefix("Value error, ")
        )
        for item in error.errors()
    ]
    first = found[0]
    code = "malformed-json" if malformed else InvalidRequest.code
    problem = Problem(
        title=_title(code),
        status=400 if malformed else 422,
        code=code,
        detail=f"The body is not valid JSON{_reason(error)}."
        if malformed
        else f"{first.field}: {first.message}".removeprefix(": "),
        hint="The API is described at /docs.",
        request_id=request_id.get(),
        errors=[] if malformed else found,
    )
    return problem_response(problem)


def _reason(error: RequestValidationError) -> str:
    reasons = [item.get("ctx", {}).get("error") for item in error.errors()]
    return "".join(f": {reason}" for reason in reasons if reason)


def _http(connection: HTTPConnection, error: HTTPException) -> JSONResponse:
    phrase = HTTPStatus(error.status_code).phrase
    place = f"{connection.scope.get('method', 'GET')} {connection.url.path}"
    detail = error.detail if error.detail != phrase else f"{place}: {phrase.lower()}."
    problem = Problem(
        title=phrase,
        status=error.status_code,
        code=phrase.lower().replace(" ", "-"),
        detail=detail,
        hint=_HINTS.get(error.status_code, ""),
        request_id=request_id.get(),
    )
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = _methods(connection)
    return problem_response(problem, headers or None)


def _methods(connection: HTTPConnection) -> str:
    """The methods of all routes of a path; the framework looks at the first one only."""
    matching = (
        route
        for route in iter_route_contexts(connection.app.routes)
        if route.matches(connection.scope)[0] != Match.NONE
    )
    return ", ".join(sorted({method for route in matching for method in route.methods or ()}))
