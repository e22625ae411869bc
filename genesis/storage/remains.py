"""Ends uploads in parts that a killed process has left in a bucket: invisible there, and charged for.

The object-store library cannot list them. The requests are Amazon's ListMultipartUploads and AbortMultipartUpload.
"""

import logging
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape

from genesis.domain.file import ids_in
from genesis.domain.identity import Milliseconds
from genesis.errors import CallFailed, Unavailable
from genesis.net.client import HttpClient
from genesis.net.exchange import Reply, Request
from genesis.storage.bucket import Bucket
from genesis.storage.keys import found_key
from genesis.storage.sigv4 import Credentials, presigned

logger = logging.getLogger(__name__)

_SECONDS = 30.0
_MOST_BYTES = 8 * 1024 * 1024
_LISTED_AT_ONCE = 1000
_MOST_PAGES = 100
_UPLOAD = re.compile(r"<Upload>(.*?)</Upload>", re.DOTALL)
_IS_CUT = re.compile(r"<IsTruncated>\s*true\s*</IsTruncated>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Upload:
    """One that is under way, or was.

    Attributes:
        name: of the object that it would become, in the bucket.
    """

    name: str
    id: str
    begun_at: Milliseconds


async def end_old_uploads(bucket: Bucket, credentials: Credentials, before: Milliseconds) -> int:
    """Ends those of our contents that were begun before a moment; returns how many.

    A store that does not know such requests, or does not allow them, is left to its own rules.

    Raises:
        Unavailable: the store does not answer.
    """
    ended = 0
    try:
        async with HttpClient() as client:
            asking = _Asking(client, bucket, credentials)
            # All are listed before any is ended: a store may not find its place again after one that is gone.
            for upload in [upload async for upload in asking.uploads()]:
                key = upload.name.removeprefix(f"{bucket.prefix}/" if bucket.prefix else "")
                # Others may use the bucket as well: what is ours has an id in its name.
                if upload.begun_at < before and found_key(key) and ids_in(key):
                    ended += await asking.end(upload)
    except CallFailed as error:
        raise Unavailable(f"The S3 store cannot list uploads: {error.message}", hint="Check that it is up.") from error
    except ValueError as error:
        raise Unavailable(
            "The S3 store lists uploads without the time of their begin.", hint="Check its log."
        ) from error
    return ended


class _Asking:
    """Requests that are signed one by one."""

    def __init__(self, client: HttpClient, bucket: Bucket, credentials: Credentials) -> None:
        self._client = client
        self._bucket = bucket
        self._credentials = credentials

    async def uploads(self) -> AsyncIterator[_Upload]:
        query = {"uploads": "", "max-uploads": str(_LISTED_AT_ONCE), "prefix": self._bucket.prefix}
        place: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            reply = await self._send("GET", "", query | place)
            if reply.status != 200:
                logger.info(
                    "the S3 store does not list uploads in parts (%d): a lifecycle rule has to end them", reply.status
                )
                return
            page = reply.body.decode(errors="replace")
            for part in _UPLOAD.findall(page):
                yield _upload(part)
            if not _IS_CUT.search(page):
                return
            markers = {
                "key-marker": _field(page, "NextKeyMarker"),
                "upload-id-marker": _field(page, "NextUploadIdMarker"),
            }
            place = {name: marker for name, marker in markers.items() if marker}  # not every store gives both

    async def end(self, upload: _Upload) -> bool:
        reply = await self._send("DELETE", upload.name, {"uploadId": upload.id})
        if reply.status not in (204, 404):  # the last: it has ended meanwhile
            logger.warning("the upload of %s cannot be ended (%d)", upload.name, reply.status)
        return reply.status == 204

    async def _send(self, method: str, name: str, query: dict[str, str]) -> Reply:
        url = presigned(
            method,
            self._bucket.inner_url(name),
            self._credentials,
            region=self._bucket.region,
            now=datetime.now(UTC),
            seconds=60,
            query=query,
        )
        return await self._client.send(Request(method, url), timeout_seconds=_SECONDS, max_bytes=_MOST_BYTES)


def _upload(part: str) -> _Upload:
    begun = datetime.fromisoformat(_field(part, "Initiated"))
    return _Upload(_field(part, "Key"), _field(part, "UploadId"), round(begun.timestamp() * 1000))


def _field(part: str, name: str) -> str:
    found = re.search(rf"<{name}>([^<]*)</{name}>", part)
    return unescape(found[1]) if found else ""
