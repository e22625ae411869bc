"""The HTTP client against real servers on the loopback: what it sends, and how it sorts failures."""

import asyncio
import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from genesis.errors import ProviderAmbiguous, ProviderMisconfigured, ProviderRejected, ProviderUnavailable
from genesis.net.client import HttpClient
from genesis.net.exchange import FormFile, Reply, Request
from tests.support.processes import free_port
from tests.support.sites import raw

KEY = {"Authorization": "Bearer hunter2"}
PLENTY = 60.0
MEBIBYTE = 1 << 20


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    async with HttpClient() as opened:
        yield opened


async def echo(request: web.Request) -> web.Response:
    body = await request.read()
    return web.json_response(
        {
            "method": request.method,
            "path": request.path_qs,
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "body": body.decode("latin-1"),
        },
        headers={"X-Request-Id": "r-1"},
    )


@asynccontextmanager
async def serving(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    app = web.Application(client_max_size=64 * MEBIBYTE)
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[str]:
    """A server that does with a connection what no HTTP library would."""

    handling: list[asyncio.Task[None]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await talk(reader, writer)
        writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handling.append(asyncio.create_task(handle(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await asyncio.gather(*handling)


async def send(client: HttpClient, request: Request, base_url: str = "", timeout: float = PLENTY) -> Reply:  # noqa: ASYNC109
    return await client.send(request, base_url=base_url, headers=KEY, timeout_seconds=timeout, max_bytes=MEBIBYTE)


class TestRequests:
    async def test_json(self, client: HttpClient) -> None:
        async with serving(echo) as base:
            request = Request("POST", "/chat?x=1", headers={"X-Title": "Genesis"}, json={"text": "hällo"})
            reply = await send(client, request, f"{base}/api/v1/")
        seen = json.loads(reply.body)
        assert (reply.status, reply.media_type, reply.headers["x-request-id"]) == (200, "application/json", "r-1")
        assert (seen["method"], seen["path"]) == ("POST", "/api/v1/chat?x=1")
        assert json.loads(seen["body"]) == {"text": "hällo"}
        headers = seen["headers"]
        assert headers["content-type"] == "application/json"
        assert (headers["authorization"], headers["x-title"]) == ("Bearer hunter2", "Genesis")
        assert "transfer-encoding" not in headers

    @pytest.mark.parametrize("size", [0, 10, 3 * MEBIBYTE])
    async def test_raw_body(self, client: HttpClient, size: int) -> None:
        async def measure(request: web.Request) -> web.Response:
            data = await request.read()
            return web.json_response([len(data), request.content_length, request.content_type])

        async with serving(measure) as base:
            request = Request("POST", "/transcribe", headers={"Content-Type": "audio/wav"}, data=bytes(size))
            reply = await send(client, request, base)
        assert json.loads(reply.body) == [size, size, "audio/wav"]

    async def test_large_json(self, client: HttpClient) -> None:
        async def measure(request: web.Request) -> web.Response:
            return web.json_response(len((await request.json())["image"]))

        async with serving(measure) as base:
            reply = await send(client, Request("POST", "/", json={"image": "A" * 3 * MEBIBYTE}), base)
        assert json.loads(reply.body) == 3 * MEBIBYTE

    async def test_multipart(self, client: HttpClient) -> None:
        async def parts(request: web.Request) -> web.Response:
            form = await request.post()
            file = form["file"]
            assert isinstance(file, web.FileField)
            return web.json_response([form["model"], file.filename, file.content_type, len(file.file.read())])

        async with serving(parts) as base:
            form: dict[str, str | FormFile] = {"model": "whisper"}
            form["file"] = FormFile("speech.wav", "audio/wav", bytes(2 * MEBIBYTE))
            reply = await send(client, Request("POST", "/", form=form), base)
        assert json.loads(reply.body) == ["whisper", "speech.wav", "audio/wav", 2 * MEBIBYTE]

    async def test_a_form_without_files_is_multipart(self, client: HttpClient) -> None:
        async with serving(echo) as base:
            reply = await send(client, Request("POST", "/", form={"model": "whisper"}), base)
        assert json.loads(reply.body)["headers"]["content-type"].startswith("multipart/form-data")

    async def test_an_empty_url_is_the_base_url(self, client: HttpClient) -> None:
        async with serving(echo) as base:
            reply = await send(client, Request("POST", "", json={}), f"{base}/models/sd")
        assert json.loads(reply.body)["path"] == "/models/sd"

    async def test_a_url_of_the_same_origin_gets_the_key(self, client: HttpClient) -> None:
        async with serving(echo) as base:
            reply = await send(client, Request("GET", f"{base}/poll/1"), f"{base}/api")
        assert json.loads(reply.body)["headers"]["authorization"] == "Bearer hunter2"

    @pytest.mark.parametrize("base", ["https://api.example", ""])
    async def test_a_foreign_host_does_not_get_the_key(self, client: HttpClient, base: str) -> None:
        async with serving(echo) as foreign:
            reply = await send(client, Request("GET", f"{foreign}/result"), base)
        assert "authorization" not in json.loads(reply.body)["headers"]

    async def test_another_port_is_a_foreign_host(self, client: HttpClient) -> None:
        async with serving(echo) as base, serving(echo) as foreign:
            reply = await send(client, Request("GET", f"{foreign}/result"), base)
        assert "authorization" not in json.loads(reply.body)["headers"]

    @pytest.mark.parametrize("url", ["//evil.example/x", "/\\evil.example/x", "@evil.example/x", "evil.example/x"])
    async def test_a_relative_url_stays_with_its_host(self, client: HttpClient, url: str) -> None:
        async with serving(echo) as base:
            reply = await send(client, Request("GET", url), base)
        assert "evil.example" in json.loads(reply.body)["path"]

    async def test_redirects_are_replies(self, client: HttpClient) -> None:
        async def redirect(request: web.Request) -> web.Response:
            return web.Response(status=307, headers={"Location": "https://evil.example/"})

        async with serving(redirect) as base:
            reply = await send(client, Request("POST", "/", json={}), base)
        assert (reply.status, reply.headers["location"]) == (307, "https://evil.example/")

    async def test_errors_are_replies(self, client: HttpClient) -> None:
        async def refuse(request: web.Request) -> web.Response:
            return web.json_response({"error": "slow down"}, status=429, headers={"Retry-After": "7"})

        async with serving(refuse) as base:
            reply = await send(client, Request("POST", "/", json={}), base)
        assert (reply.status, reply.headers["retry-after"]) == (429, "7")
        assert json.loads(reply.body) == {"error": "slow down"}

    async def test_headers_of_odd_bytes_become_text(self, client: HttpClient) -> None:
        async with raw(b"HTTP/1.1 200 \xff\r\nContent-Type: image/\xff\r\n\r\n") as port:
            reply = await send(client, Request("GET", "/"), f"http://127.0.0.1:{port}")
        assert reply.media_type == "image/?"

    async def test_cookies_are_not_kept(self, client: HttpClient) -> None:
        async def cookie(request: web.Request) -> web.Response:
            response = web.json_response(request.headers.get("Cookie"))
            response.set_cookie("session", "1")
            return response

        async with serving(cookie) as base:
            named = base.replace("127.0.0.1", "localhost")
            await send(client, Request("GET", "/"), named)
            reply = await send(client, Request("GET", "/"), named)
        assert json.loads(reply.body) is None

    async def test_proxies_of_the_environment_are_not_used(
        self, client: HttpClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
        async with serving(echo) as base:
            assert (await send(client, Request("GET", "/"), base)).status == 200

    @pytest.mark.parametrize("base", ["", "api.example", "ftp://api.example", "http://", "http://u:p@api.example"])
    async def test_an_unusable_base_url(self, client: HttpClient, base: str) -> None:
        with pytest.raises(ProviderMisconfigured, match="base URL"):
            await send(client, Request("GET", "/x"), base)

    @pytest.mark.parametrize("url", ["http://", "https://api.example:99999/", "http://u:p@api.example/"])
    async def test_an_unusable_url_of_a_reply(self, client: HttpClient, url: str) -> None:
        with pytest.raises(ProviderRejected):
            await send(client, Request("GET", url), "https://api.example")

    @pytest.mark.parametrize("odd", ["\n", "\r\nX: y", "\x01", "\x1b[31m", "\x7f"])
    async def test_a_key_with_what_no_header_may_hold(self, client: HttpClient, odd: str) -> None:
        with pytest.raises(ProviderMisconfigured, match="Authorization") as refused:
            await client.send(
                Request("GET", "/"),
                base_url="https://api.example",
                headers={"Authorization": f"Bearer hunter2{odd}"},
                timeout_seconds=PLENTY,
                max_bytes=1,
            )
        assert "hunter2" not in refused.value.message

    async def test_it_has_to_be_opened(self) -> None:
        with pytest.raises(RuntimeError, match="async with"):
            await send(HttpClient(), Request("GET", "http://127.0.0.1/"))


class TestLimits:
    async def test_a_reply_above_the_limit(self, client: HttpClient) -> None:
        async def large(request: web.Request) -> web.Response:
            return web.Response(body=bytes(MEBIBYTE + 1))

        async with serving(large) as base:
            with pytest.raises(ProviderRejected, match=f"more than {MEBIBYTE} bytes"):
                await send(client, Request("GET", "/"), base)

    async def test_a_reply_at_the_limit(self, client: HttpClient) -> None:
        async def large(request: web.Request) -> web.Response:
            return web.Response(body=bytes(MEBIBYTE))

        async with serving(large) as base:
            assert len((await send(client, Request("GET", "/"), base)).body) == MEBIBYTE

    async def test_an_endless_reply_ends_at_the_limit(self, client: HttpClient) -> None:
        closed = asyncio.Event()

        async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            try:
                while True:
                    writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
                    await writer.drain()
            except ConnectionError:
                closed.set()

        async with talking(endless) as base:
            with pytest.raises(ProviderRejected):
                await send(client, Request("GET", "/"), base)
            await asyncio.wait_for(closed.wait(), PLENTY)

    async def test_a_decompression_bomb_stays_small(self, client: HttpClient) -> None:
        bomb = gzip.compress(bytes(256 * MEBIBYTE))

        async def explode(request: web.Request) -> web.Response:
            return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

        async with serving(explode) as base:
            tracemalloc.start()
            try:
                with pytest.raises(ProviderRejected):
                    await send(client, Request("GET", "/"), base)
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
        assert peak < 32 * MEBIBYTE

    async def test_compressed_replies_are_read(self, client: HttpClient) -> None:
        async def compressed(request: web.Request) -> web.Response:
            return web.Response(body=gzip.compress(b"hello"), headers={"Content-Encoding": "gzip"})

        async with serving(compressed) as base:
            assert (await send(client, Request("GET", "/"), base)).body == b"hello"


def assert_discreet(error: ProviderAmbiguous | ProviderUnavailable) -> None:
    assert "hunter2" not in f"{error.message} {error.hint}"


class TestFailuresBeforeSending:
    async def test_refused_connection(self, client: HttpClient) -> None:
        with pytest.raises(ProviderUnavailable, match=r"127\.0\.0\.1 cannot be reached") as failed:
            await send(client, Request("POST", "/", json={}), f"http://127.0.0.1:{free_port()}")
        assert_discreet(failed.value)

    async def test_unknown_name(self, client: HttpClient) -> None:
        with pytest.raises(ProviderUnavailable, match=r"api\.invalid cannot be reached: its name is not known"):
            await send(client, Request("POST", "/", json={}), "http://api.invalid")

    async def test_impossible_name(self, client: HttpClient) -> None:
        with pytest.raises(ProviderUnavailable):
            await send(client, Request("POST", "/", json={}), f"http://{'a' * 70}.invalid")

    async def test_no_tls(self, client: HttpClient) -> None:
        async with serving(echo) as base:
            with pytest.raises(ProviderUnavailable, match="TLS"):
                await send(client, Request("POST", "/", json={}), base.replace("http:", "https:"))

    async def test_a_handshake_that_never_ends(self, client: HttpClient) -> None:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()

        async with talking(silent) as base:
            with pytest.raises(ProviderUnavailable, match="did not accept a connection"):
                await send(client, Request("POST", "/", json={}), base.replace("http:", "https:"), timeout=0.2)


class TestFailuresAfterSending:
    @pytest.mark.parametrize(
        "answer",
        [
            b"",
            b"HTTP/1.1 200 OK\r\nContent-",
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nshort",
            b"nonsense\r\n\r\n",
        ],
    )
    @pytest.mark.parametrize("method", ["POST", "GET"])
    async def test_a_broken_answer_is_ambiguous_and_asked_for_once(
        self, client: HttpClient, answer: bytes, method: str
    ) -> None:
        requests = 0

        async def broken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal requests
            await reader.readuntil(b"\r\n\r\n")
            requests += 1
            writer.write(answer)
            await writer.drain()

        async with talking(broken) as base:
            with pytest.raises(ProviderAmbiguous, match=r"127\.0\.0\.1 broke off") as failed:
                await send(client, Request(method, "/"), base)
        assert requests == 1
        assert_discreet(failed.value)

    async def test_a_connection_lost_at_reuse_is_ambiguous_and_not_repeated(self, client: HttpClient) -> None:
        requests = 0

        async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal requests
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await reader.readuntil(b"\r\n\r\n")
            requests += 1

        async with talking(once) as base:
            assert (await send(client, Request("GET", "/"), base)).body == b"ok"
            with pytest.raises(ProviderAmbiguous):
                await send(client, Request("GET", "/"), base)
        assert requests == 1

    @pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nslow"])
    async def test_no_answer_in_time_is_ambiguous(self, client: HttpClient, start: bytes) -> None:
        closed = asyncio.Event()

        async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(start)
            await reader.read()
            closed.set()

        async with talking(slow) as base:
            with pytest.raises(ProviderAmbiguous, match=r"within 0\.3 seconds") as failed:
                await send(client, Request("POST", "/"), base, timeout=0.3)
            await asyncio.wait_for(closed.wait(), PLENTY)
        assert_discreet(failed.value)

    @pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nslow"])
    async def test_cancellation_closes_the_connection(self, client: HttpClient, start: bytes) -> None:
        asked, closed = asyncio.Event(), asyncio.Event()

        async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(start)
            await writer.drain()
            asked.set()
            await reader.read()
            closed.set()

        async with talking(slow) as base:
            sending = asyncio.create_task(send(client, Request("POST", "/"), base))
            await asyncio.wait_for(asked.wait(), PLENTY)
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            await asyncio.wait_for(closed.wait(), PLENTY)
