"""A worker client for tests that does what a script says and writes down what it was asked."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.attempt import ProviderClass
from genesis.errors import AttemptCanceled, WorkerUnavailable
from genesis.ports.workers import Call, CallPending, CallResult, Link, OnDelta, ProviderDescription, WorkerDescription

Answer = CallResult | CallPending
Script = Callable[[Call], Awaitable[Answer]]


def described(name: str, provider_class: ProviderClass = ProviderClass.OPAQUE, slots: int = 8) -> ProviderDescription:
    return ProviderDescription(name, True, "", ("m",), True, provider_class, slots)


def default_links(providers: Iterable[ProviderDescription]) -> tuple[Link, ...]:
    """The chain of each provider's default model, in order."""
    return tuple(Link(f"{provider.name}:{provider.models[0]}", group) for group, provider in enumerate(providers))


def answer(call: Call, value: str = "out") -> CallResult:
    return CallResult({CAPABILITIES[call.capability].output_field: value}, call.options["model"])


async def _forgotten(call: Call) -> None:
    return None


@dataclass
class ScriptedWorkers:
    """Implements the port `WorkerClient`.

    Attributes:
        recall_script: what a worker remembers of a call; nothing unless told otherwise.
        poll_script: what has become of a pending call.
        under_way: calls that are being made, by attempt.
    """

    script: Script
    providers: tuple[ProviderDescription, ...] = (described("one"),)
    missing: set[str] = field(default_factory=set)
    shares_fate: bool = True
    recall_script: Callable[[Call], Awaitable[Answer | None]] = _forgotten
    poll_script: Callable[[Call, Mapping[str, Any]], Awaitable[Answer]] | None = None
    calls: list[Call] = field(default_factory=list)
    recalls: list[Call] = field(default_factory=list)
    polls: list[Mapping[str, Any]] = field(default_factory=list)
    cancels: list[str] = field(default_factory=list)
    under_way: dict[str, asyncio.Task] = field(default_factory=dict)

    async def describe(self, capability):
        if capability in self.missing:
            raise WorkerUnavailable("It is away.")
        return WorkerDescription(
            CAPABILITIES[capability].worker, capability, self.providers, default_links(self.providers)
        )

    async def generate(self, call, on_delta: OnDelta | None = None):
        self.calls.append(call)
        task = asyncio.ensure_future(self.script(call))
        self.under_way[call.attempt] = task
        try:
            result = await task
        except asyncio.CancelledError:
            if call.attempt in self.cancels:
                raise AttemptCanceled("Canceled.") from None
            raise
        finally:
            del self.under_way[call.attempt]
        if on_delta is not None and isinstance(result, CallResult):
            for letter in result.output.get("text", ""):
                on_delta(letter)
        return result

    async def poll(self, call, handle):
        self.polls.append(handle)
        assert self.poll_script is not None, "nothing is pending in this test"
        return await self.poll_script(call, handle)

    async def recall(self, call):
        self.recalls.append(call)
        return await self.recall_script(call)

    async def cancel(self, capability, attempt, handle=None):
        self.cancels.append(attempt)
        if task := self.under_way.get(attempt):
            task.cancel()
