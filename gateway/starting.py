"""Starts an application's engine; the application serves as well while the database is not there yet."""

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI

from gateway.stopping import when_told_to_stop
from genesis.database.open import open_database
from genesis.engine.engine import Engine
from genesis.errors import Misconfigured, Unavailable
from genesis.files.examiner import Examiner
from genesis.files.service import Files
from genesis.logs import configure_logging
from genesis.pipelines.catalog import builtin_pipelines
from genesis.ports.blobs import BlobStore
from genesis.ports.database import Database
from genesis.ports.workers import WorkerClient
from genesis.prices.known import open_prices
from genesis.settings import Settings
from genesis.storage.open import open_receipts

logger = logging.getLogger(__name__)

OpenWorkers = Callable[[Settings], AbstractAsyncContextManager[WorkerClient]]

_OBJECTS_UNTIL_COLLECTION = 10_000
"""Python looks for cycles among its youngest objects after 700 of them, which is many times in each request."""
_PAUSE_SECONDS = 0.5
_MISCONFIGURED = 2
"""The exit code, which a wrong setting has that is found before anything starts, too."""


@asynccontextmanager
async def engine_in(
    app: FastAPI, settings: Settings, open_workers: OpenWorkers, store: BlobStore | None = None
) -> AsyncIterator[None]:
    """Sees to `app.state.engine` and `app.state.files`: None while the database does not answer, with the reason in
    `app.state.waiting_for`. Without a store there are no files.

    A database that turns out to be unusable later than at the start ends the process.

    Raises:
        Misconfigured: the database cannot be used.
    """
    configure_logging(settings)
    gc.set_threshold(_OBJECTS_UNTIL_COLLECTION)
    start = _Start(app, settings, open_workers, store)
    running = asyncio.create_task(start.run(), name="engine")
    told = asyncio.create_task(start.told.wait())
    await asyncio.wait((running, told), return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if running.done():
        await running
    running.add_done_callback(_end_process)
    try:
        with when_told_to_stop(start.finish):
            yield
    finally:
        running.remove_done_callback(_end_process)
        start.stop.set()
        if app.state.engine is None:
            running.cancel()
        (failure,) = await asyncio.gather(running, return_exceptions=True)
        if failure is not None and not isinstance(failure, asyncio.CancelledError):
            raise failure


class _Start:
    """Runs an application's engine as soon as that can be done.

    Attributes:
        told: set once there is the engine, or a reason for there being none.
        stop: to be set when it is to end.
    """

    def __init__(self, app: FastAPI, settings: Settings, open_workers: OpenWorkers, store: BlobStore | None) -> None:
        self._state = app.state
        self._state.engine = self._state.files = None
        self._store = store
        self._settings = settings
        self._open_workers = open_workers
        self.told = asyncio.Event()
        self.stop = asyncio.Event()

    async def run(self) -> None:
        while not self.stop.is_set():
            try:
                async with _running_engine(self._settings, self._open_workers, self._store, self._wait) as running:
                    self._state.engine, self._state.files = running
                    self.told.set()
                    await self.stop.wait()
            except Unavailable as error:
                if self._state.engine is not None:
                    raise
                self._wait(error.message)  # the database went away again before the engine ran
                await asyncio.sleep(_PAUSE_SECONDS)

    def finish(self) -> None:
        """Ends all streams, so that a server can stop."""
        if self._state.engine is not None:
            self._state.engine.follower.finish()

    def _wait(self, reason: str) -> None:
        self._state.waiting_for = reason
        self.told.set()


@asynccontextmanager
async def _running_engine(
    settings: Settings, open_workers: OpenWorkers, store: BlobStore | None, waiting: Callable[[str], None]
) -> AsyncIterator[tuple[Engine, Files | None]]:
    """The engine on the database that the settings name, while it runs and can be followed; and the files beside it."""
    prices = open_prices(settings.prices_path)
    async with open_database(settings, waiting) as database, open_workers(settings) as workers:
        engine = Engine(database, workers, builtin_pipelines(), prices, settings)
        async with (
            engine.running(),
            engine.follower.listening(),
            _running_files(settings, store, database) as files,
        ):
            yield engine, files


@asynccontextmanager
async def _running_files(
    settings: Settings, store: BlobStore | None, database: Database
) -> AsyncIterator[Files | None]:
    """The files whose records the database has, while they are kept in order."""
    if store is None:
        yield None
        return
    receipts = await asyncio.to_thread(open_receipts, settings)
    examiner, stripper = Examiner(), Examiner()
    files = Files(store, receipts, database.files, examiner, stripper, database.clock, settings)
    try:
        async with files.running():
            yield files
    finally:
        await examiner.close()
        await stripper.close()
        await receipts.close()


def _end_process(running: "asyncio.Task[None]") -> None:
    """Without its engine, and without a hope of one, nobody needs this process."""
    error = running.exception()
    if isinstance(error, Misconfigured):
        logger.critical("%s %s", error.message, error.hint)
        sys.exit(_MISCONFIGURED)
    logger.critical("the engine could not be started", exc_info=error)
    sys.exit(1)
