"""Files in a folder of this machine, shared by gateway and workers."""

import asyncio
import errno
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from genesis.domain.artifact import Artifact
from genesis.errors import Conflict, InvalidRequest, NotFound, PayloadTooLarge, Unavailable

Result = TypeVar("Result")

_KEY = re.compile(r"([a-z0-9][a-z0-9_-]{0,63})/([A-Za-z0-9][A-Za-z0-9_-]{0,127}\.[a-z0-9]{1,8})", re.ASCII)
_THREADS = 4
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a FIFO must not hold a thread
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# What open(2) says of a name that is missing, or that is a link or a file where a folder has to be.
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EMLINK}


class FileStore:
    """Implements `genesis.ports.blobs.BlobStore` on a folder.

    A key is `folder/name.ext`; the folder is lower-case, and neither part begins with a dot. Links below the root are
    not followed. A file appears whole or not at all, is never replaced, and has reached the disk when `write` returns.
    The folder's file system has to support hard links.

    Args:
        root: an existing folder, absolute.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        # Threads of its own: a slow disk holds up nothing else, and waits for nothing else.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="store")

    async def write(self, key: str, data: bytes, media_type: str) -> Artifact:
        """Stores a file; see the port."""
        folder, name = _split(key)
        digest = await self._run("write", lambda: self._write(folder, name, data))
        return Artifact(key, media_type, len(data), digest)

    async def read(self, key: str, *, limit: int) -> bytes:
        """The content; see the port."""
        folder, name = _split(key)
        return await self._run("read", lambda: self._read(folder, name, limit))

    async def local_path(self, key: str) -> Path:
        """Where the file lies; see the port."""
        folder, name = _split(key)
        return await self._run("read", lambda: self._locate(folder, name))

    async def _run(self, verb: str, work: Callable[[], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except OSError as error:
            raise Unavailable(
                f"The file store cannot {verb}: {error.strerror or error}.",
                hint="Check free space and permissions of the folder named by STORAGE_PATH or STORAGE_URL.",
            ) from error

    def _write(self, folder: str, name: str, data: bytes) -> str:
        with self._created(folder) as parent:
            # Begins with a dot, so that no key names it.
            temporary = f".{secrets.token_hex(16)}.part"
            try:
                with os.fdopen(os.open(temporary, _CREATE, 0o666, dir_fd=parent), "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                # Unlike a rename, a link fails where the name is taken.
                os.link(temporary, name, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
            except FileExistsError:
                if not _holds(parent, name, data):
                    raise Conflict(
                        f"There is another file {folder}/{name}.", hint="Store this one under a new name."
                    ) from None
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=parent)
            os.fsync(parent)
        return hashlib.sha256(data).hexdigest()

    def _read(self, folder: str, name: str, limit: int) -> bytes:
        with self._opened(folder, name) as descriptor:
            size = os.fstat(descriptor).st_size
            if size > limit:
                raise PayloadTooLarge(f"The file {folder}/{name} has {size} bytes; {limit} are allowed.")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read(limit)

    def _locate(self, folder: str, name: str) -> Path:
        with self._opened(folder, name):
            return self._root / folder / name

    @contextmanager
    def _opened(self, folder: str, name: str) -> Iterator[int]:
        try:
            with _descriptor(os.open(self._root / folder, _FOLDER)) as parent:
                descriptor = os.open(name, _READ, dir_fd=parent)
        except OSError as error:
            if error.errno in _ABSENT:
                raise NotFound(f"There is no file {folder}/{name}.") from error
            raise
        with _descriptor(descriptor):
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise NotFound(f"There is no file {folder}/{name}.")
            yield descriptor

    @contextmanager
    def _created(self, folder: str) -> Iterator[int]:
        with _descriptor(os.open(self._root, _FOLDER & ~os.O_NOFOLLOW)) as root:
            try:
                os.mkdir(folder, dir_fd=root)
            except FileExistsError:
                pass
            else:
                os.fsync(root)
            with _descriptor(os.open(folder, _FOLDER, dir_fd=root)) as parent:
                yield parent


@contextmanager
def _descriptor(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _holds(parent: int, name: str, data: bytes) -> bool:
    """Whether the file has exactly this content."""
    try:
        descriptor = os.open(name, _READ, dir_fd=parent)
    except OSError as error:
        if error.errno in _ABSENT:
            return False
        raise
    with _descriptor(descriptor):
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size != len(data):
            return False
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read() == data


def _split(key: str) -> tuple[str, str]:
    match = _KEY.fullmatch(key)
    if match is None:
        raise InvalidRequest("This is not the name of a stored file.", hint="Use the form folder/name.ext.")
    return match[1], match[2]
