"""Numbers, times, money and units in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis.providers.local.server.numbers import cardinal, ordinal, write_out


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("0", "zero"),
        ("42", "forty two"),
        ("1,234,567", "one million two hundred thirty four thousand five hundred sixty seven"),
        ("3.14", "three point one four"),
        ("007", "zero zero seven"),
        ("1" * 16, " ".join(["one"] * 16)),
        ("in 1999", "in nineteen ninety nine"),
        ("in 2005", "in two thousand five"),
        ("in 1905", "in nineteen oh five"),
        ("in 1900", "in nineteen hundred"),
        ("1990s", "nineteen nineties"),
        ("'60s", "sixties"),
        ("$5.20", "five dollars twenty cents"),
        ("$1", "one dollar"),
        ("£0.01", "zero pounds one penny"),
        ("$1.5M", "one point five million dollars"),
        ("¥100", "one hundred yen"),
        ("10:30:45", "ten thirty forty five"),
        ("10:05 pm", "ten oh five p m"),
        ("7:00", "seven o'clock"),
        ("25:99", "twenty five : ninety nine"),
        ("5kg", "five kilograms"),
        ("1 km", "one kilometer"),
        ("100 km/h", "one hundred kilometers per hour"),
        ("1st, 12th and 103rd", "first, twelfth and one hundred third"),
        ("3.11.7", "three point eleven point seven"),
        ("-5", "minus five"),
        ("2½", "two and one half"),
        ("10²", "ten squared"),
    ],
)
def test_what_is_read_otherwise_than_spelled_is_written_out(written: str, read: str) -> None:
    assert " ".join(write_out(written).split()) == read


@given(st.text(alphabet="0123456789.,:$€%-/½² abkmst'", max_size=60))
def test_no_digit_is_left_and_nothing_breaks(text: str) -> None:
    assert not any(character.isdecimal() for character in write_out(text))


@given(st.integers(0, 10**15 - 1))
def test_cardinals_are_unlike(number: int) -> None:
    assert cardinal(number) != cardinal(number + 1 if number < 10**15 - 1 else 0)


@pytest.mark.parametrize(
    ("number", "word"), [(1, "first"), (20, "twentieth"), (21, "twenty first"), (100, "one hundredth")]
)
def test_ordinals(number: int, word: str) -> None:
    assert ordinal(number) == word
