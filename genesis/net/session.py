"""The HTTP session of calls that may cost money: sends each request once, and knows whether one has left."""

from dataclasses import dataclass
from types import SimpleNamespace

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
    TraceConfig,
)

# Shorter than common servers keep idle connections (5 s and more): a request on a connection that the server is just
# closing would be ambiguous.
_KEEP_ALIVE_SECONDS = 3.0


@dataclass(slots=True)
class Progress:
    """How far a request has come; given to the session with the request, as `trace_request_ctx`.

    Attributes:
        connected: from then on, bytes may have been sent.
    """

    connected: bool = False


def open_session(timeout: ClientTimeout) -> ClientSession:
    """A session that keeps no cookies, repeats nothing, and uses no proxies from the environment."""
    return ClientSession(
        connector=TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_SECONDS),  # slots limit what is under way
        cookie_jar=DummyCookieJar(),
        headers={"User-Agent": "Genesis"},
        timeout=timeout,
        trust_env=False,
        trace_configs=[_tracing()],
        middlewares=(_send_once,),
    )


def _tracing() -> TraceConfig:
    async def connected(_session: ClientSession, context: SimpleNamespace, _params: object) -> None:
        if context.trace_request_ctx is not None:
            context.trace_request_ctx.connected = True

    tracing = TraceConfig()
    tracing.on_connection_create_end.append(connected)
    tracing.on_connection_reuseconn.append(connected)
    return tracing


async def _send_once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Hides lost connections from aiohttp, which would send idempotent requests a second time."""
    try:
        return await handler(request)
    except ClientConnectorError:
        raise
    except (ClientOSError, ServerDisconnectedError) as error:
        raise ClientPayloadError(str(error)) from error
