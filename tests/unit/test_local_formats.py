"""Forms, WAV files, pictures and chat requests: what the offline server reads and writes."""

import io
import json
import wave

import av
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from genesis.providers.local.server.audio import decode_audio, wav_bytes
from genesis.providers.local.server.errors import RequestError
from genesis.providers.local.server.form import read_form
from genesis.providers.local.server.generation import Body, read_json
from genesis.providers.local.server.image import ImageRequest
from genesis.providers.local.server.pictures import decode_picture, png_bytes
from genesis.providers.local.server.text import ChatRequest, llama_request

FORM = "multipart/form-data; boundary=b"


def part(head: str, content: bytes) -> bytes:
    return b"--b\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + content + b"\r\n"


def test_a_form_gives_fields_and_files_byte_for_byte() -> None:
    binary = b"\r\n--x\x00\xff--\r\n\r\n"
    form = read_form(
        FORM, part('name="style"', "blå".encode()) + part('name="image"; filename="ü.png"', binary) + b"--b--\r\n"
    )
    assert form.fields == {"style": "blå"}
    assert form.file("image") == binary


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b""),
        (FORM, b""),
        (FORM, b"--b\r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n"),
        (FORM, b"--b\r\nno headers\r\n--b--"),
        (FORM, part("filename=x", b"1") + b"--b--"),
        (FORM, part("name=x", b"1") * 60 + b"--b--"),
    ],
)
def test_a_broken_form_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(RequestError, match=r"form|multipart"):
        read_form(content_type, body)


def test_a_form_without_the_file_is_refused() -> None:
    with pytest.raises(RequestError, match="'image'"):
        read_form(FORM, part("name=x", b"1") + b"--b--").file("image")


def test_a_wav_file_says_what_it_is_and_clips_nothing_around() -> None:
    samples = np.array([0, 0.5, -0.5, 1, -1, 7], dtype=np.float32)
    with wave.open(io.BytesIO(wav_bytes(samples, 22_050))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes()) == (1, 2, 22_050, 6)
        assert list(np.frombuffer(file.readframes(6), "<i2")) == [0, 16384, -16384, 32767, -32767, 32767]


def test_audio_is_decoded_at_the_rate_that_is_asked_for() -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(44_100) / 44_100).astype(np.float32)
    decoded = decode_audio(wav_bytes(tone, 44_100), 16_000)
    assert decoded.dtype == np.float32
    assert abs(len(decoded) - 16_000) < 50
    assert 0.45 < np.abs(decoded).max() < 0.55


@pytest.mark.parametrize("data", [b"", b"no audio", b"RIFF\x00\x00\x00\x00WAVEfmt ", b"\x00" * 5000])
def test_what_is_no_audio_is_refused(data: bytes) -> None:
    with pytest.raises(RequestError, match="decoded as audio"):
        decode_audio(data, 16_000)


def recording(container: str, codec: str) -> bytes:
    """A second of a tone."""
    target = io.BytesIO()
    with av.open(target, "w", format=container) as output:
        stream = output.add_stream(codec, rate=48_000, layout="mono")
        assert isinstance(stream, av.AudioStream)
        tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(tone[None], format="s16", layout="mono")
        frame.sample_rate = 48_000
        resampler = av.AudioResampler(format=stream.codec_context.format, layout="mono", rate=48_000)
        fifo = av.AudioFifo()
        for resampled in resampler.resample(frame):
            fifo.write(resampled)
        for part in fifo.read_many(stream.codec_context.frame_size or 1024, partial=False):
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return target.getvalue()


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("wav", "pcm_s16le"),
        ("mp3", "libmp3lame"),
        ("ogg", "libopus"),
        ("flac", "flac"),
        ("ipod", "aac"),
        ("mp4", "aac"),
        ("webm", "libopus"),
        ("adts", "aac"),
    ],
)
@pytest.mark.parametrize("tag", [b"", b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128)])
def test_every_kind_of_audio_is_decoded(container: str, codec: str, tag: bytes) -> None:
    if tag and container not in {"mp3", "flac", "adts"}:
        tag = b""  # only bare frames may follow a tag
    assert abs(len(decode_audio(tag + recording(container, codec), 16_000)) - 16_000) < 1200


SESSION = b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n"
TAG = b"ID3\x04\x00\x00\x00\x00\x00\x00"


@pytest.mark.parametrize(
    "data", [SESSION, TAG + SESSION, PLAYLIST, TAG + PLAYLIST, b"ffconcat version 1.0\nfile '/etc/hostname'\n"]
)
def test_data_cannot_choose_what_reads_it(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    formats = []
    real = av.open

    def watched(*arguments: object, **named: object) -> object:
        formats.append(named["format"])
        return real(*arguments, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(av, "open", watched)
    with pytest.raises(RequestError, match="decoded as audio"):
        decode_audio(data, 16_000)
    assert set(formats) <= {"mp3"}


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def test_a_picture_is_made_upright_opaque_and_small_enough() -> None:
    rotated = Image.Exif()
    rotated[0x0112] = 6
    assert decode_picture(encoded(Image.new("RGB", (60, 40)), "JPEG", exif=rotated), 100).size == (40, 60)
    assert decode_picture(encoded(Image.new("RGB", (400, 200)), "PNG"), 100).size == (100, 50)
    flat = decode_picture(encoded(Image.new("RGBA", (40, 40), (0, 0, 0, 0)), "PNG"), 100)
    assert (flat.mode, flat.getpixel((0, 0))) == ("RGB", (255, 255, 255))
    indexed = Image.new("P", (40, 40))
    assert decode_picture(encoded(indexed, "GIF", transparency=0), 100).getpixel((0, 0)) == (255, 255, 255)
    assert decode_picture(encoded(Image.new("I;16", (40, 40)), "PNG"), 100).mode == "RGB"


def test_a_picture_bomb_is_refused_before_it_is_decoded() -> None:
    for size in ((20_000, 20_000), (8_000, 8_000)):
        with pytest.raises(RequestError, match="the limit is 40000000") as raised:
            decode_picture(encoded(Image.new("1", size), "PNG"), 100)
        assert raised.value.code == "image_too_large"
        assert "bomb" not in raised.value.message


def test_a_picture_with_a_bomb_of_text_is_refused_in_our_words() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "x" * 3_000_000, zip=True)
    with pytest.raises(RequestError, match="decoded as an image") as raised:
        decode_picture(encoded(Image.new("RGB", (8, 8)), "PNG", pnginfo=text), 100)
    assert "Plugin" not in raised.value.message


@pytest.mark.parametrize("size", [(20_000, 1), (20_000, 40), (31, 31)])
def test_a_picture_that_is_too_narrow_is_told_by_its_own_size(size: tuple[int, int]) -> None:
    for kind in ("PNG", "JPEG"):
        with pytest.raises(RequestError, match=f"{size[0]}x{size[1]}") as raised:
            decode_picture(encoded(Image.new("RGB", size), kind), 1536, shortest_side=32)
        assert raised.value.code == "image_too_small"
    assert decode_picture(encoded(Image.new("RGB", (32, 1536)), "PNG"), 1536, shortest_side=32).size == (32, 1536)


@pytest.mark.parametrize("broken", [b"", b"no picture", b"<svg/>", b"\x89PNG\r\n\x1a\n" + b"\x00" * 40])
def test_what_is_no_picture_is_refused(broken: bytes) -> None:
    with pytest.raises(RequestError, match="decoded as an image"):
        decode_picture(broken, 100)


def test_a_truncated_picture_is_refused() -> None:
    noise = Image.effect_noise((200, 200), 80)
    for kind in ("PNG", "JPEG"):
        data = encoded(noise, kind)
        with pytest.raises(RequestError, match="decoded as an image"):
            decode_picture(data[: len(data) // 2], 100)


def test_a_png_tells_what_made_it() -> None:
    with Image.open(io.BytesIO(png_bytes(Image.new("RGB", (8, 8)), {"Comment": "a “fox” 🦊"}))) as picture:
        assert picture.info == {"Software": "Genesis", "Comment": "a “fox” 🦊"}


def test_a_chat_request_gets_defaults_where_nothing_is_given() -> None:
    request = read_json(
        ChatRequest, Body("", b'{"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}]}')
    )
    assert llama_request(request) == {
        "temperature": 0.2,
        "top_p": 0.9,
        "min_p": 0.05,
        "repeat_penalty": 1.15,
        "messages": [{"role": "user", "content": "a"}],
        "max_tokens": 512,
        "cache_prompt": False,
    }
    given = {"temperature": 0, "top_p": 1, "seed": 3, "stop": ["\n"], "max_tokens": 99_999}
    body = json.dumps({"messages": [{"role": "user", "content": "a"}], **given}).encode()
    assert llama_request(read_json(ChatRequest, Body("", body))).items() >= {**given, "max_tokens": 2048}.items()


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages.0.role"),
        ({"temperature": 3}, "temperature"),
        ({"seed": -1}, "seed"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"stream": 3}, "stream"),
        ({"tools": []}, "tools"),
    ],
)
def test_a_wrong_field_is_named(more: dict[str, object], param: str) -> None:
    document = {"messages": [{"role": "user", "content": "a"}], **more}
    with pytest.raises(RequestError) as caught:
        read_json(ChatRequest, Body("", json.dumps(document).encode()))
    assert caught.value.param == param
    assert caught.value.document()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"\xff", b'{"prompt": " "}', b'{"prompt": "x", "quality": "ultra"}']
)
def test_a_broken_body_is_refused(data: bytes) -> None:
    with pytest.raises(RequestError):
        read_json(ImageRequest, Body("", data))
