"""Files as the gateway offers them: taken in, announced, looked up, shared and deleted."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from weakref import WeakValueDictionary

from genesis.domain.artifact import Artifact
from genesis.domain.file import File, FileSource, FileState, arrival_name, incoming_key
from genesis.domain.identity import Milliseconds, new_id
from genesis.errors import CommitUnknown, Conflict, Gone, NotFound, Unavailable
from genesis.files.contents import delete_contents, on_this_machine, pieces_of_file
from genesis.files.examiner import Examiner
from genesis.files.incoming import take_in
from genesis.files.receiving import announced, check_size, content_key, receive
from genesis.files.signing import check_signed, signed
from genesis.files.upkeep import Upkeep
from genesis.ports.blobs import BlobStore, Presigned
from genesis.ports.clock import Clock
from genesis.ports.files import EVERY_FILE, FileFilter, FilePage, FileRecords
from genesis.settings import Settings

logger = logging.getLogger(__name__)

MOST_UPLOADS = 32
"""Uploads that a process takes in at once; each holds a piece in memory and a file open."""

_LINK_SECRET = "links"  # noqa: S105  # the name of the secret
_COMPLETION_SECONDS = 3600
"""A waiting file is kept so much longer than its link: what arrives at the last moment can still be completed."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the sender of a file says about it.

    Attributes:
        expires_in: seconds after its arrival at which it is deleted; None for as its organization or the settings say.
        strip_metadata: store it without what is said in it about it: where a picture was taken, by whom.
    """

    name: str = ""
    expires_in: int | None = None
    strip_metadata: bool = False


@dataclass(frozen=True, slots=True)
class Announced:
    """A file whose content is still to be sent.

    Attributes:
        upload: how to send it.
        until: when that is over.
    """

    file: File
    upload: Presigned
    until: Milliseconds


@dataclass(frozen=True, slots=True)
class Link:
    """A link that opens a file to whoever has it.

    Attributes:
        url: relative to the gateway's own.
        until: when that is over.
    """

    url: str
    until: Milliseconds


class Files:
    """The files of all organizations.

    All methods raise NotFound for a file that the organization does not have, Gone for one that is deleted, and
    Unavailable when the database or the store does not answer.

    Args:
        receipts: the store of calls' receipts, which go when nobody is going to ask for them.
        examiner: looks into new files, one after the other.
        stripper: takes metadata away while somebody waits for it; another one, which no queue of files stands before.
    """

    def __init__(
        self,
        store: BlobStore,
        receipts: BlobStore,
        records: FileRecords,
        examiner: Examiner,
        stripper: Examiner,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._store = store
        self._records = records
        self._stripper = stripper
        self._clock = clock
        self._limit = settings.max_upload_bytes
        self._signing_key = settings.signing_key.get_secret_value().encode() if settings.signing_key else b""
        self._uploads = 0
        self._completions = WeakValueDictionary[str, asyncio.Lock]()
        self.upkeep = Upkeep(store, receipts, records, examiner, clock, settings)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keeps the files in order meanwhile."""
        keeping = asyncio.create_task(self.upkeep.run(), name="upkeep of files")
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def upload(self, organization: str, pieces: AsyncIterator[bytes], wishes: Callable[[], Wishes]) -> File:
        """Takes in a new file; it is durable when this returns, and nothing of it stays when this raises.

        Args:
            pieces: its content.
            wishes: what its sender says about it; asked for when all pieces have come.

        Raises:
            InvalidRequest, UnsupportedMedia, PayloadTooLarge: it cannot be used; see `receive`.
        """
        with self._upload():
            stored = [await receive(self._store, new_id(), pieces, limit=self._limit)]
            try:
                wished = wishes()
                if wished.strip_metadata:
                    stored.append(await self._stripped(stored[0]))
                file = await self._add(organization, stored[-1], wished)
            except CommitUnknown:  # its record may be there; if not, it is swept
                raise
            except BaseException:
                await self._discard(*stored)
                raise
            await self._discard(*stored[:-1])
            return file

    async def announce(
        self,
        organization: str,
        *,
        name: str,
        media_type: str,
        size: int | None,
        seconds: int,
        put_path: Callable[[str], str],
    ) -> Announced:
        """Makes a file whose content is sent later, straight to the store where that answers requests.

        Args:
            media_type: as its sender says; what it is, is seen when it comes.
            size: in bytes, where it is known; an S3 store takes nothing of another size then.
            seconds: for which its content can be sent.
            put_path: the gateway's own path, by the file's id, to which its content can be sent.

        Raises:
            UnsupportedMedia, PayloadTooLarge: such a file would be refused.
        """
        expected = announced(media_type)
        check_size(size or 0, self._limit)
        now = self._clock.now()
        until = (now // 1000 + seconds) * 1000
        file_id = new_id()
        file = File(
            file_id,
            organization,
            content_key(file_id, expected),
            expected,
            size=None,
            sha256=None,
            source=FileSource.UPLOAD,
            created_at=now,
            state=FileState.WAITING,
            name=name,
            expires_at=until + _COMPLETION_SECONDS * 1000,
        )
        await self._records.add(file)
        upload = await self._store.presigned_put(incoming_key(file_id), seconds, size)
        if upload is None:
            url = signed(await self._key(), "PUT", put_path(file_id), until // 1000)
            upload = Presigned("PUT", url, {})
        return Announced(file, upload, until)

    async def receive(
        self, organization: str, file_id: str, pieces: AsyncIterator[bytes], expires_in: int | None
    ) -> File:
        """Takes in the content of a waiting file.

        Raises:
            Conflict: it has its content already.
            InvalidRequest, UnsupportedMedia, PayloadTooLarge: it cannot be used; see `receive`.
        """
        waiting = await self.file(organization, file_id)
        if waiting.state is not FileState.WAITING:
            raise _has_content()
        with self._upload():
            artifact = await receive(self._store, arrival_name(file_id), pieces, limit=self._limit)
        file, arrived = await self._arrived(waiting, artifact, expires_in)
        if not arrived:
            raise _has_content()
        return file

    async def complete(self, organization: str, file_id: str, expires_in: int | None) -> File:
        """Takes in what was sent to the store for a waiting file; a file that is ready already is fine.

        Raises:
            Conflict: nothing was sent yet.
            InvalidRequest, UnsupportedMedia, PayloadTooLarge: it cannot be used, and can be sent again.
        """
        # One at a time: others find it done. Those of other processes do it as well, and one of them comes first.
        async with self._completions.setdefault(file_id, asyncio.Lock()):
            waiting = await self.file(organization, file_id)
            if waiting.state is not FileState.WAITING:
                return waiting
            try:
                with self._upload():
                    artifact = await take_in(self._store, file_id, limit=self._limit)
            except NotFound:
                return await self.ready_file(organization, file_id)
            file, _ = await self._arrived(waiting, artifact, expires_in)
            with suppress(Unavailable):  # it is swept
                await self._store.delete(incoming_key(file_id))
            return file

    async def file(self, organization: str, file_id: str) -> File:
        """A file, also one that waits for its content."""
        file = await self._records.file(organization, file_id)
        if file.state is FileState.DELETED:
            raise Gone("The file was deleted.", hint="`GET /files` lists the files that there are.")
        return file

    async def ready_file(self, organization: str, file_id: str) -> File:
        """A file that has its content.

        Raises:
            Conflict: it waits for its content.
        """
        file = await self.file(organization, file_id)
        if file.state is FileState.WAITING:
            raise Conflict(
                "The file has no content yet.",
                hint="Send it to the URL that `POST /files/presign` gave, then complete the file.",
            )
        return file

    async def page(
        self, organization: str, *, limit: int, cursor: str | None = None, where: FileFilter = EVERY_FILE
    ) -> FilePage:
        """A page of the files, newest first.

        Raises:
            InvalidRequest: the cursor is not one of this list.
        """
        return await self._records.page(organization, limit=limit, cursor=cursor, where=where)

    async def keep_until(self, organization: str, file_id: str, expires_at: Milliseconds | None) -> File:
        """Changes when a file is deleted; None for as its organization and the settings say.

        Raises:
            Conflict: it waits for its content.
        """
        return await self._records.keep_until(organization, file_id, expires_at)

    async def delete(self, organization: str, file_id: str) -> None:
        """Deletes a file; one that is deleted already is fine.

        Raises:
            Conflict: it is in use by a job that is not over.
        """
        file = await self._records.delete(organization, file_id, self._clock.now())
        try:
            await delete_contents(self._store, file)
        except Unavailable as error:
            logger.warning("the content of file %s is left for the upkeep: %s", file_id, error.message)

    async def link(self, organization: str, file_id: str, seconds: int) -> Link:
        """A link to a file's content for people who may not use the API otherwise.

        Raises:
            Conflict: it waits for its content.
        """
        file = await self.ready_file(organization, file_id)
        until = self._clock.now() // 1000 + seconds
        return Link(signed(await self._key(), "GET", file.url, until), until * 1000)

    async def check_link(self, method: str, path: str, expires: str, given: str) -> None:
        """Lets a signed link pass.

        Raises:
            Forbidden: it is not one of ours, or not any more.
        """
        check_signed(await self._key(), method, path, expires, given, now=self._clock.now())

    async def _add(self, organization: str, artifact: Artifact, wishes: Wishes) -> File:
        """Records a file whose content is stored under its id."""
        now = self._clock.now()
        file = File(
            artifact.key.rpartition("/")[2].partition(".")[0],
            organization,
            artifact.key,
            artifact.media_type,
            artifact.size,
            artifact.sha256,
            FileSource.UPLOAD,
            now,
            name=wishes.name,
            expires_at=self._expiry(wishes.expires_in),
        )
        await self._records.add(file)
        self.upkeep.look()
        return file

    async def _arrived(self, waiting: File, artifact: Artifact, expires_in: int | None) -> tuple[File, bool]:
        """The file with its content, and whether that is this one; another one may have come first."""
        arrived = await self._records.arrived(waiting.id, artifact, self._expiry(expires_in))
        file = await self._records.file(waiting.organization, waiting.id)
        if arrived:
            self.upkeep.look()
            return file, True
        if file.state is FileState.DELETED or file.key != artifact.key:
            await self._discard(artifact)
        if file.state is FileState.DELETED:
            raise Gone("The file was deleted before its content came.", hint="Upload it as a new one.")
        return file, file.sha256 == artifact.sha256

    def _expiry(self, expires_in: int | None) -> Milliseconds | None:
        """When a file is deleted that comes now; None for as its organization and the settings say."""
        return None if expires_in is None else self._clock.now() + expires_in * 1000

    async def _key(self) -> bytes:
        """What links are signed with."""
        if not self._signing_key:
            self._signing_key = await self._records.secret(_LINK_SECRET)
        return self._signing_key

    async def _stripped(self, artifact: Artifact) -> Artifact:
        """The same content without its metadata, under a new id.

        Raises:
            UnsupportedMedia: that cannot be made of it.
        """
        async with on_this_machine(self._store, artifact.key) as source:
            stripped = await self._stripper.stripped(source.absolute(), artifact.media_type)
        try:
            return await receive(self._store, new_id(), pieces_of_file(stripped), limit=self._limit)
        finally:
            stripped.unlink(missing_ok=True)

    async def _discard(self, *artifacts: Artifact) -> None:
        """Deletes contents that nothing refers to; where that fails, they are swept."""
        with suppress(Unavailable):
            for artifact in artifacts:
                await self._store.delete(artifact.key)

    @contextmanager
    def _upload(self) -> Iterator[None]:
        """A place among the uploads.

        Raises:
            Unavailable: all are taken.
        """
        if self._uploads >= MOST_UPLOADS:
            raise Unavailable(f"{MOST_UPLOADS} uploads are under way already.", hint="Try again in a few seconds.")
        self._uploads += 1
        try:
            yield
        finally:
            self._uploads -= 1


def _has_content() -> Conflict:
    return Conflict("The file has its content already.", hint="`POST /files/presign` makes a new one.")
