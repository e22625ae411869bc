"""Cuts a long recording where nobody speaks, and joins spoken passages without clicks."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from genesis.errors import GenesisError
from workers.sound import frames_of, resampled

if TYPE_CHECKING:  # both are heavy, and loaded only where they are needed
    import numpy as np
    from av import AudioFrame, AudioStream
    from numpy.typing import NDArray

    Samples = NDArray[np.int16]

_CUT_RATE = 16_000
"""Samples a second of the parts that are cut for transcription; models of speech work at this rate."""
_FRAME_SECONDS = 0.02
_SEARCHED = 0.25
"""Share of a part, at its end, in which the quietest moment is looked for."""
_QUIET_FRAMES = 10
"""Frames that are judged together, so that a cut lies in a pause and not in a consonant."""
_LEAST_SECONDS = 1.0
"""Of the last part, where its recording is a little longer than one part may be: models refuse snippets, or make words of
them that nobody has said."""
_PAUSE_SECONDS = 0.25
_FADE_SECONDS = 0.008
_JOINED_RATES = (48_000, 44_100, 32_000, 24_000, 22_050, 16_000)


class UnusableRecording(GenesisError):
    """The recording cannot be decoded."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a recording.

    Attributes:
        start, end: seconds from its beginning.
        data: the part as a FLAC file, 16 kHz and mono.
    """

    start: float
    end: float
    data: bytes


def cut(data: bytes, longest_seconds: float) -> Iterator[Part]:
    """A recording in parts of at most `longest_seconds`, which follow each other without a gap.

    It is read piece by piece, so that memory does not grow with its length.

    Raises:
        UnusableRecording: it cannot be decoded.
    """
    import numpy as np

    longest = round(longest_seconds * _CUT_RATE)
    least = min(round(_LEAST_SECONDS * _CUT_RATE), longest // 4)
    pieces: list[Samples] = []
    begin = held = 0
    for piece in _decoded(data, _CUT_RATE, "mono"):
        pieces.append(piece[0])
        held += len(piece[0])
        while held > longest + least:
            samples = np.concatenate(pieces)
            place = _quietest(samples[:longest])
            yield _part(samples[:place], begin)
            pieces, begin, held = [samples[place:]], begin + place, held - place
    if not held:
        return
    samples = np.concatenate(pieces)
    place = _quietest(samples[: held - least]) if held > longest else held
    yield _part(samples[:place], begin)
    if place < held:
        yield _part(samples[place:], begin + place)


def joined(files: Sequence[bytes]) -> bytes:
    """Spoken passages one after the other with a short pause between them, as a WAV file.

    Each begins and ends with a fade too short to be heard, so that no edge clicks.

    Raises:
        UnusableRecording: one of them cannot be decoded.
    """
    rate, channels = _format_of(files[0])
    return _wav(_passages(files, rate, channels), rate, channels)


def _passages(files: Sequence[bytes], rate: int, channels: int) -> Iterator["Samples"]:
    import numpy as np

    pause = np.zeros((channels, round(_PAUSE_SECONDS * rate)), np.int16)
    layout = "mono" if channels == 1 else "stereo"
    for number, file in enumerate(files):
        if number:
            yield pause
        passage = np.concatenate([np.empty((channels, 0), np.int16), *_decoded(file, rate, layout)], axis=1)
        yield _faded(passage, rate)


def _decoded(data: bytes, rate: int, layout: str) -> Iterator["Samples"]:
    """The samples piece by piece, each of shape (channels, samples)."""
    import av

    channels = 1 if layout == "mono" else 2
    try:
        with av.open(io.BytesIO(data), "r") as container:
            if not container.streams.audio:
                raise UnusableRecording("The file has no sound.")
            for frame in resampled(frames_of(container), "s16", layout, rate):
                yield _samples(frame, channels)
    except (av.FFmpegError, ValueError) as error:
        raise UnusableRecording(f"The sound cannot be decoded: {error}.") from error


def _samples(frame: "AudioFrame", channels: int) -> "Samples":
    import numpy as np

    return frame.to_ndarray().reshape(-1, channels).T.astype(np.int16, copy=False)


def _quietest(samples: "Samples") -> int:
    """Where to cut: the middle of the quietest stretch near the end."""
    import numpy as np

    frame = round(_FRAME_SECONDS * _CUT_RATE)
    first = round(len(samples) * (1 - _SEARCHED))
    count = (len(samples) - first) // frame
    if count < _QUIET_FRAMES:
        return len(samples)
    frames = samples[first : first + count * frame].reshape(count, frame).astype(np.float64)
    loudness = np.convolve((frames**2).mean(axis=1), np.ones(_QUIET_FRAMES), "valid")
    # Of stretches that are alike, the last: fewer parts.
    quietest = len(loudness) - 1 - int(np.argmin(loudness[::-1]))
    return first + (quietest + _QUIET_FRAMES // 2) * frame


def _part(samples: "Samples", begin: int) -> Part:
    start, end = begin / _CUT_RATE, (begin + len(samples)) / _CUT_RATE
    return Part(start, end, _encoded((samples.reshape(1, -1),), "flac", "flac", _CUT_RATE, 1))


def _format_of(data: bytes) -> tuple[int, int]:
    """Rate and number of channels to join in, by the first passage."""
    import av

    try:
        with av.open(io.BytesIO(data), "r") as container:
            frame = next(frames_of(container), None)
            if frame is None:
                raise UnusableRecording("The file has no sound.")
            rate = next((one for one in _JOINED_RATES if frame.sample_rate >= one), _JOINED_RATES[-1])
            return rate, 1 if frame.layout.nb_channels == 1 else 2
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise UnusableRecording(f"The sound cannot be decoded: {error}.") from error


def _faded(passage: "Samples", rate: int) -> "Samples":
    import numpy as np

    length = min(round(_FADE_SECONDS * rate), passage.shape[1] // 2)
    ramp = np.linspace(0.0, 1.0, length)
    faded = passage.astype(np.float64)
    faded[:, :length] *= ramp
    faded[:, faded.shape[1] - length :] *= ramp[::-1]
    return faded.round().astype(np.int16)


def _wav(pieces: Iterable["Samples"], rate: int, channels: int) -> bytes:
    return _encoded(pieces, "wav", "pcm_s16le", rate, channels)


def _encoded(pieces: Iterable["Samples"], container: str, codec: str, rate: int, channels: int) -> bytes:
    import av
    import numpy as np

    target = io.BytesIO()
    layout = "mono" if channels == 1 else "stereo"
    with av.open(target, "w", format=container) as sink:
        stream = cast("AudioStream", sink.add_stream(codec, rate=rate, layout=layout))
        stream.format = "s16"
        written = 0
        for piece in pieces:
            if not piece.shape[1]:
                continue
            packed = np.ascontiguousarray(piece.T).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(packed, format="s16", layout=layout)
            frame.sample_rate, frame.pts = rate, written
            written += piece.shape[1]
            sink.mux(stream.encode(frame))
        sink.mux(stream.encode(None))
    return target.getvalue()
