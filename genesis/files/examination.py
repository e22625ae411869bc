"""What the examination of a file's content finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from genesis.domain.file import MediaDetails

COPY_PREFIX = "genesis-media-"
"""Of the names of temporary files with contents, which a process that is killed leaves behind."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found in a file.

    Attributes:
        details: what is not known of it is None.
        problem: why the content cannot be used, in a sentence; "" where nothing is known against it.
        thumbnails: smaller copies of an image as WebP, by the width in pixels that they have at most.
        peaks: the waveform of a recording, a JSON document: `version` (1), `samples`, `sample_rate`, `duration_ms`, and
            `peaks`, the lowest and the highest value of each of at most 1,000 equal parts, from -128 to 127.
    """

    details: MediaDetails = field(default_factory=MediaDetails)
    problem: str = ""
    thumbnails: Mapping[int, bytes] = field(default_factory=dict)
    peaks: bytes | None = None
