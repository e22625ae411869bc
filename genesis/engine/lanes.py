"""Lanes: how many calls of a capability, and of each provider of it, may be under way, so that no worker is asked for
more than it has. A lane is named `capability` or `capability:provider`.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

_GROW_SECONDS = 1.0
"""After a refusal, until one call more than before is tried."""


@dataclass(slots=True)
class _Limit:
    """How many calls a worker takes from this process, as far as its refusals tell.

    Attributes:
        probing: whether the limit has grown since the last refusal.
    """

    slots: int
    timer: asyncio.TimerHandle
    probing: bool = False


class Lanes:
    """Slots per lane.

    Other processes may use a worker as well, so that it has less for us than it has slots: when it refuses a call, the
    lane's capacity goes down to what is under way. It grows again by one each second, and once that has gone well by one
    with each success, until the next refusal (additive increase; Chiu and Jain, 1989).

    Args:
        capacity: how many slots a lane has now; it may change while calls are under way.
        on_free: called when a slot has become free that nobody waits for.
    """

    def __init__(self, capacity: Callable[[str], int], on_free: Callable[[], None]) -> None:
        self._capacity = capacity
        self._on_free = on_free
        self._in_use: dict[str, int] = {}
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._limits: dict[str, _Limit] = {}

    def capacity(self, lane: str) -> int:
        """Slots that a lane has for this process."""
        capacity, limit = self._capacity(lane), self._limits.get(lane)
        return capacity if limit is None else min(capacity, limit.slots)

    def free(self, lane: str) -> int:
        """Slots that nobody uses or waits for."""
        taken = self._in_use.get(lane, 0) + len(self._waiting.get(lane, ()))
        return max(0, self.capacity(lane) - taken)

    def take(self, lane: str, wanted: int = 1) -> int:
        """Takes up to `wanted` slots that are free now; returns how many it took."""
        taken = min(wanted, self.free(lane))
        self._in_use[lane] = self._in_use.get(lane, 0) + taken
        return taken

    def give(self, lane: str, slots: int = 1) -> None:
        """Gives slots back."""
        self._in_use[lane] -= slots
        self._hand_out(lane)
        if slots and self.free(lane):
            self._on_free()

    def refused(self, lane: str) -> None:
        """Notes that the worker had no slot for a call, which still holds its slot here."""
        if (limit := self._limits.get(lane)) is not None:
            limit.timer.cancel()
        self._limits[lane] = _Limit(max(0, self._in_use[lane] - 1), self._growing(lane))

    def served(self, lane: str) -> None:
        """Notes that a call has succeeded."""
        limit = self._limits.get(lane)
        if limit is not None and limit.probing:
            self._grow(lane, limit)

    def _growing(self, lane: str) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(_GROW_SECONDS, self._try_more, lane)

    def _try_more(self, lane: str) -> None:
        limit = self._limits[lane]
        limit.probing, limit.timer = True, self._growing(lane)
        self._grow(lane, limit)

    def _grow(self, lane: str, limit: _Limit) -> None:
        limit.slots += 1
        if limit.slots >= self._capacity(lane):
            limit.timer.cancel()
            del self._limits[lane]
        self._hand_out(lane)
        if self.free(lane):
            self._on_free()

    def return_unused(self, lane: str, slots: int) -> None:
        """Gives back slots that were taken for nothing; that nobody wants them is known, so nobody is told."""
        self._in_use[lane] -= slots
        self._hand_out(lane)

    async def wait(self, lane: str) -> None:
        """Takes one slot; waits for it in order of arrival."""
        if self.take(lane):
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue = self._waiting.setdefault(lane, deque())
        queue.append(turn)
        try:
            await turn  # whoever handed it out has taken the slot for us
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._in_use[lane] -= 1
                self._hand_out(lane)
            elif turn in queue:
                queue.remove(turn)
            raise

    def refresh(self, capability: str) -> None:
        """Hands free slots to those who wait; to be called when the capacity of a worker may have grown."""
        for lane in list(self._waiting):
            if lane.partition(":")[0] == capability:
                self._hand_out(lane)

    def _hand_out(self, lane: str) -> None:
        queue = self._waiting.get(lane)
        while queue and self._in_use.get(lane, 0) < self.capacity(lane):
            turn = queue.popleft()
            if not turn.done():
                self._in_use[lane] = self._in_use.get(lane, 0) + 1
                turn.set_result(None)
