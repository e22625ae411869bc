"""Calls under way: one per call key, whoever asks for it, and however many wait for it."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from genesis.errors import AttemptCanceled, WorkerLost
from genesis.ports.workers import CallPending, CallResult, OnDelta

logger = logging.getLogger(__name__)

Asked = tuple[dict[str, Any], dict[str, Any]]
"""Input and options, checked."""


@dataclass(eq=False, slots=True)
class Flight:
    """A call under way.

    Attributes:
        attempts: of all who have asked for it; each can cancel it.
        text: what has been streamed so far.
        given_up: whether somebody has asked for that; otherwise only the worker's end can cancel it.
    """

    call_key: str
    asked: Asked
    attempts: set[str] = field(default_factory=set)
    text: list[str] = field(default_factory=list)
    listeners: list[OnDelta] = field(default_factory=list)
    given_up: bool = False
    _task: asyncio.Task[CallResult | CallPending] | None = None

    @property
    def task(self) -> asyncio.Task[CallResult | CallPending]:
        if self._task is None:
            raise RuntimeError("The flight has not begun.")
        return self._task

    @task.setter
    def task(self, task: asyncio.Task[CallResult | CallPending]) -> None:
        self._task = task

    def tell(self, text: str) -> None:
        """Passes a piece of text on to all who listen; a listener that fails costs nobody the call."""
        self.text.append(text)
        for listener in tuple(self.listeners):
            _tell(listener, text)

    def listen(self, listener: OnDelta) -> None:
        """Tells the text so far, then each further piece."""
        if self.text:
            _tell(listener, "".join(self.text))
        self.listeners.append(listener)


def _tell(listener: OnDelta, text: str) -> None:
    try:
        listener(text)
    except Exception:
        logger.exception("a listener of text failed")


class Waiting:
    """Somebody who waits for the outcome of a call; leaving ends nothing but the waiting."""

    def __init__(
        self,
        outcome: asyncio.Future[CallResult | CallPending],
        flight: Flight | None = None,
        on_delta: OnDelta | None = None,
    ) -> None:
        self.outcome = outcome
        self._flight = flight
        self._on_delta = on_delta
        if flight is not None and on_delta is not None:
            flight.listen(on_delta)

    @classmethod
    def over(cls, outcome: CallResult | CallPending) -> Self:
        """For an outcome that is there already."""
        future: asyncio.Future[CallResult | CallPending] = asyncio.get_running_loop().create_future()
        future.set_result(outcome)
        return cls(future)

    async def result(self) -> CallResult | CallPending:
        """The outcome.

        Raises:
            CallFailed: that was the outcome.
        """
        try:
            if not self.outcome.done():
                await asyncio.wait({self.outcome})
        finally:
            self.leave()
        if self.outcome.cancelled():
            if self._flight is not None and not self._flight.given_up:
                raise WorkerLost("The worker ended during the call.")
            raise AttemptCanceled("The attempt was canceled.")
        return self.outcome.result()

    def leave(self) -> None:
        """Hears no more."""
        if self._flight is not None and self._on_delta in self._flight.listeners:
            self._flight.listeners.remove(self._on_delta)


class Flights:
    """All calls under way, by call key and by attempt."""

    def __init__(self) -> None:
        self._by_key: dict[str, Flight] = {}
        self._by_attempt: dict[str, Flight] = {}

    def __iter__(self) -> Iterator[Flight]:
        return iter(tuple(self._by_key.values()))

    def of_key(self, call_key: str) -> Flight | None:
        return self._by_key.get(call_key)

    def of_attempt(self, attempt: str) -> Flight | None:
        return self._by_attempt.get(attempt)

    def add(self, flight: Flight) -> None:
        self._by_key[flight.call_key] = flight

    def join(self, flight: Flight, attempt: str) -> None:
        """Lets an attempt cancel the flight."""
        flight.attempts.add(attempt)
        self._by_attempt[attempt] = flight

    def remove(self, flight: Flight) -> None:
        del self._by_key[flight.call_key]
        for attempt in flight.attempts:
            del self._by_attempt[attempt]
