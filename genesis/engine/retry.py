"""When a failed attempt is repeated."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from genesis.domain.attempt import Attempt, AttemptState
from genesis.engine.chain import Limits, counts, wait_asked_by, was_refused

LONGEST_PAUSE_SECONDS = 60.0
"""For a model that rests, and between two questions about a call."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, how soon, and how long.

    Attributes:
        limits: of attempts.
        base_seconds: the first pause; each further one doubles.
        cap_seconds: the longest pause that we choose ourselves.
        call_seconds: longest that one call may take.
    """

    limits: Limits
    base_seconds: float
    cap_seconds: float
    call_seconds: float

    def pause(self, attempts: Sequence[Attempt], target: str) -> float:
        """Seconds to wait after the last of these attempts of one step, before `target` is asked.

        Exponential backoff with full jitter (Brooker, AWS Architecture Blog, 2015) over half of the pause, so that
        it is never near zero; what the other side asked for is obeyed even when it is longer. A worker that is busy is no
        reason to wait longer each time: its slots become free one after the other.
        """
        row = 1 if was_refused(attempts[-1]) else max(1, _failures_in_a_row(attempts))
        pause = min(self.cap_seconds, self.base_seconds * 2.0 ** (row - 1))
        jittered = pause * random.uniform(0.5, 1.0)  # noqa: S311  # spreads load, protects nothing
        return max(jittered, _left_of_wait(attempts, target))

    def longest_wait(self, attempts: Sequence[Attempt]) -> float:
        """Seconds that a step waits at most after these attempts of it, for whatever it waits."""
        asked = max((attempt.retry_after or 0.0 for attempt in attempts), default=0.0)
        return max(self.cap_seconds, LONGEST_PAUSE_SECONDS, asked)


def _left_of_wait(attempts: Sequence[Attempt], target: str) -> float:
    """Seconds that are left of what a model has asked to wait, when the last of these attempts has ended."""
    asked = wait_asked_by(target, attempts)
    last = next((attempt for attempt in reversed(attempts) if attempt.target == target), attempts[-1])
    passed = (attempts[-1].settled_at or 0) - (last.settled_at or 0)
    return max(0.0, asked - passed / 1000)


def _failures_in_a_row(attempts: Sequence[Attempt]) -> int:
    row = 0
    for attempt in reversed(attempts):
        if was_refused(attempt):
            continue
        same_target = attempt.target == attempts[-1].target
        if not same_target or not (counts(attempt) or attempt.state is AttemptState.NOT_SENT):
            break
        row += 1
    return min(row, 16)
