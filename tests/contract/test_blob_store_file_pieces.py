"""How the file store reads: on the event loop what is in memory, in a thread what has to come from the disk."""

import asyncio
import errno
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import pytest

from genesis.errors import Unavailable
from genesis.storage.file import FileStore
from genesis.storage.tree import Tree

KEY = "images/01900000-0000-7000-8000-000000000000.png"
DATA = os.urandom(1_300_000)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[FileStore]:
    store = FileStore(tmp_path)
    await store.write(KEY, DATA, "image/png")
    yield store
    await store.close()


async def read(store: FileStore) -> bytes:
    return b"".join([piece async for piece in store.pieces(KEY)])


def opened(root: Path) -> int:
    """How many contents are open."""
    count = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            count += descriptor.readlink().is_relative_to(root)
    return count


async def none_is_open(root: Path) -> None:
    async with asyncio.timeout(20):
        while opened(root):
            await asyncio.sleep(0.01)


def refusing(code: int) -> Callable[..., int]:
    """A preadv(2) that fails."""

    def refuse(*_: Any) -> int:
        raise OSError(code, os.strerror(code))

    return refuse


def held(work: Callable[..., Any], began: threading.Event, go_on: threading.Event) -> Callable[..., Any]:
    """Something that takes long."""

    def hold(*arguments: Any) -> Any:
        began.set()
        assert go_on.wait(20)
        return work(*arguments)

    return hold


@pytest.mark.parametrize("code", [errno.EAGAIN, errno.EOPNOTSUPP])
async def test_what_is_not_in_memory(store: FileStore, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.preadv", refusing(code))
    assert await read(store) == DATA


async def test_a_system_that_cannot_tell(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genesis.storage.file._AT_ONCE", None)
    monkeypatch.setattr("os.preadv", refusing(errno.EIO))
    assert await read(store) == DATA


async def test_half_a_piece_in_memory(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(descriptor: int, buffers: list[bytearray], offset: int, _: int) -> int:
        if offset % 4096:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        found = os.pread(descriptor, len(buffers[0]) // 2 + 1, offset)
        buffers[0][: len(found)] = found
        return len(found)

    monkeypatch.setattr("os.preadv", half)
    assert await read(store) == DATA


async def test_a_disk_that_fails(store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.preadv", refusing(errno.EIO))
    with pytest.raises(Unavailable, match="cannot read: Input/output error"):
        await read(store)
    assert opened(tmp_path) == 0


async def test_a_content_that_becomes_shorter(store: FileStore) -> None:
    path = store.local_path(KEY)
    assert path is not None
    async with aclosing(store.pieces(KEY)) as pieces:
        first = await anext(pieces)
        os.truncate(path, len(first))
        with pytest.raises(Unavailable, match="become shorter"):
            await anext(pieces)


async def test_others_have_their_turn(store: FileStore) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    async for _ in store.pieces(KEY):
        before, turns = turns, 0
        assert before > 0
    counting.cancel()


@pytest.mark.parametrize("slow", ["opening", "reading"])
async def test_who_leaves_while_a_thread_is_at_it(
    store: FileStore, tmp_path: Path, slow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is closed, but not before the thread is done: its number may be another file's by then."""
    began, go_on = threading.Event(), threading.Event()
    if slow == "opening":
        monkeypatch.setattr(Tree, "open", held(Tree.open, began, go_on))
    else:
        monkeypatch.setattr("os.preadv", refusing(errno.EAGAIN))
        monkeypatch.setattr("os.pread", held(os.pread, began, go_on))
    reading = asyncio.create_task(read(store))
    await asyncio.to_thread(began.wait, 20)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert opened(tmp_path) == (slow == "reading")
    go_on.set()
    await none_is_open(tmp_path)


async def test_who_leaves_between_pieces(store: FileStore, tmp_path: Path) -> None:
    async with aclosing(store.pieces(KEY)) as pieces:
        await anext(pieces)
        assert opened(tmp_path) == 1
    assert opened(tmp_path) == 0
