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
