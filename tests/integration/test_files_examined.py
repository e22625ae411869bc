"""Contents are examined beside all else: each once, none holds up another, and what is wrong here is no problem of theirs."""

import asyncio
import hashlib
import shutil
import tempfile

import pytest

from genesis.domain.file import MediaDetails, thumbnail_key
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.errors import Unavailable
from genesis.files.examiner import Examiner
from tests.support.files import file_of
from tests.support.upkeep import PNG, WAV, Guesses, files_of, uploaded
from tests.support.uploads import png, settings_on, stored


async def test_several_examine_at_once(store, records, clock, settings):
    guesses = [Guesses(), Guesses()]
    both = [files_of(store, records, clock, settings, examiner) for examiner in guesses]
    files = [await uploaded(both[0], png(8 + number)) for number in range(10)]
    await asyncio.gather(*(one.upkeep.examine() for one in both))
    for file in files:
        found = await both[0].file(DEFAULT_ORGANIZATION, file.id)
        assert found.details == MediaDetails(width=640, thumbnails=(320,))
        assert await store.read(thumbnail_key(file.id, 320), limit=100) == b"small"
    assert await records.unexamined(10) == []


async def test_a_store_that_is_missing_is_no_problem_of_its_files(kept, store, clock):
    """A folder that is not mounted; a bucket that was deleted is told of by the store itself."""
    file = await uploaded(kept)
    await store.delete(file.key)
    await kept.upkeep.examine()
    found = await kept.file(DEFAULT_ORGANIZATION, file.id)
    assert (found.details, found.problem) == (None, "")
    await store.write(file.key, PNG, "image/png")
    clock.time += 5_000
    await kept.upkeep.examine()
    assert (await kept.file(DEFAULT_ORGANIZATION, file.id)).details


async def test_a_missing_content_is_a_problem(kept, store):
    file, _ = await uploaded(kept), await uploaded(kept, WAV)
    await store.delete(file.key)
    await kept.upkeep.examine()
    assert "missing" in (await kept.file(DEFAULT_ORGANIZATION, file.id)).problem


async def test_what_was_never_measured_is(kept, store, records):
    """Earlier versions did not note sizes and digests."""
    file = file_of(size=None, sha256=None)
    await store.write(file.key, PNG, "image/png")
    await records.add(file)
    await kept.upkeep.examine()
    found = await kept.file(DEFAULT_ORGANIZATION, file.id)
    assert (found.size, found.sha256) == (len(PNG), hashlib.sha256(PNG).hexdigest())


async def test_one_that_cannot_be_read_holds_up_no_other(kept, store, clock, monkeypatch):
    files = [await uploaded(kept, png(8 + number)) for number in range(5)]
    sick = files[2].key
    original = store.write

    async def failing(key, data, media_type):
        if files[2].id in key:
            raise Unavailable("The disk is away.")
        return await original(key, data, media_type)

    monkeypatch.setattr(store, "write", failing)
    await kept.upkeep.examine()
    details = [(await kept.file(DEFAULT_ORGANIZATION, file.id)).details is not None for file in files]
    assert details == [file.key != sick for file in files]
    monkeypatch.undo()
    clock.time += 5_000
    await kept.upkeep.examine()
    assert (await kept.file(DEFAULT_ORGANIZATION, files[2].id)).details


class Stubborn(Guesses):
    """Cannot read some files, however often it is asked."""

    def __init__(self, *types):
        super().__init__()
        self._types = types

    async def examine(self, path, media_type):
        found = await super().examine(path, media_type)
        if media_type in self._types:
            raise Unavailable("The disk is away.")
        return found


async def test_many_that_cannot_be_read_hold_up_no_other(store, records, clock, settings, monkeypatch):
    monkeypatch.setattr("genesis.files.upkeep._EXAMINED_AT_ONCE", 4)
    examiner = Stubborn("image/png")
    files = files_of(store, records, clock, settings, examiner)
    for number in range(9):
        await uploaded(files, png(8 + number))
    last = await uploaded(files, WAV)
    await files.upkeep.examine()
    assert (await files.file(DEFAULT_ORGANIZATION, last.id)).details
    assert len(examiner.asked) == 10
    await files.upkeep.examine()
    assert len(examiner.asked) == 10
    for seconds in (4, 8, 16):
        clock.time += seconds * 1000 - 1
        await files.upkeep.examine()
        before = len(examiner.asked)
        clock.time += 1
        await files.upkeep.examine()
        assert len(examiner.asked) == before + 9
    assert len(examiner.asked) == 10 + 3 * 9


async def test_where_the_store_is_away_not_every_file_is_tried(store, records, clock, settings):
    examiner = Stubborn("image/png")
    files = files_of(store, records, clock, settings, examiner)
    for number in range(25):
        await uploaded(files, png(8 + number))
    for tried in (20, 25, 25):
        await files.upkeep.examine()
        assert len(examiner.asked) == tried


async def test_what_was_made_of_a_file_goes_with_it_when_it_is_deleted_meanwhile(kept, records, settings, monkeypatch):
    file = await uploaded(kept)
    original = Guesses.examine

    async def slow(self, path, media_type):
        found = await original(self, path, media_type)
        await kept.delete(DEFAULT_ORGANIZATION, file.id)
        return found

    monkeypatch.setattr(Guesses, "examine", slow)
    await kept.upkeep.examine()
    assert stored(settings) == set()


async def test_what_is_uploaded_is_examined_at_once(store, records, clock, settings, monkeypatch):
    monkeypatch.setattr("genesis.files.upkeep._LOOK_SECONDS", 3_600.0)
    files = files_of(store, records, clock, settings)
    async with files.running(), asyncio.timeout(20):
        await asyncio.sleep(0.1)
        file = await uploaded(files)
        while (await files.file(DEFAULT_ORGANIZATION, file.id)).details is None:
            await asyncio.sleep(0.01)


@pytest.fixture
def s3_settings(settings):
    return settings_on("s3", settings)


async def test_what_has_no_room_here_is_not_fetched_and_has_no_problem(
    s3_settings, records, clock, monkeypatch, caplog
):
    from genesis.storage.open import open_store

    store = open_store(s3_settings)
    files = files_of(store, records, clock, s3_settings)
    try:
        file = await uploaded(files)
        usage = shutil.disk_usage("/")._replace(free=len(PNG) - 1)
        monkeypatch.setattr("genesis.files.contents.shutil.disk_usage", lambda _: usage)
        fetched = []
        monkeypatch.setattr(store, "pieces", lambda *place: fetched.append(place))
        await files.upkeep.examine()
        monkeypatch.undo()
        found = await files.file(DEFAULT_ORGANIZATION, file.id)
        assert (found.details, found.problem, fetched) == (None, "", [])
        assert "TMPDIR" in caplog.text
        clock.time += 5_000
        await files.upkeep.examine()
        assert (await files.file(DEFAULT_ORGANIZATION, file.id)).details
    finally:
        await store.close()


async def test_a_full_disk_is_no_problem_of_the_file(s3_settings, records, clock, monkeypatch):
    from genesis.storage.open import open_store

    store = open_store(s3_settings)
    files = files_of(store, records, clock, s3_settings)
    original = tempfile.NamedTemporaryFile

    def full(**options):
        copy = original(**options)

        def write(_):
            raise OSError(28, "No space left on device")

        copy.write = write
        return copy

    try:
        file = await uploaded(files)
        monkeypatch.setattr("genesis.files.contents.tempfile.NamedTemporaryFile", full)
        await files.upkeep.examine()
        found = await files.file(DEFAULT_ORGANIZATION, file.id)
        assert (found.details, found.problem) == (None, "")
    finally:
        await store.close()


async def test_contents_of_an_s3_store_are_examined_here(s3_settings, records, clock):
    from genesis.storage.open import open_store

    store, examiner = open_store(s3_settings), Examiner()
    files = files_of(store, records, clock, s3_settings, examiner)
    try:
        file = await uploaded(files)
        await files.upkeep.examine()
        found = await files.file(DEFAULT_ORGANIZATION, file.id)
        assert (found.details.width, found.details.height) == (640, 480)
        for width in found.details.thumbnails:
            assert (await store.blob(thumbnail_key(file.id, width))).size
        await files.delete(DEFAULT_ORGANIZATION, file.id)
        assert [blob.key async for blob in store.blobs()] == []
    finally:
        await examiner.close()
        await store.close()
