"""The upkeep of files: what is due goes, orphans are swept, contents are examined, and nothing ends it."""

import asyncio
import hashlib
import os
import shutil
import tempfile
import time
from contextlib import asynccontextmanager

import pytest

from genesis.domain.file import FileState, MediaDetails, incoming_key, peaks_key, thumbnail_key
from genesis.domain.identity import new_id
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.errors import Gone, Unavailable
from genesis.files.examination import Examination
from genesis.files.examiner import Examiner
from genesis.files.service import Files, Wishes
from genesis.files.upkeep import Upkeep
from genesis.storage.file import FileStore
from tests.support.files import file_of
from tests.support.ledger import SetClock
from tests.support.uploads import pieces, png, settings_on, stored, wav

HOUR = 3_600_000
PNG, WAV = png(640, 480), wav(1)


class Guesses:
    """Examines without looking."""

    def __init__(self):
        self.asked = []

    async def examine(self, path, media_type):
        self.asked.append(path)
        await asyncio.sleep(0)
        return Examination(MediaDetails(width=640, thumbnails=(320,)), thumbnails={320: b"small"})


@pytest.fixture
def store(settings):
    settings.storage_path.mkdir()
    return FileStore(settings.storage_path)


@pytest.fixture
def clock():
    clock = SetClock()
    clock.time = time.time_ns() // 1_000_000
    return clock


@pytest.fixture
async def records(database):
    async with database() as opened:
        yield opened.files


@pytest.fixture
def kept(store, records, clock, settings):
    """Files whose upkeep is done when the test says so."""
    return files_of(store, records, clock, settings)


def files_of(store, records, clock, settings, examiner=None):
    return Files(store, records, examiner or Guesses(), Guesses(), clock, settings)


async def uploaded(files, content=PNG, **wishes):
    return await files.upload(DEFAULT_ORGANIZATION, pieces(content), lambda: Wishes(**wishes))


def name_of(key):
    """As which a content lies in a folder."""
    return key.rpartition("/")[2]


def age(settings, key, hours):
    """Makes a content so many hours older."""
    (path,) = settings.storage_path.rglob(name_of(key))
    then = time.time() - hours * 3600
    os.utime(path, (then, then))


async def test_files_go_when_their_time_is_over(kept, clock, settings):
    short, long = await uploaded(kept, expires_in=60), await uploaded(kept, WAV)
    await kept.upkeep.examine()
    await kept.upkeep.expire()
    assert {name_of(thumbnail_key(short.id, 320)), name_of(short.key)} <= stored(settings)
    clock.time += 61_000
    await kept.upkeep.expire()
    assert stored(settings) == {name_of(long.key), name_of(thumbnail_key(long.id, 320))}
    with pytest.raises(Gone):
        await kept.file(DEFAULT_ORGANIZATION, short.id)
    assert (await kept.file(DEFAULT_ORGANIZATION, long.id)).state is FileState.READY


async def test_files_go_as_the_settings_say(store, records, clock, settings):
    files = files_of(store, records, clock, settings.model_copy(update={"file_retention_days": 2.0}))
    plain, lasting = await uploaded(files), await uploaded(files, WAV, expires_in=10 * 86_400)
    clock.time += 47 * HOUR
    await files.upkeep.expire()
    assert len(stored(settings)) == 2
    clock.time += 2 * HOUR
    await files.upkeep.expire()
    assert stored(settings) == {name_of(lasting.key)}
    with pytest.raises(Gone):
        await files.file(DEFAULT_ORGANIZATION, plain.id)


async def test_waiting_files_are_given_up(kept, clock):
    made = await kept.announce(
        DEFAULT_ORGANIZATION, name="", media_type="image/png", size=None, seconds=60, put_path=lambda file_id: file_id
    )
    clock.time += 60_000
    await kept.upkeep.expire()
    assert (await kept.file(DEFAULT_ORGANIZATION, made.file.id)).state is FileState.WAITING  # it may still be completed
    clock.time += HOUR
    await kept.upkeep.expire()
    with pytest.raises(Gone):
        await kept.file(DEFAULT_ORGANIZATION, made.file.id)


async def test_only_orphans_are_swept(kept, store, settings):
    file = await uploaded(kept)
    await kept.upkeep.examine()
    gone = await uploaded(kept, WAV)
    await kept._records.delete(DEFAULT_ORGANIZATION, gone.id, 5)  # and the process ended before its content went
    waiting = await kept.announce(
        DEFAULT_ORGANIZATION, name="", media_type="", size=None, seconds=7 * 86_400, put_path=lambda file_id: file_id
    )
    orphan, young = new_id(), new_id()
    contents = {
        "of a file": (file.key, True),
        "made of it": (thumbnail_key(file.id, 320), True),
        "deleted": (gone.key, False),
        "nobody's": (f"images/{orphan}.png", False),
        "made of nobody's": (thumbnail_key(orphan, 320), False),
        "a waveform of nobody's": (peaks_key(orphan), False),
        "sent after all was done": (incoming_key(file.id), False),
        "sent and not completed yet": (incoming_key(waiting.file.id), True),
        "a second one of a call that is known": (f"images/{orphan}-{file.id}.png", True),
        "put there by hand": ("inputs/voice.wav", True),
        "of an odd name": ("images/0190.png", True),
        "perhaps about to be recorded": (f"images/{young}.png", True),
    }
    for key, _ in contents.values():
        if name_of(key) not in stored(settings):
            await store.write(key, b"x", "image/png")
        age(settings, key, 23 if young in key else 25)
    draft = settings.storage_path / "images" / f".{'a' * 32}.part"
    draft.write_bytes(b"half")
    os.utime(draft, (1, 1))
    assert await kept.upkeep.sweep() == 5
    left = {name_of(key) for key, stays in contents.values() if stays}
    assert stored(settings) == left


async def test_many_are_swept(kept, store, settings, monkeypatch):
    monkeypatch.setattr("genesis.files.upkeep._SWEPT_AT_ONCE", 7)
    file = await uploaded(kept)
    for _ in range(30):
        await store.write(f"images/{new_id()}.png", b"x", "image/png")
    for name in stored(settings):
        age(settings, f"images/{name}", 25)
    assert await kept.upkeep.sweep() == 30
    assert stored(settings) == {name_of(file.key)}


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


async def test_a_missing_content_is_a_problem(kept, store):
    file = await uploaded(kept)
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


async def test_one_that_cannot_be_deleted_holds_up_no_sweep(kept, store, settings, monkeypatch):
    names = [f"images/{new_id()}.png" for _ in range(5)]
    for name in names:
        await store.write(name, b"x", "image/png")
        age(settings, name, 25)
    original = store.delete

    async def failing(key):
        if key == names[2]:
            raise Unavailable("It may not be changed.")
        await original(key)

    monkeypatch.setattr(store, "delete", failing)
    assert await kept.upkeep.sweep() == 4
    assert stored(settings) == {name_of(names[2])}


async def test_what_could_not_be_deleted_is_swept_later(kept, store, settings, monkeypatch):
    file = await uploaded(kept)

    async def away(key):
        raise Unavailable("The disk is away.")

    monkeypatch.setattr(store, "delete", away)
    await kept.delete(DEFAULT_ORGANIZATION, file.id)
    assert stored(settings) == {name_of(file.key)}
    monkeypatch.undo()
    age(settings, file.key, 25)
    await kept.upkeep.sweep()
    assert stored(settings) == set()


@asynccontextmanager
async def running(upkeep):
    task = asyncio.create_task(upkeep.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_nothing_ends_the_upkeep(store, records, clock, settings, monkeypatch, caplog):
    monkeypatch.setattr("genesis.files.upkeep._LOOK_SECONDS", 0.01)
    monkeypatch.setattr("genesis.files.upkeep._EXPIRE_SECONDS", 0.01)
    monkeypatch.setattr("genesis.files.upkeep._SWEEPS_PER_AGE", 10**7)
    caplog.set_level("WARNING", logger="genesis.files.upkeep")
    upkeep = Upkeep(store, records, Guesses(), clock, settings)
    failures = {"examine": 0, "expire": 0, "sweep": 0}
    done = dict.fromkeys(failures, 0)

    def failing_at_first(name):
        work = getattr(Upkeep, name)

        async def failing(self):
            failures[name] += 1
            if failures[name] == 1:
                raise Unavailable("The store is away.")
            if failures[name] == 2:
                raise RuntimeError("a mistake of ours")
            await work(self)
            done[name] += 1

        monkeypatch.setattr(Upkeep, name, failing)

    for name in failures:
        failing_at_first(name)
    async with running(upkeep) as task, asyncio.timeout(20):
        while min(done.values()) < 2:
            assert not task.done()
            await asyncio.sleep(0.01)
    assert "The store is away." in caplog.text
    assert "a mistake of ours" in caplog.text


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


async def test_copies_of_processes_that_were_killed_are_deleted(kept, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    old, new, other = (tmp_path / name for name in ("genesis-media-a.png", "genesis-media-b.png", "genesis-page-c"))
    for path in (old, new, other):
        path.write_bytes(b"x")
    for path in (old, other):
        os.utime(path, (1, 1))
    await kept.upkeep.tidy()
    assert not old.exists()
    assert new.exists()
    assert other.exists()


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
