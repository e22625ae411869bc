"""The records of files on one SQLite file."""

import json
import secrets
import sqlite3
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from genesis.database.files import (
    AWAITS_WORD,
    FILE_COLUMNS,
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
from genesis.database.sqlite.loading import rows
from genesis.database.sqlite.transaction import Transaction
from genesis.database.sqlite.writer import Writer
from genesis.domain.artifact import Artifact
from genesis.domain.file import File, FileState, MediaDetails
from genesis.domain.identity import Milliseconds
from genesis.domain.storable import storable_text
from genesis.ports.files import EVERY_FILE, FileFilter, FilePage

Result = TypeVar("Result")

_AMONG = "IN (SELECT value FROM json_each(:ids))"
_ADD = (
    f"INSERT INTO files ({', '.join(FILE_COLUMNS)}) VALUES ({', '.join('?' * len(FILE_COLUMNS))}) "
    "ON CONFLICT (id) DO NOTHING"
)
_FILE = "SELECT * FROM files WHERE id = ? AND organization = ?"
_FILES = f"SELECT * FROM files WHERE id {_AMONG} AND organization = :organization"
_ARRIVED = (
    "UPDATE files SET state = 'ready', key = ?, media_type = ?, size = ?, sha256 = ?, expires_at = ? "
    f"WHERE id = ? AND {MAY_ARRIVE}"
)
_EXAMINED = (
    "UPDATE files SET media_type = ?, size = ?, sha256 = ?, details = ?, problem = ? WHERE id = ? AND state = 'ready'"
)
_KEEP = "UPDATE files SET expires_at = ? WHERE id = ?"
_IS_IN_USE = f"SELECT {IN_USE} FROM files WHERE id = ?"
_DELETE = f"UPDATE files SET state = 'deleted', deleted_at = :now WHERE id {_AMONG} AND {MAY_BE_DELETED}"
_TO_EXPIRE = (
    "SELECT id FROM files INDEXED BY files_to_expire "
    f"WHERE {TO_EXPIRE.format(now=':now')} AND NOT {IN_USE} ORDER BY expires_at LIMIT :limit"
)
# Of each organization's files the oldest are looked at, and no others: whence the cross join.
_TOO_OLD = (
    "SELECT files.id FROM organizations CROSS JOIN files INDEXED BY files_by_age "
    f"ON files.organization = organizations.id AND {TOO_OLD.format(now=':now', default=':default')} "
    f"WHERE NOT {IN_USE} LIMIT :limit"
)
_UNEXAMINED = f"SELECT * FROM files INDEXED BY files_unexamined WHERE {UNEXAMINED} AND id > ? ORDER BY id LIMIT ?"
_KNOWN = known(_AMONG, now=":now", default=":default")
_IN_DOUBT = in_doubt(_AMONG)
_RECORDED = f"SELECT key FROM files WHERE key {_AMONG} AND state = 'ready'"
_WAITING = f"SELECT id FROM files WHERE id {_AMONG} AND state = 'waiting'"
_RETENTION = "SELECT file_retention_seconds FROM organizations WHERE id = ?"
_SECRET = "SELECT value FROM secrets WHERE name = ?"  # noqa: S105  # where it is, not what it is
_ADD_SECRET = "INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING"  # noqa: S105


class Read(Protocol):
    """Runs a query in a read transaction."""

    def __call__(self, query: Callable[[sqlite3.Connection], Result]) -> Awaitable[Result]: ...


class SqliteFiles:
    """Implements the port `FileRecords` through the writer of the ledger and its readers."""

    def __init__(self, writer: Writer, read: Read) -> None:
        self._writer = writer
        self._read = read

    async def add(self, file: File) -> None:
        values = file_values(file)
        await self._writer.execute(lambda transaction: _execute(transaction, _ADD, values), refusable=True)

    async def file(self, organization: str, file_id: str) -> File:
        found = await self._read(lambda connection: _found(connection, organization, file_id))
        if found is None:
            raise no_file(file_id)
        return found

    async def files(self, organization: str, ids: Collection[str]) -> Mapping[str, File]:
        if not ids:
            return {}
        values = {"ids": json.dumps(list(ids)), "organization": organization}
        found = await self._read(lambda connection: rows(connection.execute(_FILES, values)))
        return {row["id"]: file_from(row) for row in found}

    async def page(
        self, organization: str, *, limit: int, cursor: str | None = None, where: FileFilter = EVERY_FILE
    ) -> FilePage:
        place, search = place_of(cursor), search_for(where, limit)
        return await self._read(lambda connection: _page(connection, organization, place, search, limit))

    async def arrived(self, file_id: str, artifact: Artifact, expires_at: Milliseconds | None) -> bool:
        values = (artifact.key, artifact.media_type, artifact.size, artifact.sha256, expires_at, file_id)
        return await self._writer.execute(lambda transaction: _execute(transaction, _ARRIVED, values)) == 1

    async def examined(self, file_id: str, artifact: Artifact, details: MediaDetails, problem: str = "") -> None:
        found = (artifact.media_type, artifact.size, artifact.sha256, details_column(details), storable_text(problem))
        await self._writer.execute(lambda transaction: _execute(transaction, _EXAMINED, (*found, file_id)))

    async def keep_until(self, organization: str, file_id: str, expires_at: Milliseconds | None) -> File:
        return await self._writer.execute(
            lambda transaction: _keep_until(transaction, organization, file_id, expires_at)
        )

    async def delete(self, organization: str, file_id: str, now: Milliseconds) -> File:
        return await self._writer.execute(lambda transaction: _delete(transaction, organization, file_id, now))

    async def expire(
        self, now: Milliseconds, limit: int, default_retention_ms: Milliseconds | None = None
    ) -> Sequence[File]:
        return await self._writer.execute(lambda transaction: _expire(transaction, now, limit, default_retention_ms))

    async def unexamined(self, limit: int, after: str = "") -> Sequence[File]:
        found = await self._read(lambda connection: rows(connection.execute(_UNEXAMINED, (after, limit))))
        return [file_from(row) for row in found]

    async def known(
        self, ids: Collection[str], now: Milliseconds = 0, default_retention_ms: Milliseconds | None = None
    ) -> set[str]:
        return await self._among(_KNOWN, ids, now=now, default=default_retention_ms)

    async def in_doubt(self, call_keys: Collection[str]) -> set[str]:
        return await self._among(_IN_DOUBT, call_keys)

    async def recorded(self, keys: Collection[str]) -> set[str]:
        return await self._among(_RECORDED, keys)

    async def waiting(self, ids: Collection[str]) -> set[str]:
        return await self._among(_WAITING, ids)

    async def _among(self, query: str, ids: Collection[str], **more: int | None) -> set[str]:
        values = {"ids": json.dumps(list(ids)), **more}
        found = await self._read(lambda connection: connection.execute(query, values).fetchall())
        return {file for (file,) in found}

    async def awaits_word(self) -> bool:
        row = await self._read(lambda connection: connection.execute(AWAITS_WORD).fetchone())
        return bool(row[0])

    async def retention(self, organization: str) -> int | None:
        row = await self._read(lambda connection: connection.execute(_RETENTION, (organization,)).fetchone())
        seconds: int | None = row[0] if row else None
        return seconds

    async def secret(self, name: str) -> bytes:
        row = await self._read(lambda connection: connection.execute(_SECRET, (name,)).fetchone())
        return bytes(row[0]) if row else await self._writer.execute(lambda transaction: _secret(transaction, name))


def _execute(transaction: Transaction, statement: str, values: Sequence[Any]) -> int:
    """How many rows a statement has changed."""
    return transaction.connection.execute(statement, values).rowcount


def _found(connection: sqlite3.Connection, organization: str, file_id: str) -> File | None:
    found = rows(connection.execute(_FILE, (file_id, organization)))
    return file_from(found[0]) if found else None


def _must_be_found(transaction: Transaction, organization: str, file_id: str) -> File:
    found = _found(transaction.connection, organization, file_id)
    if found is None:
        raise no_file(file_id)
    return found


def _keep_until(transaction: Transaction, organization: str, file_id: str, expires_at: Milliseconds | None) -> File:
    file = _must_be_found(transaction, organization, file_id)
    if file.state is FileState.DELETED:
        raise deleted(file)
    if file.state is FileState.WAITING:
        raise still_waiting(file)
    transaction.connection.execute(_KEEP, (expires_at, file_id))
    return _must_be_found(transaction, organization, file_id)


def _delete(transaction: Transaction, organization: str, file_id: str, now: Milliseconds) -> File:
    file = _must_be_found(transaction, organization, file_id)
    if file.state is FileState.DELETED:
        return file
    if transaction.connection.execute(_IS_IN_USE, (file_id,)).fetchone()[0]:
        raise in_use(file)
    transaction.connection.execute(_DELETE, {"ids": json.dumps([file_id]), "now": now})
    return _must_be_found(transaction, organization, file_id)


def _expire(
    transaction: Transaction, now: Milliseconds, limit: int, default_retention_ms: Milliseconds | None
) -> list[File]:
    values = {"now": now, "default": default_retention_ms}
    over: list[str] = []
    for query in (_TO_EXPIRE, _TOO_OLD):
        found = transaction.connection.execute(query, {**values, "limit": limit - len(over)})
        over.extend(file for (file,) in found.fetchall())
    ids = json.dumps(over)
    transaction.connection.execute(_DELETE, {"ids": ids, "now": now})
    these = f"SELECT * FROM files WHERE id {_AMONG} ORDER BY id"
    return [file_from(row) for row in rows(transaction.connection.execute(these, {"ids": ids}))]


def _secret(transaction: Transaction, name: str) -> bytes:
    transaction.connection.execute(_ADD_SECRET, (name, secrets.token_bytes(SECRET_BYTES)))
    return bytes(transaction.connection.execute(_SECRET, (name,)).fetchone()[0])


def _page(connection: sqlite3.Connection, organization: str, place: str, search: Search, limit: int) -> FilePage:
    candidates = _candidates(search)
    values = {
        "organization": organization,
        "place": place,
        "candidates": search.candidates,
        "text": search.text,
        "limit": limit + 1,
        **{f"value{number}": value for number, value in enumerate((*search.first.values(), *search.others.values()))},
    }
    query = f"SELECT * FROM ({candidates}) AS found WHERE {_others(search)} ORDER BY id DESC LIMIT :limit"
    found = rows(connection.execute(query, values))
    last = None
    if len(found) <= limit < search.candidates - 1:
        stop = f"SELECT id FROM ({candidates}) ORDER BY id DESC LIMIT 1 OFFSET :candidates - 1"
        row = connection.execute(stop, values).fetchone()
        last = str(row[0]) if row else None
    return page_of(found, limit, last)


def _candidates(search: Search) -> str:
    """The newest files that the index finds."""
    first = "".join(f" AND {column} = :value{number}" for number, column in enumerate(search.first))
    return (
        f"SELECT * FROM files INDEXED BY {search.index} WHERE organization = :organization{first} "
        f"AND id < :place AND {NOT_DELETED} ORDER BY id DESC LIMIT :candidates"
    )


def _others(search: Search) -> str:
    """What else has to be true of them."""
    numbered = enumerate(search.others, start=len(search.first))
    conditions = [f"{column} = :value{number}" for number, column in numbered]
    if search.text is not None:
        conditions.append("instr(folded_name, :text) > 0")
    return " AND ".join(conditions) or "true"
