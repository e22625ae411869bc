"""Contents in a folder of this machine, shared by gateway and workers."""

import asyncio
import errno
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from genesis.domain.artifact import Artifact
from genesis.domain.identity import Milliseconds
from genesis.errors import NotFound, PayloadTooLarge, Unavailable
from genesis.ports.blobs import Blob, Presigned
from genesis.storage.draft import Draft, another_content, digest_of
from genesis.storage.keys import Key, checked_folder, parsed
from genesis.storage.tree import Tree, blob_of, closing

Result = TypeVar("Result")

_THREADS = 16
"""Most of them wait for the disk."""
_BATCH_BYTES = 256 * 1024
"""Written at once, from one of two buffers that are used in turn: what is allocated anew costs as much as writing it."""
_PIECE_BYTES = 256 * 1024
_AT_ONCE: int | None = getattr(os, "RWF_NOWAIT", None)
"""Makes a read fail where it would have to wait: preadv2(2). Only Linux has it, and not for all file systems."""
_LISTED_AT_ONCE = 500


class FileStore:
    """Implements `genesis.ports.blobs.BlobStore` on a folder.

    Links below the root are not followed. A content appears whole or not at all, is never replaced, and has reached the
    disk when it is said to be stored. The folder's file system has to support hard links.

    Args:
        root: an existing folder, absolute.
    """

    def __init__(self, root: Path) -> None:
        self._tree = Tree(root)
        # Threads of its own: a slow disk holds up nothing else, and waits for nothing else.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="store")

    async def write(self, key: str, data: bytes, media_type: str) -> Artifact:
        """Stores a content; see the port."""
        draft = Draft(self._tree, parsed(key))
        await self._run("write", lambda: _write(draft, data))
        return Artifact(key, media_type, draft.size, draft.sha256)

    @asynccontextmanager
    async def writing(self, key: str, media_type: str) -> AsyncIterator["FileWriter"]:
        """Stores a content that comes in pieces; see the port."""
        writer = FileWriter(Draft(self._tree, parsed(key)), Artifact(key, media_type, 0, ""), self._threads)
        try:
            yield writer
            await writer.keep()
        finally:
            await asyncio.shield(writer.end())

    async def read(self, key: str, *, limit: int) -> bytes:
        """The content; see the port."""
        place = parsed(key)
        return await self._run("read", lambda: self._read(place, limit))

    async def blob(self, key: str) -> Blob:
        """What is known of a content; see the port."""
        place = parsed(key)
        return await self._run("read", lambda: self._blob(place))

    async def pieces(self, key: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """A content in pieces; see the port. A thread is asked only for what has to come from the disk."""
        place = parsed(key)
        with _answering("read"):
            opening = self._threads.submit(self._open, place)
            under_way: Future[bytes] | Future[tuple[int, int]] = opening
            try:
                descriptor, size = await asyncio.wrap_future(opening)
                end = size if end is None else min(end, size)
                while start < end:
                    count = min(_PIECE_BYTES, end - start)
                    piece = _at_hand(descriptor, count, start)
                    if piece is None:
                        under_way = reading = self._threads.submit(os.pread, descriptor, count, start)
                        piece = await asyncio.wrap_future(reading)
                    else:
                        await asyncio.sleep(0)  # others have their turn between pieces
                    if not piece:
                        raise _shorter(place)
                    start += len(piece)
                    yield piece
            finally:
                # Not while a thread is at it, which may go on when nobody waits for it any more.
                under_way.add_done_callback(lambda _: _close(opening))

    async def copy(self, key: str, to: str, media_type: str) -> None:  # noqa: ARG002  # a name tells the type here
        """Gives a content a second key; see the port.

        Raises:
            Conflict: there is another content under the new key.
        """
        source, target = parsed(key), parsed(to)
        await self._run("write", lambda: self._copy(source, target))

    async def move(self, key: str, to: str, media_type: str) -> None:  # noqa: ARG002  # the same
        """Gives a content another key; see the port.

        Raises:
            Conflict: there is another content under the new key.
        """
        source, target = parsed(key), parsed(to)
        await self._run("write", lambda: self._move(source, target))

    async def delete(self, key: str) -> None:
        """Deletes a content; see the port."""
        place = parsed(key)
        await self._run("delete", lambda: self._tree.unlink(place))

    async def blobs(self, folder: str | None = None) -> AsyncGenerator[Blob, None]:
        """All contents; see the port."""
        found = self._tree.blobs(None if folder is None else checked_folder(folder))
        async with aclosing(self._steps(_batches(found))) as batches:
            async for batch in batches:
                for blob in batch:
                    yield blob

    async def remove_remains(self, before: Milliseconds) -> int:
        """Deletes what was left half-written; see the port. Receipts' remains are among it."""
        return await self._run("delete", lambda: self._tree.remove_remains(before))

    async def presigned_get(  # a folder answers no requests
        self,
        key: str,
        seconds: int,  # noqa: ARG002
        *,
        media_type: str,  # noqa: ARG002
        disposition: str,  # noqa: ARG002
    ) -> Presigned | None:
        """None; see the port."""
        parsed(key)
        return None

    async def presigned_put(
        self,
        key: str,
        seconds: int,  # noqa: ARG002  # the same
        size: int | None = None,  # noqa: ARG002
    ) -> Presigned | None:
        """None; see the port."""
        parsed(key)
        return None

    async def check(self) -> None:
        """Tries to write; see the port."""
        await self._run("write", self._tree.check)

    def local_path(self, key: str) -> Path | None:
        """Where the content lies; see the port.

        Raises:
            Unavailable: the folder cannot be read.
        """
        with _answering("read"):
            return self._tree.path(parsed(key))

    async def close(self) -> None:
        """Waits for what is under way, and ends the threads."""
        await asyncio.to_thread(self._threads.shutdown)

    async def _run(self, verb: str, work: Callable[[], Result]) -> Result:
        with _answering(verb):
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _steps(self, generator: Generator[Result, None, None]) -> AsyncGenerator[Result, None]:
        """What a blocking generator yields; it is one step ahead."""
        loop = asyncio.get_running_loop()
        steps = _Steps(generator)
        upcoming = loop.run_in_executor(self._threads, steps.next)
        try:
            while True:
                with _answering("list"):
                    found = await asyncio.shield(upcoming)
                if not found:
                    return
                upcoming = loop.run_in_executor(self._threads, steps.next)
                yield found[0]
        finally:
            await asyncio.shield(asyncio.gather(upcoming, return_exceptions=True))
            steps.close()

    def _read(self, key: Key, limit: int) -> bytes:
        with closing(self._tree.open(key)) as descriptor:
            size = os.fstat(descriptor).st_size
            if size > limit:
                raise PayloadTooLarge(f"The file {key} has {size} bytes; {limit} are allowed.")
            data = os.read(descriptor, size)
            if len(data) < size:
                raise _shorter(key)
            return data

    def _blob(self, key: Key) -> Blob:
        with closing(self._tree.open(key)) as descriptor:
            return blob_of(key, os.fstat(descriptor))

    def _open(self, key: Key) -> tuple[int, int]:
        """A descriptor of a content, and how many bytes it has."""
        descriptor = self._tree.open(key)
        return descriptor, os.fstat(descriptor).st_size

    def _copy(self, source: Key, target: Key) -> None:
        with self._tree.source(source) as old, self._tree.parent(target) as new:
            # A content is never changed, so that two keys may share one file.
            if not self._tree.link(old, source.name, new, target) and not self._are_alike(source, target):
                raise another_content(target)
            os.fsync(new)

    def _move(self, source: Key, target: Key) -> None:
        try:
            self._copy(source, target)
        except (NotFound, FileNotFoundError):
            if self._tree.path(target) is None:
                raise
            return
        self._tree.unlink(source)

    def _are_alike(self, one: Key, other: Key) -> bool:
        if self._tree.path(other) is None:
            return False
        with closing(self._tree.open(one)) as first, closing(self._tree.open(other)) as second:
            if os.path.sameopenfile(first, second):
                return True
            same_size = os.fstat(first).st_size == os.fstat(second).st_size
            return same_size and digest_of(first) == digest_of(second)


class FileWriter:
    """Implements `genesis.ports.blobs.BlobWriter`: gathers pieces, and has them written while others come."""

    def __init__(self, draft: Draft, artifact: Artifact, threads: ThreadPoolExecutor) -> None:
        self._draft = draft
        self._artifact = artifact
        self._threads = threads
        self._batch = bytearray()
        self._filled = 0
        self._spare = bytearray()
        self._under_way: asyncio.Future[None] | None = None

    async def write(self, piece: bytes) -> None:
        """Takes the next piece; see the port."""
        rest = memoryview(piece)
        while rest:
            if not self._batch:
                self._batch = bytearray(_BATCH_BYTES)
            taken = min(len(rest), _BATCH_BYTES - self._filled)
            self._batch[self._filled : self._filled + taken] = rest[:taken]
            self._filled += taken
            rest = rest[taken:]
            if self._filled == _BATCH_BYTES:
                await self._settled()
                full = memoryview(self._batch)
                self._under_way = self._submit(partial(self._draft.add, full))
                # The other one has been written.
                self._batch, self._spare, self._filled = self._spare, self._batch, 0

    @property
    def artifact(self) -> Artifact:
        """What was stored; see the port."""
        return self._artifact

    async def keep(self) -> None:
        """Stores what was written."""
        await self._settled()
        last = memoryview(self._batch)[: self._filled]
        self._under_way = self._submit(lambda: self._finish(last))
        await self._settled()
        self._artifact = replace(self._artifact, size=self._draft.size, sha256=self._draft.sha256)

    async def end(self) -> None:
        """Leaves nothing but what was kept."""
        under_way, self._under_way = self._under_way, None
        waited = [under_way] if under_way else []
        await asyncio.gather(*waited, self._submit(self._draft.end), return_exceptions=True)

    async def _settled(self) -> None:
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            with _answering("write"):
                await under_way

    def _submit(self, work: Callable[[], None]) -> asyncio.Future[None]:
        return asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _finish(self, last: memoryview) -> None:
        self._draft.add(last)
        self._draft.keep()


class _Steps(Generic[Result]):
    """A blocking generator that threads may take turns with, and close while another is at it."""

    def __init__(self, generator: Generator[Result, None, None]) -> None:
        self._generator = generator
        self._lock = Lock()

    def next(self) -> tuple[Result] | None:
        """What it yields next; None at its end."""
        with self._lock:
            for found in self._generator:
                return (found,)
            return None

    def close(self) -> None:
        with self._lock:
            self._generator.close()


@contextmanager
def _answering(verb: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"The file store cannot {verb}: {error.strerror or error}.",
            hint="Check free space and permissions of the folder named by STORAGE_PATH or STORAGE_URL.",
        ) from error


def _at_hand(descriptor: int, count: int, start: int) -> bytes | None:
    """What the system has in memory of a piece; None where it would have to wait for the disk, or cannot tell."""
    if _AT_ONCE is None:
        return None
    piece = bytearray(count)
    try:
        return bytes(memoryview(piece)[: os.preadv(descriptor, [piece], start, _AT_ONCE)])
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EOPNOTSUPP):
            return None
        raise


def _shorter(key: Key) -> OSError:
    return OSError(f"the file {key} has become shorter")


def _close(opening: Future[tuple[int, int]]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        os.close(opening.result()[0])


def _write(draft: Draft, data: bytes) -> None:
    try:
        draft.add(data)
        draft.keep()
    finally:
        draft.end()


def _batches(found: Iterator[Blob]) -> Generator[list[Blob], None, None]:
    while batch := list(islice(found, _LISTED_AT_ONCE)):
        yield batch
