"""A restore that was killed is no hindrance for the next one."""

import pytest

from genesis.database.incarnation import Queued
from genesis.errors import Conflict, Misconfigured
from genesis.storage.open import open_store
from launcher.backup import back_up, restore
from tests.support.backups import place
from tests.support.jobs import job_of
from tests.support.ledger import TWO_STEPS

KEY = "images/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55.png"
PICTURE = bytes(range(256)) * 1_000


@pytest.fixture
def new(tmp_path):
    return place(tmp_path / "new")


@pytest.fixture
async def archive(tmp_path):
    """Of a platform with a job and two files."""
    old = place(tmp_path / "old")
    store = open_store(old.settings)
    for key in (KEY, "audio/second.wav"):
        await store.write(key, PICTURE, "image/png")
    await store.close()
    async with old.open() as opened:
        await opened.ledger.submit(job_of(TWO_STEPS, wake_at=0))
        await back_up(old.settings, tmp_path / "backup.tar", with_files=True)
    return tmp_path / "backup.tar"


async def test_what_a_killed_restore_has_left_is_no_hindrance(archive, new):
    store = open_store(new.settings)
    await store.write(KEY, PICTURE, "image/png")
    remains = [new.settings.db_path.with_name(f".jobs.db.{'a' * 16}{end}") for end in ("", "-wal")]
    other = new.settings.db_path.with_name(".jobs.db.mine")
    for path in (*remains, other):
        path.write_bytes(b"half")
    damaged = archive.with_name("damaged.tar")
    damaged.write_bytes(archive.read_bytes().replace(PICTURE[:1000], bytes(1000), 1))
    with pytest.raises(Misconfigured, match="damaged"):
        await restore(new.settings, damaged, Queued.HOLD)
    assert await store.read(KEY, limit=10**6) == PICTURE
    restored, count = await restore(new.settings, archive, Queued.HOLD)
    assert (restored.jobs, count) == (1, 2)
    assert not [path for path in remains if path.exists()]
    assert other.exists()
    await store.close()


async def test_what_only_looks_like_it_is_not_taken_for_it(archive, new):
    store = open_store(new.settings)
    await store.write(KEY, PICTURE[::-1], "image/png")
    with pytest.raises(Conflict, match="another file"):
        await restore(new.settings, archive, Queued.HOLD)
    assert await store.read(KEY, limit=10**6) == PICTURE[::-1]
    assert not new.settings.db_path.exists()
    await store.delete(KEY)
    await store.write("images/other.png", PICTURE, "image/png")
    with pytest.raises(Misconfigured, match="store of files is not empty"):
        await restore(new.settings, archive, Queued.HOLD)
    await store.close()
