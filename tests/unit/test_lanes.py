import asyncio

import pytest

from genesis.engine.lanes import Lanes


def nothing():
    pass


async def test_no_more_than_the_capacity_at_once_in_order_of_arrival():
    lanes = Lanes(lambda _: 2, nothing)
    running, most, order = 0, 0, []

    async def work(number):
        nonlocal running, most
        async with lanes.slot("text"):
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
    async with lanes.slot("text"):
        waiting = asyncio.create_task(anext_slot(lanes))
        await asyncio.sleep(0)
        assert lanes.free("text") == 0
    await waiting
    assert lanes.free("text") == 1


async def anext_slot(lanes):
    async with lanes.slot("text"):
        pass


async def test_a_canceled_wait_leaves_no_trace():
    lanes = Lanes(lambda _: 1, nothing)
    async with lanes.slot("text"):
        waiting = asyncio.create_task(anext_slot(lanes))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert lanes.free("text") == 1


async def test_a_cancel_that_comes_with_the_turn_hands_it_on():
    lanes = Lanes(lambda _: 1, nothing)
    first = lanes.slot("text")
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
    async with lanes.slot("text"):
        waiting = asyncio.create_task(anext_slot(lanes))
        await asyncio.sleep(0)
    assert told == []
    await waiting
    assert told == ["free"]


async def test_a_provider_has_slots_of_its_own():
    lanes = Lanes(lambda lane: {"text": 8, "text:local": 1}[lane], nothing)
    async with lanes.slot("text"), lanes.slot("text:local"):
        assert lanes.free("text") == 7
        assert lanes.free("text:local") == 0
