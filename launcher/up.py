"""Serves the gateway with all workers in one process."""

import socket

import uvicorn

from gateway.main import create_app
from genesis.database.open import check_database
from genesis.errors import Misconfigured
from genesis.logs import configure_logging
from genesis.settings import Settings
from genesis.storage.open import open_store
from launcher.workers import open_in_process_workers

_DRAIN_MARGIN_SECONDS = 5


def serve(settings: Settings, host: str, port: int) -> None:
    """Serves until the process is told to stop.

    Raises:
        Misconfigured: the address is taken, or the database or the store cannot be used.
    """
    configure_logging(settings)
    check_database(settings)
    open_store(settings)
    listener = _bind(host, port)
    address = f"http://{host}:{listener.getsockname()[1]}"
    print(f"Genesis is at {address}/app/ and its API is described at {address}/docs", flush=True)  # noqa: T201
    app = create_app(settings, open_in_process_workers)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=int(settings.drain_seconds) + _DRAIN_MARGIN_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _bind(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise Misconfigured(
            f"Cannot listen on {host}:{port}: {error.strerror}.",
            hint="Set GENESIS_PORT to a free port, or stop the other.",
        ) from error
