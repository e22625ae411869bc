"""The guarded fetcher against hostile servers on the loopback. Name lookups are the test's own; nothing leaves the machine."""

import asyncio
import gzip
import io
import shlex
import socket
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from aiohttp import web
from PIL import Image

from genesis.errors import FailureClass, InputRejected
from genesis.net import fetcher as fetcher_module
from genesis.net.fetcher import GuardedFetcher, SystemResolver
from genesis.net.media import Family

PLENTY = 60.0
LIMIT = 100_000
HOST = "127.0.0.1"


def png() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (8, 8)).save(target, "PNG")
    return target.getvalue()


PNG = png()
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00" + bytes(20)


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


class TestFetching:
    async def test_an_image(self) -> None:
        async with site(serves(PNG)) as server:
            fetched = await server.fetcher().fetch(server.url(), accept="image")
        assert (fetched.data, fetched.media_type) == (PNG, "image/png")

    async def test_the_type_is_that_of_the_content(self) -> None:
        async with site(serves(WAV, "application/octet-stream")) as server:
            fetched = await server.fetcher().fetch(server.url("/speech.mp3"), accept="audio")
        assert fetched.media_type == "audio/wav"

    async def test_nothing_of_ours_is_sent(self) -> None:
        async def handler(request: web.Request) -> web.Response:
            if request.path == "/":
                return web.Response(status=302, headers={"Location": "/a.png", "Set-Cookie": "session=1"})
            return web.Response(body=PNG)

        async with site(handler) as server:
            await server.fetcher().fetch(server.url("/"), accept="image")
        assert len(server.seen) == 2
        for request in server.seen:
            assert request.method == "GET"
            assert request.headers["Accept-Encoding"] == "identity"
            assert not {"Cookie", "Authorization", "Referer"} & set(request.headers)

    async def test_a_query_arrives_as_it_was_signed(self) -> None:
        query = "/a.png?X-Signature=a%2Bb%2Fc%3D&expires=1"
        async with site(serves(PNG)) as server:
            await server.fetcher().fetch(server.url(query), accept="image")
        assert server.seen[0].raw_path == query

    async def test_a_redirect_leads_to_what_it_says(self) -> None:
        query = "/a.png?X-Signature=a%2Bb%2Fc%3D&x=~%7E"
        async with site(redirects(query)) as server:
            await server.fetcher().fetch(server.url("/"), accept="image")
        assert [request.raw_path for request in server.seen] == ["/", query]

    async def test_proxies_of_the_environment_are_not_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        async with site(serves(PNG)) as server:
            await server.fetcher().fetch(server.url(), accept="image")

    async def test_many_at_once(self) -> None:
        async with site(serves(PNG)) as server:
            fetcher = server.fetcher()
            fetched = await asyncio.gather(*(fetcher.fetch(server.url(), accept="image") for _ in range(20)))
        assert {one.data for one in fetched} == {PNG}


class TestAddresses:
    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1",
            "localhost",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "017700000001",
            "127.1",
            "0",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "①②⑦.⓪.⓪.①",
        ],
    )
    async def test_hosts_written_as_private_addresses(self, host: str) -> None:
        async with site(serves(PNG)) as server:
            fetcher = GuardedFetcher(max_bytes=LIMIT, timeout_seconds=PLENTY)
            assert "public internet" in await refusal(fetcher, server.url(host=host))
        assert server.seen == []

    @pytest.mark.parametrize(
        "addresses",
        [
            ["127.0.0.1"],
            ["169.254.169.254"],
            ["10.0.0.1"],
            ["::1"],
            ["fe80::1%lo"],
            ["::ffff:127.0.0.1"],
            ["64:ff9b::7f00:1"],
            ["93.184.216.34", "127.0.0.1"],
            ["2606:4700:4700::1111", "fd00::1"],
        ],
    )
    async def test_names_of_private_addresses(self, addresses: list[str]) -> None:
        async with site(serves(PNG)) as server:
            fetcher = server.fetcher(Names(evil_test=[addresses]), allow="")
            said = await refusal(fetcher, server.url(host="evil.test"))
        assert "evil.test of the URL is not at a public address" in said
        assert not any(address in said for address in addresses)
        assert "FETCH_ALLOWED_HOSTS" in said
        assert server.seen == []

    async def test_an_allowed_port_allows_no_other(self) -> None:
        async with site(serves(PNG)) as server:
            allowed = server.fetcher(allow=f"files.test:{server.port}")
            assert (await allowed.fetch(server.url(), accept="image")).data == PNG
            other = server.fetcher(allow=f"files.test:{server.port + 1}")
            assert "public address" in await refusal(other, server.url())

    async def test_an_allowed_address(self) -> None:
        async with site(serves(PNG)) as server:
            fetched = await server.fetcher(allow="127.0.0.1").fetch(server.url(host="127.0.0.1"), accept="image")
        assert fetched.data == PNG


class TestRebinding:
    """Here 127.0.0.1 counts as public, so that an answer can change from public to private."""

    @pytest.fixture(autouse=True)
    def _loopback_is_public(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(fetcher_module, "is_public", lambda address: address == "127.0.0.1")

    async def test_a_name_is_looked_up_once_and_the_answer_is_kept(self) -> None:
        async with site(serves(PNG)) as server:
            names = Names(rebind_test=[["127.0.0.1"], ["10.0.0.1"]])
            fetcher = server.fetcher(names, allow="")
            assert (await fetcher.fetch(server.url(host="rebind.test"), accept="image")).data == PNG
            assert names.asked == ["rebind.test"]
            assert "public address" in await refusal(fetcher, server.url(host="rebind.test"))
        assert len(server.seen) == 1

    async def test_a_redirect_to_the_same_name_is_checked_again(self) -> None:
        async with site(redirects("/a.png")) as server:
            names = Names(rebind_test=[["127.0.0.1"], ["169.254.169.254"]])
            said = await refusal(server.fetcher(names, allow=""), server.url("/", host="rebind.test"))
        assert "public address" in said
        assert names.asked == ["rebind.test", "rebind.test"]
        assert len(server.seen) == 1


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    async def test_they_are_followed(self, status: int) -> None:
        async with site(redirects("http://cdn.test:{port}/a.png", status)) as server:
            names = Names(files_test=[["127.0.0.1"]], cdn_test=[["127.0.0.1"]])
            fetcher = GuardedFetcher(
                max_bytes=LIMIT, timeout_seconds=PLENTY, allowed_hosts=("files.test", "cdn.test"), resolve=names
            )
            assert (await fetcher.fetch(server.url("/"), accept="image")).data == PNG
        assert names.asked == ["files.test", "cdn.test"]

    @pytest.mark.parametrize(
        ("target", "says"),
        [
            ("http://127.0.0.1:{port}/a.png", "public internet"),
            ("//127.0.0.1:{port}/a.png", "public internet"),
            ("http://localhost:{port}/a.png", "public internet"),
            ("http://169.254.169.254/latest/meta-data/", "public internet"),
            ("http://[::ffff:169.254.169.254]/", "public internet"),
            ("http://metadata.google.internal/", "public internet"),
            ("http://0x7f000001:{port}/a.png", "public internet"),
            ("http://inside.test:{port}/a.png", "public address"),
            ("http://user:password@files.test:{port}/a.png", "user name"),
            ("file:///etc/passwd", "http://"),
            ("gopher://files.test:{port}/", "http://"),
            ("http://[::1/", "malformed"),
        ],
    )
    async def test_they_are_checked(self, target: str, says: str) -> None:
        async with site(redirects(target)) as server:
            names = Names(files_test=[["127.0.0.1"]], inside_test=[["127.0.0.1"]])
            assert says in await refusal(server.fetcher(names), server.url("/"))
        assert [request.path for request in server.seen] == ["/"]

    async def test_they_end(self) -> None:
        async with site(redirects("/again")) as server:
            assert "more than 5 redirects" in await refusal(server.fetcher(), server.url("/"))
        assert len(server.seen) == 6

    async def test_one_without_a_target(self) -> None:
        async with site(serves(b"", status=302)) as server:
            assert "HTTP 302" in await refusal(server.fetcher(), server.url("/"))


class TestSecureRedirects:
    async def test_one_from_https_to_http_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        tls = certified(tmp_path, monkeypatch)
        async with site(serves(PNG)) as plain, site(redirects(plain.url()), tls) as secure:
            fetcher = plain.fetcher()
            # The certificate is valid, so the refusal is about the redirect and nothing else.
            fetched = await fetcher.fetch(f"https://files.test:{secure.port}/a.png", accept="image")
            assert fetched.data == PNG
            assert "from https to http" in await refusal(fetcher, f"https://files.test:{secure.port}/")
        assert plain.seen == []

    async def test_one_from_http_to_https_is_followed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        tls = certified(tmp_path, monkeypatch)
        async with site(serves(PNG), tls) as secure, site(redirects(f"https://files.test:{secure.port}/")) as plain:
            assert (await plain.fetcher().fetch(plain.url("/"), accept="image")).data == PNG

    async def test_a_certificate_nobody_trusts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patch:
            tls = certified(tmp_path, patch)
        async with site(serves(PNG), tls) as secure:
            said = await refusal(secure.fetcher(), f"https://files.test:{secure.port}/")
        assert "no valid TLS" in said
        assert secure.seen == []


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


class TestAnswers:
    @pytest.mark.parametrize(
        ("status", "says"),
        [
            (404, "HTTP 404 Not Found. Check the URL"),
            (403, "HTTP 403 Forbidden. Give a URL that opens without signing in"),
            (500, "HTTP 500 Internal Server Error"),
            (206, "HTTP 206"),
            (599, "HTTP 599"),
        ],
    )
    async def test_other_statuses(self, status: int, says: str) -> None:
        async with site(serves(PNG, status=status)) as server:
            assert f"files.test answered {says}" in await refusal(server.fetcher(), server.url())

    @pytest.mark.parametrize(
        ("data", "accept", "says"),
        [
            (b"<!doctype html><html><body>Sign in</body></html>", "image", "text/html"),
            (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "image", "image/svg+xml"),
            (b'{"error": "expired"}', "image", "application/json"),
            (b"\x00" * 100, "image", "content does not tell"),
            (b"", "image", "empty file"),
            (WAV, "image", "audio/wav"),
            (PNG, "audio", "image/png"),
            (b"<html>", "audio", "text/html"),
        ],
    )
    async def test_content_that_is_dressed_up(self, data: bytes, accept: Family, says: str) -> None:
        async with site(serves(data, f"{accept}/png")) as server:
            assert says in await refusal(server.fetcher(), server.url(), accept)

    async def test_a_decompression_bomb_is_not_opened(self) -> None:
        bomb = gzip.compress(bytes(50_000_000))
        async with site(serves(bomb, Content_Encoding="gzip")) as server:
            assert "compressed" in await refusal(server.fetcher(), server.url())


class TestSizes:
    async def test_a_file_at_the_limit(self) -> None:
        data = PNG + bytes(LIMIT - len(PNG))
        async with site(serves(data)) as server:
            assert len((await server.fetcher().fetch(server.url(), accept="image")).data) == LIMIT

    async def test_an_announced_size_above_the_limit(self) -> None:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n"
        async with raw(answer, then_wait=True) as port:
            assert "larger than 100000" in await refusal(local_fetcher(), f"http://127.0.0.1:{port}/")

    async def test_an_endless_body(self) -> None:
        answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"8000\r\n" + bytes(0x8000) + b"\r\n") * 5
        async with raw(answer, then_wait=True) as port:
            assert "larger than 100000" in await refusal(local_fetcher(), f"http://127.0.0.1:{port}/")

    async def test_a_body_of_unknown_length(self) -> None:
        async with raw(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + PNG) as port:
            assert (await local_fetcher().fetch(f"http://127.0.0.1:{port}/", accept="image")).data == PNG

    async def test_an_announced_size_below_the_truth(self) -> None:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PNG) + PNG + bytes(1000)
        async with raw(answer) as port:
            assert "valid HTTP" in await refusal(local_fetcher(), f"http://127.0.0.1:{port}/")

    @pytest.mark.parametrize(
        ("answer", "says"),
        [
            (b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + PNG, "broke off"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n\x89PNG\r\n", "broke off"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + PNG, "valid HTTP"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n" + PNG, "valid HTTP"),
            (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "valid HTTP"),
            (b"", "valid HTTP"),
            (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", "valid HTTP"),
        ],
    )
    async def test_broken_answers(self, answer: bytes, says: str) -> None:
        async with raw(answer) as port:
            assert says in await refusal(local_fetcher(), f"http://127.0.0.1:{port}/")


class TestTimes:
    @pytest.mark.parametrize(
        "start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n\x89"]
    )
    async def test_a_server_that_stops(self, start: bytes) -> None:
        async with raw(start, then_wait=True) as port:
            assert "within 0.3 seconds" in await refusal(local_fetcher(0.3), f"http://127.0.0.1:{port}/")

    async def test_a_body_that_drips(self) -> None:
        """Every byte comes in time, the file never does."""

        async def drip(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            while True:
                await response.write(b"\x89")
                await asyncio.sleep(0.02)

        async with site(drip) as server:
            assert "within 0.5 seconds" in await refusal(server.fetcher(timeout=0.5), server.url())

    async def test_redirects_share_the_time(self) -> None:
        async def slow(request: web.Request) -> web.Response:
            await asyncio.sleep(0.2)
            return web.Response(status=302, headers={"Location": "/again"})

        async with site(slow) as server:
            assert "within 0.5 seconds" in await refusal(server.fetcher(timeout=0.5), server.url("/"))

    async def test_a_name_server_that_never_answers(self) -> None:
        async def never(host: str, port: int) -> Sequence[str]:
            await asyncio.Event().wait()
            return []

        fetcher = GuardedFetcher(max_bytes=LIMIT, timeout_seconds=0.3, resolve=never)
        assert "within 0.3 seconds" in await refusal(fetcher, "http://slow.test/")


class TestUnreachable:
    async def test_an_unknown_name(self) -> None:
        fetcher = GuardedFetcher(max_bytes=LIMIT, timeout_seconds=PLENTY, resolve=Names())
        assert "host nowhere.test of the URL is not known" in await refusal(fetcher, "http://nowhere.test/")

    async def test_a_name_without_addresses(self) -> None:
        fetcher = GuardedFetcher(max_bytes=LIMIT, timeout_seconds=PLENTY, resolve=Names(empty_test=[[]]))
        assert "is not known" in await refusal(fetcher, "http://empty.test/")

    async def test_a_closed_port(self) -> None:
        async with raw(b"") as port:
            pass
        assert f"accepts no connection on port {port}" in await refusal(local_fetcher(), f"http://127.0.0.1:{port}/")

    async def test_no_tls(self) -> None:
        async with site(serves(PNG)) as server:
            said = await refusal(server.fetcher(), server.url().replace("http:", "https:"))
        assert "no valid TLS" in said


class TestSystemResolver:
    async def test_it_finds_this_machine(self) -> None:
        assert set(await SystemResolver()("localhost", 80)) <= {"127.0.0.1", "::1"}

    async def test_it_raises_oserror_for_unknown_names(self) -> None:
        with pytest.raises(socket.gaierror):
            await SystemResolver()("name.invalid", 80)

    async def test_it_does_not_use_the_threads_of_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        used: list[str] = []

        def look_up(host: str, port: int) -> list[str]:
            used.append(threading.current_thread().name)
            return []

        monkeypatch.setattr(fetcher_module, "_look_up", look_up)
        await SystemResolver()("localhost", 80)
        assert used[0].startswith("lookup")
