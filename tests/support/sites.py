"""Servers on the loopback that the guarded fetcher meets, hostile ones among them."""

import asyncio
import io
import ssl
import wave
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

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
        self, names: Names | None = None, *, allow: str = "files.test", timeout: float = PLENTY
    ) -> GuardedFetcher:
        """A fetcher to which files.test stands for a public site, and nothing else on this machine does."""
        return GuardedFetcher(
            max_bytes=LIMIT,
            timeout_seconds=timeout,
            allowed_hosts=(allow,) if allow else (),
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


async def refusal(fetcher: GuardedFetcher, url: str, accept: Family = "image") -> str:
    with pytest.raises(InputRejected) as refused:
        await fetcher.fetch(url, accept=accept)
    assert refused.value.failure is FailureClass.FINAL
    return f"{refused.value.message} {refused.value.hint}"


def local_fetcher(timeout: float = PLENTY) -> GuardedFetcher:
    return GuardedFetcher(max_bytes=LIMIT, timeout_seconds=timeout, allowed_hosts=("127.0.0.1",))
