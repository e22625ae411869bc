"""A content on its way into a folder: written beside its place, and linked there once it is whole and on the disk."""

import hashlib
import os
from contextlib import ExitStack, suppress
from io import BufferedWriter
from threading import Lock

from genesis.errors import Conflict, NotFound
from genesis.storage.keys import Key
from genesis.storage.tree import CREATE, Tree, closing, draft_name

_COMPARED_BYTES = 1024 * 1024


class Draft:
    """A content that is being written.

    Its methods block, may be called from any thread, and raise OSError where the file system does not do its part.

    Attributes:
        size: in bytes, of what was added.
    """

    def __init__(self, tree: Tree, key: Key) -> None:
        self.size = 0
        self._tree = tree
        self._key = key
        self._digest = hashlib.sha256()
        self._temporary = draft_name()
        self._lock = Lock()
        self._open = ExitStack()
        self._file: BufferedWriter | None = None
        self._parent = -1
        self._is_over = False

    @property
    def sha256(self) -> str:
        """Of what was added, in hexadecimal."""
        return self._digest.hexdigest()

    def add(self, data: bytes | memoryview) -> None:
        """Adds to the end."""
        with self._lock:
            if self._is_over:
                return
            self._opened().write(data)
            self._digest.update(data)
            self.size += len(data)

    def keep(self) -> None:
        """Makes it the content of its key, durably.

        Raises:
            Conflict: there is another content under this key.
        """
        with self._lock:
            if self._is_over:
                return
            file = self._opened()
            file.flush()
            os.fsync(file.fileno())
            self._link()
            self._remove()
            os.fsync(self._parent)

    def end(self) -> None:
        """Leaves nothing but what was kept."""
        with self._lock:
            self._is_over = True
            if self._file is not None:
                # What could not be written cannot be when closing either, and is of no use any more.
                with suppress(OSError):
                    self._file.close()
                self._remove()
            self._open.close()

    def _opened(self) -> BufferedWriter:
        if self._file is None:
            self._parent = self._open.enter_context(self._tree.parent(self._key))
            self._file = os.fdopen(os.open(self._temporary, CREATE, 0o666, dir_fd=self._parent), "wb")
        return self._file

    def _remove(self) -> None:
        with suppress(FileNotFoundError):
            os.unlink(self._temporary, dir_fd=self._parent)

    def _link(self) -> None:
        if self._tree.link(self._parent, self._temporary, self._parent, self._key):
            return
        if not holds(self._tree, self._key, self.size, self.sha256):
            raise another_content(self._key)


def another_content(key: Key) -> Conflict:
    """The error that says that a key is taken."""
    return Conflict(f"There is another file {key}.", hint="Store this one under a new name.")


def holds(tree: Tree, key: Key, size: int, sha256: str) -> bool:
    """Whether this is the content that the key has."""
    try:
        descriptor = tree.open(key)
    except NotFound:
        return False
    with closing(descriptor):
        return os.fstat(descriptor).st_size == size and digest_of(descriptor) == sha256


def digest_of(descriptor: int) -> str:
    """The SHA-256 of an open file, in hexadecimal."""
    digest = hashlib.sha256()
    offset = 0
    while piece := os.pread(descriptor, _COMPARED_BYTES, offset):
        digest.update(piece)
        offset += len(piece)
    return digest.hexdigest()
