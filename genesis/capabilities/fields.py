"""Field types that capabilities share; a field's JSON Schema `format` is its kind."""

import re
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from genesis.domain.artifact import STORAGE_PREFIX


class Kind(StrEnum):
    """What a value is, so that an output can be checked against the input it feeds."""

    TEXT = "text"
    AUDIO_URL = "audio_url"
    IMAGE_URL = "image_url"
    SUBTITLES = "subtitles"


_URL = re.compile(rf"(https?://|{STORAGE_PREFIX})\S+")


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("it must not be blank")
    return value


def _file_url(value: str) -> str:
    if not _URL.fullmatch(value):
        raise ValueError(f"write a URL that begins with http:// or https://, or a path below {STORAGE_PREFIX}")
    return value


Text = Annotated[
    str,
    Field(json_schema_extra={"format": Kind.TEXT}),
    StringConstraints(min_length=1),
    AfterValidator(_not_blank),
]
AudioUrl = Annotated[
    str,
    StringConstraints(max_length=2048),
    AfterValidator(_file_url),
    Field(
        description="A public http(s) URL of an audio file, or a path under /storage/ that an earlier job returned.",
        json_schema_extra={"format": Kind.AUDIO_URL},
    ),
]
ImageUrl = Annotated[
    str,
    StringConstraints(max_length=2048),
    AfterValidator(_file_url),
    Field(
        description="A public http(s) URL of an image, or a path under /storage/ that an earlier job returned.",
        json_schema_extra={"format": Kind.IMAGE_URL},
    ),
]
Subtitles = Annotated[str, Field(json_schema_extra={"format": Kind.SUBTITLES})]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1, description="Makes the result repeatable where the model allows it.")]
Language = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z]{2,4})?$"),
    Field(description="As a tag such as `en` or `pt-BR`.", examples=["en"]),
]
Style = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_not_blank)]


_MODEL_NAME = re.compile(r"[a-z0-9_-]+:\S+")


def _model_name(value: str) -> str:
    if not _MODEL_NAME.fullmatch(value):
        raise ValueError("write it as provider:name, for example openrouter:openai/gpt-4o-mini")
    return value


class CapabilityModel(BaseModel):
    """Base of all inputs, options and outputs: nothing unknown passes unseen."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CallOptions(CapabilityModel):
    """Options that every capability has."""

    model: Annotated[str, StringConstraints(max_length=200), AfterValidator(_model_name)] | None = Field(
        None,
        description="Model as `provider:name`; the configured chain of providers decides when it is left out.",
        examples=["openrouter:openai/gpt-4o-mini"],
    )
    provider_options: dict[str, Any] | None = Field(
        None,
        description="Passed to the provider as they are, over everything that Genesis would send itself. What they change "
        "of the price is in no estimate, and in the cost only as far as the provider reports it.",
    )
