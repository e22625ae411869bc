"""Brings the database to the newest schema; Alembic is imported only when it is behind."""

import asyncio

from genesis.database.postgres.connection import REFUSALS, Connection, Server, Trouble, reason, trouble
from genesis.errors import Misconfigured

HEAD = "0004"
"""The newest revision of `genesis/database/migrations`."""

_LOCK = 0x67656E65736973
"""Key of the advisory lock under which one process at a time migrates: `genesis` in ASCII."""
_OLDEST_SERVER = 130_000
"""`pg_current_xact_id` came with version 13."""


async def migrate(server: Server) -> None:
    """Creates or upgrades the schema; of several processes that start at once, one does it and the others wait.

    Raises:
        Misconfigured: the database is too old, or a newer version of Genesis made its schema, or it cannot be changed.
    """
    connection = await server.connect("migration")
    try:
        await _require_version(connection)
        if await _version(connection) == HEAD:
            return
        # Who waits here may wait for as long as a large migration takes.
        await connection.execute("SET statement_timeout = 0; SET lock_timeout = 0; SET enable_seqscan = on")
        await connection.execute("SET idle_in_transaction_session_timeout = 0; SET enable_hashjoin = on")
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        version = await _version(connection)
        if version != HEAD:
            await _upgrade(connection, version)
    finally:
        await connection.close(timeout=5)  # lets go of the lock as well


async def _require_version(connection: Connection) -> None:
    number = int(await connection.fetchval("SELECT current_setting('server_version_num')"))
    if number < _OLDEST_SERVER:
        raise Misconfigured(
            f"The PostgreSQL server has version {number // 10_000}, which is too old.", hint="Use version 13 or newer."
        )


async def _version(connection: Connection) -> str | None:
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    version: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    return version


async def _upgrade(connection: Connection, version: str | None) -> None:
    from genesis.database.postgres.alembic_driver import UnknownRevision, upgrade

    loop = asyncio.get_running_loop()
    try:
        # Alembic is synchronous: it runs in a thread and has its statements run here, in the loop.
        await asyncio.to_thread(upgrade, connection, loop)
    except UnknownRevision as error:
        raise Misconfigured(
            f"The database has schema {version}, which this version of Genesis does not know.",
            hint="Run the version of Genesis that last used it, or a newer one.",
        ) from error
    except REFUSALS as error:
        if trouble(error) is Trouble.LOST:
            raise
        raise Misconfigured(
            f"The schema of the database could not be brought up to date: {reason(error)}.",
            hint="Nothing was changed. Check that the user of DATABASE_URL may create tables.",
        ) from error
