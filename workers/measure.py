"""Measures what a call has used, where the provider does not tell: characters, images, seconds of sound.

A measure never fails a call that was paid for: what cannot be measured is left out.
"""

import asyncio
import io
import logging
import wave
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from genesis.domain.quantity import Quantities, Unit
from genesis.providers.base import Media

logger = logging.getLogger(__name__)

_LONGEST_SECONDS = 24 * 3600
_MOST_PACKETS = 5_000_000
"""As many as a day of sound has."""
_MILLI = Decimal("0.001")
_MEGA = Decimal(1_000_000)
_WAV_HEADER = 44


async def measured(
    capability: str, call_input: Mapping[str, Any], recording: Media | None, made: Media | None
) -> Quantities:
    """What a call has used.

    Args:
        recording: the input, where it is sound.
        made: the file that the provider has made, where it is one.
    """
    match capability:
        case "speech":
            characters = {Unit.CHARACTERS: Decimal(len(str(call_input.get("text", ""))))}
            return {**characters, **await _seconds(made)}
        case "transcription":
            return await _seconds(recording)
        case "image" | "image_transform" if made is not None:
            pixels = await _measure(_pixels, made.data)
            size = {} if pixels is None else {Unit.MEGAPIXELS: pixels / _MEGA}
            return {Unit.IMAGES: Decimal(1), **size}
    return {}


async def _seconds(media: Media | None) -> Quantities:
    seconds = None if media is None else await _measure(audio_seconds, media.data)
    return {} if seconds is None else {Unit.AUDIO_SECONDS: seconds}


async def _measure(measure: Callable[[bytes], Decimal | None], data: bytes) -> Decimal | None:
    try:
        return await asyncio.to_thread(measure, data)
    except Exception as error:  # noqa: BLE001  # a stranger's file in a library of others: whatever it is, the call stands
        logger.info("a file could not be measured: %s", error)
        return None


def _pixels(data: bytes) -> Decimal | None:
    """Width times height, of which only the header is read."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        return Decimal(image.width * image.height)


def audio_seconds(data: bytes) -> Decimal | None:
    """How long a file's sound is, to the millisecond; None where it does not tell, or what cannot be true.

    Raises:
        Exception: of any kind, where it cannot be read.
    """
    seconds = _wav_seconds(data) if data[:4] == b"RIFF" else None
    if seconds is None:
        seconds = _container_seconds(data)
    if seconds is None or not 0 < seconds <= _LONGEST_SECONDS:
        return None
    return (Decimal(seconds.numerator) / Decimal(seconds.denominator)).quantize(_MILLI)


def _wav_seconds(data: bytes) -> Fraction | None:
    """Of plain PCM. A file that was made as a stream says that it is longer than it is, so that its size counts as well."""
    try:
        with wave.open(io.BytesIO(data)) as sound:
            frame = sound.getnchannels() * sound.getsampwidth()
            frames = min(sound.getnframes(), (len(data) - _WAV_HEADER) // frame)
            return Fraction(frames, sound.getframerate())
    except (wave.Error, EOFError, ArithmeticError):
        return None


def _container_seconds(data: bytes) -> Fraction | None:
    import av

    with av.open(io.BytesIO(data), "r") as container:
        if not container.streams.audio:
            return None
        stream = container.streams.audio[0]
        if stream.duration and stream.time_base:
            return stream.duration * stream.time_base
        if container.duration:
            return Fraction(container.duration, av.time_base)
        if not stream.time_base:
            return None
        end = 0
        for number, packet in enumerate(container.demux(stream)):  # a recording of a browser does not tell its length
            if number > _MOST_PACKETS:
                return None
            end = max(end, (packet.pts or 0) + (packet.duration or 0))
        return end * stream.time_base
