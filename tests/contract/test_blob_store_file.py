"""What the file store does beyond what every blob store does, and how it is opened."""

import asyncio
import errno
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from genesis.errors import Conflict, Misconfigured, NotFound, Unavailable
from genesis.settings import Settings
from genesis.storage.file import FileStore
from genesis.storage.open import open_store
from tests.support.blobs import listed, written

KEY = "images/01900000-0000-7000-8000-000000000000.png"
SHARD = "fa"


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]


class TestFileStore:
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[FileStore]:
        root = tmp_path / "store"
        root.mkdir()
        store = FileStore(root)
        yield store
        await store.close()

    async def test_nothing_but_the_file_remains(self, store: FileStore, tmp_path: Path) -> None:
        await store.write(KEY, b"x", "image/png")
        assert [path.name for path in (tmp_path / "store").rglob("*")] == ["images", SHARD, KEY.removeprefix("images/")]

    async def test_links_are_not_followed_on_read(self, store: FileStore, tmp_path: Path) -> None:
        secret = tmp_path / "secret.png"
        secret.write_bytes(b"secret")
        (tmp_path / "store" / "images").mkdir()
        (tmp_path / "store" / "images" / "link.png").symlink_to(secret)
        (tmp_path / "store" / "linked").symlink_to(tmp_path)
        for key in ("images/link.png", "linked/secret.png"):
            with pytest.raises(NotFound):
                await store.read(key, limit=100)
            assert store.local_path(key) is None
            with pytest.raises(NotFound):
                await store.move(key, "images/other.png", "image/png")
        assert await listed(store) == {}

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
        assert {path.name for path in files_below(tmp_path / "store")} == {"link.png", "linked"}

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
            patch.setattr("os.fsync", full)
            with pytest.raises(Unavailable, match="No space left") as refused:
                await store.write(KEY, b"new", "image/png")
        assert "STORAGE_PATH" in refused.value.hint
        assert list((tmp_path / "store").rglob("*.*")) == []
        await store.write(KEY, b"new", "image/png")

    async def test_a_root_that_has_gone(self, tmp_path: Path) -> None:
        store = FileStore(tmp_path / "gone")
        with pytest.raises(Unavailable, match="cannot write"):
            await store.write(KEY, b"x", "image/png")
        with pytest.raises(Unavailable, match="cannot list"):
            await listed(store)
        with pytest.raises(Unavailable):
            store.local_path(KEY)
        for call in (
            store.check(),
            store.read(KEY, limit=9),
            store.blob(KEY),
            store.delete(KEY),
            listed(store, "images"),
        ):
            with pytest.raises(Unavailable):
                await call
        await store.close()

    async def test_a_trial_leaves_nothing(
        self, store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def read_only(*_: object, **__: object) -> None:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

        for name in ("write", "link"):
            with monkeypatch.context() as patch:
                patch.setattr(f"os.{name}", read_only)
                with pytest.raises(Unavailable, match="Read-only"):
                    await store.check()
        await store.check()
        assert list((tmp_path / "store").iterdir()) == []

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

        monkeypatch.setattr("os.fsync", noted_fsync)
        monkeypatch.setattr("os.link", noted_link)
        await store.write(KEY, b"x", "image/png")
        assert steps == ["folder", "folder", ".part", "link", "folder"]

    async def test_a_canceled_write_is_whole_or_absent(self, store: FileStore, tmp_path: Path) -> None:
        writing = asyncio.create_task(store.write(KEY, bytes(1_000_000), "image/png"))
        await asyncio.sleep(0)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        store._threads.shutdown(wait=True)
        assert [path.stat().st_size for path in (tmp_path / "store").rglob("*.*")] in ([], [1_000_000])

    async def test_links_are_not_followed_into_shards(self, store: FileStore, tmp_path: Path) -> None:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / KEY.removeprefix("images/")).write_bytes(b"secret")
        (tmp_path / "store" / "images").mkdir()
        (tmp_path / "store" / "images" / SHARD).symlink_to(elsewhere)
        assert await listed(store) == {}
        with pytest.raises(NotFound):
            await store.read(KEY, limit=100)
        with pytest.raises(Unavailable):
            await store.write(KEY, b"new", "image/png")
        await store.delete(KEY)
        (elsewhere / f".{'a' * 32}.part").write_bytes(b"")
        assert await store.remove_remains(2**53) == 0
        assert len(list(elsewhere.iterdir())) == 2

    async def test_contents_are_spread(self, store: FileStore, tmp_path: Path) -> None:
        for number in range(300):
            await store.write(f"images/file-{number}.png", b"", "image/png")
        folders = list((tmp_path / "store" / "images").iterdir())
        assert len(folders) > 100
        assert max(len(list(folder.iterdir())) for folder in folders) < 10

    async def test_where_a_content_lies(self, store: FileStore, tmp_path: Path) -> None:
        assert store.local_path(KEY) is None
        await store.write(KEY, b"x", "image/png")
        path = tmp_path / "store" / "images" / SHARD / KEY.removeprefix("images/")
        assert store.local_path(KEY) == path
        assert path.read_bytes() == b"x"

    async def test_there_are_no_presigned_requests(self, store: FileStore) -> None:
        assert await store.presigned_get(KEY, 60, media_type="image/png", disposition="inline") is None
        assert await store.presigned_put(KEY, 60) is None


class TestEarlierVersions:
    """Contents that lie where earlier versions have put them."""

    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[FileStore]:
        (tmp_path / "images").mkdir()
        (tmp_path / KEY).write_bytes(b"flat")
        store = FileStore(tmp_path)
        yield store
        await store.close()

    async def test_they_are_found(self, store: FileStore, tmp_path: Path) -> None:
        assert await store.read(KEY, limit=100) == b"flat"
        assert b"".join([piece async for piece in store.pieces(KEY, 1, 3)]) == b"la"
        assert (await store.blob(KEY)).size == 4
        assert store.local_path(KEY) == tmp_path / KEY
        await store.write("images/other.png", b"x", "image/png")
        assert await listed(store) == {KEY: 4, "images/other.png": 1}

    async def test_they_are_not_replaced(self, store: FileStore) -> None:
        assert (await store.write(KEY, b"flat", "image/png")).size == 4
        with pytest.raises(Conflict):
            await store.write(KEY, b"new", "image/png")
        with pytest.raises(Conflict):
            await written(store, KEY, [b"new"])
        await store.write("incoming/a.part", b"new", "image/png")
        with pytest.raises(Conflict):
            await store.move("incoming/a.part", KEY, "image/png")
        assert await listed(store) == {KEY: 4, "incoming/a.part": 3}

    async def test_they_are_deleted(self, store: FileStore) -> None:
        await store.delete(KEY)
        assert await listed(store) == {}

    async def test_they_are_moved(self, store: FileStore) -> None:
        await store.move(KEY, "audio/a.wav", "audio/wav")
        assert await listed(store) == {"audio/a.wav": 4}
        assert await store.read("audio/a.wav", limit=100) == b"flat"


class TestRemains:
    async def test_what_died_half_written_is_removed(self, tmp_path: Path) -> None:
        store = FileStore(tmp_path)
        for folder in ("images", f"images/{SHARD}", ".receipts/image/00"):
            (tmp_path / folder).mkdir(parents=True)
            for name, age in (("a", 100), ("b", 5)):
                file = tmp_path / folder / f".{name * 32}.part"
                file.write_bytes(b"half")
                os.utime(file, (time.time() - age, time.time() - age))
        await store.write("incoming/a.part", b"whole", "image/png")
        assert await listed(store) == {"incoming/a.part": 5}
        assert await store.remove_remains(round((time.time() - 50) * 1000)) == 3
        assert await store.remove_remains(round((time.time() + 50) * 1000)) == 3
        assert await store.read("incoming/a.part", limit=100) == b"whole"
        await store.close()

    async def test_a_writer_leaves_its_part_in_its_place(self, tmp_path: Path) -> None:
        store = FileStore(tmp_path)
        async with store.writing(KEY, "image/png") as writer:
            await writer.write(bytes(3_000_000))
            assert await listed(store) == {}
            assert await store.remove_remains(round((time.time() - 50) * 1000)) == 0
        assert await listed(store) == {KEY: 3_000_000}
        assert [path.suffix for path in files_below(tmp_path)] == [".png"]
        await store.close()

    async def test_a_full_disk_while_pieces_come(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        store = FileStore(tmp_path)

        def full(*args: Any) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr("genesis.storage.draft.Draft.add", full)
            with pytest.raises(Unavailable, match="No space left"):
                await written(store, KEY, [bytes(1_000_000)] * 3)
        assert files_below(tmp_path) == []
        await store.close()


class TestOpening:
    async def test_storage_path(self, tmp_path: Path) -> None:
        store = open_store(Settings(storage_path=tmp_path / "a" / "b"))
        await store.write(KEY, b"x", "image/png")
        path = store.local_path(KEY)
        assert path is not None
        assert path.is_relative_to(tmp_path / "a" / "b")
        assert path.read_bytes() == b"x"

    async def test_a_relative_path_survives_a_change_of_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path)
        store = open_store(Settings(storage_path=Path("./data")))
        monkeypatch.chdir(tmp_path / "elsewhere")
        await store.write(KEY, b"x", "image/png")
        path = store.local_path(KEY)
        assert path is not None
        assert path.is_relative_to(tmp_path / "data")

    async def test_storage_url_wins(self, tmp_path: Path) -> None:
        url = f"file://{tmp_path}/with%20space"
        store = open_store(Settings(storage_path=tmp_path / "unused", storage_url=url))
        await store.write(KEY, b"x", "image/png")
        path = store.local_path(KEY)
        assert path is not None
        assert path.is_relative_to(tmp_path / "with space")
        assert not (tmp_path / "unused").exists()

    @pytest.mark.parametrize(
        "url",
        [
            "gs://bucket/folder",
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
