"""Contents that were sent to the store itself, past the gateway: looked at before anybody is served them."""

import hashlib

from genesis.domain.artifact import Artifact
from genesis.domain.file import File, incoming_key
from genesis.errors import Conflict, InvalidRequest, NotFound, PayloadTooLarge
from genesis.files.receiving import accepted, check_size, content_key, expected_type
from genesis.net.media import AUDIO_TYPES, HEAD_BYTES, IMAGE_TYPES, Sniffer
from genesis.ports.blobs import BlobStore


async def take_in(store: BlobStore, file: File, *, limit: int) -> Artifact:
    """Moves what was sent for a waiting file to where it is kept; what cannot be used is deleted.

    Its sender may go on sending until his link is over: what counts is what is found where he cannot write.

    Raises:
        Conflict: nothing was sent yet.
        UnsupportedMedia, InvalidRequest, PayloadTooLarge: it cannot be used, as `receive` says.
        Unavailable: the store does not answer.
    """
    try:
        key = await _moved(store, file.id, limit)
    except NotFound:
        key = await _moved_before(store, file)
    return await _checked(store, file.id, key, limit)


async def _moved(store: BlobStore, file_id: str, limit: int) -> str:
    """The key to which a content was moved, where its sender cannot write.

    Raises:
        NotFound: there is none, or another completion has moved it meanwhile.
    """
    sent = incoming_key(file_id)
    size = (await store.blob(sent)).size
    try:
        check_size(size, limit)
        expected = await _expected_type(store, sent, size)
    except (InvalidRequest, PayloadTooLarge):
        await store.delete(sent)
        raise
    key = content_key(file_id, expected)
    await store.move(sent, key, expected)
    return key


async def _expected_type(store: BlobStore, key: str, size: int) -> str:
    if not size:
        raise InvalidRequest("The file is empty.", hint="Send its content again, to the same URL.")
    sniffer = Sniffer()
    async for piece in store.pieces(key, 0, min(size, HEAD_BYTES)):
        sniffer.feed(piece)
    return expected_type(sniffer)


async def _moved_before(store: BlobStore, file: File) -> str:
    """The key to which another completion has moved a content: one at the same time, or one that was interrupted."""
    for media_type in sorted(IMAGE_TYPES | AUDIO_TYPES, key=lambda known: known != file.media_type):
        key = content_key(file.id, media_type)
        try:
            await store.blob(key)
        except NotFound:
            continue
        return key
    raise Conflict(
        "The content of this file has not been sent yet.",
        hint="Send it to the URL that `POST /files/presign` gave, then complete the file.",
    )


async def _checked(store: BlobStore, file_id: str, key: str, limit: int) -> Artifact:
    """A moved content, as what it turns out to be."""
    sniffer, digest, size = Sniffer(), hashlib.sha256(), 0
    async for piece in store.pieces(key):
        sniffer.feed(piece)
        digest.update(piece)
        size += len(piece)
    try:
        check_size(size, limit)
        media_type = accepted(sniffer.media_type)
    except (InvalidRequest, PayloadTooLarge):
        await store.delete(key)
        raise
    right = content_key(file_id, media_type)
    if right != key:
        await store.move(key, right, media_type)
    return Artifact(right, media_type, size, digest.hexdigest())
