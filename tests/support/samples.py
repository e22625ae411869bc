"""Small files of every type, made by Pillow, FFmpeg and the standard library."""

import io
import wave

import av
from PIL import Image

SAMPLE_RATE = 48_000


def picture(form: str, **options: object) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 30, 30)).save(target, form, **options)
    return target.getvalue()


def sound(container: str, codec: str, **options: str) -> bytes:
    """Half a second of silence."""
    target = io.BytesIO()
    with av.open(target, "w", format=container, options=options) as output:
        stream = output.add_stream(codec, rate=SAMPLE_RATE, layout="stereo")
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame(format="s16", layout="stereo", samples=SAMPLE_RATE // 2)
        frame.sample_rate = SAMPLE_RATE
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        resampler = av.AudioResampler(format=stream.codec_context.format, layout="stereo", rate=SAMPLE_RATE)
        fifo = av.AudioFifo()
        for part in resampler.resample(frame):
            fifo.write(part)
        size = stream.codec_context.frame_size or 1024
        for part in fifo.read_many(size, partial=False):
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return target.getvalue()


def film(container: str, codec: str) -> bytes:
    target = io.BytesIO()
    with av.open(target, "w", format=container) as output:
        stream = output.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(3):
            output.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        output.mux(stream.encode(None))
    return target.getvalue()


def wav() -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as output:
        output.setparams((1, 2, 16_000, 0, "NONE", ""))
        output.writeframes(bytes(3200))
    return target.getvalue()
