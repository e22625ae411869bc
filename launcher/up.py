"""Serves the gateway with all workers in one process."""

from gateway.main import create_app
from genesis.database.open import check_database
from genesis.logs import configure_logging
from genesis.prices.known import open_prices
from genesis.settings import Settings
from genesis.storage.open import open_store
from launcher.serving import bind, serve_app
from launcher.workers import open_in_process_workers


def serve(settings: Settings, host: str, port: int) -> None:
    """Serves until the process is told to stop.

    Raises:
        Misconfigured: the address is taken, or the database, the store or the table of prices cannot be used.
    """
    configure_logging(settings)
    check_database(settings, required=False)
    open_store(settings)
    open_prices(settings.prices_path)
    listener = bind(host, port)
    address = f"http://{host}:{listener.getsockname()[1]}"
    print(f"Genesis is at {address}/app/ and its API is described at {address}/docs", flush=True)  # noqa: T201
    serve_app(create_app(settings, open_in_process_workers), listener, settings)
