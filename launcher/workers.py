"""The five workers within the gateway's process."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from genesis.capabilities.catalog import CAPABILITIES
from genesis.settings import Settings
from genesis.transport.in_process import InProcessWorkers
from workers.open import open_worker


@asynccontextmanager
async def open_in_process_workers(settings: Settings) -> AsyncIterator[InProcessWorkers]:
    """Builds all workers and reaches them without a network."""
    async with AsyncExitStack() as stack:
        workers = {name: await stack.enter_async_context(open_worker(name, settings)) for name in CAPABILITIES}
        yield InProcessWorkers(workers)
