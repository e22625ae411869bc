"""Contents that were sent to the store itself, past the gateway: looked at before anybody is served them."""

import hashlib
from dataclasses import replace

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
    sent = incoming_key(file.id)
    try:
        size = (await store.blob(sent)).size
    except NotFound:
        return await _moved_before(store, file)
    try:
        check_size(size, limit)
        expected = await _expected_type(store, sent, size)
    except (InvalidRequest, PayloadTooLarge):
        await store.delete(sent)
        raise
    key = content_key(file.id, expected)
    await store.move(sent, key, expected)
    return await _checked(store, file.id, Artifact(key, expected, size, ""), limit)


async def _expected_type(store: BlobStore, key: str, size: int) -> str:
    if not size:
        raise InvalidRequest("The file is empty.", hint="Send its content again, to the same URL.")
    sniffer = Sniffer()
    async for piece in store.pieces(key, 0, min(size, HEAD_BYTES)):
        sniffer.feed(piece)
    return expected_type(sniffer)


async def _moved_before(store: BlobStore, file: File) -> Artifact:
    """What an earlier try has moved, before it was interrupted."""
    for media_type in sorted(IMAGE_TYPES | AUDIO_TYPES, key=lambda known: known != file.media_type):
        key = content_key(file.id, media_type)
        try:
            size = (await store.blob(key)).size
        except NotFound:
            continue
        return await _checked(store, file.id, Artifact(key, media_type, size, ""), size)
    raise Conflict(
        "The content of this file has not been sent yet.",
        hint="Send it to the URL that `POST /files/presign` gave, then complete the file.",
    )


async def _checked(store: BlobStore, file_id: str, artifact: Artifact, limit: int) -> Artifact:
    """The artifact with all that its content tells."""
    sniffer, digest, size = Sniffer(), hashlib.sha256(), 0
    async for piece in store.pieces(artifact.key):
        sniffer.feed(piece)
        digest.update(piece)
        size += len(piece)
    try:
        check_size(size, limit)
        media_type = accepted(sniffer.media_type)
    except (InvalidRequest, PayloadTooLarge):
        await store.delete(artifact.key)
        raise
    key = content_key(file_id, media_type)
    if key != artifact.key:
        await store.move(artifact.key, key, media_type)
    return replace(artifact, key=key, media_type=media_type, size=size, sha256=digest.hexdigest())
