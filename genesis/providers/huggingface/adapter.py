"""Hugging Face's adapters: text as an OpenAI-compatible chat, and media through the partners.

A model is named as its partner names it, with the partner behind an `@`: `black-forest-labs/flux-schnell@replicate`.
Without one the first partner of the table is asked. Text models are named as on the Hub, and the router chooses the
partner, or is told one behind a `:` (`openai/gpt-oss-120b:groq`). Facts: the router's documentation, huggingface_hub
2.4.0 and the errors it knows. Nothing reports a cost per request.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from http import HTTPStatus
from typing import ClassVar

from genesis.errors import ModelLoading, ModelUnavailable, ProviderAmbiguous, ProviderError, ProviderRejected
from genesis.net.exchange import Reply, Request
from genesis.providers.base import Chunk, Done, Pending, ProviderCall
from genesis.providers.huggingface.partners import Partner, image_request
from genesis.providers.huggingface.replies import result_of
from genesis.providers.openai_format import (
    CHAT_OPTIONS,
    chat_assembled,
    chat_body,
    chat_chunk,
    chat_event,
    chat_result,
)
from genesis.providers.options import Field, OptionTable
from genesis.providers.thoughts import without_thoughts
from genesis.providers.translation import (
    error_for_status,
    error_message,
    json_object_of,
    json_of,
    message_in,
    succeeded,
    wait_asked,
)

_MODEL = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)*(:\w+)?", re.ASCII)
_NOT_SERVED = re.compile(r"not supported|unsupported|not found|unknown model|doesn't support|no longer", re.IGNORECASE)
_IS_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_MAY_BE_THE_MODEL = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}
_LONGEST_LOADING_SECONDS = 60

_HINTS = {
    401: "Check HUGGINGFACE_API_KEY; `genesis-server check` tries it.",
    402: "Add credit to the Hugging Face account.",
    403: 'Give HUGGINGFACE_API_KEY the permission "Make calls to Inference Providers".',
}
_OTHER_MODEL = "Name another model in options.model."
_OTHER_IMAGE_MODEL = (
    "Name another model in options.model, for example `huggingface:fal-ai/flux/dev@fal-ai`, or set IMAGE_MODEL_URL to "
    "an endpoint that serves it (https://router.huggingface.co/hf-inference/models/… or a dedicated one)."
)
_OTHER_TEXT_MODEL = (
    "Name another model in options.model, or allow a partner that serves it at "
    "https://huggingface.co/settings/inference-providers."
)


class HuggingFaceText:
    """Text over the router's `POST /v1/chat/completions`."""

    options: ClassVar[OptionTable] = {**CHAT_OPTIONS, "max_tokens": Field("max_tokens")}
    thinks_aloud = True

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call."""
        return Request("POST", "/v1/chat/completions", json=chat_body(call, max_tokens_field="max_tokens"))

    def parse_reply(self, reply: Reply) -> Done:
        """The answer."""
        if not succeeded(reply):
            raise _error(reply, _OTHER_TEXT_MODEL)
        document = json_object_of(reply)
        _raise_error_in(document)
        return _as_asked(chat_result(reply, document))

    def build_stream(self, call: ProviderCall) -> Request:
        """The request for a call whose answer is streamed; its last chunk is to count the tokens."""
        body = chat_body(call, max_tokens_field="max_tokens", stream=True)
        return Request("POST", "/v1/chat/completions", json={"stream_options": {"include_usage": True}, **body})

    def parse_chunk(self, event: bytes) -> Chunk:
        """A piece of the answer; an error ends the stream."""
        document = chat_event(event)
        _raise_error_in(document or {})
        return chat_chunk(document)

    def assemble(self, whole: Chunk) -> Done:
        """The answer, whole."""
        return _as_asked(chat_assembled(whole))


def _as_asked(done: Done) -> Done:
    """The answer alone, under the name that the model was asked by: the reply names it as its partner does."""
    return replace(without_thoughts(done), model=None)


def _raise_error_in(document: Mapping[str, object]) -> None:
    """Does nothing for an answer; an error behind a status of success does not say what was done before it."""
    if document.get("error") and not document.get("choices"):
        raise ProviderAmbiguous(f"The provider failed in the middle of its work: {message_in(document) or 'no reason'}")


class HuggingFaceMedia:
    """One capability over the router's partners.

    Args:
        partners: how to ask each, the one for models without a partner first.
        kind: `image` or `audio`; empty where the result is text.
        endpoint: a dedicated endpoint's URL, by which calls name it as their model.
    """

    def __init__(self, partners: Mapping[str, Partner], *, kind: str = "", endpoint: str | None = None) -> None:
        self._partners = partners
        self._kind = kind
        self._endpoint = endpoint
        self.options = _options_of_all(partners)

    def options_of(self, model: str) -> OptionTable:
        """How a model's partner is told the options; unknown partners are refused with the call."""
        if model == self._endpoint:
            return next(iter(self._partners.values())).options
        partner = self._partners.get(self._named(model)[1])
        return partner.options if partner else {}

    def _named(self, model: str) -> tuple[str, str]:
        """A model's name at its partner, and the partner."""
        name, marked, partner = model.rpartition("@")
        return (name, partner) if marked else (model, next(iter(self._partners)))

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call.

        Raises:
            ProviderRejected: the model's name is none, or its partner is not known here.
        """
        if self._endpoint and call.model == self._endpoint:
            return image_request(self._endpoint, call)
        model, name = self._named(call.model)
        partner = self._partners.get(name)
        if partner is None:
            known = ", ".join(f"`model@{known}`" for known in self._partners)
            raise ProviderRejected(f"Models at {name!r} cannot be asked for this.", hint=f"Write {known}.")
        if not _MODEL.fullmatch(model):
            raise ProviderRejected(f"{model!r} is not a model's name.", hint=self._other_model)
        return partner.build(model, call)

    def parse_reply(self, reply: Reply) -> Done | Pending:
        """The result: the file itself, or where it is, or the text, or where to ask next."""
        if not succeeded(reply):
            raise _error(reply, self._other_model)
        return result_of(reply, self._kind)

    def parse_poll(self, poll: Request, reply: Reply) -> Done | Pending:
        """As `parse_reply`; a request that is not known any more may have been carried out."""
        if reply.status in _IS_GONE:
            raise ProviderAmbiguous(f"The provider does not know the queued request any more: {error_message(reply)}")
        if not succeeded(reply):
            error = _error(reply, _OTHER_MODEL)
            # Another model is for those that were not asked for anything yet.
            raise ProviderRejected(error.message) if isinstance(error, ModelUnavailable) else error
        return result_of(reply, self._kind, poll)

    @property
    def _other_model(self) -> str:
        return _OTHER_IMAGE_MODEL if self._kind == "image" and "hf-inference" in self._partners else _OTHER_MODEL


def _options_of_all(partners: Mapping[str, Partner]) -> OptionTable:
    """The options of all partners; those that only some can be told say which."""
    table: dict[str, Field] = {}
    for option in dict.fromkeys(name for partner in partners.values() for name in partner.options):
        able = {name: partner.options[option] for name, partner in partners.items() if option in partner.options}
        field = next(iter(able.values()))
        some = "" if len(able) == len(partners) else f"only at {', '.join(able)}"
        table[option] = replace(field, note="; ".join(part for part in (field.note, some) if part))
    return table


def _error(reply: Reply, other_model: str) -> ProviderError:
    """The error of a reply that is none of success.

    Args:
        other_model: what to do about a model that is not served.
    """
    message = error_message(reply)
    document = json_of(reply)
    loading = document.get("estimated_time") if isinstance(document, dict) else None
    if reply.status == HTTPStatus.SERVICE_UNAVAILABLE and isinstance(loading, int | Decimal):
        wait = wait_asked(reply, loading)
        return ModelLoading(
            f"The provider answered 503: {message}",
            retry_after=None if wait is None else min(wait, _LONGEST_LOADING_SECONDS),
        )
    hints, kind = dict(_HINTS), None
    if reply.status in _IS_GONE or (reply.status in _MAY_BE_THE_MODEL and _NOT_SERVED.search(message)):
        hints[reply.status], kind = other_model, ModelUnavailable
    return error_for_status(reply, message, retry_after=wait_asked(reply), hints=hints, kind=kind)
