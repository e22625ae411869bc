"""For how long the database has not answered: leases stand still meanwhile (line 17 of the protocol)."""

from collections import deque
from collections.abc import Callable

from genesis.database.postgres.clock import since_boot
from genesis.domain.identity import Milliseconds


class Contact:
    """What one process has seen of the database's answers.

    While the database does not answer nobody can renew a lease, so that the end of one proves no death.

    Args:
        lease: how long an executor lives without a sign of life, of which it is to give five.
        local: milliseconds by a clock that nobody sets.
    """

    def __init__(self, lease: Milliseconds, local: Callable[[], float] = since_boot) -> None:
        self._lease = lease
        self._beat = lease / 5
        self._local = local
        self._last = local()
        self._silences: deque[tuple[float, float]] = deque()
        """When each ended, and how long it was."""

    def answered(self) -> None:
        """Notes that the database has just answered; to be called for each sign of life at least."""
        now = self._local()
        since, self._last = now - self._last, now
        if since > 2 * self._beat:
            self._silences.append((now, since - self._beat))

    def lost(self) -> Milliseconds:
        """For how long it has not answered within the last time in which it has answered for as long as a lease.

        Who has given no sign of life for a lease and this long had the whole of a lease to give one.
        """
        heard, lost, after = 0.0, 0.0, self._last
        for number, (end, duration) in enumerate(reversed(self._silences)):
            heard += after - end
            if heard >= self._lease:
                for _ in range(len(self._silences) - number):
                    self._silences.popleft()
                break
            lost += duration
            after = end - duration
        return round(lost)
