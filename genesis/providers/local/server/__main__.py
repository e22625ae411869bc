"""`python -m genesis.providers.local.server CAPABILITY`: serves one capability until its standard input ends."""

import json
import logging
import os
import socket
import sys
import threading
from typing import TextIO

import uvicorn

from genesis.providers.local.server.app import build_app
from genesis.providers.local.server.generation import SERVICES

_KEEP_ALIVE_SECONDS = 3600
"""Longer than any client keeps an idle connection, so that none is closed in the moment it is used again."""


class AnnouncingServer(uvicorn.Server):
    """A server that prints `{"port": N}` as soon as it accepts connections."""

    def __init__(self, config: uvicorn.Config, announcement: TextIO) -> None:
        super().__init__(config)
        self._announcement = announcement

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for bound in sockets or ():
            with self._announcement as stream:
                stream.write(json.dumps({"port": bound.getsockname()[1]}) + "\n")


def main() -> int:
    """Serves until the parent is gone; returns the exit status."""
    token = os.environ.pop("GENESIS_LOCAL_TOKEN", "")
    if len(sys.argv) != 2 or sys.argv[1] not in SERVICES or not token:
        sys.stderr.write(f"usage: GENESIS_LOCAL_TOKEN=… python -m {__package__} {'|'.join(SERVICES)}\n")
        return 2
    os.environ["HF_HUB_OFFLINE"] = "1"
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    announcement = _own_stdout()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        build_app(sys.argv[1], token),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )
    AnnouncingServer(config, announcement).run([listener])
    return 0


def _own_stdout() -> TextIO:
    """The real standard output; whatever native code prints goes to standard error from now on."""
    announcement = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return announcement


def _end_with_parent() -> None:
    """Ends this process, whatever it is doing, when standard input does: also a killed parent closes it."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
