"""The chain of a capability as its setting writes it: which models are asked, in which order, and how they share the load.

`openai:gpt-5-mini*3 | openrouter:openai/gpt-5-mini, local` means: three of four steps begin with OpenAI and one with
OpenRouter; when the first cannot serve, the other of the two is asked, then `local` with its default model.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from genesis.errors import Misconfigured
from genesis.ports.workers import Link
from genesis.providers.base import Provider
from genesis.settings import Settings

_ENTRY = re.compile(r"(?P<provider>[a-z][a-z0-9_-]*)(:(?P<model>[^\s*]+))?(\*(?P<weight>\d{1,4}))?")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a setting.

    Attributes:
        model: the provider's default where it is empty.
        weight: its share of the load, among those that `|` joins.
    """

    provider: str
    model: str = ""
    weight: int = 1


def read_chain(written: str) -> tuple[tuple[Entry, ...], ...]:
    """The entries of a setting: groups in order, each of entries that share the load.

    Raises:
        ValueError: it cannot be read; the message says which part.
    """
    return tuple(tuple(_entry(part) for part in group.split("|")) for group in written.split(","))


def _entry(part: str) -> Entry:
    match = _ENTRY.fullmatch(part.strip())
    weight = int(match["weight"] or 1) if match else 0
    if match is None or weight == 0:
        raise ValueError(f"{part.strip()!r} is not of the form provider, provider:model or provider:model*weight")
    return Entry(match["provider"], match["model"] or "", weight)


def links(settings: Settings, capability: str, providers: Sequence[Provider]) -> tuple[Link, ...]:
    """The chain of a capability: as its setting says, else each provider's default model.

    Raises:
        Misconfigured: the setting names a provider or a model that there is not.
    """
    written = getattr(settings, f"{capability}_chain")
    if written is None:
        return tuple(
            Link(f"{provider.name}:{provider.services[capability].models[0]}", group)
            for group, provider in enumerate(providers)
        )
    by_name = {provider.name: provider for provider in providers}
    try:
        return tuple(
            Link(_target(entry, capability, by_name), group, entry.weight)
            for group, entries in enumerate(read_chain(written))
            for entry in entries
        )
    except ValueError as error:
        name = f"{capability}_chain".upper()
        raise Misconfigured(f"{name}: {error}.", hint=f"Providers are {', '.join(by_name)}.") from None


def _target(entry: Entry, capability: str, providers: Mapping[str, Provider]) -> str:
    provider = providers.get(entry.provider)
    if provider is None:
        raise ValueError(f"there is no provider `{entry.provider}` for {capability}")
    service = provider.services[capability]
    if entry.model and entry.model not in service.models and not service.any_model:
        raise ValueError(f"provider `{entry.provider}` has no model `{entry.model}` but {', '.join(service.models)}")
    return f"{entry.provider}:{entry.model or service.models[0]}"
