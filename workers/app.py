"""The HTTP face that all workers share: `GET /health`, `POST /generate`, `DELETE /attempts/{id}`."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel, Field, StringConstraints, create_model
from starlette.exceptions import HTTPException
from starlette.types import Scope

from genesis import __version__
from genesis.capabilities.catalog import CAPABILITIES, Capability
from genesis.domain.identity import new_id
from genesis.errors import CallFailed, InputRejected
from genesis.logs import configure_logging
from genesis.net.words import presentable
from genesis.ports.workers import Call
from genesis.settings import Settings
from genesis.transport.limits import BodyLimit
from genesis.transport.wire import (
    ATTEMPT_HEADER,
    CallMetadata,
    CallProblem,
    WorkerHealth,
    health_of,
    metadata_of,
    problem_of,
)
from workers.service import WorkerService, open_worker

_STATUSES = {
    "worker-busy": 503,
    "worker-unavailable": 503,
    "storage-unavailable": 503,
    "provider-unavailable": 503,
    "provider-rate-limited": 429,
    "provider-misconfigured": 503,
    "provider-ambiguous": 504,
    "provider-rejected": 422,
    "input-rejected": 422,
    "attempt-canceled": 409,
    "result-lost": 502,
}

Identifier = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
"""A UUID; files are named after it."""


def create_worker(capability_name: str, settings: Settings | None = None) -> FastAPI:
    """The application of one worker; settings come from the environment unless given."""
    capability = CAPABILITIES[capability_name]
    read = settings or Settings.load()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        configure_logging(read)
        async with open_worker(capability_name, read) as service:
            app.state.service = service
            yield

    app = FastAPIOffline(
        title=f"Genesis {capability.worker} worker",
        description=f"Offers the capability `{capability.name}`.",
        version=__version__,
        lifespan=lifespan,
    )
    app.add_exception_handler(CallFailed, _call_failed)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)
    app.add_middleware(
        BodyLimit, max_bytes=read.max_request_bytes, refusal=lambda scope: _too_large(scope, read.max_request_bytes)
    )
    _add_routes(app, capability)
    return app


def _add_routes(app: FastAPI, capability: Capability) -> None:
    request_model = _request_model(capability)
    answer_model = _answer_model(capability)

    @app.get("/health")
    async def health(request: Request) -> WorkerHealth:
        """Says that the worker lives, and what it can do."""
        service = _service(request)
        return health_of(service.describe(), version=__version__, busy=service.busy)

    async def generate(
        request: Request,
        body: Any,
        genesis_attempt: Annotated[Identifier | None, Header()] = None,
        genesis_call_key: Annotated[Identifier | None, Header()] = None,
    ) -> JSONResponse:
        """Makes one call of one provider and answers when it is done."""
        given: Mapping[str, Any] = body.model_dump(mode="json", exclude_none=True)
        attempt = genesis_attempt or new_id()
        request.state.attempt = attempt
        call = Call(
            attempt=attempt,
            call_key=genesis_call_key or new_id(),
            capability=capability.name,
            input={name: value for name, value in given.items() if name != "options"},
            options=given.get("options", {}),
        )
        result = await _service(request).generate(call)
        answer = answer_model(**result.output, metadata=metadata_of(result))
        return JSONResponse(answer.model_dump(mode="json"), headers={ATTEMPT_HEADER: attempt})

    generate.__annotations__["body"] = request_model
    app.post("/generate", response_model=answer_model, responses={422: {"model": CallProblem}})(generate)

    @app.delete("/attempts/{attempt}", status_code=204)
    async def cancel(request: Request, attempt: Identifier) -> None:
        """Gives up the call of an attempt; its `POST /generate` then answers that it was canceled."""
        await _service(request).cancel(attempt)


def _request_model(capability: Capability) -> type[BaseModel]:
    return create_model(
        f"{capability.worker.capitalize()}Request",
        __base__=capability.input,
        options=(capability.options, Field(default_factory=capability.options)),
    )


def _answer_model(capability: Capability) -> type[BaseModel]:
    return create_model(
        f"{capability.worker.capitalize()}Answer", __base__=capability.output, metadata=(CallMetadata, ...)
    )


def _service(request: Request) -> WorkerService:
    service: WorkerService = request.app.state.service
    return service


async def _call_failed(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, CallFailed)  # noqa: S101  # registered for this type only
    return _answer(request, problem_of(error, _STATUSES.get(error.code, 500)))


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for this type only
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return _answer(request, _problem(400, "malformed-json", "The body is not valid JSON."))
    place = ".".join(str(part) for part in first["loc"])
    return _answer(request, problem_of(InputRejected(presentable(f"{place}: {first['msg']}")), 422))


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for this type only
    phrase = HTTPStatus(error.status_code).phrase
    said = error.detail if error.detail != phrase else f"{request.method} {request.url.path}: {phrase.lower()}."
    problem = _problem(error.status_code, phrase.lower().replace(" ", "-"), presentable(said))
    return _answer(request, problem, error.headers)


async def _unexpected(request: Request, _error: Exception) -> JSONResponse:
    # The server logs it. Whether a provider was called is not known here.
    detail = "The worker met an error of its own, so nobody knows whether the provider did the work."
    return _answer(request, _problem(500, "worker-error", detail, "The worker's log has the details."))


def _too_large(scope: Scope, max_bytes: int) -> JSONResponse:
    detail = f"The request body has more than {max_bytes:,} bytes."
    return _answer(Request(scope), _problem(413, "payload-too-large", detail, "Give files by URL."))


def _problem(status: int, code: str, detail: str, hint: str = "") -> CallProblem:
    title = code.replace("-", " ").capitalize()
    return CallProblem(title=title, status=status, code=code, detail=detail, hint=hint)


def _answer(request: Request, problem: CallProblem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The problem as the worker's own word: the attempt's header says so."""
    attempt = getattr(request.state, "attempt", None) or request.headers.get(ATTEMPT_HEADER, "")
    fields = {**(headers or {}), ATTEMPT_HEADER: attempt}
    if problem.retry_after is not None:
        fields["Retry-After"] = str(max(1, round(problem.retry_after)))
    return JSONResponse(
        problem.model_dump(mode="json"), problem.status, headers=fields, media_type="application/problem+json"
    )
