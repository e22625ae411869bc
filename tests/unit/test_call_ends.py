from dataclasses import replace

import pytest

from genesis.domain.attempt import Attempt, ProviderClass
from genesis.engine import call_ends
from genesis.engine.call_ends import CallEnds

CALL = Attempt(
    "id", "a", 1, "key", "one:m", ProviderClass.OPAQUE, 100_000, not_after=105_000, call_deadline=130_000
)  # it may take 30 seconds


class Time:
    """The time that is told, and the time that is counted."""

    def __init__(self, monkeypatch):
        self.told = 100_000
        self.counted = 7.0
        monkeypatch.setattr(call_ends, "since_boot", lambda: self.counted)

    def now(self):
        return self.told

    def passes(self, seconds):
        self.told += round(seconds * 1_000)
        self.counted += seconds


@pytest.fixture
def clock(monkeypatch):
    return Time(monkeypatch)


def test_a_call_is_over_after_its_time(clock):
    ends = CallEnds(clock)
    assert not ends.is_over(CALL)
    clock.passes(30.0)
    assert not ends.is_over(CALL)
    assert ends.age(CALL) == 30.0
    clock.passes(0.5)
    assert ends.is_over(CALL)


def test_a_call_of_somebody_else_is_over_by_its_deadline(clock):
    clock.passes(20.0)
    ends = CallEnds(clock)
    assert ends.age(CALL) == 20.0
    clock.passes(10.5)
    assert ends.is_over(CALL)


@pytest.mark.parametrize("by", [3_600_000, -3_600_000])
def test_a_clock_that_is_set_moves_no_end(clock, by):
    ends = CallEnds(clock)
    ends.note(CALL)
    clock.told += by
    clock.passes(29.5)
    assert not ends.is_over(CALL)
    clock.passes(1.0)
    assert ends.is_over(CALL)


def test_a_call_of_before_the_clock_was_set_back_has_its_own_time_and_no_more(clock):
    clock.told -= 3_600_000
    ends = CallEnds(clock)
    ends.note(CALL)
    clock.passes(30.0)
    assert not ends.is_over(CALL)
    clock.passes(0.5)
    assert ends.is_over(CALL)


def test_what_is_known_is_forgotten_and_what_is_too_much(clock, monkeypatch):
    ends = CallEnds(clock)
    ends.note(CALL)
    ends.forget(CALL)
    ends.forget(CALL)
    assert ends._ends == {}
    monkeypatch.setattr(call_ends, "_MOST", 2)
    for name in "abc":
        ends.note(replace(CALL, id=name))
    ends.note(replace(CALL, id="c"))
    assert list(ends._ends) == ["b", "c"]
