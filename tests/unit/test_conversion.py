"""Files in the format that was asked for, decoded again to see whether they are what they were."""

import io
import math
from itertools import pairwise

import av
import pytest
from PIL import Image

from genesis.net.exchange import Request
from genesis.net.media import sniff
from genesis.providers import fake
from genesis.providers.base import Media
from workers.conversion import MEDIA_TYPES, ConversionFailed, converted


def spoken() -> Media:
    return Media(fake.answer(Request("POST", "/speech", form={"text": "one two three four"})).body, "audio/wav")


def picture(mode="RGB", color=(200, 30, 30), form="PNG", **more) -> Media:
    target = io.BytesIO()
    Image.new(mode, (40, 20), color).save(target, form, **more)
    return Media(target.getvalue(), f"image/{form.lower()}")


def pixel(media: Media) -> tuple[int, ...]:
    return Image.open(io.BytesIO(media.data)).convert("RGB").getpixel((20, 10))


def tone(media: Media) -> tuple[float, float]:
    """Seconds, and zero crossings a second."""
    with av.open(io.BytesIO(media.data)) as container:
        rate = container.streams.audio[0].rate
        resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    samples = [int(value) for frame in frames for value in frame.to_ndarray()[0]]
    crossings = sum(first < 0 <= second for first, second in pairwise(samples))
    return len(samples) / rate, crossings / (len(samples) / rate)


@pytest.mark.parametrize("wanted", ["wav", "mp3", "opus"])
async def test_sound_stays_what_it_was(wanted):
    original = spoken()
    made = await converted(original, wanted)
    assert made.media_type == sniff(made.data) == MEDIA_TYPES[wanted]
    (seconds, crossings), (seconds_before, crossings_before) = tone(made), tone(original)
    assert math.isclose(seconds, seconds_before, abs_tol=0.1)
    assert math.isclose(crossings, crossings_before, rel_tol=0.1)


@pytest.mark.parametrize("wanted", ["png", "jpeg", "webp"])
@pytest.mark.parametrize(
    "original", [picture(), picture("L", 120), picture("RGBA", (200, 30, 30, 255)), picture("P", 3)]
)
async def test_pictures_stay_what_they_were(original, wanted):
    made = await converted(original, wanted)
    assert made.media_type == sniff(made.data) == MEDIA_TYPES[wanted]
    assert max(abs(a - b) for a, b in zip(pixel(made), pixel(original), strict=True)) <= 12


async def test_deep_gray_keeps_its_shades():
    target = io.BytesIO()
    shades = Image.new("I;16", (4, 1))
    shades.putdata([0, 16384, 32768, 65535])
    shades.save(target, "PNG")
    made = await converted(Media(target.getvalue(), "image/png"), "webp")
    values = [Image.open(io.BytesIO(made.data)).convert("L").getpixel((x, 0)) for x in range(4)]
    assert all(abs(value - wanted) < 24 for value, wanted in zip(values, [0, 64, 128, 255], strict=True)), values


async def test_a_profile_of_other_channels_is_left_out():
    made = await converted(picture("CMYK", (0, 200, 200, 0), "JPEG", icc_profile=b"profile of four channels"), "png")
    assert "icc_profile" not in Image.open(io.BytesIO(made.data)).info


async def test_sound_without_samples_is_refused():
    empty = spoken().data[:44]
    with pytest.raises(ConversionFailed):
        await converted(Media(empty, "audio/wav"), "mp3")


async def test_transparency_becomes_white_where_there_is_none():
    assert pixel(await converted(picture("RGBA", (200, 30, 30, 0)), "jpeg")) == (255, 255, 255)


async def test_what_has_the_format_stays_untouched():
    original = spoken()
    assert await converted(original, "wav") is original


async def test_a_turned_picture_is_turned_for_good():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    made = await converted(picture(form="JPEG", exif=exif), "png")
    assert Image.open(io.BytesIO(made.data)).size == (20, 40)


@pytest.mark.parametrize(
    ("media", "wanted"),
    [
        (Media(b"RIFF....WAVEgarbage", "audio/wav"), "mp3"),
        (Media(picture().data[:60], "image/png"), "webp"),
        (Media(b"\x89PNG\r\n\x1a\n", "image/png"), "jpeg"),
    ],
)
async def test_what_cannot_be_decoded_is_refused(media, wanted):
    with pytest.raises(ConversionFailed):
        await converted(media, wanted)


async def test_a_bomb_is_refused_before_it_is_decoded():
    target = io.BytesIO()
    Image.new("1", (20_000, 10_000)).save(target, "PNG")
    with pytest.raises(ConversionFailed, match=r"megapixels|exceeds limit"):
        await converted(Media(target.getvalue(), "image/png"), "webp")


def silence(container, codec, rate=48_000):
    """Half a second of it."""
    target = io.BytesIO()
    with av.open(target, "w", format=container) as sink:
        stream = sink.add_stream(codec, rate=rate, layout="stereo")
        frame = av.AudioFrame(stream.format.name, "stereo", rate // 2)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate, frame.pts = rate, 0
        sink.mux(stream.encode(frame))
        sink.mux(stream.encode(None))
    return target.getvalue()


async def test_an_ogg_file_of_another_codec_is_no_opus():
    flac = silence("ogg", "flac")
    made = await converted(Media(flac, sniff(flac)), "opus")
    with av.open(io.BytesIO(made.data)) as container:
        assert container.streams.audio[0].codec_context.name in ("opus", "libopus")
    assert await converted(made, "opus") is made


async def test_two_files_in_one_are_converted_to_their_end():
    one = await converted(spoken(), "mp3")
    for wanted in ("wav", "opus"):
        both = await converted(Media(one.data * 2, "audio/mpeg"), wanted)
        assert tone(both)[0] == pytest.approx(2 * tone(spoken())[0], rel=0.15)


async def test_a_codec_that_is_not_known_is_said_to_be():
    data = bytearray(spoken().data)
    data[20:22] = b"\x34\x12"
    with pytest.raises(ConversionFailed, match="Decoder not found"):
        await converted(Media(bytes(data), "audio/wav"), "mp3")
