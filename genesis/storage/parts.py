"""Sends a content to S3 while it comes: in one request where it is small, else in parts."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace

import obstore
from obstore.store import S3Store as Client

from genesis.domain.artifact import Artifact
from genesis.errors import Unavailable
from genesis.storage.bucket import answering

PART_BYTES = 8 * 1024 * 1024
"""S3 allows 10,000 parts of at least 5 MiB: 80 GB."""
_PASSED_BYTES = 1024 * 1024
"""What follows the first part is passed on in smaller pieces: the library gathers parts of its own."""
_AT_ONCE = 2
_STALLED_SECONDS = 120.0
"""So long a part may wait until there is room for it."""


class _Abandoned(Exception):
    """Ends an upload in parts, which the library aborts then."""


class _KeyTaken(Exception):
    """Ends one because there is a content under its key."""


class PartsWriter:
    """Implements `genesis.ports.blobs.BlobWriter`: holds few parts at once, however long the content is.

    Args:
        create: stores a whole content unless there is one under its key, and says whether there was none.
        is_there: whether there is a content under a key.
    """

    def __init__(
        self,
        client: Client,
        artifact: Artifact,
        create: Callable[[Artifact, bytes], Awaitable[bool]],
        is_there: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._client = client
        self._artifact = artifact
        self._create = create
        self._is_there = is_there
        self._digest = hashlib.sha256()
        self._pieces: list[bytes] = []
        self._gathered = 0
        self._size = 0
        # None ends the content, and an error the upload.
        self._parts: asyncio.Queue[bytes | _Abandoned | None] = asyncio.Queue(1)
        self._sending: asyncio.Task[bool] | None = None

    @property
    def artifact(self) -> Artifact:
        """What was stored; see the port."""
        return self._artifact

    async def write(self, piece: bytes) -> None:
        """Takes the next piece; see the port."""
        self._pieces.append(piece)
        self._gathered += len(piece)
        if self._gathered >= (PART_BYTES if self._sending is None else _PASSED_BYTES):
            await self._offer(await self._part())

    async def keep(self) -> bool:
        """Stores what was written; returns whether there was nothing under its key."""
        part = await self._part()
        self._artifact = replace(self._artifact, size=self._size, sha256=self._digest.hexdigest())
        if self._sending is None:
            return await self._create(self._artifact, part)
        if part:
            await self._offer(part)
        await self._offer(None)
        # Were it canceled, the library would not abort the upload.
        return await asyncio.shield(self._sending)

    async def end(self) -> None:
        """Leaves nothing but what was kept."""
        if self._sending is None:
            return
        if not self._sending.done():
            while not self._parts.empty():
                self._parts.get_nowait()
            self._parts.put_nowait(_Abandoned())
            await asyncio.wait((self._sending,), timeout=_STALLED_SECONDS)
            self._sending.cancel()
        # Whoever wrote has been told what went wrong, or has gone.
        await asyncio.gather(self._sending, return_exceptions=True)

    async def _part(self) -> bytes:
        part = b"".join(self._pieces)
        self._pieces, self._gathered = [], 0
        self._size += len(part)
        await asyncio.to_thread(self._digest.update, part)
        return part

    async def _offer(self, part: bytes | None) -> None:
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())
        offering = asyncio.create_task(self._parts.put(part))
        await asyncio.wait((offering, self._sending), timeout=_STALLED_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if offering.done():
            return
        offering.cancel()
        if self._sending.done():
            self._sending.result()
        raise Unavailable(
            "The S3 store cannot write: it takes nothing any more.",
            hint="Check that the store at AWS_ENDPOINT_URL is up, and its log.",
        )

    async def _send(self) -> bool:
        try:
            with answering("write"):
                await obstore.put_async(
                    self._client,
                    self._artifact.key,
                    self._offered(),
                    attributes={"Content-Type": self._artifact.media_type},
                    use_multipart=True,
                    chunk_size=PART_BYTES,
                    max_concurrency=_AT_ONCE,
                )
        except _KeyTaken:
            return False
        return True

    async def _offered(self) -> AsyncGenerator[bytes, None]:
        while (part := await self._parts.get()) is not None:
            if isinstance(part, _Abandoned):
                raise part
            yield part
        if await self._is_there(self._artifact.key):
            raise _KeyTaken
