"""A store that cannot be written to shows in `/ready`, and is not taken for one that has lost a file."""

import asyncio
import threading

import pytest

from genesis.errors import Unavailable
from genesis.files.watching import StoreWatch
from genesis.storage.file import FileStore
from genesis.storage.s3 import S3Store
from tests.support.gateway import is_problem, serving
from tests.support.uploads import png, settings_on


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr("genesis.files.watching._SECONDS", 0.01)
    monkeypatch.setattr("genesis.files.watching._SECONDS_IN_TROUBLE", 0.01)


async def ready_is(client, status):
    """What `/ready` says of the store once it has this status."""
    async with asyncio.timeout(20):
        while (answer := await client.get("/ready")).status_code != status:
            await asyncio.sleep(0.01)
    return answer.json()["store"]


async def test_a_folder_that_goes_and_comes_back(settings):
    async with serving(settings) as client:
        file = (await client.post("/files", content=png())).json()
        assert await ready_is(client, 200) == {"ready": True, "reason": None}
        away = settings.storage_path.rename(settings.storage_path.with_name("away"))
        gone = await ready_is(client, 503)
        assert not gone["ready"]
        assert "No such file or directory" in gone["reason"]
        is_problem(await client.get(file["url"]), 503, "unavailable")
        is_problem(await client.post("/files", content=png()), 503, "unavailable")
        away.rename(settings.storage_path)
        assert await ready_is(client, 200) == {"ready": True, "reason": None}
        assert (await client.get(file["url"])).content == png()


@pytest.fixture
def s3_settings(settings):
    return settings_on("s3", settings)


async def test_a_bucket_that_goes(s3_settings, monkeypatch):
    async with serving(s3_settings) as client:
        url = (await client.post("/files", content=png())).json()["url"]
        store = client._transport.app.state.contents._store
        assert isinstance(store, S3Store)
        gone = s3_settings.model_copy(update={"storage_url": "s3://another"})
        monkeypatch.setattr(store, "_client", _client(gone))
        assert "no such bucket" in (await ready_is(client, 503))["reason"]
        for method in ("GET", "HEAD"):
            assert (await client.request(method, url)).status_code == 503


def _client(settings):
    from genesis.storage.bucket import bucket_of

    return bucket_of(settings).client(seconds=10, retries=0)


async def test_a_store_that_hangs_takes_one_thread(tmp_path, monkeypatch):
    monkeypatch.setattr("genesis.files.watching._PATIENCE_SECONDS", 0.01)
    store, release, trials = FileStore(tmp_path), threading.Event(), []

    def hang():
        trials.append(None)
        release.wait(20)

    monkeypatch.setattr(store._tree, "check", hang)
    watch = StoreWatch(store)
    async with watch.running():
        while watch.trouble is None:
            await asyncio.sleep(0.01)
        assert "not answered within" in watch.trouble
        await asyncio.sleep(0.1)
        assert len(trials) == 1
        release.set()
        while watch.trouble is not None:
            await asyncio.sleep(0.01)
    await store.close()


async def test_nothing_ends_the_watch(tmp_path, monkeypatch):
    store = FileStore(tmp_path)
    failures = [RuntimeError("a mistake of ours"), Unavailable("The disk is away.")]
    said = []

    async def failing():
        said.append(watch.trouble)
        if failures:
            raise failures.pop(0)

    monkeypatch.setattr(store, "check", failing)
    watch = StoreWatch(store)
    async with watch.running():
        while len(said) < 4:
            await asyncio.sleep(0.01)
    assert said[0] is None
    assert "the log says how" in said[1]
    assert said[2:4] == ["The disk is away.", None]
    await store.close()
