"""The records of files on PostgreSQL."""

import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from genesis.database.files import (
    AWAITS_WORD,
    IN_USE,
    MAY_ARRIVE,
    MAY_BE_DELETED,
    NOT_DELETED,
    SECRET_BYTES,
    TO_EXPIRE,
    TOO_OLD,
    UNEXAMINED,
    Search,
    deleted,
    details_column,
    file_from,
    file_values,
    in_doubt,
    in_use,
    known,
    no_file,
    page_of,
    place_of,
    search_for,
    still_waiting,
)
from genesis.database.filters import LOOKED_THROUGH
from genesis.database.postgres import statements
from genesis.database.postgres.flush import Flush
from genesis.database.postgres.writer import Writer
from genesis.domain.artifact import Artifact
from genesis.domain.file import File, FileState, MediaDetails
from genesis.domain.identity import Milliseconds
from genesis.domain.storable import storable_text
from genesis.ports.files import EVERY_FILE, FileFilter, FilePage

Fetch = Callable[..., Awaitable[list[Any]]]
"""Runs a query with the values of its parameters, and returns its rows."""

_BYTES_OF_A_FILE = 1_000
"""Of memory, about, until it is stored."""

_AMONG = "= ANY($1::text[])"
_FILE = "SELECT * FROM files WHERE id = $1 AND organization = $2"
_FILES = f"SELECT * FROM files WHERE id {_AMONG} AND organization = $2"
_LOCK = f"{_FILE} FOR UPDATE"
_ARRIVED = (
    "UPDATE files SET state = 'ready', key = $2, media_type = $3, size = $4, sha256 = $5, expires_at = $6 "
    f"WHERE id = $1 AND {MAY_ARRIVE} RETURNING id"
)
_EXAMINED = (
    "UPDATE files SET media_type = $2, size = $3, sha256 = $4, details = $5, problem = $6 "
    "WHERE id = $1 AND state = 'ready'"
)
_KEEP = "UPDATE files SET expires_at = $2 WHERE id = $1 RETURNING *"
_IS_IN_USE = f"SELECT {IN_USE} FROM files WHERE id = $1"
_DELETE = (
    "UPDATE files SET state = 'deleted', deleted_at = $2 "
    f"WHERE id {_AMONG} AND {MAY_BE_DELETED} AND NOT {IN_USE} RETURNING *"
)
# The oldest first, of each organization by itself, and not all of them: the planner would rather check each one than go
# through an index. Those in use that are looked at in vain are over as soon as their jobs are.
_OVER = (
    f"(SELECT id FROM (SELECT id, job FROM files WHERE {TO_EXPIRE.format(now='$1::bigint')} "
    f"ORDER BY expires_at LIMIT {LOOKED_THROUGH}) AS files WHERE NOT {IN_USE} LIMIT $2) "
    "UNION ALL (SELECT old.id FROM organizations, LATERAL (SELECT id FROM (SELECT id, job FROM files "
    f"WHERE files.organization = organizations.id AND {TOO_OLD.format(now='$1::bigint', default='$3::bigint')} "
    f"ORDER BY created_at LIMIT {LOOKED_THROUGH}) AS files WHERE NOT {IN_USE} LIMIT $2) AS old LIMIT $2) LIMIT $2"
)
_LOCK_THESE = f"SELECT id FROM files WHERE id {_AMONG} ORDER BY id FOR UPDATE SKIP LOCKED"
_UNEXAMINED = f"SELECT * FROM files WHERE {UNEXAMINED} AND id > $2 ORDER BY id LIMIT $1"
_KNOWN = known(_AMONG, now="$2::bigint", default="$3::bigint")
_IN_DOUBT = in_doubt(_AMONG)
_RECORDED = f"SELECT key FROM files WHERE key {_AMONG} AND state = 'ready'"
_WAITING = f"SELECT id FROM files WHERE id {_AMONG} AND state = 'waiting'"
_RETENTION = "SELECT file_retention_seconds FROM organizations WHERE id = $1"
_SECRET = "SELECT value FROM secrets WHERE name = $1"  # noqa: S105  # where it is, not what it is
_ADD_SECRET = "INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING"  # noqa: S105


class PostgresFiles:
    """Implements the port `FileRecords` through the ledger's writer and readers."""

    def __init__(self, writer: Writer, fetch: Fetch) -> None:
        self._writer = writer
        self._fetch = fetch

    async def add(self, file: File) -> None:
        rows = statements.rows([file_values(file)])

        async def run(flush: Flush) -> None:
            await flush.connection.execute(statements.ADD_FILES, rows)

        await self._writer.change_file(f"file {file.id}", run, size=_BYTES_OF_A_FILE)

    async def file(self, organization: str, file_id: str) -> File:
        found = await self._fetch(_FILE, file_id, organization)
        if not found:
            raise no_file(file_id)
        return file_from(found[0])

    async def files(self, organization: str, ids: Collection[str]) -> Mapping[str, File]:
        found = await self._fetch(_FILES, list(ids), organization) if ids else []
        return {row["id"]: file_from(row) for row in found}

    async def page(
        self, organization: str, *, limit: int, cursor: str | None = None, where: FileFilter = EVERY_FILE
    ) -> FilePage:
        search = search_for(where, limit)
        query, values = _page(search)
        found = await self._fetch(query, organization, place_of(cursor), search.candidates, limit + 1, *values)
        last = found[0]["last_candidate"] if found else None
        return page_of([row for row in found if row["id"] is not None], limit, last)

    async def arrived(self, file_id: str, artifact: Artifact, expires_at: Milliseconds | None) -> bool:
        values = (artifact.key, artifact.media_type, artifact.size, artifact.sha256, expires_at)

        async def run(flush: Flush) -> bool:
            return bool(await flush.connection.fetch(_ARRIVED, file_id, *values))

        return bool(await self._writer.change_file(f"file {file_id}", run))

    async def examined(self, file_id: str, artifact: Artifact, details: MediaDetails, problem: str = "") -> None:
        found = (artifact.media_type, artifact.size, artifact.sha256, details_column(details), storable_text(problem))

        async def run(flush: Flush) -> None:
            await flush.connection.execute(_EXAMINED, file_id, *found)

        await self._writer.change_file(f"file {file_id}", run)

    async def keep_until(self, organization: str, file_id: str, expires_at: Milliseconds | None) -> File:
        file: File = await self._writer.change_file(
            f"file {file_id}", lambda flush: _keep_until(flush, organization, file_id, expires_at)
        )
        return file

    async def delete(self, organization: str, file_id: str, now: Milliseconds) -> File:
        file: File = await self._writer.change_file(
            f"the deletion of file {file_id}", lambda flush: _delete(flush, organization, file_id, now)
        )
        return file

    async def expire(
        self, now: Milliseconds, limit: int, default_retention_ms: Milliseconds | None = None
    ) -> Sequence[File]:
        files: Sequence[File] = await self._writer.change_file(
            "the end of files", lambda flush: _expire(flush, now, limit, default_retention_ms)
        )
        return files

    async def unexamined(self, limit: int, after: str = "") -> Sequence[File]:
        return [file_from(row) for row in await self._fetch(_UNEXAMINED, limit, after)]

    async def known(
        self, ids: Collection[str], now: Milliseconds = 0, default_retention_ms: Milliseconds | None = None
    ) -> set[str]:
        found = await self._fetch(_KNOWN, list(ids), now, default_retention_ms) if ids else []
        return {row["id"] for row in found}

    async def in_doubt(self, call_keys: Collection[str]) -> set[str]:
        found = await self._fetch(_IN_DOUBT, list(call_keys)) if call_keys else []
        return {row["id"] for row in found}

    async def recorded(self, keys: Collection[str]) -> set[str]:
        return {row["key"] for row in await self._fetch(_RECORDED, list(keys))} if keys else set()

    async def waiting(self, ids: Collection[str]) -> set[str]:
        return {row["id"] for row in await self._fetch(_WAITING, list(ids))} if ids else set()

    async def awaits_word(self) -> bool:
        return bool((await self._fetch(AWAITS_WORD))[0][0])

    async def retention(self, organization: str) -> int | None:
        found = await self._fetch(_RETENTION, organization)
        return found[0]["file_retention_seconds"] if found else None

    async def secret(self, name: str) -> bytes:
        found = await self._fetch(_SECRET, name)
        value: bytes = (
            found[0]["value"]
            if found
            else await self._writer.change_file("a secret", lambda flush: _secret(flush, name))
        )
        return value


async def _locked(flush: Flush, organization: str, file_id: str) -> File:
    rows = await flush.connection.fetch(_LOCK, file_id, organization)
    if not rows:
        raise no_file(file_id)
    return file_from(rows[0])


async def _keep_until(flush: Flush, organization: str, file_id: str, expires_at: Milliseconds | None) -> File:
    file = await _locked(flush, organization, file_id)
    if file.state is FileState.DELETED:
        raise deleted(file)
    if file.state is FileState.WAITING:
        raise still_waiting(file)
    (row,) = await flush.connection.fetch(_KEEP, file_id, expires_at)
    return file_from(row)


async def _delete(flush: Flush, organization: str, file_id: str, now: Milliseconds) -> File:
    file = await _locked(flush, organization, file_id)
    if file.state is FileState.DELETED:
        return file
    # As of now, with the file locked: who takes it from now on waits for the lock, and finds it deleted.
    if await flush.connection.fetchval(_IS_IN_USE, file_id):
        raise in_use(file)
    rows = await flush.connection.fetch(_DELETE, [file_id], now)
    if not rows:  # its job was just tried again
        raise in_use(file)
    return file_from(rows[0])


async def _expire(flush: Flush, now: Milliseconds, limit: int, default_retention_ms: Milliseconds | None) -> list[File]:
    over = [row["id"] for row in await flush.connection.fetch(_OVER, now, limit, default_retention_ms)]
    ids = [row["id"] for row in await flush.connection.fetch(_LOCK_THESE, over)] if over else []
    rows = await flush.connection.fetch(_DELETE, ids, now) if ids else []
    return sorted((file_from(row) for row in rows), key=lambda file: file.id)


async def _secret(flush: Flush, name: str) -> bytes:
    await flush.connection.execute(_ADD_SECRET, name, secrets.token_bytes(SECRET_BYTES))
    value: bytes = await flush.connection.fetchval(_SECRET, name)
    return value


def _page(search: Search) -> tuple[str, list[str]]:
    """The query of a page, and the values of its parameters from the fifth on.

    Beside the files, at least one row has the `last_candidate` where all of them were looked at and there may be more.
    """
    candidates, values = _candidates(search, 5)
    conditions = [f"{column} = ${number}" for number, column in enumerate(search.others, start=5 + len(values))]
    values.extend(search.others.values())
    if search.text is not None:
        values.append(search.text)
        conditions.append(f"strpos(folded_name, ${4 + len(values)}) > 0")
    if not conditions:
        return f"SELECT *, NULL AS last_candidate FROM ({candidates}) AS found ORDER BY id DESC LIMIT $4", values
    found = f"SELECT * FROM candidates WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT $4"
    query = (
        f"WITH candidates AS MATERIALIZED ({candidates}) SELECT * "
        "FROM (SELECT CASE WHEN count(*) = $3 THEN min(id) END AS last_candidate FROM candidates) AS search "
        f"LEFT JOIN ({found}) AS found ON true ORDER BY id DESC"
    )
    return query, values


def _candidates(search: Search, number: int) -> tuple[str, list[str]]:
    """The newest files that the index finds, and the values of the parameters from `number` on."""
    bounds = f"organization = $1 AND id < $2 AND {NOT_DELETED}"
    newest = "ORDER BY id DESC LIMIT $3"
    for column, value in search.first.items():
        condition = f"{column} = ${number}"
        if column == "job":
            # A job has few: all of them first, then sorted. The planner might look for them among all files.
            of_job = f"SELECT * FROM files WHERE organization = $1 AND {condition} AND {NOT_DELETED}"
            return f"WITH files AS MATERIALIZED ({of_job}) SELECT * FROM files WHERE {bounds} {newest}", [value]
        return f"SELECT * FROM files WHERE {bounds} AND {condition} {newest}", [value]
    return f"SELECT * FROM files WHERE {bounds} {newest}", []
