"""What every blob store does with contents that come and go in pieces."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from genesis.domain.artifact import Artifact
from genesis.errors import Conflict, NotFound
from genesis.ports.blobs import BlobStore
from tests.support.blobs import KINDS, listed, opened, settings_of, written
from tests.support.processes import ROOT

KEY = "images/01900000-0000-7000-8000-000000000000.png"
MIB = 1024 * 1024


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BlobStore]:
    store = opened(request.param, tmp_path)
    yield store
    await store.close()


async def read(store: BlobStore, key: str, *span: int | None) -> bytes:
    return b"".join([piece async for piece in store.pieces(key, *span)])


@pytest.mark.parametrize("sizes", [[], [0], [1], [10, 0, 300_000, 7], [MIB] * 3, [9 * MIB, 1], [65536] * 256])
async def test_a_content_comes_back(store: BlobStore, sizes: list[int]) -> None:
    pieces = [os.urandom(size) for size in sizes]
    data = b"".join(pieces)
    artifact = await written(store, KEY, pieces)
    assert artifact == Artifact(KEY, "image/png", len(data), hashlib.sha256(data).hexdigest())
    assert await store.read(KEY, limit=len(data)) == data
    assert await read(store, KEY) == data
    assert await listed(store) == {KEY: len(data)}


async def test_nobody_sees_it_before_its_end(store: BlobStore) -> None:
    async with store.writing(KEY, "image/png") as writer:
        for _ in range(20):
            await writer.write(bytes(MIB))
        with pytest.raises(NotFound):
            await store.blob(KEY)
        assert await listed(store) == {}
    assert await listed(store) == {KEY: 20 * MIB}


@pytest.mark.parametrize("size", [0, 10, 2 * MIB, 20 * MIB])
async def test_an_error_leaves_nothing(store: BlobStore, size: int) -> None:
    async def fail() -> None:
        async with store.writing(KEY, "image/png") as writer:
            for start in range(0, size, MIB):
                await writer.write(bytes(min(MIB, size - start)))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await listed(store) == {}
    assert await store.remove_remains(2**53) == 0
    await store.write(KEY, b"another", "image/png")


@pytest.mark.parametrize("size", [2 * MIB, 20 * MIB])
async def test_canceling_leaves_nothing(store: BlobStore, size: int) -> None:
    began = asyncio.Event()

    async def write() -> None:
        async with store.writing(KEY, "image/png") as writer:
            for _ in range(size // MIB):
                await writer.write(bytes(MIB))
            began.set()
            await asyncio.sleep(60)

    writing = asyncio.create_task(write())
    await began.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert await listed(store) == {}
    assert await store.remove_remains(2**53) == 0


@pytest.mark.parametrize("size", [10, 9 * MIB])
async def test_it_is_never_replaced(store: BlobStore, size: int) -> None:
    data = os.urandom(size)
    first = await written(store, KEY, [data])
    assert await written(store, KEY, [data]) == first
    for other in (b"other", data + b"x", os.urandom(size), os.urandom(9 * MIB)):
        with pytest.raises(Conflict):
            await written(store, KEY, [other])
    assert await store.read(KEY, limit=size) == data
    assert await store.remove_remains(2**53) == 0


async def test_of_writers_at_once_one_wins(store: BlobStore) -> None:
    contents = [bytes([value]) * 100_000 for value in range(6)]
    writing = (written(store, KEY, [data]) for data in contents)
    answers = await asyncio.gather(*writing, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["Artifact", *["Conflict"] * 5]


async def test_spans(store: BlobStore) -> None:
    data = os.urandom(5 * MIB + 17)
    await store.write(KEY, data, "image/png")
    size = len(data)
    for start, end in [
        (0, None),
        (0, 1),
        (1, 2),
        (size - 1, None),
        (100, 3 * MIB),
        (2 * MIB, 4 * MIB),
        (size - 10, size + 10),
        (0, 0),
        (7, 7),
        (size, None),
        (size, size + 5),
        (size + 5, size + 9),
        (9, 3),
    ]:
        assert await read(store, KEY, start, end) == data[start:end], (start, end)


async def test_a_missing_content_has_no_pieces(store: BlobStore) -> None:
    for span in ((), (0, 5), (3, 3), (5, None)):
        with pytest.raises(NotFound):
            await read(store, KEY, *span)


async def test_a_reader_that_leaves_early(store: BlobStore) -> None:
    await store.write(KEY, bytes(5 * MIB), "image/png")
    async with aclosing(store.pieces(KEY)) as pieces:
        async for piece in pieces:
            assert piece
            break
    await store.delete(KEY)


async def test_pieces_are_read_in_turns(store: BlobStore) -> None:
    data = os.urandom(3 * MIB)
    await store.write(KEY, data, "image/png")
    assert await asyncio.gather(*(read(store, KEY) for _ in range(8))) == [data] * 8


async def test_the_loop_goes_on_meanwhile(store: BlobStore) -> None:
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await asyncio.sleep(0.001)
            longest = max(longest, loop.time() - began)

    watching = asyncio.create_task(watch())
    await written(store, KEY, [bytes(65536)] * 400)
    await read(store, KEY)
    watching.cancel()
    assert longest < 1


_MEMORY = """
import asyncio, resource, sys
from genesis.settings import Settings
from genesis.storage.open import open_store

async def main():
    store = open_store(Settings.model_validate_json(sys.stdin.read()))
    piece = bytes(65536)
    async with store.writing("images/first.png", "image/png") as writer:
        await writer.write(piece)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with store.writing("images/large.png", "image/png") as writer:
        for _ in range({mib} * 16):
            await writer.write(piece)
    size = 0
    async for piece in store.pieces("images/large.png"):
        size += len(piece)
    assert size == {mib} * 1024 * 1024 == writer.artifact.size
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    await store.close()

asyncio.run(main())
"""


@pytest.mark.parametrize(("kind", "mib", "allowed"), [("file", 200, 24), ("s3", 40, 40), ("s3", 200, 40)])
def test_memory_does_not_grow_with_the_content(kind: str, mib: int, allowed: int, tmp_path: Path) -> None:
    settings = settings_of(kind, tmp_path)
    shown = settings.model_dump(mode="json", include={"storage_path", "storage_url", "aws_endpoint_url"})
    for name in ("aws_access_key_id", "aws_secret_access_key"):
        if secret := getattr(settings, name):
            shown[name] = secret.get_secret_value()
    answer = subprocess.run(
        [sys.executable, "-c", _MEMORY.format(mib=mib)],
        input=json.dumps(shown),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=100,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert int(answer.stdout) < allowed * 1024  # kilobytes
