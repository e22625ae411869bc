"""What the S3 store does beyond what every blob store does, and how it is opened; against a real server."""

import asyncio
import io
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr
from yarl import URL

from genesis.errors import Conflict, Misconfigured, NotFound, Unavailable
from genesis.settings import Settings
from genesis.storage.bucket import bucket_of
from genesis.storage.open import open_receipts, open_store
from genesis.storage.s3 import S3Store
from tests.support.blobs import listed, written
from tests.support.s3 import BUCKET, CREDENTIALS, Gate, S3Server, shared_s3

KEY = "images/01900000-0000-7000-8000-000000000000.png"
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server() -> S3Server:
    return shared_s3()


@pytest.fixture
def settings(server: S3Server) -> Settings:
    return server.settings()


@pytest.fixture
def store(settings: Settings) -> S3Store:
    return S3Store(bucket_of(settings), is_conditional=True)


@pytest.fixture
async def gate(server: S3Server) -> AsyncIterator[Gate]:
    async with Gate(server.port).running() as gate:
        yield gate


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def get(session: aiohttp.ClientSession, url: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    async with session.get(URL(url, encoded=True), headers=headers) as answer:
        return answer.status, await answer.read(), {name.lower(): value for name, value in answer.headers.items()}


async def put(session: aiohttp.ClientSession, url: str, data: bytes, **headers: str) -> int:
    async with session.put(URL(url, encoded=True), data=io.BytesIO(data), headers=headers) as answer:
        return answer.status


class TestPresigned:
    async def test_get(self, store: S3Store, session: aiohttp.ClientSession) -> None:
        await store.write(KEY, b"0123456789", "image/png")
        for disposition in ("inline", "attachment; filename=\"a b.png\"; filename*=UTF-8''%C3%A4%20b.png"):
            asked = await store.presigned_get(KEY, 60, media_type="image/webp", disposition=disposition)
            assert asked is not None
            assert (asked.method, asked.headers) == ("GET", {})
            status, body, headers = await get(session, asked.url)
            assert (status, body, headers["content-type"]) == (200, b"0123456789", "image/webp")
            assert headers["content-disposition"] == disposition
        status, body, _ = await get(session, asked.url, Range="bytes=2-4")
        assert (status, body) == (206, b"234")

    async def test_what_was_signed_cannot_be_changed(self, store: S3Store, session: aiohttp.ClientSession) -> None:
        await store.write(KEY, b"x", "image/png")
        asked = await store.presigned_get(KEY, 60, media_type="image/png", disposition="attachment")
        assert asked is not None
        for was, other in (("image%2Fpng", "text%2Fhtml"), ("attachment", "inline"), ("Expires=60", "Expires=61")):
            assert was in asked.url
            assert (await get(session, asked.url.replace(was, other)))[0] == 403
        assert await put(session, asked.url, b"y") == 403
        assert await store.read(KEY, limit=10) == b"x"

    async def test_put(self, store: S3Store, session: aiohttp.ClientSession) -> None:
        data = os.urandom(3 * MIB)
        asked = await store.presigned_put("incoming/a.part", 60)
        assert asked is not None
        assert asked.method == "PUT"
        headers = {**asked.headers, "Content-Type": "text/html"}
        assert await put(session, asked.url, data, **headers) == 200
        assert await listed(store) == {"incoming/a.part": len(data)}
        await store.move("incoming/a.part", KEY, "image/png")
        assert await store.read(KEY, limit=len(data)) == data
        shown = await store.presigned_get(KEY, 60, media_type="image/png", disposition="inline")
        assert shown is not None
        assert (await get(session, shown.url))[2]["content-type"] == "image/png"
        assert await put(session, asked.url.replace("a.part", "b.part"), b"") == 403

    async def test_put_of_a_certain_size(self, store: S3Store, session: aiohttp.ClientSession) -> None:
        asked = await store.presigned_put("incoming/a.part", 60, 1_000)
        assert asked is not None
        for size in (0, 999, 1_001, 5 * MIB):
            assert await put(session, asked.url, bytes(size)) == 403
        assert await put(session, asked.url.replace("content-length%3B", ""), bytes(999)) == 403
        assert await listed(store) == {}
        assert await put(session, asked.url, bytes(1_000)) == 200
        assert await listed(store) == {"incoming/a.part": 1_000}

    async def test_expired_ones_are_refused(self, store: S3Store, session: aiohttp.ClientSession) -> None:
        await store.write(KEY, b"x", "image/png")
        shown = await store.presigned_get(KEY, 1, media_type="image/png", disposition="inline")
        asked = await store.presigned_put("incoming/a.part", 1)
        assert shown is not None
        assert asked is not None
        await asyncio.sleep(2.1)
        assert (await get(session, shown.url))[0] == 403
        assert await put(session, asked.url, b"x") == 403
        assert await listed(store) == {KEY: 1}

    async def test_they_name_the_public_url(self, server: S3Server, session: aiohttp.ClientSession) -> None:
        store = open_store(server.settings(storage_public_url=f"http://localhost:{server.port}/"))
        await store.write(KEY, b"x", "image/png")
        shown = await store.presigned_get(KEY, 60, media_type="image/png", disposition="inline")
        asked = await store.presigned_put("incoming/a.part", 60)
        assert shown is not None
        assert asked is not None
        for url in (shown.url, asked.url):
            assert url.startswith(f"http://localhost:{server.port}/{BUCKET}/")
            assert CREDENTIALS.secret_access_key not in url
        assert (await get(session, shown.url))[0] == 200
        assert await put(session, asked.url, b"x") == 200

    async def test_there_is_no_get_with_credentials_that_only_the_library_has(self, settings: Settings) -> None:
        none = settings.model_copy(update={"aws_access_key_id": None, "aws_secret_access_key": None})
        store = S3Store(bucket_of(none), is_conditional=True)
        assert await store.presigned_get(KEY, 60, media_type="image/png", disposition="inline") is None


class TestParts:
    async def test_forty_mebibytes(self, store: S3Store) -> None:
        pieces = [os.urandom(MIB) for _ in range(40)]
        artifact = await written(store, KEY, pieces)
        assert (await store.blob(KEY)).etag.endswith("-5")
        found = [piece async for piece in store.pieces(KEY)]
        assert b"".join(found) == b"".join(pieces)
        assert max(map(len, found)) <= 2 * MIB
        assert artifact.size == 40 * MIB

    async def test_uploads_that_fail_are_aborted(self, store: S3Store, server: S3Server) -> None:
        before = server.uploads()

        async def fail() -> None:
            async with store.writing(KEY, "image/png") as writer:
                for _ in range(20):
                    await writer.write(bytes(MIB))
                await asyncio.sleep(0.2)
                assert server.uploads() == before + 1
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        await store.write(KEY, b"another", "image/png")
        with pytest.raises(Conflict):
            await written(store, KEY, [bytes(20 * MIB)])
        assert server.uploads() == before

    async def test_uploads_that_a_killed_process_has_left_are_ended(
        self, store: S3Store, server: S3Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("genesis.storage.remains._LISTED_AT_ONCE", 1)
        before = server.uploads()
        other = S3Store(bucket_of(server.settings()), is_conditional=True)
        now = round(time.time() * 1000)
        async with AsyncExitStack() as stack:
            contents = (
                (store, KEY),
                (store, KEY.replace("images", "audio")),
                (store, "photos/of-others.png"),
                (other, KEY),
            )
            for place, key in contents:
                writer = await stack.enter_async_context(place.writing(key, "image/png"))
                for _ in range(9):
                    await writer.write(bytes(MIB))
            async with asyncio.timeout(20):
                while server.uploads() < before + 4:
                    await asyncio.sleep(0.01)
            assert await store.remove_remains(now - 60_000) == 0
            assert await store.remove_remains(now + 60_000) == 2
            assert await store.remove_remains(now + 60_000) == 0
            assert server.uploads() == before + 2
            stack.pop_all()

    async def test_a_store_that_lists_no_uploads_is_left_alone(self, settings: Settings) -> None:
        wrong = settings.model_copy(update={"aws_secret_access_key": SecretStr("hunter2")})
        assert await S3Store(bucket_of(wrong), is_conditional=True).remove_remains(10**15) == 0
        away = settings.model_copy(update={"aws_endpoint_url": "http://127.0.0.1:9"})
        with pytest.raises(Unavailable):
            await S3Store(bucket_of(away), is_conditional=True).remove_remains(10**15)

    async def test_a_server_that_goes_and_comes_back(self, server: S3Server, gate: Gate) -> None:
        store = await asyncio.to_thread(open_store, server.settings(port=gate.port))
        await store.write("images/first.png", b"x", "image/png")

        async def write() -> None:
            async with store.writing(KEY, "image/png") as writer:
                for number in range(60):
                    if number == 20:
                        await gate.shut()
                    await writer.write(bytes(MIB))

        with pytest.raises(Unavailable, match="does not answer"):
            await write()
        for call in (store.read, lambda key, limit: store.blob(key)):
            with pytest.raises(Unavailable):
                await call("images/first.png", limit=10)
        with pytest.raises(Unavailable):
            await store.write(KEY, b"x", "image/png")
        with pytest.raises(Unavailable):
            await listed(store)
        await gate.open()
        assert await listed(store) == {"images/first.png": 1}
        assert (await written(store, KEY, [bytes(MIB)] * 20)).size == 20 * MIB

    async def test_a_server_that_is_away_for_a_moment_costs_nothing(self, server: S3Server, gate: Gate) -> None:
        store = await asyncio.to_thread(open_store, server.settings(port=gate.port))

        async def reopen() -> None:
            await asyncio.sleep(0.1)
            await gate.open()

        async with store.writing(KEY, "image/png") as writer, asyncio.TaskGroup() as group:
            for number in range(40):
                if number == 20:
                    await gate.shut()
                    group.create_task(reopen())
                await writer.write(bytes(MIB))
        assert (await store.blob(KEY)).size == 40 * MIB == writer.artifact.size

    async def test_a_server_that_hangs(self, server: S3Server, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
        store = await asyncio.to_thread(open_store, server.settings(port=gate.port))
        for name in ("s3._REQUEST_SECONDS", "s3._WINDOW_SECONDS", "s3._SHORT_SECONDS", "parts._STALLED_SECONDS"):
            monkeypatch.setattr(f"genesis.storage.{name}", 0.3)
        gate.is_mute = True
        calls = [
            store.write(KEY, b"x", "image/png"),
            store.read(KEY, limit=10),
            store.blob(KEY),
            store.delete(KEY),
            store.move(KEY, "images/other.png", "image/png"),
            written(store, KEY, [bytes(MIB)] * 60),
            anext(aiter(store.pieces(KEY, 0, 10))),
            anext(aiter(store.blobs())),
        ]
        async with asyncio.timeout(20):
            for answer in await asyncio.gather(*calls, return_exceptions=True):
                assert isinstance(answer, Unavailable)


class Careless:
    """A small store that replaces what is there: it ignores `If-None-Match`, or says that it does not know it."""

    def __init__(self, *, ignores: bool) -> None:
        self.objects: dict[str, bytes] = {}
        self._ignores = ignores

    async def answer(self, request: web.Request) -> web.Response:
        if request.method == "PUT":
            if "If-None-Match" in request.headers and not self._ignores:
                return web.Response(status=501, text="<Error><Code>NotImplemented</Code></Error>")
            self.objects[request.path] = await request.read()
            return web.Response(headers={"ETag": '"a"'})
        if request.method == "DELETE":
            self.objects.pop(request.path, None)
            return web.Response(status=204)
        if request.path not in self.objects:
            return web.Response(status=404)
        headers = {"ETag": '"a"', "Last-Modified": "Mon, 23 Nov 2026 12:00:00 GMT"}
        return web.Response(body=self.objects[request.path], headers=headers)


class TestUnconditional:
    """A store that replaces what is there is asked before."""

    @pytest.mark.parametrize("ignores", [True, False])
    async def test_it_is_found_out(self, settings: Settings, *, ignores: bool) -> None:
        careless = Careless(ignores=ignores)
        app = web.Application()
        app.router.add_route("*", "/{key:.*}", careless.answer)
        async with TestServer(app) as server:
            url = str(server.make_url("/"))
            store = await asyncio.to_thread(open_store, settings.model_copy(update={"aws_endpoint_url": url}))
            assert careless.objects == {}
            await store.write(KEY, b"first", "image/png")
            with pytest.raises(Conflict):
                await store.write(KEY, b"longer", "image/png")
            assert list(careless.objects.values()) == [b"first"]

    async def test_nothing_is_replaced(self, settings: Settings) -> None:
        store = S3Store(bucket_of(settings), is_conditional=False)
        first = await store.write(KEY, b"first", "image/png")
        assert await store.write(KEY, b"first", "image/png") == first
        with pytest.raises(Conflict):
            await store.write(KEY, b"other", "image/png")
        with pytest.raises(Conflict):
            await written(store, KEY, [b"other"])
        assert await store.read(KEY, limit=100) == b"first"


class TestOpening:
    async def test_nothing_stays_of_the_trial(self, server: S3Server) -> None:
        root = S3Store(bucket_of(server.settings(storage_url=f"s3://{BUCKET}")), is_conditional=True)
        settings = server.settings()
        assert settings.storage_url is not None
        prefix = settings.storage_url.rpartition("/")[2]
        assert open_store(settings)._is_conditional  # type: ignore[attr-defined]
        import obstore

        await open_store(settings).check()
        found = await obstore.list(root._client, prefix).collect_async()
        assert list(found) == []

    async def test_stores_in_one_bucket_are_apart(self, server: S3Server) -> None:
        one, other = open_store(server.settings()), open_store(server.settings())
        await one.write(KEY, b"x", "image/png")
        with pytest.raises(NotFound):
            await other.read(KEY, limit=10)
        assert await listed(other) == {}

    @pytest.mark.parametrize(
        ("changed", "named"),
        [
            ({"aws_secret_access_key": SecretStr("hunter2")}, "AWS_SECRET_ACCESS_KEY"),
            ({"aws_access_key_id": SecretStr("hunter2")}, "AWS_ACCESS_KEY_ID"),
            ({"aws_access_key_id": None}, "AWS_ACCESS_KEY_ID"),
            ({"aws_secret_access_key": None}, "AWS_SECRET_ACCESS_KEY"),
            ({"storage_url": "s3://another-bucket/a"}, "STORAGE_URL"),
            ({"aws_endpoint_url": "http://127.0.0.1:9"}, "AWS_ENDPOINT_URL"),
            ({"aws_endpoint_url": "https://key:hunter2@127.0.0.1:9"}, "AWS_ENDPOINT_URL"),
            ({"aws_endpoint_url": "127.0.0.1:9"}, "AWS_ENDPOINT_URL"),
            ({"aws_endpoint_url": "http://[hunter2"}, "AWS_ENDPOINT_URL"),
            ({"storage_public_url": "ftp://127.0.0.1"}, "STORAGE_PUBLIC_URL"),
            ({"storage_url": "s3://key:hunter2@files/"}, "STORAGE_URL"),
            ({"storage_url": "s3://"}, "STORAGE_URL"),
            ({"storage_url": "s3://files?hunter2"}, "STORAGE_URL"),
            ({"storage_url": "s3://files/../other"}, "STORAGE_URL"),
            ({"storage_url": "s3://files//other"}, "STORAGE_URL"),
            ({"storage_url": "s3://files/a b"}, "STORAGE_URL"),
        ],
    )
    def test_what_cannot_be_used_is_named(self, settings: Settings, changed: dict[str, object], named: str) -> None:
        with pytest.raises(Misconfigured) as refused:
            open_store(settings.model_copy(update=changed))
        assert named in refused.value.message
        assert refused.value.hint
        assert "hunter2" not in refused.value.message + refused.value.hint

    async def test_credentials_that_are_refused_later(self, settings: Settings) -> None:
        wrong = settings.model_copy(update={"aws_secret_access_key": SecretStr("hunter2")})
        store = S3Store(bucket_of(wrong), is_conditional=True)
        calls = [
            store.write(KEY, b"x", "image/png"),
            store.read(KEY, limit=10),
            store.blob(KEY),
            store.delete(KEY),
            store.check(),
            written(store, KEY, [bytes(MIB)] * 20),
            anext(aiter(store.blobs())),
        ]
        for answer in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(answer, Unavailable)
            assert "refuses the credentials" in answer.message
            assert "AWS_SECRET_ACCESS_KEY" in answer.hint

    async def test_a_bucket_that_has_gone(self, settings: Settings) -> None:
        store = S3Store(bucket_of(settings.model_copy(update={"storage_url": "s3://another"})), is_conditional=True)
        calls = (store.write(KEY, b"x", "image/png"), store.read(KEY, limit=10), anext(aiter(store.blobs())))
        for call in (*calls, store.blob(KEY), store.check()):
            with pytest.raises(Unavailable, match="no such bucket"):
                await call

    async def test_receipts(self, settings: Settings) -> None:
        receipts = open_receipts(settings)
        await receipts.write("image/a.json", b"{}", "application/json")
        with pytest.raises(Conflict):
            await receipts.write("image/a.json", b"[]", "application/json")
        assert await receipts.read("image/a.json", limit=10) == b"{}"
        assert await listed(open_store(settings)) == {}
