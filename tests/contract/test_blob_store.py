"""What every blob store does with whole contents; those that come and go in pieces have a file of their own."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from genesis.domain.artifact import Artifact
from genesis.errors import Conflict, InvalidRequest, NotFound, PayloadTooLarge
from genesis.ports.blobs import BlobStore
from genesis.settings import Settings
from genesis.storage.open import open_receipts, open_store
from tests.support.blobs import KINDS, listed, opened, settings_of

KEY = "images/01900000-0000-7000-8000-000000000000.png"
NOT_KEYS = [
    "",
    "a.png",
    "/images/a.png",
    "images/",
    "images//a.png",
    "images/a",
    "images/a.",
    "images/.png",
    "images/.hidden.png",
    ".hidden/a.png",
    "images/../a.png",
    "../images/a.png",
    "images/../../etc/passwd.txt",
    "./images/a.png",
    "images/b/a.png",
    "images\\a.png",
    "images/a\\b.png",
    "images/a.png\n",
    "images/a\x00.png",
    "images/a b.png",
    "images/a%2e.png",
    "images/a?.png",
    "images/ä.png",
    "images/a.tar.gz",
    "Images/a.png",
    "images/a.PNG",
    "images/-a.png",
    f"images/{'a' * 129}.png",
    f"{'a' * 65}/a.png",
    "images/a.abcdefghi",
    "C:/a.png",
]


@pytest.fixture(params=KINDS)
def kind_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    return settings_of(request.param, tmp_path)


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BlobStore]:
    store = opened(request.param, tmp_path)
    yield store
    await store.close()


async def test_a_file_comes_back(store: BlobStore) -> None:
    data = bytes(range(256)) * 5000
    artifact = await store.write(KEY, data, "image/png")
    assert artifact == Artifact(KEY, "image/png", len(data), hashlib.sha256(data).hexdigest())
    assert artifact.url == f"/storage/{KEY}"
    assert await store.read(KEY, limit=len(data)) == data
    path = store.local_path(KEY)
    assert path is None or path.read_bytes() == data


async def test_an_empty_file_comes_back(store: BlobStore) -> None:
    artifact = await store.write("audio/empty.wav", b"", "audio/wav")
    assert artifact.size == 0
    assert await store.read("audio/empty.wav", limit=0) == b""


async def test_a_file_is_never_replaced(store: BlobStore) -> None:
    first = await store.write(KEY, b"first", "image/png")
    assert await store.write(KEY, b"first", "image/png") == first
    for other in (b"other", b"second, and longer", b""):
        with pytest.raises(Conflict):
            await store.write(KEY, other, "image/png")
    assert await store.read(KEY, limit=100) == b"first"


async def test_of_writers_at_once_one_wins(store: BlobStore) -> None:
    contents = [bytes([value]) * 100_000 for value in range(8)]
    answers = await asyncio.gather(*(store.write(KEY, data, "image/png") for data in contents), return_exceptions=True)
    written = [answer for answer in answers if isinstance(answer, Artifact)]
    assert len(written) == 1
    assert {type(answer) for answer in answers} == {Artifact, Conflict}
    kept = await store.read(KEY, limit=100_000)
    assert hashlib.sha256(kept).hexdigest() == written[0].sha256


async def test_a_reader_never_sees_half_a_file(store: BlobStore) -> None:
    data = bytes(3_000_000)
    for number in range(5):
        key = f"images/file-{number}.png"
        writing = asyncio.create_task(store.write(key, data, "image/png"))
        while True:
            done = writing.done()
            try:
                assert len(await store.read(key, limit=len(data))) == len(data)
            except NotFound:
                assert not done
            if done:
                break
        await writing


async def test_many_at_once(store: BlobStore) -> None:
    keys = [f"images/file-{number}.png" for number in range(40)]
    await asyncio.gather(*(store.write(key, key.encode(), "image/png") for key in keys))
    assert await asyncio.gather(*(store.read(key, limit=100) for key in keys)) == [key.encode() for key in keys]


async def test_a_file_above_the_limit_is_not_read(store: BlobStore) -> None:
    await store.write(KEY, bytes(101), "image/png")
    with pytest.raises(PayloadTooLarge, match="101 bytes"):
        await store.read(KEY, limit=100)


async def test_a_missing_file(store: BlobStore) -> None:
    with pytest.raises(NotFound):
        await store.read(KEY, limit=100)
    with pytest.raises(NotFound):
        await store.blob(KEY)
    for give_key in (store.move, store.copy):
        with pytest.raises(NotFound):
            await give_key(KEY, "images/other.png", "image/png")
    assert store.local_path(KEY) is None
    await store.write("images/other.png", b"x", "image/png")
    with pytest.raises(NotFound):
        await store.read(KEY, limit=100)


@pytest.mark.parametrize("key", NOT_KEYS)
async def test_what_is_no_key(store: BlobStore, key: str) -> None:
    good = "images/good.png"
    calls = [
        store.write(key, b"x", "image/png"),
        store.read(key, limit=100),
        store.blob(key),
        store.move(key, good, "image/png"),
        store.move(good, key, "image/png"),
        store.copy(key, good, "image/png"),
        store.copy(good, key, "image/png"),
        store.delete(key),
        store.presigned_get(key, 60, media_type="image/png", disposition="inline"),
        store.presigned_put(key, 60),
        store.presigned_put(key, 60, 5),
        anext(aiter(store.pieces(key))),
        store.writing(key, "image/png").__aenter__(),
    ]
    for answer in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(answer, InvalidRequest)
    with pytest.raises(InvalidRequest):
        store.local_path(key)


@pytest.mark.parametrize("folder", ["", ".receipts", "../images", "images/ab", "Images", "a.b", "/", "."])
async def test_what_is_no_folder(store: BlobStore, folder: str) -> None:
    with pytest.raises(InvalidRequest):
        await listed(store, folder)


async def test_what_is_known_of_a_content(store: BlobStore) -> None:
    began = time.time()
    await store.write(KEY, b"some", "image/png")
    blob = await store.blob(KEY)
    assert (blob.key, blob.size) == (KEY, 4)
    # Stores tell the second, and a file system the last tick of its clock.
    assert began - 2 < blob.modified_at / 1000 < time.time() + 2
    assert blob.etag.isascii()
    assert not set(blob.etag) & set('" ,\\')
    assert await store.blob(KEY) == blob
    await store.write("images/other.png", b"longer", "image/png")
    assert (await store.blob("images/other.png")).etag != blob.etag


async def test_a_deleted_content_is_gone(store: BlobStore) -> None:
    await store.write(KEY, b"x", "image/png")
    await store.delete(KEY)
    with pytest.raises(NotFound):
        await store.read(KEY, limit=100)
    assert await listed(store) == {}
    await store.delete(KEY)
    await store.write(KEY, b"another", "image/png")
    assert await store.read(KEY, limit=100) == b"another"


async def test_a_moved_content(store: BlobStore) -> None:
    await store.write("incoming/a.part", b"x", "application/octet-stream")
    for _ in range(2):
        await store.move("incoming/a.part", KEY, "image/png")
        assert await listed(store) == {KEY: 1}
    assert await store.read(KEY, limit=100) == b"x"


async def test_a_copied_content(store: BlobStore) -> None:
    await store.write("incoming/a.part", b"x", "application/octet-stream")
    for _ in range(2):
        await store.copy("incoming/a.part", KEY, "image/png")
        assert await listed(store) == {KEY: 1, "incoming/a.part": 1}
    await store.write("incoming/b.part", b"y", "application/octet-stream")
    with pytest.raises(Conflict):
        await store.copy("incoming/b.part", KEY, "image/png")
    await store.delete("incoming/a.part")
    assert await store.read(KEY, limit=100) == b"x"


async def test_a_move_replaces_nothing(store: BlobStore) -> None:
    await store.write(KEY, b"first", "image/png")
    await store.write("incoming/a.part", b"other", "image/png")
    with pytest.raises(Conflict):
        await store.move("incoming/a.part", KEY, "image/png")
    assert await store.read(KEY, limit=100) == b"first"
    assert await store.read("incoming/a.part", limit=100) == b"other"


async def test_a_move_that_was_cut_off_is_finished(store: BlobStore) -> None:
    for key in ("incoming/a.part", KEY):
        await store.write(key, b"x", "image/png")
    await store.move("incoming/a.part", KEY, "image/png")
    assert await listed(store) == {KEY: 1}


async def test_a_thousand_contents_are_listed(store: BlobStore) -> None:
    keys = {f"{folder}/file-{number}.png" for folder in ("images", "thumbnails") for number in range(500)}
    keys |= {f"images/more-{number}.png" for number in range(510)}

    async def write_some(some: list[str]) -> None:
        for key in some:
            await store.write(key, key.encode(), "image/png")

    await asyncio.gather(*(write_some(sorted(keys)[start::16]) for start in range(16)))
    assert await listed(store) == {key: len(key) for key in keys}
    assert set(await listed(store, "images")) == {key for key in keys if key.startswith("images/")}
    assert await listed(store, "image") == {}
    first = await anext(aiter(store.blobs()))
    assert first.key in keys


async def test_an_empty_store_has_nothing(store: BlobStore) -> None:
    assert await listed(store) == {}
    assert await listed(store, "images") == {}
    assert await store.remove_remains(2**53) == 0


async def test_receipts_are_not_among_the_contents(kind_settings: Settings) -> None:
    store, receipts = open_store(kind_settings), open_receipts(kind_settings)
    await receipts.write("image/a.json", b"{}", "application/json")
    assert await listed(store) == {}
    assert await listed(receipts) == {"image/a.json": 2}
    with pytest.raises(NotFound):
        await store.read("image/a.json", limit=100)
    await store.close()
    await receipts.close()
