"""Real processes of the platform, for tests that start, kill and restart them."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import httpx2

ROOT = Path(__file__).resolve().parents[2]


_reserved: list[socket.socket] = []


def free_port() -> int:
    """A port for a server that starts later; nobody else is given it as long as this process lives.

    Linux gives a socket that asks for any port one that no other socket has, and lets a server have a port that is
    named where all of its sockets allow that and none listens. Chosen and let go of, a port would be given out again once
    in 7,000 times, and whoever waits for a server would take another one for it.
    """
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", 0))
    _reserved.append(reserved)
    return int(reserved.getsockname()[1])


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Private folders and the fake provider; nothing of the caller's settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    openblas = {name: value for name, value in os.environ.items() if name.startswith("OPENBLAS")}
    return {
        **kept,
        **openblas,
        "DB_PATH": str(folder / "jobs.db"),
        "STORAGE_PATH": str(folder / "storage"),
        "GENESIS_FAKE_PROVIDER": "true",
        "GENESIS_LOCAL_PROVIDER": "false",
        "LOG_FORMAT": "text",
        **more,
    }


class Process:
    """A server process; leaving the context ends it."""

    def __init__(self, arguments: list[str], port: int, env: dict[str, str], log: Path, cwd: Path = ROOT) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(arguments, env=env, cwd=cwd, stdout=output, stderr=output)

    def __enter__(self) -> Self:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"it ended with {self._process.returncode}:\n{self._log.read_text()}")
            try:
                if httpx2.get(self.url + "/health", timeout=2).status_code == 200:
                    return self
            except httpx2.HTTPError:
                time.sleep(0.05)
        raise RuntimeError(f"it does not answer:\n{self._log.read_text()}")

    def __exit__(self, kind: type[BaseException] | None, failure: BaseException | None, _: object) -> None:
        code = self.stop()
        if failure is not None:
            failure.add_note(f"{self.url} ended with {code} and had said:\n{self.log}")

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """As the power cut does."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)

    def stop(self) -> int:
        """As an orchestrator does."""
        if self._process.poll() is None:
            self._process.terminate()
        return self._process.wait(30)

    def wait(self, seconds: float) -> int:
        """Its exit code, once it has ended by itself."""
        return self._process.wait(seconds)

    @property
    def log(self) -> str:
        return self._log.read_text()


def server(folder: Path, port: int, **env: str) -> Process:
    """`genesis-server up`: everything in one process."""
    arguments = [sys.executable, "-m", "launcher.main", "up", "--port", str(port)]
    return Process(arguments, port, environment(folder, **env), folder / "server.log")


def uvicorn(folder: Path, app: str, port: int, *, cwd: Path = ROOT, **env: str) -> Process:
    """One service, started as the specification says."""
    arguments = [sys.executable, "-m", "uvicorn", app, "--port", str(port)]
    log = folder / f"{app.partition(':')[0]}-{port}.log"
    return Process(arguments, port, environment(folder, **env), log, cwd)
