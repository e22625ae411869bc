"""What is known about the workers now; kept fresh in the background."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from genesis.capabilities.catalog import CAPABILITIES
from genesis.engine.tasks import end_tasks
from genesis.errors import WorkerUnavailable
from genesis.ports.workers import WorkerClient, WorkerDescription

logger = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0
"""Pause before a missing worker is asked again."""
_LOOKS = 10
"""A worker that answers is asked again after this many such pauses."""


class WorkerDirectory:
    """Descriptions of the workers that answer, and the reasons of those that do not.

    Args:
        on_change: called with the capability after each look at a worker.
    """

    def __init__(self, workers: WorkerClient, on_change: Callable[[str], None]) -> None:
        self._workers = workers
        self._on_change = on_change
        self._known: dict[str, WorkerDescription] = {}
        self._sellers: dict[str, frozenset[str]] = {}
        self._missing: dict[str, str] = dict.fromkeys(CAPABILITIES, "it has not been asked yet")
        self._watchers: list[asyncio.Task[None]] = []

    @property
    def known(self) -> Mapping[str, WorkerDescription]:
        """The workers that answer, by capability."""
        return self._known

    @property
    def missing(self) -> Mapping[str, str]:
        """Why the others do not, by capability."""
        return self._missing

    def slots(self, lane: str) -> int:
        """Calls of a lane (`capability`, or `capability:provider`) that may be under way at once.

        A capability has as many as the providers that its steps are tried with first, none while its worker is missing,
        and one where there is no provider at all, in which a step learns that nobody can serve it.
        """
        capability, _, name = lane.partition(":")
        worker = self._known.get(capability)
        if worker is None:
            return 0
        if not name:
            return sum(provider.slots for provider in worker.first) or 1
        return next((provider.slots for provider in worker.providers if provider.name == name), 1)

    def has_list_prices(self, capability: str, provider: str) -> bool:
        """Whether a provider charges what is publicly known of its models, by the last word of its worker; False where that
        has not been heard yet."""
        return provider in self._sellers.get(capability, ())

    def lose(self, capability: str, reason: str) -> None:
        """Notes that a worker could not be reached, so that its jobs wait until it answers again."""
        if self._known.pop(capability, None):
            logger.warning("the %s worker is missing: %s", CAPABILITIES[capability].worker, reason)
        self._missing[capability] = reason

    def start(self) -> None:
        """Begins to look at every worker, each by itself."""
        self._watchers = [asyncio.create_task(self._watch(capability)) for capability in CAPABILITIES]

    async def stop(self) -> None:
        await end_tasks(self._watchers)

    async def refresh(self, capability: str) -> None:
        """Asks one worker."""
        try:
            worker = self._known[capability] = await self._workers.describe(capability)
            self._sellers[capability] = frozenset(one.name for one in worker.providers if one.list_prices)
            if self._missing.pop(capability, None):
                logger.info("the %s worker answers", CAPABILITIES[capability].worker)
        except WorkerUnavailable as error:
            self.lose(capability, error.message)
        except Exception as error:
            # One worker that cannot be asked must not hide the others, nor be forgotten.
            logger.exception("the %s worker could not be asked", CAPABILITIES[capability].worker)
            self.lose(capability, f"it could not be asked: {error}")
        self._on_change(capability)

    async def _watch(self, capability: str) -> None:
        while True:
            await self.refresh(capability)
            for _ in range(_LOOKS):
                await asyncio.sleep(_RETRY_SECONDS)
                if capability in self._missing:
                    break
