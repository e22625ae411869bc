"""The audio in a reply: a file, or bare samples, which get the header of a WAV file."""

import io
import re
import wave
from email.message import Message

from genesis.net.exchange import Reply
from genesis.net.media import sniff
from genesis.providers.base import Media
from genesis.providers.translation import media_of

_SAMPLES = ("audio/pcm", "audio/x-pcm")
_NO_SAMPLES = ("audio/wav", "audio/ogg", "audio/flac", "application/json", "text/html", "text/plain")
_SAMPLE_RATE, _HIGHEST_SAMPLE_RATE = 24_000, 384_000
_SAMPLE_BYTES, _MOST_CHANNELS = 2, 8
_SMALL_NUMBER = re.compile(r"[1-9]\d{0,5}", re.ASCII)


def audio_of(reply: Reply) -> Media | None:
    """The file that a speech reply is; None where it holds no audio."""
    return _samples(reply) or media_of(reply.body, "audio")


def _samples(reply: Reply) -> Media | None:
    """16-bit samples, little-endian, at the rate of the content type or else OpenAI's own (24 kHz, one channel)."""
    if reply.media_type not in _SAMPLES or sniff(reply.body) in _NO_SAMPLES:
        return None
    parameters = Message()
    parameters["content-type"] = "".join(reply.headers["content-type"].splitlines())
    rate = _parameter(parameters.get_param("rate"), _HIGHEST_SAMPLE_RATE) or _SAMPLE_RATE
    channels = _parameter(parameters.get_param("channels"), _MOST_CHANNELS) or 1
    moments = len(reply.body) // (_SAMPLE_BYTES * channels)
    if not moments:
        return None
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(_SAMPLE_BYTES)
        writer.setframerate(rate)
        writer.writeframes(reply.body[: moments * _SAMPLE_BYTES * channels])
    return Media(file.getvalue(), "audio/wav")


def _parameter(value: object, highest: int) -> int | None:
    written = value if isinstance(value, str) and _SMALL_NUMBER.fullmatch(value) else None
    return int(written) if written and int(written) <= highest else None
