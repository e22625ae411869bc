"""The workers, as the engine sees them: what they can do, and one call at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from genesis.domain.artifact import Artifact
from genesis.domain.attempt import ProviderClass
from genesis.domain.identity import Milliseconds
from genesis.domain.money import Money
from genesis.domain.quantity import Quantities


@dataclass(frozen=True, slots=True)
class ProviderDescription:
    """A provider as a worker knows it.

    Attributes:
        configured: whether it can be called now.
        missing: what has to be set or installed when it cannot.
        models: known model names, the default first.
        any_model: whether other names are passed on to the provider.
        slots: calls it may have under way at once.
        longest_text: characters that one call takes; None for any number.
        longest_audio_seconds: of the recording that one call takes; None for any length.
        list_prices: whether it charges what is publicly known of its models, and is not a server of somebody else that
            stands in its place.
    """

    name: str
    configured: bool
    missing: str
    models: tuple[str, ...]
    any_model: bool
    provider_class: ProviderClass
    slots: int
    longest_text: int | None = None
    longest_audio_seconds: float | None = None
    list_prices: bool = True


@dataclass(frozen=True, slots=True)
class Link:
    """A model of a chain.

    Attributes:
        target: as `provider:name`.
        group: its place in the chain; links of one group share the load.
        weight: its share of it.
    """

    target: str
    group: int
    weight: int = 1

    @property
    def provider(self) -> str:
        return self.target.partition(":")[0]


@dataclass(frozen=True)  # without slots, so that what every job asks for is found out once
class WorkerDescription:
    """What a worker says of itself.

    Attributes:
        providers: all that it knows.
        links: the models that steps are tried with which name none, in order.
    """

    worker: str
    capability: str
    providers: tuple[ProviderDescription, ...]
    links: tuple[Link, ...]

    @cached_property
    def chain(self) -> tuple[Link, ...]:
        """The links whose providers can be called."""
        configured = {provider.name for provider in self.providers if provider.configured}
        return tuple(link for link in self.links if link.provider in configured)

    @cached_property
    def shares_load(self) -> bool:
        """Whether any links of the chain share the load."""
        return len({link.group for link in self.chain}) < len(self.chain)

    @cached_property
    def provider_classes(self) -> Mapping[str, ProviderClass]:
        """The providers' classes by their names."""
        return {provider.name: provider.provider_class for provider in self.providers}

    @cached_property
    def first(self) -> tuple[ProviderDescription, ...]:
        """The providers that steps are tried with first; more than one where they share the load."""
        chain = self.chain
        names = {link.provider for link in chain if link.group == chain[0].group}
        return tuple(provider for provider in self.providers if provider.name in names)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one provider.

    Attributes:
        attempt: id of the attempt, by which it can be canceled.
        call_key: names this one intended provider call.
        input, options: as the capability defines them; `options` names the model as `provider:name`.
        not_after: the worker refuses a call that arrives later, by this machine's clock; 0 for no limit.
    """

    attempt: str
    call_key: str
    capability: str
    input: Mapping[str, Any]
    options: Mapping[str, Any]
    not_after: Milliseconds = 0


@dataclass(frozen=True, slots=True)
class CallResult:
    """What a call returned.

    Attributes:
        output: as the capability defines it; files are already in the store.
        target: the model that served, as `provider:name`.
        cost: as the provider reported it; None when unknown.
        usage: the provider's own counts.
        quantities: of what providers charge by.
        warnings: what it could not honor.
        artifact: the stored file where the output is one.
    """

    output: Mapping[str, Any]
    target: str
    cost: Money | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)
    quantities: Quantities = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    artifact: Artifact | None = None


@dataclass(frozen=True, slots=True)
class CallPending:
    """The provider goes on with the call.

    Attributes:
        handle: by which its adapter asks for the result; plain data, to be stored.
        wait_seconds: how long to wait before asking.
    """

    handle: Mapping[str, Any]
    wait_seconds: float


OnDelta = Callable[[str], None]
"""Told each piece of text as it is written; called in the event loop."""


class WorkerClient(Protocol):
    """Talks to the worker of each capability.

    Attributes:
        shares_fate: whether the workers live in this process, so that calls of an earlier process are over.
    """

    @property
    def shares_fate(self) -> bool: ...

    async def describe(self, capability: str) -> WorkerDescription:
        """What the worker can do.

        Raises:
            WorkerUnavailable: it does not answer.
        """

    async def generate(self, call: Call, on_delta: OnDelta | None = None) -> CallResult | CallPending:
        """Makes one call.

        Raises:
            CallFailed: any of its kinds; WorkerLost when the call was sent and the worker then said nothing.
        """

    async def poll(self, call: Call, handle: Mapping[str, Any]) -> CallResult | CallPending:
        """Asks for the result of a pending call; asking again is always safe.

        Raises:
            CallFailed: what became of the call. WorkerUnavailable and WorkerLost say nothing about it.
        """

    async def recall(self, call: Call) -> CallResult | CallPending | None:
        """Asks the worker what became of a call that was sent, and waits for it where it is under way.

        None when the worker knows nothing of it, which proves nothing: another worker may.

        Raises:
            CallFailed: what became of the call. WorkerUnavailable and WorkerLost say nothing about it.
        """

    async def cancel(self, capability: str, attempt: str, handle: Mapping[str, Any] | None = None) -> None:
        """Asks the worker to give up a call; its `generate` then ends. Unknown attempts are ignored.

        Args:
            handle: of a pending call, so that the provider can be told as well.
        """
