import time

from genesis.ports import clock
from genesis.ports.clock import SteadyClock


def test_it_follows_the_time_forward_and_never_back(monkeypatch):
    told, counted = 1_000_000_000_000, 50_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: told)
    monkeypatch.setattr(clock, "_since_boot", lambda: counted)
    steady = SteadyClock()
    assert steady.now() == 1_000_000
    told, counted = told - 3_600_000_000_000, counted + 2_000_000_000  # set back by an hour, two seconds later
    assert steady.now() == 1_002_000
    told, counted = 5_000_000_000_000, counted + 1_000_000_000
    assert steady.now() == 5_000_000
    told = 0
    counted += 500_000_000
    assert steady.now() == 5_000_500
