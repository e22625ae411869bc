"""How long the calls of each capability take, from those that ended last."""

from genesis.domain.identity import Milliseconds

_WEIGHT = 0.2
"""Of the newest call in the moving average."""


class Pace:
    """Moving averages, in milliseconds per call."""

    def __init__(self) -> None:
        self._average: dict[str, float] = {}

    def note(self, capability: str, milliseconds: Milliseconds) -> None:
        """Takes down how long a call took."""
        before = self._average.get(capability, float(milliseconds))
        self._average[capability] = before + _WEIGHT * (milliseconds - before)

    def until_turn(self, capability: str, position: int, slots: int) -> Milliseconds | None:
        """How long a job waits that has `position` others before it; None without data or slots."""
        average = self._average.get(capability)
        if average is None or slots == 0:
            return None
        return round((position + 1) * average / slots)
