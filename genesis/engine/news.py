"""What wakes a run up: one thing to wait for, whatever happens."""

import asyncio


class News:
    """Says that something has happened since it was last waited for; for one waiter.

    Each of the runs in memory has one: an `asyncio.Event` would be ten times as large.
    """

    __slots__ = ("_happened", "_waiter")

    def __init__(self) -> None:
        self._happened = False
        self._waiter: asyncio.Future[None] | None = None

    def tell(self, _: object = None) -> None:
        """Something has happened; also a callback of tasks."""
        self._happened = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self, seconds: float | None = None) -> None:
        """Until something has happened since the last wait, or the time is up."""
        if not self._happened:
            loop = asyncio.get_running_loop()
            self._waiter = loop.create_future()
            timer = None if seconds is None else loop.call_later(seconds, self.tell)
            try:
                await self._waiter
            finally:
                self._waiter = None
                if timer is not None:
                    timer.cancel()
        self._happened = False
