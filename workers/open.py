"""The composition root of every worker: builds its service from the settings, and closes what it opened."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic

from genesis.capabilities.catalog import CAPABILITIES
from genesis.net.client import HttpClient
from genesis.net.fetcher import GuardedFetcher
from genesis.ports.clock import Clock, SystemClock
from genesis.providers.chain import links
from genesis.providers.registry import providers
from genesis.settings import Settings
from genesis.storage.open import open_receipts, open_store
from workers.channels import open_channel
from workers.inputs import InputFiles
from workers.keeper import ResultKeeper
from workers.memory import CallMemory
from workers.parts import PartsRunner
from workers.receipts import Receipts
from workers.runner import CallRunner
from workers.service import WorkerService


@asynccontextmanager
async def open_worker(
    capability_name: str, settings: Settings, clock: Clock | None = None
) -> AsyncIterator[WorkerService]:
    """Builds one worker from the settings and closes what it opened.

    Raises:
        Misconfigured: a setting cannot be used.
    """
    capability = CAPABILITIES[capability_name]
    chain = providers(settings, capability_name)
    store = open_store(settings)
    receipts = Receipts(open_receipts(settings), capability)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        stack.push_async_callback(receipts.close)
        client = await stack.enter_async_context(HttpClient())
        of_users, of_providers = (
            GuardedFetcher(
                max_bytes=settings.max_fetch_bytes,
                timeout_seconds=settings.fetch_timeout_seconds,
                allowed_hosts=settings.fetch_allowed_hosts,
                # A result may be paid for: it waits for no user's file, and comes as its provider sends it.
                plain_http=settings.fetch_plain_http or not is_of_users,
                limited=is_of_users,
            )
            for is_of_users in (True, False)
        )
        channels = {
            provider.name: (provider, open_channel(provider, capability_name, client, settings)) for provider in chain
        }
        for _, channel in channels.values():
            stack.push_async_callback(channel.close)
        files = InputFiles(store, of_users, settings.max_fetch_bytes)
        keeper = ResultKeeper(store, of_providers, capability.output_kind)
        call_seconds = settings.call_timeout_seconds
        chain_links = links(settings, capability_name, chain)
        limits = {one.name: one.services[capability_name].longest_audio_seconds for one in chain if not one.missing}
        parts = PartsRunner(
            capability, files, store, keeper, limits=limits, links=chain_links, call_seconds=call_seconds
        )
        runner = CallRunner(capability, files, receipts, keeper, parts, call_seconds=call_seconds)
        service = WorkerService(
            capability,
            channels,
            chain_links,
            runner,
            receipts,
            CallMemory(monotonic),
            slots=settings.worker_slots,
            clock=clock or SystemClock(),
        )
        stack.push_async_callback(service.close)
        yield service
