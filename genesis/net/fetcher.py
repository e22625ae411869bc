"""The guarded fetcher: gets files from URLs that users give, and lets no URL reach into the operator's network."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urljoin
from weakref import WeakKeyDictionary

from aiohttp import (
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientPayloadError,
    ClientResponse,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from genesis.errors import InputRejected, InvalidRequest
from genesis.net.addresses import ALLOW_HINT, check_public_url, is_allowed, is_public, written_url
from genesis.net.media import ISO_MEDIA, Family, Sniffer, family_of

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Looks a host name up: name and port to its addresses; raises OSError when it has none."""

MAX_REDIRECTS = 5
MOST_AT_ONCE = 16
"""Fetches of a process that are under way at once, all fetchers together, each of which may hold a whole file."""
MOST_HEAD_FIELDS = 64
_PAGES = ("text/html", "application/xhtml+xml", "image/svg+xml")
"""Types that are believed, since nobody says so of a file that can be used."""
_REDIRECTS = {301, 302, 303, 307, 308}
_LOOKUPS_AT_ONCE = 8
_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_HINTS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "Give a URL that opens without signing in.",
    HTTPStatus.FORBIDDEN: "Give a URL that opens without signing in.",
    HTTPStatus.NOT_FOUND: "Check the URL; a link that expires may have done so.",
    HTTPStatus.GONE: "Check the URL; a link that expires may have done so.",
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A fetched file.

    Attributes:
        media_type: found in its content.
    """

    data: bytes
    media_type: str


class FetchInterrupted(InputRejected):
    """The file could not be had now; the same URL may give it later."""


class SystemResolver:
    """The system's name lookup, in threads of its own: a name server that never answers holds up nothing else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOKUPS_AT_ONCE, thread_name_prefix="lookup")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _look_up, host, port)


class GuardedFetcher:
    """Fetches images and audio from URLs that users give.

    Only http and https, only public addresses. A name is looked up once per connection; what is checked is what is
    connected to, so an answer that changes later changes nothing. Redirects are followed by hand with the whole check
    again; one from https to http is refused, because the user asked for a protected transfer. Nothing is decompressed,
    no cookies or credentials are sent, and proxies from the environment are not used. A file that is of no use by its
    first 64 KiB is not read further.

    Args:
        max_bytes: largest file.
        timeout_seconds: longest time for the whole fetch, name lookup and redirects included, and longest wait for
            other fetches before it.
        allowed_hosts: hosts (`name` or `name:port`, lower-case) whose address need not be public, nor their URLs https.
        plain_http: whether all URLs need not be https.
        limited: whether its fetches count among the `MOST_AT_ONCE`, and wait for them; for URLs that users give.
        resolve: looks names up; the system's way when not given.
    """

    def __init__(
        self,
        *,
        max_bytes: int,
        timeout_seconds: float,
        allowed_hosts: Collection[str] = (),
        plain_http: bool = False,
        limited: bool = True,
        resolve: Resolve | None = None,
    ) -> None:
        self._max_bytes = max_bytes
        self._timeout_seconds = timeout_seconds
        self._allowed_hosts = frozenset(allowed_hosts)
        self._plain_http = plain_http
        self._limited = limited
        self._resolver = _CheckingResolver(resolve or SystemResolver(), self._allowed_hosts)

    async def fetch(self, url: str, *, accept: Family) -> Fetched:
        """Fetches a file and checks by its content that it is of the accepted family.

        Raises:
            InputRejected: the URL, its host, its answer or its content cannot be used; the message says which and why.
            FetchInterrupted: of these, what may be otherwise in a moment.
        """
        async with _one_of_few(self._timeout_seconds) if self._limited else nullcontext():
            try:
                async with asyncio.timeout(self._timeout_seconds):
                    return await self._follow(url, accept)
            except TimeoutError:
                raise FetchInterrupted(
                    f"The file was not delivered within {self._timeout_seconds:g} seconds.",
                    hint="Give a URL on a faster host, or a smaller file.",
                ) from None

    async def _follow(self, start: str, accept: Family) -> Fetched:
        headers = {"Accept": f"{accept}/*", "Accept-Encoding": "identity", "User-Agent": "Genesis"}
        # A session per fetch: no connection, cookie or name outlives the check that it passed.
        async with ClientSession(
            connector=TCPConnector(resolver=self._resolver, use_dns_cache=False, force_close=True),
            cookie_jar=DummyCookieJar(),
            timeout=ClientTimeout(total=None),
            auto_decompress=False,
            trust_env=False,
            max_headers=MOST_HEAD_FIELDS,
        ) as session:
            url = self._checked(start)
            for _ in range(MAX_REDIRECTS + 1):
                try:
                    async with session.get(url, headers=headers, allow_redirects=False) as response:
                        if response.status not in _REDIRECTS or "Location" not in response.headers:
                            return await self._read(response, accept)
                        url = self._redirected(response)
                except (ClientError, OSError) as error:
                    raise _unreachable(url, error) from error
                except UnicodeError:
                    raise InputRejected(
                        "The host of the URL has a name that cannot be read.", hint="Check the URL."
                    ) from None
        raise InputRejected(f"The URL leads through more than {MAX_REDIRECTS} redirects.", hint="Give the final URL.")

    def _checked(self, url: str) -> URL:
        try:
            check_public_url(url, self._allowed_hosts, plain_http=self._plain_http)
        except InvalidRequest as error:
            raise InputRejected(error.message, hint=error.hint) from error
        return written_url(url)

    def _redirected(self, response: ClientResponse) -> URL:
        here = response.url
        try:
            there = urljoin(str(here), response.headers["Location"].strip().replace(" ", "%20"))
        except ValueError:
            raise InputRejected(f"{here.host} redirects to a malformed URL.", hint="Give the final URL.") from None
        if here.scheme == "https" and there.lower().startswith("http:"):
            raise InputRejected(f"{here.host} redirects from https to http.", hint="Give the final URL.")
        return self._checked(there)

    async def _read(self, response: ClientResponse, accept: Family) -> Fetched:
        host = response.url.host
        if response.status != HTTPStatus.OK:
            raise _refused(host, response.status)
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise InputRejected(f"{host} sends the file compressed, although asked not to.", hint="Use another host.")
        if (response.content_length or 0) > self._max_bytes:
            raise self._too_large()
        if response.content_type in _PAGES:
            raise _wrong_type(response.content_type, accept)
        data, sniffer, passed = bytearray(), Sniffer(), False
        async for chunk in response.content.iter_any():
            data += chunk
            if len(data) > self._max_bytes:
                raise self._too_large()
            sniffer.feed(chunk)
            if not passed and (head_type := sniffer.head_type) is not None:
                passed = head_type == ISO_MEDIA or family_of(head_type) == accept
                if not passed:
                    raise _wrong_type(head_type, accept)
        if family_of(sniffer.media_type) != accept:
            raise _wrong_type(sniffer.media_type, accept) if data else _empty(accept)
        return Fetched(bytes(data), sniffer.media_type)

    def _too_large(self) -> InputRejected:
        return InputRejected(f"The file is larger than {self._max_bytes} bytes.", hint="Give a smaller file.")


class _CheckingResolver(AbstractResolver):
    """Looks a name up and hands on its addresses only if all may be connected to; the connector takes them as they are.

    aiohttp does not ask it about hosts that are written as addresses; `check_public_url` has seen to those.
    """

    def __init__(self, resolve: Resolve, allowed_hosts: frozenset[str]) -> None:
        self._resolve = resolve
        self._allowed_hosts = allowed_hosts

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - the connector asks for any
    ) -> list[ResolveResult]:
        addresses = await self._resolve(host, port)
        if not addresses:
            raise OSError("the name has no address")
        if not is_allowed(host, port, self._allowed_hosts) and not all(map(is_public, addresses)):
            # The address is not named: callers should not learn the operator's network from messages.
            raise InputRejected(f"The host {host} of the URL is not at a public address.", hint=ALLOW_HINT)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _refused(host: str | None, status: int) -> InputRejected:
    # The server's own phrase may be any bytes.
    known = HTTPStatus(status) if status in set(HTTPStatus) else None
    reason = f"{status} {known.phrase}" if known else f"{status}"
    kind = FetchInterrupted if status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR else InputRejected
    return kind(f"{host} answered HTTP {reason}.", hint=_HINTS.get(status, ""))


def _unreachable(url: URL, error: ClientError | OSError) -> FetchInterrupted:
    match error:
        case ClientConnectorDNSError():
            return FetchInterrupted(f"The host {url.host} of the URL is not known.", hint="Check the host name.")
        case ClientSSLError():
            return FetchInterrupted(f"{url.host} offers no valid TLS connection.", hint="Check its certificate.")
        case ClientConnectorError():
            return FetchInterrupted(
                f"{url.host} accepts no connection on port {url.port}.", hint="Check host and port."
            )
        case ClientPayloadError():
            return FetchInterrupted(f"{url.host} broke off before the end of the file.", hint="Try the URL again.")
    return FetchInterrupted(f"{url.host} did not answer in valid HTTP.", hint="Check the URL.")


def _empty(accept: Family) -> InputRejected:
    return InputRejected(f"The URL leads to an empty file, not to {_A_FILE[accept]}.")


def _wrong_type(media_type: str, accept: Family) -> InputRejected:
    found = media_type or "of a type that its content does not tell"
    return InputRejected(
        f"The URL leads not to {_A_FILE[accept]} but to a file that is {found}.", hint=f"{_KINDS[accept]} can be used."
    )


_A_FILE: dict[Family, str] = {"image": "an image", "audio": "an audio file"}
_KINDS: dict[Family, str] = {
    "image": "PNG, JPEG, WebP, GIF, BMP, TIFF and AVIF",
    "audio": "WAV, MP3, Ogg, FLAC, M4A, WebM and AAC",
}

_under_way: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


@asynccontextmanager
async def _one_of_few(wait_seconds: float) -> AsyncIterator[None]:
    """Waits until fewer than `MOST_AT_ONCE` fetches are under way.

    Raises:
        FetchInterrupted: they are not within `wait_seconds`.
    """
    slots = _under_way.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(MOST_AT_ONCE))
    try:
        async with asyncio.timeout(wait_seconds):
            await slots.acquire()
    except TimeoutError:
        raise FetchInterrupted(
            "Too many other files are being fetched at this moment.", hint="Try again in a moment."
        ) from None
    try:
        yield
    finally:
        slots.release()
