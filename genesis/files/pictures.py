"""Images of strangers: opened with limits, measured, and made into thumbnails. Loads Pillow; see `probing`."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageCms

from genesis.domain.file import MediaDetails
from genesis.errors import UnsupportedMedia
from genesis.files.examination import Examination

MOST_PIXELS = 100_000_000
"""Of one frame."""
MOST_FRAMES = 1_000
WIDTHS = (320, 640)
"""Of thumbnails; an image has those that are not wider than the next narrower one needs to be."""

FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
    "image/avif": "AVIF",
}
"""As Pillow names them."""
_TALLEST = 4  # widths; a strip of an image is no wider in its thumbnail than it has to be
_QUALITY = 80
_ORIENTATION = 0x0112  # Exif 2.32, 4.6.4
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = {5, 6, 7, 8}
_DEEP = ("I;16", "I;16B", "I;16L", "I;16N")
"""Gray of 16 bits, as Pillow names it."""
_RESIZABLE = ("L", "LA", "RGB", "RGBA", "CMYK")


def pictured(path: Path, media_type: str) -> Examination:
    """Size, frames and thumbnails of an image.

    Raises:
        Exception: of any kind, where its head cannot be read.
    """
    with opened(path, media_type) as image:
        orientation = orientation_of(image)
        width, height = image.size[::-1] if orientation in _SIDEWAYS else image.size
        details = MediaDetails(width=width, height=height, frames=frames_of(image))
        try:
            check_frames(image)
            thumbnails = _thumbnails(image, orientation)
        except UnsupportedMedia as error:
            return Examination(details, error.message)
        except Exception:  # noqa: BLE001  # what its head says stays known
            return Examination(details, "The image is broken: its head can be read, but not its picture.")
    return Examination(replace(details, thumbnails=tuple(thumbnails)), thumbnails=thumbnails)


@contextmanager
def opened(path: Path, media_type: str) -> Iterator[Image.Image]:
    """An image of which the head was read and nothing is decoded yet.

    Raises:
        UnsupportedMedia: it has too many pixels.
        Exception: of any kind, where its head cannot be read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(path, formats=(FORMATS[media_type],))
        except Image.DecompressionBombError:
            raise _too_many_pixels() from None
        with image:
            if image.width * image.height > MOST_PIXELS:
                raise _too_many_pixels()
            yield image


def frames_of(image: Image.Image) -> int:
    """How many pictures it has."""
    return int(getattr(image, "n_frames", 1))


def check_frames(image: Image.Image) -> None:
    """Refuses what has too many frames.

    Raises:
        UnsupportedMedia: it has.
    """
    if frames_of(image) > MOST_FRAMES:
        raise UnsupportedMedia(f"The image has more than {MOST_FRAMES:,} frames.")


def orientation_of(image: Image.Image) -> int:
    """How it is to be turned, a number of Exif; 1 for not at all."""
    if image.format == "TIFF":  # Pillow has seen to it
        return 1
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001  # an image is still one with broken Exif data
        return 1
    return orientation if orientation in _TURNS else 1


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """The image as it is to be shown."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def _too_many_pixels() -> UnsupportedMedia:
    return UnsupportedMedia(f"The image has more than {MOST_PIXELS // 1_000_000} megapixels.")


def _thumbnails(image: Image.Image, orientation: int) -> dict[int, bytes]:
    """Copies of its first frame, by width."""
    profile = image.info.get("icc_profile")
    box = _box(WIDTHS[-1])
    image.seek(0)
    image.draft("RGB", (2 * max(box), 2 * max(box)))
    picture = _resizable(image)
    picture.thumbnail(box[::-1] if orientation in _SIDEWAYS else box, reducing_gap=3.0)
    picture = _in_srgb(turned(picture, orientation), profile)
    made = {}
    for width, narrower in zip(WIDTHS[::-1], (*WIDTHS[-2::-1], 0), strict=True):
        if picture.width > narrower:
            picture.thumbnail(_box(width), reducing_gap=3.0)
            made[width] = _webp(picture)
    return dict(sorted(made.items()))


def _box(width: int) -> tuple[int, int]:
    return width, _TALLEST * width


def _resizable(image: Image.Image) -> Image.Image:
    if image.mode in _DEEP:
        return image.point(lambda value: value / 256).convert("L")
    if image.mode in _RESIZABLE and "transparency" not in image.info:
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _in_srgb(image: Image.Image, profile: object) -> Image.Image:
    """The image in the colors that a browser takes for granted, since a thumbnail comes without a profile."""
    if isinstance(profile, bytes):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            colors = image.convert("RGB") if image.mode in ("RGBA", "LA") else image
            mode = "L" if colors.mode == "L" else "RGB"
            made = ImageCms.profileToProfile(colors, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            made = None  # a profile that cannot be used, or is one for other channels
        if made is not None:
            if image.mode in ("RGBA", "LA"):
                made.putalpha(image.getchannel("A"))
            return made if mode == "RGB" else made.convert("L")
    return image.convert("RGB") if image.mode == "CMYK" else image


def _webp(image: Image.Image) -> bytes:
    target = io.BytesIO()
    image.save(target, "WEBP", quality=_QUALITY, method=4)
    return target.getvalue()
