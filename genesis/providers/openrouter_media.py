"""OpenRouter's images, speech and transcriptions, each at an endpoint of its own, https://openrouter.ai/docs.

Facts: the components of the official SDK; the guides to image generation, text-to-speech and speech-to-text. Images and
transcriptions report their cost; that of speech is told by the record of its generation only.
"""

import base64
from collections.abc import Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any, ClassVar

from genesis.domain.quantity import Unit
from genesis.errors import ProviderRejected
from genesis.net.exchange import Reply, Request
from genesis.net.media import extension
from genesis.providers.audio import audio_of
from genesis.providers.base import Done, ProviderCall
from genesis.providers.openai_format import quantities_of, refuse_other_model, transcription_result
from genesis.providers.openrouter_errors import answer_of
from genesis.providers.openrouter_generation import Recorded, cost_request
from genesis.providers.options import Field, OptionTable, fields_of, same_names
from genesis.providers.queues import edit_prompt, primary_language
from genesis.providers.translation import (
    data_url,
    left_out,
    media_in,
    media_of_base64,
    merged,
    prompt_in_style,
    reported_cost,
    succeeded,
    unreadable,
    usage_of,
)

_STYLE = Field(note="named in the prompt")
_FAILED_IMAGES_ARE_FREE = frozenset({HTTPStatus.BAD_GATEWAY})
"""Images are charged all or nothing, and a failed generation is a 502."""
_VOICES = {"openai/": "alloy", "hexgrad/kokoro": "af_heart"}
"""A voice of those makers' models that have none of their own accord, by the beginning of the model's name."""
_TELLS_TIMES = "whisper"
"""Models with this in their name take `verbose_json`; others refuse the whole request for it."""


class OpenRouterImage(Recorded):
    """Images over `POST /images`, which answers with base64 only."""

    options: ClassVar[OptionTable] = {
        "style": _STYLE,
        "quality": Field(
            "quality",
            {"draft": "low", "standard": "medium", "high": "high"},
            note="models without qualities ignore it; `resolution` (512 to 4K) is for provider_options",
        ),
        "format": Field("output_format"),
        **same_names("aspect_ratio seed"),
    }

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call.

        Raises:
            ProviderRejected: the provider options ask for a stream.
        """
        prompt = prompt_in_style(call.text, call.options.get("style"))
        return _image_request(call, {"prompt": prompt, **fields_of(self.options, call.options)})

    def parse_reply(self, reply: Reply) -> Done:
        """The first image; a failed one is not charged."""
        return _image(reply)


class OpenRouterImageTransform(Recorded):
    """Images made out of another one, over `POST /images` with an input reference."""

    options: ClassVar[OptionTable] = {
        "style": _STYLE,
        "format": Field("output_format"),
        **same_names("prompt seed"),
    }

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call.

        Raises:
            ProviderRejected: nothing is said about what to change, or the provider options ask for a stream.
        """
        reference = {"type": "image_url", "image_url": {"url": data_url(media_in(call.media))}}
        fields = {**fields_of(self.options, call.options), "prompt": edit_prompt(call.options)}
        return _image_request(call, {**fields, "input_references": [reference]})

    def parse_reply(self, reply: Reply) -> Done:
        """The first image; a failed one is not charged."""
        return _image(reply)


class OpenRouterSpeech(Recorded):
    """Speech over `POST /audio/speech`, which knows MP3 and headerless PCM; its cost is asked for afterwards."""

    options: ClassVar[OptionTable] = {
        "format": Field("response_format", {"mp3": "mp3", "wav": "pcm"}, note="a WAV file is made of its PCM here"),
        **same_names("voice speed"),
    }

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call; MP3, unless a WAV file is wanted or the provider options say otherwise.

        Raises:
            ProviderRejected: the provider options name another model.
        """
        voice = next((voice for name, voice in _VOICES.items() if call.model.startswith(name)), None)
        body = {
            "model": call.model,
            "input": call.text,
            "response_format": "mp3",
            **({"voice": voice} if voice else {}),
        }
        body |= fields_of(self.options, call.options)
        return Request("POST", "/audio/speech", json=_merged(body, call))

    def parse_reply(self, reply: Reply) -> Done:
        """The audio; PCM as a WAV file."""
        media = audio_of(reply) if succeeded(reply) else None
        if media is None:
            answer_of(reply)
            raise unreadable(reply)
        return Done(media=media, cost_request=cost_request(reply.headers))


class OpenRouterTranscription(Recorded):
    """Transcriptions over `POST /audio/transcriptions`, with the times of their segments where the model has them."""

    options: ClassVar[OptionTable] = {
        "language": Field(note="as `language`, without its region"),
        "timestamps": Field(note="as `timestamp_granularities`, at Whisper models"),
    }

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call.

        Raises:
            ProviderRejected: the provider options name another model.
        """
        audio = media_in(call.media)
        data = base64.b64encode(audio.data).decode("ascii")
        body: dict[str, Any] = {
            "model": call.model,
            "input_audio": {"data": data, "format": extension(audio.media_type)},
        }
        if language := call.options.get("language"):
            body["language"] = primary_language(language)
        if _TELLS_TIMES in call.model:
            body["response_format"] = "verbose_json"
            if call.options.get("timestamps") == "word":
                body["timestamp_granularities"] = ["segment", "word"]
        return Request("POST", "/audio/transcriptions", json=_merged(body, call))

    def parse_reply(self, reply: Reply) -> Done:
        """The text, and its times."""
        answer_of(reply)
        return transcription_result(reply)


def _merged(body: Mapping[str, Any], call: ProviderCall) -> dict[str, Any]:
    refuse_other_model(call)
    return merged(body, call.provider_options)


def _image_request(call: ProviderCall, fields: Mapping[str, Any]) -> Request:
    body = _merged({"model": call.model, **fields}, call)
    if body.get("stream"):
        raise ProviderRejected("Whether to stream is not for options.", hint="Remove `stream` from provider_options.")
    return Request("POST", "/images", json=body)


def _image(reply: Reply) -> Done:
    document = answer_of(reply, unbilled=_FAILED_IMAGES_ARE_FREE)
    data = document.get("data")
    files = data if isinstance(data, list) else []
    first = files[0] if files else None
    media = media_of_base64(first.get("b64_json"), "image") if isinstance(first, dict) else None
    if media is None:
        raise unreadable(reply)
    usage = document.get("usage")
    return Done(
        media=media,
        cost=(cost := reported_cost(document)),
        cost_request=cost_request(reply.headers) if cost is None else None,
        usage=usage_of(usage),
        quantities={Unit.IMAGES: Decimal(len(files))} | quantities_of(usage),
        warnings=left_out(len(files)),
    )
