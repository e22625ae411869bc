"""Files as the API takes and gives them."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from genesis.domain.file import FileSource, FileState
from genesis.net.media import Family
from genesis.ports.files import FileFilter

LONGEST_LINK_SECONDS = 604_800
"""A week: no signed URL of Amazon S3 is good for longer."""

_LONGEST_EXPIRY_SECONDS = 315_360_000
_LATEST_EXPIRY = datetime(9000, 1, 1, tzinfo=UTC)
_LONGEST_NAME = 255
_EXAMPLE_ID = "01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55"


def cleaned_name(name: str) -> str:
    """A file's name without its folders and without what cannot be seen, cut to 255 characters."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    visible = "".join(character if character.isprintable() else " " for character in last)
    return " ".join(visible.split())[:_LONGEST_NAME].rstrip()


Name = Annotated[
    str,
    Field(max_length=4096, description="What people call it; it need not be unique.", examples=["holiday.jpg"]),
    AfterValidator(cleaned_name),
]
ExpiresIn = Annotated[
    int | None,
    Field(
        ge=1,
        le=_LONGEST_EXPIRY_SECONDS,
        description="Seconds after its arrival at which the file is deleted; else as the operator has set.",
        examples=[86_400],
    ),
]


class UploadFields(BaseModel):
    """What may be said about a file that is sent, as parameters of the URL or as fields of the form."""

    model_config = ConfigDict(extra="forbid")

    name: Name = ""
    expires_in: ExpiresIn = None
    strip_metadata: bool = Field(
        False,
        description="Store it without what its metadata tell, such as where a picture was taken. An image is encoded anew.",
    )


class ArrivalFields(BaseModel):
    """What may be said about a file when its content has come."""

    model_config = ConfigDict(extra="ignore")

    expires_in: ExpiresIn = None


class PresignRequest(BaseModel):
    """A file whose content is sent later."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "talk.mp3", "media_type": "audio/mpeg", "size": 734_003_200}]},
    )

    name: Name = ""
    media_type: str = Field(
        max_length=200,
        description="Of an image or a recording; what it is, is found in the content.",
        examples=["audio/mpeg"],
    )
    size: int | None = Field(
        None,
        ge=1,
        description="In bytes, so that one that is too large is refused at once. An S3 store takes nothing of another size "
        "then, and otherwise tells what is too large when all of it has come.",
    )
    expires_in: ExpiresIn = None
    seconds: int = Field(
        3600, ge=1, le=LONGEST_LINK_SECONDS, description="For how long the content can be sent.", examples=[3600]
    )


class LinkRequest(BaseModel):
    """How long a link is good."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"expires_in": 86_400}]})

    expires_in: int = Field(86_400, ge=1, le=LONGEST_LINK_SECONDS, description="In seconds.")


class FileChange(BaseModel):
    """What is to change about a file."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"expires_at": "2027-01-31T18:00:00Z"}]})

    expires_at: AwareDatetime | None = Field(
        lt=_LATEST_EXPIRY,
        description="When it is deleted (RFC 3339, with its offset from UTC); null for as the operator has set, or never.",
    )


class FileListQuery(BaseModel):
    """Which files to list."""

    limit: int = Field(100, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=200, description="As the `Link` of the page before says.")
    source: FileSource | None = Field(None, description="Where it comes from.")
    family: Family | None = Field(None, description="What it is.")
    job: UUID | None = Field(None, description="The job that has made it.")
    q: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00]*$",
        description="Occurs in the name, whatever the case of its letters.",
    )

    def filter(self) -> FileFilter:
        """What the records are asked for."""
        return FileFilter(self.source, self.family, str(self.job) if self.job else None, self.q)


class FileDetails(BaseModel):
    """What was found in the content; null is what does not apply, or is not known."""

    width: int | None = Field(description="In pixels, as the image is to be shown.")
    height: int | None
    frames: int | None = Field(description="Of an animation; 1 for a still image.")
    duration_seconds: float | None
    sample_rate: int | None = Field(description="In Hertz.")
    channels: int | None
    codec: str | None = Field(examples=["pcm_s16le"])


class FileView(BaseModel):
    """A file."""

    id: str = Field(description="Jobs take it as `image_file` or `audio_file`.", examples=[_EXAMPLE_ID])
    url: str | None = Field(
        description="Where its content is served; null while that is still to be sent.",
        examples=[f"/storage/uploads/{_EXAMPLE_ID}.jpg"],
    )
    media_type: str = Field(
        description="Found in its content; of a waiting file, as it was announced.", examples=["image/jpeg"]
    )
    size: int | None = Field(description="In bytes; null until it is known.")
    sha256: str | None = Field(description="In hexadecimal; null until it is known.")
    name: str
    source: FileSource
    job: str | None = Field(description="The job that has made it.")
    state: FileState
    created_at: datetime
    expires_at: datetime | None = Field(description="When it is deleted; null for as the operator has set, or never.")
    details: FileDetails | None = Field(
        description="Null until the content has been examined, seconds after it has come."
    )
    thumbnails: dict[str, str] = Field(
        description="Smaller copies of an image, by the most pixels that they are wide.",
        examples=[{"320": f"/storage/thumbnails/{_EXAMPLE_ID}-320.webp"}],
    )
    peaks: str | None = Field(
        description="The waveform of a recording, as JSON.", examples=[f"/storage/peaks/{_EXAMPLE_ID}.json"]
    )
    problem: str | None = Field(description="Why its content cannot be used, where that is so.")


class UploadRequestView(BaseModel):
    """A request that sends a content."""

    method: str = Field(examples=["PUT"])
    url: str = Field(description="Relative to this API, or at the store itself.")
    headers: dict[str, str] = Field(description="To be sent as they are.")
    expires_at: datetime = Field(description="When it is refused.")


class CompletionView(BaseModel):
    """A request that says that the content was sent."""

    method: str = Field(examples=["POST"])
    url: str = Field(examples=[f"/files/{_EXAMPLE_ID}/complete"])


class PresignView(BaseModel):
    """A file that waits for its content, and how to send that."""

    file: FileView
    upload: UploadRequestView
    complete: CompletionView = Field(description="To be made when the content was sent.")


class LinkView(BaseModel):
    """A link that opens a file to whoever has it."""

    url: str = Field(description="Relative to this API.")
    expires_at: datetime


FORM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "name": {"type": "string", "description": "What people call it; else what the form says.", "maxLength": 4096},
        "expires_in": {"type": "integer", "minimum": 1, "maximum": _LONGEST_EXPIRY_SECONDS},
        "strip_metadata": {"type": "boolean", "default": False},
    },
}
"""The form that files are sent in."""
