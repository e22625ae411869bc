"""Watches whether the store can be written to, beside all else, so that whoever asks is answered from memory."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from genesis.errors import GenesisError
from genesis.ports.blobs import BlobStore

logger = logging.getLogger(__name__)

_SECONDS = 30.0
"""Between two trials; on S3 each costs two requests."""
_SECONDS_IN_TROUBLE = 5.0
_PATIENCE_SECONDS = 10.0


class StoreWatch:
    """What is known of the store, which could be written to when it was opened.

    Attributes:
        trouble: why it cannot be written to, in a sentence; None while it can.
    """

    def __init__(self, store: BlobStore) -> None:
        self._store = store
        self.trouble: str | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watches meanwhile."""
        watching = asyncio.create_task(self._run(), name="watch of the store")
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_SECONDS if self.trouble is None else _SECONDS_IN_TROUBLE)
            await self._look()

    async def _look(self) -> None:
        """Tries once. A trial that hangs is waited for, however long: the next one would hang as well, in a thread more."""
        trial = asyncio.create_task(self._trial())
        try:
            done, _ = await asyncio.wait((trial,), timeout=_PATIENCE_SECONDS)
            if not done:
                self._note(f"The file store has not answered within {_PATIENCE_SECONDS:g} seconds.")
            self._note(await trial)
        finally:
            trial.cancel()

    async def _trial(self) -> str | None:
        try:
            await self._store.check()
        except GenesisError as error:
            return error.message
        except Exception:
            logger.exception("the trial of the store has failed")
            return "The trial of the file store has failed; the log says how."
        return None

    def _note(self, trouble: str | None) -> None:
        if trouble != self.trouble:
            if trouble is None:
                logger.info("the file store can be written to again")
            else:
                logger.error("%s", trouble)
        self.trouble = trouble
