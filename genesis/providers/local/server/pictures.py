"""Pictures in and out: decoding what came from outside within limits, PNG files with metadata, and the answer's shape."""

import base64
import io
import json
import time
import warnings
from collections.abc import Iterable, Mapping

from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from genesis.providers.local.server.errors import RequestError
from genesis.providers.local.server.generation import Answer

MAXIMUM_PIXELS = 40_000_000
"""Largest picture that is decoded: 160 MB in memory."""

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")


def decode_picture(data: bytes, longest_side: int, *, shortest_side: int = 1) -> Image.Image:
    """An RGB picture, upright, on white where it was transparent, and no longer than `longest_side` pixels.

    Raises:
        RequestError: it is no picture, broken, too large to be decoded, or then narrower than `shortest_side`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata and of sizes below the limit here
            file = Image.open(io.BytesIO(data), formats=_FORMATS)
            width, height = file.size
            if width * height > MAXIMUM_PIXELS:
                raise _too_large(f"has {width}x{height} pixels")
            file.draft("RGB", (longest_side, longest_side))
            picture = ImageOps.exif_transpose(file)
            picture.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
            if min(picture.size) < shortest_side:
                raise RequestError(
                    f"The image is {width}x{height}; both sides need {shortest_side} pixels once the longer one "
                    f"has no more than {longest_side}.",
                    param="image",
                    code="image_too_small",
                )
            return _flattened(picture)
    except UnidentifiedImageError:
        raise _undecodable("unknown format") from None
    except Image.DecompressionBombError as error:
        raise _too_large("has too many pixels") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # what Pillow's decoders raise for broken files
        raise _undecodable("it is broken or incomplete") from error


def _flattened(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    with_alpha = picture.convert("RGBA")
    ground = Image.new("RGBA", with_alpha.size, "white")
    return Image.alpha_composite(ground, with_alpha).convert("RGB")


def _too_large(what: str) -> RequestError:
    return RequestError(
        f"The image {what}; the limit is {MAXIMUM_PIXELS} in all.", param="image", code="image_too_large"
    )


def _undecodable(reason: str) -> RequestError:
    return RequestError(f"The file cannot be decoded as an image: {reason}.", param="image", code="invalid_image")


def png_bytes(picture: Image.Image, metadata: Mapping[str, str]) -> bytes:
    """A PNG file with text chunks, `Software` among them (PNG specification, 11.3.3)."""
    text = PngImagePlugin.PngInfo()
    for name, value in {"Software": "Genesis", **metadata}.items():
        text.add_text(name, value)
    stream = io.BytesIO()
    picture.save(stream, "PNG", pnginfo=text)
    return stream.getvalue()


def image_answer(png: bytes, *, recognized: Iterable[str]) -> Answer:
    """The answer that carries one image.

    Args:
        recognized: what of the request shaped it.
    """
    document = {
        "created": int(time.time()),
        "data": [{"b64_json": base64.b64encode(png).decode()}],
        "recognized": list(recognized),
    }
    return Answer("application/json", json.dumps(document).encode())
