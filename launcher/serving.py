"""Binds an address and serves an application on it."""

import socket
import sys

import uvicorn
from starlette.types import ASGIApp

from genesis.errors import Misconfigured
from genesis.settings import Settings

_DRAIN_MARGIN_SECONDS = 5
# Where there is no httptools, uvicorn parses with h11, which has a bound of its own.
_PROTOCOL = "h11" if sys.platform == "win32" else "genesis.transport.server:BoundedHttpProtocol"


def bind(host: str, port: int) -> socket.socket:
    """Listens on an address.

    Raises:
        Misconfigured: it is taken, or not ours.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise Misconfigured(
            f"Cannot listen on {host}:{port}: {error.strerror}.",
            hint="Set GENESIS_PORT to a free port, or stop the other.",
        ) from error


def serve_app(app: ASGIApp, listener: socket.socket, settings: Settings) -> None:
    """Serves until the process is told to stop, and then as long as the settings let it drain."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        http=_PROTOCOL,
        timeout_graceful_shutdown=int(settings.drain_seconds) + _DRAIN_MARGIN_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])
