"""Every kind of blob store, for what all of them promise."""

from pathlib import Path

from genesis.ports.blobs import BlobStore
from genesis.settings import Settings
from genesis.storage.open import open_store
from tests.support.s3 import shared_s3

KINDS = ["file", "s3"]


def settings_of(kind: str, folder: Path) -> Settings:
    """Of an empty store."""
    return Settings(storage_path=folder / "store") if kind == "file" else shared_s3().settings()


def opened(kind: str, folder: Path) -> BlobStore:
    return open_store(settings_of(kind, folder))


async def written(store: BlobStore, key: str, pieces, media_type: str = "image/png"):
    """What is stored when it comes in pieces."""
    async with store.writing(key, media_type) as writer:
        for piece in pieces:
            await writer.write(piece)
    return writer.artifact


async def listed(store: BlobStore, folder: str | None = None) -> dict[str, int]:
    """The sizes of all contents."""
    return {blob.key: blob.size async for blob in store.blobs(folder)}
