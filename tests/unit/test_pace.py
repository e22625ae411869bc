from genesis.engine.pace import Pace


def test_the_wait_follows_position_slots_and_the_last_calls():
    pace = Pace()
    assert pace.until_turn("text", 0, 4) is None
    pace.note("text", 1_000)
    assert pace.until_turn("text", 0, 4) == 250
    assert pace.until_turn("text", 7, 4) == 2_000
    assert pace.until_turn("text", 7, 0) is None
    pace.note("text", 2_000)
    assert pace.until_turn("text", 0, 1) == 1_200
    assert pace.until_turn("image", 0, 1) is None
