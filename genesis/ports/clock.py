"""The time of day, so that tests can set it."""

import time
from typing import Protocol

from genesis.domain.identity import Milliseconds


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> Milliseconds: ...


class SteadyClock:
    """The machine's time of day as it was at the start, counted on; it follows a clock that is set forward, never back.

    For times to wait for that are written down: a clock that is set back would stretch all of them.
    """

    def __init__(self) -> None:
        self._offset = time.time_ns() - _since_boot()

    def now(self) -> Milliseconds:
        told = time.time_ns()
        counted = _since_boot() + self._offset
        if told > counted:
            self._offset += told - counted
        return max(told, counted) // 1_000_000


_SINCE_BOOT: int | None = getattr(time, "CLOCK_BOOTTIME", None)  # of Linux


def _since_boot() -> int:
    """Nanoseconds since the machine started, those of its sleep included where the system counts them."""
    return time.monotonic_ns() if _SINCE_BOOT is None else time.clock_gettime_ns(_SINCE_BOOT)


class SystemClock:
    """The machine's clock."""

    def now(self) -> Milliseconds:
        return time.time_ns() // 1_000_000
