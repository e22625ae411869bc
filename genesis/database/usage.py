"""What both kinds of database share about usage: bounds, and rows as values.

Attempts are found by their ids, which are UUIDv7 and so begin with the moment at which they were made: no index is needed
beside that of the ids, and new attempts cost no more. As an id is made by the clock of its machine, a day before and after is
looked through as well.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal
from typing import Any

from genesis.database.filters import first_id
from genesis.domain.identity import Milliseconds
from genesis.domain.job import CUT, JOIN
from genesis.domain.money import Money
from genesis.domain.quantity import Quantities, Unit
from genesis.domain.usage import Usage, UsageKey, UsageQuery
from genesis.errors import InvalidRequest

MOST_ROWS = 10_000
DAY_MILLISECONDS = 86_400_000
_CLOCKS_APART_MILLISECONDS = DAY_MILLISECONDS
_EPOCH = date(1970, 1, 1)
EXACT = Context(prec=100)
"""In which sums of quantities are not rounded, as PostgreSQL does not round them either."""
OWN = ", ".join(f"'{target}'" for target in (CUT, JOIN))
"""Targets that are no provider's models, as a list of SQL."""


@dataclass(frozen=True, slots=True)
class UsageBounds:
    """Moments from `begin` on and before `end`, and ids from `lower` on and before `upper` in which they surely are."""

    begin: Milliseconds
    end: Milliseconds
    lower: str
    upper: str


def usage_bounds(asked: UsageQuery) -> UsageBounds:
    """Where the calls of the days asked for are."""
    begin, end = _midnight(asked.first), _midnight(asked.last) + DAY_MILLISECONDS
    apart = _CLOCKS_APART_MILLISECONDS
    return UsageBounds(begin, end, first_id(begin - apart), first_id(end + apart))


def _midnight(day: date) -> Milliseconds:
    return round(datetime.combine(day, time(), UTC).timestamp() * 1000)


def usage_of(row: Mapping[str, Any], by: frozenset[UsageKey], quantities: Quantities) -> Usage:
    """A group from its row: `day` counted from 1970, `provider` and `model` are null where nothing was grouped by them."""
    return Usage(
        day=_EPOCH + timedelta(days=row["day"]) if UsageKey.DAY in by else None,
        provider=row["provider"],
        model=row["model"],
        calls=row["calls"],
        succeeded=row["succeeded"],
        failed=row["failed"],
        unknown=row["unknown"],
        cost=Money(row["cost"] or 0),
        cost_unknown=row["cost_unknown"],
        quantities=quantities,
    )


def days_of(asked: UsageQuery) -> Iterator[UsageQuery]:
    """One question for each day, so that none of them takes long, however many calls a year had."""
    day = asked.first
    while day <= asked.last:
        yield UsageQuery(day, day, asked.by)
        if day == asked.last:
            return
        day += timedelta(days=1)


class UsageSums:
    """Adds up the groups of several days; what has day, provider and model in common is one group."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str, str], Usage] = {}

    def add(self, groups: Iterable[Usage]) -> None:
        """Takes more groups.

        Raises:
            InvalidRequest: there are more than `MOST_ROWS`.
        """
        for group in groups:
            key = (str(group.day or ""), group.provider or "", group.model or "")
            known = self._groups.get(key)
            self._groups[key] = group if known is None else _added(known, group)
        if len(self._groups) > MOST_ROWS:
            raise InvalidRequest(
                f"There are more than {MOST_ROWS:,} groups.",
                hint="Ask for fewer days, or group by less: `group_by=day`.",
            )

    @property
    def groups(self) -> list[Usage]:
        """In the order of day, provider and model."""
        return [self._groups[key] for key in sorted(self._groups)]


def _added(first: Usage, second: Usage) -> Usage:
    units = [unit for unit in Unit if unit in first.quantities or unit in second.quantities]
    none = Decimal(0)
    return replace(
        first,
        calls=first.calls + second.calls,
        succeeded=first.succeeded + second.succeeded,
        failed=first.failed + second.failed,
        unknown=first.unknown + second.unknown,
        cost=Money(first.cost + second.cost),
        cost_unknown=first.cost_unknown + second.cost_unknown,
        quantities={
            unit: EXACT.add(first.quantities.get(unit, none), second.quantities.get(unit, none)) for unit in units
        },
    )


def known_units(sums: Mapping[str, Decimal | None]) -> Quantities:
    """Sums by unit, without those of which nothing is known."""
    return {Unit(name): amount for name, amount in sums.items() if amount is not None}
