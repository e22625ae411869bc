"""Runs one call of one provider: input file in, exchange, output file into the store."""

import asyncio
from collections.abc import Mapping
from typing import Any

from genesis.capabilities.catalog import Capability, field_kind
from genesis.capabilities.fields import Kind
from genesis.domain.artifact import STORAGE_PREFIX, Artifact
from genesis.errors import CallFailed, FailureClass, GenesisError, InputRejected, ProviderAmbiguous, ProviderRejected
from genesis.net.fetcher import GuardedFetcher
from genesis.net.media import Family, extension, family_of, sniff
from genesis.ports.blobs import BlobStore
from genesis.ports.workers import CallResult
from genesis.providers.base import Adapter, Done, Media, Pending, Provider, ProviderCall
from workers.channels import Channel

_FAMILIES: Mapping[Kind, Family] = {Kind.IMAGE_URL: "image", Kind.AUDIO_URL: "audio"}
_FOLDERS = {Kind.IMAGE_URL: "images", Kind.AUDIO_URL: "audio"}


class CallRunner:
    """Makes calls of one capability."""

    def __init__(self, capability: Capability, store: BlobStore, fetcher: GuardedFetcher, max_bytes: int) -> None:
        self._capability = capability
        self._store = store
        self._fetcher = fetcher
        self._max_bytes = max_bytes
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
        media = await self._input_file(call_input[self._input_field])
        call = ProviderCall(
            model=model,
            text="" if media else call_input[self._input_field],
            media=media,
            options={name: value for name, value in given.items() if name in adapter.options},
            provider_options=options.get("provider_options") or {},
        )
        request = adapter.build_request(call)
        done = adapter.parse_reply(await channel.send(request))
        if isinstance(done, Pending):
            done = await _poll(adapter, channel, done)
        artifact = await self._output_file(done, call_key)
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
        family = _FAMILIES[self._input_kind]
        if not value.startswith(STORAGE_PREFIX):
            fetched = await self._fetcher.fetch(value, accept=family)
            return Media(fetched.data, fetched.media_type)
        try:
            data = await self._store.read(value.removeprefix(STORAGE_PREFIX), limit=self._max_bytes)
        except GenesisError as error:
            raise InputRejected(f"{value}: {error.message}", hint=error.hint) from error
        media_type = sniff(data)
        if family_of(media_type) != family:
            raise InputRejected(f"{value} is {media_type or 'of an unknown type'}, but {family} is wanted.")
        return Media(data, media_type)

    async def _output_file(self, done: Done, call_key: str) -> Artifact | None:
        kind = self._capability.output_kind
        if kind is Kind.TEXT:
            return None
        family = _FAMILIES[kind]
        media = done.media
        if media is None and done.media_url:
            media = await self._copy(done.media_url, family)
        if media is None:
            raise ProviderRejected(f"The provider answered without {family}.")
        media_type = sniff(media.data)
        if family_of(media_type) != family:
            raise ProviderRejected(f"The provider answered with {media_type or media.media_type} instead of {family}.")
        return await self._store.write(f"{_FOLDERS[kind]}/{call_key}.{extension(media_type)}", media.data, media_type)

    async def _copy(self, url: str, family: Family) -> Media:
        try:
            fetched = await self._fetcher.fetch(url, accept=family)
        except InputRejected as error:
            # It was made and perhaps paid for; asking for another would pay twice.
            raise ProviderAmbiguous(f"The provider's result could not be copied: {error.message}") from error
        return Media(fetched.data, fetched.media_type)


async def _poll(adapter: Adapter, channel: Channel, pending: Pending) -> Done:
    """Asks until the provider has a result.

    The provider has taken the call, so a poll that fails is only repeated: whatever it says of the poll, asking for
    the work again would pay twice. The call's deadline ends this.
    """
    while True:
        await asyncio.sleep(pending.wait_seconds)
        try:
            answer = adapter.parse_reply(await channel.send(pending.poll))
        except CallFailed as error:
            if error.failure is FailureClass.FINAL:
                raise
            await asyncio.sleep(error.retry_after or 0.0)
            continue
        if isinstance(answer, Done):
            return answer
        pending = answer
