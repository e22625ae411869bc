"""The gateway's composition root: `uvicorn gateway.main:app`."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware

from gateway.errors import add_error_handlers, problem_response
from gateway.middleware import REQUEST_ID_HEADER, HostCheck, OriginCheck, RequestLog, too_large
from gateway.routes import jobs, page, pipelines, status, storage
from gateway.schemas.problem import Problem
from genesis import __version__
from genesis.database.open import open_database
from genesis.engine.engine import Engine
from genesis.logs import configure_logging
from genesis.pipelines.catalog import builtin_pipelines
from genesis.ports.clock import SystemClock
from genesis.ports.workers import WorkerClient
from genesis.settings import Settings
from genesis.storage.open import open_store
from genesis.transport.http import open_http_workers
from genesis.transport.limits import BodyLimit

_DESCRIPTION = """
Generates text, images and audio through any provider, with one durable job contract for every modality.

Create a job with `POST /jobs`, look at it with `GET /jobs/{job_id}` until its `status` is `completed`, `failed` or
`canceled`, and fetch the files that its `outputs` name. Every error is a problem (RFC 9457) with a stable `code`,
what happened, and a `hint` what to do.
"""

OpenWorkers = Callable[[Settings], AbstractAsyncContextManager[WorkerClient]]


def create_app(settings: Settings | None = None, open_workers: OpenWorkers = open_http_workers) -> FastAPI:
    """The gateway's application.

    Args:
        settings: read from the environment unless given.
        open_workers: how the workers are reached.
    """
    settings = settings or Settings.load()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        configure_logging(settings)
        clock = SystemClock()
        app.state.store = open_store(settings)
        async with (
            open_database(settings, clock) as (ledger, queries),
            open_workers(settings) as workers,
        ):
            engine = Engine(ledger, queries, workers, builtin_pipelines(), clock, settings)
            async with engine.running():
                app.state.engine = engine
                yield

    app = FastAPIOffline(title="Genesis", description=_DESCRIPTION, version=__version__, lifespan=lifespan)
    for router in (jobs.router, pipelines.router, status.router, storage.router, page.page_router(settings.page_path)):
        app.include_router(router)
    add_error_handlers(app)
    _add_problem_schema(app)
    limit = settings.max_request_bytes
    app.add_middleware(BodyLimit, max_bytes=limit, refusal=lambda _: problem_response(too_large(limit)))
    app.add_middleware(OriginCheck, allowed=settings.cors_origins)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["Link", "Location", "Retry-After", REQUEST_ID_HEADER],
        )
    app.add_middleware(HostCheck, trusted=settings.trusted_hosts)
    app.add_middleware(RequestLog)
    return app


def _add_problem_schema(app: FastAPI) -> None:
    """Puts the schema that all error responses refer to into the OpenAPI document."""
    original = app.openapi

    def openapi() -> dict[str, object]:
        document = original()
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        document["components"]["schemas"].update(schema.pop("$defs", {}) | {"Problem": schema})
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def __getattr__(name: str) -> FastAPI:
    """Builds `app` when a server asks for it, so that importing this module reads no settings."""
    if name == "app":
        return create_app()
    raise AttributeError(name)
