"""Estimates and usage as the API takes and gives them."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from genesis.domain.price import CostSource
from genesis.domain.usage import UsageKey, UsageQuery

_MOST_DAYS = 366
_USUAL_DAYS = 30
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

QuantitiesView = Annotated[
    dict[str, str],
    Field(description="By unit, as exact decimal numbers.", examples=[{"input_tokens": "12", "output_tokens": "40"}]),
]


class StepEstimateView(BaseModel):
    """What one step is expected to cost: one attempt with the first model of its chain."""

    step: str
    capability: str
    model: str | None = Field(description="As `provider:name`; null where nobody can say who would serve it.")
    quantities: QuantitiesView
    cost_microdollars: int | None = Field(description="Null when nobody knows what the model charges.")
    at_most_microdollars: int | None = Field(
        description="What it surely does not exceed; null where nothing bounds it."
    )
    cost_source: CostSource | None = Field(description="Who says what the model charges.")
    notes: list[str] = Field(description="What was assumed, or why the cost is not known.")


class EstimateView(BaseModel):
    """What a job is expected to cost, if each step succeeds at once."""

    cost_microdollars: int | None = Field(description="Null when that of a step is not known.")
    cost_known_microdollars: int = Field(description="Sum of what is known.")
    at_most_microdollars: int | None = Field(
        description="What one attempt of each step surely does not exceed, if bounded."
    )
    steps: list[StepEstimateView]


def _listed(value: object) -> object:
    """Takes `group_by=day,model` as well as `group_by=day&group_by=model`."""
    given = value if isinstance(value, list) else [value]
    return [part for item in given for part in (item.split(",") if isinstance(item, str) else [item])]


def _day(value: object) -> object:
    """Takes days alone: numbers would be seconds since 1970."""
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise ValueError("write a day as 2026-11-23")
    return value


_Day = Annotated[date, BeforeValidator(_day)]


class UsageRequest(BaseModel):
    """Which calls to add up, and by what."""

    model_config = ConfigDict(extra="forbid")

    from_: _Day | None = Field(None, alias="from", description="First day of UTC; by default 30 days up to `to`.")
    to: _Day | None = Field(None, description="Last day of UTC, included; today by default.")
    group_by: Annotated[list[UsageKey], BeforeValidator(_listed)] = Field(
        [UsageKey.DAY, UsageKey.PROVIDER, UsageKey.MODEL],
        min_length=1,
        max_length=3,
        description="Any of `day`, `provider` and `model`.",
    )

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        first, last = self.days()
        if first > last:
            raise ValueError("`from` must not be after `to`")
        if (last - first).days >= _MOST_DAYS:
            raise ValueError(f"ask for {_MOST_DAYS} days at most")
        return self

    def days(self) -> tuple[date, date]:
        """The first and the last day."""
        last = self.to or datetime.now(UTC).date()
        usual = timedelta(days=_USUAL_DAYS - 1)
        return self.from_ or max(last, date.min + usual) - usual, last

    def query(self) -> UsageQuery:
        """What the engine is asked for."""
        return UsageQuery(*self.days(), frozenset(self.group_by))


class UsageRow(BaseModel):
    """A group of calls; those that were never sent are none."""

    day: date | None = Field(description="On which the calls were begun; null unless grouped by it.")
    provider: str | None
    model: str | None = Field(description="As `provider:name`.")
    calls: int = Field(description="All of them, those under way included.")
    succeeded: int
    failed: int
    unknown: int = Field(description="Calls of which nobody knows whether they were made.")
    cost_known_microdollars: int = Field(description="Sum of the costs that are known.")
    cost_unknown_calls: int = Field(description="Calls whose cost is not known.")
    quantities: QuantitiesView


class UsageView(BaseModel):
    """What the organization's calls have come to."""

    model_config = ConfigDict(populate_by_name=True)

    from_: date = Field(alias="from")
    to: date
    group_by: list[UsageKey]
    rows: list[UsageRow] = Field(description="In the order of day, provider and model.")
