"""Uploads through the running gateway: what comes in is whole, and nothing stays of what is refused."""

import asyncio
import errno
import hashlib

import pytest

from gateway.main import create_app
from genesis.database.sqlite.files import SqliteFiles
from genesis.errors import Unavailable
from genesis.storage.draft import Draft
from launcher.workers import open_in_process_workers
from tests.support.gateway import is_problem, listening, serving
from tests.support.samples import film, picture, sound
from tests.support.uploads import FORM, connected, form, jpeg_with_place, pieces, png, settings_on, stored, wav

PNG = png()


@pytest.fixture(params=["sqlite", "postgres", "s3"])
def places(request, settings):
    """Settings of every kind of database, and of an S3 store."""
    return settings_on(request.param, settings)


async def nothing_stays(client, settings):
    assert (await client.get("/files")).json() == []
    assert stored(settings) == set()


async def test_a_file_comes_in_whole(places):
    content = wav(20)
    async with serving(places) as client:
        for sent in (
            await client.post("/files?name=talk.wav", content=pieces(content)),
            await client.post("/files", content=form(content, name="talk.wav"), headers=FORM),
        ):
            assert sent.status_code == 201, sent.text
            file = sent.json()
            assert sent.headers["location"] == f"/files/{file['id']}"
            assert (await client.get(sent.headers["location"])).json()["id"] == file["id"]
            assert file["url"] == f"/storage/uploads/{file['id']}.wav"
            assert file["media_type"] == "audio/wav"
            assert file["size"] == len(content)
            assert file["sha256"] == hashlib.sha256(content).hexdigest()
            assert (file["name"], file["state"], file["source"]) == ("talk.wav", "ready", "upload")
            assert file["expires_at"] is file["job"] is file["problem"] is None
            assert (await client.get(file["url"])).content == content


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        *((picture(form), f"image/{form.lower()}") for form in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")),
        (sound("mp3", "libmp3lame"), "audio/mpeg"),
        (sound("mp4", "aac"), "audio/mp4"),
        (sound("flac", "flac"), "audio/flac"),
        (b"ID3\x04\x00\x00\x00\x08\x00\x00" + bytes(131_072) + sound("flac", "flac"), "audio/flac"),
    ],
)
@pytest.mark.parametrize("announced", ["text/html", "application/octet-stream", ""])
async def test_the_content_tells_the_type(client, content, media_type, announced):
    sent = await client.post("/files", content=content, headers={"content-type": announced})
    assert sent.json()["media_type"] == media_type, sent.text
    served = await client.get(sent.json()["url"])
    assert (served.headers["content-type"], served.content) == (media_type, content)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"<!DOCTYPE html><html><script>alert(1)</script>", "text/html"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "image/svg+xml"),
        (b"PK\x03\x04" + bytes(100), "application/zip"),
        (b"%PDF-1.7\n" + bytes(100), "application/pdf"),
        (b'{"a": 1}', "application/json"),
        (b"hello", "text/plain"),
        (bytes(1_000), "unknown"),
        (bytes(200_000), "unknown"),
        (film("mp4", "mpeg4"), "video/mp4"),
        (film("webm", "libvpx"), "video/webm"),
    ],
)
async def test_what_is_neither_image_nor_recording_is_refused(client, settings, content, found):
    for sent in (
        await client.post("/files?name=a.png", content=content, headers={"content-type": "image/png"}),
        await client.post("/files", content=form(content, name="a.png"), headers=FORM),
    ):
        problem = is_problem(sent, 415, "unsupported-media-type")
        assert found in problem["detail"]
        assert "image/png" in problem["hint"]
    await nothing_stays(client, settings)


async def test_a_film_that_tells_so_at_its_end_leaves_nothing(client, settings):
    """Its tracks are named behind more than what is looked at first."""
    content = film("mp4", "mpeg4")
    head = content[: int.from_bytes(content[:4], "big")]
    late = head + (3_000_000).to_bytes(4, "big") + b"free" + bytes(2_999_992) + content[len(head) :]
    is_problem(await client.post("/files", content=pieces(late, 65_536)), 415, "unsupported-media-type")
    await nothing_stays(client, settings)


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("in_form", [True, False])
async def test_too_large(settings, announced, in_form):
    settings = settings.model_copy(update={"max_upload_bytes": 100_000})
    headers = FORM if in_form else {}
    dressed = form if in_form else bytes
    async with serving(settings) as client:
        fits = dressed(PNG.ljust(100_000, b"\0"))
        sent = await client.post("/files", content=fits if announced else pieces(fits), headers=headers)
        assert sent.status_code == 201
        await client.delete(sent.headers["location"])
        for size in (100_001, 5_000_000):
            body = dressed(PNG.ljust(size, b"\0"))
            sent = await client.post("/files", content=body if announced else pieces(body), headers=headers)
            problem = is_problem(sent, 413, "payload-too-large")
            assert "MAX_UPLOAD_BYTES" in problem["hint"]
        await nothing_stays(client, settings)


@pytest.mark.parametrize(
    ("body", "headers", "says"),
    [
        (b"", {}, "empty"),
        (form(b""), FORM, "empty"),
        (b"", FORM, "last boundary"),
        (form(PNG)[:-30], FORM, "last boundary"),
        (form(PNG, name="", file_="x"), FORM, "more than one file"),
        (form(PNG, colour="red"), FORM, "colour"),
        (form(PNG, colour_="red"), FORM, "colour"),
        (form(PNG, expires_in="soon"), FORM, "expires_in"),
        (form(PNG, expires_in_="-5"), FORM, "expires_in"),
        (form(PNG, strip_metadata_="perhaps"), FORM, "strip_metadata"),
        (form(PNG), {"content-type": "multipart/form-data"}, "boundary"),
        (form(PNG), {"content-type": "multipart/form-data; boundary=other"}, "cannot be read"),
    ],
)
async def test_bad_requests_are_told_and_leave_nothing(client, settings, body, headers, says):
    problem = is_problem(await client.post("/files", content=body, headers=headers), 422, "invalid-request")
    assert says in problem["detail"]
    assert problem["hint"]
    await nothing_stays(client, settings)


@pytest.mark.parametrize(
    "query", ["expires_in=0", "expires_in=x", "strip_metadata=2", "colour=red", "name=" + "x" * 5_000]
)
async def test_bad_parameters_are_refused(client, settings, query):
    is_problem(await client.post(f"/files?{query}", content=PNG), 422, "invalid-request")
    await nothing_stays(client, settings)


async def test_what_is_said_about_a_file(client):
    async def said(body, query="", headers=FORM):
        sent = await client.post(f"/files{query}", content=body, headers=headers)
        assert sent.status_code == 201, sent.text
        return sent.json()

    assert (await said(form(PNG)))["name"] == "picture.png"
    assert (await said(form(PNG, name="C:\\fake\\a b.png")))["name"] == "a b.png"
    assert (await said(form(PNG, name="../../etc/passwd\u202e.png")))["name"] == "passwd .png"
    assert (await said(form(PNG, name_="other")))["name"] == "other"
    assert (await said(form(PNG, name="x"), "?name=of%20the%20URL"))["name"] == "of the URL"
    assert (await said(PNG, "?name=a%00b/c%0Ad", {}))["name"] == "c d"
    assert (await said(PNG, headers={}))["name"] == ""
    for file in (await said(form(PNG, expires_in="100")), await said(PNG, "?expires_in=100", {})):
        assert file["created_at"] < file["expires_at"]


async def test_metadata_are_stripped_on_request(client, settings):
    content = jpeg_with_place()
    kept = (await client.post("/files", content=content)).json()
    assert b"Camera of Ada" in (await client.get(kept["url"])).content
    for sent in (
        await client.post("/files?strip_metadata=true", content=content),
        await client.post("/files", content=form(content, strip_metadata_="true"), headers=FORM),
    ):
        file = sent.json()
        served = (await client.get(file["url"])).content
        assert b"Ada" not in served
        assert (file["size"], file["sha256"]) == (len(served), hashlib.sha256(served).hexdigest())
        assert file["media_type"] == "image/jpeg"
    assert len([name for name in stored(settings) if name.endswith(".jpg")]) == 3  # the originals of two are gone


async def test_what_cannot_be_stripped_is_refused(client, settings):
    broken = PNG[:60]
    is_problem(await client.post("/files?strip_metadata=true", content=broken), 415, "unsupported-media-type")
    await nothing_stays(client, settings)


async def test_a_full_disk_is_told(client, settings, monkeypatch):
    def full(self, pieces):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Draft, "add", full)
    problem = is_problem(await client.post("/files", content=PNG), 503, "unavailable")
    assert "No space left" in problem["detail"]
    await nothing_stays(client, settings)


async def test_without_its_record_nothing_stays(client, settings, monkeypatch):
    async def away(self, file):
        raise Unavailable("The database is away.")

    monkeypatch.setattr(SqliteFiles, "add", away)
    is_problem(await client.post("/files", content=PNG), 503, "unavailable")
    await nothing_stays(client, settings)


async def test_without_a_database_contents_are_served_and_files_are_not_taken(settings):
    async with serving(settings) as client:
        url = (await client.post("/files", content=PNG)).json()["url"]
    away = settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/none"})
    async with serving(away) as client:
        assert (await client.get(url)).content == PNG
        for answer in (
            await client.post("/files", content=PNG),
            await client.get("/files"),
            await client.get(f"{url}?expires=1&signature=x"),
        ):
            is_problem(answer, 503, "unavailable")
    assert [name for name in stored(settings) if not name.endswith(".png")] == []


@pytest.fixture
async def server(settings):
    """A gateway with a socket of its own, that waits half a second for what is sent."""
    settings = settings.model_copy(update={"upload_idle_seconds": 0.5})
    app = create_app(settings, open_in_process_workers)
    async with listening(app) as (_, address):
        yield address


UPLOAD = ("POST /files HTTP/1.1", "Content-Length: 1000000")


async def gone_from(settings):
    async with asyncio.timeout(20):
        while stored(settings):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("sent", [wav(10)[:70_000], wav(10)[:10], b""])
async def test_who_leaves_leaves_nothing(server, settings, sent):
    _, writer = await connected(server, *UPLOAD)
    writer.write(sent)
    await writer.drain()
    if len(sent) > 65_536:
        async with asyncio.timeout(20):
            await asyncio.sleep(0.2)
    writer.close()
    await writer.wait_closed()
    await gone_from(settings)


@pytest.mark.parametrize("sent", [wav(10)[:70_000], wav(10)[:10], b""])
async def test_who_sends_nothing_more_is_told(server, settings, sent):
    reader, writer = await connected(server, *UPLOAD)
    writer.write(sent)
    async with asyncio.timeout(20):
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"request-timeout"' in answer
    assert b"UPLOAD_IDLE_SECONDS" in answer
    writer.close()
    await gone_from(settings)


async def test_who_trickles_is_told_as_well(server, settings):
    """One byte at a time would take somebody's place for days."""
    reader, writer = await connected(server, *UPLOAD)
    answer = asyncio.create_task(reader.read())
    async with asyncio.timeout(20):
        for byte in wav(10):
            if answer.done():
                break
            writer.write(bytes((byte,)))
            await asyncio.sleep(0.05)
        assert (await answer).startswith(b"HTTP/1.1 408 ")
    writer.close()
    await gone_from(settings)


async def test_who_is_refused_early_hears_of_it(server, settings):
    """Whatever of the body is still to come."""
    reader, writer = await connected(server, *UPLOAD)
    writer.write(b"<html>" + b" " * 100_000)
    async with asyncio.timeout(20):
        assert (await reader.readline()).startswith(b"HTTP/1.1 415 ")
    writer.close()
    assert stored(settings) == set()


async def test_a_place_is_taken_only_while_a_file_comes(settings, monkeypatch):
    monkeypatch.setattr("genesis.files.service.MOST_UPLOADS", 2)
    begun, on = asyncio.Semaphore(0), asyncio.Event()

    async def slowly():
        yield PNG
        begun.release()
        await on.wait()

    async with serving(settings) as client:
        sending = [asyncio.create_task(client.post("/files", content=slowly())) for _ in range(2)]
        for _ in sending:
            await begun.acquire()
        refused = await client.post("/files", content=PNG)
        is_problem(refused, 503, "unavailable")
        assert refused.headers["retry-after"]
        on.set()
        assert [(await one).status_code for one in sending] == [201, 201]
        assert (await client.post("/files", content=PNG)).status_code == 201
