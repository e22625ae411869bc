"""Speech: text in, spoken audio out."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from genesis.capabilities.fields import AudioUrl, CallOptions, CapabilityModel, Language, Text


class AudioFormat(StrEnum):
    WAV = "wav"
    MP3 = "mp3"
    OPUS = "opus"


class SpeechInput(CapabilityModel):
    text: Annotated[Text, Field(max_length=100_000, description="What is spoken.")]


class SpeechOptions(CallOptions):
    voice: str | None = Field(None, min_length=1, max_length=100, description="A voice of the model.")
    language: Language | None = None
    speed: float | None = Field(None, ge=0.5, le=2, description="1 is the voice's own pace.")
    format: AudioFormat | None = Field(
        None, description="The file's format, `opus` in an Ogg file; as the provider makes it when left out."
    )


class SpeechOutput(CapabilityModel):
    audio_url: AudioUrl
