"""Servers on the loopback that the guarded fetcher meets, hostile ones among them."""

import asyncio
import io
import shlex
import ssl
import subprocess
import wave
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from aiohttp import web
from PIL import Image

from genesis.errors import FailureClass, InputRejected
from genesis.net.fetcher import GuardedFetcher
from genesis.net.media import Family

PLENTY = 60.0
LIMIT = 100_000
HOST = "127.0.0.1"


def png() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (8, 8)).save(target, "PNG")
    return target.getvalue()


def wav() -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(1600))
    return target.getvalue()


PNG = png()
WAV = wav()


class Names:
    """A name service: a name has a series of answers, of which the last stays."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self._answers = {name.replace("_", "."): list(series) for name, series in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        series = self._answers.get(host)
        if series is None:
            raise OSError("unknown name")
        return series.pop(0) if len(series) > 1 else series[0]


class Site:
    """A web site on 127.0.0.1 that remembers what it was asked for."""

    def __init__(self, port: int, seen: list[web.Request]) -> None:
        self.port = port
        self.seen = seen

    def url(self, path: str = "/a.png", host: str = "files.test") -> str:
        return f"http://{host}:{self.port}{path}"

    def fetcher(
        self,
        names: Names | None = None,
        *,
        allow: str = "files.test",
        timeout: float = PLENTY,
        plain_http: bool = True,
    ) -> GuardedFetcher:
        """A fetcher to which files.test stands for a public site, and nothing else on this machine does."""
        return GuardedFetcher(
            max_bytes=LIMIT,
            timeout_seconds=timeout,
            allowed_hosts=(allow,) if allow else (),
            plain_http=plain_http,
            resolve=names or Names(files_test=[["127.0.0.1"]]),
        )


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def site(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    seen: list[web.Request] = []

    async def note(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        return await handler(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", note)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        yield Site(runner.addresses[0][1], seen)
    finally:
        await runner.cleanup()


def serves(data: bytes, media_type: str = "image/png", status: int = 200, **headers: str) -> Handler:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=data, status=status, headers={"Content-Type": media_type, **fields})

    return handler


def redirects(target: str, status: int = 302) -> Handler:
    """Leads every path to `target`, whose `{port}` is the port of the site, except /a.png, which is served."""

    async def handler(request: web.Request) -> web.Response:
        if request.path == "/a.png":
            return web.Response(body=PNG)
        return web.Response(status=status, headers={"Location": target.replace("{port}", str(request.url.port))})

    return handler


@asynccontextmanager
async def raw(answer: bytes, *, then_wait: bool = False) -> AsyncIterator[int]:
    """A server that writes these bytes to each request and closes, or leaves the connection open; gives its port."""

    handling: list[asyncio.Task[None]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            if then_wait:
                await reader.read()
        writer.close()

    server = await asyncio.start_server(
        lambda *streams: handling.append(asyncio.create_task(handle(*streams))), HOST, 0
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.gather(*handling)


class Endless:
    """What an endless server has been rid of.

    Attributes:
        taken: bytes that the system has taken, some of which may never have been read.
    """

    def __init__(self) -> None:
        self.port = 0
        self.taken = 0


@asynccontextmanager
async def endless(start: bytes, piece: bytes, pause: float = 0.0) -> AsyncIterator[Endless]:
    """A server that answers with `start`, and then with `piece` again and again until the other side has enough."""
    handling: list[asyncio.Task[None]] = []
    seen = Endless()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.read(1)
            writer.write(start)
            gone = asyncio.create_task(reader.read())
            while not gone.done():
                writer.write(piece)
                await writer.drain()
                seen.taken += len(piece)
                await asyncio.sleep(pause)
        with suppress(ConnectionError):
            await gone
        writer.close()

    server = await asyncio.start_server(
        lambda *streams: handling.append(asyncio.create_task(handle(*streams))), HOST, 0
    )
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()
        await asyncio.gather(*handling)


async def refusal(fetcher: GuardedFetcher, url: str, accept: Family = "image") -> str:
    with pytest.raises(InputRejected) as refused:
        await fetcher.fetch(url, accept=accept)
    assert refused.value.failure is FailureClass.FINAL
    return f"{refused.value.message} {refused.value.hint}"


def local_fetcher(timeout: float = PLENTY) -> GuardedFetcher:
    return GuardedFetcher(max_bytes=LIMIT, timeout_seconds=timeout, allowed_hosts=("127.0.0.1",))


def certified(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server context with a certificate for files.test that clients of this test trust."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=files.test "
        f"-addext subjectAltName=DNS:files.test -keyout {shlex.quote(str(key))} -out {shlex.quote(str(certificate))}",
        shell=True,
        check=True,
        capture_output=True,
    )
    trusting = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trusting)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
