"""Runs jobs that gateways accept elsewhere, on the database that they share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from gateway.errors import add_error_handlers
from gateway.routes import providers, status
from gateway.starting import engine_in
from genesis import __version__
from genesis.database.open import check_database
from genesis.errors import Misconfigured
from genesis.logs import configure_logging
from genesis.prices.known import open_prices
from genesis.settings import Settings
from genesis.transport.http import open_http_workers
from launcher.serving import bind, serve_app


def serve_executor(settings: Settings, host: str, port: int) -> None:
    """Runs jobs until the process is told to stop; answers `/health`, `/ready` and `/providers` meanwhile.

    Raises:
        Misconfigured: the address is taken, the database or the table of prices cannot be used, or nobody else could use
            the database.
    """
    configure_logging(settings)
    if settings.database_url is None or settings.database_url.startswith("sqlite"):
        raise Misconfigured(
            "An executor of its own needs a database that several processes can use at once.",
            hint="Set DATABASE_URL to postgresql://user:password@host/database, as for the gateways.",
        )
    settings = settings.model_copy(update={"executor": True})
    check_database(settings, required=False)
    open_prices(settings.prices_path)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with engine_in(app, settings, open_http_workers):
            yield

    listener = bind(host, port)
    app = FastAPI(title="Genesis executor", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.include_router(status.router)
    app.include_router(providers.router)
    add_error_handlers(app)
    print(f"The executor's state is at http://{host}:{listener.getsockname()[1]}/ready", flush=True)  # noqa: T201
    serve_app(app, listener, settings)
