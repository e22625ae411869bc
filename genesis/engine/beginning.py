"""How a job begins that has just been claimed: a pure decision."""

import logging

from genesis.domain.job import Job
from genesis.engine import plan
from genesis.engine.choice import Chosen, choose, intend
from genesis.engine.draft import merged, skipped
from genesis.engine.surroundings import Surroundings
from genesis.ports.ledger import Change

logger = logging.getLogger(__name__)


def beginning(around: Surroundings, job: Job) -> Change:
    """The first attempt of a job, to be recorded with its claim; nothing where that needs a second thought."""
    try:
        return _first_attempt(around, job)
    except Exception:
        # Its run meets the same and ends this one job. Here it would take the claims of all others down.
        logger.exception("job %s could not begin with its claim", job.id)
        return Change()


def _first_attempt(around: Surroundings, job: Job) -> Change:
    now = around.clock.now()
    moves = plan.advance(job, frozenset(), now)
    if moves.outcome or not moves.ready:
        return Change()
    planned = moves.ready[0]
    if job.attempt_to_take_up(planned.name):
        return Change()
    worker = around.directory.known.get(planned.capability)
    chosen = choose(moves.job, planned, worker, around.breakers, around.policy, around.prices, now)
    if not isinstance(chosen, Chosen) or chosen.lanes(planned.capability) != (job.lane,):
        return Change()
    return merged(skipped(moves.skipped, now), intend(moves.job, planned, chosen.target, around.policy, now))
