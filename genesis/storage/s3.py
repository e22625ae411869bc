"""Contents in an S3 bucket."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import obstore
from obstore import exceptions
from obstore.store import S3Store as Client

from genesis.domain.artifact import Artifact
from genesis.domain.identity import Milliseconds
from genesis.errors import Conflict, NotFound, PayloadTooLarge
from genesis.ports.blobs import Blob, Presigned
from genesis.storage.bucket import Bucket, answering, code_of
from genesis.storage.keys import checked_folder, found_key, is_folder, parsed
from genesis.storage.parts import PartsWriter
from genesis.storage.remains import end_old_uploads
from genesis.storage.sigv4 import Credentials, presigned

_REQUEST_SECONDS = 300.0
"""Of one request with its body: a part of 8 MiB over 30 KiB/s, or a copy within the store."""
_WINDOW_SECONDS = 60.0
_SHORT_SECONDS = 30.0
"""Of a question that has no body, with its repetitions."""
_RETRIES = 3
_WINDOW_BYTES = 2 * 1024 * 1024
_LISTED_AT_ONCE = 1000


class S3Store:
    """Implements `genesis.ports.blobs.BlobStore` on a bucket.

    Receipts lie below `.receipts/`, which is no folder of contents. Uploads in parts whose writer has died are invisible
    there, but cost money: where a role gives the credentials, a lifecycle rule `AbortIncompleteMultipartUpload` of one day
    has to end them.

    Args:
        is_conditional: whether the store refuses to replace what is there (`If-None-Match`). Of a content in parts, and
            in a store that does not, it is asked before; two writers who end at the same moment are not told apart then.
    """

    def __init__(self, bucket: Bucket, *, is_conditional: bool) -> None:
        self._bucket = bucket
        self._is_conditional = is_conditional
        self._client = bucket.client(seconds=_REQUEST_SECONDS, retries=_RETRIES)
        self._public = bucket.client(seconds=_SHORT_SECONDS, retries=_RETRIES, public=True)

    async def write(self, key: str, data: bytes, media_type: str) -> Artifact:
        """Stores a content; see the port."""
        parsed(key)
        artifact = Artifact(key, media_type, len(data), await asyncio.to_thread(_digest, data))
        if not await self._create(artifact, data):
            await self._check_alike(artifact)
        return artifact

    @asynccontextmanager
    async def writing(self, key: str, media_type: str) -> AsyncIterator[PartsWriter]:
        """Stores a content that comes in pieces; see the port."""
        parsed(key)
        writer = PartsWriter(self._client, Artifact(key, media_type, 0, ""), self._create, self._is_there)
        try:
            yield writer
            if not await writer.keep():
                await self._check_alike(writer.artifact)
        finally:
            await asyncio.shield(writer.end())

    async def read(self, key: str, *, limit: int) -> bytes:
        """The content; see the port."""
        parsed(key)
        with answering("read", key):
            async with asyncio.timeout(_SHORT_SECONDS):
                found = await obstore.get_async(self._client, key)
            size = found.meta["size"]
            if size > limit:
                raise PayloadTooLarge(f"The file {key} has {size} bytes; {limit} are allowed.")
            async with asyncio.timeout(_REQUEST_SECONDS):
                return (await found.bytes_async()).to_bytes()

    async def blob(self, key: str) -> Blob:
        """What is known of a content; see the port."""
        parsed(key)
        with answering("read", key):
            async with asyncio.timeout(_SHORT_SECONDS):
                try:
                    return _blob(key, await obstore.head_async(self._client, key))
                except FileNotFoundError:
                    # An answer to HEAD does not tell whether there is a bucket; one to GET does.
                    return _blob(key, (await obstore.get_async(self._client, key)).meta)

    async def pieces(self, key: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """A content in pieces; see the port. Each is a request of its own, so that a slow reader holds up none."""
        parsed(key)
        size = end
        if size is None or start >= size:
            known = (await self.blob(key)).size
            size = known if end is None else min(end, known)
        upcoming: asyncio.Task[bytes] | None = None
        try:
            while start < size or upcoming is not None:
                piece = await (upcoming or self._window(key, start, size))
                if not piece:
                    return
                start += len(piece)
                upcoming = asyncio.create_task(self._window(key, start, size)) if start < size else None
                yield piece
        finally:
            if upcoming is not None:
                upcoming.cancel()
                await asyncio.gather(upcoming, return_exceptions=True)

    async def copy(self, key: str, to: str, media_type: str) -> None:  # noqa: ARG002  # a copy within keeps its type
        """Gives a content a second key; see the port. The store goes on naming the type that it was sent with.

        Raises:
            Conflict: there is another content under the new key.
        """
        parsed(key)
        if not await self._is_there(str(parsed(to))):
            with answering("copy", key):
                async with asyncio.timeout(_REQUEST_SECONDS):
                    await obstore.copy_async(self._client, key, to)
        elif await self._digest_of(key) != await self._digest_of(to):
            raise _another_content(to)

    async def move(self, key: str, to: str, media_type: str) -> None:
        """Gives a content another key; see the port.

        Raises:
            Conflict: there is another content under the new key.
        """
        try:
            await self.copy(key, to, media_type)
        except NotFound:
            if not await self._is_there(to):
                raise
            return
        await self.delete(key)

    async def delete(self, key: str) -> None:
        """Deletes a content; see the port. Where the bucket keeps versions, it goes on keeping this one."""
        parsed(key)
        with answering("delete"):
            async with asyncio.timeout(_SHORT_SECONDS):
                await obstore.delete_async(self._client, key)

    async def blobs(self, folder: str | None = None) -> AsyncGenerator[Blob, None]:
        """All contents; see the port."""
        for name in await self._folders() if folder is None else [checked_folder(folder)]:
            listing = obstore.list(self._client, name, chunk_size=_LISTED_AT_ONCE)
            while True:
                with answering("list"):
                    try:
                        async with asyncio.timeout(_SHORT_SECONDS):
                            found = await anext(listing)
                    except StopAsyncIteration:
                        break
                for one in found:
                    if found_key(one["path"]):
                        yield _blob(one["path"], one)

    async def remove_remains(self, before: Milliseconds) -> int:
        """Ends uploads in parts; see the port. None with a role's credentials, which only the library has."""
        if self._bucket.credentials is None:
            return 0
        return await end_old_uploads(self._bucket, self._bucket.credentials, before)

    async def presigned_get(self, key: str, seconds: int, *, media_type: str, disposition: str) -> Presigned | None:
        """A request to the store; see the port. None with a role's credentials, which only the library has.

        What the store itself believes of the type is never used: an upload's sender has chosen it.
        """
        parsed(key)
        if self._bucket.credentials is None:
            return None
        query = {"response-content-type": media_type, "response-content-disposition": disposition}
        return Presigned("GET", self._signed("GET", key, self._bucket.credentials, seconds, query=query), {})

    async def presigned_put(self, key: str, seconds: int, size: int | None = None) -> Presigned | None:
        """A request to the store; see the port. The store cannot be told a size with a role's credentials."""
        parsed(key)
        if size is not None and self._bucket.credentials is not None:
            signed = self._signed("PUT", key, self._bucket.credentials, seconds, headers={"content-length": str(size)})
            return Presigned("PUT", signed, {})  # every client sends this field, and browsers let nobody set it
        with answering("sign"):
            async with asyncio.timeout(_SHORT_SECONDS):
                url = await obstore.sign_async(self._public, "PUT", key, timedelta(seconds=seconds))
        return Presigned("PUT", url, {})

    async def check(self) -> None:
        """Writes and deletes an object; see the port."""
        trial = _trial_name()
        with answering("write"):
            async with asyncio.timeout(_SHORT_SECONDS):
                await obstore.put_async(self._client, trial, b"", use_multipart=False)
                await obstore.delete_async(self._client, trial)

    def _signed(self, method: str, key: str, credentials: Credentials, seconds: int, **more: dict[str, str]) -> str:
        given = {"query": dict[str, str](), **more}
        return presigned(
            method,
            self._bucket.url(key),
            credentials,
            region=self._bucket.region,
            now=datetime.now(UTC),
            seconds=seconds,
            **given,
        )

    def local_path(self, key: str) -> Path | None:
        """None; see the port."""
        parsed(key)
        return None

    async def close(self) -> None:
        """Nothing: the library closes idle connections by itself."""

    async def _create(self, artifact: Artifact, data: bytes) -> bool:
        """Stores a content in one request; returns whether there was none under its key."""
        if not self._is_conditional and await self._is_there(artifact.key):
            return False
        with answering("write"):
            try:
                async with asyncio.timeout(_REQUEST_SECONDS):
                    await obstore.put_async(
                        self._client,
                        artifact.key,
                        data,
                        attributes={"Content-Type": artifact.media_type},
                        mode="create" if self._is_conditional else "overwrite",
                        use_multipart=False,
                    )
            except exceptions.AlreadyExistsError:
                return False
        return True

    async def _is_there(self, key: str) -> bool:
        try:
            await self.blob(key)
        except NotFound:
            return False
        return True

    async def _check_alike(self, artifact: Artifact) -> None:
        """Whether a content that was there already is the one that was to be stored.

        Raises:
            Conflict: it is another.
        """
        try:
            size = (await self.blob(artifact.key)).size
            alike = size == artifact.size and await self._digest_of(artifact.key) == artifact.sha256
        except NotFound:
            alike = False
        if not alike:
            raise _another_content(artifact.key)

    async def _digest_of(self, key: str) -> str:
        digest = hashlib.sha256()
        async with aclosing(self.pieces(key)) as pieces:
            async for piece in pieces:
                await asyncio.to_thread(digest.update, piece)
        return digest.hexdigest()

    async def _window(self, key: str, start: int, end: int) -> bytes:
        """The next bytes of a content; none where it ends before."""
        with answering("read", key):
            try:
                async with asyncio.timeout(_WINDOW_SECONDS):
                    found = await obstore.get_async(
                        self._client, key, options={"range": (start, min(start + _WINDOW_BYTES, end))}
                    )
                    return (await found.bytes_async()).to_bytes()
            except exceptions.GenericError as error:
                if code_of(error) == "InvalidRange":
                    return b""
                raise

    async def _folders(self) -> list[str]:
        with answering("list"):
            async with asyncio.timeout(_SHORT_SECONDS):
                found = await obstore.list_with_delimiter_async(self._client)
        names = (prefix.rstrip("/") for prefix in found["common_prefixes"])
        return [name for name in names if is_folder(name)]


def replaces_nothing(client: Client) -> bool:
    """Writes and deletes an object; whether the store honors `If-None-Match` on the way.

    Blocks, and raises the library's errors.
    """
    trial = _trial_name()
    try:
        is_conditional = [_is_new(client, trial), _is_new(client, trial)] == [True, False]
    except exceptions.BaseError as error:
        if code_of(error) != "NotImplemented":
            raise
        is_conditional = False
        obstore.put(client, trial, b"", use_multipart=False)
    obstore.delete(client, trial)
    return is_conditional


def _trial_name() -> str:
    return f".trial-{secrets.token_hex(16)}"  # begins with a dot, so that no key names it


def _is_new(client: Client, name: str) -> bool:
    try:
        obstore.put(client, name, b"", mode="create", use_multipart=False)
    except exceptions.AlreadyExistsError:
        return False
    return True


def _blob(key: str, meta: "obstore.ObjectMeta") -> Blob:
    modified = round(meta["last_modified"].timestamp() * 1000)
    etag = (meta["e_tag"] or f"{modified:x}-{meta['size']:x}").strip('"')
    return Blob(key, meta["size"], etag, modified)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _another_content(key: str) -> Conflict:
    return Conflict(f"There is another file {key}.", hint="Store this one under a new name.")
