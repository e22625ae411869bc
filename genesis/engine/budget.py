"""Keeps a job within its `max_cost`: before it is accepted, and before each attempt."""

from dataclasses import dataclass

from genesis.domain.attempt import Attempt, AttemptState
from genesis.domain.failure import Failure
from genesis.domain.job import Job
from genesis.domain.money import Money, total
from genesis.domain.pipeline import OnError, PipelineStep
from genesis.engine.chain import Target
from genesis.engine.estimate import Estimate, call_costs
from genesis.errors import FailureClass, TooExpensive, UnknownPrice
from genesis.ports.prices import Prices

_HOW_TO_TELL = (
    "Give its price in the file that PRICES_PATH names, name a model with a known price, or leave max_cost out."
)


@dataclass(frozen=True, slots=True)
class Spent:
    """What a job has cost so far.

    Attributes:
        estimated: the part of it that nobody has confirmed: calls under way, or of unknown outcome or cost.
        uncounted: calls of unknown cost that cannot be estimated either; they count as nothing.
    """

    amount: Money
    estimated: Money
    uncounted: int


def spent(job: Job, prices: Prices) -> Spent:
    """What all attempts of a job have cost so far, those before a retry included."""
    known, assumed, uncounted = 0, 0, 0
    for attempt in job.attempts:
        if attempt.state is AttemptState.NOT_SENT:
            continue
        if attempt.cost is not None:
            known += attempt.cost
        elif (cost := _expected(job, attempt, prices)) is not None:
            assumed += cost
        else:
            uncounted += 1
    return Spent(Money(known + assumed), Money(assumed), uncounted)


def _expected(job: Job, attempt: Attempt, prices: Prices) -> Money | None:
    (cost,) = call_costs(job, (job.planned(attempt.step),), Target(attempt.target, attempt.provider_class), prices)
    return cost


def over_budget(job: Job, planned: PipelineStep, target: Target, prices: Prices) -> Failure | None:
    """Why an attempt must not be made; None when it may be."""
    if job.max_cost is None:
        return None
    together = _begun_with(job, planned)
    cost = total(call_costs(job, together, target, prices))
    if cost is None:
        return Failure(UnknownPrice.code, _unbounded(target.name), _HOW_TO_TELL, FailureClass.FINAL)
    so_far = spent(job, prices)
    if so_far.amount + cost <= job.max_cost or not cost:
        return None
    parts = [f"{dollars(so_far.estimated)} of it estimated"] if so_far.estimated else []
    parts += [f"{so_far.uncounted} calls of unknown cost not counted"] if so_far.uncounted else []
    detail = f" ({', '.join(parts)})" if parts else ""
    calls = "an attempt is" if len(together) == 1 else f"{len(together)} parts are"
    return Failure(
        "max-cost-reached",
        f"{dollars(so_far.amount)} have been spent{detail}, and {calls} expected to cost {dollars(cost)} with "
        f"{target.name}: more than the max_cost of {dollars(job.max_cost)}.",
        "What was made so far is kept. Create a job with a higher max_cost, or with a cheaper model.",
        FailureClass.FINAL,
    )


def _begun_with(job: Job, planned: PipelineStep) -> tuple[PipelineStep, ...]:
    """The step alone; before any part of a whole is asked for, all of its parts, as some of them are of no use."""
    part = job.step(planned.name).part
    if part is None:
        return (planned,)
    names = [one.name for one in job.parts_of(part.of)]
    sent = {attempt.step for attempt in job.attempts if attempt.state is not AttemptState.NOT_SENT}
    return tuple(map(job.planned, names)) if sent.isdisjoint(names) else (planned,)


def check_affordable(job: Job, estimate: Estimate) -> None:
    """Refuses a new job that cannot stay within its `max_cost`.

    A step of which nobody knows the cost cannot be bounded, so that it is refused as well, unless the job can do without
    it; one whose worker is missing is checked when it begins.

    Raises:
        TooExpensive: the steps that can be estimated already cost more.
        UnknownPrice: nobody knows what a step costs.
    """
    if job.max_cost is None:
        return
    if estimate.known_cost > job.max_cost:
        raise TooExpensive(
            f"The job is expected to cost {dollars(estimate.known_cost)}, more than its max_cost of "
            f"{dollars(job.max_cost)}.",
            hint="POST /jobs/estimate says what each step is expected to cost.",
        )
    optional = {step.name for step in job.plan.steps if step.on_error is OnError.CONTINUE}
    for step in estimate.steps:
        if step.cost is None and step.model is not None and step.step not in optional:
            raise UnknownPrice(_unbounded(step.model), hint=_HOW_TO_TELL)


def _unbounded(model: str) -> str:
    return f"Nobody knows what {model} charges for this, so that max_cost cannot be kept."


def dollars(amount: Money) -> str:
    """An amount in words: exact, with two decimal places at least."""
    whole, rest = divmod(amount, 1_000_000)
    decimals = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"${whole}.{decimals}"
