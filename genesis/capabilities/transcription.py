"""Transcription: speech in, text out."""

from genesis.capabilities.fields import AudioUrl, CallOptions, CapabilityModel, Language, Text


class TranscriptionInput(CapabilityModel):
    audio_url: AudioUrl


class TranscriptionOptions(CallOptions):
    language: Language | None = None


class TranscriptionOutput(CapabilityModel):
    text: Text
