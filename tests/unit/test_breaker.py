import pytest

from genesis.engine.breaker import Breakers
from genesis.errors import ProviderRateLimited, ProviderRejected, ProviderUnavailable

DOWN = ProviderUnavailable("Down.")


class Time:
    now = 1_000


def breakers():
    time = Time()
    return time, Breakers(lambda: time.now, lambda: time.now / 1_000)


def test_five_failures_in_a_row_open_for_half_a_minute():
    time, given = breakers()
    for _ in range(4):
        given.note("text", "one:m", DOWN)
    assert given.open_until("text", "one:m") == 0
    given.note("text", "one:m", DOWN)
    assert given.open_until("text", "one:m") == 31_000
    assert given.open_until("text", "one:n") == 0
    assert given.open_until("image", "one:m") == 0
    time.now = 31_000
    assert given.open_until("text", "one:m") == 0


def test_a_clock_that_is_set_changes_nothing():
    counted = 50.0
    told = 1_000_000
    given = Breakers(lambda: told, lambda: counted)
    for _ in range(5):
        given.note("text", "one:m", DOWN)
    told, counted = 5_000, counted + 10.0
    assert given.open_until("text", "one:m") == 25_000
    told, counted = 9_000_000, counted + 19.75
    assert given.open_until("text", "one:m") == 9_000_250
    counted += 0.25
    assert given.open_until("text", "one:m") == 0


def test_the_trial_decides():
    time, given = breakers()
    for _ in range(5):
        given.note("text", "one:m", DOWN)
    time.now = 31_000
    given.note("text", "one:m", DOWN)
    assert given.open_until("text", "one:m") == 61_000
    time.now = 61_000
    given.note("text", "one:m", None)
    given.note("text", "one:m", DOWN)
    assert given.open_until("text", "one:m") == 0


@pytest.mark.parametrize("error", [ProviderRateLimited("Slow down."), ProviderRejected("No.")])
def test_what_says_nothing_of_health_does_not_count(error):
    _, given = breakers()
    for _ in range(9):
        given.note("text", "one:m", error)
    assert given.open_until("text", "one:m") == 0
