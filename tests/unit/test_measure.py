"""Measures of files: what they say, and that none of them fails a call."""

import io
import wave
from decimal import Decimal
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from genesis.domain.quantity import Unit
from genesis.providers.base import Media
from workers.measure import audio_seconds, measured

SAMPLES = Path(__file__).parents[2] / "demo" / "samples"


def wav(seconds=1.5, rate=8_000, claimed=None):
    """A recording; its header may claim another number of bytes."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(b"\0\0" * round(seconds * rate))
    data = file.getvalue()
    return data if claimed is None else data[:40] + claimed.to_bytes(4, "little") + data[44:]


def encoded(container, codec, rate=48_000, seconds=2):
    file = io.BytesIO()
    with av.open(file, "w", format=container) as sink:
        stream = sink.add_stream(codec, rate=rate, layout="mono")
        for _ in range(seconds * 10):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, rate // 10), np.float32), format="fltp", layout="mono")
            frame.sample_rate = rate
            sink.mux(stream.encode(frame))
        sink.mux(stream.encode(None))
    return file.getvalue()


class Unseekable(io.BytesIO):
    """As a stream is written: nothing can be filled in later."""

    def seekable(self):
        return False


def image(width, height, form="PNG"):
    file = io.BytesIO()
    Image.new("RGB", (width, height)).save(file, form)
    return Media(file.getvalue(), f"image/{form.lower()}")


def test_plain_recordings_are_measured_by_what_is_there():
    assert audio_seconds(wav()) == Decimal("1.5")
    assert audio_seconds(wav(claimed=0xFFFFFFFF)) == Decimal("1.5")
    assert audio_seconds((SAMPLES / "boat.wav").read_bytes()) > 1


@pytest.mark.parametrize(
    ("container", "codec"), [("mp3", "libmp3lame"), ("ogg", "libopus"), ("mp4", "aac"), ("webm", "libopus")]
)
def test_other_recordings_tell_their_length(container, codec):
    assert audio_seconds(encoded(container, codec)) == pytest.approx(Decimal(2), abs=Decimal("0.15"))


def test_a_recording_that_does_not_tell_its_length_is_gone_through():
    source = encoded("webm", "libopus")
    sink = Unseekable()
    with av.open(io.BytesIO(source)) as given, av.open(sink, "w", format="webm", options={"live": "1"}) as made:
        stream = made.add_stream_from_template(given.streams.audio[0])
        for packet in given.demux():
            if packet.dts is not None:
                packet.stream = stream
                made.mux(packet)
    with av.open(io.BytesIO(sink.getvalue())) as live:
        assert live.duration is None
    assert audio_seconds(sink.getvalue()) == pytest.approx(Decimal(2), abs=Decimal("0.15"))


async def test_speech_is_measured_by_its_text_and_its_sound():
    made = Media(wav(), "audio/wav")
    used = await measured("speech", {"text": "Grüße"}, None, made)
    assert used == {Unit.CHARACTERS: Decimal(5), Unit.AUDIO_SECONDS: Decimal("1.5")}
    assert await measured("speech", {"text": "Grüße"}, None, None) == {Unit.CHARACTERS: Decimal(5)}


async def test_transcription_is_measured_by_its_recording():
    assert await measured("transcription", {}, Media(wav(), "audio/wav"), None) == {Unit.AUDIO_SECONDS: Decimal("1.5")}
    assert await measured("transcription", {}, None, None) == {}


@pytest.mark.parametrize("capability", ["image", "image_transform"])
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
async def test_images_are_measured_by_their_header(capability, form):
    used = await measured(capability, {"prompt": "a"}, None, image(640, 480, form))
    assert used == {Unit.IMAGES: Decimal(1), Unit.MEGAPIXELS: Decimal("0.3072")}


async def test_text_is_counted_by_the_provider_alone():
    assert await measured("text", {"text": "hello"}, None, None) == {}


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 100, b"RIFF", b"RIFF\0\0\0\0WAVEfmt ", b"ID3" + b"\xff" * 50, b"OggS" * 9, wav()[:30]]
)
async def test_what_cannot_be_measured_is_left_out(data):
    broken = Media(data, "application/octet-stream")
    assert await measured("transcription", {}, broken, None) == {}
    assert await measured("image", {}, None, broken) == {Unit.IMAGES: Decimal(1)}


async def test_an_image_that_would_be_too_large_to_open_is_left_out():
    png = bytearray(image(1, 1).data)
    png[16:24] = (2**31 - 1).to_bytes(4, "big") * 2
    assert await measured("image", {}, None, Media(bytes(png), "image/png")) == {Unit.IMAGES: Decimal(1)}
