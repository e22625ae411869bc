"""How sure an executor can be that it still owns what it runs (line 15 of the protocol)."""

import time

_MARGIN_SECONDS = 5.0
"""Nothing new begins when the lease may end this soon."""


class Lease:
    """An executor's own view of its lease, by a clock that nobody sets.

    Args:
        seconds: how long the ledger lets it live without a heartbeat; None where nobody else could take over.
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._since = 0.0

    def renewed(self, sent_at: float) -> None:
        """Notes a heartbeat that the ledger has accepted, with the `since_boot()` of before it was sent."""
        self._since = sent_at

    @property
    def heartbeat_seconds(self) -> float | None:
        """The time between two heartbeats; None where none are needed."""
        return None if self._seconds is None else self._seconds / 5

    def allows_calls(self) -> bool:
        """Whether something new may begin."""
        if self._seconds is None:
            return True
        margin = min(_MARGIN_SECONDS, self._seconds / 3)
        return since_boot() < self._since + self._seconds - margin


def since_boot() -> float:
    """Seconds since the machine started, those of its sleep included where the system counts them."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)
