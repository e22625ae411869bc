"""When calls are surely over, by a clock that nobody sets."""

from genesis.domain.attempt import Attempt
from genesis.domain.identity import Milliseconds
from genesis.engine.choice import longest_call
from genesis.engine.lease import since_boot
from genesis.ports.clock import Clock

_MOST = 10_000
"""Calls that are kept in mind; of more, the oldest are judged by the time of day when they are asked for again."""


class CallEnds:
    """The ends of the calls that this process makes or looks for.

    They are taken down when it first hears of a call, as long as its deadline leaves it, and are not moved by what happens
    to the clock later. No call takes longer than it was given: one whose deadline is farther away than that was begun before
    the clock was set back.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ends: dict[str, float] = {}

    def note(self, attempt: Attempt) -> None:
        """Takes down when a call ends, unless that is known."""
        if attempt.id not in self._ends:
            if len(self._ends) >= _MOST:
                del self._ends[next(iter(self._ends))]
            self._ends[attempt.id] = since_boot() + self._left(attempt) / 1000

    def forget(self, attempt: Attempt) -> None:
        """Its fate is known."""
        self._ends.pop(attempt.id, None)

    def is_over(self, attempt: Attempt) -> bool:
        """Whether a call cannot be under way any more."""
        self.note(attempt)
        return since_boot() > self._ends[attempt.id]

    def age(self, attempt: Attempt) -> float:
        """Seconds since a call began."""
        self.note(attempt)
        return longest_call(attempt) / 1000 - (self._ends[attempt.id] - since_boot())

    def _left(self, attempt: Attempt) -> Milliseconds:
        return min(attempt.call_deadline - self._clock.now(), longest_call(attempt))
