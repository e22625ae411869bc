"""What every blob store does, and what the file store does beyond it."""

import asyncio
import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genesis.domain.artifact import Artifact
from genesis.errors import Conflict, InvalidRequest, Misconfigured, NotFound, PayloadTooLarge, Unavailable
from genesis.ports.blobs import BlobStore
from genesis.settings import Settings
from genesis.storage.file import FileStore
from genesis.storage.open import open_store

STORES: dict[str, Callable[[Path], BlobStore]] = {"file": FileStore}
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


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return STORES[request.param](tmp_path)


async def test_a_file_comes_back(store: BlobStore) -> None:
    data = bytes(range(256)) * 5000
    artifact = await store.write(KEY, data, "image/png")
    assert artifact == Artifact(KEY, "image/png", len(data), hashlib.sha256(data).hexdigest())
    assert artifact.url == f"/storage/{KEY}"
    assert await store.read(KEY, limit=len(data)) == data
    assert (await store.local_path(KEY)).read_bytes() == data


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
        await store.local_path(KEY)
    await store.write("images/other.png", b"x", "image/png")
    with pytest.raises(NotFound):
        await store.read(KEY, limit=100)


@pytest.mark.parametrize("key", NOT_KEYS)
async def test_what_is_no_key(store: BlobStore, key: str) -> None:
    with pytest.raises(InvalidRequest):
        await store.write(key, b"x", "image/png")
    with pytest.raises(InvalidRequest):
        await store.read(key, limit=100)
    with pytest.raises(InvalidRequest):
        await store.local_path(key)


class TestFileStore:
    @pytest.fixture
    def store(self, tmp_path: Path) -> FileStore:
        root = tmp_path / "store"
        root.mkdir()
        return FileStore(root)

    async def test_nothing_but_the_file_remains(self, store: FileStore, tmp_path: Path) -> None:
        await store.write(KEY, b"x", "image/png")
        assert [path.name for path in (tmp_path / "store").rglob("*")] == ["images", KEY.removeprefix("images/")]

    async def test_links_are_not_followed_on_read(self, store: FileStore, tmp_path: Path) -> None:
        secret = tmp_path / "secret.png"
        secret.write_bytes(b"secret")
        (tmp_path / "store" / "images").mkdir()
        (tmp_path / "store" / "images" / "link.png").symlink_to(secret)
        (tmp_path / "store" / "linked").symlink_to(tmp_path)
        for key in ("images/link.png", "linked/secret.png"):
            with pytest.raises(NotFound):
                await store.read(key, limit=100)
            with pytest.raises(NotFound):
                await store.local_path(key)

    async def test_links_are_not_followed_on_write(self, store: FileStore, tmp_path: Path) -> None:
        secret = tmp_path / "secret.png"
        secret.write_bytes(b"secret")
        (tmp_path / "store" / "images").mkdir()
        (tmp_path / "store" / "images" / "link.png").symlink_to(secret)
        (tmp_path / "store" / "linked").symlink_to(tmp_path)
        for data in (b"new", b"secret"):
            with pytest.raises(Conflict):
                await store.write("images/link.png", data, "image/png")
            with pytest.raises(Unavailable):
                await store.write("linked/secret.png", data, "image/png")
        assert secret.read_bytes() == b"secret"
        assert [path.name for path in (tmp_path / "store" / "images").iterdir()] == ["link.png"]

    async def test_folders_and_pipes_are_not_replaced(self, store: FileStore, tmp_path: Path) -> None:
        (tmp_path / "store" / "images" / "folder.png").mkdir(parents=True)
        os.mkfifo(tmp_path / "store" / "images" / "pipe.png")
        for key in ("images/folder.png", "images/pipe.png"):
            with pytest.raises(Conflict):
                await store.write(key, b"", "image/png")

    async def test_folders_and_pipes_are_no_files(self, store: FileStore, tmp_path: Path) -> None:
        (tmp_path / "store" / "images" / "folder.png").mkdir(parents=True)
        os.mkfifo(tmp_path / "store" / "images" / "pipe.png")
        for key in ("images/folder.png", "images/pipe.png"):
            with pytest.raises(NotFound):
                await store.read(key, limit=100)

    async def test_a_full_disk(self, store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(descriptor: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr("genesis.storage.file.os.fsync", full)
            with pytest.raises(Unavailable, match="No space left") as refused:
                await store.write(KEY, b"new", "image/png")
        assert "STORAGE_PATH" in refused.value.hint
        assert list((tmp_path / "store").rglob("*.*")) == []
        await store.write(KEY, b"new", "image/png")

    async def test_a_root_that_has_gone(self, tmp_path: Path) -> None:
        store = FileStore(tmp_path / "gone")
        with pytest.raises(Unavailable, match="cannot write"):
            await store.write(KEY, b"x", "image/png")

    async def test_file_and_folders_reach_the_disk_in_order(
        self, store: FileStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        steps: list[str] = []
        fsync, link = os.fsync, os.link

        def noted_fsync(descriptor: int) -> None:
            steps.append(Path(f"/dev/fd/{descriptor}").readlink().suffix or "folder")
            fsync(descriptor)

        def noted_link(*args: Any, **options: Any) -> None:
            steps.append("link")
            link(*args, **options)

        monkeypatch.setattr("genesis.storage.file.os.fsync", noted_fsync)
        monkeypatch.setattr("genesis.storage.file.os.link", noted_link)
        await store.write(KEY, b"x", "image/png")
        assert steps == ["folder", ".part", "link", "folder"]

    async def test_a_canceled_write_is_whole_or_absent(self, store: FileStore, tmp_path: Path) -> None:
        writing = asyncio.create_task(store.write(KEY, bytes(1_000_000), "image/png"))
        await asyncio.sleep(0)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        store._threads.shutdown(wait=True)
        assert [path.stat().st_size for path in (tmp_path / "store").rglob("*.*")] in ([], [1_000_000])


class TestOpening:
    async def test_storage_path(self, tmp_path: Path) -> None:
        store = open_store(Settings(storage_path=tmp_path / "a" / "b"))
        await store.write(KEY, b"x", "image/png")
        assert (tmp_path / "a" / "b" / KEY).read_bytes() == b"x"

    async def test_a_relative_path_survives_a_change_of_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path)
        store = open_store(Settings(storage_path=Path("./data")))
        monkeypatch.chdir(tmp_path / "elsewhere")
        await store.write(KEY, b"x", "image/png")
        assert await store.local_path(KEY) == tmp_path / "data" / KEY

    async def test_storage_url_wins(self, tmp_path: Path) -> None:
        url = f"file://{tmp_path}/with%20space"
        store = open_store(Settings(storage_path=tmp_path / "unused", storage_url=url))
        await store.write(KEY, b"x", "image/png")
        assert (tmp_path / "with space" / KEY).exists()
        assert not (tmp_path / "unused").exists()

    @pytest.mark.parametrize(
        "url",
        [
            "s3://bucket/folder",
            "/plain/path",
            "file://relative/folder",
            "file:relative",
            "file:///folder?x=1",
            "file:///folder%00x",
            "file://[x/folder",
        ],
    )
    def test_other_urls_are_refused(self, url: str) -> None:
        with pytest.raises(Misconfigured, match="STORAGE_URL") as refused:
            open_store(Settings(storage_url=url))
        assert "file:///" in refused.value.hint

    def test_a_password_is_not_repeated(self) -> None:
        with pytest.raises(Misconfigured) as refused:
            open_store(Settings(storage_url="s3://key:hunter2@bucket/"))
        assert "hunter2" not in refused.value.message + refused.value.hint

    def test_a_folder_that_cannot_be_used(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(Misconfigured, match="STORAGE_PATH"):
            open_store(Settings(storage_path=tmp_path / "file" / "folder"))

    def test_a_file_system_without_hard_links(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*args: Any, **options: Any) -> None:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))

        monkeypatch.setattr("os.link", refuse)
        with pytest.raises(Misconfigured) as refused:
            open_store(Settings(storage_path=tmp_path))
        assert "hard links" in refused.value.hint
        assert list(tmp_path.iterdir()) == []
