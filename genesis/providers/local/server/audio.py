"""Samples in memory to and from audio files."""

import io
import wave
from typing import TYPE_CHECKING

from genesis.net.media import sniff
from genesis.providers.local.server.errors import RequestError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DEMUXERS = {
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "video/ogg": "ogg",
    "audio/flac": "flac",
    "audio/mp4": "mov",
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "audio/webm": "matroska",
    "video/webm": "matroska",
    "video/x-matroska": "matroska",
    "audio/aac": "aac",
}
"""FFmpeg's name of what reads each type, also of films, whose sound is taken."""

LONGEST_SECONDS = 2 * 3600
"""Longest recording that is taken."""


def wav_bytes(samples: "NDArray[np.float32]", rate: int) -> bytes:
    """A mono 16-bit WAV file of samples in -1..1 at `rate` Hz."""
    import numpy as np

    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).round().astype("<i2").tobytes())
    return stream.getvalue()


def decode_audio(data: bytes, rate: int) -> "NDArray[np.float32]":
    """Mono samples in -1..1 at `rate` Hz of a WAV, MP3, Ogg, FLAC, MP4, WebM or AAC file.

    Raises:
        RequestError: it is no audio, or longer than two hours.
    """
    # FFmpeg left to itself would also read playlists and session descriptions, which open what they name.
    demuxer = _DEMUXERS.get(sniff(data))
    if demuxer is None:
        raise _undecodable("unknown format")
    import av
    import numpy as np

    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
    blocks: list[NDArray[np.int16]] = []
    count = 0
    try:
        with av.open(io.BytesIO(data), mode="r", format=demuxer, metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise _undecodable("it has no audio track")
            for frame in container.decode(audio=0):
                for resampled in resampler.resample(frame):
                    blocks.append(np.asarray(resampled.to_ndarray(), dtype=np.int16).reshape(-1))
                    count += resampled.samples
                if count > LONGEST_SECONDS * rate:
                    raise RequestError(
                        f"The recording is longer than {LONGEST_SECONDS // 3600} hours.", param="file", code="too_long"
                    )
            for rest in resampler.resample(None):
                blocks.append(np.asarray(rest.to_ndarray(), dtype=np.int16).reshape(-1))
                count += rest.samples
    except av.FFmpegError as error:
        # What was read before a broken end is still worth transcribing.
        if not count:
            raise _undecodable(error.strerror or "unknown format") from error
    if not count:
        raise _undecodable("it has no samples")
    return np.concatenate(blocks).astype(np.float32) / np.float32(32768)


def _undecodable(reason: str) -> RequestError:
    return RequestError(f"The file cannot be decoded as audio: {reason}.", param="file", code="invalid_audio")
