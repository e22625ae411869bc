"""Usage: what an organization's calls have come to over days, models and providers."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from genesis.domain.money import Money
from genesis.domain.quantity import Quantities


class UsageKey(StrEnum):
    """What calls are grouped by."""

    DAY = "day"  # of UTC, on which the call was begun
    PROVIDER = "provider"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """Which calls, in which groups.

    Attributes:
        first, last: days of UTC, both included.
    """

    first: date
    last: date
    by: frozenset[UsageKey]


@dataclass(frozen=True, slots=True)
class Usage:
    """A group of calls; those that were never sent are none.

    Attributes:
        day, provider, model: what the group has in common, as far as it was asked for; the model as `provider:name`.
        calls: all of them, those under way included.
        unknown: calls of which nobody knows whether they were made.
        cost: of those whose cost is known.
        cost_unknown: calls whose cost is not.
        quantities: sums of what is known.
    """

    day: date | None
    provider: str | None
    model: str | None
    calls: int
    succeeded: int
    failed: int
    unknown: int
    cost: Money
    cost_unknown: int
    quantities: Quantities = field(default_factory=dict)
