"""The time of day, so that tests can set it."""

import time
from typing import Protocol

from genesis.domain.identity import Milliseconds


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> Milliseconds: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> Milliseconds:
        return time.time_ns() // 1_000_000
