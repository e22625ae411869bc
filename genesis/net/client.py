"""The one HTTP client for providers: sends each request once, and tells which failures may have been paid for."""

import asyncio
import io
import json
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from aiohttp import (
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
    FormData,
)
from multidict import CIMultiDict
from yarl import URL

from genesis.domain.storable import storable_text
from genesis.errors import (
    ProviderAmbiguous,
    ProviderError,
    ProviderMisconfigured,
    ProviderRejected,
    ProviderUnavailable,
)
from genesis.net.addresses import written_url
from genesis.net.exchange import FormFile, Reply, Request
from genesis.net.session import Progress, open_session
from genesis.net.words import presentable

CONNECT_SECONDS = 10.0
_HTTP = ("http://", "https://")


class HttpClient:
    """Sends requests to providers; use it as an async context manager.

    It follows no redirects, keeps no cookies, repeats nothing, and uses no proxies from the environment.
    """

    def __init__(self) -> None:
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = open_session(ClientTimeout(total=None, connect=CONNECT_SECONDS))
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
            ProviderAmbiguous: the reply is missing or incomplete; the request may have been carried out.
            ProviderRejected: the reply is larger than `max_bytes`, or an absolute URL is malformed.
            ProviderMisconfigured: `base_url` or a header cannot be used.
        """
        if self._session is None:
            raise RuntimeError("HttpClient is used outside of `async with`.")
        url = _target(request.url, base_url)
        fields = _fields(url, base_url, headers or {}, request)
        progress = Progress()
        try:
            async with (
                asyncio.timeout(timeout_seconds),
                self._session.request(
                    request.method,
                    url,
                    headers=fields,
                    data=_body(request),
                    allow_redirects=False,
                    trace_request_ctx=progress,
                ) as response,
            ):
                return await _read(response, max_bytes)
        except TimeoutError as error:
            raise _timed_out(url, progress, timeout_seconds) from error
        except (ClientError, OSError, UnicodeError) as error:  # the last for names that cannot be looked up
            raise _failed(url, progress, error) from error


def _target(url: str, base_url: str) -> URL:
    is_absolute = url.lower().startswith(_HTTP)
    if not is_absolute:
        url = f"{base_url.rstrip('/')}/{url.lstrip('/')}" if url else base_url
    try:
        target = written_url(url)
    except ValueError:
        target = URL()
    if target.scheme in ("http", "https") and target.host and "@" not in target.raw_authority:
        return target
    if is_absolute:
        raise ProviderRejected("The provider named a URL that cannot be used.")
    raise ProviderMisconfigured(
        "The base URL of the provider cannot be used.", hint="Give it the form https://host/path, without a password."
    )


def _fields(url: URL, base_url: str, headers: Mapping[str, str], request: Request) -> CIMultiDict[str]:
    fields: CIMultiDict[str] = CIMultiDict()
    # A key must not travel to a host that only a reply has named.
    if base_url and URL(base_url).origin() == url.origin():
        fields.update(headers)
    if request.json is not None:
        fields["Content-Type"] = "application/json"
    fields.update(request.headers)
    for name, value in fields.items():
        if any(character in value for character in "\r\n\0"):
            raise ProviderMisconfigured(
                f"The header {name} for {_host(url)} contains a line break.", hint="Remove it from the provider's key."
            )
    return fields


def _body(request: Request) -> io.BytesIO | FormData | None:
    # Streams, because aiohttp warns of large bodies that are bytes.
    if request.json is not None:
        return io.BytesIO(json.dumps(request.json).encode())
    if request.data is not None:
        return io.BytesIO(request.data)
    if request.form is None:
        return None
    form = FormData(default_to_multipart=True)
    for name, value in request.form.items():
        if isinstance(value, FormFile):
            form.add_field(name, io.BytesIO(value.data), filename=value.filename, content_type=value.media_type)
        else:
            form.add_field(name, value)
    return form


async def _read(response: ClientResponse, max_bytes: int) -> Reply:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > max_bytes:
            response.close()
            raise ProviderRejected(f"{_host(response.url)} answered with more than {max_bytes} bytes.")
    headers = {name.lower(): _written(response.headers.getall(name)) for name in response.headers}
    return Reply(response.status, headers, bytes(body))


def _written(values: Sequence[str]) -> str:
    # aiohttp hands on bytes that are no UTF-8 as lone surrogates, which can neither be stored nor sent on.
    return storable_text(", ".join(values))


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
