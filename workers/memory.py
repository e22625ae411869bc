"""What a worker remembers of calls that it has made: for some minutes, and never more than so much."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from genesis.errors import CallFailed
from genesis.ports.workers import CallPending, CallResult

KEPT_SECONDS = 600.0
MOST_CALLS = 20_000
MOST_BYTES = 64 * 1024 * 1024
_BASE_BYTES = 1024
"""About what an entry takes beside its text."""

Outcome = CallResult | CallPending | CallFailed


@dataclass(frozen=True, slots=True)
class Remembered:
    """What became of a call.

    Attributes:
        asked: digest of what was asked.
        until: on the clock of the memory.
        size: in bytes, about.
    """

    asked: str
    outcome: Outcome
    until: float
    size: int


class CallMemory:
    """Outcomes by call key, the oldest forgotten first.

    Args:
        clock: seconds that never go back.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        seconds: float = KEPT_SECONDS,
        most_calls: int = MOST_CALLS,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._clock = clock
        self._seconds = seconds
        self._most_calls = most_calls
        self._most_bytes = most_bytes
        self._calls: OrderedDict[str, Remembered] = OrderedDict()
        self._bytes = 0

    def keep(self, call_key: str, asked: str, outcome: Outcome) -> None:
        """Remembers what became of a call, in place of what was known before."""
        self._forget(call_key)
        kept = _without_trace(outcome) if isinstance(outcome, CallFailed) else outcome
        entry = Remembered(asked, kept, self._clock() + self._seconds, _size(outcome))
        self._calls[call_key] = entry
        self._bytes += entry.size
        while len(self._calls) > self._most_calls or (self._bytes > self._most_bytes and len(self._calls) > 1):
            self._forget(next(iter(self._calls)))
        self._drop_old()

    def find(self, call_key: str) -> Remembered | None:
        """What became of a call; None when it is not remembered."""
        self._drop_old()
        return self._calls.get(call_key)

    def _drop_old(self) -> None:
        now = self._clock()
        while self._calls:
            call_key, entry = next(iter(self._calls.items()))
            if entry.until > now:
                return
            self._forget(call_key)

    def _forget(self, call_key: str) -> None:
        if entry := self._calls.pop(call_key, None):
            self._bytes -= entry.size


_in_order = json.JSONEncoder(sort_keys=True).encode


def digest(call_input: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    """Names what was asked."""
    return hashlib.sha256(_in_order([call_input, options]).encode()).hexdigest()


def recalled(outcome: Outcome) -> CallResult | CallPending:
    """The outcome as the caller of a worker gets it.

    Raises:
        CallFailed: that was the outcome.
    """
    if isinstance(outcome, CallFailed):
        raise _without_trace(outcome)
    return outcome


def _without_trace(error: CallFailed) -> CallFailed:
    """An error that is raised again and again would otherwise hold on to each who met it."""
    return type(error)(error.message, hint=error.hint, retry_after=error.retry_after, cost=error.cost)


def _size(outcome: Outcome) -> int:
    match outcome:
        case CallResult():
            held = sum(map(len, outcome.output.values())) + len(repr(outcome.usage)) + sum(map(len, outcome.warnings))
        case CallPending():
            held = len(repr(outcome.handle))
        case CallFailed():
            held = len(outcome.message) + len(outcome.hint)
    return _BASE_BYTES + held
