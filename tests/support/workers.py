"""A worker client for tests that does what a script says and writes down what it was asked."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.attempt import ProviderClass
from genesis.errors import AttemptCanceled, WorkerUnavailable
from genesis.ports.workers import Call, CallResult, ProviderDescription, WorkerDescription

Script = Callable[[Call], Awaitable[CallResult]]


def described(name: str, provider_class: ProviderClass = ProviderClass.OPAQUE, slots: int = 8) -> ProviderDescription:
    return ProviderDescription(name, True, "", ("m",), True, provider_class, slots)


def answer(call: Call, value: str = "out") -> CallResult:
    return CallResult({CAPABILITIES[call.capability].output_field: value}, call.options["model"])


@dataclass
class ScriptedWorkers:
    """Implements the port `WorkerClient`."""

    script: Script
    providers: tuple[ProviderDescription, ...] = (described("one"),)
    missing: set[str] = field(default_factory=set)
    calls: list[Call] = field(default_factory=list)
    cancels: list[str] = field(default_factory=list)
    under_way: dict[str, asyncio.Task] = field(default_factory=dict)

    async def describe(self, capability):
        if capability in self.missing:
            raise WorkerUnavailable("It is away.")
        return WorkerDescription(CAPABILITIES[capability].worker, capability, self.providers)

    async def generate(self, call):
        self.calls.append(call)
        task = asyncio.ensure_future(self.script(call))
        self.under_way[call.attempt] = task
        try:
            return await task
        except asyncio.CancelledError:
            if call.attempt in self.cancels:
                raise AttemptCanceled("Canceled.") from None
            raise
        finally:
            del self.under_way[call.attempt]

    async def cancel(self, capability, attempt):
        self.cancels.append(attempt)
        if task := self.under_way.get(attempt):
            task.cancel()
