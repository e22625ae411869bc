"""The yardstick of files: Starlette writing a body to disk with its digest, and serving it in pieces."""

import asyncio
import hashlib
import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

_FOLDER = Path(os.environ["STORAGE_PATH"])
_PIECE = 256 * 1024


async def _upload(request: Request) -> Response:
    name, digest = uuid.uuid4().hex, hashlib.sha256()
    with (_FOLDER / f".{name}").open("wb") as file:
        async for piece in request.stream():
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    (_FOLDER / f".{name}").rename(_FOLDER / name)
    return JSONResponse({"url": f"/storage/{name}", "sha256": digest.hexdigest()}, 201)


async def _download(request: Request) -> Response:
    path = _FOLDER / request.path_params["name"]
    headers = {"Content-Length": str(path.stat().st_size)}
    return StreamingResponse(_pieces(path), media_type="audio/wav", headers=headers)


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb", buffering=0) as file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece


async def _health(_: Request) -> Response:
    return PlainTextResponse("ok")


app = Starlette(
    routes=[
        Route("/files", _upload, methods=["POST"]),
        Route("/storage/{name}", _download),
        Route("/health", _health),
    ]
)
