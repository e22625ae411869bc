"""Images of strangers, encoded anew so that nothing but the picture is left. Loads Pillow; see `probing`."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image, ImageCms, JpegImagePlugin

from genesis.errors import UnsupportedMedia
from genesis.files.pictures import FORMATS, check_frames, frames_of, opened, orientation_of, turned

_MOST_PIXELS_IN_ALL = 300_000_000
"""Of all frames of an animation, since an encoder may hold them all."""
_LARGEST_PROFILE = 4 * 1024 * 1024
_QUALITY = 90
_OPTIONS: dict[str, dict[str, Any]] = {
    "WEBP": {"quality": _QUALITY},
    "AVIF": {"quality": _QUALITY},
    "TIFF": {"compression": "tiff_lzw"},
}
_PROFILED = {"JPEG", "PNG", "WEBP", "TIFF", "AVIF"}
_CHANNELS = {"RGB": {"RGB", "RGBA", "P", "PA"}, "GRAY": {"L", "LA", "1", "I;16"}, "CMYK": {"CMYK"}}
"""Modes of Pillow by the color space that a profile says it is for (ICC.1:2022, 7.2.8)."""


def redrawn(source: Path, media_type: str, target: Path) -> None:
    """Writes the image anew, in its own format, with all its frames.

    Raises:
        UnsupportedMedia: it has too many pixels or frames.
        Exception: of any kind, where it cannot be decoded.
    """
    form = FORMATS[media_type]
    with opened(source, media_type) as image:
        check_frames(image)
        frames = frames_of(image)
        if frames > 1 and frames * image.width * image.height > _MOST_PIXELS_IN_ALL:
            raise UnsupportedMedia(f"All frames have more than {_MOST_PIXELS_IN_ALL // 1_000_000} megapixels together.")
        options = _OPTIONS.get(form, {}) | ({"icc_profile": _profile(image)} if form in _PROFILED else {})
        if form == "WEBP" and _is_lossless(source):
            options = {**options, "lossless": True, "quality": 80}
        if frames > 1:
            durations, pictures = zip(*_frames(image, frames), strict=True)
            if form != "TIFF":
                options |= {"duration": list(durations), **_loop(image)}
            pictures[0].save(target, form, save_all=True, append_images=pictures[1:], **options)
            return
        orientation = orientation_of(image)
        if form == "JPEG":
            options |= _compression(image)
        _bare(turned(image, orientation)).save(target, form, **options)


def _frames(image: Image.Image, number: int) -> Iterator[tuple[int, Image.Image]]:
    """How long each frame is shown, in milliseconds, and the frame."""
    orientation = orientation_of(image)
    for index in range(number):
        image.seek(index)
        image.load()
        duration = image.info.get("duration", 0)
        yield int(duration), _bare(turned(image, orientation))


def _loop(image: Image.Image) -> dict[str, int]:
    loop = image.info.get("loop")
    return {"loop": loop} if isinstance(loop, int) else {}


def _bare(image: Image.Image) -> Image.Image:
    """The picture without anything that came with it, but for the color that is transparent."""
    bare = image.copy()
    transparency = image.info.get("transparency")
    bare.info = {} if transparency is None else {"transparency": transparency}
    return bare


def _profile(image: Image.Image) -> bytes | None:
    """Its color profile, where it is one for its channels."""
    data = image.info.get("icc_profile")
    if not isinstance(data, bytes) or len(data) > _LARGEST_PROFILE:
        return None
    try:
        space = ImageCms.ImageCmsProfile(io.BytesIO(data)).profile.xcolor_space.strip()
    except (OSError, ValueError, TypeError):
        return None
    # The profile says how long it is (ICC.1:2022, 7.2.2); what follows is not of it.
    return data[: int.from_bytes(data[:4], "big")] if image.mode in _CHANNELS.get(space, ()) else None


def _compression(image: Image.Image) -> dict[str, Any]:
    """The tables that a JPEG file was made with, so that little is lost when it is made again."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile) or not image.quantization:
        return {"quality": _QUALITY}
    sampling = JpegImagePlugin.get_sampling(image)
    return {"qtables": image.quantization, "subsampling": sampling} if sampling >= 0 else {"quality": _QUALITY}


def _is_lossless(path: Path) -> bool:
    """Whether a WebP file's first picture is (RFC 9649, 2.3 and 2.7)."""
    with path.open("rb") as file:
        return _has_lossless_chunk(file, 12, path.stat().st_size)


def _has_lossless_chunk(file: BinaryIO, start: int, end: int) -> bool:
    while start < end:
        file.seek(start)
        head = file.read(8)
        if head[:4] in (b"VP8L", b"VP8 ") or len(head) < 8:
            return head[:4] == b"VP8L"
        size = int.from_bytes(head[4:], "little")
        start += 8 + 16 if head[:4] == b"ANMF" else 8 + size + size % 2
    return False
