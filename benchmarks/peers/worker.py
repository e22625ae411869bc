"""The cheapest worker: passes a text to the provider and its answer back. All compared stacks but Genesis use it."""

import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import aiohttp

Message = MutableMapping[str, Any]
_URL = os.environ["PROVIDER_URL"] + "/v1/chat/completions"
_session: aiohttp.ClientSession


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """`POST /generate` with `{"text": …}` answers `{"text": …}`."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    status, answer = 200, b"{}"
    if scope["method"] == "POST":
        text = json.loads((await receive())["body"])["text"]
        body = {"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": text}]}
        async with _session.post(_URL, data=json.dumps(body), headers={"Content-Type": "application/json"}) as reply:
            document = json.loads(await reply.read())
        answer = json.dumps({"text": document["choices"][0]["message"]["content"]}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


async def _lifespan(receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
    global _session  # noqa: PLW0603 - the one state of a process that does one thing
    await receive()
    _session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await _session.close()
    await send({"type": "lifespan.shutdown.complete"})
