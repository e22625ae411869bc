"""What a step may still be tried with when a call of it has failed."""

from genesis.domain.job import Job
from genesis.engine import plan
from genesis.engine.chain import Target, draw_of, targets
from genesis.engine.flights import Flight
from genesis.engine.outcome import Prospect
from genesis.engine.parts import is_own
from genesis.engine.surroundings import Surroundings
from genesis.errors import InvalidRequest


def prospect_of(job: Job, flight: Flight, around: Surroundings) -> Prospect:
    """The prospect of the step whose call has ended."""
    counted = job.attempts_that_count(flight.planned.name)
    earlier = tuple(attempt for attempt in counted if attempt.id != flight.attempt.id)
    return Prospect(earlier, _chain(job, flight, around), around.policy, job.on_ambiguous)


def _chain(job: Job, flight: Flight, around: Surroundings) -> tuple[Target, ...]:
    """What else the step may be tried with; while nobody knows, the same again."""
    planned = flight.planned
    worker = around.directory.known.get(planned.capability)
    if worker is None or is_own(flight.attempt.target):
        return (Target(flight.attempt.target, flight.attempt.provider_class),)
    try:
        return targets(worker, plan.model_of(job, planned), draw_of(job, planned.name))
    except InvalidRequest:
        return ()
