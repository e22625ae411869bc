"""HTTP for calls that may cost money: sends each request once, and knows whether one has left.

Connections, TLS, names, the parser and the writer are aiohttp's. Its `ClientSession` is left out: most of the work of a
small call goes into what is not wanted here, such as cookies, redirects, proxies and sending a request again.
"""

import asyncio
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import Self, cast

from aiohttp import ClientError, ClientPayloadError, ClientRequest, ClientTimeout, InvalidURL, TCPConnector
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import HttpProcessingError, RawResponseMessage, StreamWriter
from aiohttp.payload import BytesIOPayload, Payload
from aiohttp.streams import StreamReader
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

# Shorter than common servers keep idle connections (5 s and more): a request on a connection that the server is just
# closing would be ambiguous.
_KEEP_ALIVE_SECONDS = 3.0
_OWN_FIELDS = {"User-Agent": "Genesis"}
_WITHOUT_BODY = ("GET", "HEAD")
_AT_ONCE_BYTES = 16 * 1024
"""A body that is not longer finds room in the buffers of the connection, so that nobody has to wait until it is sent."""


@dataclass(slots=True)
class Progress:
    """How far a request has come.

    Attributes:
        connected: from then on, bytes may have been sent.
    """

    connected: bool = False


class Response:
    """The response to a request that is on its way; an async context manager that begins once its head is there.

    Until then nothing is held of the request. One that is not read to its end costs its connection.

    Attributes:
        headers: by name, whatever its case.
    """

    status: int
    headers: CIMultiDictProxy[str]
    content: StreamReader

    def __init__(self, connection: Connection, protocol: ResponseHandler, sending: asyncio.Task[None] | None) -> None:
        self._connection = connection
        self._protocol = protocol
        self._sending = sending

    async def __aenter__(self) -> Self:
        """Waits for the head.

        Raises:
            ClientError, OSError: there is none.
        """
        try:
            message, self.content = await _head(self._protocol)
        except BaseException:
            self._leave(reusable=False)
            raise
        self.status, self.headers = message.code, message.headers
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        transport = self._connection.transport
        self._leave(reusable=error is None and transport is not None and not transport.get_write_buffer_size())

    def _leave(self, *, reusable: bool) -> None:
        if self._sending is not None and not self._sending.done():
            self._sending.cancel()
            reusable = False
        if reusable:
            self._connection.release()
        else:
            self._connection.close()


class Session:
    """Keeps connections for a while; use it as an async context manager.

    It knows no cookies, no redirects and no proxies, and repeats nothing.

    Args:
        timeout: its `connect` and `sock_connect` count; how long the rest may take, callers see to.
    """

    def __init__(self, timeout: ClientTimeout) -> None:
        self._timeout = timeout
        self._connector = TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_SECONDS)  # slots limit what is under way
        self._loop = asyncio.get_running_loop()
        self._destination = lru_cache(maxsize=256)(self._new_destination)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes all connections."""
        await self._connector.close()

    async def request(
        self, method: str, url: URL, progress: Progress, *, headers: Mapping[str, str], body: bytes | Payload = b""
    ) -> Response:
        """Sends a request; returns its response, of any status, which is to be entered at once.

        Args:
            progress: noted there while it is sent.
            body: a large one is sent piece by piece; the response may come before its end.

        Raises:
            ClientError: no connection, or one that was lost, depending on the progress.
            ValueError: the URL or a header cannot be used; nothing was sent.
            OSError, TimeoutError: as ClientError.
        """
        destination = self._destination(url)
        fields = CIMultiDict(destination.headers)
        fields.update(headers)
        if isinstance(body, bytes) and len(body) > _AT_ONCE_BYTES:
            body = BytesIOPayload(io.BytesIO(body))
        connection = await self._connector.connect(destination, [], self._timeout)
        try:
            protocol = cast("ResponseHandler", connection.protocol)  # it has none after its release only
            protocol.set_response_params(read_until_eof=True, skip_payload=method == "HEAD")
            writer = StreamWriter(protocol, self._loop)
            _announce(body, method, fields, writer)
            await writer.write_headers(f"{method} {url.raw_path_qs} HTTP/1.1", fields)
            progress.connected = True
            if isinstance(body, Payload):
                return Response(connection, protocol, self._loop.create_task(_send(body, writer, protocol)))
            await writer.write_eof(body)
        except BaseException:
            connection.close()
            raise
        return Response(connection, protocol, None)

    def _new_destination(self, url: URL) -> ClientRequest:
        """What the connector asks for, with the fields that all requests to it have; a password in the URL among them."""
        if url.scheme not in ("http", "https"):
            raise InvalidURL(url)
        return ClientRequest("GET", url, headers=_OWN_FIELDS, loop=self._loop)


def _announce(body: bytes | Payload, method: str, fields: CIMultiDict[str], writer: StreamWriter) -> None:
    size: int | None
    if isinstance(body, Payload):
        size = body.size
        for name, value in (body.headers or {}).items():
            fields.setdefault(name, value)
    else:
        size = len(body)
    if size is None:
        writer.enable_chunking()
        fields["Transfer-Encoding"] = "chunked"
    elif size or method not in _WITHOUT_BODY:
        fields["Content-Length"] = str(size)


async def _send(body: Payload, writer: StreamWriter, protocol: ResponseHandler) -> None:
    """Sends a body while the response may come already; that it cannot be sent is told to whoever waits for that."""
    try:
        await body.write(writer)
        await writer.write_eof()
    except (ClientError, OSError) as error:
        protocol.set_exception(ClientPayloadError(f"the request could not be sent: {error}"), error)


async def _head(protocol: ResponseHandler) -> tuple[RawResponseMessage, StreamReader]:
    """The response's head, and its body as it comes; interim responses are passed over."""
    while True:
        try:
            message, content = await protocol.read()
        except HttpProcessingError as error:
            raise ClientPayloadError(error.message) from error
        if not 100 <= message.code <= 199 or message.code == 101:
            return message, content
