"""Endless answers: server-sent events and WebSockets, each in the request's own task and without a buffer.

A connection that takes nothing for a while is dropped. Whoever comes back goes on where it was.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.errors import error_response
from gateway.views import event_document
from genesis.domain.event import RecordedEvent
from genesis.engine.streams import Item, OrganizationStream, Stream
from genesis.errors import GenesisError

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 15.0
"""An idle stream says this often that it is there, and looks whether anybody still is."""
STALL_SECONDS = 30.0
"""A connection that takes nothing for this long is dropped."""
RETRY_MILLISECONDS = 1_000
"""Clients of server-sent events are asked to wait this long before they connect again."""

_PACK_BYTES = 65_536

DONE = 1000
RESTARTS = 1012
TRY_AGAIN = 1013

Opening = AbstractAsyncContextManager[Stream]
IdentityOf = Callable[[RecordedEvent], str]


class EventStream(Response):
    """A response of server-sent events.

    Args:
        opening: opens the stream; its errors are answered as those of any route.
        identity_of: the id of an event, with which a client can go on after it.
        resumed: the client goes on; if there is nothing more, the answer is 204, which ends its reconnecting.
    """

    media_type = "text/event-stream"

    def __init__(self, opening: Opening, identity_of: IdentityOf, *, resumed: bool) -> None:
        super().__init__(headers={"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._opening = opening
        self._identity_of = identity_of
        self._resumed = resumed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._opening as stream:
            if stream.ended and self._resumed:
                await Response(status_code=204)(scope, receive, send)
                return
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            try:
                async for chunk in self._chunks(stream, Request(scope, receive)):
                    async with asyncio.timeout(STALL_SECONDS):
                        await send({"type": "http.response.body", "body": chunk, "more_body": bool(chunk)})
            except TimeoutError:
                logger.info("a reader of %s took nothing for %s seconds", scope["path"], STALL_SECONDS)

    async def _chunks(self, stream: Stream, request: Request) -> AsyncIterator[bytes]:
        """What to send; an empty one when the stream has ended, none when nobody is there any more."""
        clock = asyncio.get_running_loop().time
        looked = clock()
        yield self._greeting(stream)
        while not stream.ended:
            try:
                items = await stream.read(HEARTBEAT_SECONDS)
            except GenesisError as error:
                logger.warning("a stream of %s is cut: %s", request.url.path, error.message)
                break
            for chunk in self._packed(items):
                yield chunk
            if not items and not stream.ended:
                yield b": heartbeat\n\n"
            if clock() - looked >= HEARTBEAT_SECONDS:
                if await request.is_disconnected():
                    return
                looked = clock()
        yield b""

    def _greeting(self, stream: Stream) -> bytes:
        """How soon to come back and, as events of all jobs may be long in coming, from where to go on."""
        identity = f"id: {stream.cursor}\n" if isinstance(stream, OrganizationStream) else ""
        return f"retry: {RETRY_MILLISECONDS}\n{identity}\n".encode()

    def _packed(self, items: Sequence[Item]) -> Iterator[bytes]:
        """Events in pieces that a connection's buffer can hold, so that a slow one is felt."""
        pack = bytearray()
        for item in items:
            pack += self._encoded(item)
            if len(pack) >= _PACK_BYTES:
                yield bytes(pack)
                pack.clear()
        if pack:
            yield bytes(pack)

    def _encoded(self, item: Item) -> bytes:
        document = event_document(item)
        identity = f"id: {self._identity_of(item)}\n" if isinstance(item, RecordedEvent) else ""
        head = f"{identity}event: {document['type']}\ndata: "
        return b"%b%b\n\n" % (head.encode(), to_json(document, fallback=dict))


async def tell_websocket(websocket: WebSocket, opening: Callable[[], Opening]) -> None:
    """Sends a stream's events as JSON messages, each as the data of a server-sent one.

    It closes with 1000 when the stream has ended, 1012 when this process stops, and 1013 when the ledger does not answer.
    A stream that cannot be opened is refused in the handshake, with a problem.
    """
    try:
        async with opening() as stream:
            await websocket.accept()
            code = await _tell(websocket, stream)
            async with asyncio.timeout(STALL_SECONDS):
                await websocket.close(code)
    except GenesisError as error:
        await websocket.send_denial_response(error_response(websocket, error))
    except WebSocketDisconnect:
        logger.debug("a reader of %s has left", websocket.url.path)
    except TimeoutError:
        logger.info("a reader of %s took nothing for %s seconds", websocket.url.path, STALL_SECONDS)


async def _tell(websocket: WebSocket, stream: Stream) -> int:
    """Sends until the stream ends, and gives the code to close with.

    Raises:
        WebSocketDisconnect: nobody is there any more.
        TimeoutError: the connection takes nothing.
    """
    if isinstance(stream, OrganizationStream):
        await _send(websocket, {"type": "stream-opened", "cursor": stream.cursor})
    while True:
        try:
            items = await stream.read(HEARTBEAT_SECONDS)
        except GenesisError as error:
            logger.warning("a stream of %s is cut: %s", websocket.url.path, error.message)
            return TRY_AGAIN
        for item in items:
            await _send(websocket, event_document(item))
        if stream.ended:
            return RESTARTS if stream.interrupted else DONE
        await _hear_out(websocket)


async def _send(websocket: WebSocket, document: dict[str, object]) -> None:
    async with asyncio.timeout(STALL_SECONDS):
        await websocket.send_text(to_json(document, fallback=dict).decode())


async def _hear_out(websocket: WebSocket) -> None:
    """Takes what has been said to us, which means nothing, without waiting for more.

    Raises:
        WebSocketDisconnect: it was a good-bye.
    """
    while True:
        try:
            async with asyncio.timeout(0):
                message = await websocket.receive()
        except TimeoutError:
            return
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", RESTARTS))
