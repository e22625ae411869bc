"""Image transformation: an image in, the same image in another style out."""

from pydantic import Field

from genesis.capabilities.fields import CallOptions, CapabilityModel, ImageUrl, Seed, Style
from genesis.capabilities.image import ImageFormat


class ImageTransformInput(CapabilityModel):
    image_url: ImageUrl


class ImageTransformOptions(CallOptions):
    style: Style | None = Field(None, description="How it shall look.", examples=["watercolor"])
    prompt: str | None = Field(None, max_length=4_000, description="What shall change, for models that take words.")
    strength: float | None = Field(None, ge=0, le=1, description="0 keeps the image, 1 changes it most.")
    negative_prompt: str | None = Field(None, max_length=2_000, description="What it must not show.")
    seed: Seed | None = None
    format: ImageFormat | None = Field(None, description="The file's format; as the provider makes it when left out.")


class ImageTransformOutput(CapabilityModel):
    image_url: ImageUrl
