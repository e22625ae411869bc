"""Reads the sound of a file as players do: what is damaged in it is passed over."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # heavy, and loaded only where a recording is read
    from av import AudioFormat, AudioFrame
    from av.container import InputContainer


def frames_of(container: "InputContainer") -> Iterator["AudioFrame"]:
    """The frames of the first sound of a file, in their order.

    Files that were put together of others have headers and tags in their midst that are no sound.

    Raises:
        av.FFmpegError: none of it can be decoded, or there is no decoder for it.
        IndexError: the file has no sound.
    """
    import av

    found, damage = False, None
    for packet in container.demux(container.streams.audio[0]):
        try:
            frames = packet.decode()
        except av.InvalidDataError as error:
            damage = error
            continue
        found = found or bool(frames)
        yield from frames
    if damage is not None and not found:
        raise damage


def resampled(
    frames: Iterable["AudioFrame"], form: "AudioFormat | str", layout: str, rate: int
) -> Iterator["AudioFrame"]:
    """The frames in one form, whatever they change to in the midst of a file.

    Args:
        form, layout, rate: of the samples, the channels, and samples a second.

    Raises:
        av.FFmpegError, ValueError: as `frames` does, or they cannot be brought to that form.
    """
    import av

    found, resampler = None, None
    for frame in frames:
        if resampler is None or found != (frame.format.name, frame.layout.name, frame.sample_rate):
            if resampler is not None:
                yield from resampler.resample(None)
            found = (frame.format.name, frame.layout.name, frame.sample_rate)
            resampler = av.AudioResampler(format=form, layout=layout, rate=rate)
        yield from resampler.resample(frame)
    if resampler is not None:
        yield from resampler.resample(None)
