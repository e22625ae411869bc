"""The form of a backup: a tar file whose last member holds the SHA-256 of all others, as `sha256sum -c` reads it.

It is written and read in one pass each, in little memory, however much it holds.
"""

import hashlib
import json
import os
import secrets
import tarfile
import tempfile
import time
from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from genesis import __version__
from genesis.database.backup import Facts
from genesis.errors import Misconfigured, NotFound, Unavailable

FORMAT = 1
MANIFEST = "manifest.json"
COUNTS = "counts.json"
DIGESTS = "SHA256SUMS"
_FORMAT_NAME = "genesis-backup"
_PIECE = 1024 * 1024
_LARGEST_DOCUMENT = 16 * 1024 * 1024
_OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says of itself.

    Attributes:
        facts: of its database.
        has_files: whether it holds contents of the store.
    """

    facts: Facts
    version: str
    has_files: bool

    def document(self) -> dict[str, Any]:
        """As it is written."""
        return {
            "format": _FORMAT_NAME,
            "format_version": FORMAT,
            "genesis_version": self.version,
            "database": self.facts.kind,
            "schema_revision": self.facts.revision,
            "created_at": self.facts.made_at,
            "columns": {table: list(columns) for table, columns in self.facts.columns.items()},
            "files": self.has_files,
        }


def manifest_of(facts: Facts, *, has_files: bool) -> Manifest:
    """The manifest of an archive that this version makes."""
    return Manifest(facts, __version__, has_files)


class ArchiveWriter:
    """Adds members to an archive.

    Attributes:
        folder: in which it is written.
    """

    def __init__(self, file: IO[bytes], digests: IO[bytes], folder: Path) -> None:
        self.folder = folder
        self._file = file
        self._digests = digests
        self._now = int(time.time())

    async def add(self, name: str, size: int, pieces: AsyncIterator[bytes]) -> None:
        """Adds a member.

        Raises:
            NotFound: the content has vanished; nothing of it is in the archive then.
            Unavailable: it has another size than it was said to have.
        """
        begin = self._file.tell()
        try:
            await self._add(name, size, pieces)
        except NotFound:
            self._file.seek(begin)
            self._file.truncate()
            raise

    async def _add(self, name: str, size: int, pieces: AsyncIterator[bytes]) -> None:
        header = tarfile.TarInfo(name)
        header.size, header.mode, header.mtime = size, _OWNER_ONLY, self._now
        self._file.write(header.tobuf(tarfile.PAX_FORMAT))
        digest, written = hashlib.sha256(), 0
        async for piece in pieces:
            self._file.write(piece)
            digest.update(piece)
            written += len(piece)
        if written != size:
            raise Unavailable(f"{name} has {written} bytes and not {size}, as was said.", hint="Make the backup again.")
        self._file.write(bytes(-size % tarfile.BLOCKSIZE))
        self._digests.write(_line(digest.hexdigest(), name))

    async def add_document(self, name: str, document: Mapping[str, Any]) -> None:
        """Adds a member of JSON."""
        data = (json.dumps(document, indent=2) + "\n").encode()
        await self.add(name, len(data), _once(data))

    async def conclude(self) -> None:
        """Adds the digests, and the end of the archive."""
        size = self._digests.tell()
        self._digests.seek(0)
        await self._add(DIGESTS, size, _read(self._digests))
        self._file.write(bytes(2 * tarfile.BLOCKSIZE))


@contextmanager
def writing(path: Path) -> Iterator[ArchiveWriter]:
    """A new archive, which is there under its name, and durable, when the block ends well, and leaves nothing otherwise.

    Raises:
        Misconfigured: its folder cannot be written to, or there is something of this name.
        Unavailable: the disk is full or fails.
    """
    path = path.absolute()
    if path.exists():
        raise Misconfigured(f"{path} is there already.", hint="Name another file, or delete this one.")
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        try:
            descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        except OSError as error:
            raise Misconfigured(
                f"The archive cannot be written to {path.parent}: {error.strerror}.",
                hint="Name a file in a folder that this user may write to.",
            ) from error
        with os.fdopen(descriptor, "w+b") as file, tempfile.TemporaryFile(dir=path.parent) as digests:
            yield ArchiveWriter(file, digests, path.parent)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
        _synchronize(path.parent)
    except OSError as error:
        raise Unavailable(
            f"The archive could not be written: {error.strerror or error}.",
            hint=f"Check the space on the disk of {path.parent}. Nothing was left there.",
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _synchronize(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an archive that is being read; its content is to be read before the next member is asked for."""

    name: str
    size: int
    file: IO[bytes]
    archive: Path

    async def pieces(self) -> AsyncIterator[bytes]:
        """Its content.

        Raises:
            Misconfigured: it cannot be read.
        """
        with _read_of(self.archive):
            while piece := self.file.read(_PIECE):
                yield piece


class ArchiveReader:
    """An archive on the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def size(self) -> int:
        """Of the whole, in bytes."""
        return self._path.stat().st_size

    def members(self) -> Generator[Member, None, None]:
        """All members in their order.

        Raises:
            Misconfigured: the file cannot be read, or ends too early.
        """
        with _read_of(self._path), tarfile.open(self._path, "r:") as tar:
            while (header := tar.next()) is not None:
                tar.members.clear()  # type: ignore[attr-defined]  # else all headers would be kept
                file = tar.extractfile(header) if header.isreg() else None
                if file is None:
                    raise _damaged(self._path, f"`{header.name}` is not a file")
                yield Member(header.name, header.size, file, self._path)

    def manifest(self) -> Manifest:
        """What the archive says of itself.

        Raises:
            Misconfigured: it is not an archive of Genesis, or one of a newer version.
        """
        with closing(self.members()) as members, _read_of(self._path):
            first = next(members, None)
            if first is None or first.name != MANIFEST or first.size > _LARGEST_DOCUMENT:
                raise _not_ours(self._path)
            try:
                return _manifest(self._path, json.loads(first.file.read()))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise _not_ours(self._path) from error

    def verify(self) -> Iterator[int]:
        """Reads all of it and compares it with its digests; tells of each member how many bytes it has.

        Raises:
            Misconfigured: it was altered, or is not complete.
        """
        with closing(self.members()) as members, closing(self.members()) as others, _read_of(self._path):
            said = next((member.file for member in others if member.name == DIGESTS), None)
            if said is None:
                raise _damaged(self._path, "its end is missing")
            for member in members:
                if member.name == DIGESTS:
                    break
                if said.readline() != _line(_digest(member.file), member.name):
                    raise _damaged(self._path, f"`{member.name}` is not what was written")
                yield member.size
            if said.readline():
                raise _damaged(self._path, "a member is missing")


@contextmanager
def _read_of(path: Path) -> Iterator[None]:
    """Says in words why an archive cannot be read."""
    try:
        yield
    except tarfile.TarError as error:
        raise _damaged(path, str(error)) from error
    except OSError as error:
        raise Misconfigured(
            f"The archive {path} cannot be read: {error.strerror or error}.", hint="Check its name and permissions."
        ) from error


def _manifest(path: Path, document: dict[str, Any]) -> Manifest:
    if document["format"] != _FORMAT_NAME:
        raise _not_ours(path)
    if document["format_version"] > FORMAT:
        raise Misconfigured(
            f"The archive {path} was made by Genesis {str(document['genesis_version'])[:50]}, which this version cannot read.",
            hint="Restore it with that version, or a newer one.",
        )
    columns = {str(table): [str(name) for name in names] for table, names in document["columns"].items()}
    facts = Facts(str(document["database"]), str(document["schema_revision"]), int(document["created_at"]), columns, 0)
    return Manifest(facts, str(document["genesis_version"]), bool(document["files"]))


def _not_ours(path: Path) -> Misconfigured:
    return Misconfigured(
        f"{path} is not a backup of Genesis.", hint="Name a file that `genesis-server backup` has made."
    )


def _damaged(path: Path, how: str) -> Misconfigured:
    return Misconfigured(
        f"The archive {path} is damaged: {how}.", hint="Nothing was changed. Copy it again, or take another backup."
    )


def _line(digest: str, name: str) -> bytes:
    return f"{digest}  {name}\n".encode()


def _digest(file: IO[bytes]) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # it has all that is asked of it


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _read(file: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece
