"""Contents in the store, as a whole: brought to this machine, and deleted with all that was made of them."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from genesis.domain.file import File, MediaDetails, incoming_key, peaks_key, thumbnail_key
from genesis.ports.blobs import BlobStore


@asynccontextmanager
async def on_this_machine(store: BlobStore, key: str) -> AsyncIterator[Path]:
    """A content as a file that programs can open; not to be written to.

    Raises:
        NotFound: there is no such content.
        Unavailable: the store does not answer.
    """
    path = await asyncio.to_thread(store.local_path, key)
    if path is not None:
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="genesis-", suffix=Path(key).suffix) as copy:
        async for piece in store.pieces(key):
            await asyncio.to_thread(copy.write, piece)
        copy.flush()
        yield Path(copy.name)


async def pieces_of_file(path: Path) -> AsyncIterator[bytes]:
    """A file of this machine, in pieces."""
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
            yield piece


async def delete_contents(store: BlobStore, file: File) -> None:
    """Deletes what the store keeps of a deleted file.

    Raises:
        Unavailable: the store does not answer; what is left is swept later.
    """
    for key in _keys_of(file):
        await store.delete(key)


def _keys_of(file: File) -> Collection[str]:
    details = file.details or MediaDetails()
    keys = [file.key, incoming_key(file.id), *(thumbnail_key(file.id, width) for width in details.thumbnails)]
    return [*keys, peaks_key(file.id)] if details.has_peaks else keys


_PIECE_BYTES = 1024 * 1024
