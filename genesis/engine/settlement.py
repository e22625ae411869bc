"""What an attempt that has ended costs, and by whose word: pure, from what it turned out to be and what models charge."""

from decimal import Decimal

from genesis.domain.attempt import Attempt, AttemptState, ProviderClass
from genesis.domain.copies import replace
from genesis.domain.job import Job
from genesis.domain.money import Money
from genesis.domain.price import MOST_COST, CostSource, Price, cost_of
from genesis.domain.quantity import Quantities
from genesis.errors import FailureClass, NothingSaid
from genesis.ports.prices import Prices

_LARGEST_QUANTITY = Decimal(10**12)
_MOST_DIGITS = 30


def billed(attempt: Attempt, capability: str, asked: str, prices: Prices) -> Attempt:
    """The attempt with its cost, as far as that can be known.

    What the provider reported goes first, then the operator's price, then the one that is shipped. A failure that proves
    that nothing was done costs nothing; nor do free providers. All else is unknown, which is not zero.

    Args:
        asked: the model that was asked, where another one has served.
    """
    quantities = _plausible(attempt.quantities)
    cost, source = _cost(attempt, quantities, capability, asked, prices)
    return replace(attempt, quantities=quantities, cost=cost, cost_source=source)


def all_billed(job: Job, evidence: tuple[Attempt, ...], prices: Prices) -> tuple[Attempt, ...]:
    """Attempts of a job with what they cost."""
    asked = {attempt.id: attempt.target for attempt in job.attempts}
    return tuple(billed(one, job.step(one.step).capability, asked[one.id], prices) for one in evidence)


def _cost(
    attempt: Attempt, quantities: Quantities, capability: str, asked: str, prices: Prices
) -> tuple[Money, CostSource] | tuple[None, None]:
    if attempt.cost is not None and 0 <= attempt.cost <= MOST_COST:
        return attempt.cost, attempt.cost_source or CostSource.PROVIDER
    if attempt.state not in (AttemptState.SUCCEEDED, AttemptState.FAILED):
        return None, None
    if attempt.provider_class is ProviderClass.REPEATABLE:
        return Money(0), CostSource.CATALOG
    if attempt.state is AttemptState.FAILED and not _has_heard_nothing(attempt):
        refused = attempt.failure is not None and attempt.failure.kind is FailureClass.SAFE
        return (Money(0), CostSource.PROVIDER) if refused else (None, None)
    found = best_price(capability, (attempt.target, asked), prices)
    cost = None if found is None else cost_of(found[0], quantities)
    return (None, None) if found is None or cost is None else (cost, found[1])


def _has_heard_nothing(attempt: Attempt) -> bool:
    """Whether the provider has done its work, and there was nothing to write down."""
    return attempt.failure is not None and attempt.failure.code == NothingSaid.code


def best_price(capability: str, targets: tuple[str, ...], prices: Prices) -> tuple[Price, CostSource] | None:
    """The price of a model that goes by several names: by the operator's word for any of them, else by the first name that
    is known.
    """
    known = [found for target in dict.fromkeys(targets) if (found := prices.price(capability, target)) is not None]
    return next((found for found in known if found[1] is CostSource.OPERATOR), known[0] if known else None)


def _plausible(quantities: Quantities) -> Quantities:
    """Those that can be true and be written: a peer may send numbers of any size."""
    return {unit: quantity for unit, quantity in quantities.items() if _is_plausible(quantity)}


def _is_plausible(quantity: Decimal) -> bool:
    if not quantity.is_finite() or not 0 <= quantity <= _LARGEST_QUANTITY:
        return False
    written = quantity.as_tuple()
    return len(written.digits) - min(0, int(written.exponent)) <= _MOST_DIGITS
