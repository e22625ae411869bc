"""Hugging Face: image, transcription, speech and image transformation over its router and two of its partners.

A model is named as its partner names it, with the partner behind an `@`:

* `stabilityai/stable-diffusion-3-medium-diffusers@hf-inference`: Hugging Face's own servers, by the model's Hub name
* `fal-ai/flux/dev@fal-ai`: fal, by fal's own path of the model

The partner may be left out: images and transcriptions then go to `hf-inference`, speech and image transformations to
`fal-ai`, since `hf-inference` serves no models for them. What a partner serves changes often, so that the models below
are defaults and every other name is passed on. `IMAGE_MODEL_URL` names a dedicated endpoint instead, which speaks as
`hf-inference` does. Facts: huggingface_hub 2.4 (`inference/_providers`), fal's queue documentation. Nothing reports a
cost per request.
"""

import base64
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from genesis.errors import Misconfigured, ProviderAmbiguous, ProviderError, ProviderRejected, ProviderUnavailable
from genesis.net.exchange import Reply, Request
from genesis.providers.base import Done, Pending, Provider, ProviderCall, Service
from genesis.providers.openai_format import transcription_result
from genesis.providers.options import Field, OptionTable, same_names
from genesis.providers.translation import (
    data_url,
    error_for_status,
    error_message,
    given,
    image_size,
    json_object_of,
    json_of,
    media_in,
    media_of,
    media_of_base64,
    merged,
    message_in,
    prompt_in_style,
    succeeded,
    unreadable,
    wait_asked,
)
from genesis.settings import Settings

_MODEL_PATH = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)*", re.ASCII)
_QUEUE_PATH = re.compile(r"(/[\w-][\w.-]*)+", re.ASCII)
_NOT_SERVED = re.compile(r"not supported|unsupported|not found|unknown model|doesn't support|no longer", re.IGNORECASE)
_MODEL_IS_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_MAY_BE_THE_MODEL = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}
_LONGEST_LOADING_SECONDS = 60
_QUEUE = "?_subdomain=queue"
_POLL_SECONDS = 1.0
_UNDER_WAY = ("IN_QUEUE", "IN_PROGRESS")
_GIVEN_UP = ("FAILED", "ERROR", "CANCELLED", "CANCELED")
_RESULT_FIELDS = frozenset({"images", "image", "audio", "text"})

_HINTS = {
    401: "Check HUGGINGFACE_API_KEY.",
    402: "Add credit to the Hugging Face account.",
    403: 'Give HUGGINGFACE_API_KEY the permission "Make calls to Inference Providers".',
}
_OTHER_MODEL = "Name another model in options.model, for example `huggingface:fal-ai/flux/dev@fal-ai`"

_Build = Callable[[str, ProviderCall], Request]

_SIZE = "as pixels of width and height"
_IMAGE_OPTIONS: OptionTable = {
    "style": Field("prompt", note="named in the prompt"),
    "quality": Field(note=_SIZE),
    "aspect_ratio": Field(note=_SIZE),
    **same_names("negative_prompt seed"),
}
_TRANSFORM_OPTIONS: OptionTable = {"style": Field("prompt", note="named in the prompt"), **same_names("prompt seed")}


def _hf_inference_image(model: str, call: ProviderCall) -> Request:
    return _image_request(f"/hf-inference/models/{model}", call)


def _image_request(url: str, call: ProviderCall) -> Request:
    width, height = image_size(call.options)
    parameters: dict[str, Any] = {"width": width, "height": height}
    parameters |= given(call.options, "negative_prompt", "seed")
    body = {"inputs": prompt_in_style(call.text, call.options.get("style")), "parameters": parameters}
    return Request("POST", url, {"Accept": "image/png"}, json=merged(body, call.provider_options))


def _fal_image(model: str, call: ProviderCall) -> Request:
    width, height = image_size(call.options)
    body = {
        "prompt": prompt_in_style(call.text, call.options.get("style")),
        "image_size": {"width": width, "height": height},
        **given(call.options, "negative_prompt", "seed"),
    }
    return Request("POST", f"/fal-ai/{model}", json=merged(body, call.provider_options))


def _hf_inference_transcription(model: str, call: ProviderCall) -> Request:
    """The raw file, which all servers understand; parameters need the JSON form, which some do not."""
    audio = media_in(call.media)
    url = f"/hf-inference/models/{model}"
    if not call.provider_options:
        return Request("POST", url, {"Content-Type": audio.media_type}, data=audio.data)
    body = {"inputs": base64.b64encode(audio.data).decode("ascii"), "parameters": {}}
    return Request("POST", url, json=merged(body, call.provider_options))


def _fal_transcription(model: str, call: ProviderCall) -> Request:
    body = {"audio_url": data_url(media_in(call.media))}
    return Request("POST", f"/fal-ai/{model}", json=merged(body, call.provider_options))


def _fal_speech(model: str, call: ProviderCall) -> Request:
    body = {"text": call.text, **given(call.options, "voice", "speed")}
    return Request("POST", f"/fal-ai/{model}", json=merged(body, call.provider_options))


def _fal_image_transform(model: str, call: ProviderCall) -> Request:
    """Both fields for the image, since fal's models name it either way."""
    image = data_url(media_in(call.media))
    body = {
        "image_url": image,
        "image_urls": [image],
        "prompt": _transform_prompt(call.options),
        **given(call.options, "seed"),
    }
    return Request("POST", f"/fal-ai/{model}{_QUEUE}", json=merged(body, call.provider_options))


def _transform_prompt(options: Mapping[str, Any]) -> str:
    prompt, style = options.get("prompt"), options.get("style")
    if prompt:
        return prompt_in_style(prompt, style)
    if style:
        return f"Redraw this image in {style} style. Keep its subject and composition."
    raise ProviderRejected("The model must be told what to change.", hint="Set options.style or options.prompt.")


class HuggingFaceAdapter:
    """One capability over the router.

    Args:
        options: how the capability's options are said.
        partners: how to ask each partner, the one for models without a partner first.
        media_kind: `image` or `audio`; empty where the result is text.
        endpoint: a dedicated endpoint's URL, by which calls name it as their model.
    """

    def __init__(
        self, options: OptionTable, partners: Mapping[str, _Build], *, media_kind: str = "", endpoint: str | None = None
    ) -> None:
        self.options = options
        self._partners = partners
        self._media_kind = media_kind
        self._endpoint = endpoint

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call.

        Raises:
            ProviderRejected: the model's name is none, or its partner is not known here.
        """
        if self._endpoint and call.model == self._endpoint:
            return _image_request(self._endpoint, call)
        model, marked, partner = call.model.rpartition("@")
        if not marked:
            model, partner = call.model, next(iter(self._partners))
        build = self._partners.get(partner)
        if build is None:
            known = ", ".join(f"`model@{name}`" for name in self._partners)
            raise ProviderRejected(f"Models at {partner!r} cannot be asked for this.", hint=f"Write {known}.")
        if not _MODEL_PATH.fullmatch(model):
            raise ProviderRejected(f"{model!r} is not a model's name.", hint=_OTHER_MODEL + ".")
        return build(model, call)

    def parse_reply(self, reply: Reply) -> Done | Pending:
        """The result: the file itself, or where it is, or the text, or where to ask next."""
        if not succeeded(reply):
            raise self._error(reply)
        media = media_of(reply.body, self._media_kind) if self._media_kind else None
        if media:
            return Done(media=media)
        document = json_object_of(reply)
        if _is_queued(document):
            return _next_poll(reply, document)
        if document.get("error"):
            raise ProviderAmbiguous(f"The provider answered {reply.status} with an error: {message_in(document)}")
        return self._file(reply, document) if self._media_kind else transcription_result(reply)

    def _file(self, reply: Reply, document: Mapping[str, Any]) -> Done:
        files = document.get("images")
        file = files[0] if isinstance(files, list) and files else document.get(self._media_kind)
        url = file.get("url") if isinstance(file, dict) else None
        if isinstance(url, str) and url.startswith(("https://", "http://")):
            return Done(media_url=url)
        media = media_of_base64(url, self._media_kind)
        if media is None:
            raise unreadable(reply)
        return Done(media=media)

    def _error(self, reply: Reply) -> ProviderError:
        message = error_message(reply)
        document = json_of(reply)
        loading = document.get("estimated_time") if isinstance(document, dict) else None
        if reply.status == HTTPStatus.SERVICE_UNAVAILABLE and isinstance(loading, int | Decimal):
            wait = wait_asked(reply, loading)
            return ProviderUnavailable(
                f"The provider answered 503: {message}",
                retry_after=None if wait is None else min(wait, _LONGEST_LOADING_SECONDS),
            )
        hints = dict(_HINTS)
        if reply.status in _MODEL_IS_GONE or (reply.status in _MAY_BE_THE_MODEL and _NOT_SERVED.search(message)):
            hints[reply.status] = self._other_model
        return error_for_status(reply.status, message, retry_after=wait_asked(reply), hints=hints)

    @property
    def _other_model(self) -> str:
        if "hf-inference" not in self._partners or not self._media_kind:
            return "Name another model in options.model."
        return (
            f"{_OTHER_MODEL}, or set IMAGE_MODEL_URL to an endpoint that serves it "
            "(https://router.huggingface.co/hf-inference/models/… or a dedicated one)."
        )


def _is_queued(document: Mapping[str, Any]) -> bool:
    """Whether a reply tells how a queued request is doing, and not its result."""
    tells = "response_url" in document or isinstance(document.get("status"), str)
    return tells and _RESULT_FIELDS.isdisjoint(document)


def _next_poll(reply: Reply, queued: Mapping[str, Any]) -> Pending:
    """Where to ask next: the status until it is complete, then the result.

    Only the path of the provider's URL is used, below the router's own: the key never leaves the router.

    Raises:
        ProviderRejected: the request was given up after the queue had taken it; sent again, it could be charged twice.
        ProviderAmbiguous: nobody knows where it stands.
    """
    status = queued.get("status")
    failed = status == "COMPLETED" and (queued.get("error") or queued.get("error_type"))
    if failed or status in _GIVEN_UP:
        reason = message_in(queued) or message_in(queued.get("error_type")) or status
        raise ProviderRejected(f"The provider gave the request up: {reason}")
    if status != "COMPLETED" and status not in _UNDER_WAY:
        raise ProviderAmbiguous(f"The provider says of the queued request: {message_in(status) or 'nothing'}.")
    path = _path(queued.get("response_url"))
    if not _QUEUE_PATH.fullmatch(path):
        raise unreadable(reply)
    if status == "COMPLETED":
        return Pending(Request("GET", f"/fal-ai{path}{_QUEUE}"), wait_seconds=0)
    return Pending(Request("GET", f"/fal-ai{path}/status{_QUEUE}"), wait_seconds=_POLL_SECONDS)


def _path(url: object) -> str:
    try:
        return urlsplit(url).path if isinstance(url, str) else ""
    except ValueError:
        return ""


def provider(settings: Settings) -> Provider:
    """The row of Hugging Face.

    Raises:
        Misconfigured: IMAGE_MODEL_URL is not a URL.
    """
    endpoint = settings.image_model_url
    if endpoint and not endpoint.startswith(("https://", "http://")):
        raise Misconfigured("IMAGE_MODEL_URL is not a URL.", hint="Start it with https://, or unset it.")
    key = settings.huggingface_api_key
    return Provider(
        name="huggingface",
        base_url=settings.huggingface_base_url.rstrip("/"),
        headers={"Authorization": f"Bearer {key.get_secret_value().strip()}"} if key else {},
        missing="" if key else "HUGGINGFACE_API_KEY is not set",
        services=_services(endpoint),
        own_urls=frozenset({endpoint} if endpoint else ()),
    )


def _services(endpoint: str | None) -> dict[str, Service]:
    image = HuggingFaceAdapter(
        _IMAGE_OPTIONS,
        {"hf-inference": _hf_inference_image, "fal-ai": _fal_image},
        media_kind="image",
        endpoint=endpoint,
    )
    transcription = HuggingFaceAdapter({}, {"hf-inference": _hf_inference_transcription, "fal-ai": _fal_transcription})
    speech = HuggingFaceAdapter(same_names("voice speed"), {"fal-ai": _fal_speech}, media_kind="audio")
    transform = HuggingFaceAdapter(_TRANSFORM_OPTIONS, {"fal-ai": _fal_image_transform}, media_kind="image")
    images = ("stabilityai/stable-diffusion-3-medium-diffusers", "black-forest-labs/FLUX.1-schnell")
    return {
        "image": _service(image, *((endpoint,) if endpoint else ()), *images, "fal-ai/flux/dev@fal-ai"),
        "transcription": _service(transcription, "openai/whisper-large-v3", "fal-ai/whisper@fal-ai"),
        "speech": _service(speech, "fal-ai/kokoro/american-english", "fal-ai/dia-tts"),
        "image_transform": _service(transform, "fal-ai/flux-2/klein/9b/edit", "fal-ai/qwen-image-edit-plus"),
    }


def _service(adapter: HuggingFaceAdapter, *models: str) -> Service:
    return Service(adapter, models=models, any_model=True)
