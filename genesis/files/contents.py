"""Contents in the store, as a whole: brought to this machine, and deleted with all that was made of them."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Collection
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path

from genesis.domain.file import File, MediaDetails, incoming_key, peaks_key, thumbnail_key
from genesis.errors import Unavailable
from genesis.files.examination import COPY_PREFIX
from genesis.ports.blobs import BlobStore


@asynccontextmanager
async def on_this_machine(store: BlobStore, key: str) -> AsyncIterator[Path]:
    """A content as a file that programs can open; not to be written to.

    Raises:
        NotFound: there is no such content.
        Unavailable: the store does not answer, or there is no room for a copy.
    """
    path = await asyncio.to_thread(store.local_path, key)
    if path is not None:
        yield path
        return
    size = (await store.blob(key)).size
    # Before any of it is brought here in vain.
    if shutil.disk_usage(tempfile.gettempdir()).free < size:
        raise _no_room(size)
    with tempfile.NamedTemporaryFile(prefix=COPY_PREFIX, suffix=Path(key).suffix) as copy:
        try:
            async with aclosing(store.pieces(key)) as pieces:
                async for piece in pieces:
                    await asyncio.to_thread(copy.write, piece)
            copy.flush()
        except OSError as error:
            raise _no_room(size) from error
        yield Path(copy.name)


def remove_old_copies() -> None:
    """Deletes the copies that processes have left which were killed."""
    before = time.time() - _COPY_SECONDS
    for copy in Path(tempfile.gettempdir()).glob(f"{COPY_PREFIX}*"):
        with suppress(OSError):  # another process deletes it, or it is another user's
            if copy.stat().st_mtime < before:
                copy.unlink()


def _no_room(size: int) -> Unavailable:
    return Unavailable(
        f"This machine has no room for a copy of {size:,} bytes.",
        hint="Set TMPDIR to a folder with room for the largest files, or lower MAX_UPLOAD_BYTES.",
    )


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
_COPY_SECONDS = 3600.0
"""No copy is needed for so long."""
