"""Pure ASGI middleware: request ids, the access log, what errors become that nothing else has caught, and what web pages
of others may not do."""

import logging
import re
import time
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import problem_response
from gateway.schemas.problem import Problem
from genesis.domain.identity import new_id
from genesis.errors import PayloadTooLarge
from genesis.logs import request_id

logger = logging.getLogger("gateway.access")

REQUEST_ID_HEADER = "X-Request-ID"
_LONGEST_REQUEST_ID = 128

_EVERY_ANSWER = [(b"x-content-type-options", b"nosniff"), (b"content-security-policy", b"frame-ancestors 'none'")]
"""Nothing is taken for another type than it says, and no page of another origin shows ours in a frame."""

_PRIVATE_NAME = re.compile(r"[^.]+|.+\.(localhost|local|internal|home\.arpa)")  # RFC 6761, 6762, 8375; ICANN 2024
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110, 9.2.1


class RequestLog:
    """Gives every request an id, which the caller may choose, and writes one line about it when it is answered.

    Every answer tells browsers what they may not do with it.

    An error that nothing else has caught becomes a problem here.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identity = _chosen_id(scope) or new_id()
        token = request_id.set(identity)
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = identity
                message["headers"] = [*message["headers"], *_EVERY_ANSWER]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            logger.exception("unexpected error")
            if status:
                raise
            await problem_response(_unexpected())(scope, receive, send_with_id)
        finally:
            milliseconds = round((time.perf_counter() - started) * 1000, 1)
            logger.info(
                "%s %s %s",
                scope["method"],
                scope["path"],
                status,
                extra={"status": status, "milliseconds": milliseconds},
            )
            request_id.reset(token)


class HostCheck:
    """Refuses requests to a host name that somebody else may own.

    A page of another site may let its own name point here (DNS rebinding): to the browser, this is then its own site,
    and it may read and send what it likes. Its requests still carry its name as their Host.

    Args:
        trusted: names that the operator allows, as in `is_trusted_host`.
    """

    def __init__(self, app: ASGIApp, *, trusted: Collection[str]) -> None:
        self._app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host = Headers(scope=scope).get("host", "")
            server = scope.get("server") or ("", None)
            if not is_trusted_host(host, server[0], self._trusted):
                await problem_response(_untrusted(host))(scope, receive, send)
                return
        await self._app(scope, receive, send)


class OriginCheck:
    """Refuses requests that change something and come from a web page of another origin.

    A browser sends some of them for any page without asking first: forms, and whatever has no body of a declared type.

    Args:
        allowed: origins whose pages may; `*` for any.
    """

    def __init__(self, app: ASGIApp, *, allowed: Collection[str]) -> None:
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_cross_origin(scope["method"], Headers(scope=scope), self._allowed):
            origin = Headers(scope=scope).get("origin", "")
            await problem_response(_cross_origin(scope["method"], origin))(scope, receive, send)
            return
        await self._app(scope, receive, send)


def is_trusted_host(host: str, arrived_at: str, trusted: Collection[str]) -> bool:
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


def is_cross_origin(method: str, headers: Headers, allowed: Collection[str]) -> bool:
    """Whether a request may change something and a page of an origin that is not `allowed` has sent it.

    What the browser says itself (Fetch Metadata) counts first, then whether the page's origin has the host that the
    request names; a program sends neither. The rules are those of Go's `net/http.CrossOriginProtection`.
    """
    origin = headers.get("origin", "").lower()
    if method in _SAFE_METHODS or "*" in allowed or origin in allowed:
        return False
    site = headers.get("sec-fetch-site", "")
    if site:
        return site not in ("same-origin", "none")
    host = headers.get("host", "").lower()
    return bool(origin) and origin not in (f"http://{host}", f"https://{host}")


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _chosen_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == REQUEST_ID_HEADER.lower().encode():
            chosen: str = value.decode("latin-1")
            return chosen if chosen.isprintable() and len(chosen) <= _LONGEST_REQUEST_ID else ""
    return ""


def _unexpected() -> Problem:
    return Problem(
        title="Internal error",
        status=500,
        code="internal-error",
        detail="Genesis met an error of its own.",
        hint="The log has the details under this request's id; please report it.",
        request_id=request_id.get(),
    )


def too_large(max_bytes: int) -> Problem:
    """What a request of more than `max_bytes` is answered with."""
    return Problem(
        title="Payload too large",
        status=413,
        code=PayloadTooLarge.code,
        detail=f"The request body has more than {max_bytes:,} bytes.",
        hint="Give files by URL; their content does not belong into the request.",
        request_id=request_id.get(),
    )


def _untrusted(host: str) -> Problem:
    return Problem(
        title="Untrusted host",
        status=421,
        code="untrusted-host",
        detail=f"The request names the host {host}, which this gateway does not answer to.",
        hint="Name localhost or the server's IP address; the operator can add a name to GENESIS_TRUSTED_HOSTS.",
        request_id=request_id.get(),
    )


def _cross_origin(method: str, origin: str) -> Problem:
    return Problem(
        title="Cross-origin request",
        status=403,
        code="cross-origin-request",
        detail=f"A web page of another origin ({origin or 'unknown'}) has sent this {method}; nothing was changed.",
        hint="Use the page of this gateway; the operator can add an origin to CORS_ORIGINS.",
        request_id=request_id.get(),
    )
