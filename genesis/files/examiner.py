"""Has the files of strangers looked into by a child process, which may crash or hang without harm to this one."""

import asyncio
import base64
import json
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import genesis
from genesis.domain.file import MediaDetails
from genesis.errors import Unavailable, UnsupportedMedia
from genesis.files.examination import COPY_PREFIX, Examination

logger = logging.getLogger(__name__)

_LENGTH_BYTES = 4
_LARGEST_ANSWER = 16 * 1024 * 1024
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "TZ")
_LEAST_ROOM = 64 * 1024
"""Bytes; what has less is full."""
_START_SECONDS = 60.0
_MOST_WAITING = 5.0
"""So much longer than its computing time a file may take, by this factor: the machine may be busy."""
_CLOSED = "Files are not examined any more: the process is stopping."
NOT_EXAMINED = "The file could not be examined."


class ChildLost(Exception):
    """The child process has crashed, hung, or answered with what is no answer."""


class Examiner:
    """Examines one file after the other, in a child process that is started when it is first needed.

    The child has no settings or keys, at most 2 GiB of memory, a limit on its computing time, and a low priority. One
    that crashes or hangs is replaced, and the file that it was at has a problem.

    Args:
        idle_seconds: without work for this long, the child is ended.
        cpu_seconds: longest that the child may compute for one file.
        wait_seconds: longest that one file may take; five times as long as it may compute when not given.
        module: what the child runs.
    """

    def __init__(
        self,
        *,
        idle_seconds: float = 60.0,
        cpu_seconds: int = 120,
        wait_seconds: float | None = None,
        module: str = "genesis.files.examining",
    ) -> None:
        self._idle_seconds = idle_seconds
        self._cpu_seconds = cpu_seconds
        self._wait_seconds = _MOST_WAITING * cpu_seconds if wait_seconds is None else wait_seconds
        self._module = module
        self._turn = asyncio.Lock()
        self._child: asyncio.subprocess.Process | None = None
        self._idle: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process id of the running child."""
        return self._child.pid if self._child is not None and self._child.returncode is None else None

    async def examine(self, path: Path, media_type: str) -> Examination:
        """What a file holds.

        Args:
            path: on this machine's disk, absolute.
            media_type: found in its content.

        Raises:
            Unavailable: no child can be started.
        """
        try:
            answer = await self._asked({"do": "examine", "path": str(path), "media_type": media_type})
            return _examination(answer)
        except ChildLost as error:
            logger.warning("a file of type %s could not be examined: %s", media_type, error)
            return Examination(problem=NOT_EXAMINED)

    async def stripped(self, path: Path, media_type: str) -> Path:
        """A copy that holds the picture or the sound and nothing else, a temporary file; the caller deletes it.

        Raises:
            UnsupportedMedia: there can be none; the message says why.
            Unavailable: no child can be started, or there is no room for the copy.
        """
        target = _temporary_file(path.suffix)
        try:
            request = {"do": "strip", "path": str(path), "media_type": media_type, "target": str(target)}
            problem = str((await self._asked(request)).get("problem", NOT_EXAMINED))
        except ChildLost as error:
            logger.warning("a file of type %s could not be stripped: %s", media_type, error)
            problem = "The file cannot be written without its metadata."
        except BaseException:
            _remove(target)
            raise
        if problem:
            is_full = shutil.disk_usage(target.parent).free < _LEAST_ROOM
            _remove(target)
            if is_full:
                raise Unavailable(
                    "This machine has no room for a copy without metadata.",
                    hint="Set TMPDIR to a folder with room for the largest files.",
                )
            raise UnsupportedMedia(problem, hint="Convert the file into another format.")
        return target

    async def close(self) -> None:
        """Ends the child for good, whatever it is at."""
        self._closed = True
        if self._child is not None:
            _kill(self._child)  # whoever waits for its answer sees that there will be none
        async with self._turn:
            self._stop_idle_timer()
            await self._end()

    async def _asked(self, request: Mapping[str, str]) -> dict[str, Any]:
        """What the child answers.

        Raises:
            ChildLost: it does not.
            Unavailable: there is none.
        """
        async with self._turn:
            self._stop_idle_timer()
            child = await self._running()
            try:
                async with asyncio.timeout(self._wait_seconds):
                    answer = await _exchange(child, request)
            except TimeoutError:
                await self._end()
                raise ChildLost(f"no answer within {self._wait_seconds:g} s") from None
            except (OSError, EOFError, ValueError, RecursionError) as error:
                await self._end()
                raise ChildLost(f"the child has ended with code {child.returncode}") from error
            except BaseException:
                await self._end()  # its answer would be taken for that of the next file
                raise
            self._idle = asyncio.create_task(self._end_idle())
            return answer

    async def _running(self) -> asyncio.subprocess.Process:
        if self._closed:
            raise Unavailable(_CLOSED)
        if self._child is not None and self._child.returncode is not None:
            await self._end()
        if self._child is None:
            try:
                self._child = await self._started()
                async with asyncio.timeout(_START_SECONDS):
                    await _answer(self._child)
            except (TimeoutError, OSError, EOFError, ValueError) as error:
                await self._end()
                raise Unavailable(
                    "Files cannot be examined: the process for it does not start.",
                    hint="What it said is in the log; it needs 2 GiB of address space.",
                ) from error
            except BaseException:
                await self._end()
                raise
            if self._closed:  # `close` did not see the child while it was being started
                await self._end()
                raise Unavailable(_CLOSED)
        return self._child

    async def _started(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", self._module, str(self._cpu_seconds)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # what decoders of others print about files of others
            env=_environment(),
            start_new_session=True,  # Ctrl-C in a terminal is for this process, which then ends the child
        )

    def _stop_idle_timer(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    async def _end_idle(self) -> None:
        await asyncio.sleep(self._idle_seconds)
        async with self._turn:
            self._idle = None
            await self._end()

    async def _end(self) -> None:
        """Kills the child; it holds no state worth a farewell."""
        child, self._child = self._child, None
        if child is None:
            return
        _kill(child)
        await asyncio.shield(_gone(child))  # a cancellation must not leave a zombie behind


def _temporary_file(suffix: str) -> Path:
    handle, name = tempfile.mkstemp(prefix=COPY_PREFIX, suffix=suffix)
    os.close(handle)
    return Path(name)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _kill(child: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):  # it has ended by itself
        child.kill()


async def _gone(child: asyncio.subprocess.Process) -> None:
    if child.stdin is not None:
        child.stdin.close()
    if child.stdout is not None:
        with suppress(OSError, ValueError):
            while await child.stdout.read(_LARGEST_ANSWER):
                pass
    await child.wait()


async def _exchange(child: asyncio.subprocess.Process, request: Mapping[str, str]) -> dict[str, Any]:
    if child.stdin is None:
        raise EOFError
    data = json.dumps(request).encode()
    child.stdin.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)
    await child.stdin.drain()
    return await _answer(child)


async def _answer(child: asyncio.subprocess.Process) -> dict[str, Any]:
    """The next document that the child sends.

    Raises:
        EOFError: it has ended.
        ValueError: it sends what is none.
    """
    if child.stdout is None:
        raise EOFError
    length = int.from_bytes(await child.stdout.readexactly(_LENGTH_BYTES), "big")
    if length > _LARGEST_ANSWER:
        raise ValueError("the answer is too long")
    answer = json.loads(await child.stdout.readexactly(length))
    if not isinstance(answer, dict):
        raise ValueError("the answer is no object")  # noqa: TRY004 - of all that can be wrong with it, one kind
    return answer


def _examination(answer: Mapping[str, Any]) -> Examination:
    try:
        details = answer["details"]
        return Examination(
            MediaDetails(**{**details, "thumbnails": tuple(int(width) for width in details["thumbnails"])}),
            str(answer["problem"]),
            {int(width): base64.b64decode(data) for width, data in answer["thumbnails"].items()},
            None if answer["peaks"] is None else base64.b64decode(answer["peaks"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ChildLost("its answer cannot be read") from error


def _environment() -> dict[str, str]:
    """The child's environment: nothing of this process's keys and settings reaches it."""
    root = str(Path(genesis.__file__).resolve().parents[1])
    return {
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        "PYTHONPATH": os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH")))),
        "PYTHONUTF8": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
