"""The migration of files on databases in use: what jobs have made and taken before is recorded, and the way back."""

import asyncio
import json
import sqlite3
from contextlib import closing

import asyncpg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.dialects import registry
from sqlalchemy.pool import NullPool

from genesis.database.postgres import alembic_driver
from genesis.database.postgres.open import open_postgres
from genesis.database.sqlite import schema
from genesis.database.sqlite.open import open_sqlite
from genesis.domain.file import File, FileSource
from genesis.domain.identity import new_id
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.ports.clock import SystemClock
from tests.support.postgres import LEASE_SECONDS, postgres_url

TABLES = ("organizations", "jobs", "steps", "attempts", "events")
COLUMNS = (
    "SELECT id, organization, key, media_type, size, sha256, source, created_at, state, name, job, details FROM files"
)
USES = "SELECT file, job FROM file_uses ORDER BY job"
MANY = 1_100
"""More than are written at a time."""


class Earlier:
    """What an earlier version has left: rows by table, and what has to come of them."""

    def __init__(self):
        self.jobs, self.steps, self.files, self.uses, self.late = [], [], [], [], []
        self.images = [self.made("images", "png", "image/png") for _ in range(MANY)]
        self.made("audio", "mp3", "audio/mpeg", step_end=None)
        self.made("images", "xyz", "application/octet-stream")
        self.add({"text": f"see {self.images[0]}"}, {"text": self.images[0], "image_url": None, "n": 1})
        self.add({"text": "x"}, {"image_url": "/storage/images/picture.png"})
        self.made_late()
        self.add({"text": "x"}, {"image_url": self.images[3]})  # a step that has passed it on
        self.add({"text": "x"}, {"audio_url": "https://example.org/storage/audio/1.wav"})
        cut = [{"audio_url": f"/storage/audio/{new_id()}-1.flac", "start": 0, "end": 1}]
        self.add({"text": "x"}, {"text": "", "parts": cut})
        self.add({"text": "x"}, None)
        self.add({"text": "x"}, ["/storage/images"])
        self.uses = [(self.key_of(image)[7:-4], self.add({"image_url": image}, None)) for image in self.images]
        self.add({"image_url": self.images[0]}, None, organization="other")
        self.add({"image_url": f"/storage/images/{new_id()}.png"}, None)

    @staticmethod
    def key_of(url):
        return url.removeprefix("/storage/")

    def add(self, inputs, output, *, organization=DEFAULT_ORGANIZATION, step_end=700):
        job = new_id()
        self.jobs.append((job, organization, json.dumps(inputs)))
        self.steps.append((job, None if output is None else json.dumps(output), step_end))
        return job

    def made(self, folder, extension, media_type, step_end=700):
        identifier = new_id()
        key = f"{folder}/{identifier}.{extension}"
        field = "image_url" if folder == "images" else "audio_url"
        job = self.add({"text": "x"}, {field: f"/storage/{key}"}, step_end=step_end)
        made_at = step_end or 800
        content = (key, media_type, None, None)
        self.files.append((identifier, DEFAULT_ORGANIZATION, *content, "job", made_at, "ready", "", job, None))
        return f"/storage/{key}"

    def made_late(self):
        """What a call has made whose job had gone on with another one."""
        job, identifier = self.add({"text": "x"}, None), new_id()
        key = f"images/{identifier}.png"
        self.late.append(("late", job, json.dumps({"image_url": f"/storage/{key}"})))
        content = (key, "image/png", None, None)
        self.files.append((identifier, DEFAULT_ORGANIZATION, *content, "job", 750, "ready", "", job, None))

    def statements(self):
        """Statements with their rows."""
        job = (
            "INSERT INTO jobs (id, organization, pipeline, status, lane, priority, wake_at, epoch, event_seq, created_at, "
            "completed_at, inputs, options, plan) "
            "VALUES ($1, $2, 'p', 'completed', 'text', 0, 0, 1, 0, 5, 800, $3, '{}', 'd')"
        )
        step = (
            "INSERT INTO steps (job, number, name, capability, state, output, completed_at) "
            "VALUES ($1, 0, 's', 'text', 'done', $2, $3)"
        )
        attempt = (
            "INSERT INTO attempts (id, job, step, number, call_key, target, provider_class, state, created_at) "
            "VALUES ($1, $2, 's', 1, $3, 'one:m', 'opaque', 'failed', 5)"
        )
        yield "INSERT INTO organizations (id, name) VALUES ($1, $1)", [("other",)]
        yield job, self.jobs
        yield step, self.steps
        yield attempt, [("a" + job, job, "k" + job) for job, *_ in self.jobs]
        late = (
            "INSERT INTO attempts (id, job, step, number, call_key, target, provider_class, state, created_at, settled_at, "
            "output) VALUES ($1, $2, 's', 2, $1, 'one:m', 'opaque', 'succeeded', 5, 750, $3)"
        )
        yield late, self.late

    def check(self, files, uses):
        assert sorted(files) == sorted(self.files)
        assert sorted(uses) == sorted(self.uses)


@pytest.fixture(scope="module")
def earlier():
    return Earlier()


async def test_sqlite(tmp_path, earlier):
    database = tmp_path / "jobs.db"

    def to(direction, revision):
        with schema._migrating(database) as config:
            direction(config, revision)

    def rows(query):
        with closing(sqlite3.connect(database)) as connection:
            return connection.execute(query).fetchall()

    def content():
        return {table: sorted(rows(f"SELECT * FROM {table}"), key=repr) for table in TABLES}

    to(command.upgrade, "0005")
    with closing(sqlite3.connect(database)) as connection:
        for statement, values in earlier.statements():
            connection.executemany(statement.replace("$", "?"), values)
        connection.commit()
    before = content()
    for _ in range(2):
        to(command.upgrade, "0006")
        earlier.check(rows(COLUMNS), rows(USES))
        assert rows("PRAGMA foreign_key_check") == []
        to(command.downgrade, "0005")
        assert content() == before
        assert rows("SELECT name FROM sqlite_master WHERE name LIKE '%file%' OR name LIKE '%call%'") == []

    async with open_sqlite(database, SystemClock()) as opened:
        await check_opened(opened, earlier)


async def check_opened(opened, earlier):
    """This version goes on with them."""
    identifier, organization, key, media_type, _, _, _, created_at, *_, job, _ = earlier.files[0]
    file = File(identifier, organization, key, media_type, None, None, FileSource.JOB, created_at, job=job)
    assert await opened.files.file(organization, identifier) == file
    assert await opened.files.unexamined(1) == [file]
    assert (await opened.files.page(organization, limit=1)).files[0].id == max(row[0] for row in earlier.files)
    job, *_ = earlier.jobs[-1]
    assert await opened.files.known([identifier, "k" + job]) == {identifier}


@pytest.fixture
def url():
    return postgres_url()


async def test_postgres(url, earlier):
    connection = await asyncpg.connect(url)
    loop = asyncio.get_running_loop()

    def migrate(direction, revision):
        registry.register("postgresql.asyncpg_in_loop", alembic_driver.__name__, "Dialect")
        config = Config()
        config.set_main_option("script_location", "genesis.database:migrations")
        driver = alembic_driver._Connection(connection, loop)
        engine = sa.create_engine("postgresql+asyncpg_in_loop://", creator=lambda: driver, poolclass=NullPool)
        with engine.connect() as opened:
            config.attributes["connection"] = opened
            direction(config, revision)
            opened.commit()
        engine.dispose()

    async def rows(query):
        return [tuple(row) for row in await connection.fetch(query)]

    async def content():
        return {table: sorted(await rows(f"SELECT * FROM {table}"), key=repr) for table in TABLES}

    try:
        await asyncio.to_thread(migrate, command.downgrade, "0005")
        for statement, values in earlier.statements():
            await connection.executemany(statement, values)
        before = await content()
        for _ in range(2):
            await asyncio.to_thread(migrate, command.upgrade, "0006")
            earlier.check(await rows(COLUMNS), await rows(USES))
            await asyncio.to_thread(migrate, command.downgrade, "0005")
            assert await content() == before
            left = "SELECT relname FROM pg_class WHERE relname LIKE '%file%' AND relname !~ '^pg_' OR relname LIKE '%by_call%'"
            assert await rows(left) == []
    finally:
        await connection.close()
    async with open_postgres(url, lease_seconds=LEASE_SECONDS) as opened:
        await check_opened(opened, earlier)
