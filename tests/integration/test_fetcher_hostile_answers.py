"""What a server may answer a fetcher to harm it, one row each; `architecture/05-files.md` has the table."""

import asyncio
import gzip
import struct
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest
from aiohttp import web
from PIL import Image, PngImagePlugin

from genesis.files.examiner import Examiner
from genesis.net import fetcher as fetcher_module
from genesis.net.fetcher import FetchInterrupted, GuardedFetcher
from genesis.net.media import Family
from tests.support.samples import film, picture
from tests.support.sites import (
    LIMIT,
    PLENTY,
    PNG,
    WAV,
    Names,
    endless,
    local_fetcher,
    raw,
    refusal,
    serves,
    site,
)

MOST_TAKEN = 16 * 1024 * 1024
"""What buffers of the loopback interface may take before a server notices that nobody reads."""
IMPATIENT = 0.5
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
PAGE = b"<!doctype html><script>alert(1)</script>"


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        pytest.param(b"", b"", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: ", b"a", id="head"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"", id="head-that-stops"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", b"\x89", id="body"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n\x89PNG", b"", id="body-that-stops"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n\x89\r\n", id="chunks"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0", id="size-of-a-chunk"),
        pytest.param(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"\x89", id="body-without-length"),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="interim-answers"),
    ],
)
async def test_slow_answers(start: bytes, piece: bytes) -> None:
    """Something comes every moment, the file never does: the time counts as a whole."""
    async with endless(start, piece, pause=0.02) as server:
        said = await refusal(local_fetcher(IMPATIENT), f"http://127.0.0.1:{server.port}/")
    assert f"within {IMPATIENT:g} seconds" in said


async def test_slow_redirects() -> None:
    async def slow(request: web.Request) -> web.Response:
        await asyncio.sleep(IMPATIENT / 2.5)
        return web.Response(status=302, headers={"Location": "/again"})

    async with site(slow) as server:
        assert f"within {IMPATIENT:g}" in await refusal(server.fetcher(timeout=IMPATIENT), server.url("/"))


async def test_slow_names() -> None:
    async def never(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    fetcher = GuardedFetcher(max_bytes=LIMIT, timeout_seconds=IMPATIENT, resolve=never)
    assert f"within {IMPATIENT:g}" in await refusal(fetcher, "https://slow.test/")


async def test_slow_tls() -> None:
    async with endless(b"", b"") as server:
        said = await refusal(local_fetcher(IMPATIENT), f"https://127.0.0.1:{server.port}/")
    assert f"within {IMPATIENT:g}" in said


async def test_many_slow_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """They hold up to so many fetches; others are told, and results of providers wait for none of them."""
    monkeypatch.setattr(fetcher_module, "MOST_AT_ONCE", 2)
    asked = 0
    release = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        nonlocal asked
        if request.path == "/slow":
            asked += 1
            await release.wait()
        return web.Response(body=PNG)

    async with site(handler) as server:
        slow = [asyncio.create_task(server.fetcher().fetch(server.url("/slow"), accept="image")) for _ in range(5)]
        while asked < 2:
            await asyncio.sleep(0.01)
        with pytest.raises(FetchInterrupted, match="Too many"):
            await server.fetcher(timeout=IMPATIENT).fetch(server.url(), accept="image")
        assert asked == 2
        of_a_provider = GuardedFetcher(
            max_bytes=LIMIT,
            timeout_seconds=PLENTY,
            allowed_hosts=("files.test",),
            limited=False,
            resolve=Names(files_test=[["127.0.0.1"]]),
        )
        assert (await of_a_provider.fetch(server.url(), accept="image")).data == PNG
        release.set()
        assert {one.data for one in await asyncio.gather(*slow)} == {PNG}
        assert asked == 5


HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        pytest.param(HEAD + b"Content-Length: 5000\r\n\r\n" + PNG, "broke off", id="longer-than-the-body"),
        pytest.param(
            HEAD + b"Content-Length: %d\r\n\r\n" % len(PNG) + PNG + bytes(99), "valid HTTP", id="shorter-than-the-body"
        ),
        pytest.param(HEAD + b"Content-Length: 0\r\n\r\n" + PNG, "valid HTTP", id="zero"),
        pytest.param(HEAD + b"Content-Length: -1\r\n\r\n" + PNG, "valid HTTP", id="negative"),
        pytest.param(HEAD + b"Content-Length: 0x10\r\n\r\n" + PNG, "valid HTTP", id="hexadecimal"),
        pytest.param(HEAD + b"Content-Length: 100001\r\n\r\n", "larger than", id="above-the-limit"),
        pytest.param(HEAD + b"Content-Length: 9999999999999999999999\r\n\r\n", "valid HTTP", id="overflow"),
        pytest.param(
            HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + PNG, "valid HTTP", id="two-that-differ"
        ),
        pytest.param(
            HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "valid HTTP", id="and-chunks"
        ),
        pytest.param(CHUNKED + b"4\r\n\x89PNG\r\n", "broke off", id="chunks-that-never-end"),
        pytest.param(CHUNKED + b"ff\r\n\x89PNG\r\n0\r\n\r\n", "broke off", id="chunk-longer-than-it-is"),
        pytest.param(CHUNKED + b"2\r\n\x89PNG\r\n0\r\n\r\n", "valid HTTP", id="chunk-shorter-than-it-is"),
        pytest.param(CHUNKED + b"fffffffffffffffff\r\n\x89PNG\r\n", "valid HTTP", id="chunk-size-overflow"),
        pytest.param(CHUNKED + b"-1\r\n\x89PNG\r\n", "valid HTTP", id="chunk-size-negative"),
    ],
)
async def test_lengths_that_lie(answer: bytes, says: str) -> None:
    async with raw(answer) as port:
        said = await refusal(local_fetcher(), f"http://127.0.0.1:{port}/")
    assert says in said or (says == "valid HTTP" and "broke off" in said)


@pytest.mark.parametrize(
    ("start", "piece", "says"),
    [
        pytest.param(HEAD + b"Content-Length: 1000000000000\r\n\r\n", bytes(4096), "larger than", id="announced-body"),
        pytest.param(HEAD + b"Connection: close\r\n\r\n" + PNG, bytes(4096), "larger than", id="body-without-length"),
        pytest.param(CHUNKED + b"43\r\n" + PNG[:67] + b"\r\n", b"1000\r\n" + bytes(4096) + b"\r\n", "", id="chunks"),
        pytest.param(HEAD, b"X: y\r\n", "valid HTTP", id="fields"),
        pytest.param(HEAD + b"X: ", b"a" * 4096, "valid HTTP", id="field"),
        pytest.param(b"HTTP/1.1 200 ", b"O" * 4096, "valid HTTP", id="status-line"),
        pytest.param(CHUNKED + b"1;", b"x" * 4096, "", id="chunk-extension"),
        pytest.param(CHUNKED + b"0\r\n", b"X: y\r\n", "", id="trailers"),
        pytest.param(HEAD + b"Connection: close\r\n\r\n", PAGE * 100, "text/html", id="page"),
        pytest.param(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", "within", id="interim-answers"),
    ],
)
async def test_endless_answers(start: bytes, piece: bytes, says: str) -> None:
    """They are not taken for longer than it takes to see what they are."""
    async with endless(start, piece) as server:
        said = await refusal(local_fetcher(2.0), f"http://127.0.0.1:{server.port}/")
    assert says in said
    assert server.taken < MOST_TAKEN or "within" in said


@pytest.mark.parametrize(
    ("data", "content_type", "path", "accept", "says"),
    [
        pytest.param(SVG, "image/png", "/a.png", "image", "image/svg+xml", id="svg-as-png"),
        pytest.param(SVG, "image/svg+xml", "/a.svg", "image", "image/svg+xml", id="svg-as-itself"),
        pytest.param(
            b"\xef\xbb\xbf<?xml version='1.0'?>\n" + SVG, "image/png", "/a", "image", "svg", id="svg-with-prolog"
        ),
        pytest.param(b"<!-- PNG -->" + SVG, "image/png", "/a.png", "image", "svg", id="svg-with-comment"),
        pytest.param(gzip.compress(SVG), "image/png", "/a.svgz", "image", "gzip", id="svg-compressed"),
        pytest.param(PAGE, "image/png", "/a.png", "image", "text/html", id="page-as-png"),
        pytest.param(PAGE, "audio/mpeg", "/a.mp3", "audio", "text/html", id="page-as-mp3"),
        pytest.param(b"<p>x</p>" + PNG, "image/png", "/a.png", "image", "not to an image", id="page-with-png-inside"),
        pytest.param(PNG, "text/html; charset=utf-8", "/a.png", "image", "text/html", id="png-as-page"),
        pytest.param(PNG, "image/svg+xml", "/a.png", "image", "svg", id="png-as-svg"),
        pytest.param(PNG, "application/xhtml+xml", "/a.png", "image", "xhtml", id="png-as-xhtml"),
        pytest.param(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "image/png", "/a.png", "image", "pdf", id="pdf-as-png"),
        pytest.param(b"PK\x03\x04\x14\x00" + bytes(60), "image/png", "/a.png", "image", "zip", id="zip-as-png"),
        pytest.param(b"\x7fELF" + bytes(60), "image/png", "/a.png", "image", "not to an image", id="program-as-png"),
        pytest.param(b"#EXTM3U\nfile:///etc/passwd", "audio/mpeg", "/a", "audio", "text", id="playlist-as-mp3"),
        pytest.param(film("mp4", "mpeg4"), "audio/mp4", "/a.m4a", "audio", "video/mp4", id="film-as-audio"),
        pytest.param(WAV, "image/png", "/a.png", "image", "audio/wav", id="audio-as-image"),
        pytest.param(PNG, "audio/wav", "/a.wav", "audio", "image/png", id="image-as-audio"),
        pytest.param(b"GIF", "image/gif", "/a.gif", "image", "not to an image", id="half-a-signature"),
        pytest.param(b"", "image/png", "/a.png", "image", "empty", id="nothing"),
    ],
)
async def test_disguises(data: bytes, content_type: str, path: str, accept: Family, says: str) -> None:
    async with site(serves(data, content_type)) as server:
        assert says in await refusal(server.fetcher(), server.url(path), accept)


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        pytest.param("gzip", gzip.compress(bytes(50_000_000)), id="gzip"),
        pytest.param("x-gzip", gzip.compress(bytes(50_000_000)), id="x-gzip"),
        pytest.param("deflate", zlib.compress(bytes(50_000_000)), id="deflate"),
        pytest.param("gzip, gzip", gzip.compress(gzip.compress(bytes(50_000_000))), id="twice"),
        pytest.param("br", bytes(1000), id="brotli"),
        pytest.param("zstd", bytes(1000), id="zstandard"),
        pytest.param("IDENTITY, gzip", gzip.compress(PNG), id="hidden-in-a-list"),
    ],
)
async def test_compressed_answers(encoding: str, data: bytes) -> None:
    async with site(serves(data, Content_Encoding=encoding)) as server:
        assert "compressed" in await refusal(server.fetcher(), server.url())


async def test_compressed_transfer() -> None:
    data = gzip.compress(PNG + bytes(50_000_000))
    chunk = f"{len(data):x}\r\n".encode() + data + b"\r\n0\r\n\r\n"
    async with raw(HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + chunk) as port:
        said = await refusal(local_fetcher(), f"http://127.0.0.1:{port}/")
    assert "gzip" in said or "valid HTTP" in said


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = ((b"IHDR", head), *chunks, (b"IDAT", zlib.compress(bytes(100_000))), (b"IEND", b""))
    packed = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in body
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def jpeg(width: int, height: int) -> bytes:
    data = bytearray(picture("JPEG"))
    size = data.index(b"\xff\xc0") + 5
    data[size : size + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def gif(width: int, height: int) -> bytes:
    data = bytearray(picture("GIF"))
    data[6:10] = struct.pack("<HH", width, height)
    return bytes(data)


def animation(form: str, frames: int) -> bytes:
    shades = [
        Image.new("RGB", (8, 8), (number % 7 * 36, number % 11 * 23, number % 13 * 19)) for number in range(frames)
    ]
    return picture(form, save_all=True, append_images=shades)


def texts() -> bytes:
    info = PngImagePlugin.PngInfo()
    for number in range(80):
        info.add_text(f"note {number}", "a" * 1_000_000, zip=True)
    return picture("PNG", pnginfo=info)


def looping_tiff() -> bytes:
    """The directory of its one page says that it is the next."""
    data = bytearray(picture("TIFF"))
    directory = int.from_bytes(data[4:8], "little")
    entries = int.from_bytes(data[directory : directory + 2], "little")
    end = directory + 2 + 12 * entries
    data[end : end + 4] = directory.to_bytes(4, "little")
    return bytes(data)


@pytest.fixture
async def examiner() -> AsyncIterator[Examiner]:
    opened = Examiner()
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    ("made", "media_type", "says"),
    [
        pytest.param(lambda: png(50_000, 50_000), "image/png", "megapixels", id="png-of-50000-by-50000"),
        pytest.param(lambda: png(12_000, 12_000), "image/png", "megapixels", id="png-of-144-megapixels"),
        pytest.param(lambda: png(2**31 - 1, 2**31 - 1), "image/png", "megapixels", id="png-of-2-billion-by-2-billion"),
        pytest.param(lambda: png(0, 0), "image/png", "image", id="png-of-nothing"),
        pytest.param(lambda: jpeg(65_500, 65_500), "image/jpeg", "megapixels", id="jpeg-of-65500-by-65500"),
        pytest.param(lambda: gif(65_535, 65_535), "image/gif", "megapixels", id="gif-of-65535-by-65535"),
        pytest.param(lambda: animation("GIF", 2500), "image/gif", "1,000 frames", id="gif-of-2500-frames"),
        pytest.param(lambda: animation("WEBP", 1200), "image/webp", "1,000 frames", id="webp-of-1200-frames"),
        pytest.param(lambda: animation("PNG", 1200), "image/png", "1,000 frames", id="png-of-1200-frames"),
        pytest.param(lambda: animation("TIFF", 1200), "image/tiff", "1,000 frames", id="tiff-of-1200-pages"),
        pytest.param(looping_tiff, "image/tiff", "", id="tiff-whose-pages-loop"),
        pytest.param(
            lambda: png(8, 8, (b"iCCP", b"x\0\0" + zlib.compress(bytes(200_000_000)))),
            "image/png",
            "image",
            id="profile-bomb",
        ),
        pytest.param(
            lambda: png(8, 8, (b"zTXt", b"x\0\0" + zlib.compress(bytes(200_000_000)))),
            "image/png",
            "image",
            id="text-bomb",
        ),
        pytest.param(texts, "image/png", "image", id="many-texts"),
    ],
)
async def test_media_bombs(
    made: Callable[[], bytes], media_type: str, says: str, examiner: Examiner, tmp_path: Path
) -> None:
    """The fetcher opens no file. Whoever does has limits, and the problem is a sentence in the file's record."""
    data = made()
    async with site(serves(data, media_type)) as server:
        fetcher = GuardedFetcher(
            max_bytes=50_000_000,
            timeout_seconds=PLENTY,
            allowed_hosts=("files.test",),
            resolve=Names(files_test=[["127.0.0.1"]]),
        )
        fetched = await fetcher.fetch(server.url(), accept="image")
    assert (fetched.data, fetched.media_type) == (data, media_type)
    path = tmp_path / "given"
    path.write_bytes(fetched.data)
    found = await examiner.examine(path, media_type)
    child = examiner.pid
    assert says in found.problem
    assert bool(says) == bool(found.problem)
    assert bool(found.thumbnails) != bool(found.problem)
    path.write_bytes(PNG)
    assert (await examiner.examine(path, "image/png")).problem == ""
    assert examiner.pid == child  # the process has survived it
