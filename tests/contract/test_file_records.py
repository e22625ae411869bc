"""Records of files in every kind of database: what is kept of them, lists, states, and when they go."""

from dataclasses import replace

import pytest

import genesis.database.files
from genesis.domain.artifact import Artifact
from genesis.domain.file import File, FileSource, FileState, MediaDetails
from genesis.domain.identity import new_id
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.errors import Conflict, Gone, InvalidRequest, NotFound
from genesis.ports.files import FileFilter
from tests.support.files import expiring, file_of, retention_of

DETAILS = MediaDetails(width=640, height=480, frames=1, codec="png", thumbnails=(320, 640))
SOUND = MediaDetails(duration_ms=1_500, sample_rate=48_000, channels=2, codec="pcm_s16le", has_peaks=True)


async def names(opened, limit=10, organization=DEFAULT_ORGANIZATION, **where):
    """The names of all files that a list shows, page by page."""
    shown, cursor, pages = [], None, 0
    while pages == 0 or cursor is not None:
        page = await opened.files.page(organization, limit=limit, cursor=cursor, where=FileFilter(**where))
        assert len(page.files) <= limit
        shown += [file.name for file in page.files]
        cursor, pages = page.cursor, pages + 1
    return shown


async def filled(opened, *changes):
    """Files named 0, 1, 2, … with these changes, oldest first."""
    files = [file_of(**{"name": str(number)} | change) for number, change in enumerate(changes)]
    for file in files:
        await opened.files.add(file)
    return files


async def test_a_record_is_kept_whole(database):
    files = [
        file_of(name='Größe 5\' "x".png', details=DETAILS, expires_at=9_000),
        file_of("audio", name="", details=SOUND, source=FileSource.JOB, job=new_id(), problem="It is torn."),
        file_of(state=FileState.WAITING, media_type="", size=None, sha256=None, name="later"),
        file_of(state=FileState.DELETED, deleted_at=5_000, details=MediaDetails()),
    ]
    async with database() as opened:
        for file in files:
            await opened.files.add(file)
            await opened.files.add(replace(file, name="again"))
    async with database() as opened:
        assert [await opened.files.file(DEFAULT_ORGANIZATION, file.id) for file in files] == files
        found = await opened.files.files(DEFAULT_ORGANIZATION, {*(file.id for file in files), new_id()})
        assert found == {file.id: file for file in files}
        assert await opened.files.files(DEFAULT_ORGANIZATION, []) == {}


async def test_an_organization_sees_its_own_files_only(database, organization):
    other = await organization("other")
    async with database() as opened:
        (file,) = await filled(opened, {"organization": other})
        with pytest.raises(NotFound):
            await opened.files.file(DEFAULT_ORGANIZATION, file.id)
        with pytest.raises(NotFound):
            await opened.files.delete(DEFAULT_ORGANIZATION, file.id, 2_000)
        with pytest.raises(NotFound):
            await opened.files.keep_until(DEFAULT_ORGANIZATION, file.id, 2_000)
        assert await opened.files.files(DEFAULT_ORGANIZATION, [file.id]) == {}
        assert await names(opened) == []
        assert await names(opened, organization=other) == ["0"]
        assert await opened.files.file(other, file.id) == file


async def test_a_name_no_database_can_hold_is_kept_as_far_as_it_can(database):
    async with database() as opened:
        (file,) = await filled(opened, {"name": "a\0b\ud800c"})
        assert (await opened.files.file(DEFAULT_ORGANIZATION, file.id)).name == "ab?c"


async def test_lists_are_newest_first_and_have_no_deleted_ones(database):
    async with database() as opened:
        files = await filled(opened, {}, {}, {"state": FileState.WAITING}, {}, {})
        await opened.files.delete(DEFAULT_ORGANIZATION, files[3].id, 2_000)
        for limit in (1, 2, 3, 4, 10):
            assert await names(opened, limit) == ["4", "2", "1", "0"]
        page = await opened.files.page(DEFAULT_ORGANIZATION, limit=4)
        assert page.cursor is None
        assert page.files[0] == files[4]
        page = await opened.files.page(DEFAULT_ORGANIZATION, limit=2)
        assert page.cursor == files[2].id


@pytest.mark.parametrize("limit", [1, 2, 10])
@pytest.mark.parametrize("looked_through", [3, 10_000])
async def test_lists_are_filtered(database, monkeypatch, limit, looked_through):
    monkeypatch.setattr(genesis.database.files, "LOOKED_THROUGH", max(looked_through, limit + 2))
    made = {"source": FileSource.JOB, "job": "j"}
    async with database() as opened:
        await filled(
            opened,
            {"name": "a sea.png"},
            {"name": "SEA.wav", "media_type": "audio/wav"},
            {"name": "Überall.png", **made},
            {"name": "%_\\.wav", "media_type": "audio/wav", **made},
            {"name": "of another.png", "source": FileSource.JOB, "job": "k"},
        )
        for where, expected in (
            ({"source": FileSource.UPLOAD}, ["SEA.wav", "a sea.png"]),
            ({"source": FileSource.JOB}, ["of another.png", "%_\\.wav", "Überall.png"]),
            ({"family": "audio"}, ["%_\\.wav", "SEA.wav"]),
            ({"family": "image"}, ["of another.png", "Überall.png", "a sea.png"]),
            ({"family": "video"}, []),
            ({"family": "image", "source": FileSource.JOB}, ["of another.png", "Überall.png"]),
            ({"job": "j"}, ["%_\\.wav", "Überall.png"]),
            ({"job": "j", "family": "image"}, ["Überall.png"]),
            ({"job": "nobody"}, []),
            ({"text": "sea"}, ["SEA.wav", "a sea.png"]),
            ({"text": "Sea", "family": "audio"}, ["SEA.wav"]),
            ({"text": "üBER"}, ["Überall.png"]),
            ({"text": "%"}, ["%_\\.wav"]),
            ({"text": "x"}, []),
            ({"text": "wav", "job": "j", "family": "audio", "source": FileSource.JOB}, ["%_\\.wav"]),
        ):
            assert await names(opened, limit, **where) == expected, where


async def test_a_search_stops_after_a_while_and_goes_on_there(database, monkeypatch):
    monkeypatch.setattr(genesis.database.files, "LOOKED_THROUGH", 4)
    async with database() as opened:
        files = await filled(opened, *({"name": name} for name in ("x", "a", "b", "c", "d")))
        first = await opened.files.page(DEFAULT_ORGANIZATION, limit=2, where=FileFilter(text="x"))
        assert (first.files, first.cursor) == ([], files[1].id)
        rest = await opened.files.page(DEFAULT_ORGANIZATION, limit=2, cursor=first.cursor, where=FileFilter(text="x"))
        assert (rest.files, rest.cursor) == ([files[0]], None)


@pytest.mark.parametrize("cursor", ["", "x", "1", "0190", "' OR 1", "g" * 36])
async def test_what_is_no_cursor_is_refused(database, cursor):
    async with database() as opened:
        with pytest.raises(InvalidRequest, match="list of files"):
            await opened.files.page(DEFAULT_ORGANIZATION, limit=5, cursor=cursor)


async def test_a_waiting_file_arrives_once(database):
    async with database() as opened:
        waiting, gone = await filled(
            opened, *({"state": FileState.WAITING, "media_type": "", "size": None, "sha256": None},) * 2
        )
        content = Artifact(f"audio/{waiting.id}.flac", "audio/flac", 77, "cd" * 32)
        assert await opened.files.unexamined(5) == []
        assert await opened.files.arrived(waiting.id, content, 8_000)
        assert not await opened.files.arrived(waiting.id, replace(content, size=78), None)
        file = await opened.files.file(DEFAULT_ORGANIZATION, waiting.id)
        assert (file.state, file.key, file.media_type) == (FileState.READY, content.key, "audio/flac")
        assert (file.size, file.sha256, file.expires_at) == (77, "cd" * 32, 8_000)

        await opened.files.delete(DEFAULT_ORGANIZATION, gone.id, 2_000)
        assert not await opened.files.arrived(gone.id, replace(content, key=gone.key), None)
        assert not await opened.files.arrived(new_id(), content, None)
        assert (await opened.files.file(DEFAULT_ORGANIZATION, gone.id)).state is FileState.DELETED


async def test_what_is_found_in_contents_is_noted(database):
    async with database() as opened:
        first, second, third, waiting = await filled(opened, {}, {}, {}, {"state": FileState.WAITING})
        assert await opened.files.unexamined(2) == [first, second]
        found = Artifact(first.key, "image/webp", 5, "ef" * 32)
        await opened.files.examined(first.id, found, DETAILS)
        await opened.files.examined(second.id, found, MediaDetails(), "It has no end.\0")
        await opened.files.examined(waiting.id, found, DETAILS)
        assert await opened.files.unexamined(5) == [third]
        assert await opened.files.file(DEFAULT_ORGANIZATION, first.id) == replace(
            first, media_type="image/webp", size=5, sha256="ef" * 32, details=DETAILS
        )
        torn = await opened.files.file(DEFAULT_ORGANIZATION, second.id)
        assert (torn.details, torn.problem) == (MediaDetails(), "It has no end.")
        assert await opened.files.file(DEFAULT_ORGANIZATION, waiting.id) == waiting
        await opened.files.delete(DEFAULT_ORGANIZATION, third.id, 2_000)
        assert await opened.files.unexamined(5) == []


async def test_a_file_is_deleted_once(database):
    async with database() as opened:
        ready, waiting = await filled(opened, {}, {"state": FileState.WAITING})
        for file in (ready, waiting):
            gone = await opened.files.delete(DEFAULT_ORGANIZATION, file.id, 2_000)
            assert gone == replace(file, state=FileState.DELETED, deleted_at=2_000)
            assert await opened.files.delete(DEFAULT_ORGANIZATION, file.id, 3_000) == gone
            assert await opened.files.file(DEFAULT_ORGANIZATION, file.id) == gone
        with pytest.raises(NotFound):
            await opened.files.delete(DEFAULT_ORGANIZATION, new_id(), 2_000)


async def test_how_long_a_file_is_kept_is_changed_while_it_is_ready(database):
    async with database() as opened:
        file, waiting = await filled(opened, {}, {"state": FileState.WAITING})
        kept = await opened.files.keep_until(DEFAULT_ORGANIZATION, file.id, 7_000)
        assert kept == replace(file, expires_at=7_000)
        assert await opened.files.keep_until(DEFAULT_ORGANIZATION, file.id, None) == file
        with pytest.raises(Conflict, match="not been sent"):
            await opened.files.keep_until(DEFAULT_ORGANIZATION, waiting.id, 7_000)
        await opened.files.delete(DEFAULT_ORGANIZATION, file.id, 2_000)
        with pytest.raises(Gone):
            await opened.files.keep_until(DEFAULT_ORGANIZATION, file.id, 7_000)
        with pytest.raises(NotFound):
            await opened.files.keep_until(DEFAULT_ORGANIZATION, new_id(), 7_000)


async def test_files_whose_time_is_over_go(database):
    async with database() as opened:
        early, late, never, waiting = await filled(
            opened, {"expires_at": 2_000}, {"expires_at": 3_001}, {}, {"expires_at": 3_000, "state": FileState.WAITING}
        )
        assert await expiring(opened, 1_999) == []
        gone = await opened.files.expire(3_000, 10)
        assert gone == [replace(file, state=FileState.DELETED, deleted_at=3_000) for file in (early, waiting)]
        assert await expiring(opened, 3_000) == []
        assert await expiring(opened, 10**15) == [late.id]
        assert await opened.files.file(DEFAULT_ORGANIZATION, never.id) == never


async def test_the_settings_limit_files_without_a_time_of_their_own(database, organization):
    short = await organization("short")
    await retention_of(database, short, 1)
    async with database() as opened:
        assert await opened.files.retention(short) == 1
        assert await opened.files.retention(DEFAULT_ORGANIZATION) is None
        assert await opened.files.retention("nobody") is None
        old, young, own, brief, later = await filled(
            opened,
            {"created_at": 1_000},
            {"created_at": 5_000},
            {"created_at": 1_000, "expires_at": 50_000},
            {"created_at": 6_000, "organization": short},
            {"created_at": 1_000, "expires_at": 50_000, "organization": short},
        )
        assert await expiring(opened, 6_999) == []
        assert await expiring(opened, 7_000) == [brief.id]
        assert await expiring(opened, 10_999, default_retention_ms=10_000) == []
        assert await expiring(opened, 11_000, default_retention_ms=10_000) == [old.id]
        assert await expiring(opened, 15_000, default_retention_ms=10_000) == [young.id]
        assert await expiring(opened, 50_000, default_retention_ms=10_000) == [own.id, later.id]


async def test_files_go_a_few_at_a_time(database):
    async with database() as opened:
        timed = await filled(opened, *({"expires_at": 2_000 + number} for number in range(3)))
        others = await filled(opened, {}, {}, {})
        gone = [await expiring(opened, 9_000, limit=2, default_retention_ms=100) for _ in range(4)]
        assert [len(ids) for ids in gone] == [2, 2, 2, 0]
        assert {file for ids in gone for file in ids} == {file.id for file in (*timed, *others)}


async def test_a_secret_is_made_once(database):
    async with database() as opened:
        first = await opened.files.secret("links")
        assert len(first) == 32
        assert await opened.files.secret("links") == first
        assert await opened.files.secret("others") != first
    async with database() as opened:
        assert await opened.files.secret("links") == first


def test_a_record_of_a_later_version_is_read():
    row = genesis.database.files.file_values(file_of(details=DETAILS))
    named = dict(zip(genesis.database.files.FILE_COLUMNS, row, strict=True))
    named["details"] = named["details"].replace("{", '{"mood":"blue",', 1)
    file: File = genesis.database.files.file_from(named)
    assert file.details == DETAILS
