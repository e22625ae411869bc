"""Copies a PostgreSQL database that is in use, table by table, and loads such a copy into an empty one."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager

from genesis.database import incarnation
from genesis.database.backup import OCCUPYING, TABLES, Facts, HasReceipt, Parts, Put, Restored, not_empty
from genesis.database.incarnation import Queued
from genesis.database.plans import Plans
from genesis.database.postgres.connection import REFUSALS, Connection, Server, Trouble, reason, trouble
from genesis.database.postgres.flush import Flush
from genesis.database.postgres.incarnation import begin
from genesis.database.postgres.schema import MIGRATION_LOCK
from genesis.domain.identity import Milliseconds
from genesis.errors import Misconfigured, Unavailable

_PART = 8 * 1024 * 1024
_NUMBERED_ANEW = "transaction_id"
"""Tells by which transaction of its server a row was written; the transaction that restores it is the one that counts."""
_PATIENT = (
    "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET enable_seqscan = on; "
    "SET enable_hashjoin = on; SET enable_mergejoin = on; SET plan_cache_mode = auto"
)
_NOW = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
_COLUMNS = (
    "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped "
    "AND attgenerated = '' ORDER BY attnum"
)
_IDENTITIES = (
    "SELECT relname::text, attname::text FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
    "WHERE attidentity <> '' AND attnum > 0 AND pg_table_is_visible(attrelid) AND relname::text = ANY($1::text[])"
)
_CONNECTED = (
    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND application_name LIKE 'genesis %')"
)
_ALIVE = f"SELECT EXISTS (SELECT FROM executors WHERE state = 'live' AND lease_until > ({_NOW}))"


class PostgresSnapshot:
    """What one transaction sees."""

    def __init__(self, connection: Connection, facts: Facts) -> None:
        self._connection = connection
        self.facts = facts

    async def write(self, put: Put) -> Mapping[str, int]:
        """Hands over each table in parts of whole rows; see the port."""
        return {table: await self._table(table, columns, put) for table, columns in self.facts.columns.items()}

    async def _table(self, table: str, columns: Sequence[str], put: Put) -> int:
        gathered = bytearray()
        written = parts = 0

        async def flush(end: int) -> None:
            nonlocal parts, written
            part = bytes(gathered[:end])
            del gathered[:end]
            await put(f"database/{table}.{parts:06d}.copy", len(part), _once(part))
            parts += 1
            written += part.count(b"\n")

        async def take(piece: bytes) -> None:
            gathered.extend(piece)
            # A line is a row: line feeds in values are written as \n (PostgreSQL's documentation of COPY).
            if len(gathered) >= _PART and (end := gathered.rfind(b"\n") + 1):
                await flush(end)

        query = f"SELECT {_quoted(columns)} FROM {table}"
        await self._connection.copy_from_query(query, output=take, format="text")
        if gathered:
            await flush(len(gathered))
        return written


@asynccontextmanager
async def open_postgres_snapshot(url: str) -> AsyncIterator[PostgresSnapshot]:
    """A transaction that sees the database as it is now.

    Raises:
        Misconfigured: it cannot be read, or is not one of Genesis.
        Unavailable: it does not answer.
    """
    server = Server(url)
    with _told(server, "read"):
        connection = await server.connect("backup")
        try:
            await connection.execute(_PATIENT)
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                yield PostgresSnapshot(connection, await _facts(connection, server))
        finally:
            connection.terminate()


async def _facts(connection: Connection, server: Server) -> Facts:
    revision = await _revision(connection)
    if revision is None:
        raise Misconfigured(
            f"The database {server.name} is not one of Genesis.",
            hint="Set DATABASE_URL as for the platform that uses it.",
        )
    made_at = await connection.fetchval(_NOW)
    found = {table: [row[0] for row in await connection.fetch(_COLUMNS, table)] for table in TABLES}
    columns = {table: [name for name in names if name != _NUMBERED_ANEW] for table, names in found.items() if names}
    size = await connection.fetchval(
        "SELECT sum(pg_table_size(name::regclass)) FROM unnest($1::text[]) AS name", [*columns]
    )
    return Facts("postgresql", revision, made_at, columns, int(size))


class PostgresTarget:
    """An empty database, within a transaction that nobody sees the end of before it is all there."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def load(self, facts: Facts, parts: Parts, queued: Queued, has_receipt: HasReceipt) -> Restored:
        """Makes the copy's schema, fills it and brings it up to date; see the port."""
        connection = self._connection
        if await _revision(connection) is not None:
            await self._migrate("base")
        await self._migrate(facts.revision)
        for table in reversed(list(facts.columns)):
            await connection.execute(f"DELETE FROM {_known(table)}")
        async for name, pieces in parts:
            table = _known(name.removeprefix("database/").partition(".")[0])
            await connection.copy_to_table(table, source=pieces, columns=list(facts.columns[table]), format="text")
        for table, column in await connection.fetch(_IDENTITIES, list(TABLES)):
            last = f"(SELECT coalesce(max({column}), 0) + 1 FROM {table})"
            await connection.execute(f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), {last}, false)")
        await self._migrate("head")
        now = await connection.fetchval(_NOW)
        unknown = await self._begin(now, facts.made_at, queued, has_receipt)
        jobs = await connection.fetchval("SELECT count(*) FROM jobs")
        return Restored(jobs, await connection.fetchval(incarnation.COUNT_HELD), unknown)

    async def _begin(self, now: Milliseconds, made_at: Milliseconds, queued: Queued, has_receipt: HasReceipt) -> int:
        flush = Flush(self._connection, Plans(), now)
        doubtful = await self._connection.fetch(incarnation.IN_DOUBT)
        known = {attempt for attempt, call_key, capability in doubtful if await has_receipt(capability, call_key)}
        unknown = await begin(flush, queued, made_at, known)
        await self._connection.execute(f"ANALYZE {', '.join(TABLES)}")
        return unknown

    async def _migrate(self, revision: str) -> None:
        from genesis.database.postgres.alembic_driver import UnknownRevision, upgrade

        loop = asyncio.get_running_loop()
        try:
            await asyncio.to_thread(upgrade, self._connection, loop, revision, within=True)
        except UnknownRevision as error:
            raise Misconfigured(
                f"A schema is not known to this version of Genesis: {error}.",
                hint="Use a newer version, or a database without tables.",
            ) from error


@asynccontextmanager
async def open_postgres_target(url: str) -> AsyncIterator[PostgresTarget]:
    """A transaction on an empty database, which is committed when the block ends well.

    Raises:
        Misconfigured: it is used, it is not empty, or it cannot be written.
        Unavailable: it does not answer.
    """
    server = Server(url)
    with _told(server, "restored"):
        connection = await server.connect("restore", statement_cache_size=0)  # tables change under its statements
        try:
            await connection.execute(_PATIENT)
            async with connection.transaction():
                await connection.execute(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
                await _check(connection, server)
                yield PostgresTarget(connection)
        finally:
            connection.terminate()


async def _check(connection: Connection, server: Server) -> None:
    for table in OCCUPYING:
        if await _is_there(connection, table) and await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table})"):
            raise not_empty(server.name)
    joined = await _is_there(connection, "executors") and await connection.fetchval(_ALIVE)
    if joined or await connection.fetchval(_CONNECTED):
        raise Misconfigured(
            f"The database {server.name} is in use by a running Genesis.",
            hint="Stop all its processes first; one that was killed counts as running for LEASE_SECONDS.",
        )


async def _is_there(connection: Connection, table: str) -> bool:
    return await connection.fetchval("SELECT to_regclass($1)", table) is not None


async def _revision(connection: Connection) -> str | None:
    if not await _is_there(connection, "alembic_version"):
        return None
    revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    return revision


@contextmanager
def _told(server: Server, what: str) -> Iterator[None]:
    """Says in words what the server refuses."""
    try:
        yield
    except REFUSALS as error:
        if isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError):
            raise  # of the archive's disk
        if trouble(error) is Trouble.DEFECT or getattr(error, "sqlstate", None) == "42501":
            raise Misconfigured(
                f"The database {server.name} cannot be {what}: {reason(error)}.",
                hint="Check DATABASE_URL and the rights of its user: it has to own the tables.",
            ) from error
        raise Unavailable(
            f"The database {server.name} cannot be {what} now: {reason(error)}.", hint="Check the server and try again."
        ) from error


def _known(table: str) -> str:
    """The name of a table, which comes from an archive.

    Raises:
        Misconfigured: it is not one of ours.
    """
    if table not in TABLES:
        raise Misconfigured(f"The archive has a table `{table[:100]}`, which this version of Genesis does not know.")
    return table


def _quoted(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


async def _once(piece: bytes) -> AsyncIterator[bytes]:
    yield piece
