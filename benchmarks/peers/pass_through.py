"""The yardstick: Starlette and aiohttp passing a request on to the provider and its answer, or its stream, back."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

_URL = os.environ["PROVIDER_URL"]
_session: aiohttp.ClientSession


@asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[None]:
    global _session
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout()) as _session:
        yield


async def _chat(request: Request) -> Response:
    headers = {"Content-Type": "application/json"}
    reply = await _session.post(_URL + request.url.path, data=await request.body(), headers=headers)
    if reply.content_type == "text/event-stream":
        return StreamingResponse(_passed_on(reply), media_type=reply.content_type)
    return Response(await reply.read(), reply.status, media_type=reply.content_type)


async def _passed_on(reply: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async with reply:
        async for piece in reply.content.iter_any():
            yield piece


async def _health(_: Request) -> Response:
    return PlainTextResponse("ok")


app = Starlette(
    routes=[Route("/v1/chat/completions", _chat, methods=["POST"]), Route("/health", _health)], lifespan=_lifespan
)
