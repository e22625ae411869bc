"""Keeps what a provider has made: checked by its content and in the store, or known to be lost."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from genesis.capabilities.fields import Kind
from genesis.domain.artifact import Artifact
from genesis.domain.identity import new_id
from genesis.errors import Conflict, GenesisError, ProviderRejected, ResultLost, Unavailable
from genesis.net.fetcher import FetchInterrupted, GuardedFetcher
from genesis.net.media import Family, extension, family_of, sniff
from genesis.ports.blobs import BlobStore
from genesis.providers.base import Done, Media
from workers.conversion import ConversionFailed, converted
from workers.verification import is_whole

Result = TypeVar("Result")

FAMILIES: Mapping[Kind, Family] = {Kind.IMAGE_URL: "image", Kind.AUDIO_URL: "audio"}
_FOLDERS = {Kind.IMAGE_URL: "images", Kind.AUDIO_URL: "audio"}

_MARGIN_SECONDS = 1.0
_LEAST_SECONDS = 5.0
"""Even after the deadline; whoever waits for the answer waits longer than for two such times."""
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0


class ResultKeeper:
    """Keeps the results of one capability.

    A result may have been paid for and cannot be asked for again, so what may pass is tried again until the call's
    deadline, and for some seconds in any case.
    """

    def __init__(self, store: BlobStore, fetcher: GuardedFetcher, kind: Kind) -> None:
        self._store = store
        self._fetcher = fetcher
        self._kind = kind

    async def keep(
        self, done: Done, call_key: str, deadline: float, wanted: str | None = None
    ) -> tuple[Artifact | None, tuple[str, ...]]:
        """Stores the result, and warns where it could not be had as it was wanted; None where it is a text.

        Args:
            deadline: of the call, on the event loop's clock.
            wanted: the file's format; None for any.

        Raises:
            ProviderRejected: it is not what was asked for.
            ResultLost: it cannot be copied from the provider, or not be stored.
        """
        if self._kind is Kind.TEXT:
            return None, ()
        family = FAMILIES[self._kind]
        media = (await self.fetched(done, deadline)).media
        if media is None:
            raise ProviderRejected(f"The provider answered without {family}.", cost=done.cost)
        media_type = sniff(media.data)
        if family_of(media_type) != family:
            found = media_type or "a file of an unknown type"
            raise ProviderRejected(f"The provider answered with {found} instead of {family}.", cost=done.cost)
        if not await asyncio.to_thread(is_whole, media.data, media_type):
            raise ProviderRejected(f"The provider answered with a broken or empty {media_type} file.", cost=done.cost)
        stored, warnings = await _as_wanted(Media(media.data, media_type), wanted)
        return await _until(deadline, done, "stored", lambda: self._write(call_key, stored)), warnings

    async def fetched(self, done: Done, deadline: float) -> Done:
        """The result with its file, where the provider keeps that.

        Raises:
            ResultLost: it cannot be copied from the provider.
        """
        url = done.media_url
        if self._kind is Kind.TEXT or done.media is not None or not url:
            return done
        copy = await _until(deadline, done, "copied", lambda: self._copy(url, FAMILIES[self._kind]))
        return replace(done, media=copy, media_url=None)

    async def _copy(self, url: str, family: Family) -> Media:
        fetched = await self._fetcher.fetch(url, accept=family)
        return Media(fetched.data, fetched.media_type)

    async def _write(self, name: str, media: Media) -> Artifact:
        key = f"{_FOLDERS[self._kind]}/{{}}.{extension(media.media_type)}"
        try:
            return await self._store.write(key.format(name), media.data, media.media_type)
        except Conflict:
            # An earlier sending of this call has made another file, which somebody may know already. The call's key goes
            # along, so that nobody sweeps this one before it is recorded.
            return await self._store.write(key.format(f"{new_id()}-{name}"), media.data, media.media_type)


async def _as_wanted(media: Media, wanted: str | None) -> tuple[Media, tuple[str, ...]]:
    """The file in the wanted format; as it is where that cannot be, since it may have been paid for."""
    if wanted is None:
        return media, ()
    try:
        return await converted(media, wanted), ()
    except ConversionFailed as error:
        return media, (f"The file could not be made {wanted} and is {media.media_type} as it came: {error.message}.",)


async def _until(deadline: float, done: Done, verb: str, work: Callable[[], Awaitable[Result]]) -> Result:
    """What `work` gives, at last.

    Raises:
        ResultLost: it failed for good, or time is up.
    """
    loop = asyncio.get_running_loop()
    until = max(deadline - _MARGIN_SECONDS, loop.time() + _LEAST_SECONDS)
    pause = _FIRST_PAUSE_SECONDS
    failure = GenesisError("It took too long.")
    try:
        async with asyncio.timeout_at(until):
            while True:
                try:
                    return await work()
                except (Unavailable, FetchInterrupted) as error:
                    failure = error
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
    except TimeoutError:
        pass
    except GenesisError as error:
        failure = error
    raise ResultLost(
        f"The provider has made the result, but it could not be {verb}: {failure.message}",
        hint=failure.hint,
        cost=done.cost,
    ) from failure
