"""What engine tests share: settings, scripts for workers, and waiting for a job's end."""

import asyncio
import time

from genesis.domain.job import TERMINAL
from genesis.domain.organization import DEFAULT_ORGANIZATION
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


async def submit(engine, name="text_to_text", inputs=None, **options):
    return await engine.submit(DEFAULT_ORGANIZATION, name, inputs or {"text": "hi"}, options)


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
