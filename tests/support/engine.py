"""What engine tests share: settings, scripts for workers, and waiting for a job's end."""

import asyncio
import time

from genesis.domain.job import TERMINAL
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.engine.order import Order
from genesis.settings import Settings
from tests.support.workers import answer

SETTINGS = Settings(retry_base_seconds=0.01, retry_cap_seconds=0.05, drain_seconds=5)


async def ended(engine, job, *, within=20.0):
    deadline = time.monotonic() + within
    while job.status not in TERMINAL:
        assert time.monotonic() < deadline, f"it has not ended: {job}"
        await asyncio.sleep(0.01)
        job = await engine.job(DEFAULT_ORGANIZATION, job.id)
    return job


async def attempts_closed(engine, job, *, within=20.0):
    """The job once no attempt of it is open any more; some outlive their job."""
    deadline = time.monotonic() + within
    while (job := await engine.job(DEFAULT_ORGANIZATION, job.id)).open_attempts:
        assert time.monotonic() < deadline, f"an attempt stays open: {job}"
        await asyncio.sleep(0.02)
    return job


async def submit(engine, name="text_to_text", inputs=None, order=None, **options):
    """The job of a new order; `order` holds what is neither an input nor an option."""
    given = Order(name, inputs or {"text": "hi"}, options, **(order or {}))
    return (await engine.submit(DEFAULT_ORGANIZATION, given)).job


def soon(milliseconds=50):
    """An order of a job that starts a moment later: it is claimed, and takes no head start."""
    return {"not_before": time.time_ns() // 1_000_000 + milliseconds}


async def until(condition, *, within=20.0):
    """Returns once the condition holds."""
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.005)


def failing(*errors):
    """Raises these one after the other, then answers."""
    left = list(errors)

    async def script(call):
        if left:
            raise left.pop(0)
        return answer(call)

    return script


async def always(call):
    return answer(call)


async def never(call):
    await asyncio.Event().wait()
