"""What is known to be tried to lead a fetcher inside, one row each; `architecture/05-files.md` has the table."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiohttp import web

from genesis.net import fetcher as fetcher_module
from genesis.net.fetcher import GuardedFetcher
from tests.support.sites import (
    LIMIT,
    PLENTY,
    PNG,
    Names,
    certified,
    redirects,
    refusal,
    serves,
    site,
)


def port_of(url: str, port: int) -> str:
    return url.replace("{port}", str(port))


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("127.0.0.1", id="loopback"),
        pytest.param("2130706433", id="decimal"),
        pytest.param("017700000001", id="octal"),
        pytest.param("0177.0.0.01", id="octal-parts"),
        pytest.param("0x7f000001", id="hexadecimal"),
        pytest.param("0x7f.0x0.0x0.0x1", id="hexadecimal-parts"),
        pytest.param("127.1", id="short"),
        pytest.param("0x7f.1", id="short-and-hexadecimal"),
        pytest.param("0", id="zero"),
        pytest.param("127.0.0.1.", id="trailing-dot"),
        pytest.param("①②⑦.⓪.⓪.①", id="full-width-digits"),
        pytest.param("127。0。0。1", id="ideographic-dots"),
        pytest.param("%31%32%37.0.0.1", id="percent-encoded"),
        pytest.param("4294967297", id="overflow"),
        pytest.param("localhost", id="localhost"),
        pytest.param("LOCALHOST.", id="localhost-with-a-dot"),
        pytest.param("metadata.google.internal", id="internal-name"),
        pytest.param("169.254.169.254", id="cloud-metadata"),
        pytest.param("2852039166", id="cloud-metadata-decimal"),
        pytest.param("[fd00:ec2::254]", id="cloud-metadata-ipv6"),
        pytest.param("168.63.129.16", id="azure-platform"),
        pytest.param("10.0.0.1", id="private-10"),
        pytest.param("172.16.0.1", id="private-172"),
        pytest.param("192.168.0.1", id="private-192"),
        pytest.param("100.64.0.1", id="carrier-nat"),
        pytest.param("255.255.255.255", id="broadcast"),
        pytest.param("224.0.0.1", id="multicast"),
        pytest.param("[::1]", id="ipv6-loopback"),
        pytest.param("[::]", id="ipv6-unspecified"),
        pytest.param("[::ffff:127.0.0.1]", id="ipv6-mapped"),
        pytest.param("[::ffff:7f00:1]", id="ipv6-mapped-hexadecimal"),
        pytest.param("[::ffff:169.254.169.254]", id="ipv6-mapped-metadata"),
        pytest.param("[::127.0.0.1]", id="ipv6-compatible"),
        pytest.param("[::ffff:0:127.0.0.1]", id="ipv6-translated"),
        pytest.param("[64:ff9b::7f00:1]", id="nat64"),
        pytest.param("[64:ff9b:1::7f00:1]", id="nat64-local"),
        pytest.param("[2002:7f00:1::]", id="6to4"),
        pytest.param("[2001:0:4136:e378:8000:63bf:80ff:fffe]", id="teredo"),
        pytest.param("[fe80::1]", id="link-local"),
        pytest.param("[fe80::1%25lo]", id="zone"),
        pytest.param("[2606:4700:4700::1111%25lo]", id="zone-on-a-public-address"),
        pytest.param("[fc00::1]", id="unique-local"),
        pytest.param("[ff02::1]", id="ipv6-multicast"),
    ],
)
async def test_hosts(host: str) -> None:
    """No connection is made, and no name looked up."""
    names = Names()
    async with site(serves(PNG)) as server:
        fetcher = GuardedFetcher(max_bytes=LIMIT, timeout_seconds=PLENTY, plain_http=True, resolve=names)
        said = await refusal(fetcher, server.url(host=host))
    assert "public internet" in said or "valid host" in said
    assert (server.seen, names.asked) == ([], [])


@pytest.mark.parametrize(
    ("url", "says"),
    [
        pytest.param("http://user:password@files.test:{port}/", "user name", id="password"),
        pytest.param("http://files.test@127.0.0.1:{port}/", "user name", id="host-as-user-name"),
        pytest.param("http://files.test:{port}\\@127.0.0.1/", "backslash", id="backslash"),
        pytest.param("http://files.test:{port}/\r\nHost: inside", "control character", id="header-injection"),
        pytest.param("http://files.test:{port}/a b", "space", id="space"),
        pytest.param("http://files.test:0/", "valid host and port", id="port-0"),
        pytest.param("http://files.test:65536/", "malformed", id="port-65536"),
        pytest.param("http://files.test:-1/", "malformed", id="port-negative"),
        pytest.param("http://public.test:22/", "port 22", id="port-of-ssh"),
        pytest.param("http://public.test:25/", "port 25", id="port-of-smtp"),
        pytest.param("http://public.test:6667/", "port 6667", id="port-of-irc"),
        pytest.param("file:///etc/passwd", "http://", id="file"),
        pytest.param("ftp://files.test/a.png", "http://", id="ftp"),
        pytest.param("gopher://files.test:{port}/_GET", "http://", id="gopher"),
        pytest.param("data:image/png;base64,AAAA", "http://", id="data"),
        pytest.param("javascript:alert(1)", "http://", id="javascript"),
        pytest.param("//files.test:{port}/", "http://", id="no-scheme"),
        pytest.param("http://xn--/", "host", id="broken-punycode"),
    ],
)
async def test_urls(url: str, says: str) -> None:
    names = Names(files_test=[["127.0.0.1"]], public_test=[["127.0.0.1"]])
    async with site(serves(PNG)) as server:
        fetcher = server.fetcher(names)
        said = await refusal(fetcher, port_of(url, server.port))
    assert says in said
    assert "password" not in said.replace("user name or password", "")
    assert server.seen == []


async def test_plain_http() -> None:
    """A host that the operator has not named is asked by https only."""
    names = Names(public_test=[["127.0.0.1"]])
    async with site(serves(PNG)) as server:
        said = await refusal(server.fetcher(names, plain_http=False), server.url(host="public.test"))
        assert "FETCH_PLAIN_HTTP" in said
        assert "FETCH_ALLOWED_HOSTS" in said
        assert (server.seen, names.asked) == ([], [])
        assert (await server.fetcher(plain_http=False).fetch(server.url(), accept="image")).data == PNG


@pytest.mark.parametrize(
    "addresses",
    [
        pytest.param(["127.0.0.1"], id="loopback"),
        pytest.param(["169.254.169.254"], id="cloud-metadata"),
        pytest.param(["10.0.0.1"], id="private"),
        pytest.param(["0.0.0.0"], id="unspecified"),
        pytest.param(["::1"], id="ipv6-loopback"),
        pytest.param(["::ffff:127.0.0.1"], id="ipv6-mapped"),
        pytest.param(["64:ff9b::7f00:1"], id="nat64"),
        pytest.param(["2002:7f00:1::"], id="6to4"),
        pytest.param(["2001:0:4136:e378:8000:63bf:80ff:fffe"], id="teredo"),
        pytest.param(["fe80::1%lo"], id="zone"),
        pytest.param(["93.184.216.34", "127.0.0.1"], id="round-robin-with-a-private-one"),
        pytest.param(["2606:4700:4700::1111", "::1"], id="round-robin-with-a-private-ipv6"),
        pytest.param(["93.184.216.34", "fd00::1"], id="public-ipv4-and-private-ipv6"),
    ],
)
async def test_names(addresses: list[str]) -> None:
    """What a harmless name leads to: nothing is connected to, not even the public ones of its addresses."""
    async with site(serves(PNG)) as server:
        said = await refusal(server.fetcher(Names(evil_test=[addresses]), allow=""), server.url(host="evil.test"))
    assert "not at a public address" in said
    assert not any(address in said for address in addresses)
    assert server.seen == []


@pytest.fixture
def _one_public_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.1 counts as public here and 127.0.0.2 does not, so that both can have servers."""
    monkeypatch.setattr(fetcher_module, "is_public", lambda address: address == "127.0.0.1")


async def inside(port: int, seen: list[str]) -> asyncio.Server:
    """A server at 127.0.0.2, on the same port as a public one."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append("a connection")
        writer.close()

    return await asyncio.start_server(handle, "127.0.0.2", port)


@pytest.mark.usefixtures("_one_public_address")
@pytest.mark.parametrize(
    ("answers", "path", "reached"),
    [
        pytest.param([["127.0.0.1"], ["127.0.0.2"]], "/a.png", True, id="answer-changes-after-the-check"),
        pytest.param([["127.0.0.1"], ["127.0.0.2"]], "/again", False, id="answer-changes-before-a-redirect"),
        pytest.param([["127.0.0.2"], ["127.0.0.1"]], "/a.png", False, id="private-first"),
        pytest.param([["127.0.0.1", "127.0.0.2"]], "/a.png", False, id="both-at-once"),
        pytest.param([["127.0.0.2", "127.0.0.1"]], "/a.png", False, id="both-at-once-private-first"),
    ],
)
async def test_rebinding(answers: Sequence[Sequence[str]], path: str, *, reached: bool) -> None:
    seen: list[str] = []
    async with site(redirects("/a.png")) as server:
        private = await inside(server.port, seen)
        names = Names(rebind_test=answers)
        fetcher = server.fetcher(names, allow="")
        if reached:
            assert (await fetcher.fetch(server.url(path, host="rebind.test"), accept="image")).data == PNG
            assert names.asked == ["rebind.test"]
        else:
            assert "public address" in await refusal(fetcher, server.url(path, host="rebind.test"))
        private.close()
        await private.wait_closed()
    assert seen == []


@pytest.mark.usefixtures("_one_public_address")
async def test_every_address_that_is_tried_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first address that does not answer leads to the second of the same answer, not to another look-up."""
    monkeypatch.setattr(fetcher_module, "is_public", lambda address: address in ("127.0.0.1", "::1"))
    async with site(serves(PNG)) as server:
        names = Names(two_test=[["::1", "127.0.0.1"], ["127.0.0.2"]])
        fetched = await server.fetcher(names, allow="").fetch(server.url(host="two.test"), accept="image")
    assert fetched.data == PNG
    assert names.asked == ["two.test"]


@pytest.mark.parametrize(
    ("target", "says"),
    [
        pytest.param("http://127.0.0.1:{port}/a.png", "public internet", id="loopback"),
        pytest.param("//127.0.0.1:{port}/a.png", "public internet", id="loopback-without-scheme"),
        pytest.param("http://169.254.169.254/latest/meta-data/", "public internet", id="cloud-metadata"),
        pytest.param("http://2130706433:{port}/a.png", "public internet", id="decimal"),
        pytest.param("http://[::ffff:127.0.0.1]:{port}/a.png", "public internet", id="ipv6-mapped"),
        pytest.param("http://localhost:{port}/a.png", "public internet", id="localhost"),
        pytest.param("http://inside.test:{port}/a.png", "public address", id="name-of-a-private-address"),
        pytest.param("http://user:password@files.test:{port}/a.png", "user name", id="password"),
        pytest.param("http://files.test:0/a.png", "valid host and port", id="port-0"),
        pytest.param("http://public.test:25/", "port 25", id="port-of-smtp"),
        pytest.param("file:///etc/passwd", "http://", id="file"),
        pytest.param("ftp://files.test/a.png", "http://", id="ftp"),
        pytest.param("gopher://files.test:{port}/", "http://", id="gopher"),
        pytest.param("data:image/png;base64,AAAA", "http://", id="data"),
        pytest.param("http://[::1/", "malformed", id="malformed"),
        pytest.param("/again", "more than 5 redirects", id="loop"),
        pytest.param("?again", "more than 5 redirects", id="loop-by-query"),
    ],
)
async def test_redirects(target: str, says: str) -> None:
    names = Names(files_test=[["127.0.0.1"]], inside_test=[["127.0.0.1"]])
    async with site(redirects(target)) as server:
        assert says in await refusal(server.fetcher(names), server.url("/"))
    loops = "again" in target
    assert [request.path for request in server.seen if request.path != "/again"][:1] == ["/"]
    assert len(server.seen) == (6 if loops else 1)


async def test_redirects_from_https_to_http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = certified(tmp_path, monkeypatch)
    async with site(serves(PNG)) as plain, site(redirects(plain.url()), tls) as secure:
        assert "from https to http" in await refusal(plain.fetcher(), f"https://files.test:{secure.port}/")
    assert plain.seen == []


async def test_redirects_to_plain_http() -> None:
    """A host that may be asked without https leads to one that may not."""
    names = Names(files_test=[["127.0.0.1"]], public_test=[["127.0.0.1"]])
    async with site(redirects("http://public.test:{port}/a.png")) as server:
        assert "not https" in await refusal(server.fetcher(names, plain_http=False), server.url("/"))
    assert len(server.seen) == 1


async def test_redirects_carry_nothing_along() -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.path == "/a.png":
            return web.Response(body=PNG)
        headers = {"Location": "/a.png", "Set-Cookie": "session=1; Path=/", "WWW-Authenticate": "Basic"}
        return web.Response(status=302, headers=headers)

    async with site(handler) as server:
        await server.fetcher().fetch(server.url("/?token=secret"), accept="image")
    assert [request.raw_path for request in server.seen] == ["/?token=secret", "/a.png"]
    for request in server.seen:
        assert set(request.headers) == {"Host", "Accept", "Accept-Encoding", "User-Agent", "Connection"}
