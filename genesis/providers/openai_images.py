"""Images over OpenAI's API: `POST /images/generations`, and `POST /images/edits` for an image in another style."""

from collections.abc import Mapping
from typing import Any

from genesis.capabilities.image import AspectRatio, Quality
from genesis.errors import ProviderRejected
from genesis.net.exchange import Reply, Request
from genesis.providers.base import Done, ProviderCall
from genesis.providers.openai_dialect import Dialect, media_body, media_form
from genesis.providers.openai_errors import read_result
from genesis.providers.openai_format import image_result
from genesis.providers.options import Field, OptionTable, fields_of
from genesis.providers.translation import image_size, media_in, prompt_in_style

_SIZES: Mapping[str, str] = {
    AspectRatio.SQUARE: "1024x1024",
    AspectRatio.PHOTO: "1536x1024",
    AspectRatio.PHOTO_PORTRAIT: "1024x1536",
    AspectRatio.LANDSCAPE: "1152x864",
    AspectRatio.PORTRAIT: "864x1152",
    AspectRatio.WIDE: "1536x864",
    AspectRatio.TALL: "864x1536",
}
"""The first three are those that all GPT image models have; from `gpt-image-2` on, any multiples of 16 are allowed."""
_STANDARD_RATIOS = (AspectRatio.SQUARE, AspectRatio.PHOTO, AspectRatio.PHOTO_PORTRAIT)
_STANDARD_SIZES_ONLY = ("gpt-image-1", "chatgpt-image-")
_QUALITIES: Mapping[str, str] = {Quality.DRAFT: "low", Quality.STANDARD: "medium", Quality.HIGH: "high"}

OPENAI_IMAGE_OPTIONS: OptionTable = {
    "style": Field("prompt", note="named in the prompt"),
    "aspect_ratio": Field("size", values=_SIZES, note="`gpt-image-1…` and `chatgpt-image-…`: 1:1, 3:2 and 2:3 only"),
    "quality": Field("quality", values=_QUALITIES),
    "format": Field("output_format"),
}
_PLAIN_SIZE = "as pixels of width and height; in OpenAI's own words for OpenAI's own models behind a proxy"
PLAIN_IMAGE_OPTIONS: OptionTable = {
    "style": Field("prompt", note="named in the prompt"),
    "aspect_ratio": Field("size", note=_PLAIN_SIZE),
    "quality": Field("size", note=_PLAIN_SIZE),
}
TRANSFORM_OPTIONS: OptionTable = {
    "style": Field("prompt", note="named in the prompt"),
    "prompt": Field("prompt"),
    "format": Field("output_format", note="by OpenAI's own models"),
}
_EDITABLE = ("image/png", "image/jpeg", "image/webp")


class OpenAIImage:
    """Images over `POST /images/generations`."""

    def __init__(self, dialect: Dialect) -> None:
        self.options = OPENAI_IMAGE_OPTIONS if dialect.is_openai else PLAIN_IMAGE_OPTIONS
        self._dialect = dialect

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call.

        Raises:
            ProviderRejected: the model has no such size, or the provider options ask for more than one image.
        """
        prompt = prompt_in_style(call.text, call.options.get("style"))
        is_openai_model = self._dialect.is_openai_model(call.model)
        size = _openai_size(call) if is_openai_model else _plain_size(call)
        body = media_body(call, {"model": call.model, "prompt": prompt, **size})
        return Request("POST", "/images/generations", json=body)

    def parse_reply(self, reply: Reply) -> Done:
        """The image, or where it is."""
        return read_result(reply, self._dialect.hints, image_result)


def _openai_size(call: ProviderCall) -> dict[str, Any]:
    ratio = call.options.get("aspect_ratio", AspectRatio.SQUARE)
    if call.model.rpartition("/")[2].startswith(_STANDARD_SIZES_ONLY) and ratio not in _STANDARD_RATIOS:
        raise ProviderRejected(
            f"{call.model} makes images of 1:1, 3:2 and 2:3 only.",
            hint="Choose another aspect_ratio, or a newer model in options.model.",
        )
    said = fields_of(OPENAI_IMAGE_OPTIONS, {"aspect_ratio": ratio, **call.options})
    return {name: said[name] for name in ("size", "quality", "output_format") if name in said}


def _plain_size(call: ProviderCall) -> dict[str, Any]:
    """As data in the reply, since a URL of a server of one's own leads to a private address."""
    width, height = image_size(call.options)
    return {"size": f"{width}x{height}", "response_format": "b64_json"}


class OpenAIImageTransform:
    """Image transformation over `POST /images/edits`."""

    options = TRANSFORM_OPTIONS

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call.

        Raises:
            ProviderRejected: nothing says what to change, or the image is of a type that OpenAI does not take.
        """
        image = media_in(call.media)
        is_openai_model = self._dialect.is_openai_model(call.model)
        if is_openai_model and image.media_type not in _EDITABLE:
            raise ProviderRejected(
                f"The provider cannot edit {image.media_type} images.", hint="Give it a PNG, JPEG or WebP image."
            )
        body = {"model": call.model, "prompt": _instruction(call.options)}
        if not is_openai_model:
            body["response_format"] = "b64_json"
        elif "format" in call.options:
            body["output_format"] = call.options["format"]
        return Request("POST", "/images/edits", form=media_form(call, body, "image", image))

    def parse_reply(self, reply: Reply) -> Done:
        """The image, or where it is."""
        return read_result(reply, self._dialect.hints, image_result)


def _instruction(options: Mapping[str, Any]) -> str:
    prompt, style = options.get("prompt"), options.get("style")
    if prompt:
        return prompt_in_style(prompt, style)
    if style:
        return f"Redraw this image in {style} style. Keep its subject and composition."
    raise ProviderRejected("The model must be told what to change.", hint="Set options.style or options.prompt.")
