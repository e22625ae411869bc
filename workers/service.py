"""The composition root of every worker, and its service: what it can do, its slots, its calls under way."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from pydantic import ValidationError

from genesis.capabilities.catalog import CAPABILITIES, Capability
from genesis.errors import (
    AttemptCanceled,
    InputRejected,
    ProviderAmbiguous,
    ProviderMisconfigured,
    ProviderRejected,
    WorkerBusy,
)
from genesis.net.client import HttpClient
from genesis.net.fetcher import GuardedFetcher
from genesis.ports.workers import Call, CallResult, ProviderDescription, WorkerDescription
from genesis.providers.base import Provider
from genesis.providers.registry import providers
from genesis.settings import Settings
from genesis.storage.open import open_store
from workers.channels import Channel, open_channel
from workers.runner import CallRunner

_BUSY_SECONDS = 1.0


class WorkerService:
    """One worker. It holds nothing but the calls under way."""

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
        self._calls: dict[str, asyncio.Task[CallResult]] = {}
        self._canceled: set[str] = set()

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

        Raises:
            CallFailed: any of its kinds; WorkerBusy when all slots are taken.
        """
        call_input, options = self._checked(call)
        provider, model = self._target(options.get("model"))
        if self._in_use[provider.name] >= self._slots(provider):
            raise WorkerBusy(
                f"All {self._slots(provider)} slots of {provider.name} are taken.", retry_after=_BUSY_SECONDS
            )
        self._in_use[provider.name] += 1
        task = asyncio.create_task(self._bounded(provider, model, call.call_key, call_input, options))
        self._calls[call.attempt] = task
        try:
            return await task
        except asyncio.CancelledError:
            if call.attempt in self._canceled:
                raise AttemptCanceled("The attempt was canceled.") from None
            raise
        finally:
            self._in_use[provider.name] -= 1
            self._calls.pop(call.attempt, None)
            self._canceled.discard(call.attempt)

    async def cancel(self, attempt: str) -> None:
        """Gives up a call; unknown attempts are ignored, since their calls are over."""
        if task := self._calls.get(attempt):
            self._canceled.add(attempt)
            task.cancel()

    async def _bounded(
        self, provider: Provider, model: str, call_key: str, call_input: Mapping[str, Any], options: Mapping[str, Any]
    ) -> CallResult:
        seconds = self._settings.call_timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._runner.run(
                    provider,
                    model,
                    self._channels[provider.name],
                    call_key=call_key,
                    call_input=call_input,
                    options=options,
                )
        except TimeoutError:
            raise ProviderAmbiguous(
                f"{provider.name} did not answer within {seconds:g} seconds.", hint="Raise CALL_TIMEOUT_SECONDS."
            ) from None

    def _checked(self, call: Call) -> tuple[dict[str, Any], dict[str, Any]]:
        try:
            call_input = self._capability.input.model_validate(call.input)
            options = self._capability.options.model_validate(call.options)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise InputRejected(f"{place}: {first['msg']}") from None
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
        runner = CallRunner(capability, store, fetcher, settings.max_fetch_bytes)
        yield WorkerService(capability, chain, channels, runner, settings)
