"""Writes decisions, however long the ledger is away."""

import asyncio
import logging

from genesis.errors import Unavailable
from genesis.ports.ledger import Decision, Ledger

logger = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0


async def write(ledger: Ledger, decision: Decision) -> None:
    """Makes a decision durable; a ledger that cannot write now is asked until it can, so that nothing is lost.

    Raises:
        Fenced: somebody else decides about the job; only the evidence was written.
    """
    while True:
        try:
            await ledger.decide(decision)
        except Unavailable as error:
            logger.error("job %s waits for the ledger: %s", decision.fence.job, error.message)
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return
