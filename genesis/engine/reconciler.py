"""Gives up and closes the attempts that have outlived their jobs, so that what was paid for is known in the end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from genesis.domain.attempt import Attempt
from genesis.engine import outcome
from genesis.engine.call import Exchange, StillOpen
from genesis.engine.lease import since_boot
from genesis.engine.settlement import billed
from genesis.engine.surroundings import Surroundings
from genesis.errors import CallFailed, Fenced, Unavailable
from genesis.ports.ledger import Change, Decision, Fence
from genesis.ports.queries import OpenAttempt
from genesis.ports.workers import Call, CallPending

logger = logging.getLogger(__name__)

_SECONDS = 5.0
_GATHERING_SECONDS = 0.05
"""Between a hint and the look that it asks for: they come in crowds."""
_AT_ONCE = 100
_MOST = 1_000
_MOST_GIVEN_UP = 10_000
_CANCEL_SECONDS = 5.0
_DOUBT_SECONDS = 20.0
"""Between two questions about attempts whose outcome is unknown."""
_LONGEST_DOUBT_MILLISECONDS = 3_600_000
_LAST_CHANCE_MILLISECONDS = 600_000
"""In which those that nobody asks for any more are given up."""


class Reconciler:
    """Tells the workers, once, to give up calls whose jobs are over, and asks, again and again, what became of them.

    Where an outcome is unknown and the provider has given a handle, it is asked for an hour: what it has made by then is
    used when the job is retried. After that it is told to give the call up.

    Args:
        in_flight: ids of the attempts that somebody here still waits for.
    """

    def __init__(self, around: Surroundings, in_flight: Callable[[], frozenset[str]]) -> None:
        self._around = around
        self._in_flight = in_flight
        self._wake = asyncio.Event()
        self._given_up: set[str] = set()  # attempts of which the workers have been told
        self._doubts_at = 0.0
        self._ask_at: dict[str, float] = {}  # of unknown outcomes

    def look(self) -> None:
        """Says that a job may be over of which calls go on."""
        self._wake.set()

    async def run(self) -> None:
        """Works until it is canceled."""
        while True:
            await self._pause()
            try:
                await self._pass()
                if since_boot() >= self._doubts_at:
                    self._doubts_at = since_boot() + _DOUBT_SECONDS
                    await self._pass_over_doubts()
            except Unavailable as error:
                logger.error("attempts cannot be reconciled: %s", error.message)
            except Exception:
                # The next pass may succeed, and nobody else closes these attempts.
                logger.exception("attempts could not be reconciled")

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return
        await asyncio.sleep(_GATHERING_SECONDS)
        self._wake.clear()

    async def _pass(self) -> None:
        found = await self._around.queries.open_attempts(limit=_MOST)
        flying = self._in_flight()
        waiting = [one for one in found if one.attempt.id not in flying]
        await _each(self._give_up, waiting)
        await _each(self._close, waiting[:_AT_ONCE])

    async def _pass_over_doubts(self) -> None:
        since = self._around.clock.now() - _LONGEST_DOUBT_MILLISECONDS
        doubts = await self._around.queries.attempts_in_doubt(since - _LAST_CHANCE_MILLISECONDS, limit=_MOST)
        self._ask_at = {one.attempt.id: self._ask_at.get(one.attempt.id, 0.0) for one in doubts}
        await _each(self._ask_now_and_then, [one for one in doubts if (one.attempt.settled_at or 0) >= since])
        await _each(self._give_up, [one for one in doubts if (one.attempt.settled_at or 0) < since])

    async def _ask_now_and_then(self, one: OpenAttempt) -> None:
        """Asks for an unknown outcome, less often as time goes by."""
        attempt = one.attempt
        if since_boot() < self._ask_at[attempt.id]:
            return
        age = (self._around.clock.now() - (attempt.settled_at or 0)) / 1000
        self._ask_at[attempt.id] = since_boot() + age / 4
        await self._close(one)

    async def _give_up(self, one: OpenAttempt) -> None:
        attempt = one.attempt
        if attempt.id in self._given_up:
            return
        try:
            async with asyncio.timeout(_CANCEL_SECONDS):
                await self._around.workers.cancel(one.capability, attempt.id, attempt.handle)
        except (CallFailed, TimeoutError) as error:
            logger.warning("attempt %s: the cancel did not reach the worker: %s", attempt.id, error)
            return
        if len(self._given_up) >= _MOST_GIVEN_UP:
            self._given_up.clear()  # to be told once more does no harm
        self._given_up.add(attempt.id)

    async def _close(self, one: OpenAttempt) -> None:
        attempt = one.attempt

        async def keep_handle(answer: CallPending) -> None:
            await self._write(one, Change(evidence=(outcome.pending(attempt, answer),)))

        # What was asked is not needed any more: the call is never made again.
        call = Call(attempt.id, attempt.call_key, one.capability, {}, {"model": attempt.target}, attempt.not_after)
        exchange = Exchange(self._around, attempt, call, keep_handle)
        now = self._around.clock.now
        try:
            result = await exchange.looked_for()
        except StillOpen:
            return
        except CallFailed as error:
            await self._settle(one, outcome.settled(attempt, error, now()))
        else:
            await self._settle(one, outcome.paid(attempt, result, now()))

    async def _settle(self, one: OpenAttempt, settled: Attempt) -> None:
        priced = billed(settled, one.capability, one.attempt.target, self._around.prices)
        if (priced.state, priced.cost) != (one.attempt.state, one.attempt.cost):
            await self._write(one, Change(evidence=(priced,)))

    async def _write(self, one: OpenAttempt, change: Change) -> None:
        """Writes evidence; nobody owns the job any more, so that nothing else would be written."""
        try:
            await self._around.ledger.decide(Decision(Fence(one.job, "", 0), change))
        except Fenced:
            return


async def _each(work: Callable[[OpenAttempt], Awaitable[None]], attempts: Sequence[OpenAttempt]) -> None:
    for start in range(0, len(attempts), _AT_ONCE):
        await asyncio.gather(*(work(one) for one in attempts[start : start + _AT_ONCE]))
