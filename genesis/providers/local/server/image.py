"""Images by the procedural illustrator."""

import re
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from genesis.providers.local.server.errors import RequestError
from genesis.providers.local.server.generation import Answer, Body, RequestModel, read_json
from genesis.providers.local.server.pictures import image_answer, png_bytes

_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})", re.ASCII)


class ImageRequest(RequestModel):
    prompt: Annotated[str, StringConstraints(pattern=r"\S", max_length=8_000)]
    size: str = "1024x1024"
    n: Literal[1] = 1
    seed: int | None = Field(None, ge=0, lt=2**32)
    style: Annotated[str, StringConstraints(max_length=200)] | None = None
    quality: Literal["auto", "draft", "low", "standard", "medium", "high", "hd"] = "standard"
    negative_prompt: Annotated[str, StringConstraints(max_length=4_000)] | None = None
    response_format: Literal["b64_json"] = "b64_json"


class ImageModel:
    """The illustrator; it has nothing to load."""

    def answer(self, body: Body) -> Answer:
        """A PNG of the size that was asked for, and the words of the prompt that it shows.

        Raises:
            RequestError: a field is wrong, or the illustrator cannot draw that size.
        """
        from genesis.providers.local.server.illustrator import illustrate, read_scene

        request = read_json(ImageRequest, body)
        width, height = parse_size(request.size)
        try:
            picture = illustrate(
                request.prompt,
                width=width,
                height=height,
                seed=request.seed,
                style=request.style,
                quality=request.quality,
                negative_prompt=request.negative_prompt,
            )
        except ValueError as error:
            raise RequestError(str(error), param="size") from error
        scene = read_scene(request.prompt, request.style)
        png = png_bytes(
            picture,
            {
                "Description": "Procedural illustration: drawn by a program, not by a trained model.",
                "Comment": request.prompt,
            },
        )
        return image_answer(png, recognized=scene.recognized)


def parse_size(size: str) -> tuple[int, int]:
    """Width and height in pixels of `WIDTHxHEIGHT`.

    Raises:
        RequestError: it is something else.
    """
    match = _SIZE.fullmatch(size)
    if match is None:
        raise RequestError(f"{size!r} is no size; write it like 1024x768.", param="size")
    return int(match[1]), int(match[2])


def load() -> ImageModel:
    """Loads nothing but the program."""
    return ImageModel()
