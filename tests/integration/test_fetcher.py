"""The guarded fetcher against hostile servers on the loopback. Name lookups are the test's own; nothing leaves the machine."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from genesis.net import fetcher as fetcher_module
from genesis.net.fetcher import GuardedFetcher
from tests.support.sites import (
    LIMIT,
    PLENTY,
    PNG,
    WAV,
    Names,
    certified,
    redirects,
    refusal,
    serves,
    site,
)


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
