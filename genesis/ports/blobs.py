"""The store of files."""

from pathlib import Path
from typing import Protocol

from genesis.domain.artifact import Artifact


class BlobStore(Protocol):
    """Keeps files under keys such as `images/0190….png`.

    All methods raise InvalidRequest for a key that is not one, and Unavailable when the store does not answer.
    """

    async def write(self, key: str, data: bytes, media_type: str) -> Artifact:
        """Stores a new file; it is complete and durable when this returns.

        The same content under the same key is stored already, and fine; a file is never replaced by another.

        Raises:
            Conflict: there is another file under this key.
        """

    async def read(self, key: str, *, limit: int) -> bytes:
        """The content.

        Raises:
            NotFound: there is no such file.
            PayloadTooLarge: it has more than `limit` bytes.
        """

    async def local_path(self, key: str) -> Path:
        """Where the file lies on this machine, to be served from.

        Raises:
            NotFound: there is no such file.
        """
