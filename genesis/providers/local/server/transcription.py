"""Transcription by Whisper tiny.en through CTranslate2."""

import json
import math
from typing import Any

from genesis.providers.local.models import SILERO_VAD, WHISPER_TINY_EN
from genesis.providers.local.server.audio import decode_audio
from genesis.providers.local.server.errors import RequestError
from genesis.providers.local.server.form import read_form
from genesis.providers.local.server.generation import Answer, Body, RequestModel, read_fields
from genesis.providers.local.server.threads import compute_threads
from genesis.providers.local.server.weights import verified

RATE = 16_000
"""Samples per second that Whisper expects."""

_ENGLISH = frozenset({"en", "eng", "english"})


class TranscriptionRequest(RequestModel):
    language: str = "en"


class TranscriptionModel:
    """Whisper, loaded."""

    def __init__(self, whisper: Any) -> None:
        self._whisper = whisper

    def answer(self, body: Body) -> Answer:
        """The text of a recording, with the times of its segments in seconds; silence gives an empty text.

        Raises:
            RequestError: a field is wrong, the file is no audio, or another language than English is asked for.
        """
        form = read_form(body.content_type, body.data)
        request = read_fields(TranscriptionRequest, form.fields)
        check_language(request.language)
        samples = decode_audio(form.file("file"), RATE)
        segments, _ = self._whisper.transcribe(
            samples, language="en", beam_size=1, vad_filter=True, condition_on_previous_text=False
        )
        return Answer("application/json", json.dumps(transcription(list(segments), len(samples) / RATE)).encode())


def check_language(language: str) -> None:
    """Raises RequestError for a language that the model does not know."""
    if language.replace("_", "-").partition("-")[0].lower() not in _ENGLISH:
        raise RequestError(
            f"This model transcribes English only, not {language!r}.", param="language", code="unsupported_language"
        )


def transcription(segments: list[Any], duration: float) -> dict[str, Any]:
    """The answer for the segments that Whisper found in `duration` seconds."""
    return {
        "text": " ".join(segment.text.strip() for segment in segments),
        "language": "en",
        "duration": round(duration, 3),
        "segments": [
            {
                "start": round(segment.start, 2),
                "end": round(min(segment.end, math.ceil(duration * 100) / 100), 2),
                "text": segment.text.strip(),
            }
            for segment in segments
        ],
    }


def load() -> TranscriptionModel:
    """Loads the model."""
    paths = [verified(file) for file in (*WHISPER_TINY_EN, SILERO_VAD)]
    from faster_whisper import WhisperModel

    return TranscriptionModel(
        WhisperModel(
            str(paths[0].parent),
            device="cpu",
            compute_type="int8",
            cpu_threads=compute_threads(),
            local_files_only=True,
        )
    )
