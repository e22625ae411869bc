"""Media types are found in real files, made by Pillow and FFmpeg, and not in files that are dressed up."""

import struct

import pytest
from PIL import Image

from genesis.net.media import AUDIO_TYPES, IMAGE_TYPES, extension, family_of, sniff
from tests.support.samples import film, picture, sound, wav


@pytest.mark.parametrize(
    ("form", "media_type"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("WEBP", "image/webp"),
        ("GIF", "image/gif"),
        ("BMP", "image/bmp"),
        ("TIFF", "image/tiff"),
        ("AVIF", "image/avif"),
    ],
)
def test_images(form: str, media_type: str) -> None:
    assert sniff(picture(form)) == media_type


def test_animations_are_images() -> None:
    frames = [Image.new("RGB", (8, 8), (0, 0, shade)) for shade in (10, 200)]
    assert sniff(picture("PNG", save_all=True, append_images=frames)) == "image/png"
    assert sniff(picture("WEBP", save_all=True, append_images=frames)) == "image/webp"
    assert sniff(picture("WEBP", lossless=True)) == "image/webp"
    sequence = picture("AVIF", save_all=True, append_images=frames)
    assert sequence[8:12] == b"avis"
    assert sniff(sequence) == "image/avif"


@pytest.mark.parametrize(
    ("container", "codec", "media_type"),
    [
        ("wav", "pcm_s16le", "audio/wav"),
        ("mp3", "libmp3lame", "audio/mpeg"),
        ("ogg", "libopus", "audio/ogg"),
        ("opus", "libopus", "audio/ogg"),
        ("flac", "flac", "audio/flac"),
        ("ipod", "aac", "audio/mp4"),
        ("mp4", "aac", "audio/mp4"),
        ("webm", "libopus", "audio/webm"),
        ("adts", "aac", "audio/aac"),
    ],
)
def test_audio(container: str, codec: str, media_type: str) -> None:
    assert sniff(sound(container, codec)) == media_type


def test_mp3_without_a_tag() -> None:
    data = sound("mp3", "libmp3lame", id3v2_version="0", write_xing="0")
    assert data[0] == 0xFF
    assert sniff(data) == "audio/mpeg"


@pytest.mark.parametrize("second", [0xFB, 0xFA, 0xF3, 0xF2, 0xE3, 0xE2])
def test_mp3_frames_of_every_version(second: int) -> None:
    assert sniff(bytes((0xFF, second, 0x90, 0x64)) + bytes(400)) == "audio/mpeg"


@pytest.mark.parametrize(("codec", "media_type"), [("flac", "audio/flac"), ("aac", "audio/aac")])
def test_a_tag_before_other_audio(codec: str, media_type: str) -> None:
    tag = b"ID3\x04\x00\x00" + bytes((0, 0, 1, 0)) + bytes(128)
    assert sniff(tag + sound("adts" if codec == "aac" else "flac", codec)) == media_type


def test_fragmented_mp4() -> None:
    assert sniff(sound("mp4", "aac", movflags="frag_keyframe+empty_moov")) == "audio/mp4"


@pytest.mark.parametrize(
    ("container", "codec", "media_type"),
    [("mp4", "mpeg4", "video/mp4"), ("webm", "libvpx", "video/webm")],
)
def test_films_are_not_audio(container: str, codec: str, media_type: str) -> None:
    assert sniff(film(container, codec)) == media_type
    assert family_of(media_type) is None


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"<!DOCTYPE html><html>", "text/html"),
        (b"\xef\xbb\xbf \n<HTML><body>", "text/html"),
        (b"<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0'>", "text/html"),
        (b"<!-- a note -->\n<title>Sign in</title>", "text/html"),
        (b"<p>No such file</p>", "text/html"),
        (b"<Path/>", "application/xml"),
        (b"<!-- never ends", "application/xml"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        (b"<?xml version='1.0'?>\n<!-- x --><svg/>", "image/svg+xml"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "application/xml"),
        (b'{"error": "not found"}', "application/json"),
        (b"Not found", "text/plain"),
        ("überall".encode() * 2000, "text/plain"),
        (b"OggS\x00\x02" + bytes(22) + b"\x80theora", "video/ogg"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "application/pdf"),
        (b"PK\x03\x04" + bytes((20, 0)) + bytes(60), "application/zip"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "image/heic"),
        (b"", ""),
        (bytes(64), ""),
        (bytes(range(128, 160)) * 4, ""),
    ],
)
def test_other_content(data: bytes, media_type: str) -> None:
    assert sniff(data) == media_type
    assert family_of(media_type) is None


@pytest.mark.parametrize(
    "data",
    [
        b"GIF is a format of images",
        b"BMP is another one, of many more bytes",
        b"\xff\xfe" + "text in UTF-16".encode("utf-16-le"),
        b"\xff\xfb\xf0\x00" + bytes(64),
        b"\xff\xfb\x00\x00" + bytes(64),
        b"\xff\xf1\xfc\x00" + bytes(64),
        b"RIFF\x00\x00\x00\x00AVI LIST" + bytes(64),
        b"RIFF\x00\x00\x00\x00" + bytes(64),
        b"\x89PNG",
        b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isom" + bytes(64),
        b"\x00\x00\x00\x18ftypavix\x00\x00\x00\x00avix" + bytes(64),
        b"ftypavif" + bytes(64),
        b"ID3\x04\x00\x00\xff\xff\xff\xff" + bytes(64),
    ],
)
def test_a_likeness_is_not_enough(data: bytes) -> None:
    assert family_of(sniff(data)) is None


def test_every_beginning_of_a_file_is_bearable() -> None:
    for data in (picture("PNG"), picture("BMP"), wav(), sound("ipod", "aac"), sound("webm", "libopus")):
        for length in range(64):
            assert isinstance(sniff(data[:length]), str)


def test_bmp_of_every_header() -> None:
    for size in (12, 40, 108, 124):
        assert sniff(b"BM" + bytes(12) + struct.pack("<I", size) + b"\xff" * 40) == "image/bmp"


def test_extensions_are_distinct_and_safe() -> None:
    names = {extension(media_type) for media_type in IMAGE_TYPES | AUDIO_TYPES}
    assert len(names) == len(IMAGE_TYPES) + len(AUDIO_TYPES)
    assert all(name.isalnum() and name.islower() for name in names)
    assert extension("image/jpeg") == "jpg"
    assert extension("image/avif") == "avif"
    assert extension("audio/mpeg") == "mp3"
    assert extension("text/html") == "bin"
    assert extension("") == "bin"


def test_families() -> None:
    assert {family_of(media_type) for media_type in IMAGE_TYPES} == {"image"}
    assert {family_of(media_type) for media_type in AUDIO_TYPES} == {"audio"}
    assert family_of("image/svg+xml") is None
