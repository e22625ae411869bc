"""Lanes: how many calls of each capability may be under way, so that no worker is asked for more than it has."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Lanes:
    """Slots per capability.

    Args:
        capacity: how many slots a capability has now; it may change while calls are under way.
    """

    def __init__(self, capacity: Callable[[str], int]) -> None:
        self._capacity = capacity
        self._in_use: dict[str, int] = {}
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    def free(self, capability: str) -> int:
        """Slots that nobody uses or waits for."""
        taken = self._in_use.get(capability, 0) + len(self._waiting.get(capability, ()))
        return max(0, self._capacity(capability) - taken)

    @asynccontextmanager
    async def slot(self, capability: str) -> AsyncIterator[None]:
        """Holds one slot; waits for it in order of arrival."""
        await self._acquire(capability)
        try:
            yield
        finally:
            self._in_use[capability] -= 1
            self.refresh(capability)

    async def _acquire(self, capability: str) -> None:
        if self.free(capability) > 0:
            self._in_use[capability] = self._in_use.get(capability, 0) + 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue = self._waiting.setdefault(capability, deque())
        queue.append(turn)
        try:
            await turn  # `refresh` has taken the slot for us when it returns
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._in_use[capability] -= 1
                self.refresh(capability)
            elif turn in queue:
                queue.remove(turn)
            raise

    def refresh(self, capability: str) -> None:
        """Hands free slots to those who wait; to be called when the capacity has grown."""
        queue = self._waiting.get(capability)
        while queue and self._in_use.get(capability, 0) < self._capacity(capability):
            turn = queue.popleft()
            if not turn.done():
                self._in_use[capability] = self._in_use.get(capability, 0) + 1
                turn.set_result(None)
