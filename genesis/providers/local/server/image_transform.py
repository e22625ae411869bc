"""Image transformation by neural style transfer: a network of Magenta's that knows 26 styles."""

from typing import Annotated, Any

import numpy as np
from PIL import Image
from pydantic import Field, StringConstraints

from genesis.providers.local.models import DEFAULT_STYLE, MULTISTYLE, STYLE_ALIASES, STYLES, style_index
from genesis.providers.local.server.errors import RequestError
from genesis.providers.local.server.form import read_form
from genesis.providers.local.server.generation import Answer, Body, RequestModel, read_fields
from genesis.providers.local.server.pictures import decode_picture, image_answer, png_bytes
from genesis.providers.local.server.threads import compute_threads
from genesis.providers.local.server.weights import verified

LONGEST_SIDE = 1536
SHORTEST_SIDE = 32
"""In pixels; larger images are scaled down, smaller ones are refused."""

DEFAULT_STRENGTH = 0.85


class TransformRequest(RequestModel):
    style: Annotated[str, StringConstraints(max_length=200)] | None = None
    strength: float = Field(DEFAULT_STRENGTH, ge=0, le=1)
    prompt: Annotated[str, StringConstraints(max_length=8_000)] | None = None
    seed: int | None = Field(None, ge=0, lt=2**32)


class TransformModel:
    """The network, loaded."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def answer(self, body: Body) -> Answer:
        """A PNG of the image's size, or of 1,536 pixels on the longer side where it is larger.

        Raises:
            RequestError: a field is wrong, the style is unknown, or the file is no image.
        """
        form = read_form(body.content_type, body.data)
        request = read_fields(TransformRequest, form.fields)
        style = choose_style(request.style, request.prompt)
        picture = decode_picture(form.file("image"), LONGEST_SIDE, shortest_side=SHORTEST_SIDE)
        styled = Image.blend(picture, self._styled(picture, style), request.strength)
        description = f"Neural style transfer: {STYLES[style]}, strength {request.strength:g}"
        return image_answer(png_bytes(styled, {"Description": description}), recognized=(STYLES[style],))

    def _styled(self, picture: Image.Image, style: int) -> Image.Image:
        """The picture in a style, at full strength.

        The network takes float32 [1, 3, height, width] in 0..1 with sides that are multiples of 4, and a weight for
        each style.
        """
        pixels = np.asarray(picture, dtype=np.float32) / 255
        height, width = pixels.shape[:2]
        padded = np.pad(pixels, ((0, -height % 4), (0, -width % 4), (0, 0)), mode="reflect")
        weights = np.zeros(len(STYLES), dtype=np.float32)
        weights[style] = 1
        planes = np.ascontiguousarray(padded.transpose(2, 0, 1)[None])
        output = self._session.run(None, {"image": planes, "style_weights": weights})[0][0]
        return Image.fromarray((output.transpose(1, 2, 0)[:height, :width].clip(0, 1) * 255).round().astype(np.uint8))


def choose_style(style: str | None, prompt: str | None) -> int:
    """The number of the style that is named, or else of the first that the prompt mentions, or else of the default.

    Raises:
        RequestError: it is none of them, or there is only a prompt and it mentions none: the network reads no words.
    """
    if style and style.strip():
        index = style_index(style)
    elif prompt and prompt.strip():
        index = _style_in(prompt)
    else:
        index = STYLES.index(DEFAULT_STYLE)
    if index is None:
        raise RequestError(
            f"This model knows no style {style!r}; it has: {', '.join(STYLES)}."
            if style
            else f"This model cannot follow a prompt, only a style: {', '.join(STYLES)}.",
            param="style",
            code="unknown_style",
        )
    return index


def _style_in(prompt: str) -> int | None:
    """The longest name of a style in a text, as whole words."""
    text = " " + "".join(character if character.isalnum() or character == "-" else " " for character in prompt.lower())
    text = " ".join(text.split()).join("  ")
    for name in sorted((*STYLES, *STYLE_ALIASES), key=len, reverse=True):
        if f" {name} " in text:
            return style_index(name)
    return None


def load() -> TransformModel:
    """Loads the network."""
    path = verified(MULTISTYLE)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = compute_threads()
    options.enable_cpu_mem_arena = False  # an arena keeps a gigabyte after one large image
    options.log_severity_level = 3
    return TransformModel(onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]))
