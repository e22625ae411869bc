"""The calls that one run has under way."""

import asyncio
import logging
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from genesis.domain.attempt import Attempt, AttemptState, ProviderClass
from genesis.domain.failure import INTERRUPTED
from genesis.domain.identity import Milliseconds
from genesis.domain.pipeline import PipelineStep
from genesis.engine import outcome
from genesis.engine.call import StillOpen
from genesis.engine.lease import since_boot
from genesis.engine.news import News
from genesis.errors import CallFailed, Fenced
from genesis.ports.workers import CallResult, WorkerClient

logger = logging.getLogger(__name__)

CallTask = asyncio.Task[CallResult]


@dataclass(frozen=True, slots=True)
class Flight:
    """A call under way: the attempt as it is stored, and the task that ends with its result.

    Attributes:
        began: in seconds since boot.
    """

    planned: PipelineStep
    attempt: Attempt
    task: CallTask
    began: float = field(default_factory=since_boot)

    @property
    def milliseconds(self) -> Milliseconds:
        """How long it has taken by now."""
        return round((since_boot() - self.began) * 1000)

    def evidence(self, now: Milliseconds) -> tuple[Attempt, ...]:
        """The attempt as the ended call leaves it; nothing where that is not known yet."""
        try:
            return (outcome.paid(self.attempt, self.task.result(), now),)
        except CallFailed as error:
            return (outcome.settled(self.attempt, error, now),)
        except (StillOpen, Fenced):  # in the second case its handle has been written all the same
            return ()

    def cut_off(self, now: Milliseconds) -> Attempt:
        """The attempt of a call that is given up and costs nothing."""
        return replace(self.attempt, state=AttemptState.FAILED, settled_at=now, failure=INTERRUPTED)


class Flights:
    """Calls by attempt.

    Args:
        news: told when a call has ended.
    """

    def __init__(self, news: News) -> None:
        self._news = news
        self._flights: dict[str, Flight] = {}

    def __iter__(self) -> Iterator[Flight]:
        return iter(tuple(self._flights.values()))

    def __bool__(self) -> bool:
        return bool(self._flights)

    @property
    def tasks(self) -> frozenset[CallTask]:
        return frozenset(flight.task for flight in self._flights.values())

    @property
    def steps(self) -> frozenset[str]:
        """Names of the steps that are being tried."""
        return frozenset(flight.planned.name for flight in self._flights.values())

    @property
    def attempts(self) -> frozenset[str]:
        return frozenset(self._flights)

    def begin(self, planned: PipelineStep, attempt: Attempt, call: Coroutine[Any, Any, CallResult]) -> CallTask:
        """Begins a call."""
        task = asyncio.create_task(call)
        task.add_done_callback(self._news.tell)
        self._flights[attempt.id] = Flight(planned, attempt, task)
        return task

    def update(self, attempt: Attempt) -> None:
        """Notes that the stored attempt has changed."""
        if flight := self._flights.get(attempt.id):
            self._flights[attempt.id] = replace(flight, attempt=attempt)

    def take_ended(self) -> Flight | None:
        """Takes out a call that has ended; None when there is none."""
        ended = next((flight for flight in self if flight.task.done()), None)
        if ended is not None:
            del self._flights[ended.attempt.id]
        return ended

    def take_repeatable(self) -> list[Flight]:
        """Takes out the calls that cost nothing, and gives them up."""
        free = [flight for flight in self if is_repeatable(flight.attempt)]
        for flight in free:
            flight.task.cancel()
            del self._flights[flight.attempt.id]
        return free

    async def ask_to_stop(self, workers: WorkerClient, grace_seconds: float) -> None:
        """Tells the workers to give the calls up, and waits a moment until they have."""
        await _ask_all_to_stop(workers, list(self), grace_seconds)

    async def drop_repeatable(self, workers: WorkerClient, grace_seconds: float) -> None:
        """Gives the calls up that cost nothing, and tells the workers: who has the job by now makes them again."""
        await _ask_all_to_stop(workers, [flight for flight in self if is_repeatable(flight.attempt)], grace_seconds)
        self.take_repeatable()

    async def close(self) -> None:
        """Stops waiting for the calls, whatever becomes of them."""
        if not self._flights:  # as at the end of nearly every run
            return
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self._flights.clear()


def is_repeatable(attempt: Attempt) -> bool:
    """Whether it costs nothing to make the call again."""
    return attempt.provider_class is ProviderClass.REPEATABLE


async def _ask_all_to_stop(workers: WorkerClient, flights: Sequence[Flight], grace_seconds: float) -> None:
    asked = [asyncio.create_task(_ask_to_stop(workers, flight)) for flight in flights]
    if asked:
        await asyncio.wait({*(flight.task for flight in flights), *asked}, timeout=grace_seconds)
    for task in asked:
        task.cancel()
    await asyncio.gather(*asked, return_exceptions=True)


async def _ask_to_stop(workers: WorkerClient, flight: Flight) -> None:
    attempt = flight.attempt
    try:
        await workers.cancel(flight.planned.capability, attempt.id, attempt.handle)
    except CallFailed as error:
        logger.warning("attempt %s: the cancel did not reach the worker: %s", attempt.id, error.message)
