"""How each partner behind Hugging Face's router is asked: tables by capability, with what it can be told.

The requests are those of huggingface_hub 2.4.0 (`inference/_providers`), the SDK that the partners test against, and the
partners' own documentation for fields that the SDK hands on as they are. Where models of one partner name a field in two
ways, both are sent, as the SDK does.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from genesis.net.exchange import FormFile, Request
from genesis.net.media import extension
from genesis.providers.base import ProviderCall
from genesis.providers.openai_format import form_fields
from genesis.providers.options import Field, OptionTable, same_names
from genesis.providers.queues import edit_prompt, primary_language
from genesis.providers.translation import data_url, given, image_size, media_in, merged, prompt_in_style

QUEUE = "?_subdomain=queue"
"""Leads the router to fal's queue."""

_ZAI_HEADERS = {"Accept-Language": "en-US,en", "x-source-channel": "hugging_face"}


@dataclass(frozen=True, slots=True)
class Partner:
    """How one partner is asked for one capability.

    Attributes:
        build: the request for a call of a model, by the partner's own name of it.
        options: what the partner can be told.
    """

    build: Callable[[str, ProviderCall], Request]
    options: OptionTable


def image_request(url: str, call: ProviderCall) -> Request:
    """The request for an image that `hf-inference` and dedicated endpoints take."""
    parameters = {**_pixels(call), **given(call.options, "negative_prompt", "seed")}
    body = {"inputs": _prompt(call), "parameters": parameters}
    return Request("POST", url, {"Accept": "image/png"}, json=merged(body, call.provider_options))


def _prompt(call: ProviderCall) -> str:
    return prompt_in_style(call.text, call.options.get("style"))


def _pixels(call: ProviderCall) -> dict[str, int]:
    width, height = image_size(call.options)
    return {"width": width, "height": height}


def _written_size(call: ProviderCall, times: str) -> str:
    width, height = image_size(call.options)
    return f"{width}{times}{height}"


def _post(url: str, body: Mapping[str, Any], call: ProviderCall) -> Request:
    return Request("POST", url, json=merged(body, call.provider_options))


def _hf_inference_image(model: str, call: ProviderCall) -> Request:
    return image_request(f"/hf-inference/models/{model}", call)


def _fal_image(model: str, call: ProviderCall) -> Request:
    body = {"prompt": _prompt(call), "image_size": _pixels(call), **given(call.options, "negative_prompt", "seed")}
    return _post(f"/fal-ai/{model}", body, call)


def _replicate(model: str, fields: Mapping[str, Any], call: ProviderCall) -> Request:
    """A prediction, waited for as long as the partner lets us: a minute. A version of a model stands behind a `:`."""
    name, _, version = model.partition(":")
    url = "/replicate/v1/predictions" if version else f"/replicate/v1/models/{name}/predictions"
    body = {"input": fields, **({"version": version} if version else {})}
    return Request("POST", url, {"Prefer": "wait"}, json=merged(body, call.provider_options))


def _replicate_image(model: str, call: ProviderCall) -> Request:
    options = given(call.options, "aspect_ratio", "negative_prompt", "seed")
    return _replicate(model, {"prompt": _prompt(call), **_pixels(call), **options}, call)


def _together_image(model: str, call: ProviderCall) -> Request:
    body = {
        "prompt": _prompt(call),
        "response_format": "base64",
        **_pixels(call),
        **given(call.options, "negative_prompt", "seed"),
        "model": model,
    }
    return _post("/together/v1/images/generations", body, call)


def _nscale_image(model: str, call: ProviderCall) -> Request:
    body = {"response_format": "b64_json", "prompt": _prompt(call), "model": model, "size": _written_size(call, "x")}
    return _post("/nscale/v1/images/generations", body, call)


def _wavespeed_image(model: str, call: ProviderCall) -> Request:
    body = {"prompt": _prompt(call), "size": _written_size(call, "*"), **_pixels(call), **given(call.options, "seed")}
    return _post(f"/wavespeed/api/v3/{model}", body, call)


def _zai_image(model: str, call: ProviderCall) -> Request:
    body = {"model": model, "prompt": _prompt(call), "size": _written_size(call, "x")}
    url = "/zai-org/api/paas/v4/async/images/generations"
    return Request("POST", url, _ZAI_HEADERS, json=merged(body, call.provider_options))


def _hf_inference_transcription(model: str, call: ProviderCall) -> Request:
    """The raw file, which all servers understand; parameters need the JSON form, which some do not."""
    audio = media_in(call.media)
    url = f"/hf-inference/models/{model}"
    if not call.provider_options:
        return Request("POST", url, {"Content-Type": audio.media_type}, data=audio.data)
    return _post(url, {"inputs": base64.b64encode(audio.data).decode("ascii"), "parameters": {}}, call)


def _fal_transcription(model: str, call: ProviderCall) -> Request:
    return _post(f"/fal-ai/{model}", {"audio_url": data_url(media_in(call.media)), **_language(call)}, call)


def _replicate_transcription(model: str, call: ProviderCall) -> Request:
    return _replicate(model, {"audio": data_url(media_in(call.media))}, call)


def _deepinfra_transcription(model: str, call: ProviderCall) -> Request:
    audio = media_in(call.media)
    fields = form_fields(merged({"model": model, **_language(call)}, call.provider_options))
    file = FormFile(f"audio.{extension(audio.media_type)}", audio.media_type, audio.data)
    return Request("POST", "/deepinfra/v1/openai/audio/transcriptions", form={"file": file, **fields})


def _language(call: ProviderCall) -> dict[str, str]:
    tag = call.options.get("language")
    return {"language": primary_language(tag)} if tag else {}


def _fal_speech(model: str, call: ProviderCall) -> Request:
    names_it_prompt = model.startswith("fal-ai/kokoro/") and not model.endswith("/american-english")
    text = {"prompt" if names_it_prompt else "text": call.text}
    return _post(f"/fal-ai/{model}", {**text, **given(call.options, "voice", "speed")}, call)


def _replicate_speech(model: str, call: ProviderCall) -> Request:
    return _replicate(model, {"text": call.text, **given(call.options, "voice", "speed")}, call)


def _together_speech(model: str, call: ProviderCall) -> Request:
    body = {"input": call.text, "model": model, **given(call.options, "voice")}
    return _post("/together/v1/audio/speech", body, call)


def _deepinfra_speech(model: str, call: ProviderCall) -> Request:
    body = {"input": call.text, "model": model, **given(call.options, "voice", "speed")}
    return _post("/deepinfra/v1/openai/audio/speech", body, call)


def _edit(call: ProviderCall) -> dict[str, Any]:
    return {"prompt": edit_prompt(call.options), **given(call.options, "seed")}


def _fal_image_transform(model: str, call: ProviderCall) -> Request:
    image = data_url(media_in(call.media))
    return _post(f"/fal-ai/{model}{QUEUE}", {"image_url": image, "image_urls": [image], **_edit(call)}, call)


def _replicate_image_transform(model: str, call: ProviderCall) -> Request:
    image = data_url(media_in(call.media))
    named = {"image": image, "images": [image], "input_image": image, "input_images": [image]}
    return _replicate(model, {**named, **_edit(call)}, call)


def _together_image_transform(model: str, call: ProviderCall) -> Request:
    """FLUX.1 Kontext takes `image_url`, all other models take `reference_images`."""
    image = data_url(media_in(call.media))
    is_kontext = "kontext" in model.lower() and "flux.1" in model.lower()
    source = {"image_url": image} if is_kontext else {"reference_images": [image]}
    body = {**source, "response_format": "base64", **_edit(call), "model": model}
    return _post("/together/v1/images/generations", body, call)


def _wavespeed_image_transform(model: str, call: ProviderCall) -> Request:
    """Both fields for the image, since the partner's models name it either way."""
    image = data_url(media_in(call.media))
    return _post(f"/wavespeed/api/v3/{model}", {"image": image, "images": [image], **_edit(call)}, call)


_LOOK: OptionTable = {
    "style": Field("prompt", note="named in the prompt"),
    "quality": Field(note="as pixels of width and height"),
    "aspect_ratio": Field(note="as pixels of width and height"),
}
_FULL_LOOK: OptionTable = {**_LOOK, **same_names("negative_prompt seed")}
_CHANGE: OptionTable = {"style": Field("prompt", note="named in the prompt"), **same_names("prompt seed")}
_LANGUAGE: OptionTable = {"language": Field("language", note="without its region")}
_VOICE_AND_SPEED = same_names("voice speed")

IMAGE: Mapping[str, Partner] = {
    "hf-inference": Partner(_hf_inference_image, _FULL_LOOK),
    "fal-ai": Partner(_fal_image, _FULL_LOOK),
    "replicate": Partner(_replicate_image, _FULL_LOOK),
    "together": Partner(_together_image, _FULL_LOOK),
    "nscale": Partner(_nscale_image, _LOOK),
    "wavespeed": Partner(_wavespeed_image, {**_LOOK, **same_names("seed")}),
    "zai-org": Partner(_zai_image, _LOOK),
}
TRANSCRIPTION: Mapping[str, Partner] = {
    "hf-inference": Partner(_hf_inference_transcription, {}),
    "fal-ai": Partner(_fal_transcription, _LANGUAGE),
    "replicate": Partner(_replicate_transcription, {}),
    "deepinfra": Partner(_deepinfra_transcription, _LANGUAGE),
}
SPEECH: Mapping[str, Partner] = {
    "fal-ai": Partner(_fal_speech, _VOICE_AND_SPEED),
    "replicate": Partner(_replicate_speech, _VOICE_AND_SPEED),
    "together": Partner(_together_speech, same_names("voice")),
    "deepinfra": Partner(_deepinfra_speech, _VOICE_AND_SPEED),
}
IMAGE_TRANSFORM: Mapping[str, Partner] = {
    "fal-ai": Partner(_fal_image_transform, _CHANGE),
    "replicate": Partner(_replicate_image_transform, _CHANGE),
    "together": Partner(_together_image_transform, _CHANGE),
    "wavespeed": Partner(_wavespeed_image_transform, _CHANGE),
}
