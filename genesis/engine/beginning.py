"""How a job begins that has just been claimed: a pure decision."""

from genesis.domain.job import Job
from genesis.engine import plan
from genesis.engine.choice import Chosen, choose, intend
from genesis.engine.draft import merged, skipped
from genesis.engine.surroundings import Surroundings
from genesis.ports.ledger import Change


def beginning(around: Surroundings, job: Job) -> Change:
    """The first attempt of a job, to be recorded with its claim; nothing where that needs a second thought."""
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
