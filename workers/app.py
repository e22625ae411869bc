"""The HTTP face that all workers share: `GET /health`, `POST /generate`, `DELETE /attempts/{id}`."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel, Field, StringConstraints, create_model

from genesis import __version__
from genesis.capabilities.catalog import CAPABILITIES, Capability
from genesis.domain.identity import new_id
from genesis.errors import CallFailed, InputRejected
from genesis.logs import configure_logging
from genesis.ports.workers import Call
from genesis.settings import Settings
from genesis.transport.wire import (
    ATTEMPT_HEADER,
    CallMetadata,
    CallProblem,
    WorkerHealth,
    health_of,
    metadata_of,
)
from workers.service import WorkerService, open_worker

_STATUSES = {
    "worker-busy": 503,
    "provider-unavailable": 503,
    "provider-rate-limited": 429,
    "provider-misconfigured": 503,
    "provider-ambiguous": 504,
    "provider-rejected": 422,
    "input-rejected": 422,
    "attempt-canceled": 409,
}

Identifier = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F-]{36}$")]


def create_worker(capability_name: str, settings: Settings | None = None) -> FastAPI:
    """The application of one worker; settings come from the environment unless given."""
    capability = CAPABILITIES[capability_name]

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        read = settings or Settings.load()
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
    status = _STATUSES.get(error.code, 500)
    problem = CallProblem(
        title=error.code.replace("-", " ").capitalize(),
        status=status,
        code=error.code,
        detail=error.message,
        hint=error.hint,
        retry_after=error.retry_after,
    )
    headers = {ATTEMPT_HEADER: getattr(request.state, "attempt", "")}
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    return JSONResponse(problem.model_dump(mode="json"), status, headers=headers, media_type="application/problem+json")


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for this type only
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    request.state.attempt = request.headers.get(ATTEMPT_HEADER, "")
    return await _call_failed(request, InputRejected(f"{place}: {first['msg']}"))
