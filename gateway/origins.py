"""What web pages of others may not do: reach this gateway under a name of their own, change something, open WebSockets."""

import re
from collections.abc import Collection
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import problem_response
from gateway.schemas.problem import Problem
from genesis.logs import request_id

_PRIVATE_NAME = re.compile(r"[^.]+|.+\.(localhost|local|internal|home\.arpa)")  # RFC 6761, 6762, 8375; ICANN 2024
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110, 9.2.1


class HostCheck:
    """Pure ASGI middleware: refuses requests to a host name that somebody else may own.

    A page of another site may let its own name point here (DNS rebinding): to the browser, this is then its own site,
    and it may read and send what it likes. Its requests still carry its name as their Host.

    Args:
        trusted: names that the operator allows, as in `is_trusted_host`.
    """

    def __init__(self, app: ASGIApp, *, trusted: Collection[str]) -> None:
        self._app = app
        self._trusted = tuple(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            host = _field(scope, b"host")
            server = scope.get("server") or ("", None)
            if not is_trusted_host(host, server[0], self._trusted):
                await problem_response(_untrusted(host))(scope, receive, send)
                return
        await self._app(scope, receive, send)


class OriginCheck:
    """Pure ASGI middleware: refuses what changes something, and WebSockets, where a web page of another origin asks.

    A browser sends some requests for any page without asking first: forms, whatever has no body of a declared type, and
    the handshakes of WebSockets, of which the page may read what comes.

    Args:
        allowed: origins whose pages may; `*` for any.
    """

    def __init__(self, app: ASGIApp, *, allowed: Collection[str]) -> None:
        self._app = app
        self._allowed = frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        harmless = scope["type"] == "lifespan" or scope.get("method") in _SAFE_METHODS
        if not harmless:
            origin, site = _field(scope, b"origin"), _field(scope, b"sec-fetch-site")
            if is_foreign_page(origin, site, _field(scope, b"host"), self._allowed):
                asked = "a WebSocket" if scope["type"] == "websocket" else f"this {scope['method']}"
                await problem_response(_cross_origin(asked, origin))(scope, receive, send)
                return
        await self._app(scope, receive, send)


@lru_cache(maxsize=256)
def is_trusted_host(host: str, arrived_at: str, trusted: tuple[str, ...]) -> bool:
    """Whether a request may name this host.

    Nobody can let an IP address or `localhost` point elsewhere. A name that cannot be registered on the internet (without
    a dot, or below `.local`, `.internal`, `.home.arpa`, `.localhost`) is as good unless the request arrived over the
    loopback interface: whoever runs a visitor's network may give such a name the address 127.0.0.1.

    Args:
        host: the Host field with or without its port; empty when there is none, which no browser does.
        arrived_at: the server's own address of the connection; anything else (a socket's path) counts as no address.
        trusted: names; `*.example.org` stands for all below, `*` for any. If there are some, they take the place of the
            names that cannot be registered.
    """
    if not host:
        return True
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    if name == "localhost" or _address(name):
        return True
    if trusted:
        return any(
            pattern in ("*", name) or (pattern.startswith("*.") and name.endswith(pattern[1:])) for pattern in trusted
        )
    address = _address(arrived_at)
    return not (address and address.is_loopback) and _PRIVATE_NAME.fullmatch(name) is not None


def is_foreign_page(origin: str, site: str, host: str, allowed: Collection[str]) -> bool:
    """Whether a page of an origin that is not `allowed` has sent a request.

    What the browser says itself (Fetch Metadata) counts first, then whether the page's origin has the host that the
    request names; a program sends neither. The rules are those of Go's `net/http.CrossOriginProtection`.

    Args:
        origin, site, host: the request's fields Origin, Sec-Fetch-Site and Host; empty where there is none.
    """
    origin = origin.lower()
    if "*" in allowed or origin in allowed:
        return False
    if site:
        return site not in ("same-origin", "none")
    return bool(origin) and origin not in (f"http://{host.lower()}", f"https://{host.lower()}")


def _field(scope: Scope, name: bytes) -> str:
    for known, value in scope["headers"]:
        if known == name:
            return str(value, "latin-1")
    return ""


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _untrusted(host: str) -> Problem:
    return Problem(
        title="Untrusted host",
        status=421,
        code="untrusted-host",
        detail=f"The request names the host {host}, which this gateway does not answer to.",
        hint="Name localhost or the server's IP address; the operator can add a name to GENESIS_TRUSTED_HOSTS.",
        request_id=request_id.get(),
    )


def _cross_origin(asked: str, origin: str) -> Problem:
    return Problem(
        title="Cross-origin request",
        status=403,
        code="cross-origin-request",
        detail=f"A web page of another origin ({origin or 'unknown'}) has asked for {asked}; nothing was changed.",
        hint="Use the page of this gateway; the operator can add an origin to CORS_ORIGINS.",
        request_id=request_id.get(),
    )
