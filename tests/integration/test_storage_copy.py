"""`genesis-server storage copy`: from one kind of store to the other and back."""

import asyncio
import os

import pytest
from click.testing import CliRunner

from genesis.errors import Misconfigured, NotFound, Unavailable
from genesis.settings import Settings
from genesis.storage.file import FileStore
from genesis.storage.open import open_receipts, open_store
from genesis.storage.s3 import S3Store
from launcher.main import main
from launcher.storage import copy_storage
from tests.support.blobs import KINDS, listed
from tests.support.s3 import CREDENTIALS, shared_s3


@pytest.fixture
def aws():
    """Settings of S3, without a store."""
    return shared_s3().settings(storage_url=None)


@pytest.fixture
def settings(aws, tmp_path):
    return aws.model_copy(update={"storage_path": tmp_path / "first"})


@pytest.fixture(params=KINDS)
def other(request, tmp_path):
    """URL of another store, which is empty."""
    return f"file://{tmp_path}/other" if request.param == "file" else shared_s3().settings().storage_url


def at(settings: Settings, url: str) -> Settings:
    return settings.model_copy(update={"storage_url": url})


async def filled(settings: Settings) -> dict[str, bytes]:
    contents = {f"images/file-{number}.png": os.urandom(number * 500) for number in range(40)}
    contents |= {"audio/large.wav": os.urandom(11_000_000), "incoming/a.part": b"half"}
    store, receipts = open_store(settings), open_receipts(settings)
    for key, data in contents.items():
        await store.write(key, data, "image/png")
    await receipts.write("image/a.json", b"{}", "application/json")
    return contents


async def contents_of(settings: Settings) -> dict[str, bytes]:
    store = open_store(settings)
    return {key: await store.read(key, limit=10**9) for key in await listed(store)}


async def copied(settings: Settings, to: str):
    """The outcome, and how many bytes there were and were done."""
    told = []

    def begin(size):
        told.append(size)
        return told.append

    outcome = await copy_storage(settings, to, begin)
    return outcome, told[0], sum(told[1:])


async def test_all_is_copied(settings, other):
    contents = await filled(settings)
    outcome, size, done = await copied(settings, other)
    assert (outcome.copied, outcome.present, outcome.failures) == (len(contents) + 1, 0, {})
    assert size == done == sum(map(len, contents.values())) + 2
    assert await contents_of(at(settings, other)) == contents
    assert await open_receipts(at(settings, other)).read("image/a.json", limit=10) == b"{}"


async def test_there_and_back(settings, tmp_path):
    contents = await filled(settings)
    there = shared_s3().settings().storage_url
    await copied(settings, there)
    outcome, *_ = await copied(at(settings, there), f"file://{tmp_path}/back")
    assert (outcome.copied, outcome.failures) == (len(contents) + 1, {})
    assert await contents_of(at(settings, f"file://{tmp_path}/back")) == contents


async def test_an_interrupted_one_is_resumed(settings, other, monkeypatch):
    contents = await filled(settings)
    total = sum(map(len, contents.values())) + 2
    enough, done = asyncio.Event(), 0

    def tell(size):
        nonlocal done
        done += size
        if done > total / 3:
            enough.set()

    first = asyncio.create_task(copy_storage(settings, other, lambda _: tell))
    await enough.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    present = await listed(open_store(at(settings, other)))
    assert all(len(contents[key]) == size for key, size in present.items())
    outcome, size, told = await copied(settings, other)
    assert (outcome.copied + outcome.present, outcome.failures) == (len(contents) + 1, {})
    assert outcome.present >= len(present)
    assert size == told == total
    assert await contents_of(at(settings, other)) == contents
    assert (await copied(settings, other))[0].present == len(contents) + 1


async def test_a_copy_that_comes_back_changed_is_deleted(settings, other, monkeypatch):
    contents = await filled(settings)
    for kind in (FileStore, S3Store):
        pieces = kind.pieces

        async def changed(store, key, *span, pieces=pieces):
            async for piece in pieces(store, key, *span):
                yield piece if key != "images/file-7.png" or store_is_source(store) else piece[:-1] + b"?"

        monkeypatch.setattr(kind, "pieces", changed)

    def store_is_source(store):
        return isinstance(store, FileStore) and store._tree.root == settings.storage_path

    outcome, *_ = await copied(settings, other)
    assert list(outcome.failures) == ["images/file-7.png"]
    assert "differs" in outcome.failures["images/file-7.png"]
    monkeypatch.undo()
    assert set(await contents_of(at(settings, other))) == set(contents) - {"images/file-7.png"}


async def test_another_content_of_the_same_name_stays(settings, other):
    await filled(settings)
    target = open_store(at(settings, other))
    await target.write("images/file-1.png", b"another", "image/png")
    outcome, *_ = await copied(settings, other)
    assert list(outcome.failures) == ["images/file-1.png"]
    assert await target.read("images/file-1.png", limit=10) == b"another"


async def test_what_is_deleted_meanwhile_is_no_failure(settings, other, monkeypatch):
    contents = await filled(settings)
    pieces = FileStore.pieces

    async def gone(store, key, *span):
        if key == "images/file-7.png" and store._tree.root == settings.storage_path:
            raise NotFound("There is no file.")
        async for piece in pieces(store, key, *span):
            yield piece

    monkeypatch.setattr(FileStore, "pieces", gone)
    outcome, *_ = await copied(settings, other)
    assert (outcome.copied, outcome.vanished, outcome.failures) == (len(contents), 1, {})


async def test_it_gives_up_on_a_store_that_is_away(settings, other, monkeypatch):
    await filled(settings)

    async def away(store, key):
        raise Unavailable("The store is away.")

    for kind in (FileStore, S3Store):
        monkeypatch.setattr(kind, "blob", away)
    outcome, *_ = await copied(settings, other)
    assert 20 <= len(outcome.failures) < 30
    assert not outcome.is_whole


async def test_a_store_that_cannot_be_used_is_named(settings):
    for url in ("s3://nowhere", "ftp://host/"):
        with pytest.raises(Misconfigured, match="--to"):
            await copied(settings, url)


class TestCommand:
    @pytest.fixture
    def environment(self, settings):
        return {
            "STORAGE_PATH": str(settings.storage_path),
            "STORAGE_URL": "",
            "AWS_ENDPOINT_URL": settings.aws_endpoint_url,
            "AWS_ACCESS_KEY_ID": CREDENTIALS.access_key_id,
            "AWS_SECRET_ACCESS_KEY": CREDENTIALS.secret_access_key,
        }

    def test_it_says_what_it_did(self, settings, other, environment):
        contents = asyncio.run(filled(settings))
        answer = CliRunner(env=environment).invoke(main, ["storage", "copy", "--to", other])
        assert answer.exit_code == 0
        assert (
            answer.stdout
            == f"{len(contents) + 1} copied and verified, 0 there already, 0 deleted meanwhile, 0 failed.\n"
        )
        answer = CliRunner(env=environment).invoke(main, ["storage", "copy", "--to", other])
        assert answer.stdout.startswith(f"0 copied and verified, {len(contents) + 1} there already")

    def test_failures_are_named(self, settings, other, environment):
        asyncio.run(filled(settings))
        asyncio.run(open_store(at(settings, other)).write("images/file-1.png", b"another", "image/png"))
        answer = CliRunner(env=environment).invoke(main, ["storage", "copy", "--to", other])
        assert answer.exit_code == 1
        assert "images/file-1.png: The other store has another content" in answer.stderr
        assert "1 failed." in answer.stdout

    def test_a_wrong_url_ends_it(self, environment):
        answer = CliRunner(env=environment).invoke(main, ["storage", "copy", "--to", "ftp://host"])
        assert answer.exit_code == 2
        assert "--to" in answer.stderr
