"""Costs, their sources and quantities in every kind of ledger, and what calls have come to."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

import genesis.database.usage
from genesis.domain.attempt import Attempt, AttemptState, ProviderClass
from genesis.domain.failure import INTERRUPTED
from genesis.domain.identity import new_id
from genesis.domain.job import CUT, JOIN
from genesis.domain.money import Money
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.price import CostSource
from genesis.domain.quantity import Unit
from genesis.domain.usage import UsageKey, UsageQuery
from genesis.errors import InvalidRequest
from tests.support.jobs import job_of
from tests.support.ledger import TWO_STEPS, attempt_of, claim_one, decide, joined, stored

DAY = 86_400_000
FIRST = date(2026, 3, 1)
START = round(datetime(2026, 3, 1, tzinfo=UTC).timestamp() * 1000)
ALL = frozenset(UsageKey)
USED = {Unit.INPUT_TOKENS: Decimal(12), Unit.AUDIO_SECONDS: Decimal("0.100000000000000000001")}


def id_at(moment, number):
    """A UUIDv7 made at a moment."""
    return f"{moment >> 16:08x}-{moment & 0xFFFF:04x}-7000-8000-{number:012x}"


async def test_what_an_attempt_cost_is_kept_exactly(database):
    async with joined(database) as opened:
        await opened.ledger.submit(job_of(TWO_STEPS, max_cost=Money(9_007_199_254_740_993)))
        job = await claim_one(opened.ledger)
        assert job.max_cost == 9_007_199_254_740_993
        paid, unknown = attempt_of("a"), attempt_of("b")
        await decide(opened.ledger, job, intents=(paid, unknown))
        settled = {"state": AttemptState.SUCCEEDED, "settled_at": 2_000}
        paid = replace(paid, cost=Money(123), cost_source=CostSource.OPERATOR, quantities=USED, **settled)
        await decide(opened.ledger, job, evidence=(paid, replace(unknown, **settled)))
        first, second = (await stored(opened, job)).attempts
        assert (first.cost, first.cost_source, first.quantities) == (123, CostSource.OPERATOR, USED)
        assert (second.cost, second.cost_source, second.quantities) == (None, None, {})


@pytest.mark.parametrize("end", [AttemptState.UNKNOWN, AttemptState.FAILED])
async def test_what_a_call_in_doubt_has_cost_may_be_told_later_and_is_not_forgotten(database, end):
    async with joined(database) as opened:
        await opened.ledger.submit(job_of(TWO_STEPS))
        job = await claim_one(opened.ledger)
        attempt = attempt_of("a")
        await decide(opened.ledger, job, intents=(attempt,))
        doubtful = replace(attempt, state=AttemptState.UNKNOWN, settled_at=2_000)
        await decide(opened.ledger, job, evidence=(doubtful,))
        told = replace(doubtful, cost=Money(9), cost_source=CostSource.PROVIDER)
        await decide(opened.ledger, job, evidence=(told,))
        await decide(opened.ledger, job, evidence=(replace(doubtful, state=end),))
        (kept,) = (await stored(opened, job)).attempts
        assert (kept.state, kept.cost, kept.cost_source) == (end, 9, CostSource.PROVIDER)


async def test_a_free_call_that_is_cut_off_costs_nothing(database):
    async with joined(database, "me", "other") as opened:
        await opened.ledger.submit(job_of(TWO_STEPS))
        job = await claim_one(opened.ledger)
        await decide(opened.ledger, job, intents=(attempt_of("a", provider_class=ProviderClass.REPEATABLE),))
        await opened.ledger.leave("me")
        await opened.ledger.cancel(DEFAULT_ORGANIZATION, job.id)
        (attempt,) = (await stored(opened, job)).attempts
        assert (attempt.state, attempt.failure) == (AttemptState.FAILED, INTERRUPTED)
        assert (attempt.cost, attempt.cost_source) == (0, CostSource.CATALOG)


class Calls:
    """Writes attempts as if they had been made."""

    def __init__(self, opened):
        self._opened = opened
        self._number = 0

    async def make(self, *attempts, organization=DEFAULT_ORGANIZATION):
        """Attempts as (moment, target, state, cost, quantities) of one job."""
        job = job_of(TWO_STEPS, organization=organization)
        await self._opened.ledger.submit(job)
        job = await claim_one(self._opened.ledger)
        intents, ends = [], []
        for number, (at, target, state, cost, quantities) in enumerate(attempts, start=1):
            self._number += 1
            intent = Attempt(id_at(at, self._number), "a", number, new_id(), target, ProviderClass.OPAQUE, at)
            intents.append(intent)
            source = None if cost is None else CostSource.PROVIDER
            if state is not AttemptState.INTENDED:
                known = {"cost": cost, "cost_source": source, "quantities": quantities}
                ends.append(replace(intent, state=state, settled_at=at + 1, **known))
        await decide(self._opened.ledger, job, intents=tuple(intents))
        await decide(self._opened.ledger, job, evidence=tuple(ends))


GOOD, BAD, LOST, OPEN, UNSENT = (
    AttemptState.SUCCEEDED,
    AttemptState.FAILED,
    AttemptState.UNKNOWN,
    AttemptState.INTENDED,
    AttemptState.NOT_SENT,
)


async def usage(opened, first=FIRST, last=FIRST, by=ALL, organization=DEFAULT_ORGANIZATION):
    return list(await opened.queries.usage(organization, UsageQuery(first, last, by)))


async def test_calls_are_added_up_by_day_model_and_provider(database):
    tokens = {Unit.INPUT_TOKENS: Decimal(10), Unit.OUTPUT_TOKENS: Decimal("0.5")}
    async with joined(database) as opened:
        await Calls(opened).make(
            (START, "one:m", GOOD, Money(5), tokens),
            (START + DAY - 1, "one:m", GOOD, Money(2**52), tokens),
            (START + 5, "one:m", LOST, None, {}),
            (START + 6, "one:m", OPEN, None, {}),
            (START + 7, "one:m", UNSENT, None, {}),
            (START + 8, "one:x:y", BAD, Money(0), {Unit.IMAGES: Decimal(1)}),
            (START + 9, "two:m", GOOD, None, {}),
            (START + DAY, "one:m", GOOD, Money(7), {}),
            (START - 1, "one:m", GOOD, Money(9), {}),
        )
        rows = await usage(opened)
        assert [(row.day, row.provider, row.model) for row in rows] == [
            (FIRST, "one", "one:m"),
            (FIRST, "one", "one:x:y"),
            (FIRST, "two", "two:m"),
        ]
        first = rows[0]
        assert (first.calls, first.succeeded, first.failed, first.unknown) == (4, 2, 0, 1)
        assert (first.cost, first.cost_unknown) == (2**52 + 5, 2)
        assert first.quantities == {Unit.INPUT_TOKENS: Decimal(20), Unit.OUTPUT_TOKENS: Decimal(1)}
        assert (rows[1].calls, rows[1].failed, rows[1].cost, rows[1].cost_unknown) == (1, 1, 0, 0)
        assert (rows[2].cost, rows[2].cost_unknown, rows[2].quantities) == (0, 1, {})

        by_provider = await usage(opened, by=frozenset({UsageKey.PROVIDER}))
        assert [(row.day, row.provider, row.model, row.calls) for row in by_provider] == [
            (None, "one", None, 5),
            (None, "two", None, 1),
        ]
        by_day = await usage(opened, date(2026, 2, 28), date(2026, 3, 2), frozenset({UsageKey.DAY}))
        assert [(row.day.day, row.calls) for row in by_day] == [(28, 1), (1, 6), (2, 1)]


async def test_quantities_are_added_up_exactly(database):
    tenth = {Unit.AUDIO_SECONDS: Decimal("0.1")}
    async with joined(database) as opened:
        await Calls(opened).make(*((START + number, "one:m", GOOD, Money(1), tenth) for number in range(10)))
        (row,) = await usage(opened)
        assert row.quantities == {Unit.AUDIO_SECONDS: Decimal(1)}


@pytest.mark.parametrize("last", [FIRST, date(2026, 3, 2)])
async def test_sums_of_the_largest_and_the_smallest_are_not_rounded(database, last):
    most, least = Decimal(10**12), Decimal("0.00000000000000000000000000001")
    async with joined(database) as opened:
        at = START if last == FIRST else START + DAY
        await Calls(opened).make(
            (START, "one:m", GOOD, Money(1), {Unit.AUDIO_SECONDS: most}),
            (at, "one:m", GOOD, Money(1), {Unit.AUDIO_SECONDS: least}),
        )
        (row,) = await usage(opened, last=last, by=frozenset({UsageKey.MODEL}))
        assert str(row.quantities[Unit.AUDIO_SECONDS]) == "1000000000000.00000000000000000000000000001"


async def test_what_the_platform_does_itself_is_no_call_of_a_provider(database):
    async with joined(database) as opened:
        await Calls(opened).make(
            (START, "one:m", GOOD, Money(1), {}),
            (START, CUT, GOOD, Money(0), {}),
            (START, JOIN, OPEN, None, {}),
        )
        assert [(row.model, row.calls, row.cost_unknown) for row in await usage(opened)] == [("one:m", 1, 0)]


async def test_an_organization_sees_its_own_calls_only(database, organization):
    other = await organization("other")
    async with joined(database) as opened:
        calls = Calls(opened)
        await calls.make((START, "one:m", GOOD, Money(1), {}))
        await calls.make((START, "one:m", GOOD, Money(2), {}), organization=other)
        assert [row.cost for row in await usage(opened)] == [1]
        assert [row.cost for row in await usage(opened, organization=other)] == [2]
        assert await usage(opened, organization="nobody") == []
        assert await usage(opened, date(1, 1, 1), date(1, 1, 2)) == []
        assert await usage(opened, date(9999, 12, 30), date(9999, 12, 31)) == []


async def test_a_machine_whose_clock_is_hours_off_loses_no_calls(database):
    async with joined(database) as opened:
        await opened.ledger.submit(job_of(TWO_STEPS))
        job = await claim_one(opened.ledger)
        off = Attempt(id_at(START - 20 * 3_600_000, 1), "a", 1, new_id(), "one:m", ProviderClass.OPAQUE, START + 1)
        await decide(opened.ledger, job, intents=(off,))
        assert [row.calls for row in await usage(opened)] == [1]


async def test_too_many_groups_are_refused(database, monkeypatch):
    async with joined(database) as opened:
        await Calls(opened).make(*((START, f"one:{number}", GOOD, Money(1), {}) for number in range(4)))
        monkeypatch.setattr(genesis.database.usage, "MOST_ROWS", 3)
        with pytest.raises(InvalidRequest, match="groups"):
            await usage(opened)
