"""Contents that come in pieces: looked at on their way into the store, so that only what can be used stays there."""

from collections.abc import AsyncIterator
from dataclasses import replace

from genesis.domain.artifact import Artifact
from genesis.domain.file import upload_key
from genesis.errors import InvalidRequest, PayloadTooLarge, UnsupportedMedia
from genesis.net.media import AUDIO_TYPES, IMAGE_TYPES, ISO_MEDIA, Sniffer, extension, family_of
from genesis.ports.blobs import BlobStore

_ISO_AUDIO = "audio/mp4"
"""What an ISO media file is taken for until its tracks are known: of its kind, only this type is accepted."""
_USUAL_NAMES = {
    "image/jpg": "image/jpeg",
    "audio/wave": "audio/wav",
    "audio/x-wav": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/mp3": "audio/mpeg",
    "audio/x-m4a": "audio/mp4",
    "audio/x-flac": "audio/flac",
}
"""Names that browsers give to types; not those of the registry."""


async def receive(store: BlobStore, name: str, pieces: AsyncIterator[bytes], *, limit: int) -> Artifact:
    """Stores the content of a file; when this raises, nothing of it stays.

    Args:
        name: that it gets in the store, beginning with the file's id.
        pieces: of any size, some of them empty.
        limit: bytes that it may have.

    Raises:
        UnsupportedMedia: it is neither an image nor a recording, or of a type that is not worked with.
        InvalidRequest: it is empty.
        PayloadTooLarge: it has more than `limit` bytes.
        Conflict: there is another content of this name.
        Unavailable: the store does not answer or has no room.
    """
    sniffer, head, size = Sniffer(), bytearray(), 0
    async for piece in pieces:
        head += piece
        sniffer.feed(piece)
        check_size(len(head), limit)
        if sniffer.head_type is not None:
            break
    if not head:
        raise InvalidRequest("The file is empty.", hint="Send the content of an image or of a recording.")
    expected = expected_type(sniffer)
    size = len(head)
    async with store.writing(content_key(name, expected), expected) as writer:
        await writer.write(bytes(head))
        del head
        async for piece in pieces:
            size += len(piece)
            check_size(size, limit)
            sniffer.feed(piece)
            await writer.write(piece)
        media_type = accepted(sniffer.media_type)
    if media_type == expected:
        return writer.artifact
    # What follows an ID3 tag that is longer than the head.
    key = content_key(name, media_type)
    await store.move(writer.artifact.key, key, media_type)
    return replace(writer.artifact, key=key, media_type=media_type)


def expected_type(sniffer: Sniffer) -> str:
    """The type by the head of a content, which the rest may change.

    Raises:
        UnsupportedMedia: whatever the rest is, it cannot be used.
    """
    return _ISO_AUDIO if sniffer.head_type == ISO_MEDIA else accepted(sniffer.media_type)


def accepted(media_type: str) -> str:
    """The type, if it is one of those that the platform works with.

    Raises:
        UnsupportedMedia: it is not.
    """
    if family_of(media_type) is None:
        raise UnsupportedMedia(
            f"The content is {media_type or 'of an unknown type'}, which cannot be used.",
            hint=f"Send one of {', '.join(sorted(IMAGE_TYPES | AUDIO_TYPES))}; the content tells, not its name.",
        )
    return media_type


def announced(media_type: str) -> str:
    """A type that a sender announces, under its registered name.

    Raises:
        UnsupportedMedia: files of this type are not accepted.
    """
    given = media_type.partition(";")[0].strip().lower()
    return accepted(_USUAL_NAMES.get(given, given))


def content_key(name: str, media_type: str) -> str:
    """Where the store keeps a content of this type, which is an accepted one."""
    return upload_key(name, extension(media_type))


def check_size(size: int, limit: int) -> None:
    """Lets a content of so many bytes pass.

    Raises:
        PayloadTooLarge: it has more than `limit`.
    """
    if size > limit:
        raise PayloadTooLarge(
            f"The file has more than {limit:,} bytes.",
            hint="Send a smaller one; the operator can raise MAX_UPLOAD_BYTES.",
        )
