"""Turns the rendered picture into its style."""

from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image

from genesis.providers.local.server.illustrator.finish_graphic import (
    finish_comic,
    finish_minimal,
    finish_neon,
    finish_pencil,
    finish_pixel,
)  # fmt: skip
from genesis.providers.local.server.illustrator.finish_painted import (
    finish_cinematic,
    finish_oil,
    finish_vintage,
    finish_watercolor,
)  # fmt: skip

Finish = Callable[[Image.Image, np.random.Generator], Image.Image]

FINISHES: Final[dict[str, Finish]] = {
    "watercolor": finish_watercolor,
    "oil": finish_oil,
    "pencil": finish_pencil,
    "pixel": finish_pixel,
    "cinematic": finish_cinematic,
    "neon": finish_neon,
    "comic": finish_comic,
    "minimal": finish_minimal,
    "vintage": finish_vintage,
}


def finish_picture(picture: Image.Image, style: str, rng: np.random.Generator) -> Image.Image:
    """The picture in the named style; `flat` is the picture as it was rendered."""
    finish = FINISHES.get(style)
    return finish(picture, rng) if finish else picture
