"""Keeps files in order, beside all else: what is due is deleted, what nobody refers to is swept, what is new is examined."""

import asyncio
import hashlib
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from collections.abc import Set as AbstractSet
from contextlib import aclosing
from dataclasses import dataclass, replace

from genesis.domain.artifact import Artifact
from genesis.domain.file import UPLOADS, File, MediaDetails, ids_in, peaks_key, thumbnail_key
from genesis.domain.identity import Milliseconds
from genesis.errors import Conflict, GenesisError, NotFound, Unavailable
from genesis.files.contents import delete_contents, on_this_machine, remove_old_copies
from genesis.files.examiner import Examiner
from genesis.ports.blobs import BlobStore
from genesis.ports.clock import Clock
from genesis.ports.files import FileRecords
from genesis.settings import Settings

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 5.0
"""What jobs have made is noticed this late; what was uploaded here, at once."""
_EXPIRE_SECONDS = 60.0
_TIDY_SECONDS = 600.0
_SWEEPS_PER_AGE = 4
"""Contents are looked through so many times while one grows old enough to be an orphan."""
_EXAMINED_AT_ONCE = 32
_EXPIRED_AT_ONCE = 200
_SWEPT_AT_ONCE = 1000
_HOUR_MILLISECONDS = 3_600_000
_RECEIPT_MILLISECONDS = 30 * 24 * _HOUR_MILLISECONDS
"""A backup without files that is restored finds them for so long."""
_INCOMING = "incoming/"
_FIRST_PAUSE_MILLISECONDS = 4_000
"""Before a file is examined again that could not be; doubled each time."""
_LONGEST_PAUSE_MILLISECONDS = _HOUR_MILLISECONDS
_MOST_FAILURES = 20
"""Of one round; the store is away then."""


@dataclass(frozen=True, slots=True)
class _PutOff:
    """Until when a file is left alone that could not be examined."""

    until: Milliseconds
    pause: Milliseconds = _FIRST_PAUSE_MILLISECONDS


class Upkeep:
    """Work on files that nobody waits for. Several processes may do it at once: what one has done, others find done."""

    def __init__(
        self,
        store: BlobStore,
        receipts: BlobStore,
        records: FileRecords,
        examiner: Examiner,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._store = store
        self._receipts = receipts
        self._records = records
        self._examiner = examiner
        self._clock = clock
        self._orphan_hours = settings.orphan_hours
        days = settings.file_retention_days
        self._retention_ms = None if days is None else round(days * 24 * _HOUR_MILLISECONDS)
        self._news = asyncio.Event()
        self._put_off: dict[str, _PutOff] = {}

    def look(self) -> None:
        """There is a new file: it is examined at once."""
        self._news.set()

    async def run(self) -> None:
        """Works until it is canceled; whatever fails is tried again later."""
        sweep_seconds = self._orphan_hours * 3600 / _SWEEPS_PER_AGE
        async with asyncio.TaskGroup() as group:
            group.create_task(self._repeat("files are not examined", self.examine, _LOOK_SECONDS, self._news))
            group.create_task(self._repeat("files are not deleted when due", self.expire, _EXPIRE_SECONDS))
            group.create_task(self._repeat("temporary files are not deleted", self.tidy, _TIDY_SECONDS))
            # Processes that start together do not sweep together.
            first = random.uniform(0, sweep_seconds)  # noqa: S311
            group.create_task(self._repeat("the store is not swept", self.sweep, sweep_seconds, first=first))
            group.create_task(self._repeat("receipts are not swept", self.sweep_receipts, sweep_seconds, first=first))

    async def examine(self) -> None:
        """Looks into the files that nobody has looked into, and notes what there is.

        One that cannot be read now holds up no other, and is left alone for longer each time.
        """
        last, failures, left = "", 0, set[str]()
        while files := await self._records.unexamined(_EXAMINED_AT_ONCE, after=last):
            last = files[-1].id
            # Another process most likely begins with another one.
            for file in random.sample(files, len(files)):
                earlier = self._put_off.get(file.id)
                if earlier is None or earlier.until <= self._clock.now():
                    try:
                        await self._examine(file)
                        continue
                    except GenesisError as error:
                        logger.warning("file %s is not examined now: %s %s", file.id, error.message, error.hint)
                        self._put_off[file.id] = self._later(earlier)
                        failures += 1
                        if failures == _MOST_FAILURES:
                            return
                left.add(file.id)
        self._put_off = {file: self._put_off[file] for file in left}

    async def expire(self) -> None:
        """Deletes the files whose time is over, those aside that are in use; none while a restored platform waits."""
        if await self._records.awaits_word():
            return
        while files := await self._records.expire(self._clock.now(), _EXPIRED_AT_ONCE, self._retention_ms):
            failures = 0
            for file in files:
                try:
                    await delete_contents(self._store, file)
                except Unavailable as error:
                    failures += 1
                    if failures == _MOST_FAILURES:
                        raise
                    logger.warning("the content of file %s is left for the next sweep: %s", file.id, error.message)
            if failures or len(files) < _EXPIRED_AT_ONCE:
                return

    async def tidy(self) -> None:
        """Deletes what processes that were killed have left on this machine."""
        await asyncio.to_thread(remove_old_copies)

    async def sweep(self) -> int:
        """Deletes old contents that belong to no file and to no call of a job that may go on; returns how many.

        Contents whose names hold no id were put there by hand, and are left alone. While a restored platform waits for a
        word, all are: they may be younger than the backup, and be told of by a newer one.
        """
        if await self._records.awaits_word():
            return 0
        before = self._clock.now() - round(self._orphan_hours * _HOUR_MILLISECONDS)
        swept = 0
        async for batch in _old(self._store, before):
            swept += await _delete(self._store, await self._orphans(batch))
        if swept:
            logger.info("%d contents of the store were deleted, which nothing referred to", swept)
        await self._store.remove_remains(before)
        return swept

    async def sweep_receipts(self) -> int:
        """Deletes old receipts of calls whose outcome is known; returns how many. None while a restored platform waits."""
        if await self._records.awaits_word():
            return 0
        swept = 0
        async for batch in _old(self._receipts, self._clock.now() - _RECEIPT_MILLISECONDS):
            doubts = await self._records.in_doubt(set[str]().union(*batch.values()))
            swept += await _delete(self._receipts, [key for key, ids in batch.items() if ids.isdisjoint(doubts)])
        return swept

    async def _orphans(self, batch: Mapping[str, AbstractSet[str]]) -> list[str]:
        all_ids = set[str]().union(*batch.values())
        known = await self._records.known(all_ids, self._clock.now(), self._retention_ms)
        # What comes to `incoming` when its file is complete is nobody's; nor is what was taken in beside a file's content.
        waiting = await self._records.waiting(all_ids)
        recorded = await self._records.recorded([key for key in batch if key.startswith(UPLOADS)])

        def is_orphan(key: str, ids: AbstractSet[str]) -> bool:
            if key.startswith(UPLOADS):
                return key not in recorded
            return ids.isdisjoint(waiting if key.startswith(_INCOMING) else known)

        return [key for key, ids in batch.items() if is_orphan(key, ids)]

    async def _examine(self, file: File) -> None:
        try:
            artifact = await self._measured(file)
            async with on_this_machine(self._store, file.key) as path:
                found = await self._examiner.examine(path, file.media_type)
        except NotFound:
            if (await self._records.known({file.id})) == set():
                return  # it was deleted meanwhile
            await self._check_there_is_a_store()
            await self._records.examined(
                file.id,
                Artifact(file.key, file.media_type, file.size or 0, file.sha256 or ""),
                MediaDetails(),
                "The content of this file is missing in the store.",
            )
            return
        for width, data in found.thumbnails.items():
            await self._keep(thumbnail_key(file.id, width), data, "image/webp")
        if found.peaks:
            await self._keep(peaks_key(file.id), found.peaks, "application/json")
        await self._records.examined(file.id, artifact, found.details, found.problem)
        if not await self._records.known({file.id}):  # whoever has deleted it meanwhile did not know of these
            await delete_contents(self._store, replace(file, details=found.details))

    async def _check_there_is_a_store(self) -> None:
        """Returns when something is in the store.

        Raises:
            Unavailable: nothing is, or it cannot be told: what is missing may be missing with all else.
        """
        async with aclosing(self._store.blobs()) as blobs:
            if await anext(blobs, None) is None:
                raise Unavailable(
                    "The store is empty.", hint="Check that STORAGE_URL or STORAGE_PATH names the right one."
                )

    def _later(self, earlier: _PutOff | None) -> _PutOff:
        pause = _FIRST_PAUSE_MILLISECONDS
        if earlier is not None:
            pause = min(2 * earlier.pause, _LONGEST_PAUSE_MILLISECONDS)
        return _PutOff(self._clock.now() + pause, pause)

    async def _measured(self, file: File) -> Artifact:
        """The file's content with its size and digest, which are not known of what earlier versions have made."""
        size, sha256 = file.size, file.sha256
        if size is None or sha256 is None:
            digest, size = hashlib.sha256(), 0
            async for piece in self._store.pieces(file.key):
                digest.update(piece)
                size += len(piece)
            sha256 = digest.hexdigest()
        return Artifact(file.key, file.media_type, size, sha256)

    async def _keep(self, key: str, data: bytes, media_type: str) -> None:
        try:
            await self._store.write(key, data, media_type)
        except Conflict:  # another process has made it as well, with another version of a library
            logger.debug("%s is there already", key)

    async def _repeat(
        self,
        trouble: str,
        work: Callable[[], Awaitable[object]],
        seconds: float,
        news: asyncio.Event | None = None,
        *,
        first: float = 0.0,
    ) -> None:
        """Does some work every so often, and when there are news of it."""
        await asyncio.sleep(first)
        while True:
            if news is not None:
                news.clear()
            try:
                await work()
            except GenesisError as error:
                logger.warning("%s: %s", trouble, error.message)
            except Exception:
                logger.exception("%s", trouble)
            try:
                async with asyncio.timeout(seconds):
                    await (asyncio.sleep(seconds) if news is None else news.wait())
            except TimeoutError:
                continue


async def _old(store: BlobStore, before: Milliseconds) -> AsyncIterator[Mapping[str, AbstractSet[str]]]:
    """The keys of contents that were stored before a moment, in batches, with the ids that they name; those without are
    nobody's business."""
    batch = dict[str, AbstractSet[str]]()
    async for blob in store.blobs():
        if blob.modified_at < before and (ids := ids_in(blob.key)):
            batch[blob.key] = ids
        if len(batch) >= _SWEPT_AT_ONCE:
            yield batch
            batch = {}
    if batch:
        yield batch


async def _delete(store: BlobStore, keys: Collection[str]) -> int:
    """Deletes contents, and returns how many; some may fail, but not all that there are."""
    failures = 0
    for key in keys:
        try:
            await store.delete(key)
        except Unavailable as error:
            failures += 1
            if failures == _MOST_FAILURES:
                raise
            logger.warning("%s is not swept now: %s", key, error.message)
    return len(keys) - failures
