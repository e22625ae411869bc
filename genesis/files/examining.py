"""The child process that looks into the files of strangers: requests on standard input, answers on standard output.

Each is four bytes, big-endian, that say how long the JSON document is that follows.
"""

import base64
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from genesis.files import probing
from genesis.files.examination import Examination

_LENGTH_BYTES = 4
_MEMORY_BYTES = 2 * 1024**3
_FILE_BYTES = 8 * 1024**3
_OPEN_FILES = 64
_NICENESS = 10

Work = Callable[[Mapping[str, str]], dict[str, Any]]


def main(examine: Callable[[Path, str], Examination] = probing.examine) -> None:
    """Serves one request after the other until standard input ends.

    Args:
        examine: looks into a file.
    """
    # Who ends a service may tell all its processes. This one is told by its parent, lest the file at hand has a problem.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    cpu_seconds = int(sys.argv[1])
    requests, answers = _take_streams()
    _limit_resources()
    _load_libraries()
    works: dict[str, Work] = {
        "examine": lambda request: _as_json(examine(Path(request["path"]), request["media_type"])),
        "strip": lambda request: {
            "problem": probing.strip(Path(request["path"]), request["media_type"], Path(request["target"]))
        },
    }
    _send(answers, {"ready": True})
    while head := requests.read(_LENGTH_BYTES):
        request = json.loads(requests.read(int.from_bytes(head, "big")))
        _limit_time(cpu_seconds)
        _send(answers, works[request["do"]](request))


def _limit_resources() -> None:
    """Bounds what this process may take of the machine, for good."""
    os.nice(_NICENESS)
    for limit, value in (
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, _FILE_BYTES),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        hard = resource.getrlimit(limit)[1]
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (allowed, allowed))


def _limit_time(cpu_seconds: int) -> None:
    """Lets the kernel end this process when it has computed so much longer."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + cpu_seconds, hard))


def _take_streams() -> tuple[BinaryIO, BinaryIO]:
    """Input and output for requests alone; what a library prints goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return sys.stdin.buffer, answers


def _load_libraries() -> None:
    """So that no file has to wait for them, and their memory is known to suffice."""
    from genesis.files import pictures, recordings, redrawing  # noqa: F401


def _as_json(found: Examination) -> dict[str, Any]:
    return {
        "details": asdict(found.details),
        "problem": found.problem,
        "thumbnails": {str(width): _as_text(data) for width, data in found.thumbnails.items()},
        "peaks": None if found.peaks is None else _as_text(found.peaks),
    }


def _as_text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _send(stream: BinaryIO, answer: Mapping[str, Any]) -> None:
    data = json.dumps(answer).encode()
    stream.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)
    stream.flush()


if __name__ == "__main__":
    main()
