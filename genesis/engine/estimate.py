"""What a job is expected to cost before it is done: pure, from its plan, the workers' chains and what models charge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

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
from genesis.engine.assumptions import Recording, assumed_text, assumed_use
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


def estimated(
    job: Job,
    workers: Mapping[str, WorkerDescription],
    prices: Prices,
    recorded: Mapping[str, Recording] = MappingProxyType({}),
) -> Estimate:
    """What a job is expected to cost that has not begun.

    Args:
        recorded: how long recordings last, by their URLs, as far as anything is known of it.
    """
    known = _Known(job, _with_assumed_outputs(job, recorded), recorded, prices)
    return Estimate(tuple(_step(known, planned, workers.get(planned.capability)) for planned in job.plan.steps))


def call_costs(job: Job, steps: Sequence[PipelineStep], target: Target, prices: Prices) -> list[Money | None]:
    """What one call of each step by a model is expected to cost; what earlier steps have not made yet is assumed."""
    known = _Known(job, _with_assumed_outputs(job, {}), {}, prices)
    return [_call(known, planned, target).cost for planned in steps]


@dataclass(frozen=True, slots=True)
class _Known:
    """What an estimate is made from.

    Attributes:
        assumed: the job as if all that can still be made were there.
        recorded: how long recordings last, by their URLs.
    """

    job: Job
    assumed: Job
    recorded: Mapping[str, Recording]
    prices: Prices


def _step(known: _Known, planned: PipelineStep, worker: WorkerDescription | None) -> StepEstimate:
    job, assumed = known.job, known.assumed
    nobody = StepEstimate(planned.name, planned.capability, None, {}, None, None, None)
    if planned.when and not assumed.scope.value(planned.when):
        note = f"It is skipped, for `{planned.when}` has no value."
        return replace(nobody, cost=Money(0), at_most=Money(0), source=CostSource.CATALOG, notes=(note,))
    if worker is None:
        return replace(nobody, notes=("Its worker does not answer, so that nobody knows who would serve it.",))
    options = plan.options_of(assumed, planned)
    try:
        chain = targets(worker, options.get("model"), draw_of(job, planned.name))
    except InvalidRequest as error:
        return replace(nobody, notes=(error.message,))
    sharing = sum(link.group == worker.chain[0].group for link in worker.chain)
    calls = [_call(known, planned, target) for target in chain[: max(sharing, 1)]]
    bounds = [call.at_most for call in calls if call.at_most is not None]
    drawn = ("Which of those that share the load is asked first is drawn for each job.",) if len(calls) > 1 else ()
    others = ", ".join(target.name for target in chain[1:])
    return replace(
        calls[0],
        at_most=max(bounds) if len(bounds) == len(calls) else None,
        notes=(*calls[0].notes, *drawn, *((f"If it fails: {others}.",) if others else ())),
    )


def _call(known: _Known, planned: PipelineStep, target: Target) -> StepEstimate:
    """What one call is expected to cost."""
    job = known.job
    found = StepEstimate(planned.name, planned.capability, target.name, {}, None, None, None)
    if target.provider_class is ProviderClass.REPEATABLE:
        return replace(found, cost=Money(0), at_most=Money(0), source=CostSource.CATALOG, notes=("It is free.",))
    price = known.prices.price(planned.capability, target.name)
    if price is None:
        return replace(
            found, notes=(f"Nobody knows what {target.name} charges; the file that PRICES_PATH names can tell.",)
        )
    given = plan.call_of(known.assumed, planned)
    recording = _recorded(job.step(planned.name), given[0], known.recorded)
    seconds = None if recording is None else recording.seconds
    is_known = recording is None or recording.is_known
    by_size = () if is_known else (f"By its size, {seconds} seconds of recording are assumed.",)
    is_guessed = not is_known or given != plan.call_of(job, planned)
    use = assumed_use(planned.capability, *given, seconds, is_guessed=is_guessed)
    charged = [unit for unit, dollars in price[0].dollars.items() if dollars]
    cost = cost_of(price[0], use.quantities)
    return replace(
        found,
        quantities={unit: use.quantities[unit] for unit in charged if unit in use.quantities},
        cost=cost,
        at_most=cost_of(price[0], use.at_most),
        source=None if cost is None else price[1],
        notes=(
            *use.notes,
            *by_size,
            *(_GUESSED[unit] for unit in charged if unit in _GUESSED),
            *(() if cost is not None else (_why_unknown(target.name, charged, use.quantities),)),
        ),
    )


def _why_unknown(model: str, charged: Sequence[Unit], quantities: Quantities) -> str:
    missing = [unit.value.replace("_", " ") for unit in charged if unit not in quantities]
    if missing:
        return f"{model} charges by {' and '.join(missing)}, of which nobody knows how many this takes."
    return f"The price of {model} is not for so much."


_GUESSED = {
    Unit.COMPUTE_SECONDS: "10 seconds of computing are assumed.",
    Unit.PROVIDER_UNITS: "One unit of the provider is assumed.",
}


def _recorded(step: Step, call_input: Mapping[str, Any], recorded: Mapping[str, Recording]) -> Recording | None:
    """How long the recording lasts that a call is given; None where nothing is known of it."""
    if step.part is not None:
        return None if step.part.seconds is None else Recording(step.part.seconds)
    url = call_input.get("audio_url")
    return recorded.get(url) if isinstance(url, str) else None


def _with_assumed_outputs(job: Job, recorded: Mapping[str, Recording]) -> Job:
    """The job as if all that can still be made were there, in the length that is assumed; nothing refers to parts."""
    steps = (step if step.part else _with_assumed_output(job, step, recorded) for step in job.steps)
    return replace(job, steps=tuple(steps))


def _with_assumed_output(job: Job, step: Step, recorded: Mapping[str, Recording]) -> Step:
    capability = CAPABILITIES.get(step.capability)
    if step.state in SETTLED or capability is None:
        return step
    if capability.output_kind is not Kind.TEXT:
        return replace(step, output={capability.output_field: _SOME_FILE})
    call_input, options = plan.call_of(job, job.planned(step.name))
    recording = _recorded(step, call_input, recorded)
    text = assumed_text(step.capability, options, None if recording is None else recording.seconds)
    return replace(step, output={capability.output_field: text})
