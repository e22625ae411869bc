"""Recordings of strangers: measured, drawn as a waveform, and copied without their tags. Loads FFmpeg; see `probing`."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from genesis.domain.file import MediaDetails
from genesis.errors import UnsupportedMedia
from genesis.files.examination import Examination

if TYPE_CHECKING:
    from av import AudioStream
    from av.container import InputContainer, OutputContainer
    from numpy.typing import NDArray

MOST_HOURS = 6
"""Longer recordings have no waveform: decoding takes more time than it is worth."""
PARTS = 1_000
"""Of a waveform; a recording of fewer samples has fewer."""

_FORMATS = {
    "audio/wav": ("wav", "wav"),
    "audio/mpeg": ("mp3", "mp3"),
    "audio/ogg": ("ogg", "ogg"),
    "audio/flac": ("flac", "flac"),
    "audio/mp4": ("mp4", "ipod"),
    "audio/webm": ("webm", "webm"),
    "audio/aac": ("aac", "adts"),
}
"""As FFmpeg names them: the reader, of which no other is tried, and the writer."""
_BARE = {"audio/mpeg", "audio/aac"}
"""Files that are frames and nothing around them."""
_FASTEST_RATE = 768_000
_FINE = 8 * PARTS
_BATCH = 65_536
_NO_SOUND = "The file has no sound that can be decoded."


def heard(path: Path, media_type: str) -> Examination:
    """Length, format and waveform of a recording.

    Raises:
        UnsupportedMedia: it has no sound.
        Exception: of any kind, where it cannot be read.
    """
    with _opened(path, media_type) as container:
        stream = container.streams.audio[0]
        rate = stream.sample_rate
        details = MediaDetails(
            duration_ms=_announced(container),
            sample_rate=rate,
            channels=stream.channels,
            codec=stream.codec_context.codec.canonical_name,
        )
        if not 0 < rate <= _FASTEST_RATE:
            return Examination(details, f"The recording has {rate} samples per second, of which no player makes sound.")
        waveform = Waveform()
        for samples in _decoded(container):
            waveform.add(samples)
            if waveform.samples > MOST_HOURS * 3600 * rate:
                return Examination(details)
    if not waveform.samples:
        return Examination(details, _NO_SOUND)
    duration_ms = round(waveform.samples * 1000 / rate)
    return Examination(
        replace(details, duration_ms=duration_ms, has_peaks=True), peaks=_document(waveform, rate, duration_ms)
    )


def remuxed(source: Path, media_type: str, target: Path) -> None:
    """Copies the first track of sound, as it is encoded, into a new container of the same kind.

    FLAC is encoded anew, which loses nothing: its last frame would take along what hangs on the file.

    Raises:
        UnsupportedMedia: it has no sound.
        Exception: of any kind, where it cannot be read, or its codec does not go into the container.
    """
    writer = _FORMATS[media_type][1]
    with (
        _opened(source, media_type) as container,
        av.open(str(target), "w", format=writer, options={"fflags": "+bitexact"}) as sink,
    ):
        if media_type == "audio/flac":
            _encode_flac(container, sink)
            return
        stream = container.streams.audio[0]
        copy = sink.add_stream_from_template(stream)
        is_empty = True
        for packet in container.demux(stream):
            # The last one is empty; and what hangs on bare frames comes as one more.
            if packet.dts is not None and (media_type not in _BARE or _is_frame(packet)):
                packet.stream = copy
                sink.mux(packet)
                is_empty = False
        if is_empty:
            raise UnsupportedMedia(_NO_SOUND)


def _encode_flac(container: "InputContainer", sink: "OutputContainer") -> None:
    stream = container.streams.audio[0]
    copy = sink.add_stream("flac", rate=stream.sample_rate, layout=stream.layout.name, format=stream.format.name)
    for frame in _frames(container, stream):
        sink.mux(copy.encode(frame))
    sink.mux(copy.encode(None))


class Waveform:
    """The lowest and highest values of equal parts of a recording whose length is not known before its end."""

    def __init__(self) -> None:
        self.samples = 0
        self._length = 1  # samples per part
        self._lows: NDArray[np.int16] = np.empty(0, np.int16)
        self._highs: NDArray[np.int16] = np.empty(0, np.int16)
        self._waiting: list[NDArray[np.int16]] = []
        self._waiting_samples = 0

    def add(self, samples: "NDArray[np.int16]") -> None:
        """Takes the next samples, of shape (channels, samples)."""
        self.samples += samples.shape[1]
        self._waiting_samples += samples.shape[1]
        self._waiting.append(np.stack((samples.min(axis=0), samples.max(axis=0))))
        if self._waiting_samples >= max(_BATCH, self._length):
            self._fold()

    def pairs(self) -> list[int]:
        """Lowest and highest value of each part in turn, from -128 to 127; at most `PARTS` parts."""
        self._fold(to_the_end=True)
        starts = np.arange(0, len(self._lows), max(len(self._lows) / PARTS, 1)).astype(int)[:PARTS]
        pairs = np.stack((np.minimum.reduceat(self._lows, starts), np.maximum.reduceat(self._highs, starts)), axis=1)
        return [int(value) for value in np.clip((pairs.astype(int) + 128) >> 8, -128, 127).ravel()]

    def _fold(self, *, to_the_end: bool = False) -> None:
        values = np.concatenate([np.empty((2, 0), np.int16), *self._waiting], axis=1)
        whole = len(values[0]) if to_the_end else len(values[0]) // self._length * self._length
        starts = np.arange(0, whole, self._length)
        if len(starts):
            self._lows = np.concatenate((self._lows, np.minimum.reduceat(values[0, :whole], starts)))
            self._highs = np.concatenate((self._highs, np.maximum.reduceat(values[1, :whole], starts)))
        self._waiting, self._waiting_samples = [values[:, whole:]], len(values[0]) - whole
        while len(self._lows) > 2 * _FINE and not to_the_end:
            self._halve()

    def _halve(self) -> None:
        """Joins every two parts; a last one without a fellow waits for more."""
        if len(self._lows) % 2:
            alone = np.repeat(np.array([self._lows[-1:], self._highs[-1:]]).reshape(2, 1), self._length, axis=1)
            self._waiting.insert(0, alone)
            self._waiting_samples += self._length
            self._lows, self._highs = self._lows[:-1], self._highs[:-1]
        self._lows = self._lows.reshape(-1, 2).min(axis=1)
        self._highs = self._highs.reshape(-1, 2).max(axis=1)
        self._length *= 2


def _opened(path: Path, media_type: str) -> "InputContainer":
    container = av.open(
        str(path),
        "r",
        format=_FORMATS[media_type][0],
        options={"protocol_whitelist": "file"},
        metadata_errors="ignore",
    )
    if not container.streams.audio:
        container.close()
        raise UnsupportedMedia(_NO_SOUND)
    return container


def _is_frame(packet: "av.Packet[AudioStream]") -> bool:
    """Whether it begins as frames of MPEG audio and AAC do (ISO/IEC 11172-3, 2.4.2.3; ISO/IEC 14496-3, 1.A.2)."""
    start = bytes(memoryview(packet)[:2])
    return len(start) == 2 and start[0] == 0xFF and start[1] >= 0xE0


def _announced(container: "InputContainer") -> int | None:
    """How long it says that it is, in milliseconds."""
    stream = container.streams.audio[0]
    if stream.duration and stream.time_base:
        duration = round(stream.duration * stream.time_base * 1000)
    else:
        duration = round((container.duration or 0) * 1000 / av.time_base)
    return duration if duration > 0 else None


def _decoded(container: "InputContainer") -> "Iterator[NDArray[np.int16]]":
    """Its samples; what cannot be decoded is left out, as players do."""
    stream = container.streams.audio[0]
    resampler = av.AudioResampler(format="s16p")
    for frame in _frames(container, stream):
        try:
            parts = resampler.resample(frame)
        except ValueError:  # one recording hangs on another, with other channels
            resampler = av.AudioResampler(format="s16p")
            parts = resampler.resample(frame)
        for part in parts:
            yield part.to_ndarray().astype(np.int16, copy=False)


def _frames(container: "InputContainer", stream: "AudioStream") -> "Iterator[av.AudioFrame]":
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError):  # what cannot be read further ends here
            return
        with suppress(av.InvalidDataError):
            yield from packet.decode()


def _document(waveform: Waveform, rate: int, duration_ms: int) -> bytes:
    document = {
        "version": 1,
        "samples": waveform.samples,
        "sample_rate": rate,
        "duration_ms": duration_ms,
        "peaks": waveform.pairs(),
    }
    return json.dumps(document, separators=(",", ":")).encode()
