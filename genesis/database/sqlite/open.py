"""Opens the ledger on one SQLite file."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from genesis.database.hub import SignalHub
from genesis.database.plans import Plans
from genesis.database.sqlite import executors
from genesis.database.sqlite.files import SqliteFiles
from genesis.database.sqlite.ledger import SqliteLedger
from genesis.database.sqlite.lock import DatabaseLock
from genesis.database.sqlite.queries import SqliteQueries
from genesis.database.sqlite.schema import migrate
from genesis.database.sqlite.writer import Writer
from genesis.ports.clock import Clock
from genesis.ports.database import Database


@asynccontextmanager
async def open_sqlite(database: Path, clock: Clock) -> AsyncIterator[Database]:
    """Locks and migrates the database file and opens both sides of the ledger.

    Raises:
        Misconfigured: another process uses the file, or it cannot be used.
    """
    with DatabaseLock(database):
        migrate(database)
        signals, plans = SignalHub(), Plans()
        writer = Writer(database, signals.send_all)
        queries = SqliteQueries(database, plans, writer)
        writer.start()
        try:
            await writer.execute(executors.declare_dead)
            files = SqliteFiles(writer, queries.read)
            yield Database(SqliteLedger(writer, clock, plans), queries, signals, clock, files)
        finally:
            writer.close()
            queries.close()
