"""What wakes a run up."""

import asyncio

import pytest

from genesis.engine.news import News


async def test_what_happened_before_the_wait_ends_it_at_once_and_counts_once():
    news = News()
    news.tell()
    news.tell()
    await news.wait()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await news.wait()


async def test_what_happens_meanwhile_ends_the_wait():
    news = News()
    waiting = asyncio.create_task(news.wait(60.0))
    await asyncio.sleep(0)
    assert not waiting.done()
    news.tell()
    news.tell()
    await asyncio.wait_for(waiting, 5.0)


async def test_the_end_of_a_task_ends_the_wait():
    news = News()
    asyncio.create_task(asyncio.sleep(0)).add_done_callback(news.tell)  # it ends at once
    await asyncio.wait_for(news.wait(), 5.0)


async def test_time_that_is_up_ends_the_wait():
    await News().wait(0.0)


async def test_a_wait_that_was_canceled_leaves_what_happens_later_to_the_next():
    news = News()
    waiting = asyncio.create_task(news.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    news.tell()
    await asyncio.wait_for(news.wait(), 5.0)
