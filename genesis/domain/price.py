"""Prices: what a model charges per unit, and what a call costs by them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, DecimalException
from enum import StrEnum

from genesis.domain.money import Money
from genesis.domain.quantity import Quantities, Unit

_MOST_DOLLARS_PER_UNIT = 1_000_000_000
_MOST_DOLLARS = 1_000_000
MOST_COST = Money(_MOST_DOLLARS * 1_000_000)
"""What is said to cost more than this is a mistake; a million such calls fit where costs are added up."""


class CostSource(StrEnum):
    """Who says what something costs."""

    PROVIDER = "provider"  # reported for this very call
    OPERATOR = "operator"  # by the table of whoever runs the platform
    CATALOG = "catalog"  # by the prices that the platform is shipped with, where free providers cost nothing


@dataclass(frozen=True, slots=True)
class Price:
    """What a model charges.

    Attributes:
        dollars: US dollars per unit; a call costs the sum over these units.
        below_input_tokens: calls with so many input tokens or more have another price, which is not known here.
    """

    dollars: Mapping[Unit, Decimal]
    below_input_tokens: int | None = None

    def __post_init__(self) -> None:
        if not self.dollars:
            raise ValueError("a price needs at least one unit")
        for unit, dollars in self.dollars.items():
            if not dollars.is_finite() or not 0 <= dollars <= _MOST_DOLLARS_PER_UNIT:
                raise ValueError(f"{dollars} dollars per unit of {unit} is not a price")


def cost_of(price: Price, quantities: Quantities) -> Money | None:
    """What a call with these quantities costs, to the nearest micro-dollar.

    None when a unit is not known that is charged for, when the price does not hold for so much, or when the result
    cannot be true.
    """
    limit, tokens = price.below_input_tokens, quantities.get(Unit.INPUT_TOKENS)
    if limit is not None and tokens is not None and not (tokens.is_finite() and tokens < limit):
        return None
    dollars = Decimal(0)
    for unit, per_unit in price.dollars.items():
        if not per_unit:
            continue
        quantity = quantities.get(unit)
        if quantity is None or not quantity.is_finite() or quantity < 0:
            return None
        try:
            dollars += per_unit * quantity
        except DecimalException:
            return None
        if dollars > _MOST_DOLLARS:
            return None
    return Money.from_dollars(dollars)
