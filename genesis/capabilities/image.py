"""Image generation: a prompt in, an image out."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from genesis.capabilities.fields import CallOptions, CapabilityModel, ImageUrl, Seed, Style, Text


class AspectRatio(StrEnum):
    SQUARE = "1:1"
    LANDSCAPE = "4:3"
    PHOTO = "3:2"
    WIDE = "16:9"
    PORTRAIT = "3:4"
    PHOTO_PORTRAIT = "2:3"
    TALL = "9:16"


class Quality(StrEnum):
    DRAFT = "draft"
    STANDARD = "standard"
    HIGH = "high"


class ImageFormat(StrEnum):
    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"


class ImageInput(CapabilityModel):
    prompt: Annotated[Text, Field(max_length=4_000, description="What the image shows.")]


class ImageOptions(CallOptions):
    style: Style | None = Field(None, description="How it looks.", examples=["cinematic", "watercolor"])
    quality: Quality | None = Field(None, description="`draft` is small and quick, `high` is large.")
    aspect_ratio: AspectRatio | None = Field(None, description="Width to height; 1:1 when left out.")
    negative_prompt: str | None = Field(None, max_length=2_000, description="What it must not show.")
    seed: Seed | None = None
    format: ImageFormat | None = Field(None, description="The file's format; as the provider makes it when left out.")


class ImageOutput(CapabilityModel):
    image_url: ImageUrl


_STANDARD_SIZES = {
    AspectRatio.SQUARE: (1024, 1024),
    AspectRatio.LANDSCAPE: (1152, 896),
    AspectRatio.PHOTO: (1216, 832),
    AspectRatio.WIDE: (1344, 768),
    AspectRatio.PORTRAIT: (896, 1152),
    AspectRatio.PHOTO_PORTRAIT: (832, 1216),
    AspectRatio.TALL: (768, 1344),
}
"""The resolutions that SDXL was trained at (Podell et al. 2023, appendix I), about one megapixel each."""

_SCALES = {Quality.DRAFT: (1, 2), Quality.STANDARD: (1, 1), Quality.HIGH: (3, 2)}


def dimensions(aspect_ratio: AspectRatio | None, quality: Quality | None) -> tuple[int, int]:
    """Width and height in pixels of what was asked; all are multiples of 32."""
    width, height = _STANDARD_SIZES[aspect_ratio or AspectRatio.SQUARE]
    times, over = _SCALES[quality or Quality.STANDARD]
    return width * times // over, height * times // over
