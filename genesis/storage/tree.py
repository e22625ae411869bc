"""Contents in folders of this machine: where they lie, and how they are reached without following a link.

A content lies at `folder/<shard>/name`. Earlier versions kept it at `folder/name`, where it is still found.
"""

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from genesis.domain.identity import Milliseconds
from genesis.errors import NotFound
from genesis.ports.blobs import Blob, no_content
from genesis.storage.keys import Key, found_key, is_folder, is_shard

CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a FIFO must not hold a thread
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# What open(2) says of a name that is missing, or that is a link, a socket, or a file where a folder has to be.
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EMLINK, errno.ENXIO}
_REMAINS = re.compile(r"\.[0-9a-f]{32}\.part", re.ASCII)


class Tree:
    """The contents below a root.

    All methods block, and raise OSError where the file system does not do its part.

    Args:
        root: an existing folder, absolute.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def open(self, key: Key) -> int:
        """A descriptor to read a content from; the caller closes it.

        Raises:
            NotFound: there is no such content.
        """
        return self._find(key)[0]

    def path(self, key: Key) -> Path | None:
        """Where a content lies, if there is one."""
        try:
            descriptor, folders = self._find(key)
        except NotFound:
            return None
        os.close(descriptor)
        return self.root.joinpath(*folders, key.name)

    @contextmanager
    def parent(self, key: Key) -> Iterator[int]:
        """The folder that a new content belongs in, which has reached the disk."""
        with (
            closing(self._opened_root()) as root,
            _created(root, key.folder) as folder,
            _created(folder, key.shard) as parent,
        ):
            yield parent

    @contextmanager
    def source(self, key: Key) -> Iterator[int]:
        """The folder that a content lies in.

        Raises:
            NotFound: there is no such content.
        """
        descriptor, folders = self._find(key)
        os.close(descriptor)
        with self._folder(*folders) as parent:
            yield parent

    def link(self, old: int, name: str, new: int, key: Key) -> bool:
        """Links a file of the folder `old` as the content of a key; returns whether the key was free.

        Args:
            new: the folder that the content belongs in.
        """
        with self._present(key.folder) as folder:
            if folder is not None and _is_there(folder, key.name):
                return False
        try:
            # Unlike a rename, a link fails where the name is taken.
            os.link(name, key.name, src_dir_fd=old, dst_dir_fd=new, follow_symlinks=False)
        except FileExistsError:
            return False
        return True

    def unlink(self, key: Key) -> None:
        """Deletes a content wherever it lies; it is gone for good then."""
        for folders in _places(key):
            with self._present(*folders) as parent:
                if parent is None:
                    continue
                # A folder of that name is no content.
                with suppress(FileNotFoundError, IsADirectoryError):
                    os.unlink(key.name, dir_fd=parent)
                    os.fsync(parent)

    def blobs(self, only: str | None) -> Iterator[Blob]:
        """All contents, or those of one folder."""
        for folder in [only] if only else self._folders():
            with self._present(folder) as parent:
                if parent is None:
                    continue
                shards = []
                for entry in _entries(parent):
                    if is_shard(entry.name):
                        shards.append(entry.name)
                    elif blob := _blob(folder, entry):
                        yield blob
            for shard in shards:
                with self._present(folder, shard) as parent:
                    for entry in () if parent is None else _entries(parent):
                        if blob := _blob(folder, entry):
                            yield blob

    def check(self) -> None:
        """Returns when a file could be written below the root, and linked; nothing of it stays."""
        with closing(self._opened_root()) as root:
            name, other = draft_name(), draft_name()
            with closing(os.open(name, CREATE, 0o666, dir_fd=root)) as descriptor:
                try:
                    os.write(descriptor, b"x")
                    os.link(name, other, src_dir_fd=root, dst_dir_fd=root, follow_symlinks=False)
                    os.unlink(other, dir_fd=root)
                finally:
                    os.unlink(name, dir_fd=root)

    def remove_remains(self, before: Milliseconds) -> int:
        """Deletes drafts that nobody has added to since that moment; returns how many there were."""
        removed = 0
        for _, _, names, folder in os.fwalk(self.root, follow_symlinks=False):
            for name in names:
                if not _REMAINS.fullmatch(name):
                    continue
                # Its writer may be about to end.
                with suppress(FileNotFoundError):
                    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode) and _milliseconds(status) < before:
                        os.unlink(name, dir_fd=folder)
                        removed += 1
        return removed

    def _folders(self) -> list[str]:
        with closing(self._opened_root()) as root, os.scandir(root) as entries:
            return [entry.name for entry in entries if is_folder(entry.name)]

    def _find(self, key: Key) -> tuple[int, tuple[str, ...]]:
        for folders in _places(key):
            with self._present(*folders) as parent:
                if parent is None:
                    continue
                try:
                    descriptor = os.open(key.name, _READ, dir_fd=parent)
                except OSError as error:
                    if error.errno in _ABSENT:
                        continue
                    raise
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                return descriptor, folders
            os.close(descriptor)
        raise no_content(key)

    @contextmanager
    def _present(self, *folders: str) -> Iterator[int | None]:
        """A folder; None where there is none."""
        try:
            descriptor = self._open_folder(*folders)
        except OSError as error:
            if error.errno not in _ABSENT:
                raise
            os.close(self._opened_root())  # without the root nobody knows what there is
            yield None
            return
        with closing(descriptor):
            yield descriptor

    @contextmanager
    def _folder(self, *folders: str) -> Iterator[int]:
        with closing(self._open_folder(*folders)) as descriptor:
            yield descriptor

    def _opened_root(self) -> int:
        return os.open(self.root, _FOLDER & ~os.O_NOFOLLOW)

    def _open_folder(self, first: str, *others: str) -> int:
        descriptor = os.open(self.root / first, _FOLDER)
        for name in others:
            with closing(descriptor):
                descriptor = os.open(name, _FOLDER, dir_fd=descriptor)
        return descriptor


def draft_name() -> str:
    """A new name for what is being written; begins with a dot, so that no key names it."""
    return f".{secrets.token_hex(16)}.part"


@contextmanager
def closing(descriptor: int) -> Iterator[int]:
    """Closes a descriptor at the end."""
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def blob_of(key: Key, status: os.stat_result) -> Blob:
    """What the file system knows of a content. It never changes, so that its age and size tell it from another."""
    etag = f"{status.st_mtime_ns:x}-{status.st_size:x}"
    return Blob(str(key), status.st_size, etag, _milliseconds(status))


def _places(key: Key) -> tuple[tuple[str, ...], ...]:
    return (key.folder, key.shard), (key.folder,)


@contextmanager
def _created(parent: int, name: str) -> Iterator[int]:
    try:
        os.mkdir(name, dir_fd=parent)
    except FileExistsError:
        pass
    else:
        os.fsync(parent)
    with closing(os.open(name, _FOLDER, dir_fd=parent)) as folder:
        yield folder


def _is_there(parent: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _entries(folder: int) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from entries


def _blob(folder: str, entry: os.DirEntry[str]) -> Blob | None:
    key = found_key(f"{folder}/{entry.name}")
    if key is None:
        return None
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return blob_of(key, status) if stat.S_ISREG(status.st_mode) else None


def _milliseconds(status: os.stat_result) -> Milliseconds:
    return status.st_mtime_ns // 1_000_000
