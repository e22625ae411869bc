"""Copies all contents of the store to another one, and reads every copy back."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field

from genesis.errors import Conflict, GenesisError, Misconfigured, NotFound, Unavailable
from genesis.net.media import type_of_extension
from genesis.ports.blobs import Blob, BlobStore
from genesis.settings import Settings
from launcher.backup import open_stores

_AT_ONCE = 4
_MOST_FAILURES = 20
"""A store that is away fails for each content, slowly."""

Told = Callable[[int], None]


@dataclass(slots=True)
class Outcome:
    """What became of the contents.

    Attributes:
        copied: how many were copied, and came back as they are.
        present: how many the other store had already, by name and size.
        vanished: how many were deleted meanwhile.
        failures: what went wrong, by name.
        is_whole: whether all of them had their turn.
    """

    copied: int = 0
    present: int = 0
    vanished: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    is_whole: bool = True


async def copy_storage(settings: Settings, to: str, begin: Callable[[int], Told]) -> Outcome:
    """Copies contents and receipts. It may be repeated: what is there already is left alone.

    Args:
        to: URL of the other store, which is asked with the same AWS_* settings.
        begin: is told how many bytes there are, and gives what is told of those that are done.

    Raises:
        Misconfigured: one of the stores cannot be written to.
        Unavailable: one of them cannot be listed.
    """
    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(open_stores(settings))
        try:
            target = await stack.enter_async_context(open_stores(settings.model_copy(update={"storage_url": to})))
        except Misconfigured as error:
            raise Misconfigured(f"--to: {error.message.removeprefix('STORAGE_URL: ')}", hint=error.hint) from error
        pairs = ((source.contents, target.contents), (source.receipts, target.receipts))
        told = begin(sum([await _size(store) for store, _ in pairs]))
        outcome = Outcome()
        for old, new in pairs:
            await _Copier(old, new, outcome, told).run()
        return outcome


async def _size(store: BlobStore) -> int:
    return sum([blob.size async for blob in store.blobs()])


class _Copier:
    """Copies one store, some contents at a time."""

    def __init__(self, source: BlobStore, target: BlobStore, outcome: Outcome, told: Told) -> None:
        self._source = source
        self._target = target
        self._outcome = outcome
        self._told = told
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        blobs = self._source.blobs()
        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(self._work(blobs))

    async def _work(self, blobs: AsyncIterator[Blob]) -> None:
        while True:
            async with self._turn:
                blob = await anext(blobs, None)
            if blob is None:
                return
            if len(self._outcome.failures) >= _MOST_FAILURES:
                self._outcome.is_whole = False
                return
            try:
                await self._copy(blob)
            except GenesisError as error:
                self._outcome.failures[blob.key] = f"{error.message} {error.hint}".strip()

    async def _copy(self, blob: Blob) -> None:
        if await self._is_there(blob):
            self._outcome.present += 1
            self._told(blob.size)
            return
        try:
            sha256 = await self._written(blob)
        except NotFound:
            self._outcome.vanished += 1
            return
        if await _sha256(self._target, blob.key) != sha256:
            await self._target.delete(blob.key)
            raise Unavailable("The copy differs from what was sent, and was deleted.", hint="Start the copying again.")
        self._outcome.copied += 1

    async def _is_there(self, blob: Blob) -> bool:
        try:
            there = await self._target.blob(blob.key)
        except NotFound:
            return False
        if there.size != blob.size:
            raise Conflict(
                f"The other store has another content of this name, with {there.size} bytes instead of {blob.size}.",
                hint="Delete one of the two.",
            )
        return True

    async def _written(self, blob: Blob) -> str:
        media_type = type_of_extension(blob.key.rpartition(".")[2])
        async with (
            self._target.writing(blob.key, media_type) as writer,
            aclosing(self._source.pieces(blob.key)) as pieces,
        ):
            async for piece in pieces:
                await writer.write(piece)
                self._told(len(piece))
        return writer.artifact.sha256


async def _sha256(store: BlobStore, key: str) -> str:
    digest = hashlib.sha256()
    async for piece in store.pieces(key):
        await asyncio.to_thread(digest.update, piece)
    return digest.hexdigest()
