from decimal import Decimal

import pytest

from genesis.domain.money import Money, total


@pytest.mark.parametrize(
    ("dollars", "micros"),
    [("0.00014", 140), (Decimal("0.0000005"), 0), (Decimal("0.0000015"), 2), (2, 2_000_000), ("0", 0)],
)
def test_is_whole_microdollars(dollars, micros):
    assert Money.from_dollars(dollars) == micros


@pytest.mark.parametrize("dollars", ["abc", "NaN", "Infinity", ""])
def test_refuses_what_is_no_amount(dollars):
    with pytest.raises(ValueError, match="not an amount"):
        Money.from_dollars(dollars)


def test_an_unknown_part_makes_the_sum_unknown():
    assert total([Money(1), Money(2)]) == 3
    assert total([Money(1), None]) is None
    assert total([]) is None
    assert total([Money(0)]) == 0
