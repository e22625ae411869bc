"""The store of files' contents."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from genesis.domain.artifact import Artifact
from genesis.domain.identity import Milliseconds
from genesis.errors import NotFound


@dataclass(frozen=True, slots=True)
class Blob:
    """What the store knows of a content without reading it.

    Attributes:
        etag: changes with the content; without quotes.
        modified_at: when it was stored.
    """

    key: str
    size: int
    etag: str
    modified_at: Milliseconds


@dataclass(frozen=True, slots=True)
class Presigned:
    """A request that the store itself answers to whoever has it.

    Attributes:
        url: with its signature.
        headers: that have to be sent as they are.
    """

    method: str
    url: str
    headers: dict[str, str]


class BlobWriter(Protocol):
    """Takes a content piece by piece."""

    async def write(self, piece: bytes) -> None:
        """Takes the next piece, and returns when there is room for another."""

    @property
    def artifact(self) -> Artifact:
        """What was stored; once the writing is over."""


class BlobStore(Protocol):
    """Keeps contents under keys such as `images/0190….png`.

    All methods raise InvalidRequest for a key that is not one, and Unavailable when the store does not answer or has no
    room.
    """

    async def write(self, key: str, data: bytes, media_type: str) -> Artifact:
        """Stores a new content; it is complete and durable when this returns.

        The same content under the same key is stored already, and fine; a content is never replaced by another.

        Raises:
            Conflict: there is another content under this key.
        """

    def writing(self, key: str, media_type: str) -> AbstractAsyncContextManager[BlobWriter]:
        """Stores a new content that comes in pieces, in little memory.

        It is complete and durable when the block ends, and nothing of it stays when the block ends with an error.

        Raises:
            Conflict: at the end of the block: there is another content under this key.
        """

    async def read(self, key: str, *, limit: int) -> bytes:
        """The content.

        Raises:
            NotFound: there is no such content.
            PayloadTooLarge: it has more than `limit` bytes.
        """

    async def blob(self, key: str) -> Blob:
        """What is known of a content.

        Raises:
            NotFound: there is no such content.
        """

    def pieces(self, key: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """A content from byte `start` to before byte `end`, or to its end, in pieces, in little memory.

        Whoever leaves before the end closes it.

        Raises:
            NotFound: there is no such content.
        """

    async def copy(self, key: str, to: str, media_type: str) -> None:
        """Gives a content a second key, which is from then on its own, without reading it; fine when it has that already.

        Raises:
            NotFound: there is no such content.
            Conflict: there is another content under the new key.
        """

    async def move(self, key: str, to: str, media_type: str) -> None:
        """Gives a content another key, without reading it; fine when that has been done already.

        Raises:
            NotFound: there is no such content under either key.
            Conflict: there is another content under the new key.
        """

    async def delete(self, key: str) -> None:
        """Deletes a content, if there is one; it is gone for good when this returns."""

    def blobs(self, folder: str | None = None) -> AsyncGenerator[Blob, None]:
        """All contents, or those whose key begins with `folder/`, in no certain order.

        What begins or ends to be stored meanwhile may be left out. Receipts and half-written contents are not among them.
        """

    async def remove_remains(self, before: Milliseconds) -> int:
        """Deletes what writers that have died left half-written before that moment; returns how many there were."""

    async def presigned_get(self, key: str, seconds: int, *, media_type: str, disposition: str) -> Presigned | None:
        """A request that reads a content from the store itself; None where it does not answer requests."""

    async def presigned_put(self, key: str, seconds: int, size: int | None = None) -> Presigned | None:
        """A request that writes a content to the store itself; None where it does not answer requests.

        Args:
            size: that the content has to have, in bytes, where the store can see to that; None for any.
        """

    async def check(self) -> None:
        """Returns when a trial could be written, of which nothing stays.

        Raises:
            Unavailable: that failed; the store can take no contents now.
        """

    def local_path(self, key: str) -> Path | None:
        """Where the content lies on this machine, if it is there; None where the store is elsewhere."""

    async def close(self) -> None:
        """Lets go of connections and threads."""


def no_content(key: object) -> NotFound:
    """What is said of a content that is not there."""
    return NotFound(f"There is no file {key}.", hint="It may have been deleted; GET /files lists the files there are.")
