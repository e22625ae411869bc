"""Closes the attempts that have outlived their jobs, so that what was paid for is known in the end."""

import asyncio
import logging
from collections.abc import Callable

from genesis.domain.attempt import Attempt
from genesis.engine import outcome
from genesis.engine.call import Exchange, StillOpen
from genesis.engine.settlement import billed
from genesis.engine.surroundings import Surroundings
from genesis.errors import CallFailed, Fenced, Unavailable
from genesis.ports.ledger import Change, Decision, Fence
from genesis.ports.queries import OpenAttempt
from genesis.ports.workers import Call, CallPending

logger = logging.getLogger(__name__)

_SECONDS = 5.0
_AT_ONCE = 100


class Reconciler:
    """Asks the workers, again and again, what became of calls whose jobs are over.

    Args:
        in_flight: ids of the attempts that somebody here still waits for.
    """

    def __init__(self, around: Surroundings, in_flight: Callable[[], frozenset[str]]) -> None:
        self._around = around
        self._in_flight = in_flight

    async def run(self) -> None:
        """Works until it is canceled."""
        while True:
            await asyncio.sleep(_SECONDS)
            try:
                await self._pass()
            except Unavailable as error:
                logger.error("attempts cannot be reconciled: %s", error.message)
            except Exception:
                # The next pass may succeed, and nobody else closes these attempts.
                logger.exception("attempts could not be reconciled")

    async def _pass(self) -> None:
        flying = self._in_flight()
        waiting = [
            one for one in await self._around.queries.open_attempts(limit=_AT_ONCE) if one.attempt.id not in flying
        ]
        await asyncio.gather(*(self._close(one) for one in waiting))

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
        await self._write(one, Change(evidence=(priced,)))

    async def _write(self, one: OpenAttempt, change: Change) -> None:
        """Writes evidence; nobody owns the job any more, so that nothing else would be written."""
        try:
            await self._around.ledger.decide(Decision(Fence(one.job, "", 0), change))
        except Fenced:
            return
