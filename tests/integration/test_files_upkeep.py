"""The upkeep of files: what is due goes, orphans are swept, and nothing ends it."""

import asyncio
import os
from contextlib import asynccontextmanager

import pytest

from genesis.domain.file import FileState, arrival_name, incoming_key, peaks_key, thumbnail_key
from genesis.domain.identity import new_id
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.errors import Gone, Unavailable
from genesis.files.upkeep import Upkeep
from genesis.storage.open import open_receipts
from tests.support.upkeep import HOUR, WAV, Guesses, age, files_of, name_of, uploaded
from tests.support.uploads import png, stored


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
        DEFAULT_ORGANIZATION,
        name="",
        media_type="image/png",
        size=None,
        seconds=7 * 86_400,
        put_path=lambda file_id: file_id,
    )
    orphan, young = new_id(), new_id()
    taken_in = "uploads/{}.png".format
    contents = {
        "of a file": (file.key, True),
        "made of it": (thumbnail_key(file.id, 320), True),
        "deleted": (gone.key, False),
        "nobody's": (f"images/{orphan}.png", False),
        "made of nobody's": (thumbnail_key(orphan, 320), False),
        "a waveform of nobody's": (peaks_key(orphan), False),
        "sent after all was done": (incoming_key(file.id), False),
        "taken in beside the content of a file": (taken_in(arrival_name(file.id)), False),
        "taken in and not recorded": (taken_in(arrival_name(waiting.file.id)), False),
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
    assert await kept.upkeep.sweep() == 7
    left = {name_of(key) for key, stays in contents.values() if stays}
    assert stored(settings) == left


async def test_receipts_go_when_nobody_is_going_to_ask(kept, settings, monkeypatch):
    receipts = open_receipts(settings)
    settled, doubtful, young = new_id(), new_id(), new_id()
    for call_key in (settled, doubtful, young):
        await receipts.write(f"image_transform/{call_key}.json", b"{}", "application/json")
        age(settings, f"image_transform/{call_key}.json", 29 * 24 if call_key == young else 31 * 24)

    async def in_doubt(call_keys):
        assert call_keys == {settled, doubtful}
        return {doubtful}

    monkeypatch.setattr(kept._records, "in_doubt", in_doubt)
    assert await kept.upkeep.sweep() == 0
    assert await kept.upkeep.sweep_receipts() == 1
    assert stored(settings) == {f"{doubtful}.json", f"{young}.json"}
    await receipts.close()


async def test_many_are_swept(kept, store, settings, monkeypatch):
    monkeypatch.setattr("genesis.files.upkeep._SWEPT_AT_ONCE", 7)
    file = await uploaded(kept)
    for _ in range(30):
        await store.write(f"images/{new_id()}.png", b"x", "image/png")
    for name in stored(settings):
        age(settings, f"images/{name}", 25)
    assert await kept.upkeep.sweep() == 30
    assert stored(settings) == {name_of(file.key)}


async def test_one_that_cannot_be_deleted_keeps_no_other(kept, store, clock, settings, monkeypatch):
    files = [await uploaded(kept, png(8 + number), expires_in=60) for number in range(5)]
    original = store.delete

    async def failing(key):
        if key == files[2].key:
            raise Unavailable("It may not be changed.")
        await original(key)

    monkeypatch.setattr(store, "delete", failing)
    clock.time += 61_000
    await kept.upkeep.expire()
    assert stored(settings) == {name_of(files[2].key)}


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
    upkeep = Upkeep(store, open_receipts(settings), records, Guesses(), clock, settings)
    failures = {"examine": 0, "expire": 0, "sweep": 0, "sweep_receipts": 0}
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
