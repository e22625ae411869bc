"""Commands that locks of others hold up: they wait apart, so that all others are written meanwhile."""

import logging
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from genesis.database.postgres.entry import Entry, held_up

logger = logging.getLogger(__name__)

_SHORT_LOCK_SECONDS = 0.1
_LONGEST_LOCK_SECONDS = 0.5
_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0
_WARY_SECONDS = 30.0
"""After a lock that was not got, others may not be got for so long: nobody waits for them as long as at first."""
_TELL_AGAIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Group:
    """Commands that are to be written together.

    Attributes:
        tries: how often that was tried in vain with this one alone; 0 for several.
        due: when it is tried next, by `time.monotonic()`.
        lock_seconds: how long that may wait for each lock, while all other commands wait for it; None for as long as
            usual.
    """

    entries: Sequence[Entry]
    tries: int = 0
    due: float = 0.0
    lock_seconds: float | None = None


class Held:
    """Groups of commands, each of which is tried again by itself; one that fails again is halved."""

    def __init__(self) -> None:
        self._groups: deque[Group] = deque()
        self._words = ""
        self._last = float("-inf")
        self._told = float("-inf")

    def __bool__(self) -> bool:
        return bool(self._groups)

    def __iter__(self) -> Iterator[Entry]:
        return (entry for group in self._groups for entry in group.entries)

    @property
    def pause(self) -> float | None:
        """Seconds until the next group is due; None when there is none."""
        dues = [group.due for group in self._groups]
        return max(0.0, min(dues) - time.monotonic()) if dues else None

    @property
    def hindrance(self) -> str | None:
        """How many changes wait and why, in words; None when none do."""
        since = [entry.since for entry in self if entry.wanted]
        if not since:
            return None
        oldest = time.monotonic() - min(since)
        count = f"{len(since)} changes wait" if len(since) > 1 else "A change waits"
        return f"{count}, for {oldest:.0f} seconds by now: {self._words}."

    def first_try(self, entries: Sequence[Entry]) -> Group | None:
        """A group of commands that have not been tried; None without commands."""
        if not entries:
            return None
        wary = bool(self._groups) or time.monotonic() - self._last < _WARY_SECONDS
        return Group(entries, lock_seconds=_SHORT_LOCK_SECONDS if wary else None)

    def add(self, group: Group, words: str, *, by_lock: bool) -> None:
        """Sets commands aside that could not be written together.

        Args:
            words: why they could not.
            by_lock: whether somebody holds a lock for long; else it was a conflict that is over by now.
        """
        now = time.monotonic()
        self._words = words
        entries, tries = [entry for entry in group.entries if entry.wanted], group.tries + 1
        middle = len(entries) // 2
        if middle:
            halves = (entries[:middle], entries[middle:])
            self._groups.extend(Group(half, 0, now, _SHORT_LOCK_SECONDS) for half in halves)
        elif entries:
            due = now + min(_PAUSE_SECONDS * 2**tries, _LONGEST_PAUSE_SECONDS)
            lock_seconds = min(_SHORT_LOCK_SECONDS * 2**tries, _LONGEST_LOCK_SECONDS)
            self._groups.append(Group(entries, tries, due, lock_seconds))
        if by_lock:
            self._last = now
            self._tell()
        else:
            logger.info("the job ledger runs a transaction again: %s", words)
        self.refuse_old()

    def take(self) -> Group | None:
        """Takes out the group that is due, and has been so for longest; None when none is."""
        now = time.monotonic()
        for _ in range(len(self._groups)):
            group = self._groups.popleft()
            if group.due <= now:
                return group
            self._groups.append(group)
        return None

    def refuse_old(self) -> None:
        """Refuses what has waited long enough; it is not written later."""
        for entry in self:
            if entry.impatient:
                entry.answer(held_up(self._words))

    def clear(self) -> list[Entry]:
        """Takes out all of them."""
        entries = list(self)
        self._groups.clear()
        return entries

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._told > _TELL_AGAIN_SECONDS:
            self._told = now
            logger.warning("some changes of the job ledger cannot be written for now: %s", self._words)
