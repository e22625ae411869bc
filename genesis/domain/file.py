"""Files: what people upload and what jobs make, as the platform keeps record of it."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from genesis.domain.artifact import STORAGE_PREFIX
from genesis.domain.identity import Milliseconds


class FileState(StrEnum):
    """Where a file stands."""

    WAITING = "waiting"  # its content is still to be sent
    READY = "ready"
    DELETED = "deleted"  # its record stays, so that whoever asks is told


TRANSITIONS: Mapping[FileState, frozenset[FileState]] = MappingProxyType(
    {
        FileState.WAITING: frozenset({FileState.READY, FileState.DELETED}),
        FileState.READY: frozenset({FileState.DELETED}),
        FileState.DELETED: frozenset(),
    }
)


class FileSource(StrEnum):
    """Where a file comes from."""

    UPLOAD = "upload"
    JOB = "job"


@dataclass(frozen=True, slots=True)
class MediaDetails:
    """What was found in a file's content; what does not apply to it, or is not known, is None.

    Attributes:
        width, height: in pixels, as the image is to be shown.
        frames: of an animation; 1 for a still image.
        duration_ms: of a recording.
        sample_rate: in Hertz.
        codec: as FFmpeg names it.
        thumbnails: widths in pixels of the smaller copies that there are, smallest first.
        has_peaks: whether there is a waveform of it.
    """

    width: int | None = None
    height: int | None = None
    frames: int | None = None
    duration_ms: int | None = None
    sample_rate: int | None = None
    channels: int | None = None
    codec: str | None = None
    thumbnails: tuple[int, ...] = ()
    has_peaks: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """One file of an organization.

    Attributes:
        id: also the name of its content in the store, between folder and extension.
        key: its content's name in the store, for example `images/0190….png`; of a waiting file the name that content is
            sent to.
        media_type: found in its content; of a waiting file as its sender has announced it, "" for not at all.
        size: in bytes; None until it is known.
        sha256: of its content, in hexadecimal; None until it is known.
        name: as its sender called it; "" for not at all.
        job: that has made it.
        expires_at: it is deleted then; a waiting file with what may have been sent of it. None for never.
        deleted_at: when it was deleted.
        details: None until its content has been examined.
        problem: why its content cannot be used, in a sentence; "" where nothing is known against it.
    """

    id: str
    organization: str
    key: str
    media_type: str
    size: int | None
    sha256: str | None
    source: FileSource
    created_at: Milliseconds
    state: FileState = FileState.READY
    name: str = ""
    job: str | None = None
    expires_at: Milliseconds | None = None
    deleted_at: Milliseconds | None = None
    details: MediaDetails | None = None
    problem: str = ""

    @property
    def url(self) -> str:
        """The path under which the gateway serves its content."""
        return STORAGE_PREFIX + self.key


_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_NAMED_BY_ID = re.compile(rf"[a-z0-9_-]+/({_ID})[.-].*", re.ASCII)
_IN_NAME = re.compile(rf"[/-]({_ID})(?=[.-])", re.ASCII)


def file_id_of(key: str) -> str | None:
    """The id of the file, or of the call, that a key of the store belongs to; None for keys of another form."""
    match = _NAMED_BY_ID.fullmatch(key)
    return match[1] if match else None


def ids_in(key: str) -> frozenset[str]:
    """The ids of files and calls that a key of the store names; none for keys of another form.

    That of a second content of one call has the call's key behind its own id.
    """
    return frozenset(_IN_NAME.findall(key)) if _NAMED_BY_ID.fullmatch(key) else frozenset()


UPLOADS = "uploads/"
"""How keys begin of what people have sent, so that nothing of it is shown as a page of ours."""


def upload_key(name: str, extension: str) -> str:
    """Where the store keeps the content of an upload, whose name begins with the file's id."""
    return f"{UPLOADS}{name}.{extension}"


def arrival_name(file_id: str) -> str:
    """A name that a content has which comes for an announced file, and no other one: of several that come at once, each can
    be looked at before one of them becomes the file's."""
    return f"{file_id}-{secrets.token_hex(16)}"


def thumbnail_key(file_id: str, width: int) -> str:
    """Where the store keeps the copy of this width."""
    return f"thumbnails/{file_id}-{width}.webp"


def peaks_key(file_id: str) -> str:
    """Where the store keeps the waveform."""
    return f"peaks/{file_id}.json"


def incoming_key(file_id: str) -> str:
    """Where a presigned upload goes, before its content has been looked at."""
    return f"incoming/{file_id}.part"
