"""How a server that speaks OpenAI's API is asked: as OpenAI itself, or in the plain way that all such servers know."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from genesis.errors import ProviderRejected
from genesis.net.exchange import FormFile
from genesis.net.media import extension
from genesis.providers.base import Media, ProviderCall
from genesis.providers.openai_format import form_fields, refuse_other_model
from genesis.providers.translation import merged

_OPENAIS_OWN = re.compile(r"(^|/)(gpt-(\d|image|audio|transcribe)|chatgpt-|o\d(-|$)|tts-1|dall-e-)", re.IGNORECASE)

Form = Mapping[str, str | tuple[str, ...] | FormFile]


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a server is told and what its errors hint at.

    Attributes:
        is_openai: whether the server is OpenAI's.
        thinks_aloud: whether thoughts of its models may stand before their answers.
        hints: by status, what to do about an error.
    """

    is_openai: bool
    hints: Mapping[int, str] = field(default_factory=dict)
    thinks_aloud: bool = False

    def is_openai_model(self, model: str) -> bool:
        """Whether a model is asked as OpenAI documents it: at OpenAI, or one of its own behind somebody's proxy."""
        return self.is_openai or _OPENAIS_OWN.search(model) is not None


def media_body(call: ProviderCall, body: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a request for one file or one transcription, with the provider options laid over it.

    Raises:
        ProviderRejected: the provider options ask for a stream, for more than one result or for another model.
    """
    refuse_other_model(call)
    whole = merged(body, call.provider_options)
    for name, only in (("stream", False), ("stream_format", "audio"), ("n", 1)):
        if whole.get(name, only) not in (only, None):
            raise ProviderRejected(
                f"A job makes one result at once, but provider_options say {name}.",
                hint=f"Remove `{name}` from provider_options.",
            )
    return whole


def media_form(call: ProviderCall, body: Mapping[str, Any], file_field: str, media: Media) -> Form:
    """The multipart form of a request that carries a file; servers tell its format by its name.

    Raises:
        ProviderRejected: as `media_body`.
    """
    file = FormFile(f"{file_field}.{extension(media.media_type)}", media.media_type, media.data)
    return {**form_fields(media_body(call, body)), file_field: file}
