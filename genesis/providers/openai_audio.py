"""Speech and transcription over OpenAI's API: `POST /audio/speech` and `POST /audio/transcriptions`."""

import re
from typing import Any, ClassVar

from genesis.errors import ProviderRejected
from genesis.net.exchange import Reply, Request
from genesis.providers.base import Done, ProviderCall
from genesis.providers.openai_dialect import Dialect, media_body, media_form
from genesis.providers.openai_errors import read_result
from genesis.providers.openai_format import speech_result, transcription_result
from genesis.providers.options import Field, OptionTable, fields_of, same_names
from genesis.providers.translation import media_in

LONGEST_SPOKEN_TEXT = 4096
"""Characters, by the API's reference; OpenAI counts them, others need not."""
LONGEST_AUDIO_SECONDS = 600.0
"""Below the 25 minutes that OpenAI's models take; cut to that, 16-bit samples at 16 kHz are less than its 25 MB."""
LARGEST_AUDIO_BYTES = 25_000_000
"""Of a file, by the API's reference."""

_DEFAULT_VOICE = "alloy"
_TIMED = re.compile("whisper", re.IGNORECASE)
_READABLE_FORMATS = ("json", "verbose_json", "diarized_json")
_HEARD = ("audio/flac", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav", "audio/webm")


class OpenAISpeech:
    """Speech over `POST /audio/speech`: MP3 from OpenAI, from others whatever they make unless told otherwise."""

    options: ClassVar[OptionTable] = {"format": Field("response_format"), **same_names("voice speed")}

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call.

        Raises:
            ProviderRejected: the provider options ask for a stream.
        """
        body: dict[str, Any] = {"model": call.model, "input": call.text}
        if self._dialect.is_openai_model(call.model):
            body |= {"voice": _DEFAULT_VOICE, "response_format": "mp3"}
        body |= fields_of(self.options, call.options)
        return Request("POST", "/audio/speech", json=media_body(call, body))

    def parse_reply(self, reply: Reply) -> Done:
        """The file."""
        return read_result(reply, self._dialect.hints, speech_result)


class OpenAITranscription:
    """Transcription over `POST /audio/transcriptions`; Whisper models tell times as well, others only text."""

    options: ClassVar[OptionTable] = {
        "language": Field("language", note="without the region"),
        "timestamps": Field(note="of segments and words, by Whisper models"),
    }

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call.

        Raises:
            ProviderRejected: OpenAI does not take this type of file, or the provider options ask for a stream or for
                an answer that is no JSON.
        """
        audio = media_in(call.media)
        if self._dialect.is_openai and audio.media_type not in _HEARD:
            raise ProviderRejected(
                f"The provider cannot transcribe {audio.media_type}.", hint="Give it FLAC, M4A, MP3, OGG, WAV or WebM."
            )
        body = media_form(call, self._fields(call), "file", audio)
        if body.get("response_format", "json") not in _READABLE_FORMATS:
            raise ProviderRejected(
                "An answer of this response_format cannot be read.", hint="Remove it from provider_options."
            )
        return Request("POST", "/audio/transcriptions", form=body)

    def _fields(self, call: ProviderCall) -> dict[str, Any]:
        fields: dict[str, Any] = {"model": call.model, "response_format": "json"}
        if _TIMED.search(call.model):
            fields["response_format"] = "verbose_json"
            if self._dialect.is_openai:  # some other servers refuse to time words
                fields["timestamp_granularities"] = ["word", "segment"]
        if "language" in call.options:
            fields["language"] = call.options["language"].partition("-")[0]
        return fields

    def parse_reply(self, reply: Reply) -> Done:
        """The text, with the times of its segments and words where the model tells them."""
        return read_result(reply, self._dialect.hints, transcription_result)
