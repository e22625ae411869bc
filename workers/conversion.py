"""Turns a file into the format that was asked for, when a provider has made another."""

import asyncio
import io
from itertools import chain
from typing import TYPE_CHECKING, cast

from genesis.errors import GenesisError
from genesis.providers.base import Media
from workers.sound import frames_of, resampled

if TYPE_CHECKING:  # both are heavy, and loaded only where a file has to be converted
    from av import AudioStream
    from av.container import InputContainer
    from PIL import Image

MEDIA_TYPES = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
}
"""By the value of the option `format`."""

_MOST_PIXELS = 100_000_000
_MOST_AUDIO_SECONDS = 4 * 3600
_QUALITY = {"JPEG": 92, "WEBP": 90}
_WHITE = (255, 255, 255)
_DEEP = ("I;16", "I;16B", "I;16L", "I;16N")
"""Gray of 16 bits, as Pillow names it."""
_CODECS = {"wav": ("wav", "pcm_s16le", None), "mp3": ("mp3", "libmp3lame", None), "opus": ("ogg", "libopus", 48_000)}
"""Container, codec, and the sample rate where the codec has its own (RFC 6716, 2)."""
_OPUS_HEAD = b"OpusHead"
"""Begins the first packet of Opus in an Ogg file, which may hold Vorbis as well (RFC 7845, 5.1)."""
_HEAD_BYTES = 512
_MP3_RATES = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000}
_BIT_RATE_PER_CHANNEL = 64_000


class ConversionFailed(GenesisError):
    """The file cannot be turned into the format."""


async def converted(media: Media, wanted: str) -> Media:
    """The file in the wanted format; the same one where it has it already.

    Args:
        wanted: a key of MEDIA_TYPES of the file's own family.

    Raises:
        ConversionFailed: it cannot be decoded, or is too large to be.
    """
    media_type = MEDIA_TYPES[wanted]
    if media.media_type == media_type and (wanted != "opus" or _OPUS_HEAD in media.data[:_HEAD_BYTES]):
        return media
    convert = _image if media_type.startswith("image/") else _audio
    return Media(await asyncio.to_thread(convert, media.data, wanted), media_type)


def _image(data: bytes, wanted: str) -> bytes:
    from PIL import Image, ImageOps

    form = wanted.upper()
    try:
        with Image.open(io.BytesIO(data)) as opened:
            if opened.width * opened.height > _MOST_PIXELS:
                raise ConversionFailed(f"the image has more than {_MOST_PIXELS // 1_000_000} megapixels")
            image: Image.Image = ImageOps.exif_transpose(opened)
            profile = opened.info.get("icc_profile")
            if image.mode in _DEEP:
                image = image.point(lambda value: value / 256).convert("L")
            has_alpha = image.mode in ("LA", "PA", "RGBA") or "transparency" in opened.info
            family, image = image.mode, image.convert("RGBA" if has_alpha else "L" if image.mode == "L" else "RGB")
            if family not in ("L", "RGB", "RGBA"):
                profile = None  # it was one for other channels
            if form == "JPEG":
                image = _opaque(image)
            target = io.BytesIO()
            image.save(target, form, icc_profile=profile, **({"quality": _QUALITY[form]} if form in _QUALITY else {}))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ConversionFailed(f"the image cannot be decoded: {error}") from error
    return target.getvalue()


def _opaque(image: "Image.Image") -> "Image.Image":
    """The image on white, for a format without transparency."""
    from PIL import Image

    if image.mode != "RGBA":
        return image
    background = Image.new("RGB", image.size, _WHITE)
    background.paste(image, mask=image.getchannel("A"))
    return background


def _audio(data: bytes, wanted: str) -> bytes:
    import av

    target = io.BytesIO()
    try:
        with av.open(io.BytesIO(data), "r") as source:
            if not source.streams.audio:
                raise ConversionFailed("the file has no sound")
            _encode(source, target, wanted)
    except (av.FFmpegError, ValueError) as error:
        raise ConversionFailed(f"the sound cannot be decoded: {error}") from error
    if not target.getvalue():
        raise ConversionFailed("it holds no sound")
    return target.getvalue()


def _encode(source: "InputContainer", target: io.BytesIO, wanted: str) -> None:
    import av

    container, codec, rate = _CODECS[wanted]
    frames = frames_of(source)
    first = next(frames, None)
    if first is None:
        raise ConversionFailed("it holds no sound")
    own_rate = first.sample_rate
    rate = rate or (own_rate if wanted == "wav" or own_rate in _MP3_RATES else 44_100)
    layout = "mono" if first.layout.nb_channels == 1 else "stereo"
    with av.open(target, "w", format=container) as sink:
        out = cast("AudioStream", sink.add_stream(codec, rate=rate, layout=layout))
        if wanted != "wav":
            out.bit_rate = _BIT_RATE_PER_CHANNEL * (1 if layout == "mono" else 2)
        samples = 0
        for frame in resampled(chain((first,), frames), out.format, layout, rate):
            frame.pts, samples = samples, samples + frame.samples
            if samples > _MOST_AUDIO_SECONDS * rate:
                raise ConversionFailed(f"the sound is longer than {_MOST_AUDIO_SECONDS // 3600} hours")
            sink.mux(out.encode(frame))
        sink.mux(out.encode(None))
