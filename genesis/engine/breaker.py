"""Circuit breakers: a model that fails again and again is left alone for a while, so that jobs go to the next one."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from genesis.domain.identity import Milliseconds
from genesis.errors import CallFailed, ProviderAmbiguous, ProviderUnavailable

_FAILURES_TO_OPEN = 5
_OPEN_MILLISECONDS = 30_000
_MOST = 1_000
"""Models that are remembered; jobs may name any."""
_COUNTED = (ProviderUnavailable, ProviderAmbiguous)
"""Failures that speak of the provider's health; limits, keys and bad input do not."""


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"  # the model rests
    TRIAL = "trial"  # it has rested; the next call decides


@dataclass(slots=True)
class _Breaker:
    """Counts failures in a row; `open_until` is 0 while it is closed, else in seconds since boot."""

    failures: int = 0
    open_until: float = 0.0


class Breakers:
    """One breaker per model (`provider:name`) of a capability, as this process has seen it.

    Args:
        now: the time that is told.
        since_boot: the time that is counted, in seconds, which nobody sets.
    """

    def __init__(self, now: Callable[[], Milliseconds], since_boot: Callable[[], float]) -> None:
        self._now = now
        self._since_boot = since_boot
        self._breakers: dict[tuple[str, str], _Breaker] = {}

    def note(self, capability: str, target: str, error: CallFailed | None) -> None:
        """Takes down how a call ended; None for a success.

        The fifth failure in a row opens the breaker for half a minute. What is asked after that is the trial: its
        success closes the breaker, its failure opens it again.
        """
        if error is None:
            self._breakers.pop((capability, target), None)
        elif isinstance(error, _COUNTED):
            if len(self._breakers) >= _MOST:
                self._breakers.pop(next(iter(self._breakers)))
            breaker = self._breakers.setdefault((capability, target), _Breaker())
            breaker.failures += 1
            if breaker.failures >= _FAILURES_TO_OPEN:
                breaker.open_until = self._since_boot() + _OPEN_MILLISECONDS / 1000

    def state(self, capability: str, target: str) -> BreakerState:
        """Whether a model may be asked."""
        breaker = self._breakers.get((capability, target))
        if breaker is None or breaker.failures < _FAILURES_TO_OPEN:
            return BreakerState.CLOSED
        return BreakerState.OPEN if breaker.open_until > self._since_boot() else BreakerState.TRIAL

    def open_until(self, capability: str, target: str) -> Milliseconds:
        """The moment before which a model is not to be asked; 0 when it may be asked now."""
        breaker = self._breakers.get((capability, target))
        left = breaker.open_until - self._since_boot() if breaker else 0.0
        return self._now() + math.ceil(left * 1000) if left > 0 else 0
