from genesis.engine import lease
from genesis.engine.lease import Lease


def test_nothing_begins_near_the_end_of_a_lease(monkeypatch):
    now = 100.0
    monkeypatch.setattr(lease, "since_boot", lambda: now)
    given = Lease(15.0)
    assert given.heartbeat_seconds == 3.0
    assert not given.allows_calls()
    given.renewed(100.0)
    assert given.allows_calls()
    now = 109.9
    assert given.allows_calls()
    now = 110.1
    assert not given.allows_calls()


def test_who_shares_with_nobody_needs_no_lease():
    assert Lease(None).allows_calls()
    assert Lease(None).heartbeat_seconds is None
