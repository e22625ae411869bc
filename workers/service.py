"""The composition root of every worker, and its service: what it can do, its slots, its calls under way."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from genesis.capabilities.catalog import CAPABILITIES, Capability
from genesis.errors import (
    AttemptCanceled,
    CallFailed,
    GenesisError,
    InputRejected,
    ProviderAmbiguous,
    ProviderMisconfigured,
    ProviderRejected,
    WorkerBusy,
)
from genesis.net.client import HttpClient
from genesis.net.fetcher import GuardedFetcher
from genesis.net.words import presentable
from genesis.ports.workers import Call, CallResult, ProviderDescription, WorkerDescription
from genesis.providers.base import Provider
from genesis.providers.registry import providers
from genesis.settings import Settings
from genesis.storage.open import open_store
from workers.channels import Channel, open_channel
from workers.runner import CallRunner

logger = logging.getLogger(__name__)

_BUSY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Flight:
    """A call under way.

    Attributes:
        asked: input and options.
        waiting: an attempt for each who waits for it.
    """

    asked: tuple[dict[str, Any], dict[str, Any]]
    task: asyncio.Task[CallResult]
    waiting: list[str] = field(default_factory=list)


class WorkerService:
    """One worker. It holds nothing but the calls under way: one per call key, whoever asks (protocol, line 8)."""

    def __init__(
        self,
        capability: Capability,
        chain: tuple[Provider, ...],
        channels: Mapping[str, Channel],
        runner: CallRunner,
        settings: Settings,
    ) -> None:
        self._capability = capability
        self._providers = {provider.name: provider for provider in chain}
        self._channels = channels
        self._runner = runner
        self._settings = settings
        self._in_use = dict.fromkeys(self._providers, 0)
        self._flights: dict[str, _Flight] = {}

    @property
    def busy(self) -> int:
        """Calls under way."""
        return sum(self._in_use.values())

    def describe(self) -> WorkerDescription:
        """What this worker can do."""
        described = tuple(self._described(provider) for provider in self._providers.values())
        return WorkerDescription(self._capability.worker, self._capability.name, described)

    def _described(self, provider: Provider) -> ProviderDescription:
        service = provider.services[self._capability.name]
        return ProviderDescription(
            name=provider.name,
            configured=not provider.missing,
            missing=provider.missing,
            models=service.models,
            any_model=service.any_model,
            provider_class=provider.provider_class,
            slots=self._slots(provider),
        )

    def _slots(self, provider: Provider) -> int:
        return provider.slots or self._settings.worker_slots

    async def generate(self, call: Call) -> CallResult:
        """Makes one call of one provider; the first configured one where the call names no model.

        A call whose key is under way is not made again: its attempt waits for the same result.

        Raises:
            CallFailed: any of its kinds; WorkerBusy when all slots are taken, or when the key or the attempt is under
                way with another call.
        """
        asked = self._checked(call)
        flight = self._flights.get(call.call_key)
        other = self._flight_of(call.attempt)
        if (flight is not None and flight.asked != asked) or other not in (None, flight):
            raise WorkerBusy(
                "The call key or the attempt is under way with another call.",
                hint="Use new ids for a new call.",
                retry_after=_BUSY_SECONDS,
            )
        if flight is None:
            flight = self._started(call.call_key, *asked)
        return await _awaited(flight, call.attempt)

    async def cancel(self, attempt: str) -> None:
        """Gives up a call, for all attempts that wait for it; unknown attempts are ignored, since their calls are over."""
        if flight := self._flight_of(attempt):
            flight.task.cancel()

    def _flight_of(self, attempt: str) -> _Flight | None:
        return next((flight for flight in self._flights.values() if attempt in flight.waiting), None)

    def _started(self, call_key: str, call_input: dict[str, Any], options: dict[str, Any]) -> _Flight:
        provider, model = self._target(options.get("model"))
        if self._in_use[provider.name] >= self._slots(provider):
            raise WorkerBusy(
                f"All {self._slots(provider)} slots of {provider.name} are taken.", retry_after=_BUSY_SECONDS
            )

        def ended(task: asyncio.Task[CallResult]) -> None:
            self._in_use[provider.name] -= 1
            del self._flights[call_key]
            if not task.cancelled():
                task.exception()  # seen, also when nobody waits any more

        task = asyncio.create_task(self._run(provider, model, call_key, call_input, options))
        self._in_use[provider.name] += 1
        self._flights[call_key] = _Flight((call_input, options), task)
        task.add_done_callback(ended)
        return self._flights[call_key]

    async def _run(
        self, provider: Provider, model: str, call_key: str, call_input: Mapping[str, Any], options: Mapping[str, Any]
    ) -> CallResult:
        channel = self._channels[provider.name]
        try:
            return await self._runner.run(
                provider, model, channel, call_key=call_key, call_input=call_input, options=options
            )
        except CallFailed:
            raise
        except GenesisError as error:
            raise ProviderAmbiguous(error.message, hint=error.hint) from error
        except Exception as error:
            logger.exception("unexpected error in a call of %s", provider.name)
            raise ProviderAmbiguous(
                "The worker met an error of its own, so nobody knows whether the provider did the work.",
                hint="The worker's log has the details; please report it.",
            ) from error

    def _checked(self, call: Call) -> tuple[dict[str, Any], dict[str, Any]]:
        try:
            call_input = self._capability.input.model_validate(call.input)
            options = self._capability.options.model_validate(call.options)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise InputRejected(presentable(f"{place}: {first['msg']}")) from None
        return call_input.model_dump(mode="json"), options.model_dump(mode="json", exclude_none=True)

    def _target(self, model: str | None) -> tuple[Provider, str]:
        if model is None:
            provider = next((provider for provider in self._providers.values() if not provider.missing), None)
            if provider is None:
                missing = "; ".join(f"{name}: {provider.missing}" for name, provider in self._providers.items())
                raise ProviderMisconfigured(f"No provider of {self._capability.name} is configured.", hint=missing)
            return provider, provider.services[self._capability.name].models[0]
        name, _, model_name = model.partition(":")
        provider = self._providers.get(name)
        if provider is None:
            raise ProviderRejected(
                f"There is no provider `{name}` here.", hint=f"There are {', '.join(self._providers)}."
            )
        if provider.missing:
            raise ProviderMisconfigured(f"Provider `{name}` is not configured.", hint=provider.missing)
        service = provider.services[self._capability.name]
        if model_name not in service.models and not service.any_model:
            known = ", ".join(service.models)
            raise ProviderRejected(f"Provider `{name}` has no model `{model_name}`.", hint=f"It has {known}.")
        return provider, model_name


async def _awaited(flight: _Flight, attempt: str) -> CallResult:
    """The flight's result; who gives up waiting does not end it for the others, the last one does."""
    flight.waiting.append(attempt)
    try:
        await asyncio.wait({flight.task})
    except asyncio.CancelledError:
        if flight.waiting == [attempt]:
            flight.task.cancel()
            await asyncio.wait({flight.task})
        raise
    finally:
        flight.waiting.remove(attempt)
    if flight.task.cancelled():
        raise AttemptCanceled("The attempt was canceled.")
    return flight.task.result()


@asynccontextmanager
async def open_worker(capability_name: str, settings: Settings) -> AsyncIterator[WorkerService]:
    """Builds one worker from the settings and closes what it opened.

    Raises:
        Misconfigured: a setting cannot be used.
    """
    capability = CAPABILITIES[capability_name]
    chain = providers(settings, capability_name)
    store = open_store(settings)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(HttpClient())
        fetcher = GuardedFetcher(
            max_bytes=settings.max_fetch_bytes,
            timeout_seconds=settings.fetch_timeout_seconds,
            allowed_hosts=settings.fetch_allowed_hosts,
        )
        channels = {provider.name: open_channel(provider, capability_name, client, settings) for provider in chain}
        for channel in channels.values():
            stack.push_async_callback(channel.close)
        runner = CallRunner(
            capability,
            store,
            fetcher,
            max_bytes=settings.max_fetch_bytes,
            call_seconds=settings.call_timeout_seconds,
        )
        yield WorkerService(capability, chain, channels, runner, settings)
