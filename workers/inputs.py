"""Reads the files that calls name: from the store, or from the public network."""

from genesis.domain.artifact import STORAGE_PREFIX
from genesis.errors import GenesisError, InputRejected, NotFound, StorageUnavailable, Unavailable
from genesis.net.fetcher import GuardedFetcher
from genesis.net.media import Family, family_of, sniff
from genesis.net.words import presentable
from genesis.ports.blobs import BlobStore
from genesis.providers.base import Media


class InputFiles:
    """Files by URL, or by their path below `/storage/`.

    Args:
        max_bytes: of the largest file.
    """

    def __init__(self, store: BlobStore, fetcher: GuardedFetcher, max_bytes: int) -> None:
        self._store = store
        self._fetcher = fetcher
        self._max_bytes = max_bytes

    async def read(self, url: str, family: Family) -> Media:
        """A file of this family.

        Raises:
            InputRejected: it cannot be used.
            StorageUnavailable: the store does not answer.
        """
        if not url.startswith(STORAGE_PREFIX):
            fetched = await self._fetcher.fetch(url, accept=family)
            return Media(fetched.data, fetched.media_type)
        try:
            data = await self._store.read(url.removeprefix(STORAGE_PREFIX), limit=self._max_bytes)
        except Unavailable as error:
            raise StorageUnavailable(error.message, hint=error.hint) from error
        except NotFound as error:
            raise InputRejected(
                f"The store has no file {presentable(url)}; it may have been deleted.",
                hint="Upload it again, and name it in a new job.",
            ) from error
        except GenesisError as error:
            raise InputRejected(f"{presentable(url)}: {error.message}", hint=error.hint) from error
        media_type = sniff(data)
        if family_of(media_type) != family:
            raise InputRejected(f"{url} is {media_type or 'of an unknown type'}, but {family} is wanted.")
        return Media(data, media_type)
