"""A private instance of the platform, and a server for the sample files, both for the time of the demonstration."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2

_START_SECONDS = 60.0
_STOP_SECONDS = 30.0


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """The demonstration prints its own table."""


@contextmanager
def sample_server(folder: Path) -> Iterator[str]:
    """Serves the samples over HTTP, so that they reach the platform as any file does: by URL. Yields host and port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def instance(folder: Path, *, allowed_host: str) -> Iterator[str]:
    """Starts the platform on a free port with its data in `folder`; yields its URL.

    No key of the caller reaches it, so that it is the offline models that are shown.

    Raises:
        RuntimeError: it did not start; the message has its log.
    """
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "launcher.main", "up", "--port", str(port)],
            env=_environment(folder, allowed_host),
            stdout=output,
            stderr=output,
        )
    try:
        _wait_for(url, process, log)
        yield url
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


def _environment(folder: Path, allowed_host: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "HOME", "LANG", "TMPDIR") or name.startswith("OPENBLAS")
    }
    return {
        **kept,
        "DB_PATH": str(folder / "jobs.db"),
        "STORAGE_PATH": str(folder / "storage"),
        "FETCH_ALLOWED_HOSTS": allowed_host,
        "LOG_FORMAT": "text",
    }


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx2.get(url + "/ready", timeout=5).is_success:
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"The platform did not start:\n{log.read_text(errors='replace')}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
