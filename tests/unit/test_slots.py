"""The slots of one run: taken in order, never held by who waits for an earlier one, and all given back."""

import asyncio

from genesis.engine.lanes import Lanes
from genesis.engine.news import News
from genesis.engine.slots import JobSlots

BOTH = ("image", "image:p2")


def lanes_of(slots=1):
    """Lanes of a capability and of its providers, with so many slots each."""
    return Lanes(lambda _: slots, lambda: None)


async def turns_of(*runs):
    """Lets those who wait find out that it is their turn."""
    for _ in range(5):
        await asyncio.sleep(0)
    return [run.waiting for run in runs]


async def test_runs_that_need_two_lanes_do_not_lock_each_other_out():
    lanes = lanes_of()
    assert lanes.take("image")  # a call of another provider
    gone, first, second = (JobSlots(lanes, None, News()) for _ in range(3))
    assert not gone.hold("s", BOTH)
    assert not first.hold("s", BOTH)
    await turns_of()
    await gone.close()
    assert not second.hold("s", BOTH)
    await turns_of()
    lanes.give("image")
    assert await turns_of(first, second) == [frozenset(), {"s"}]
    await first.close()
    assert await turns_of(second) == [frozenset()]
    await second.close()
    assert [lanes.free(lane) for lane in BOTH] == [1, 1]


async def test_who_waits_for_a_lane_holds_none_that_comes_after_it():
    lanes = lanes_of()
    assert lanes.take("image")
    run = JobSlots(lanes, None, News())
    assert not run.hold("s", BOTH)
    assert lanes.free("image:p2") == 1
    await run.close()


async def test_who_holds_the_first_lane_waits_for_the_second_with_it():
    lanes = lanes_of()
    assert lanes.take("image")  # what the run comes with
    assert lanes.take("image:p2")
    run = JobSlots(lanes, "image", News())
    assert not run.hold("s", BOTH)
    lanes.give("image:p2")
    assert await turns_of(run) == [frozenset()]
    assert run.hold("s", BOTH)
    assert run.hand_over("s", "image") == BOTH
    await run.close()
    assert [lanes.free(lane) for lane in BOTH] == [0, 0]  # they are the call's now


async def test_another_target_gives_back_what_the_first_one_needed():
    lanes = lanes_of()
    run = JobSlots(lanes, None, News())
    assert run.hold("s", BOTH)
    assert run.hold("s", ("image", "image:p3"))
    assert [lanes.free(lane) for lane in ("image", "image:p2", "image:p3")] == [0, 1, 0]
    await run.close()
    assert [lanes.free(lane) for lane in ("image", "image:p2", "image:p3")] == [1, 1, 1]


async def test_who_stops_waiting_waits_no_more_at_once():
    lanes = lanes_of()
    assert lanes.take("image")
    run = JobSlots(lanes, None, News())
    assert not run.hold("s", BOTH)
    assert run.waiting == {"s"}
    await turns_of()
    run.stop_waiting()
    assert run.waiting == frozenset()
    await run.close()
    lanes.give("image")
    assert lanes.free("image") == 1


async def test_a_turn_that_comes_with_the_end_is_given_back():
    lanes = lanes_of()
    assert lanes.take("image")
    run = JobSlots(lanes, None, News())
    assert not run.hold("s", BOTH)
    await turns_of()
    lanes.give("image")  # the slot is the run's now, which does not know it yet
    await run.close()
    assert [lanes.free(lane) for lane in BOTH] == [1, 1]


async def test_a_run_may_come_without_a_slot():
    lanes = lanes_of(slots=0)
    run = JobSlots(lanes, None, News())
    run.drop_spare()
    assert run.hand_over("s", "image") == ()
    await run.close()
    assert lanes._in_use.get("image", 0) == 0
