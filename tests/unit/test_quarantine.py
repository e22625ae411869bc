from genesis.engine.quarantine import Quarantine


def test_patience_grows_with_each_try_and_so_do_the_rests(monkeypatch):
    now = 1_000.0
    monkeypatch.setattr("genesis.engine.quarantine.since_boot", lambda: now)
    quarantine = Quarantine()
    waited, rested = [], []
    for _ in range(9):
        assert quarantine.may_begin
        quarantine.begin()
        waited.append(quarantine.patience_left())
        now += waited[-1]
        quarantine.give_up()
        before = now
        while not quarantine.may_begin:
            now += 1
        rested.append(now - before)
    assert waited == [10, 20, 40, 80, 160, 320, 600, 600, 600]
    assert rested == [30, 60, 120, 240, 480, 960, 1800, 1800, 1800]
    quarantine.begin()
    quarantine.occupy("j")
    assert quarantine.patience_left() == float("inf")
    now += 5
    quarantine.note_end("another")
    quarantine.note_end("j")
    quarantine.end()
    assert not quarantine.may_begin
    now += 5
    assert quarantine.may_begin
    quarantine.begin()
    assert quarantine.patience_left() == 10
