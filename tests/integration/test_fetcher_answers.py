"""What servers answer the guarded fetcher: wrong types, sizes that lie, bytes that never come, names that nobody knows."""

import asyncio
import gzip
import socket
import threading
from collections.abc import Sequence

import pytest
from aiohttp import web

from genesis.errors import InputRejected
from genesis.net import fetcher as fetcher_module
from genesis.net.fetcher import FetchInterrupted, GuardedFetcher, SystemResolver
from genesis.net.media import Family
from tests.support.sites import (
    LIMIT,
    PLENTY,
    PNG,
    WAV,
    Names,
    local_fetcher,
    raw,
    refusal,
    serves,
    site,
)


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

    @pytest.mark.parametrize("status", [408, 425, 429, 500, 503, 599])
    async def test_what_may_be_otherwise_in_a_moment(self, status: int) -> None:
        async with site(serves(PNG, status=status)) as server:
            with pytest.raises(FetchInterrupted):
                await server.fetcher().fetch(server.url(), accept="image")

    @pytest.mark.parametrize("status", [206, 400, 401, 404, 410])
    async def test_what_stays_as_it_is(self, status: int) -> None:
        async with site(serves(PNG, status=status)) as server:
            with pytest.raises(InputRejected) as refused:
                await server.fetcher().fetch(server.url(), accept="image")
        assert not isinstance(refused.value, FetchInterrupted)

    async def test_a_phrase_of_odd_bytes_is_not_repeated(self) -> None:
        async with raw(b"HTTP/1.1 404 \xff\x01evil\r\nContent-Length: 0\r\n\r\n") as port:
            said = await refusal(local_fetcher(), f"http://127.0.0.1:{port}/")
        assert said.startswith("127.0.0.1 answered HTTP 404 Not Found.")

    @pytest.mark.parametrize("target", [b"\xff", b"http://\xff\xfe/", b"//\xff@x", b"http://a\xffb.example/"])
    async def test_a_redirect_of_odd_bytes(self, target: bytes) -> None:
        async with raw(b"HTTP/1.1 302 Found\r\nLocation: " + target + b"\r\nContent-Length: 0\r\n\r\n") as port:
            assert (await refusal(local_fetcher(), f"http://127.0.0.1:{port}/")).isprintable()

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

        fetcher = GuardedFetcher(max_bytes=LIMIT, timeout_seconds=0.3, plain_http=True, resolve=never)
        assert "within 0.3 seconds" in await refusal(fetcher, "http://slow.test/")


class TestUnreachable:
    async def test_an_unknown_name(self) -> None:
        fetcher = GuardedFetcher(max_bytes=LIMIT, timeout_seconds=PLENTY, plain_http=True, resolve=Names())
        assert "host nowhere.test of the URL is not known" in await refusal(fetcher, "http://nowhere.test/")

    async def test_a_name_without_addresses(self) -> None:
        fetcher = GuardedFetcher(
            max_bytes=LIMIT, timeout_seconds=PLENTY, plain_http=True, resolve=Names(empty_test=[[]])
        )
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
