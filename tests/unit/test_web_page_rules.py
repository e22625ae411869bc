"""Which hosts a request may name, and from which pages it may come."""

import pytest

from gateway.origins import OriginCheck, is_foreign_page, is_trusted_host

ELSEWHERE = "172.18.0.3"
LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")
ADDRESSES = (
    "127.0.0.1",
    "127.0.0.1:8000",
    "[::1]:8000",
    "10.244.0.7:8000",
    "localhost",
    "LOCALHOST:3000",
    "localhost.",
)
PRIVATE = (
    "gateway:8000",
    "testserver",
    "myserver.local:8000",
    "gateway-service.multimodal-ai.svc.cluster.local",
    "a.internal",
)
FOREIGN = (
    *("evil.example:8000", "local.evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "evil.local.com"),
    *("evil-local.com", ".", "[::1", "evil.example."),
)
PUBLIC = ("genesis.example.org",)


@pytest.mark.parametrize("host", ["", *ADDRESSES])
@pytest.mark.parametrize("arrived_at", [ELSEWHERE, *LOOPBACK, "/run/genesis.sock"])
@pytest.mark.parametrize("trusted", [(), PUBLIC])
def test_what_nobody_can_point_elsewhere_may_always_be_named(host, arrived_at, trusted):
    assert is_trusted_host(host, arrived_at, trusted)


@pytest.mark.parametrize("host", PRIVATE)
@pytest.mark.parametrize(
    ("arrived_at", "answered"), [(ELSEWHERE, True), ("testserver", True), *((one, False) for one in LOOPBACK)]
)
def test_a_name_that_cannot_be_registered_is_good_but_over_the_loopback_interface(host, arrived_at, answered):
    assert is_trusted_host(host, arrived_at, ()) is answered


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("arrived_at", [ELSEWHERE, *LOOPBACK])
@pytest.mark.parametrize("trusted", [(), PUBLIC])
def test_a_name_that_somebody_else_may_own_is_refused(host, arrived_at, trusted):
    assert not is_trusted_host(host, arrived_at, trusted)


@pytest.mark.parametrize("arrived_at", [ELSEWHERE, *LOOPBACK])
@pytest.mark.parametrize(
    ("host", "trusted", "answered"),
    [
        ("genesis.example.org", PUBLIC, True),
        ("Genesis.Example.ORG:443", PUBLIC, True),
        ("www.genesis.example.org", PUBLIC, False),
        ("gateway", PUBLIC, False),
        ("gateway", ("gateway", *PUBLIC), True),
        ("a.example.org", ("*.example.org",), True),
        ("evilexample.org", ("*.example.org",), False),
        ("example.org.evil.example", ("*.example.org",), False),
        ("evil.example", ("*",), True),
    ],
)
def test_named_hosts_take_the_place_of_the_private_names(host, trusted, answered, arrived_at):
    assert is_trusted_host(host, arrived_at, trusted) is answered


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, False),
        ({"host": "localhost:8000"}, False),
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "same-site"}, True),
        ({"sec-fetch-site": "nonsense"}, True),
        ({"origin": "http://localhost:3000", "host": "localhost:3000"}, False),
        ({"origin": "https://Genesis.example.org", "host": "genesis.example.ORG"}, False),
        ({"origin": "http://localhost:5173", "host": "localhost:3000"}, True),
        ({"origin": "https://evil.example", "host": "localhost:8000"}, True),
        ({"origin": "null", "host": "localhost:8000"}, True),
        ({"origin": "null"}, True),
        ({"origin": "https://page.example", "host": "localhost:8000", "sec-fetch-site": "cross-site"}, False),
        ({"origin": "https://page.example.evil.example", "host": "localhost:8000"}, True),
        # A proxy that names its own host to the gateway: the browser's own word counts.
        ({"origin": "http://localhost:3000", "host": "127.0.0.1:8000", "sec-fetch-site": "same-origin"}, False),
    ],
)
def test_pages_of_other_origins_are_known(headers, refused):
    named = (headers.get("origin", ""), headers.get("sec-fetch-site", ""), headers.get("host", ""))
    assert is_foreign_page(*named, ("https://page.example",)) is refused


def test_all_origins_may_where_the_operator_says_so():
    assert not is_foreign_page("https://evil.example", "cross-site", "localhost", ("*",))


@pytest.mark.parametrize(
    ("kind", "method", "passed"),
    [
        ("http", "GET", True),
        ("http", "HEAD", True),
        ("http", "OPTIONS", True),
        ("http", "POST", False),
        ("http", "DELETE", False),
        ("http", "ANYTHING", False),
        ("websocket", None, False),
        ("lifespan", None, True),
    ],
)
async def test_pages_of_other_origins_change_nothing_and_open_no_websocket(kind, method, passed):
    reached = []

    async def app(scope, receive, send):
        reached.append(scope)

    async def send(message):
        pass

    scope = {"type": kind, "headers": [(b"origin", b"https://evil.example"), (b"host", b"localhost")]}
    if kind == "websocket":
        scope["extensions"] = {"websocket.http.response": {}}
    if method:
        scope["method"] = method
    await OriginCheck(app, allowed=())(scope, None, send)
    assert bool(reached) is passed
