"""How contents are served: in parts, to caches, to those who save them, and through servers in front."""

import asyncio
import tracemalloc
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

import httpx2
import pytest

from gateway.main import create_app
from gateway.serving import attachment
from genesis.errors import Unavailable
from genesis.storage.file import FileStore
from genesis.storage.open import open_store
from launcher.workers import open_in_process_workers
from tests.support.gateway import create, finished, is_problem, listening, serving
from tests.support.uploads import connected, examined, png, settings_on, wav

WAV, PNG = wav(200), png()
SIZE = len(WAV)


@pytest.fixture(params=["file", "s3"])
def places(request, settings):
    return settings_on(request.param, settings)


@pytest.fixture
async def served(places):
    """A gateway on each kind of store, and the path of a recording of more than three pieces in it."""
    async with serving(places) as client:
        yield client, (await client.post("/files", content=WAV)).json()["url"]


async def test_the_whole(served):
    client, url = served
    answer = await client.get(url)
    assert (answer.status_code, answer.content) == (200, WAV)
    head = answer.headers
    assert head["content-type"] == "audio/wav"
    assert head["content-length"] == str(SIZE)
    assert head["accept-ranges"] == "bytes"
    assert head["x-content-type-options"] == "nosniff"
    assert "immutable" in head["cache-control"]
    assert "sandbox" in head["content-security-policy"]
    assert "default-src 'none'" in head["content-security-policy"]
    assert head["content-disposition"].startswith("attachment; ")  # it was uploaded
    assert head["etag"].startswith('"')
    assert head["last-modified"].endswith(" GMT")
    only_head = await client.head(url)
    assert only_head.content == b""
    for name in ("content-type", "content-length", "etag", "last-modified", "accept-ranges", "cache-control"):
        assert only_head.headers[name] == head[name]


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("0-0", 0, 1),
        ("0-", 0, SIZE),
        ("-5", SIZE - 5, SIZE),
        (f"-{SIZE * 2}", 0, SIZE),
        (f"{SIZE - 1}-{SIZE * 2}", SIZE - 1, SIZE),
        ("262143-262144", 262_143, 262_145),
        ("100-2000000", 100, 2_000_001),
    ],
)
async def test_a_part(served, asked, start, end):
    client, url = served
    answer = await client.get(url, headers={"range": f"bytes={asked}"})
    assert answer.status_code == 206
    assert answer.content == WAV[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{min(end, SIZE) - 1}/{SIZE}"
    assert answer.headers["content-length"] == str(len(WAV[start:end]))
    assert answer.headers["etag"]


async def test_what_is_no_part(served):
    client, url = served
    for asked in (f"{SIZE}-", "-0", f"{SIZE}-{SIZE + 5}"):
        refused = await client.get(url, headers={"range": f"bytes={asked}"})
        is_problem(refused, 416, "range-not-satisfiable")
        assert refused.headers["content-range"] == f"bytes */{SIZE}"
    for asked in ("bytes=0-1,5-6", "bytes=5-1", "items=0-1", "bytes=x"):
        answer = await client.get(url, headers={"range": asked})
        assert (answer.status_code, len(answer.content)) == (200, SIZE)
    assert (await client.head(url, headers={"range": "bytes=0-1"})).status_code == 200


async def test_who_has_it_is_not_sent_it_again(served):
    client, url = served
    first = await client.get(url)
    tag, date = first.headers["etag"], first.headers["last-modified"]
    for known in (
        {"if-none-match": tag},
        {"if-none-match": f'"x", W/{tag}'},
        {"if-none-match": "*"},
        {"if-modified-since": date},
    ):
        for method in ("GET", "HEAD"):
            answer = await client.request(method, url, headers=known)
            assert (answer.status_code, answer.content) == (304, b"")
            assert answer.headers["etag"] == tag
            assert "immutable" in answer.headers["cache-control"]
    assert (await client.get(url, headers={"if-none-match": '"other"', "if-modified-since": date})).status_code == 200


async def test_a_part_of_what_the_client_has(served):
    client, url = served
    first = await client.get(url)
    tag, date = first.headers["etag"], first.headers["last-modified"]
    for condition, status in ((tag, 206), (date, 206), (f"W/{tag}", 200), ('"other"', 200), ("nonsense", 200)):
        answer = await client.get(url, headers={"range": "bytes=1-2", "if-range": condition})
        assert answer.status_code == status, condition


async def test_saving(served):
    client, _ = served
    file = (await client.post("/files?name=Ärger %22mit%22 Hunden.png", content=PNG)).json()
    by_id = f"/files/{file['id']}/content"

    async def disposition(path):
        answer = await client.get(path)
        assert (answer.status_code, answer.content) == (200, PNG)
        return answer.headers["content-disposition"]

    by_its_key = f'attachment; filename="{file["id"]}.png"'
    assert {await disposition(file["url"] + asked) for asked in ("", "?download=0", "?download=1")} == {by_its_key}
    assert await disposition(file["url"] + "?download=cat.png") == 'attachment; filename="cat.png"'
    for asked in ("", "?download=1"):
        assert "filename*=UTF-8''%C3%84rger%20%22mit%22%20Hunden.png" in await disposition(by_id + asked)
    cached = (await client.get(by_id)).headers
    assert cached["cache-control"] == "private, no-cache"  # the id outlives the content
    assert (await client.get(by_id, headers={"if-none-match": cached["etag"]})).status_code == 304
    assert (await client.get(by_id, headers={"range": "bytes=0-7"})).content == PNG[:8]
    assert (await client.head(by_id)).headers["content-length"] == str(len(PNG))


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("cat.png", 'attachment; filename="cat.png"'),
        ("a b.png", 'attachment; filename="a b.png"'),
        ('a"b.png', "attachment; filename=\"a_b.png\"; filename*=UTF-8''a%22b.png"),
        ("50%.png", "attachment; filename=\"50_.png\"; filename*=UTF-8''50%25.png"),
        ("猫.png", "attachment; filename=\"_.png\"; filename*=UTF-8''%E7%8C%AB.png"),
        ("../../etc/passwd", 'attachment; filename="_.._etc_passwd"'),
        ("a\r\nSet-Cookie: x", "attachment; filename=\"a_Set-Cookie_ x\"; filename*=UTF-8''a_Set-Cookie%3A%20x"),
        ("...", "attachment"),
        ("", "attachment"),
    ],
)
def test_names_to_save_under(name, field):
    assert attachment(name) == field


@pytest.mark.parametrize(
    ("key", "status"),
    [
        ("images/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55.png", 404),
        ("incoming/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55.part", 404),
        (".receipts/image/x.json", 422),
        ("images/.hidden.png", 422),
        ("images/..%2f..%2fetc%2fpasswd", 422),
        ("images/%00.png", 422),
        ("", 422),
        ("images", 422),
    ],
)
async def test_what_is_not_served(settings, key, status):
    async with serving(settings) as client:
        await open_store(settings).write("incoming/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55.part", PNG, "image/png")
        for method in ("GET", "HEAD"):
            assert (await client.request(method, f"/storage/{key}")).status_code == status


async def test_pages_of_allowed_origins_see_what_they_need(settings):
    async with serving(settings) as client:
        url = (await client.post("/files", content=PNG)).json()["url"]
        answer = await client.get(url, headers={"origin": "https://page.example", "range": "bytes=0-1"})
    exposed = answer.headers["access-control-expose-headers"]
    for name in ("ETag", "Content-Range", "Accept-Ranges"):
        assert name in exposed


@pytest.fixture
def s3_settings(settings):
    return settings_on("s3", settings)


async def test_an_s3_store_can_serve_by_itself(s3_settings):
    settings = s3_settings.model_copy(update={"storage_redirect": True})
    async with serving(settings) as client, httpx2.AsyncClient() as direct:
        file = (await client.post("/files?name=cat.png", content=PNG)).json()
        for path in (file["url"], f"/files/{file['id']}/content"):
            answer = await client.get(path)
            assert (answer.status_code, answer.content) == (307, b"")
            assert answer.headers["location"].startswith("http://127.0.0.1:")
            assert (await direct.get(answer.headers["location"])).content == PNG
        saved = (await client.get(f"/files/{file['id']}/content?download=1")).headers["location"]
        there = await direct.get(saved, headers={"range": "bytes=0-7"})
        assert there.headers["content-disposition"] == 'attachment; filename="cat.png"'
        assert (there.headers["content-type"], there.content) == ("image/png", PNG[:8])
        assert (await client.head(file["url"])).headers["content-length"] == str(len(PNG))
        link = (await client.post(f"/files/{file['id']}/links")).json()["url"]
        assert (await client.get(link)).status_code == 307
        is_problem(await client.get(link[:-4] + "AAAA"), 403, "forbidden")


async def test_our_own_page_is_not_sent_to_the_store(s3_settings):
    settings = s3_settings.model_copy(update={"storage_redirect": True})
    async with serving(settings) as client:
        url = (await client.post("/files", content=PNG)).json()["url"]
        shown = await client.get(url, headers={"sec-fetch-site": "same-origin"})
        assert (shown.status_code, shown.content) == (200, PNG)
        for site in ("none", "same-site", "cross-site"):
            sent = await client.get(url, headers={"sec-fetch-site": site})
            assert sent.status_code == 307
        for answer in (shown, sent):  # what one of them is told is not kept for the other
            assert "Sec-Fetch-Site" in answer.headers["vary"]


async def test_a_server_in_front_can_serve(settings):
    async with serving(settings.model_copy(update={"storage_accel_prefix": "/protected/"})) as client:
        file = (await client.post("/files", content=PNG)).json()
        for method in ("GET", "HEAD"):
            answer = await client.request(method, file["url"] + "?download=1")
            assert (answer.status_code, answer.content) == (200, b"")
            path = unquote(answer.headers["x-accel-redirect"])
            assert path.startswith("/protected/uploads/")
            assert (settings.storage_path / path.removeprefix("/protected/")).read_bytes() == PNG
            assert answer.headers["content-type"] == "image/png"
            assert "attachment" in answer.headers["content-disposition"]
        is_problem(await client.get("/storage/images/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55.png"), 404, "not-found")


@pytest.fixture
async def server(settings):
    """A gateway with a socket of its own, its address, and the path of a recording of 64 MB in it."""
    app = create_app(settings, open_in_process_workers)
    async with listening(app) as (_, address), httpx2.AsyncClient(base_url=address, timeout=60) as client:
        path = (await client.post("/files", content=wav(4_000))).json()["url"]
        yield client, address, path


def descriptors(settings):
    """How many files of the store this process has open."""
    count = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            count += descriptor.readlink().is_relative_to(settings.storage_path)
    return count


async def test_who_leaves_is_not_read_for(server, settings):
    _, address, path = server
    reader, writer = await connected(address, f"GET {path} HTTP/1.1")
    try:
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        assert descriptors(settings)
    finally:
        writer.transport.abort()
    async with asyncio.timeout(20):
        while descriptors(settings):
            await asyncio.sleep(0.02)


async def test_who_takes_nothing_is_dropped(server, settings, monkeypatch):
    monkeypatch.setattr("gateway.serving.STALL_SECONDS", 0.3)
    _, address, path = server
    reader, writer = await connected(address, f"GET {path} HTTP/1.1")
    try:
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        async with asyncio.timeout(20):
            while descriptors(settings):
                await asyncio.sleep(0.02)
    finally:
        writer.close()


async def test_memory_is_flat(server):
    client, _, path = server
    head, piece = wav(4_000)[:44], bytes(65_536)
    tracemalloc.start()
    try:
        size = 0
        async with client.stream("GET", path) as answer:
            async for piece in answer.aiter_raw():
                size += len(piece)
        sent = await client.post("/files", content=repeated(head, piece, 1_000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (size, sent.status_code) == (64_000_044, 201)
    assert peak < 16_000_000


async def repeated(head, piece, times):
    yield head
    for _ in range(times):
        yield piece


async def test_a_store_that_fails_cuts_the_answer(server, monkeypatch):
    """What is missing must not pass for the end."""
    original = FileStore.pieces

    async def failing(self, key, start=0, end=None):
        count = 0
        async for piece in original(self, key, start, end):
            count += 1
            if count == 5:
                raise Unavailable("The disk is away.")
            yield piece

    monkeypatch.setattr(FileStore, "pieces", failing)
    client, _, path = server
    with pytest.raises(httpx2.RemoteProtocolError):
        await client.get(path)


async def test_a_store_that_fails_at_once_is_told(settings, monkeypatch):
    async def failing(self, key, start=0, end=None):
        raise Unavailable("The disk is away.")
        yield b""

    monkeypatch.setattr(FileStore, "pieces", failing)
    async with serving(settings) as client:
        url = (await client.post("/files", content=WAV)).json()["url"]
        is_problem(await client.get(url), 503, "unavailable")


async def test_what_a_job_has_made_is_shown_and_what_was_sent_is_saved(settings):
    async with serving(settings) as client:
        sent = (await client.post("/files", content=PNG)).json()
        made = await finished(client, await create(client, "image_to_image", {"image_file": sent["id"]}))
        shown = await client.get(made["outputs"]["image_url"])
        assert shown.headers["content-disposition"] == "inline"
        assert (await client.get(sent["url"])).headers["content-disposition"].startswith("attachment; ")
        thumbnail = (await examined(client, sent))["thumbnails"]["320"]
        assert (await client.get(thumbnail)).headers["content-disposition"] == "inline"
