"""The provider `local`: adapters for the offline server, which speaks the OpenAI wire format on the loopback address.

It is free and alike on each call, so that a call whose outcome is in doubt is simply made again.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, ClassVar

from genesis.domain.attempt import ProviderClass
from genesis.domain.money import Money
from genesis.errors import ProviderRejected, ProviderUnavailable
from genesis.net.exchange import FormFile, Reply, Request
from genesis.providers.base import Adapter, Chunk, Done, Media, Provider, ProviderCall, Service
from genesis.providers.local.models import LOCAL_MODELS, installed
from genesis.providers.openai_format import (
    CHAT_OPTIONS,
    chat_assembled,
    chat_body,
    chat_chunk,
    chat_event,
    chat_result,
    image_result,
    transcription_result,
)
from genesis.providers.options import Field, OptionTable, same_names
from genesis.providers.translation import (
    error_message,
    given,
    image_size,
    json_object_of,
    media_in,
    media_of,
    merged,
    message_in,
    raise_for_status,
    unreadable,
    wait_asked,
)

_BUSY_SECONDS = 1.0
_FREE = Money(0)
_LONGEST_TEXT = {"speech": 5_000}
"""Characters: on two cores they take half a minute and become 12 MB; ten times as many would be too much for a call."""
_LONGEST_AUDIO = {"transcription": 600.0}
"""Seconds, which two cores hear in about half a minute."""


class LocalText:
    """Text over `POST /v1/chat/completions`."""

    options = CHAT_OPTIONS

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call."""
        return Request("POST", "/v1/chat/completions", json=chat_body(call, max_tokens_field="max_tokens"))

    def parse_reply(self, reply: Reply) -> Done:
        """The text."""
        _raise_for_status(reply)
        return replace(chat_result(reply, json_object_of(reply)), cost=_FREE)

    def build_stream(self, call: ProviderCall) -> Request:
        """The request for a call whose answer is streamed."""
        return Request("POST", "/v1/chat/completions", json=chat_body(call, max_tokens_field="max_tokens", stream=True))

    def parse_chunk(self, event: bytes) -> Chunk:
        """A piece of the text; an error ends the stream."""
        document = chat_event(event)
        if document is not None and document.get("error"):
            raise ProviderUnavailable(f"The offline model failed: {message_in(document)}")
        return chat_chunk(document)

    def assemble(self, whole: Chunk) -> Done:
        """The text, whole."""
        return replace(chat_assembled(whole), cost=_FREE)


class LocalSpeech:
    """Speech over `POST /v1/audio/speech`, as a WAV file."""

    options: ClassVar[OptionTable] = {"language": Field(note="English only"), **same_names("voice speed")}

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call."""
        _english(call.options)
        body = {"model": call.model, "input": call.text, "response_format": "wav"}
        body |= given(call.options, "voice", "speed")
        return Request("POST", "/v1/audio/speech", json=merged(body, call.provider_options))

    def parse_reply(self, reply: Reply) -> Done:
        """The file."""
        _raise_for_status(reply)
        media = media_of(reply.body, "audio")
        if media is None:
            raise unreadable(reply)
        return Done(media=media, cost=_FREE)


class LocalTranscription:
    """Transcription over `POST /v1/audio/transcriptions`."""

    options: ClassVar[OptionTable] = {"language": Field("language", note="English only")}

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call."""
        fields = {"model": call.model, **_english(call.options)}
        return _form_request("/v1/audio/transcriptions", "file", media_in(call.media), fields, call.provider_options)

    def parse_reply(self, reply: Reply) -> Done:
        """The text."""
        _raise_for_status(reply)
        return replace(transcription_result(reply), cost=_FREE)


class LocalImage:
    """Images over `POST /v1/images/generations`."""

    options: ClassVar[OptionTable] = {
        "aspect_ratio": Field("size", note="as pixels, together with the quality"),
        **same_names("style quality negative_prompt seed"),
    }

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call."""
        width, height = image_size(call.options)
        body = {"model": call.model, "prompt": call.text, "size": f"{width}x{height}"}
        body |= given(call.options, "seed", "style", "quality", "negative_prompt")
        return Request("POST", "/v1/images/generations", json=merged(body, call.provider_options))

    def parse_reply(self, reply: Reply) -> Done:
        """The image."""
        _raise_for_status(reply)
        return replace(image_result(reply), cost=_FREE)


class LocalImageTransform:
    """Image transformation over `POST /v1/images/edits`."""

    options = same_names("style strength seed")

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call."""
        fields = {"model": call.model, **given(call.options, "style", "strength", "seed")}
        return _form_request("/v1/images/edits", "image", media_in(call.media), fields, call.provider_options)

    def parse_reply(self, reply: Reply) -> Done:
        """The image."""
        _raise_for_status(reply)
        return replace(image_result(reply), cost=_FREE)


def _english(options: Mapping[str, Any]) -> dict[str, str]:
    """The language as the models name it; they know English only."""
    language = options.get("language")
    if language is None:
        return {}
    if str(language).partition("-")[0] != "en":
        raise ProviderRejected(
            f"The offline models know English only, not {language!r}.",
            hint="Leave options.language out, or name a hosted model in options.model.",
        )
    return {"language": "en"}


def _form_request(
    url: str, file_field: str, media: Media, fields: Mapping[str, Any], provider_options: Mapping[str, Any]
) -> Request:
    form: dict[str, str | FormFile] = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in merged(fields, provider_options).items()
    }
    form[file_field] = FormFile(f"input.{media.media_type.rpartition('/')[2]}", media.media_type, media.data)
    return Request("POST", url, form=form)


def _raise_for_status(reply: Reply) -> None:
    """Every failure but a rejected request may be tried again: nothing is ever charged."""
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        wait = wait_asked(reply)
        busy = reply.status == HTTPStatus.SERVICE_UNAVAILABLE
        raise ProviderUnavailable(
            f"The offline server answered {reply.status}: {error_message(reply)}",
            retry_after=_BUSY_SECONDS if busy and wait is None else wait,
        )
    raise_for_status(reply)


_ADAPTERS: Mapping[str, Adapter] = {
    "text": LocalText(),
    "speech": LocalSpeech(),
    "transcription": LocalTranscription(),
    "image": LocalImage(),
    "image_transform": LocalImageTransform(),
}


def provider(capability: str) -> Provider:
    """The row of the offline provider for one capability; each has packages of its own.

    Its base URL is empty, since the server's port is known only when it runs.
    """
    return Provider(
        name="local",
        base_url="",
        missing="" if installed(capability) else "packages of requirements/offline.txt are not installed",
        provider_class=ProviderClass.REPEATABLE,
        services={
            name: Service(
                _ADAPTERS[name],
                (model,),
                longest_text=_LONGEST_TEXT.get(name),
                longest_audio_seconds=_LONGEST_AUDIO.get(name),
            )
            for name, model in LOCAL_MODELS.items()
        },
        slots=1,
    )
