"""Records of files for tests."""

from genesis.domain.artifact import Artifact
from genesis.domain.file import File, FileSource
from genesis.domain.identity import new_id
from genesis.domain.organization import DEFAULT_ORGANIZATION

_CONTENTS = {"image": ("images", "png", "image/png"), "audio": ("audio", "wav", "audio/wav")}


def file_of(family="image", **changes):
    """An uploaded file."""
    folder, extension, media_type = _CONTENTS[family]
    identifier = changes.get("id") or new_id()
    given = {
        "id": identifier,
        "organization": DEFAULT_ORGANIZATION,
        "key": f"{folder}/{identifier}.{extension}",
        "media_type": media_type,
        "size": 10,
        "sha256": "ab" * 32,
        "source": FileSource.UPLOAD,
        "created_at": 1_000,
    }
    return File(**(given | changes))


def artifact_of(attempt, family="image"):
    """What an attempt has stored."""
    folder, extension, media_type = _CONTENTS[family]
    return Artifact(f"{folder}/{attempt.call_key}.{extension}", media_type, 4, "cd" * 32)


async def expiring(opened, now, *, limit=10, **settings):
    """The ids of the files that go at a moment."""
    return [file.id for file in await opened.files.expire(now, limit, **settings)]


async def retention_of(database, organization, seconds):
    """Says how long an organization keeps its files."""
    await database.execute(
        f"UPDATE organizations SET file_retention_seconds = {seconds} WHERE id = '{organization}' RETURNING id"
    )
