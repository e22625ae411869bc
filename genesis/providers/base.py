"""What every provider is made of: pure adapters, one per capability, and a row that names them.

An adapter turns a call into a request and a reply into a result. It does no I/O, so a call can be tested, stored and
resumed as data; the worker's runner sends, polls, measures and stores.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeGuard, runtime_checkable

from genesis.domain.attempt import ProviderClass
from genesis.domain.money import Money
from genesis.domain.quantity import Quantities
from genesis.domain.transcript import Segment
from genesis.errors import ProviderUnavailable
from genesis.net.exchange import Reply, Request
from genesis.providers.options import OptionTable


@dataclass(frozen=True, slots=True)
class Media:
    """A file in memory.

    Attributes:
        media_type: found in its content.
    """

    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """What a provider is asked to do.

    Attributes:
        model: the model's name at this provider.
        text: the prompt or the text to speak; empty where the input is a file.
        media: the audio or image where the input is a file.
        options: as the capability defines them, only those that were given, without `model` and `provider_options`.
        provider_options: passed on as they are, over everything else.
        call_key: names this one call; adapters of the class `keyed` send it as their idempotency key.
        media_url: where the provider keeps the input file, once it was uploaded.
    """

    model: str
    text: str = ""
    media: Media | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    provider_options: Mapping[str, Any] = field(default_factory=dict)
    call_key: str = ""
    media_url: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """A finished call: exactly one of `text`, `media` and `media_url` is set.

    Attributes:
        media_url: where the provider keeps the result; the runner copies it at once.
        cost: as the provider reported it; None when it did not.
        cost_request: asks the provider for the cost, where it tells it only later; the adapter's `parse_cost` reads it.
        usage: the provider's own counts.
        quantities: of what the provider charges by, as far as its reply tells.
        model: the model that really served, where the provider tells.
        segments, words: of a transcription, in their order; empty where the provider does not tell.
        warnings: what could not be honored, beside what the table of options tells.
        finish_reason: why a text ended, in OpenAI's words; empty when that is not known.
    """

    text: str | None = None
    media: Media | None = None
    media_url: str | None = None
    cost: Money | None = None
    cost_request: Request | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)
    quantities: Quantities = field(default_factory=dict)
    model: str | None = None
    segments: tuple[Segment, ...] = ()
    words: tuple[Segment, ...] = ()
    warnings: tuple[str, ...] = ()
    finish_reason: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """A call that the provider goes on with: `poll` asks for its result, by plain data that can be stored.

    Attributes:
        poll: a request to the provider's own origin, without a form.
        wait_seconds: how long to wait before polling.
        cancel: tells the provider to give the call up, where it can; as plain as `poll`.
    """

    poll: Request
    wait_seconds: float = 1.0
    cancel: Request | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a streamed text, and what a provider says about the whole along the way.

    Attributes:
        finish_reason: why the text ended; None while it goes on.
        usage: the provider's own counts, as they came.
        tier: of the provider's service, where it names one.
        refusal: a piece of what the model says instead of an answer.
        last: whether nothing follows.
    """

    text: str = ""
    finish_reason: str | None = None
    usage: Any = None
    model: str | None = None
    tier: str | None = None
    refusal: str = ""
    last: bool = False


class Adapter(Protocol):
    """Translates one capability for one provider.

    Attributes:
        options: how the provider is told the capability's options; the runner warns of those that it cannot honor.
    """

    @property
    def options(self) -> OptionTable: ...

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call.

        Raises:
            ProviderRejected: the provider cannot do what was asked.
        """

    def parse_reply(self, reply: Reply) -> Done | Pending:
        """The result of a reply of any status.

        Raises:
            ProviderError: the reply is not a result; its kind says what may follow.
        """


@runtime_checkable
class VersatileAdapter(Adapter, Protocol):
    """An adapter whose models differ in the options that they can honor; `options` then holds those of all of them."""

    def options_of(self, model: str) -> OptionTable:
        """How a model is told the capability's options."""


def options_of(adapter: Adapter, model: str) -> OptionTable:
    """How a model is told the options of the adapter's capability."""
    return adapter.options_of(model) if _is_versatile(adapter) else adapter.options


def _is_versatile(adapter: Adapter) -> TypeGuard[VersatileAdapter]:
    # Every call asks this, and `isinstance` would look through all names of the protocol each time.
    return hasattr(adapter, "options_of")


@runtime_checkable
class StreamingAdapter(Adapter, Protocol):
    """An adapter of a provider that can write its text piece by piece, as server-sent events."""

    def build_stream(self, call: ProviderCall) -> Request:
        """The request for a call whose answer is streamed.

        Raises:
            ProviderRejected: the provider cannot do what was asked.
        """

    def parse_chunk(self, event: bytes) -> Chunk:
        """What the data of one event says.

        Raises:
            ProviderError: that the provider failed in the middle of its work, or that it cannot be read.
        """

    def assemble(self, whole: Chunk) -> Done:
        """The result of all chunks, the same as without streaming.

        Args:
            whole: the whole text with the last word on everything else.

        Raises:
            ProviderError: the chunks are no result.
        """


def thinks_aloud(adapter: Adapter) -> bool:
    """Whether thoughts of its models may stand before their answers in a stream, `<think>…</think>`, which are told nobody;
    such an adapter says so by an attribute `thinks_aloud`, and leaves them out of its results as well."""
    return bool(getattr(adapter, "thinks_aloud", False))


@runtime_checkable
class UploadingAdapter(Adapter, Protocol):
    """An adapter of a provider that wants larger input files uploaded before the call; uploading is free."""

    def build_upload(self, call: ProviderCall) -> Request | None:
        """The request that uploads the call's file; None where the file can go with the call.

        Raises:
            ProviderRejected: the file cannot be used.
        """

    def parse_upload(self, reply: Reply) -> str:
        """The URL under which the call names the file; it comes back as `ProviderCall.media_url`.

        Raises:
            ProviderError: the file was not taken.
        """


@runtime_checkable
class RecoverableAdapter(Adapter, Protocol):
    """An adapter of a provider that can be asked what became of a call whose reply was cut off."""

    def recover(self, headers: Mapping[str, str]) -> Pending | None:
        """Where to ask, by the headers of the reply that was cut off (lower-case names); None when they do not tell.

        What is answered is read by `parse_reply`, or by `parse_poll` where the adapter has that.
        """


class OverAndFree(ProviderUnavailable):
    """What a poll has told: the provider has given the call up, and charges nothing for it, so that it may be made again."""


@runtime_checkable
class PollingAdapter(Adapter, Protocol):
    """An adapter that can read the answer to a poll only together with what was asked."""

    def parse_poll(self, poll: Request, reply: Reply) -> Done | Pending:
        """As `parse_reply`, for the reply to a request that a `Pending` has named.

        Raises:
            ResultLost: the provider made the result and charged for it, and does not give it out.
            OverAndFree: it has given the call up and charges nothing.
            ProviderError: as `parse_reply`.
        """


@runtime_checkable
class BillingAdapter(Adapter, Protocol):
    """An adapter of a provider that tells the cost of a call only when it is asked for it."""

    def cost_request(self, headers: Mapping[str, str]) -> Request | None:
        """Asks for the cost of the call whose reply had these headers (lower-case names); None when they do not tell."""

    def parse_cost(self, reply: Reply) -> Money | None:
        """The cost that the reply to `Done.cost_request` tells; None when it does not tell it yet."""


@dataclass(frozen=True, slots=True)
class Service:
    """One capability at one provider.

    Attributes:
        models: known model names, the default first.
        any_model: whether other names are passed on.
        longest_text: characters that one call takes; None for any number.
        longest_audio_seconds: of the recording that one call takes; None for any length.
        largest_audio_bytes: of its file; None for any size. What is larger is cut like what is too long.
    """

    adapter: Adapter
    models: tuple[str, ...]
    any_model: bool = False
    longest_text: int | None = None
    longest_audio_seconds: float | None = None
    largest_audio_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider: a row of the registry.

    Attributes:
        base_url: what relative request URLs are appended to; empty for `local`, which is found when it starts.
        headers: sent with every request to the origin of `base_url`, the key among them; never logged.
        own_urls: further URLs that the operator has named and that get the headers as well.
        missing: what has to be set or installed before it can be called; empty when it can.
        key_variable: the setting that holds its key; empty where it needs none.
        check: a free request that succeeds with a valid key only; None where there is none.
        services: by capability.
        slots: calls it may have under way at once; None for as many as the worker has.
        list_prices: whether it charges what is publicly known of its models; false of a server of one's own, or of somebody
            else's, that stands where the provider's own is expected.
    """

    name: str
    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    own_urls: frozenset[str] = frozenset()
    missing: str = ""
    key_variable: str = ""
    check: Request | None = None
    provider_class: ProviderClass = ProviderClass.OPAQUE
    services: Mapping[str, Service] = field(default_factory=dict)
    slots: int | None = None
    list_prices: bool = True
