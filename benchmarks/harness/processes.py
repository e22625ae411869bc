"""Starts servers on the target's core, waits until they answer, and stops them with all they have started."""

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness.machine import TARGET_CORE, on_core

_START_SECONDS = 60.0
_STOP_SECONDS = 10.0


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def server(
    command: Sequence[str | Path],
    *,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
    core: int = TARGET_CORE,
    stop_signal: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a command until the block ends; what it prints goes to `log`."""
    with on_core(core), log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            user=user,
            extra_groups=[] if user else None,
            process_group=0,
        )
    try:
        yield process
    finally:
        process.send_signal(stop_signal)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for_http(url: str, process: subprocess.Popen[bytes], log: Path, pause: float = 0.01) -> None:
    """Returns when the URL answers 200."""
    wait_until(lambda: _answers(url), process, log, f"{url} does not answer", pause)


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Returns when somebody listens on a TCP port."""
    wait_until(lambda: _listens(port), process, log, f"nobody listens on port {port}")


def wait_until(
    done: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, complaint: str, pause: float = 0.01
) -> None:
    """Returns when `done` holds; fails with the log's end when the process has ended or a minute has passed."""
    deadline = time.monotonic() + _START_SECONDS
    while not done():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"{complaint}; its log ends with:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(pause)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
