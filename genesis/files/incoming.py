"""Contents that were sent to the store itself, past the gateway: looked at before anybody is served them."""

import asyncio
import hashlib
from contextlib import suppress
from dataclasses import replace

from genesis.domain.artifact import Artifact
from genesis.domain.file import arrival_name, incoming_key
from genesis.errors import InvalidRequest, PayloadTooLarge, Unavailable
from genesis.files.receiving import accepted, check_size, content_key, expected_type
from genesis.net.media import HEAD_BYTES, Sniffer
from genesis.ports.blobs import BlobStore


async def take_in(store: BlobStore, file_id: str, *, limit: int) -> Artifact:
    """Copies what was sent for a waiting file to where it can be kept; nothing of the copy stays when this raises.

    Its sender may go on sending until his link is over, and several may take it in at once, also in other processes. So each
    copies it to a name of its own, which nobody else writes to, and what counts is what is found there. What was sent stays,
    unless it cannot be used: it is there until one of the copies is the file's content for good.

    Raises:
        NotFound: nothing was sent yet, or it has become the file's content meanwhile.
        UnsupportedMedia, InvalidRequest, PayloadTooLarge: it cannot be used, as `receive` says.
        Unavailable: the store does not answer.
    """
    sent, name = incoming_key(file_id), arrival_name(file_id)
    size = (await store.blob(sent)).size
    try:
        check_size(size, limit)
        expected = await _expected_type(store, sent, size)
        return await _copied(store, sent, name, expected, limit)
    except (InvalidRequest, PayloadTooLarge):
        await store.delete(sent)
        raise


async def _expected_type(store: BlobStore, key: str, size: int) -> str:
    if not size:
        raise InvalidRequest("The file is empty.", hint="Send its content again, to the same URL.")
    sniffer = Sniffer()
    async for piece in store.pieces(key, 0, min(size, HEAD_BYTES)):
        sniffer.feed(piece)
    return expected_type(sniffer)


async def _copied(store: BlobStore, sent: str, name: str, expected: str, limit: int) -> Artifact:
    """A copy under a new name, as what it turns out to be."""
    key = content_key(name, expected)
    try:
        await store.copy(sent, key, expected)
        artifact = await _checked(store, key, limit)
    except BaseException:
        with suppress(Unavailable):  # it is swept
            await store.delete(key)
        raise
    right = content_key(name, artifact.media_type)
    if right != key:
        await store.move(key, right, artifact.media_type)
    return replace(artifact, key=right)


async def _checked(store: BlobStore, key: str, limit: int) -> Artifact:
    sniffer, digest, size = Sniffer(), hashlib.sha256(), 0
    async for piece in store.pieces(key):
        sniffer.feed(piece)
        await asyncio.to_thread(digest.update, piece)
        size += len(piece)
    check_size(size, limit)
    return Artifact(key, accepted(sniffer.media_type), size, digest.hexdigest())
