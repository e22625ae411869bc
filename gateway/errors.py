"""Turns every error into problem details; the only place that knows HTTP statuses of our errors."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from gateway.schemas.problem import FieldProblem, Problem
from genesis.errors import Conflict, GenesisError, InvalidRequest, NotFound, PayloadTooLarge, Unavailable
from genesis.logs import request_id

logger = logging.getLogger(__name__)

_STATUSES: dict[type[GenesisError], int] = {
    InvalidRequest: 422,
    NotFound: 404,
    Conflict: 409,
    PayloadTooLarge: 413,
    Unavailable: 503,
}
_HINTS = {
    404: "The API is described at /docs.",
    405: "The API is described at /docs.",
    415: "Send the body as JSON with `Content-Type: application/json`.",
}


def add_error_handlers(app: FastAPI) -> None:
    """Makes the application answer every error with a problem."""
    app.add_exception_handler(GenesisError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


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


async def _known(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, GenesisError)  # noqa: S101  # registered for this type only
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


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for this type only
    if isinstance(error.body, bytes) and "json" not in request.headers.get("content-type", ""):
        return await _http(request, HTTPException(415, "The body is not announced as JSON."))
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
        detail="The body is not valid JSON." if malformed else f"{first.field}: {first.message}".removeprefix(": "),
        hint="The API is described at /docs.",
        request_id=request_id.get(),
        errors=[] if malformed else found,
    )
    return problem_response(problem)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for this type only
    phrase = HTTPStatus(error.status_code).phrase
    detail = error.detail if error.detail != phrase else f"{request.method} {request.url.path}: {phrase.lower()}."
    problem = Problem(
        title=phrase,
        status=error.status_code,
        code=phrase.lower().replace(" ", "-"),
        detail=detail,
        hint=_HINTS.get(error.status_code, ""),
        request_id=request_id.get(),
    )
    return problem_response(problem, dict(error.headers) if error.headers else None)
