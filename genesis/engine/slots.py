"""The slots that one run holds or waits for."""

import asyncio
from collections.abc import Iterable, Sequence

from genesis.engine.lanes import Lanes
from genesis.engine.news import News


class JobSlots:
    """Slots by step; a run asks for all that a step needs, and hands them to its call.

    Lanes are taken in the order in which a step names them, and a later one only when the earlier are held: so nobody
    who waits for a lane holds one that others need before it.

    Args:
        lane: in which a slot is held already, for whichever step of this capability begins first.
        news: told when a step has come to hold its slots.
    """

    def __init__(self, lanes: Lanes, lane: str | None, news: News) -> None:
        self._lanes = lanes
        self._spare = lane
        self._news = news
        self._held: dict[str, tuple[str, ...]] = {}
        self._turns: dict[asyncio.Task[None], str] = {}
        self._ended: set[asyncio.Task[None]] = set()  # turns that nobody wants any more

    @property
    def waiting(self) -> frozenset[str]:
        """Names of the steps that wait for a slot."""
        return frozenset(step for turn, step in self._turns.items() if not turn.done())

    def hold(self, step: str, wanted: Sequence[str]) -> bool:
        """Whether the step holds a slot of each lane now; else it begins to wait for them."""
        held = self._held.pop(step, ())
        if not held and self._spare == wanted[0]:
            held, self._spare = (wanted[0],), None
        if held != tuple(wanted[: len(held)]):
            self.give(held)
            held = ()
        for lane in wanted[len(held) :]:
            if not self._lanes.take(lane):
                break
            held = (*held, lane)
        self._held[step] = held
        missing = wanted[len(held) :]
        if missing:
            turn = asyncio.create_task(self._wait(step, missing))
            turn.add_done_callback(self._news.tell)
            self._turns[turn] = step
        return not missing

    async def _wait(self, step: str, lanes: Sequence[str]) -> None:
        for lane in lanes:
            await self._lanes.wait(lane)
            self._held[step] = (*self._held[step], lane)

    def clear_turns(self) -> None:
        """Forgets the tasks that have ended."""
        self._turns = {turn: step for turn, step in self._turns.items() if not turn.done()}

    def stop_waiting(self) -> None:
        """Ends all waiting."""
        for turn in self._turns:
            turn.cancel()
        self._ended.update(self._turns)
        self._turns = {}

    def hand_over(self, step: str, capability: str) -> tuple[str, ...]:
        """Leaves the step's slots to its call, which gives them back."""
        if step not in self._held and self._spare == capability:
            self._spare = None
            return (capability,)
        return self._held.pop(step, ())

    def drop(self, step: str) -> None:
        """Gives back what a step holds."""
        self.give(self._held.pop(step, ()))

    def drop_spare(self) -> None:
        """Gives back the slot that the run came with, unless a step has taken it."""
        if self._spare is not None:
            self._lanes.give(self._spare)
            self._spare = None

    def give_back(self, lanes: Sequence[str], *, refused: bool, succeeded: bool) -> None:
        """Gives back what a call has held.

        Args:
            refused: whether the worker had no slot for it.
        """
        if refused:
            self._lanes.refused(lanes[-1])  # the one of the provider whose slots are taken
        self.give(lanes)
        if succeeded:
            self._lanes.served(lanes[-1])

    def give(self, lanes: Iterable[str]) -> None:
        """Gives one slot of each lane back."""
        for lane in lanes:
            self._lanes.give(lane)

    async def close(self) -> None:
        """Gives everything back."""
        self.stop_waiting()
        if self._ended:
            await asyncio.gather(*self._ended, return_exceptions=True)
        for step in list(self._held):
            self.drop(step)
        self.drop_spare()
