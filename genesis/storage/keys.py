"""Keys of contents: `folder/name.ext`, and where a folder of this machine keeps what they name."""

import hashlib
import re
from dataclasses import dataclass

from genesis.errors import InvalidRequest

_FOLDER = r"[a-z0-9][a-z0-9_-]{0,63}"
_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}\.[a-z0-9]{1,8}"
_IS_FOLDER = re.compile(_FOLDER, re.ASCII)
_IS_KEY = re.compile(rf"({_FOLDER})/({_NAME})", re.ASCII)
_IS_SHARD = re.compile(r"[0-9a-f]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Key:
    """The name of a content; neither part begins with a dot, and only the second has one."""

    folder: str
    name: str

    @property
    def shard(self) -> str:
        """The folder within its folder: one of 256, so that each holds thousands where there are a million."""
        return hashlib.sha256(self.name.encode()).hexdigest()[:2]

    def __str__(self) -> str:
        return f"{self.folder}/{self.name}"


def parsed(key: str) -> Key:
    """The parts of a key.

    Raises:
        InvalidRequest: it is not one.
    """
    found = found_key(key)
    if found is None:
        raise InvalidRequest("This is not the name of a stored file.", hint="Use the form folder/name.ext.")
    return found


def found_key(name: str) -> Key | None:
    """The key that something in the store has; None for what is no content."""
    match = _IS_KEY.fullmatch(name)
    return Key(match[1], match[2]) if match else None


def checked_folder(name: str) -> str:
    """The name of a folder of contents.

    Raises:
        InvalidRequest: it is not one.
    """
    if not is_folder(name):
        raise InvalidRequest("This is not the name of a folder of stored files.", hint="Use a name such as images.")
    return name


def is_folder(name: str) -> bool:
    """Whether contents can lie in a folder of this name."""
    return _IS_FOLDER.fullmatch(name) is not None


def is_shard(name: str) -> bool:
    """Whether this is one of the folders within a folder; no content has such a name."""
    return _IS_SHARD.fullmatch(name) is not None
