"""Bodies of requests, as they come."""

import asyncio
from collections.abc import AsyncIterator

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

_LEAST_BYTES = 16 * 1024


async def pieces_of(request: Request, idle_seconds: float) -> AsyncIterator[bytes]:
    """The pieces of a request's body, none of them empty.

    Args:
        idle_seconds: in which at least 16 KiB have to come, or the rest: one that trickles takes the place of others.

    Raises:
        ClientDisconnect: whoever sent it has gone before its end.
        HTTPException: 408: it comes too slowly, or not at all.
    """
    clock = asyncio.get_running_loop().time
    deadline, fresh = clock() + idle_seconds, 0
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                message = await request.receive()
        except TimeoutError:
            raise HTTPException(
                408, f"Too little of the body has come for {idle_seconds:g} seconds.", {"Connection": "close"}
            ) from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece: bytes = message.get("body", b"")
        if piece:
            handed = clock()
            yield piece
            deadline += clock() - handed  # what is done with it is not its sender's time
        if not message.get("more_body", False):
            return
        fresh += len(piece)
        if fresh >= _LEAST_BYTES:
            deadline, fresh = clock() + idle_seconds, 0
