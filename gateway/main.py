"""The gateway's composition root: `uvicorn gateway.main:app`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.middleware.cors import CORSMiddleware

from gateway.direct import Shortcut
from gateway.errors import add_error_handlers
from gateway.middleware import REQUEST_ID_HEADER, BodyLimits, RequestLog, head_refusal
from gateway.origins import HostCheck, OriginCheck
from gateway.preferences import REPLAYED
from gateway.routes import batches, events, files, jobs, money, page, pipelines, providers, status, storage
from gateway.schemas.event import EventView, StreamView, TextDeltaView
from gateway.schemas.problem import Problem
from gateway.serving import ContentServer
from gateway.starting import OpenWorkers, engine_in
from genesis import __version__
from genesis.files.watching import StoreWatch
from genesis.settings import Settings
from genesis.storage.open import open_store
from genesis.transport.http import open_http_workers
from genesis.transport.limits import HeaderLimit

_DESCRIPTION = """
Generates text, images and audio through any provider, with one durable job contract for every modality.

Create a job with `POST /jobs`, look at it with `GET /jobs/{job_id}` or follow `GET /jobs/{job_id}/events` until its
`status` is `completed`, `failed` or `canceled`, and fetch the files that its `outputs` name. Files for its inputs are
given by URL, or by id when they were sent to `POST /files` or made by another job. Every error is a problem (RFC 9457) with
a stable `code`, what happened, and a `hint` what to do.
"""

_EXPOSED = ("Accept-Ranges", "Content-Range", "ETag", "Link", "Location", "Preference-Applied", "Retry-After")
_NO_TELEMETRY = {"tracing": False, "metrics": False, "logs": False}
"""What nobody has set up would be looked for at each request."""
_BATCH_REQUESTS = 32
"""A batch may have as many bytes as this many other requests: 1,000 jobs of the longest text in plain ASCII."""


def create_app(settings: Settings | None = None, open_workers: OpenWorkers = open_http_workers) -> FastAPI:
    """The gateway's application.

    Args:
        settings: read from the environment unless given.
        open_workers: how the workers are reached.
    """
    settings = settings or Settings.load()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        store = open_store(settings)
        app.state.contents = ContentServer(store, settings)
        app.state.store_watch = StoreWatch(store)
        try:
            async with app.state.store_watch.running(), engine_in(app, settings, open_workers, store):
                yield
        finally:
            await store.close()

    app = FastAPIOffline(
        title="Genesis", description=_DESCRIPTION, version=__version__, lifespan=lifespan, telemetry=_NO_TELEMETRY
    )
    app.state.settings = settings
    app.state.largest_job = settings.max_request_bytes
    shown = (
        jobs.router,
        money.router,
        batches.router,
        events.router,
        files.router,
        storage.router,
        pipelines.router,
        providers.router,
        status.router,
    )
    for router in (*shown, page.page_router(settings.page_path)):
        app.include_router(router)
    add_error_handlers(app)
    _add_schemas(app)
    app.add_middleware(Shortcut, create_job=jobs.create_job, get_job=jobs.get_job, get_content=storage.get_content)
    batch_bytes = settings.max_request_bytes * _BATCH_REQUESTS
    app.add_middleware(
        BodyLimits,
        max_bytes=settings.max_request_bytes,
        by_path={"/batches": batch_bytes},
        upload_bytes=settings.max_upload_bytes + files.FORM_BYTES,
    )
    app.add_middleware(OriginCheck, allowed=settings.cors_origins)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=[*_EXPOSED, REPLAYED, REQUEST_ID_HEADER],
        )
    app.add_middleware(HostCheck, trusted=settings.trusted_hosts)
    app.add_middleware(HeaderLimit, refusal=head_refusal)
    app.add_middleware(RequestLog)
    return app


def _add_schemas(app: FastAPI) -> None:
    """Puts the schemas of errors and of streamed events into the OpenAPI document, which routes refer to by name."""
    original = app.openapi

    def openapi() -> dict[str, object]:
        document = original()
        models: list[type[BaseModel]] = [Problem, EventView, TextDeltaView, StreamView]
        _, schemas = models_json_schema(
            [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
        )
        document["components"]["schemas"].update(schemas["$defs"])
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def __getattr__(name: str) -> FastAPI:
    """Builds `app` when a server asks for it, so that importing this module reads no settings."""
    if name == "app":
        return create_app()
    raise AttributeError(name)
