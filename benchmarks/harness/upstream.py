"""A provider that costs next to nothing: OpenAI's chat format over HTTP/1.1, the same answer to every call.

`python -m benchmarks.harness.upstream PORT HOLD` answers after HOLD seconds; a call with `"stream": true` gets events,
one a second, until it goes away. No HTTP library stands between: only lengths are read.
"""

import asyncio
import json
import sys
from collections.abc import Callable
from typing import cast

import uvloop

TEXT = (
    "Durable work is work whose state survives the process that does it. It is written down before anybody is told, "
    "so that a power cut costs time and nothing else; what was paid for once is never paid for again."
)

_ANSWER = {
    "id": "gen-1700000000-abcdefghij",
    "object": "chat.completion",
    "created": 1700000000,
    "model": "openai/gpt-4o-mini",
    "provider": "OpenAI",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": TEXT, "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 23, "completion_tokens": 48, "total_tokens": 71, "cost": 0.0000322},
}


def _response(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


_CHAT = _response(json.dumps(_ANSWER).encode())
_STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_DELTA = b'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'
_CHUNK = b"%x\r\n%s\r\n" % (len(_DELTA), _DELTA)


class _Connection(asyncio.Protocol):
    def __init__(self, hold: float, on_call: Callable[[], None]) -> None:
        self._hold = hold
        self._on_call = on_call
        self._received = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's has the methods, not the base class

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            end += 4 + _length(self._received[:end].lower())
            if len(self._received) < end:
                return
            request, self._received = self._received[:end], self._received[end:]
            self._answer(request)

    def _answer(self, request: bytes) -> None:
        if request.startswith(b"POST"):
            self._on_call()
        if b'"stream":true' in request or b'"stream": true' in request:
            self._transport.write(_STREAM)
            self._stream()
        elif self._hold and request.startswith(b"POST"):
            asyncio.get_running_loop().call_later(self._hold, self._transport.write, _CHAT)
        else:
            self._transport.write(_CHAT)

    def _stream(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(_CHUNK)
            asyncio.get_running_loop().call_later(1.0, self._stream)


def _length(head: bytes) -> int:
    _, found, rest = head.partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0]) if found else 0


async def listen(port: int, *, hold: float = 0.0, on_call: Callable[[], None] = lambda: None) -> asyncio.Server:
    """Serves the provider in this event loop.

    Args:
        hold: seconds that an answer takes.
        on_call: told of every call at its arrival.
    """
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: _Connection(hold, on_call), "127.0.0.1", port, backlog=4096)


async def _serve(port: int, hold: float) -> None:
    await (await listen(port, hold=hold)).serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
