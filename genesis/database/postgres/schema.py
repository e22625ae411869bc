"""Brings the database to the newest schema; Alembic is imported only when it is behind."""

import asyncio
import logging

from genesis.database.postgres.connection import REFUSALS, Connection, Server, Trouble, reason, trouble
from genesis.database.postgres.restored import is_restored, number_anew
from genesis.errors import Misconfigured

logger = logging.getLogger(__name__)

HEAD = "0006"
"""The newest revision of `genesis/database/migrations`."""

MIGRATION_LOCK = 0x67656E65736973
"""Key of the advisory lock under which one process at a time migrates: `genesis` in ASCII."""
_LOOK_SECONDS = 10.0
"""A server that has not answered for this long is asked anew: the way to it may be gone without a word."""
_OLDEST_SERVER = 130_000
"""`pg_current_xact_id` came with version 13."""


async def migrate(server: Server) -> None:
    """Creates or upgrades the schema; of several processes that start at once, one does it and the others wait.

    A database that a dump has brought from another server is made fit for this one.

    Raises:
        Misconfigured: the database is too old, or a newer version of Genesis made its schema, or it cannot be changed.
    """
    connection = await server.connect("migration")
    try:
        if not await _is_done(connection):
            await _migrate(connection)
    except BaseException:
        connection.terminate()  # it may not answer any more
        raise
    await connection.close(timeout=5)  # lets go of the lock as well


async def _is_done(connection: Connection) -> bool:
    async with asyncio.timeout(_LOOK_SECONDS):
        await _require_version(connection)
        return await _version(connection) == HEAD and not await is_restored(connection)


async def _migrate(connection: Connection) -> None:
    # Who waits here may wait for as long as a large migration takes.
    await connection.execute("SET statement_timeout = 0; SET lock_timeout = 0; SET enable_seqscan = on")
    await connection.execute("SET idle_in_transaction_session_timeout = 0; SET enable_hashjoin = on")
    await connection.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
    version = await _version(connection)
    if version != HEAD:
        await _upgrade(connection, version)
    if await is_restored(connection):
        logger.warning("the database was restored from a dump: its events are numbered anew")
        await _number_anew(connection)


async def _number_anew(connection: Connection) -> None:
    try:
        await number_anew(connection)
    except REFUSALS as error:
        if trouble(error) is Trouble.LOST:
            raise
        raise Misconfigured(
            f"The events of the restored database could not be numbered anew: {reason(error)}.",
            hint="Check that the user of DATABASE_URL owns the table `events`, or run `genesis-server migrate` as its owner.",
        ) from error


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
