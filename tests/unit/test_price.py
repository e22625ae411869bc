from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis.domain.money import Money, known_total
from genesis.domain.price import MOST_COST, Price, cost_of
from genesis.domain.quantity import Unit

AMOUNTS = st.decimals(0, 1_000, places=9, allow_nan=False)
QUANTITIES = st.decimals(0, 1_000_000, places=6, allow_nan=False)
ANY_DECIMALS = st.decimals(allow_nan=True, allow_infinity=True)


@given(st.dictionaries(st.sampled_from(Unit), st.tuples(AMOUNTS, QUANTITIES), min_size=1))
def test_a_cost_is_the_exact_sum_to_the_nearest_micro_dollar(parts):
    price = Price({unit: dollars for unit, (dollars, _) in parts.items()})
    cost = cost_of(price, {unit: quantity for unit, (_, quantity) in parts.items()})
    exact = sum(Fraction(dollars) * Fraction(quantity) for dollars, quantity in parts.values()) * 1_000_000
    if exact > MOST_COST:
        assert cost is None
    else:
        assert isinstance(cost, Money)
        assert abs(cost - exact) <= Fraction(1, 2)


@given(
    st.dictionaries(st.sampled_from(Unit), AMOUNTS, min_size=1), st.dictionaries(st.sampled_from(Unit), ANY_DECIMALS)
)
def test_whatever_a_peer_counts_is_a_cost_or_unknown(dollars, quantities):
    cost = cost_of(Price(dollars), quantities)
    assert cost is None or 0 <= cost <= MOST_COST
    charged = {unit for unit, per_unit in dollars.items() if per_unit}
    if not charged <= quantities.keys():
        assert cost is None


def test_what_is_not_charged_for_need_not_be_known():
    price = Price({Unit.INPUT_TOKENS: Decimal(0), Unit.IMAGES: Decimal("0.04")})
    assert cost_of(price, {Unit.IMAGES: Decimal(2)}) == 80_000
    assert cost_of(price, {Unit.INPUT_TOKENS: Decimal(2)}) is None


def test_a_price_does_not_hold_for_more_than_it_is_for():
    price = Price({Unit.INPUT_TOKENS: Decimal(1)}, below_input_tokens=100)
    assert cost_of(price, {Unit.INPUT_TOKENS: Decimal(99)}) == 99_000_000
    assert cost_of(price, {Unit.INPUT_TOKENS: Decimal(100)}) is None


@pytest.mark.parametrize("quantity", ["1e999999", "-1", "NaN", "sNaN", "Infinity", "1e30"])
def test_absurd_quantities_have_no_cost(quantity):
    assert cost_of(Price({Unit.IMAGES: Decimal(1)}), {Unit.IMAGES: Decimal(quantity)}) is None


@pytest.mark.parametrize("dollars", ["-0.01", "NaN", "Infinity", "1e10"])
def test_a_price_is_a_plain_amount(dollars):
    with pytest.raises(ValueError, match="is not a price"):
        Price({Unit.IMAGES: Decimal(dollars)})


def test_a_price_of_nothing_is_none():
    with pytest.raises(ValueError, match="at least one unit"):
        Price({})


def test_a_million_of_the_dearest_calls_fit_where_they_are_added_up():
    assert MOST_COST * 10**6 < 2**63
    assert cost_of(Price({Unit.IMAGES: Decimal(10**6)}), {Unit.IMAGES: Decimal(1)}) == MOST_COST
    assert cost_of(Price({Unit.IMAGES: Decimal(10**6)}), {Unit.IMAGES: Decimal(2)}) is None


def test_what_is_known_is_added_up():
    assert known_total([Money(3), None, Money(4)]) == 7
    assert known_total([]) == 0
