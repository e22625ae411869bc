"""OpenAI: text, images, image transformation, speech and transcription behind one key, https://developers.openai.com.

Facts: the official SDK's types and API reference, November 2026. Speech has no other model than the one below, which
OpenAI shuts down on 2027-01-06 without having named another.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus

from genesis.net.exchange import Reply, Request
from genesis.providers.base import Chunk, Done, Provider, ProviderCall, Service
from genesis.providers.openai_audio import (
    LARGEST_AUDIO_BYTES,
    LONGEST_AUDIO_SECONDS,
    LONGEST_SPOKEN_TEXT,
    OpenAISpeech,
    OpenAITranscription,
)
from genesis.providers.openai_dialect import Dialect
from genesis.providers.openai_errors import error_in, error_of, read_result
from genesis.providers.openai_format import (
    CHAT_OPTIONS,
    chat_assembled,
    chat_body,
    chat_chunk,
    chat_event,
    chat_result,
)
from genesis.providers.openai_images import OpenAIImage, OpenAIImageTransform
from genesis.providers.options import OptionTable
from genesis.providers.thoughts import without_thoughts
from genesis.providers.translation import json_object_of
from genesis.settings import Settings

CHECK = Request("GET", "/models")
"""Free, and refused without a valid key."""

_KEY = "Check OPENAI_API_KEY; `genesis-server check` tries it."
_HINTS: Mapping[int, str] = {
    401: _KEY,
    403: "Check what OPENAI_API_KEY is allowed to use, and that OpenAI serves your country.",
    404: "Check the model's name, and OPENAI_BASE_URL.",
}
_TEXT_MODELS = ("gpt-6-luna", "gpt-6.1-terra", "gpt-6.2-sol", "gpt-5.4-mini")
_IMAGE_MODELS = ("gpt-image-2.5-flare", "gpt-image-2.5-sunburst", "gpt-image-2", "gpt-image-1-mini")
_SPEECH_MODELS = ("gpt-4o-mini-tts",)
_TRANSCRIPTION_MODELS = ("gpt-transcribe", "whisper-1")


_REASONING = re.compile(r"(^|/)(gpt-([5-9]|\d\d)|o\d)", re.IGNORECASE)
_WORD_CHOICE = frozenset({"temperature", "top_p", "stop"})


class OpenAIText:
    """Text over `POST /chat/completions`."""

    options = CHAT_OPTIONS

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.thinks_aloud = dialect.thinks_aloud

    def options_of(self, model: str) -> OptionTable:
        """Models that reason first refuse what steers the choice of words, by OpenAI's reference."""
        reasons = self._dialect.is_openai_model(model) and _REASONING.search(model) is not None
        return {name: field for name, field in CHAT_OPTIONS.items() if not (reasons and name in _WORD_CHOICE)}

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call."""
        return Request("POST", "/chat/completions", json=chat_body(call, max_tokens_field=self._max_tokens(call)))

    def parse_reply(self, reply: Reply) -> Done:
        """The answer."""
        done = read_result(reply, self._dialect.hints, lambda reply: chat_result(reply, json_object_of(reply)))
        return without_thoughts(done) if self.thinks_aloud else done

    def build_stream(self, call: ProviderCall) -> Request:
        """The request for a call whose answer is streamed, with the usage in its last event."""
        body = chat_body(call, max_tokens_field=self._max_tokens(call), stream=True)
        return Request("POST", "/chat/completions", json={"stream_options": {"include_usage": True}, **body})

    def parse_chunk(self, event: bytes) -> Chunk:
        """A piece of the answer; an error ends the stream."""
        document = chat_event(event)
        if error_in(document):
            raise error_of(Reply(HTTPStatus.OK, {}, event), document, {})
        return chat_chunk(document)

    def assemble(self, whole: Chunk) -> Done:
        """The answer, whole."""
        done = chat_assembled(whole)
        return without_thoughts(done) if self.thinks_aloud else done

    def _max_tokens(self, call: ProviderCall) -> str:
        return "max_completion_tokens" if self._dialect.is_openai_model(call.model) else "max_tokens"


def provider(settings: Settings) -> Provider:
    """The row of OpenAI."""
    key = settings.openai_api_key
    is_openais = settings.is_default("openai_base_url")
    dialect = Dialect(is_openai=True, hints=_HINTS, thinks_aloud=not is_openais)
    return Provider(
        name="openai",
        base_url=settings.openai_base_url.rstrip("/"),
        headers={"Authorization": f"Bearer {key.get_secret_value().strip()}"} if key else {},
        missing="" if key else "OPENAI_API_KEY is not set",
        key_variable="OPENAI_API_KEY",
        list_prices=is_openais,
        check=CHECK,
        services={
            "text": Service(OpenAIText(dialect), _TEXT_MODELS, any_model=True),
            "image": Service(OpenAIImage(dialect), _IMAGE_MODELS, any_model=True),
            "image_transform": Service(OpenAIImageTransform(dialect), _IMAGE_MODELS, any_model=True),
            "speech": Service(OpenAISpeech(dialect), _SPEECH_MODELS, any_model=True, longest_text=LONGEST_SPOKEN_TEXT),
            "transcription": Service(
                OpenAITranscription(dialect),
                _TRANSCRIPTION_MODELS,
                any_model=True,
                longest_audio_seconds=LONGEST_AUDIO_SECONDS,
                largest_audio_bytes=LARGEST_AUDIO_BYTES,
            ),
        },
    )
