"""Starts, watches and ends the child process in which an offline model runs; for one capability and one event loop."""

import asyncio
import json
import logging
import os
import secrets
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import genesis
from genesis.errors import ProviderUnavailable

logger = logging.getLogger(__name__)

_SERVER = "genesis.providers.local.server"
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH", "TZ")
_PASSED_ON_PREFIXES = ("OPENBLAS", "OMP_", "MKL_")
_KEPT_LINES = 20
_CHUNK_BYTES = 8 * 1024
_LONGEST_LINE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a running child listens.

    Attributes:
        token: sent as `Authorization: Bearer <token>`.
    """

    base_url: str
    token: str


class LocalServer:
    """The offline server of one capability: started on first use, ended when idle, started again after a crash.

    Args:
        idle_seconds: without a use for this long, the child is ended.
        start_seconds: longest that it may take to start.
    """

    def __init__(self, capability: str, *, idle_seconds: float = 300.0, start_seconds: float = 60.0) -> None:
        self._capability = capability
        self._idle_seconds = idle_seconds
        self._start_seconds = start_seconds
        self._starting = asyncio.Lock()
        self._child: _Child | None = None
        self._uses = 0
        self._idle_timer: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process id of the running child."""
        return self._child.process.pid if self._child is not None and self._child.running else None

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Endpoint]:
        """A running server for as long as the block lasts.

        Raises:
            ProviderUnavailable: it cannot be started; the message holds what it said last.
        """
        self._uses += 1
        self._stop_idle_timer()
        try:
            yield await self._endpoint()
        finally:
            self._uses -= 1
            if not self._uses and not self._closed:
                self._idle_timer = asyncio.get_running_loop().call_later(self._idle_seconds, self._end_idle)

    async def kill(self) -> None:
        """Ends the child at once, whatever it computes; the next use starts another."""
        child, self._child = self._child, None
        if child is not None:
            await child.end()

    async def close(self) -> None:
        """Ends the child for good."""
        self._closed = True
        self._stop_idle_timer()
        async with self._starting:
            await self.kill()
        await asyncio.gather(*self._ending)

    async def _endpoint(self) -> Endpoint:
        async with self._starting:  # of callers at the same time, the first one starts it for all
            if self._closed:
                raise ProviderUnavailable(f"The offline server for {self._capability} is closed.")
            if self._child is not None and not self._child.running:
                logger.warning("the offline server for %s has ended by itself", self._capability)
                await self.kill()
            if self._child is None:
                self._child = await _start(self._capability, self._start_seconds)
            return self._child.endpoint

    def _stop_idle_timer(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    def _end_idle(self) -> None:
        task = asyncio.get_running_loop().create_task(self.kill())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


class _Child:
    """A running child process.

    Its standard input stays open as long as this process lives: its end is what tells the child to go.
    """

    def __init__(self, process: asyncio.subprocess.Process, token: str) -> None:
        self.process = process
        self.endpoint = Endpoint("", token)
        self._last_lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._reading = asyncio.create_task(self._read_errors(process.stderr))

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.returncode is None

    @property
    def last_words(self) -> str:
        """The last lines of its standard error."""
        return "\n".join(self._last_lines)

    async def wait_ready(self) -> None:
        """Waits until it says where it listens.

        Raises:
            ValueError: it ended without a word.
        """
        line = await self.process.stdout.readline() if self.process.stdout is not None else b""
        port = json.loads(line)["port"]
        self.endpoint = replace(self.endpoint, base_url=f"http://127.0.0.1:{port}")

    async def end(self) -> None:
        """Kills it and waits until nothing of it is left; it holds no state worth a farewell."""
        if self.running:
            with suppress(ProcessLookupError):  # it went by itself in this very moment
                self.process.kill()
        await asyncio.shield(self._gone())  # a cancellation must not leave a zombie behind

    async def _gone(self) -> None:
        await self.process.wait()
        await self._reading
        if self.process.stdin is not None:
            self.process.stdin.close()
        if self.process.stdout is not None:
            await self.process.stdout.read()

    async def _read_errors(self, stream: asyncio.StreamReader | None) -> None:
        pending = b""
        while stream is not None and (chunk := await stream.read(_CHUNK_BYTES)):
            *lines, pending = (pending + chunk)[-_LONGEST_LINE:].split(b"\n")
            for line in lines:
                self._hear(line)
        if pending:
            self._hear(pending)

    def _hear(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip()
        self._last_lines.append(text)
        logger.warning("offline server: %s", text)


async def _start(capability: str, start_seconds: float) -> _Child:
    """Starts a child and waits until it accepts connections.

    Raises:
        ProviderUnavailable: it did not get that far.
    """
    token = secrets.token_urlsafe(32)
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", _SERVER, capability),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(token),
            start_new_session=True,  # Ctrl-C in a terminal is for the worker, which then ends its children
        )
    except OSError as error:
        raise ProviderUnavailable(f"The offline server for {capability} cannot be started: {error}") from error
    child = _Child(process, token)
    try:
        async with asyncio.timeout(start_seconds):
            await child.wait_ready()
    except (TimeoutError, ValueError) as error:
        await child.end()
        reason = f"no answer within {start_seconds:g} s" if isinstance(error, TimeoutError) else "it ended"
        raise ProviderUnavailable(
            f"The offline server for {capability} did not start: {reason}. {child.last_words}".strip()
        ) from error
    except asyncio.CancelledError:
        await child.end()
        raise
    return child


def _environment(token: str) -> dict[str, str]:
    """A child's environment: nothing of the worker's keys and settings reaches it."""
    passed_on = {
        name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith(_PASSED_ON_PREFIXES)
    }
    root = str(Path(genesis.__file__).resolve().parents[1])
    return {
        "OPENBLAS_NUM_THREADS": "1",
        **passed_on,
        "PYTHONPATH": os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH")))),
        "PYTHONUTF8": "1",
        "HF_HUB_OFFLINE": "1",
        "GENESIS_LOCAL_TOKEN": token,
    }
