"""The one HTTP client for providers: sends each request once, and tells which failures may have been paid for."""

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from http import HTTPStatus
from types import TracebackType
from typing import Self

from aiohttp import (
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientSSLError,
    ClientTimeout,
    FormData,
)
from aiohttp.payload import Payload
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from genesis.domain.storable import storable_text
from genesis.errors import (
    ProviderAmbiguous,
    ProviderError,
    ProviderMisconfigured,
    ProviderRejected,
    ProviderUnavailable,
    ReplyTooLarge,
)
from genesis.net.addresses import written_url
from genesis.net.exchange import FormFile, Reply, Request, StreamedReply
from genesis.net.session import Progress, Response, Session
from genesis.net.words import presentable

CONNECT_SECONDS = 10.0
_HTTP = ("http://", "https://")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""Characters that no header may hold (RFC 9110, 5.5)."""


class HttpClient:
    """Sends requests to providers; use it as an async context manager.

    It follows no redirects, keeps no cookies, repeats nothing, and uses no proxies from the environment.
    """

    def __init__(self) -> None:
        self._session: Session | None = None

    async def __aenter__(self) -> Self:
        self._session = Session(ClientTimeout(connect=CONNECT_SECONDS))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(
        self,
        request: Request,
        *,
        base_url: str = "",
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float,
        max_bytes: int,
    ) -> Reply:
        """Sends one request and reads the whole reply, of any status.

        Args:
            base_url: what a relative request URL is appended to.
            headers: the provider's, its key among them; sent to the origin of `base_url` only.
            timeout_seconds: from the look-up of the name to the last byte of the reply.
            max_bytes: largest reply, after decompression.

        Raises:
            ProviderUnavailable: no connection, so nothing was sent.
            ProviderAmbiguous: the reply is missing or incomplete; the request may have been carried out. It is a
                `ReplyCutOff` where the reply had begun.
            ReplyTooLarge: the reply is larger than `max_bytes`, and not a refusal.
            ProviderRejected: a refusal is larger than that, or an absolute URL is malformed.
            ProviderMisconfigured: `base_url` or a header cannot be used.
        """
        url, is_own = _target(request.url, base_url)
        with _Failures(url, timeout_seconds) as failures:
            # A key must not travel to a host that only a reply has named.
            own = headers if is_own else None
            async with asyncio.timeout(timeout_seconds), await self._send(request, url, own, failures) as response:
                failures.headers = _headers(response.headers)
                body = b"".join([piece async for piece in _pieces(response, url, max_bytes)])
                return Reply(response.status, failures.headers, body)

    @asynccontextmanager
    async def stream(
        self,
        request: Request,
        *,
        base_url: str = "",
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float,
        max_bytes: int,
    ) -> AsyncIterator[StreamedReply]:
        """Sends one request and gives the reply as it arrives; as `send` otherwise.

        A reply that is not read to its end costs its connection.
        """
        url, is_own = _target(request.url, base_url)
        with _Failures(url, timeout_seconds) as failures:
            # A key must not travel to a host that only a reply has named.
            own = headers if is_own else None
            async with asyncio.timeout(timeout_seconds), await self._send(request, url, own, failures) as response:
                failures.headers = _headers(response.headers)
                yield StreamedReply(response.status, failures.headers, _pieces(response, url, max_bytes))

    async def _send(
        self, request: Request, url: URL, headers: Mapping[str, str] | None, failures: "_Failures"
    ) -> Response:
        if self._session is None:
            raise RuntimeError("HttpClient is used outside of `async with`.")
        fields = _fields(url, headers or {}, request)
        return await self._session.request(request.method, url, failures.progress, headers=fields, body=_body(request))


class ReplyCutOff(ProviderAmbiguous):
    """A reply broke off after its headers.

    Args:
        headers: by lower-case name.
    """

    def __init__(self, message: str, headers: Mapping[str, str]) -> None:
        super().__init__(message)
        self.headers = headers


class _Failures:
    """Sorts the failures of the request that is made within it.

    Attributes:
        progress: of the request.
        headers: of the reply, once they are there.
    """

    def __init__(self, url: URL, timeout_seconds: float) -> None:
        self._url = url
        self._timeout_seconds = timeout_seconds
        self.progress = Progress()
        self.headers: Mapping[str, str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        match error:
            case TimeoutError():
                raise self._sorted(_timed_out(self._url, self.progress, self._timeout_seconds)) from error
            case ClientError() | OSError() | UnicodeError():  # the last for names that cannot be looked up
                raise self._sorted(_failed(self._url, self.progress, error)) from error

    def _sorted(self, error: ProviderError) -> ProviderError:
        return error if self.headers is None else ReplyCutOff(error.message, self.headers)


@lru_cache(maxsize=256)
def _target(url: str, base_url: str) -> tuple[URL, bool]:
    """Where a request goes, and whether that is the origin of `base_url`."""
    is_absolute = url.lower().startswith(_HTTP)
    if not is_absolute:
        url = f"{base_url.rstrip('/')}/{url.lstrip('/')}" if url else base_url
    try:
        target = written_url(url)
    except ValueError:
        target = URL()
    if target.scheme in ("http", "https") and target.host and "@" not in target.raw_authority:
        return target, bool(base_url) and URL(base_url).origin() == target.origin()
    if is_absolute:
        raise ProviderRejected("The provider named a URL that cannot be used.")
    raise ProviderMisconfigured(
        "The base URL of the provider cannot be used.", hint="Give it the form https://host/path, without a password."
    )


def _fields(url: URL, headers: Mapping[str, str], request: Request) -> CIMultiDict[str]:
    fields = CIMultiDict(headers)
    if request.json is not None:
        fields["Content-Type"] = "application/json"
    fields.update(request.headers)
    for name, value in fields.items():
        if _CONTROL.search(value):
            raise ProviderMisconfigured(
                f"The header {name} for {_host(url)} contains a line break or another control character.",
                hint="Remove it from the provider's key.",
            )
    return fields


def _body(request: Request) -> bytes | Payload:
    if request.json is not None:
        return json.dumps(request.json).encode()
    if request.data is not None:
        return request.data
    if request.form is None:
        return b""
    form = FormData(default_to_multipart=True)
    for name, value in request.form.items():
        if isinstance(value, FormFile):
            form.add_field(name, io.BytesIO(value.data), filename=value.filename, content_type=value.media_type)
        else:
            for text in (value,) if isinstance(value, str) else value:
                form.add_field(name, text)
    return form()


async def _pieces(response: Response, url: URL, max_bytes: int) -> AsyncIterator[bytes]:
    read = 0
    async for piece in response.content.iter_any():
        read += len(piece)
        if read > max_bytes:
            refused = HTTPStatus.BAD_REQUEST <= response.status < HTTPStatus.INTERNAL_SERVER_ERROR
            raise (ProviderRejected if refused else ReplyTooLarge)(
                f"{_host(url)} answered with more than {max_bytes} bytes."
            )
        yield piece


def _headers(written_fields: CIMultiDictProxy[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for written, value in written_fields.items():
        name = written.lower()
        # aiohttp hands on bytes that are no UTF-8 as lone surrogates, which can neither be stored nor sent on.
        text = value if value.isascii() else storable_text(value)
        fields[name] = f"{fields[name]}, {text}" if name in fields else text
    return fields


def _host(url: URL) -> str:
    return presentable(url.host or "")


def _timed_out(url: URL, progress: Progress, timeout_seconds: float) -> ProviderError:
    if progress.connected:
        return ProviderAmbiguous(
            f"{_host(url)} did not finish its answer within {timeout_seconds:g} seconds; it may have done the work."
        )
    seconds = min(timeout_seconds, CONNECT_SECONDS)
    return ProviderUnavailable(f"{_host(url)} did not accept a connection within {seconds:g} seconds.")


def _failed(url: URL, progress: Progress, error: ClientError | OSError | UnicodeError) -> ProviderError:
    if progress.connected:
        return ProviderAmbiguous(f"{_host(url)} broke off before the end of its answer; it may have done the work.")
    match error:
        case ClientConnectorDNSError() | UnicodeError():
            reason = "its name is not known"
        case ClientSSLError():
            reason = "it offers no valid TLS connection"
        case ClientConnectorError():
            reason = error.strerror or "it accepts no connection"
        case _:
            reason = "it accepts no connection"
    return ProviderUnavailable(f"{_host(url)} cannot be reached: {reason}.")
