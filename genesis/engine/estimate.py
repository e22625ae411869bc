"""What a job is expected to cost before it is done: pure, from its plan, the workers' chains and what models charge."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from genesis.capabilities.catalog import CAPABILITIES
from genesis.capabilities.fields import Kind
from genesis.domain.artifact import STORAGE_PREFIX
from genesis.domain.attempt import ProviderClass
from genesis.domain.job import Job
from genesis.domain.money import Money, known_total, total
from genesis.domain.pipeline import PipelineStep
from genesis.domain.price import CostSource, cost_of
from genesis.domain.quantity import Quantities, Unit
from genesis.domain.step import SETTLED, Step
from genesis.engine import plan
from genesis.engine.assumptions import assumed_text, assumed_use
from genesis.engine.chain import Target, draw_of, targets
from genesis.errors import InvalidRequest
from genesis.ports.prices import Prices
from genesis.ports.workers import WorkerDescription

_SOME_FILE = f"{STORAGE_PREFIX}assumed"


@dataclass(frozen=True, slots=True)
class StepEstimate:
    """What one call is expected to cost.

    Attributes:
        model: as `provider:name`; None where nobody can say who would serve it.
        quantities: that are assumed, of what it is charged by.
        cost: None when it is not known.
        at_most: what it surely does not exceed; None where nothing bounds it.
        notes: what was assumed, or why the cost is not known.
    """

    step: str
    capability: str
    model: str | None
    quantities: Quantities
    cost: Money | None
    at_most: Money | None
    source: CostSource | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a job is expected to cost: one attempt of each step with the first model of its chain."""

    steps: tuple[StepEstimate, ...]

    @property
    def cost(self) -> Money | None:
        """None when a part is not known."""
        return total([step.cost for step in self.steps])

    @property
    def known_cost(self) -> Money:
        """The sum of what is known."""
        return known_total([step.cost for step in self.steps])

    @property
    def at_most(self) -> Money | None:
        """None when a part has no bound."""
        return total([step.at_most for step in self.steps])


def estimated(job: Job, workers: Mapping[str, WorkerDescription], prices: Prices) -> Estimate:
    """What a job is expected to cost that has not begun."""
    assumed = _with_assumed_outputs(job)
    return Estimate(
        tuple(_step(assumed, planned, workers.get(planned.capability), prices) for planned in job.plan.steps)
    )


def call_estimate(job: Job, planned: PipelineStep, target: Target, prices: Prices) -> StepEstimate:
    """What one call of a step by a model is expected to cost; what earlier steps have not made yet is assumed."""
    return _call(_with_assumed_outputs(job), planned, target, prices)


def _step(job: Job, planned: PipelineStep, worker: WorkerDescription | None, prices: Prices) -> StepEstimate:
    nobody = StepEstimate(planned.name, planned.capability, None, {}, None, None, None)
    if planned.when and not job.scope.value(planned.when):
        note = f"It is skipped, for `{planned.when}` has no value."
        return replace(nobody, cost=Money(0), at_most=Money(0), source=CostSource.CATALOG, notes=(note,))
    if worker is None:
        return replace(nobody, notes=("Its worker does not answer, so that nobody knows who would serve it.",))
    _, options = plan.call_of(job, planned)
    try:
        chain = targets(worker, options.get("model"), draw_of(job, planned.name))
    except InvalidRequest as error:
        return replace(nobody, notes=(error.message,))
    found = _call(job, planned, chain[0], prices)
    others = ", ".join(target.name for target in chain[1:])
    return replace(found, notes=(*found.notes, f"If it fails: {others}.")) if others else found


def _call(job: Job, planned: PipelineStep, target: Target, prices: Prices) -> StepEstimate:
    found = StepEstimate(planned.name, planned.capability, target.name, {}, None, None, None)
    if target.provider_class is ProviderClass.REPEATABLE:
        return replace(found, cost=Money(0), at_most=Money(0), source=CostSource.CATALOG, notes=("It is free.",))
    price = prices.price(planned.capability, target.name)
    if price is None:
        return replace(found, notes=(f"Nobody knows what {target.name} charges.",))
    assumed = assumed_use(planned.capability, *plan.call_of(job, planned), _recorded(job.step(planned.name)))
    charged = [unit for unit, dollars in price[0].dollars.items() if dollars]
    cost = cost_of(price[0], assumed.quantities)
    notes = assumed.notes if cost is not None else (*assumed.notes, f"The price of {target.name} is not for so much.")
    return replace(
        found,
        quantities={unit: assumed.quantities[unit] for unit in charged if unit in assumed.quantities},
        cost=cost,
        at_most=cost_of(price[0], assumed.at_most),
        source=None if cost is None else price[1],
        notes=(*notes, *(_GUESSED[unit] for unit in charged if unit in _GUESSED)),
    )


def _recorded(step: Step) -> Decimal | None:
    """Seconds of a part of a recording."""
    if step.part is None or not step.part.end:
        return None
    return Decimal(str(step.part.end)) - Decimal(str(step.part.start))


_GUESSED = {
    Unit.COMPUTE_SECONDS: "10 seconds of computing are assumed.",
    Unit.PROVIDER_UNITS: "One unit of the provider is assumed.",
}


def _with_assumed_outputs(job: Job) -> Job:
    """The job as if all that can still be made were there, in the length that is assumed."""
    return replace(job, steps=tuple(_with_assumed_output(job, step) for step in job.steps))


def _with_assumed_output(job: Job, step: Step) -> Step:
    capability = CAPABILITIES.get(step.capability)
    if step.state in SETTLED or capability is None:
        return step
    if capability.output_kind is not Kind.TEXT:
        return replace(step, output={capability.output_field: _SOME_FILE})
    _, options = plan.call_of(job, job.planned(step.name))
    return replace(step, output={capability.output_field: assumed_text(step.capability, options)})
