"""The database's time, without asking it each time."""

import time
from collections.abc import Callable

from genesis.domain.identity import Milliseconds

_DRIFT_MILLISECONDS = 1_000
"""Two clocks that are left alone do not drift apart by so much between two measurements."""


def since_boot() -> float:
    """Milliseconds by a clock that nobody sets and that goes on while the machine sleeps."""
    identifier = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(identifier) / 1e6


class DatabaseClock:
    """The machine's own clock, corrected with each measurement.

    It runs backwards by a correction at most, which is what the two clocks have drifted apart since the last one.
    """

    def __init__(self, local: Callable[[], float] = since_boot) -> None:
        self._local = local
        self._offset: float | None = None

    def now(self) -> Milliseconds:
        """The database's time, once it has been measured."""
        if self._offset is None:
            raise RuntimeError("the database's clock has not been measured")
        return int(self._local() + self._offset)

    def local(self) -> float:
        """What to take down before and after asking the database for its time."""
        return self._local()

    def measure(self, before: float, database: Milliseconds, after: float) -> bool:
        """Corrects the clock by an answer; tells whether somebody has set the database's back since the last one.

        The database read its clock at some moment between `before` and `after`. What lies within these bounds is
        kept, so that a slow answer does not shift a clock that is right.
        """
        least, most = database - after, database - before
        if self._offset is None:
            self._offset = (least + most) / 2
            return False
        earlier, self._offset = self._offset, min(max(self._offset, least), most)
        return earlier - self._offset > _DRIFT_MILLISECONDS
