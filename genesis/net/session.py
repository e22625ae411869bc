"""The HTTP session of calls that may cost money: sends each request once, and knows whether one has left."""

from contextvars import ContextVar
from dataclasses import dataclass

from aiohttp import (
    ClientConnectorError,
    ClientHandlerType,
    ClientOSError,
    ClientPayloadError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    ServerDisconnectedError,
    TCPConnector,
)
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

# Shorter than common servers keep idle connections (5 s and more): a request on a connection that the server is just
# closing would be ambiguous.
_KEEP_ALIVE_SECONDS = 3.0


@dataclass(slots=True)
class Progress:
    """Sends a request once, and notes how far it has come; goes with the request as its `middlewares`.

    Attributes:
        connected: from then on, bytes may have been sent.
    """

    connected: bool = False

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Hides lost connections from aiohttp, which would send idempotent requests a second time."""
        _current.set(self)
        try:
            return await handler(request)
        except ClientConnectorError:
            raise
        except (ClientOSError, ServerDisconnectedError) as error:
            raise ClientPayloadError(str(error)) from error


_current: ContextVar[Progress] = ContextVar("progress of the task's request")


class _Connector(TCPConnector):
    """Notes when a request gets its connection; a session's tracing would tell so too, but at more cost."""

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout) -> Connection:  # noqa: ASYNC109
        connection = await super().connect(req, traces, timeout)
        _current.get().connected = True
        return connection


def open_session(timeout: ClientTimeout) -> ClientSession:
    """A session that keeps no cookies, repeats nothing, and uses no proxies from the environment."""
    return ClientSession(
        connector=_Connector(limit=0, keepalive_timeout=_KEEP_ALIVE_SECONDS),  # slots limit what is under way
        cookie_jar=DummyCookieJar(),
        headers={"User-Agent": "Genesis"},
        timeout=timeout,
        trust_env=False,
        middlewares=(_unwatched,),
    )


async def _unwatched(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    return await Progress()(request, handler)
