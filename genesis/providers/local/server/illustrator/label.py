"""The visible caption that says how the picture was made."""

from typing import Final

from PIL import Image, ImageDraw, ImageFont

CAPTION: Final = "procedural · genesis local"


def caption_box(width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the caption's plate in pixels."""
    font, pad = _font(width, height), _padding(width, height)
    left, top, right, bottom = font.getbbox(CAPTION)
    wide, tall = int(right - left) + 2 * pad, int(bottom - top) + 2 * pad
    return width - wide - pad, height - tall - pad, width - pad, height - pad


def add_caption(picture: Image.Image) -> None:
    """Writes the caption into the lower right corner of an RGB picture, on a translucent plate."""
    box = caption_box(*picture.size)
    pad = _padding(*picture.size)
    region = picture.crop(box).convert("RGB")
    plate = Image.blend(region, Image.new("RGB", region.size, (18, 20, 26)), 0.52)
    shape = Image.new("L", region.size, 0)
    ImageDraw.Draw(shape).rounded_rectangle((0, 0, region.width - 1, region.height - 1), pad, fill=255)
    region.paste(plate, (0, 0), shape)
    font = _font(*picture.size)
    left, top, _, _ = font.getbbox(CAPTION)
    ImageDraw.Draw(region).text((pad - left, pad - top), CAPTION, font=font, fill=(238, 240, 244))
    picture.paste(region, box[:2])


def _font(width: int, height: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(max(11, round(min(width, height) * 0.0165)))


def _padding(width: int, height: int) -> int:
    return max(4, round(min(width, height) * 0.007))
