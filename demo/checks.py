"""What must be true of what the pipelines make; each check raises CheckFailed with what is wrong."""

import io
import math
import re
import wave
from array import array

import jiwer
from PIL import Image

AUDIBLE_DECIBELS = -40.0
"""Loudness (RMS, relative to full scale) below which a recording is not called speech."""


class CheckFailed(Exception):  # says what is the case
    """A result is not what was asked for."""


def check_text(text: str | None) -> None:
    """There is text."""
    if not text or not text.strip():
        raise CheckFailed("the text is empty")


def check_png(data: bytes, size: tuple[int, int]) -> None:
    """It is a PNG that decodes, has this width and height, and is not one flat color."""
    image = Image.open(io.BytesIO(data))
    image.load()
    if image.format != "PNG":
        raise CheckFailed(f"the image is {image.format}, not PNG")
    if image.size != size:
        raise CheckFailed(f"the image is {image.size[0]}×{image.size[1]}, not {size[0]}×{size[1]}")
    extremes = image.convert("L").getextrema()
    if extremes[0] == extremes[1]:
        raise CheckFailed("the image is one flat color")


def check_speech(data: bytes) -> None:
    """It is a 16-bit WAV that lasts and can be heard."""
    with wave.open(io.BytesIO(data)) as recording:
        if recording.getsampwidth() != 2:
            raise CheckFailed("the recording is not 16-bit")
        samples = array("h", recording.readframes(recording.getnframes()))
        seconds = recording.getnframes() / recording.getframerate()
    power = sum(sample * sample for sample in samples) / max(1, len(samples))
    decibels = 10 * math.log10(power / 32768**2) if power else -math.inf
    if seconds < 1 or decibels < AUDIBLE_DECIBELS:
        raise CheckFailed(f"the recording has {seconds:.1f} s at {decibels:.0f} dB: nothing that can be heard")


def check_words(said: str, heard: str | None, *, most: float) -> float:
    """The word error rate (Morris et al. 2004) of what was heard is at most `most`; returns it."""
    rate = float(jiwer.wer(_words(said), _words(heard or "")))
    if rate > most:
        raise CheckFailed(f"word error rate {rate:.2f}, at most {most} is allowed; heard: {heard}")
    return rate


def _words(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9']+", text.lower()))
