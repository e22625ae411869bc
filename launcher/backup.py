"""Backs up database and files, restores them, and gives the word that lets restored jobs go on."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from genesis.capabilities.catalog import CAPABILITIES
from genesis.database.backup import Restored, check_fits, open_snapshot, open_target
from genesis.database.incarnation import Queued
from genesis.errors import CallFailed, Misconfigured, NotFound, Unavailable
from genesis.net.client import HttpClient
from genesis.net.exchange import Request
from genesis.net.media import type_of_extension
from genesis.ports.blobs import Blob, BlobStore
from genesis.settings import Settings
from genesis.storage.open import open_receipts, open_store
from launcher.archive import COUNTS, MANIFEST, ArchiveReader, ArchiveWriter, Member, manifest_of, writing
from workers.receipts import Receipts

_DATABASE, _RECEIPTS, _CONTENTS = "database/", "receipts/", "contents/"
_ANSWER_SECONDS = 600.0
_MOST_BYTES = 1024 * 1024

Told = Callable[[int], None]
"""Told of each piece of work how many bytes it was."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The two stores of a platform: contents of files, and receipts of calls."""

    contents: BlobStore
    receipts: BlobStore

    @property
    def by_prefix(self) -> dict[str, BlobStore]:
        """By the beginnings of their members' names. A receipt is copied before the content that it tells of."""
        return {_RECEIPTS: self.receipts, _CONTENTS: self.contents}


@asynccontextmanager
async def open_stores(settings: Settings) -> AsyncIterator[Stores]:
    """Opens the stores that the settings name.

    Raises:
        Misconfigured: they cannot be used.
    """
    stores = Stores(open_store(settings), open_receipts(settings))
    try:
        yield stores
    finally:
        await stores.contents.close()
        await stores.receipts.close()


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What a backup holds.

    Attributes:
        vanished: contents that were deleted while it was made.
    """

    jobs: int
    contents: int
    vanished: int


async def back_up(
    settings: Settings, path: Path, *, with_files: bool, begin: Callable[[int], Told] = lambda _: lambda _: None
) -> BackedUp:
    """Writes database and contents into an archive while the platform goes on: first the database, then the contents, so that
    all is there that the database tells of.

    Args:
        begin: told how many bytes there are, roughly.

    Raises:
        Misconfigured, Unavailable: it cannot be read or written; there is no archive then.
    """
    with writing(path) as archive:
        async with open_stores(settings) as stores, open_snapshot(settings, archive.folder) as snapshot:
            copied = stores.by_prefix if with_files else {}
            told = begin(snapshot.facts.size + sum([await _size(store) for store in copied.values()]))
            await archive.add_document(MANIFEST, manifest_of(snapshot.facts, has_files=with_files).document())

            async def put(name: str, size: int, pieces: AsyncIterator[bytes]) -> None:
                await archive.add(name, size, pieces)
                told(size)

            counts = dict(await snapshot.write(put))
            vanished = 0
            for prefix, store in copied.items():
                counts[prefix.rstrip("/")], missed = await _copied(archive, prefix, store, told)
                vanished += missed
            await archive.add_document(COUNTS, counts)
        await archive.conclude()
    return BackedUp(counts.get("jobs", 0), counts.get("contents", 0), vanished)


async def _size(store: BlobStore) -> int:
    size = 0
    async for blob in store.blobs():
        size += blob.size
    return size


async def _copied(archive: ArchiveWriter, prefix: str, store: BlobStore, told: Told) -> tuple[int, int]:
    """Copies a store; how many contents there were, and how many had vanished when their turn came."""
    copied = vanished = 0
    async for blob in store.blobs():
        try:
            await _copy(archive, prefix, store, blob)
        except NotFound:
            vanished += 1
            continue
        copied += 1
        told(blob.size)
    return copied, vanished


async def _copy(archive: ArchiveWriter, prefix: str, store: BlobStore, blob: Blob) -> None:
    await archive.add(prefix + blob.key, blob.size, store.pieces(blob.key))


async def restore(
    settings: Settings,
    path: Path,
    queued: Queued,
    begin: Callable[[int], Told] = lambda _: lambda _: None,
) -> tuple[Restored, int]:
    """Restores an archive into an empty database and an empty store; what was restored, and how many contents.

    The archive is read as a whole before anything is changed. The contents come first, and the database at once in the end.
    What is in the store of the same archive, because a restore was killed, is no hindrance, and is compared.

    Args:
        queued: what becomes of the jobs that are not over.
        begin: told how many bytes are read.

    Raises:
        Misconfigured, Unavailable: it cannot be restored; nothing was changed.
        Conflict: a content in the store is not the archive's.
    """
    reader = ArchiveReader(path)
    manifest = reader.manifest()
    check_fits(manifest.facts, settings)
    async with open_stores(settings) as stores, open_target(settings) as target:
        is_begun = manifest.has_files and await _is_begun(stores, reader)
        told = begin(2 * reader.size)
        for size in reader.verify():
            told(size)
        try:
            contents = await _fill(stores, reader, told)
            parts = _parts(reader, told)
            async with aclosing(parts):
                restored = await target.load(manifest.facts, parts, queued, lambda *call: _has_receipt(stores, *call))
        except BaseException:
            if manifest.has_files and not is_begun:
                await _empty(stores, reader)
            raise
    return restored, contents


async def _is_begun(stores: Stores, reader: ArchiveReader) -> bool:
    """Whether some of the archive is in the stores already, as a restore leaves it that is killed; nothing else may be.

    Raises:
        Misconfigured: there is something else.
    """
    there = sum([1 for store in stores.by_prefix.values() async for _ in store.blobs()])
    known = 0
    if there:
        with closing(reader.members()) as members:
            for member in members:
                known += await _is_there(stores, member)
    if known < there:
        raise Misconfigured(
            "The store of files is not empty.",
            hint="Name another one by STORAGE_PATH or STORAGE_URL. If a restore was killed here, restore the same archive.",
        )
    return known > 0


async def _is_there(stores: Stores, member: Member) -> bool:
    prefix, _, key = member.name.partition("/")
    if (store := stores.by_prefix.get(f"{prefix}/")) is None:
        return False
    try:
        return (await store.blob(key)).size == member.size
    except NotFound:
        return False


async def _fill(stores: Stores, reader: ArchiveReader, told: Told) -> int:
    """Stores all contents of the archive; how many files there are among them."""
    count = 0
    with closing(reader.members()) as members:
        for member in members:
            prefix, _, key = member.name.partition("/")
            store = stores.by_prefix.get(f"{prefix}/")
            if store is None:
                continue
            async with store.writing(key, type_of_extension(key.rpartition(".")[2])) as writer:
                async for piece in member.pieces():
                    await writer.write(piece)
            count += store is stores.contents
            told(member.size)
    return count


async def _empty(stores: Stores, reader: ArchiveReader) -> None:
    """Takes back what was stored of an archive that cannot be restored after all."""
    with closing(reader.members()) as members:
        for member in members:
            prefix, _, key = member.name.partition("/")
            if (store := stores.by_prefix.get(f"{prefix}/")) is not None:
                await store.delete(key)


async def _parts(reader: ArchiveReader, told: Told) -> AsyncGenerator[tuple[str, AsyncIterator[bytes]], None]:
    """The parts of the archive's database."""
    with closing(reader.members()) as members:
        for member in members:
            if member.name.startswith(_DATABASE):
                yield member.name, member.pieces()
                told(member.size)
            elif member.name != MANIFEST:
                return


async def _has_receipt(stores: Stores, capability: str, call_key: str) -> bool:
    if capability not in CAPABILITIES:
        return False
    return await Receipts(stores.receipts, CAPABILITIES[capability]).find(call_key) is not None


async def resume(url: str) -> int:
    """Gives the word that held jobs may go on; returns how many did.

    Raises:
        Unavailable: no platform answers at the URL.
    """
    try:
        async with HttpClient() as client:
            request = Request("POST", f"{url}/jobs/resume")
            reply = await client.send(request, timeout_seconds=_ANSWER_SECONDS, max_bytes=_MOST_BYTES)
    except CallFailed as error:
        raise Unavailable(
            f"The platform at {url} does not answer: {error.message}", hint="Start it, or name it by --url."
        ) from error
    try:
        return int(json.loads(reply.body)["resumed"])
    except (ValueError, KeyError, TypeError) as error:
        raise Unavailable(
            f"The platform at {url} answered {reply.status}.", hint="Look at its log, or name another one by --url."
        ) from error
