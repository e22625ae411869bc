"""ElevenLabs: speech and transcription, https://elevenlabs.io/docs/api-reference.

Facts: the sources of ElevenLabs' Python SDK (`text_to_speech`, `speech_to_text`, `types`) for requests and results, its
help pages for errors, and what its users read from reply headers; nothing was tried against the service itself.
Speech is charged in credits, which the header `character-cost` counts: one a character, or less with the faster models.
A reply that was cut off is asked for in the account's history, where its headers name the entry.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import urlencode

from genesis.domain.quantity import Unit
from genesis.errors import (
    ProviderAmbiguous,
    ProviderError,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
)
from genesis.net.exchange import FormFile, Reply, Request
from genesis.net.media import extension
from genesis.providers.base import Done, Pending, Provider, ProviderCall, Service
from genesis.providers.openai_format import form_fields, transcription_result
from genesis.providers.options import Field, OptionTable, fields_of
from genesis.providers.queues import counted, primary_language, segments_in
from genesis.providers.translation import (
    clean_text,
    error_message,
    hint_for_status,
    is_own,
    json_object_of,
    json_of,
    kind_for_status,
    media_in,
    media_of,
    merged,
    succeeded,
    unreadable,
    wait_asked,
)
from genesis.settings import Settings

_FORMAT = "mp3_44100_128"
_HEADERLESS = ("pcm_", "ulaw_", "alaw_")
_QUERY_FIELDS = ("output_format", "enable_logging", "optimize_streaming_latency")
_VOICE = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_SLOWEST, _FASTEST = 0.7, 1.2
_EXAMPLES = (0.5, 2.0)
_NO_LANGUAGE = frozenset({"eleven_multilingual_v2", "eleven_multilingual_v1", "eleven_monolingual_v1"})
_LONGEST_TEXT = 5_000
_OTHER_ANSWERS = ("webhook", "use_multi_channel")

_KEY = "Check ELEVENLABS_API_KEY; `genesis-server check` tries it."
_CREDIT = "Add credit to the ElevenLabs account, or raise the key's limit."
_VOICES = "Name the id of a voice of this account in options.voice, or set ELEVENLABS_VOICE."
_PERMISSION = "Give ELEVENLABS_API_KEY the permission for this, and check the account's plan."

_ERRORS: Mapping[str, tuple[type[ProviderError], str]] = {
    "invalid_api_key": (ProviderMisconfigured, _KEY),
    "needs_authorization": (ProviderMisconfigured, _KEY),
    "missing_permissions": (ProviderMisconfigured, _PERMISSION),
    "quota_exceeded": (ProviderMisconfigured, _CREDIT),
    "insufficient_credits": (ProviderMisconfigured, _CREDIT),
    "payment_required": (ProviderMisconfigured, _CREDIT),
    "detected_unusual_activity": (ProviderMisconfigured, "Ask ElevenLabs to unlock the account."),
    "too_many_concurrent_requests": (ProviderRateLimited, ""),
    "rate_limit_exceeded": (ProviderRateLimited, ""),
    "system_busy": (ProviderUnavailable, ""),
    "voice_not_found": (ProviderRejected, _VOICES),
    "history_item_not_found": (ProviderAmbiguous, ""),
}
"""By the name of an error, which counts more than its status: credit that is used up comes with 401."""

_HINTS = {401: _KEY, 402: _CREDIT, 403: _PERMISSION}


class _Bounded(Mapping[float, Any]):
    """What becomes of speeds: those outside of the bounds become the nearest bound.

    Any speed can be looked up; listed are examples, for the documentation.

    Args:
        told: whether only those outside are in it, with what is used instead in words.
    """

    def __init__(self, *, told: bool) -> None:
        self._told = told

    def __getitem__(self, speed: float) -> Any:
        nearest = min(max(speed, _SLOWEST), _FASTEST)
        if self._told and nearest == speed:
            raise KeyError(speed)
        return f"{nearest:g}" if self._told else nearest

    def __iter__(self) -> Iterator[float]:
        return iter(_EXAMPLES if self._told else ())

    def __len__(self) -> int:
        return len(_EXAMPLES) if self._told else 0


_SPEECH_OPTIONS: OptionTable = {
    "voice": Field(note="the id of a voice, in the URL"),
    "language": Field("language_code", note="without its region; some models find it out themselves"),
    "speed": Field(
        "voice_settings.speed", values=_Bounded(told=False), near=_Bounded(told=True), note="from 0.7 to 1.2"
    ),
}


class ElevenLabsSpeech:
    """Speech over `POST /v1/text-to-speech/{voice}`.

    Args:
        voice: id of the voice for calls that name none.
    """

    options: ClassVar[OptionTable] = _SPEECH_OPTIONS

    def __init__(self, voice: str) -> None:
        self._voice = voice

    def options_of(self, model: str) -> OptionTable:
        """How a model is told the options; some refuse to be told the language."""
        return {name: field for name, field in self.options.items() if name != "language" or model not in _NO_LANGUAGE}

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call.

        Raises:
            ProviderRejected: the voice is no id, or the format of the file is one that does not tell itself.
        """
        voice = call.options.get("voice", self._voice)
        if not _VOICE.fullmatch(voice):
            raise ProviderRejected(f"{voice!r} is not the id of a voice.", hint=_VOICES)
        asked = merged({"output_format": _FORMAT}, call.provider_options)
        query = {name: asked.pop(name) for name in _QUERY_FIELDS if name in asked}
        if str(query["output_format"]).startswith(_HEADERLESS):
            raise ProviderRejected("Audio without a header cannot be kept.", hint="Ask for a wav_… or mp3_… format.")
        body = {"text": call.text, "model_id": call.model, **_named_fields(self.options_of(call.model), call)}
        url = f"/v1/text-to-speech/{voice}?{urlencode({name: _plain(value) for name, value in query.items()})}"
        return Request("POST", url, {"Accept": "audio/*"}, json=merged(body, asked))

    def parse_reply(self, reply: Reply) -> Done:
        """The audio."""
        if not succeeded(reply):
            raise _error(reply)
        media = media_of(reply.body, "audio")
        if media is None:
            raise unreadable(reply)
        return _measured(Done(media=media), reply)

    def recover(self, headers: Mapping[str, str]) -> Pending | None:
        """Asks the history for the audio, where the account keeps one."""
        entry = headers.get("history-item-id", "")
        return Pending(Request("GET", f"/v1/history/{entry}/audio")) if _VOICE.fullmatch(entry) else None


class ElevenLabsTranscription:
    """Transcription over `POST /v1/speech-to-text`, with the times of all words."""

    options: ClassVar[OptionTable] = {"language": Field("language_code", note="without its region")}

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call; sounds that are no words are not described, unless the provider options ask for it.

        Raises:
            ProviderRejected: the provider options ask for an answer of another form.
        """
        if name := next((name for name in _OTHER_ANSWERS if call.provider_options.get(name)), None):
            raise ProviderRejected(f"`{name}` gives no plain transcription.", hint=f"Remove `{name}`.")
        audio = media_in(call.media)
        body = {"model_id": call.model, "tag_audio_events": False, **_named_fields(self.options, call)}
        fields = form_fields(merged(body, call.provider_options))
        file = FormFile(f"audio.{extension(audio.media_type)}", audio.media_type, audio.data)
        return Request("POST", "/v1/speech-to-text", form={"file": file, **fields})

    def parse_reply(self, reply: Reply) -> Done:
        """The text, with the times of its words."""
        if not succeeded(reply):
            raise _error(reply)
        document = json_object_of(reply)
        said = document.get("words")
        words = [word for word in said if _is_word(word)] if isinstance(said, list) else []
        done = replace(transcription_result(reply), words=segments_in(words))
        seconds = counted({Unit.AUDIO_SECONDS: document.get("audio_duration_secs")})
        return _measured(replace(done, quantities={**done.quantities, **seconds}), reply)


def _is_word(word: object) -> bool:
    """Whether it is none of the spaces and noises that stand between the words."""
    return isinstance(word, dict) and word.get("type", "word") == "word"


def _named_fields(table: OptionTable, call: ProviderCall) -> dict[str, Any]:
    fields = fields_of(table, call.options)
    if "language_code" in fields:
        fields["language_code"] = primary_language(fields["language_code"])
    return fields


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _measured(done: Done, reply: Reply) -> Done:
    """The result with the credits it has cost, and the name by which ElevenLabs knows it."""
    credit = counted({Unit.PROVIDER_UNITS: reply.headers.get("character-cost")})
    name = clean_text(reply.headers.get("request-id", ""))
    return replace(
        done, quantities={**done.quantities, **credit}, usage={**done.usage, **({"request_id": name} if name else {})}
    )


def _error(reply: Reply) -> ProviderError:
    """The error by the name that ElevenLabs gives it, else by the status."""
    wait = wait_asked(reply)
    kind, hint = kind_for_status(reply.status, wait, own=is_own(reply)), hint_for_status(reply.status, _HINTS)
    if reply.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        kind, hint = next((_ERRORS[name] for name in _names(reply) if name in _ERRORS), (kind, hint))
    message = error_message(reply)
    text = f"The provider answered {reply.status}: {message}" if message else f"The provider answered {reply.status}."
    return kind(text, hint=hint, retry_after=wait)


def _names(reply: Reply) -> list[str]:
    """The names of an error, the most particular first: `code` in newer replies, `status` in older ones, and `type`."""
    document = json_of(reply)
    detail = document.get("detail") if isinstance(document, dict) else None
    fields: dict[str, Any] = detail if isinstance(detail, dict) else {}
    return [fields[name] for name in ("status", "code", "type") if isinstance(fields.get(name), str)]


def provider(settings: Settings) -> Provider:
    """The row of ElevenLabs."""
    key = settings.elevenlabs_api_key
    speech = ("eleven_multilingual_v2", "eleven_flash_v2_5", "eleven_v3")
    return Provider(
        name="elevenlabs",
        base_url=settings.elevenlabs_base_url.rstrip("/"),
        headers={"xi-api-key": key.get_secret_value().strip()} if key else {},
        missing="" if key else "ELEVENLABS_API_KEY is not set",
        key_variable="ELEVENLABS_API_KEY",
        list_prices=settings.is_default("elevenlabs_base_url"),
        check=Request("GET", "/v1/user"),
        services={
            "speech": Service(
                ElevenLabsSpeech(settings.elevenlabs_voice), models=speech, any_model=True, longest_text=_LONGEST_TEXT
            ),
            "transcription": Service(ElevenLabsTranscription(), models=("scribe_v1", "scribe_v2"), any_model=True),
        },
    )
