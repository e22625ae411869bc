"""A file that arrives in pieces is of the type that the whole is of, however it is cut."""

import tracemalloc
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genesis.net.media import HEAD_BYTES, ISO_MEDIA, Sniffer, family_of, sniff
from tests.support.samples import film, picture, sound, wav

ID3_OF_A_PICTURE = b"ID3\x04\x00\x00" + bytes((0, 5, 0, 0)) + bytes(5 << 14)  # 80 KiB, more than the head
FREE = (200_000).to_bytes(4, "big") + b"free" + bytes(200_000 - 8)  # a box that says nothing


@cache
def files() -> tuple[bytes, ...]:
    music, clip = sound("mp4", "aac"), film("mp4", "mpeg4")
    start = int.from_bytes(music[:4], "big")
    return (
        *(picture(form) for form in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")),
        wav(),
        music,  # its tracks are told at its end
        clip,
        music[:start] + FREE + music[start:],
        clip[: int.from_bytes(clip[:4], "big")] + FREE + clip[int.from_bytes(clip[:4], "big") :],
        music + clip,
        sound("ipod", "aac"),
        sound("webm", "libopus"),
        film("webm", "libvpx"),
        sound("mp3", "libmp3lame"),
        sound("flac", "flac"),
        ID3_OF_A_PICTURE + sound("flac", "flac"),
        ID3_OF_A_PICTURE + sound("adts", "aac"),
        ID3_OF_A_PICTURE[:1000],
        b"<!doctype html>" + b"x" * 100_000,
        b"AAAAftypisom hdlrhdlr12345678videsounhdlr....\nxxxsoun" * 3,
        b"",
        b"ID3",
        bytes(100_000),
    )


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def fed(pieces: list[bytes]) -> Sniffer:
    sniffer = Sniffer()
    for piece in pieces:
        sniffer.feed(piece)
    return sniffer


@settings(max_examples=300, deadline=None)
@given(number=st.integers(0, 25), places=st.lists(st.integers(0, 1 << 20), max_size=40))
def test_any_cut_gives_the_type_of_the_whole(number: int, places: list[int]) -> None:
    data = files()[number % len(files())]
    assert fed(cut(data, places)).media_type == sniff(data)


@settings(max_examples=300, deadline=None)
@given(
    start=st.sampled_from(
        [b"", b"\x00\x00\x00\x18ftypisom", b"\x00\x00\x00\x18ftypM4A ", b"ID3\x04\x00\x00", b"\xff\xfb"]
    ),
    parts=st.lists(st.sampled_from([b"hdlr", b"12345678", b"vide", b"soun", b"\x00", b"fLaC", b"abc"]), max_size=40),
    places=st.lists(st.integers(0, 300), max_size=20),
)
def test_pieces_of_handlers(start: bytes, parts: list[bytes], places: list[int]) -> None:
    data = start + b"".join(parts)
    assert fed(cut(data, places)).media_type == sniff(data)


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=400), places=st.lists(st.integers(0, 400), max_size=20))
def test_any_bytes(data: bytes, places: list[int]) -> None:
    assert fed(cut(data, places)).media_type == sniff(data)


@pytest.mark.parametrize("data", files(), ids=lambda data: repr(data[:12]))
def test_byte_by_byte(data: bytes) -> None:
    data = data[:20_000]
    assert fed([data[at : at + 1] for at in range(len(data))]).media_type == sniff(data)


def test_the_head_tells_before_the_end() -> None:
    sniffer = Sniffer()
    page = b"<html>" + b"x" * HEAD_BYTES
    sniffer.feed(page[: HEAD_BYTES - 1])
    assert sniffer.head_type is None
    sniffer.feed(page[HEAD_BYTES - 1 :])
    assert sniffer.head_type == "text/html"


@pytest.mark.parametrize(
    ("data", "head_type"),
    [
        (picture("PNG") + bytes(HEAD_BYTES), "image/png"),
        (bytes(2 * HEAD_BYTES), ""),
        (sound("mp4", "aac") + bytes(HEAD_BYTES), "audio/mp4"),
        (film("mp4", "mpeg4") + bytes(HEAD_BYTES), "video/mp4"),
        (sound("ipod", "aac") + bytes(HEAD_BYTES), "audio/mp4"),
        (ID3_OF_A_PICTURE, "audio/mpeg"),
    ],
)
def test_what_the_head_tells(data: bytes, head_type: str) -> None:
    assert fed([data[:HEAD_BYTES]]).head_type == head_type


@pytest.mark.parametrize(("data", "media_type"), [(files()[10], "audio/mp4"), (files()[11], "video/mp4")])
def test_tracks_that_come_at_the_end(data: bytes, media_type: str) -> None:
    sniffer = fed([data[:100_000]])
    assert sniffer.head_type == ISO_MEDIA
    assert family_of(sniffer.media_type) is None
    sniffer.feed(data[100_000:])
    assert (sniffer.head_type, sniffer.media_type) == (media_type, media_type)


@pytest.mark.parametrize("start", [b"", b"\x00\x00\x00\x18ftypisom", b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f"])
def test_it_keeps_little(start: bytes) -> None:
    piece = bytes(1 << 16)
    sniffer = fed([start])
    tracemalloc.start()
    for _ in range(400):
        sniffer.feed(piece)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * HEAD_BYTES
