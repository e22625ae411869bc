"""Sends stored contents: in pieces, whole or in part, or by naming where they are to be had.

Nothing that was uploaded is ever a document of this origin. Pages show it as an image or play it; opened by itself, it is
saved. What is shown inline of it are its thumbnails, which the platform has drawn. Beyond that, the type is that of the ending
that the platform has given the name, `nosniff` keeps browsers to it, and the sandbox takes scripts, plugins and its origin
from whatever they show all the same.
"""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import cast
from urllib.parse import quote, unquote, urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.errors import error_response, problem_response
from gateway.ranges import Part, Refusal, http_date, wanted
from gateway.schemas.problem import Problem
from genesis.domain.file import UPLOADS
from genesis.errors import GenesisError
from genesis.logs import request_id
from genesis.net.media import type_of_extension
from genesis.ports.blobs import BlobStore, no_content
from genesis.settings import Settings

logger = logging.getLogger(__name__)

FOREVER = "private, max-age=31536000, immutable"
"""A name is given once and its content never changes."""
ASK_FIRST = "private, no-cache"
"""For what is known by another name than its content's."""
STALL_SECONDS = 60.0
"""A connection that takes nothing for this long is dropped."""

_WHOLE_BYTES = 1024 * 1024
"""A content that is not larger is sent in one go, which costs a quarter less than sending it in pieces."""
_SANDBOX = "default-src 'none'; sandbox"
_HIDDEN_FOLDERS = ("incoming/",)
_REDIRECT_SECONDS = 900
_SENT_FROM = "Sec-Fetch-Site"
"""Says whether our own page asks, which is not redirected: its policy lets it load nothing of another origin."""
_PLAIN_NAME = re.compile(r"[A-Za-z0-9 !#$&+.^_`{}~()@,;=\[\]-]+")
_UNSAFE_IN_NAMES = re.compile(r"[\x00-\x1f\x7f/\\]+")


class ContentServer:
    """Answers requests for stored contents.

    Args:
        settings: say whether clients are sent to the store itself, or a server in front is.
    """

    def __init__(self, store: BlobStore, settings: Settings) -> None:
        self._store = store
        self._redirect = settings.storage_redirect
        self._accel_prefix = settings.storage_accel_prefix
        self._root = _root(settings)

    async def response(
        self, request: Request, key: str, *, cache: str = FOREVER, disposition: str = "inline"
    ) -> Response:
        """The answer to a GET or HEAD of a content.

        Args:
            cache: how long it may be kept without asking again.
            disposition: the field Content-Disposition.

        Raises:
            NotFound, InvalidRequest: there is no such content.
            Unavailable: the store does not answer.
        """
        if key.startswith(_HIDDEN_FOLDERS):
            raise no_content(key)
        media_type = _media_type(key)
        headers = {
            "Content-Type": media_type,
            "Content-Disposition": disposition,
            "Cache-Control": cache,
            "Content-Security-Policy": _SANDBOX,
        }
        if self._accel_prefix:
            return Response(headers=headers | {"X-Accel-Redirect": await self._accelerated(key, self._accel_prefix)})
        if self._redirect:
            headers["Vary"] = _SENT_FROM
            if request.method == "GET" and request.headers.get(_SENT_FROM) != "same-origin":
                there = await self._store.presigned_get(
                    key, _REDIRECT_SECONDS, media_type=media_type, disposition=disposition
                )
                if there is not None:
                    kept = f"private, max-age={_REDIRECT_SECONDS // 2}"
                    fields = {"Location": there.url, "Cache-Control": kept, "Vary": _SENT_FROM}
                    return Response(status_code=307, headers=fields)
        return await self._direct(request, key, headers)

    async def _direct(self, request: Request, key: str, headers: dict[str, str]) -> Response:
        blob = await self._store.blob(key)
        get = request.method == "GET"
        part = wanted(request.headers, get=get, size=blob.size, etag=blob.etag, modified_at=blob.modified_at)
        headers |= {
            "Accept-Ranges": "bytes",
            "ETag": f'"{blob.etag}"',
            "Last-Modified": http_date(blob.modified_at),
        }
        if part is Refusal.NOT_MODIFIED:
            del headers["Content-Type"], headers["Content-Disposition"]
            return Response(status_code=304, headers=headers)
        if part is Refusal.UNSATISFIABLE:
            refused = {"Content-Range": f"bytes */{blob.size}", "Accept-Ranges": "bytes"}
            return problem_response(_unsatisfiable(blob.size), refused)
        if isinstance(part, Part):
            headers["Content-Range"] = part.content_range(blob.size)
            return _Pieces(self._store.pieces(key, part.start, part.end), part.size, 206, headers)
        headers["Content-Length"] = str(blob.size)
        if not get:
            return Response(headers=headers)
        if blob.size <= _WHOLE_BYTES:
            return Response(await self._store.read(key, limit=_WHOLE_BYTES), headers=headers)
        return _Pieces(self._store.pieces(key), blob.size, 200, headers)

    async def _accelerated(self, key: str, prefix: str) -> str:
        """The path that a server in front takes for the content; it sees to ranges and conditions itself.

        Of our fields, nginx keeps those that say what the content is and how long it may be kept, and no others: its
        location has to add Content-Security-Policy and X-Content-Type-Options.
        """
        path = await asyncio.to_thread(self._store.local_path, key)
        if path is None:
            raise no_content(key)
        return f"{prefix.rstrip('/')}/{quote(path.relative_to(self._root).as_posix())}"


class _Pieces(Response):
    """A response that is read while it is sent, and not any more when nobody takes it.

    Args:
        pieces: so many bytes.
    """

    def __init__(self, pieces: AsyncIterator[bytes], size: int, status: int, headers: dict[str, str]) -> None:
        super().__init__(status_code=status, headers=headers | {"Content-Length": str(size)})
        self._pieces = cast("AsyncGenerator[bytes, None]", pieces)  # what a store reads from is let go of in time
        self._size = size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(_gone(receive))
        try:
            async with aclosing(self._pieces) as pieces:
                try:
                    first = await anext(pieces, b"")
                except GenesisError as error:  # nothing was sent yet: it can still be told
                    await error_response(Request(scope), error)(scope, receive, send)
                    return
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                await self._send(first, pieces, send, gone)
        except TimeoutError:
            logger.info("a reader of %s took nothing for %s seconds", scope["path"], STALL_SECONDS)
        finally:
            gone.cancel()

    async def _send(self, first: bytes, others: AsyncIterator[bytes], send: Send, gone: "asyncio.Task[None]") -> None:
        """Sends until the end, or until nobody is there; that it is not whole is all that can be said of an error."""
        piece, left = first, self._size
        try:
            while not gone.done():
                left -= len(piece)
                async with asyncio.timeout(STALL_SECONDS):
                    await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
                if left <= 0:
                    return
                piece = await anext(others)
        except StopAsyncIteration:
            logger.warning("a stored content has become shorter: %d bytes are missing", left)
        except GenesisError as error:
            logger.warning("an answer is cut: %s", error.message)


async def _gone(receive: Receive) -> None:
    """Returns when nobody waits for the answer any more."""
    while (await receive())["type"] != "http.disconnect":
        pass


def attachment(name: str) -> str:
    """The field Content-Disposition of something that is to be saved under a name (RFC 6266, RFC 8187)."""
    safe = _UNSAFE_IN_NAMES.sub("_", name).strip(". ")
    if not safe:
        return "attachment"
    if _PLAIN_NAME.fullmatch(safe):
        return f'attachment; filename="{safe}"'
    plain = re.sub(r"[^A-Za-z0-9 !#$&+.^_`{}~()@,;=\[\]-]", "_", safe)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"


def asked_disposition(request: Request, key: str, name: str) -> str:
    """To be shown, unless it was uploaded, or the request has `?download=1`, or `?download=` with a name to save it under.

    Args:
        name: that it is saved under where the request has none.
    """
    asked = request.query_params.get("download", "0")
    if asked in ("", "0"):
        return attachment(name) if key.startswith(UPLOADS) else "inline"
    return attachment(name if asked == "1" else asked[:255])


def _unsatisfiable(size: int) -> Problem:
    return Problem(
        title="Range not satisfiable",
        status=416,
        code="range-not-satisfiable",
        detail=f"The file has {size:,} bytes, none of which are in this range.",
        hint="Ask for bytes that it has, or for all of it.",
        request_id=request_id.get(),
    )


def _media_type(key: str) -> str:
    extension = key.rpartition(".")[2]
    return "application/json" if extension == "json" else type_of_extension(extension)


def _root(settings: Settings) -> Path:
    """The folder that a server in front has as well."""
    if settings.storage_url is None:
        return settings.storage_path.absolute()
    return Path(unquote(urlsplit(settings.storage_url).path))
