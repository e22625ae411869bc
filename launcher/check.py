"""Tries every configured provider without paying: is it there, and does it take its key?"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from genesis.capabilities.catalog import CAPABILITIES
from genesis.errors import CallFailed, Misconfigured, ProviderMisconfigured
from genesis.net.client import HttpClient
from genesis.net.exchange import Request
from genesis.ports.workers import Link
from genesis.providers.base import Provider
from genesis.providers.chain import links
from genesis.providers.registry import providers
from genesis.providers.secrets import without_secrets
from genesis.providers.translation import is_own, raise_for_status
from genesis.settings import Settings

_LONGEST_SECONDS = 15.0
_MOST_BYTES = 16 * 1024 * 1024


class Verdict(StrEnum):
    OK = "ok"
    FAILED = "FAILED"
    NOT_SET = "not set"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class Finding:
    """How one provider is.

    Attributes:
        capabilities: that it serves.
        detail: how long it took, why it failed and what to do about it, or what is missing.
    """

    provider: str
    verdict: Verdict
    detail: str
    capabilities: tuple[str, ...]


def check_providers(settings: Settings) -> tuple[Finding, ...]:
    """What is found about every provider, those that are not configured included.

    Raises:
        Misconfigured: a setting of a provider, or of a chain, cannot be used.
    """
    known: dict[str, Provider] = {}
    served: dict[str, list[str]] = {}
    for capability in CAPABILITIES:
        offered = providers(settings, capability)
        chain = links(settings, capability, offered)
        if getattr(settings, f"{capability}_chain") is not None:
            _check_chain(capability, chain, offered)
        for provider in offered:
            known.setdefault(provider.name, provider)
            served.setdefault(provider.name, []).append(capability)
    return asyncio.run(_all(tuple(known.values()), served))


def _check_chain(capability: str, chain: Sequence[Link], offered: Sequence[Provider]) -> None:
    usable = {provider.name for provider in offered if not provider.missing}
    if not any(link.provider in usable for link in chain):
        linked = {link.provider for link in chain}
        missing = "; ".join(f"{one.name}: {one.missing}" for one in offered if one.name in linked)
        raise Misconfigured(f"{capability.upper()}_CHAIN names no provider that is configured.", hint=missing)


async def _all(known: Sequence[Provider], served: Mapping[str, Sequence[str]]) -> tuple[Finding, ...]:
    async with HttpClient() as client:
        findings = await asyncio.gather(*(_tried(client, provider) for provider in known))
    return tuple(
        Finding(provider.name, verdict, detail, tuple(served[provider.name]))
        for provider, (verdict, detail) in zip(known, findings, strict=True)
    )


async def _tried(client: HttpClient, provider: Provider) -> tuple[Verdict, str]:
    if provider.missing:
        return Verdict.NOT_SET, provider.missing
    request = provider.check
    if request is None:
        return Verdict.NOT_TRIED, "it can only be tried by a call"
    started = time.monotonic()
    try:
        with without_secrets(provider):
            await _try(client, provider, request)
    except CallFailed as error:
        return Verdict.FAILED, f"{error.message.rstrip('.')}. {error.hint}".strip()
    return Verdict.OK, f"answered in {(time.monotonic() - started) * 1000:.0f} ms"


async def _try(client: HttpClient, provider: Provider, request: Request) -> None:
    reply = await client.send(
        request,
        base_url=request.url if request.url in provider.own_urls else provider.base_url,
        headers=provider.headers,
        timeout_seconds=_LONGEST_SECONDS,
        max_bytes=_MOST_BYTES,
    )
    key = f"Check {provider.key_variable or 'its key'}."
    raise_for_status(reply, hints={401: key, 403: key, 404: "Check the provider's base URL."})
    if not is_own(reply):
        raise ProviderMisconfigured(
            f"The server answered {reply.status} with {reply.media_type or 'something'} instead of JSON.",
            hint="Check the provider's base URL: this seems to be a web page.",
        )
