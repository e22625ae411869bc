"""Runs one call of one provider: input file in, exchange, output file into the store."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from genesis.capabilities.catalog import Capability, field_kind
from genesis.capabilities.fields import Kind
from genesis.domain.artifact import STORAGE_PREFIX
from genesis.errors import (
    CallFailed,
    FailureClass,
    GenesisError,
    InputRejected,
    ProviderAmbiguous,
    ProviderRateLimited,
    ProviderUnavailable,
    StorageUnavailable,
    Unavailable,
)
from genesis.net.fetcher import GuardedFetcher
from genesis.net.media import family_of, sniff
from genesis.net.words import presentable
from genesis.ports.blobs import BlobStore
from genesis.ports.workers import CallResult
from genesis.providers.base import Adapter, Done, Media, Pending, Provider, ProviderCall
from workers.channels import Channel
from workers.keeper import FAMILIES, ResultKeeper

_POLL_AGAIN_SECONDS = 1.0
_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


class CallRunner:
    """Makes calls of one capability.

    Args:
        max_bytes: largest input file.
        call_seconds: longest that the exchange with a provider may take.
    """

    def __init__(
        self,
        capability: Capability,
        store: BlobStore,
        fetcher: GuardedFetcher,
        *,
        max_bytes: int,
        call_seconds: float,
    ) -> None:
        self._capability = capability
        self._store = store
        self._fetcher = fetcher
        self._keeper = ResultKeeper(store, fetcher, capability.output_kind)
        self._max_bytes = max_bytes
        self._call_seconds = call_seconds
        self._input_field = next(iter(capability.input.model_fields))
        self._input_kind = field_kind(capability.input, self._input_field)

    async def run(
        self,
        provider: Provider,
        model: str,
        channel: Channel,
        *,
        call_key: str,
        call_input: Mapping[str, Any],
        options: Mapping[str, Any],
    ) -> CallResult:
        """One call.

        Args:
            options: checked, only those that were given.

        Raises:
            CallFailed: any of its kinds.
        """
        adapter = provider.services[self._capability.name].adapter
        given = {name: value for name, value in options.items() if name not in ("model", "provider_options")}
        deadline = asyncio.get_running_loop().time() + self._call_seconds
        try:
            async with asyncio.timeout_at(deadline):
                media = await self._input_file(call_input[self._input_field])
                call = ProviderCall(
                    model=model,
                    text="" if media else call_input[self._input_field],
                    media=media,
                    options={name: value for name, value in given.items() if name in adapter.options},
                    provider_options=options.get("provider_options") or {},
                )
                done = await _exchange(adapter, channel, call)
        except TimeoutError:
            raise ProviderAmbiguous(
                f"{provider.name} did not answer within {self._call_seconds:g} seconds.",
                hint="Raise CALL_TIMEOUT_SECONDS.",
            ) from None
        artifact = await self._keeper.keep(done, call_key, deadline)
        return CallResult(
            output={self._capability.output_field: artifact.url if artifact else done.text},
            target=f"{provider.name}:{done.model or model}",
            cost=done.cost,
            usage=done.usage,
            warnings=tuple(
                f"{provider.name} cannot honor `{name}`; it was left out."
                for name in sorted(set(given) - adapter.options)
            ),
            artifact=artifact,
        )

    async def _input_file(self, value: str) -> Media | None:
        if self._input_kind is Kind.TEXT:
            return None
        family = FAMILIES[self._input_kind]
        if not value.startswith(STORAGE_PREFIX):
            fetched = await self._fetcher.fetch(value, accept=family)
            return Media(fetched.data, fetched.media_type)
        try:
            data = await self._store.read(value.removeprefix(STORAGE_PREFIX), limit=self._max_bytes)
        except Unavailable as error:
            raise StorageUnavailable(error.message, hint=error.hint) from error
        except GenesisError as error:
            raise InputRejected(f"{presentable(value)}: {error.message}", hint=error.hint) from error
        media_type = sniff(data)
        if family_of(media_type) != family:
            raise InputRejected(f"{value} is {media_type or 'of an unknown type'}, but {family} is wanted.")
        return Media(data, media_type)


async def _exchange(adapter: Adapter, channel: Channel, call: ProviderCall) -> Done:
    done = adapter.parse_reply(await channel.send(adapter.build_request(call)))
    return await _poll(adapter, channel, done) if isinstance(done, Pending) else done


async def _poll(adapter: Adapter, channel: Channel, pending: Pending) -> Done:
    """Asks until the provider has a result; the call's deadline ends this.

    The provider has taken the call, so a poll that did not come through is only repeated, and what the provider says
    of the poll never allows to ask for the work again, which would pay twice.
    """
    while True:
        await asyncio.sleep(pending.wait_seconds)
        try:
            reply = await channel.send(pending.poll)
        except (ProviderUnavailable, ProviderRateLimited, ProviderAmbiguous):
            await asyncio.sleep(_POLL_AGAIN_SECONDS)
            continue
        try:
            answer = adapter.parse_reply(reply)
        except CallFailed as error:
            if error.failure is FailureClass.FINAL:
                raise
            if reply.status not in _PASSING and reply.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise ProviderAmbiguous(error.message, hint=error.hint, cost=error.cost) from error
            await asyncio.sleep(max(error.retry_after or 0.0, _POLL_AGAIN_SECONDS))
            continue
        if isinstance(answer, Done):
            return answer
        pending = answer
