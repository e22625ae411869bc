import asyncio
from contextlib import asynccontextmanager

import pytest

from genesis.engine.lanes import Lanes


@asynccontextmanager
async def slot(lanes, lane="text"):
    await lanes.wait(lane)
    try:
        yield
    finally:
        lanes.give(lane)


def nothing():
    pass


async def test_no_more_than_the_capacity_at_once_in_order_of_arrival():
    lanes = Lanes(lambda _: 2, nothing)
    running, most, order = 0, 0, []

    async def work(number):
        nonlocal running, most
        async with slot(lanes):
            order.append(number)
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*(work(number) for number in range(20)))
    assert most == 2
    assert order == list(range(20))
    assert lanes.free("text") == 2


async def test_those_who_wait_count_as_taken():
    lanes = Lanes(lambda _: 1, nothing)
    async with slot(lanes):
        waiting = asyncio.create_task(anext_slot(lanes))
        await asyncio.sleep(0)
        assert lanes.free("text") == 0
    await waiting
    assert lanes.free("text") == 1


async def anext_slot(lanes):
    async with slot(lanes):
        pass


async def test_a_canceled_wait_leaves_no_trace():
    lanes = Lanes(lambda _: 1, nothing)
    async with slot(lanes):
        waiting = asyncio.create_task(anext_slot(lanes))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert lanes.free("text") == 1


async def test_a_cancel_that_comes_with_the_turn_hands_it_on():
    lanes = Lanes(lambda _: 1, nothing)
    first = slot(lanes)
    await first.__aenter__()
    unlucky = asyncio.create_task(anext_slot(lanes))
    lucky = asyncio.create_task(anext_slot(lanes))
    await asyncio.sleep(0)
    await first.__aexit__(None, None, None)  # the turn is `unlucky`'s now, but it has not run yet
    unlucky.cancel()
    await asyncio.wait_for(lucky, 5)
    assert lanes.free("text") == 1


async def test_growing_capacity_lets_waiting_ones_in():
    capacity = 0
    lanes = Lanes(lambda _: capacity, nothing)
    waiting = asyncio.create_task(anext_slot(lanes))
    await asyncio.sleep(0)
    assert not waiting.done()
    capacity = 1
    lanes.refresh("text")
    await asyncio.wait_for(waiting, 5)


async def test_a_free_slot_that_nobody_waits_for_is_told():
    told = []
    lanes = Lanes(lambda _: 1, lambda: told.append("free"))
    async with slot(lanes):
        waiting = asyncio.create_task(anext_slot(lanes))
        await asyncio.sleep(0)
    assert told == []
    await waiting
    assert told == ["free"]


async def test_a_provider_has_slots_of_its_own():
    lanes = Lanes(lambda lane: {"text": 8, "text:local": 1}[lane], nothing)
    async with slot(lanes), slot(lanes, "text:local"):
        assert lanes.free("text") == 7
        assert lanes.free("text:local") == 0


async def test_what_is_taken_at_once_is_what_was_free():
    lanes = Lanes(lambda _: 3, nothing)
    assert lanes.take("text", 2) == 2
    assert lanes.take("text", 2) == 1
    assert lanes.take("text") == 0
    lanes.return_unused("text", 3)
    assert lanes.free("text") == 3


def in_use(slots, **capacities):
    """Lanes with so many slots each, of which `text` has some in use, and what they have told."""
    told = []
    lanes = Lanes(lambda lane: capacities.get(lane, 8), lambda: told.append(lanes.capacity("text")))
    lanes.take("text", slots)
    return lanes, told


async def test_a_refusal_leaves_a_lane_what_is_under_way():
    lanes, told = in_use(5)
    for left in (4, 3):
        lanes.refused("text")
        lanes.give("text")
        assert (lanes.capacity("text"), lanes.free("text")) == (left, 0)
    assert lanes.capacity("image") == 8
    assert told == [], "nobody is told of a slot that the worker does not have"
    lanes.give("text")
    assert lanes.free("text") == 1


async def test_a_lane_may_have_nothing_at_all_for_a_while(monkeypatch):
    monkeypatch.setattr("genesis.engine.lanes._GROW_SECONDS", 0.05)
    lanes, told = in_use(1)
    lanes.refused("text")
    lanes.give("text")
    assert lanes.capacity("text") == 0
    waiting = asyncio.create_task(anext_slot(lanes))
    async with asyncio.timeout(5):
        await waiting
    while lanes.capacity("text") < 8:
        await asyncio.sleep(0.01)
    assert told[0] == 1, "whoever waits inside a run goes first, then the queue is told"
    assert told == sorted(told)


async def test_success_makes_a_lane_grow_only_once_a_new_try_went_well(monkeypatch):
    lanes, _ = in_use(4)
    lanes.refused("text")
    for _ in range(3):
        lanes.served("text")
    assert lanes.capacity("text") == 3, "these calls began before the refusal"
    lanes._try_more("text")
    assert lanes.capacity("text") == 4
    lanes.served("text")
    assert lanes.capacity("text") == 5
    lanes.refused("text")
    lanes.served("text")
    assert lanes.capacity("text") == 3
    for _ in range(5):
        lanes._try_more("text")
    assert (lanes.capacity("text"), lanes._limits) == (8, {})
    lanes.served("text")
    assert lanes.capacity("text") == 8


async def test_a_worker_that_is_missing_has_no_slots_whatever_it_took_before():
    capacities = {"text": 8}
    lanes = Lanes(lambda lane: capacities[lane], nothing)
    lanes.take("text", 4)
    lanes.refused("text")
    capacities["text"] = 0
    assert lanes.capacity("text") == 0
