"""Transcription: speech in, text out, with times and subtitles where they are served."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from genesis.capabilities.fields import AudioUrl, CallOptions, CapabilityModel, Kind, Language, Subtitles, Text
from genesis.domain.transcript import SubtitleFormat


class Timestamps(StrEnum):
    SEGMENT = "segment"
    WORD = "word"


class TranscriptionInput(CapabilityModel):
    audio_url: AudioUrl


class TranscriptionOptions(CallOptions):
    language: Language | None = None
    timestamps: Timestamps | None = Field(
        None, description="Also tells when each segment, or each word, was said; for models that know."
    )
    subtitles: SubtitleFormat | None = Field(None, description="Also makes subtitles; for models that know the times.")


Seconds = Annotated[float, Field(ge=0, description="From the beginning of the recording.")]


class TimedText(CapabilityModel):
    """Something that was said, and when."""

    start: Seconds
    end: Seconds
    text: str


class TranscriptionOutput(CapabilityModel):
    text: Text
    segments: list[TimedText] | None = None
    words: list[TimedText] | None = None
    subtitles: Subtitles | None = Field(None, json_schema_extra={"format": Kind.SUBTITLES})
