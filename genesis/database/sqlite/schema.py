"""Brings a database file to the newest schema; Alembic is imported only when it is behind."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from genesis.errors import Misconfigured

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0006"
"""The newest revision of `genesis/database/migrations`."""


def migrate(database: Path) -> None:
    """Creates or upgrades the schema. The caller holds the database's lock.

    Raises:
        Misconfigured: the file is not a database, or a newer version of Genesis made it.
    """
    try:
        version = _version(database)
    except sqlite3.Error as error:
        raise Misconfigured(
            f"The database {database} cannot be opened: {error}.", hint=_what_to_check(database, error)
        ) from error
    if version != HEAD:
        _upgrade(database, version)


def _what_to_check(database: Path, error: sqlite3.Error) -> str:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL):
        free = shutil.disk_usage(database.parent).free
        return f"The disk may be full or failing: {free / 1_000_000:,.1f} MB are free in {database.parent}."
    return "Check that DB_PATH names an SQLite file that this process may write to."


def _version(database: Path) -> str | None:
    with closing(sqlite3.connect(database)) as connection:
        # Write-ahead logging stays set in the file; without it readers would block the writer.
        connection.execute("PRAGMA journal_mode = WAL")
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if known else None
        return str(row[0]) if row else None


def _upgrade(database: Path, version: str | None) -> None:
    import sqlalchemy as sa
    from alembic import command
    from alembic.util import CommandError

    try:
        with _migrating(database) as config:
            command.upgrade(config, "head")
    except CommandError as error:
        raise Misconfigured(
            f"The database {database} has schema {version}, which this version of Genesis does not know.",
            hint="Run the version of Genesis that last used it, or a newer one.",
        ) from error
    except sa.exc.SQLAlchemyError as error:
        raise Misconfigured(
            f"The schema of {database} could not be brought up to date: {error}.",
            hint="Nothing was changed. Check the disk, or restore the file from a backup.",
        ) from error


@contextmanager
def _migrating(database: Path) -> "Iterator[Config]":
    """A configuration with which Alembic's commands change the file, all in one transaction."""
    import sqlalchemy as sa
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "genesis.database:migrations")
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(database)))
    # Python's driver would run each change of the schema outside of the transaction; a crash in the middle would leave
    # half a schema behind (SQLAlchemy's documentation of its SQLite dialect, "transactional DDL").
    sa.event.listen(engine, "connect", _no_implicit_transactions)
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            yield config
            connection.commit()
    finally:
        engine.dispose()


def _no_implicit_transactions(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
