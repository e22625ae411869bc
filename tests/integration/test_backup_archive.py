"""Archives of backups: what is wrong with one is found out before anything is changed, and a failed backup leaves nothing."""

import asyncio
import contextlib
import json
import resource
import sqlite3
import subprocess
import tarfile
from contextlib import closing
from dataclasses import replace

import asyncpg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.dialects import registry
from sqlalchemy.pool import NullPool

from genesis.database.incarnation import Queued
from genesis.database.postgres import alembic_driver
from genesis.database.sqlite import schema
from genesis.domain.job import JobStatus
from genesis.errors import GenesisError, Misconfigured, NotFound, Unavailable
from genesis.storage.open import open_store
from launcher.archive import ArchiveReader, writing
from launcher.backup import back_up, open_stores, restore
from tests.support.backups import jobs_in_every_state, pair, place, stored
from tests.support.jobs import job_of
from tests.support.ledger import TWO_STEPS

KEY = "images/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55.png"
PICTURE = bytes(range(256)) * 1_000


@pytest.fixture
def old(tmp_path):
    return place(tmp_path / "old")


@pytest.fixture
def new(tmp_path):
    return place(tmp_path / "new")


@pytest.fixture
async def archive(tmp_path, old):
    """Of a small platform on SQLite, with one file."""
    store = open_store(old.settings)
    await store.write(KEY, PICTURE, "image/png")
    await store.close()
    async with old.open() as opened:
        await opened.ledger.submit(job_of(TWO_STEPS, wake_at=0))
        await back_up(old.settings, tmp_path / "backup.tar", with_files=True)
    return tmp_path / "backup.tar"


def is_untouched(place):
    """Whether nothing is there but what opening it creates."""
    files = [path for path in place.settings.storage_path.rglob("*") if path.is_file()]
    return not place.settings.db_path.exists() and not files


def members(archive):
    with tarfile.open(archive) as tar:
        return {member.name: member for member in tar}


def test_other_programs_can_read_it(archive, tmp_path):
    subprocess.run(["tar", "xf", archive], cwd=tmp_path, check=True)
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=tmp_path, check=True)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert (manifest["database"], manifest["schema_revision"]) == ("sqlite", schema.HEAD)
    assert json.loads((tmp_path / "counts.json").read_text())["jobs"] == 1
    assert (tmp_path / "contents" / KEY).read_bytes() == PICTURE


async def test_one_that_was_cut_off_changes_nothing(archive, new):
    whole = archive.read_bytes()
    found = members(archive)
    last = found["SHA256SUMS"].offset
    for length in (0, 100, 600, 5_000, found[f"contents/{KEY}"].offset_data + 10, last, last + 512, last + 600):
        archive.write_bytes(whole[:length])
        with pytest.raises(Misconfigured, match=r"damaged|not a backup"):
            await restore(new.settings, archive, Queued.HOLD)
        assert is_untouched(new), length
    archive.write_bytes(whole)
    await restore(new.settings, archive, Queued.HOLD)


async def test_one_in_which_a_byte_was_changed_changes_nothing(archive, new):
    whole = archive.read_bytes()
    for member in members(archive).values():
        for place_of_byte in (member.offset + 3, member.offset_data, member.offset_data + member.size - 1):
            changed = bytearray(whole)
            changed[place_of_byte] ^= 0x10
            archive.write_bytes(changed)
            with pytest.raises(Misconfigured, match=r"damaged|not a backup|archive|schema"):
                await restore(new.settings, archive, Queued.HOLD)
            assert is_untouched(new), (member.name, place_of_byte)


async def test_it_is_compared_without_another_place(archive, new, monkeypatch):
    """The temporary folder of a container may be small."""

    def full(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("launcher.archive.tempfile.TemporaryFile", full)
    restored, _ = await restore(new.settings, archive, Queued.HOLD)
    assert restored.jobs


async def test_something_else_is_no_archive(tmp_path, new):
    missing = tmp_path / "missing.tar"
    with pytest.raises(Misconfigured, match="cannot be read"):
        await restore(new.settings, missing, Queued.HOLD)
    other = tmp_path / "other.tar"
    with tarfile.open(other, "w") as tar:
        tar.add(__file__, "manifest.json")
    with pytest.raises(Misconfigured, match="not a backup"):
        await restore(new.settings, other, Queued.HOLD)


async def test_one_of_another_kind_of_database_or_a_newer_version_is_refused(archive, tmp_path, new, monkeypatch):
    elsewhere = place(tmp_path / "elsewhere", "postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(Misconfigured, match="holds a database of the kind sqlite"):
        await restore(elsewhere.settings, archive, Queued.HOLD)
    monkeypatch.setattr("genesis.database.sqlite.schema.HEAD", "0001")
    with pytest.raises(Misconfigured, match="does not know"):
        await restore(new.settings, archive, Queued.HOLD)
    monkeypatch.setattr("launcher.archive.FORMAT", 0)
    with pytest.raises(Misconfigured, match="cannot read"):
        await restore(new.settings, archive, Queued.HOLD)
    assert is_untouched(new)


async def test_a_store_that_is_not_empty_is_left_alone(archive, new):
    store = open_store(new.settings)
    await store.write(KEY, b"another", "image/png")
    with pytest.raises(Misconfigured, match="store of files is not empty"):
        await restore(new.settings, archive, Queued.HOLD)
    assert await store.read(KEY, limit=100) == b"another"
    await store.close()
    assert not new.settings.db_path.exists()


async def test_without_files_the_store_may_hold_them_already(old, new, tmp_path):
    async with old.open() as opened:
        await opened.ledger.submit(job_of(TWO_STEPS, wake_at=0))
        await back_up(old.settings, tmp_path / "small.tar", with_files=False)
    assert not [name for name in members(tmp_path / "small.tar") if name.startswith("contents/")]
    store = open_store(new.settings)
    await store.write(KEY, PICTURE, "image/png")
    await restore(new.settings, tmp_path / "small.tar", Queued.HOLD)
    assert await store.read(KEY, limit=10**6) == PICTURE
    await store.close()


async def test_what_was_stored_is_taken_back_when_the_database_fails(archive, new, monkeypatch):
    def fail(*_):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("genesis.database.sqlite.backup.migrate", fail)
    with pytest.raises(Misconfigured, match="could not be restored"):
        await restore(new.settings, archive, Queued.HOLD)
    assert is_untouched(new)
    assert [path.name for path in new.settings.db_path.parent.iterdir() if path.is_file()] == ["jobs.db.lock"]


@contextlib.contextmanager
def full_after(size):
    """No file grows beyond so many bytes, which is what a full disk does to it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [20_000, 400_000])
async def test_a_full_disk_leaves_no_half_archive(old, tmp_path, size):
    store = open_store(old.settings)
    await store.write(KEY, PICTURE * 4, "image/png")
    await store.close()
    there = tmp_path / "there"
    there.mkdir()
    async with old.open() as opened:
        await opened.ledger.submit(job_of(TWO_STEPS, wake_at=0))
        with full_after(size), pytest.raises(Unavailable, match=r"could not be (written|copied)"):
            await back_up(old.settings, there / "backup.tar", with_files=True)
        assert list(there.iterdir()) == []
        await back_up(old.settings, there / "backup.tar", with_files=True)
    assert [path.name for path in there.iterdir()] == ["backup.tar"]


async def test_what_cannot_be_read_or_written_is_told(old, tmp_path):
    with pytest.raises(Misconfigured, match="There is no database"):
        await back_up(old.settings, tmp_path / "backup.tar", with_files=False)
    async with old.open():
        with pytest.raises(Misconfigured, match="cannot be written"):
            await back_up(old.settings, tmp_path / "missing" / "backup.tar", with_files=False)
        await back_up(old.settings, tmp_path / "backup.tar", with_files=False)
        before = (tmp_path / "backup.tar").read_bytes()
        with pytest.raises(Misconfigured, match="is there already"):
            await back_up(old.settings, tmp_path / "backup.tar", with_files=False)
    assert (tmp_path / "backup.tar").read_bytes() == before
    old.settings.db_path.write_bytes(b"something else " * 1_000)
    with pytest.raises(Misconfigured, match="cannot be read"):
        await back_up(old.settings, tmp_path / "second.tar", with_files=False)
    assert not (tmp_path / "second.tar").exists()


async def test_contents_that_vanish_meanwhile_are_left_out(old, tmp_path, monkeypatch):
    store = open_store(old.settings)
    for number in range(5):
        await store.write(f"images/{number}.png", PICTURE, "image/png")
    original = type(store).pieces

    async def pieces(self, key, *more):
        yield_one = key == "images/2.png"
        async for piece in original(self, key, *more):
            yield piece
            if yield_one:
                raise NotFound("it was deleted meanwhile")

    monkeypatch.setattr(type(store), "pieces", pieces)
    async with old.open():
        made = await back_up(old.settings, tmp_path / "backup.tar", with_files=True)
    await store.close()
    assert (made.contents, made.vanished) == (4, 1)
    list(ArchiveReader(tmp_path / "backup.tar").verify())
    assert "contents/images/2.png" not in members(tmp_path / "backup.tar")


async def test_a_long_name_and_a_member_of_nothing(tmp_path):
    async def nothing():
        for piece in ():
            yield piece

    name = "contents/" + "a" * 64 + "/" + "b" * 128 + ".png"
    with writing(tmp_path / "x.tar") as archive:
        await archive.add(name, 0, nothing())
        await archive.conclude()
    assert list(ArchiveReader(tmp_path / "x.tar").verify()) == [0]
    assert name in members(tmp_path / "x.tar")


async def downgraded(place, revision):
    """The database as an older version of Genesis has left it."""
    if place.settings.database_url is None:
        with schema._migrating(place.settings.db_path) as config:
            command.downgrade(config, revision)
        return
    connection = await asyncpg.connect(place.settings.database_url)
    loop = asyncio.get_running_loop()

    def work():
        registry.register("postgresql.asyncpg_in_loop", alembic_driver.__name__, "Dialect")
        config = Config()
        config.set_main_option("script_location", "genesis.database:migrations")
        driver = alembic_driver._Connection(connection, loop)
        engine = sa.create_engine("postgresql+asyncpg_in_loop://", creator=lambda: driver, poolclass=NullPool)
        with engine.connect() as opened:
            config.attributes["connection"] = opened
            command.downgrade(config, revision)
            opened.commit()
        engine.dispose()

    try:
        await asyncio.to_thread(work)
    finally:
        await connection.close()


@pytest.fixture(params=["sqlite", "postgres"])
def places(request, tmp_path):
    return pair(request.param, tmp_path)


@pytest.mark.parametrize("revision", ["0001", "0004", "0005"])
async def test_an_archive_of_an_older_schema_is_brought_up_to_date(places, tmp_path, revision):
    older, newer = places
    async with older.open() as opened:
        jobs = await jobs_in_every_state(opened)
        before = {name: await stored(opened, job) for name, job in jobs.items()}
    await downgraded(older, revision)
    await back_up(older.settings, tmp_path / "backup.tar", with_files=False)
    assert ArchiveReader(tmp_path / "backup.tar").manifest().facts.revision == revision
    restored, _ = await restore(newer.settings, tmp_path / "backup.tar", Queued.HOLD)
    assert restored.jobs == len(jobs)
    async with newer.open() as opened:
        for name, job in jobs.items():
            found = await stored(opened, job)
            assert (found.plan, found.inputs) == (job.plan, job.inputs)
            assert name == "canceled" or found.steps == before[name].steps
        assert (await stored(opened, jobs["queued"])).held
        assert (await stored(opened, jobs["over"])).status is JobStatus.COMPLETED


@pytest.fixture
def postgres(tmp_path):
    from tests.support.postgres import postgres_url

    return place(tmp_path / "postgres", postgres_url())


async def test_missing_rights_are_told(postgres, tmp_path):
    async with postgres.open():
        pass
    url = postgres.settings.database_url
    connection = await asyncpg.connect(url)
    name = f"nobody_{url.partition('/t')[2][:36].replace('-', '')}"
    await connection.execute(f"CREATE ROLE {name} LOGIN")
    await connection.execute(f"GRANT SELECT ON alembic_version TO {name}")
    await connection.close()
    nobody = place(tmp_path / "nobody", url.replace("postgres:@", f"{name}:@"))
    with pytest.raises(GenesisError, match="permission denied"):
        await back_up(nobody.settings, tmp_path / "backup.tar", with_files=False)
    assert not (tmp_path / "backup.tar").exists()
    await back_up(postgres.settings, tmp_path / "backup.tar", with_files=False)
    with pytest.raises(GenesisError, match=r"permission denied|must be owner"):
        await restore(nobody.settings, tmp_path / "backup.tar", Queued.HOLD)


async def test_a_full_disk_leaves_no_half_archive_of_postgresql(postgres, tmp_path):
    there = tmp_path / "there"
    there.mkdir()
    async with postgres.open() as opened:
        for _ in range(20):
            await opened.ledger.submit(job_of(TWO_STEPS, wake_at=0, inputs={"text": "x" * 1_000}))
        with full_after(20_000), pytest.raises(Unavailable, match="could not be written"):
            await back_up(postgres.settings, there / "backup.tar", with_files=True)
    assert list(there.iterdir()) == []


async def test_a_database_that_is_not_there_is_told(tmp_path):
    nowhere = place(tmp_path / "nowhere", "postgresql://someone:pass-word@127.0.0.1:1/none")
    with pytest.raises(Unavailable) as told:
        await back_up(nowhere.settings, tmp_path / "backup.tar", with_files=False)
    assert "pass-word" not in str(told.value) + told.value.hint


def test_a_database_of_something_else_is_told(old, tmp_path):
    old.settings.db_path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(old.settings.db_path)) as connection:
        connection.execute("CREATE TABLE things (id)")
    with pytest.raises(Misconfigured, match="cannot be read"):
        asyncio.run(back_up(old.settings, tmp_path / "backup.tar", with_files=False))


def in_bucket(place):
    from tests.support.s3 import shared_s3

    stored_in = shared_s3().settings()
    names = ("storage_url", "aws_endpoint_url", "aws_access_key_id", "aws_secret_access_key")
    return replace(place, settings=place.settings.model_copy(update={name: getattr(stored_in, name) for name in names}))


@pytest.mark.parametrize("way", ["bucket to bucket", "folder to bucket", "bucket to folder"])
async def test_a_backup_is_restored_from_any_store_into_any(old, new, tmp_path, way):
    older, newer = (in_bucket(place) if way.split()[at] == "bucket" else place for at, place in ((0, old), (2, new)))
    contents = {f"images/{number}.png": PICTURE * number for number in (1, 40)} | {KEY: b""}
    async with open_stores(older.settings) as stores:
        for key, data in contents.items():
            await stores.contents.write(key, data, "image/png")
        await stores.receipts.write("text/key.json", b"{}", "application/json")
    async with older.open():
        made = await back_up(older.settings, tmp_path / "backup.tar", with_files=True)
    assert (made.contents, made.vanished) == (len(contents), 0)
    await restore(newer.settings, tmp_path / "backup.tar", Queued.HOLD)
    async with open_stores(newer.settings) as stores:
        assert {key: await stores.contents.read(key, limit=10**8) for key in contents} == contents
        assert await stores.receipts.read("text/key.json", limit=100) == b"{}"
        assert {blob.key async for blob in stores.contents.blobs()} == set(contents)
    newer.settings.db_path.unlink()
    await restore(
        newer.settings, tmp_path / "backup.tar", Queued.HOLD
    )  # as after one that was killed before its database


async def test_a_bucket_is_emptied_again_when_the_database_fails(archive, new, monkeypatch):
    newer = in_bucket(new)
    monkeypatch.setattr("genesis.database.sqlite.backup.migrate", lambda _: open("/proc/nothing/there"))  # noqa: PTH123, SIM115
    with pytest.raises(Misconfigured, match="could not be restored"):
        await restore(newer.settings, archive, Queued.HOLD)
    async with open_stores(newer.settings) as stores:
        assert [blob async for blob in stores.contents.blobs()] == []
