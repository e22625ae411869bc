"""The HTTP face that all workers share.

`GET /health` · `POST /generate` · `POST /attempts/{id}/poll` · `GET /attempts/{id}` · `DELETE /attempts/{id}`.
"""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp

from genesis import __version__
from genesis.capabilities.catalog import CAPABILITIES
from genesis.logs import configure_logging
from genesis.ports.clock import Clock
from genesis.settings import Settings
from genesis.transport.limits import BodyLimit, HeaderLimit
from genesis.transport.wire import WorkerHealth, health_of
from workers.direct import Shortcut
from workers.open import open_worker
from workers.problems import EXPECTED, head_too_large, problem_response, too_large
from workers.routes import add_call_routes, service_of

_OBJECTS_UNTIL_COLLECTION = 10_000
"""Of the youngest generation. With Python's 700, a tenth of a call's time goes into a search for cycles."""


def create_worker(capability_name: str, settings: Settings | None = None, clock: Clock | None = None) -> ASGIApp:
    """The application of one worker; settings come from the environment unless given."""
    capability = CAPABILITIES[capability_name]
    read = settings or Settings.load()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        configure_logging(read)
        gc.set_threshold(_OBJECTS_UNTIL_COLLECTION)
        async with open_worker(capability_name, read, clock) as service:
            app.state.service = service
            yield

    app = FastAPIOffline(
        title=f"Genesis {capability.worker} worker",
        description=f"Offers the capability `{capability.name}`.",
        version=__version__,
        lifespan=lifespan,
    )
    for kind in (*EXPECTED, Exception):
        app.add_exception_handler(kind, _problem)

    @app.get("/health")
    async def health(request: Request) -> WorkerHealth:
        """Says that the worker lives, and what it can do."""
        service = service_of(request)
        return health_of(service.describe(), version=__version__, busy=service.busy, now=service.clock.now())

    max_bytes = read.max_request_bytes
    limited = BodyLimit(
        Shortcut(app, add_call_routes(app, capability)),
        max_bytes=max_bytes,
        refusal=lambda scope: too_large(Request(scope), max_bytes),
    )
    return HeaderLimit(limited, refusal=lambda scope: head_too_large(HTTPConnection(scope)))


async def _problem(request: Request, error: Exception) -> Response:
    return problem_response(request, error)
