"""Artifacts: the files that jobs produce."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Artifact:
    """One stored file.

    Attributes:
        key: its name in the store, for example `images/0190….png`.
        media_type: found in its content, not taken from its sender.
        size: in bytes.
        sha256: of its content, in hexadecimal.
    """

    key: str
    media_type: str
    size: int
    sha256: str

    @property
    def url(self) -> str:
        """The path under which the gateway serves it."""
        return STORAGE_PREFIX + self.key


STORAGE_PREFIX = "/storage/"
