"""Receipts: what a call of a provider that may charge has made, written beside its file before the worker answers.

A receipt lies at `.receipts/<capability>/<call key>.json` below the store's root, which no key of a stored file can name, so
that the gateway serves it to nobody. It is written once and proves that the call succeeded, whoever is asked later. The upkeep of
files deletes it when nobody is going to ask any more.
"""

import json
import logging
from typing import Any

from genesis.capabilities.catalog import Capability
from genesis.errors import Conflict, NotFound, WorkerLost
from genesis.ports.blobs import BlobStore
from genesis.ports.workers import CallResult
from genesis.transport.wire import answer_of, encoded, result_of

logger = logging.getLogger(__name__)

_MOST_BYTES = 1024 * 1024


class Receipts:
    """The receipts of one capability's calls."""

    def __init__(self, store: BlobStore, capability: Capability) -> None:
        self._store = store
        self._folder = capability.name
        self._output_field = capability.output_field

    async def find(self, call_key: str) -> tuple[str, CallResult] | None:
        """The digest of what was asked, and the result; None where there is no receipt.

        Raises:
            Unavailable: the store does not answer.
        """
        try:
            written = await self._store.read(self._key(call_key), limit=_MOST_BYTES)
        except NotFound:
            return None
        return self._read(written)

    async def write(self, call_key: str, asked: str, result: CallResult) -> CallResult:
        """Writes the receipt of a result; where there is one already, its result is the one that counts.

        Raises:
            Unavailable: the store does not answer.
        """
        document: dict[str, Any] = {"asked": asked, "answer": answer_of(result)}
        try:
            await self._store.write(self._key(call_key), encoded(document), "application/json")
        except Conflict:
            earlier = await self.find(call_key)
            return result if earlier is None else earlier[1]
        return result

    async def close(self) -> None:
        """Lets go of what the store holds open."""
        await self._store.close()

    def _key(self, call_key: str) -> str:
        return f"{self._folder}/{call_key}.json"

    def _read(self, written: bytes) -> tuple[str, CallResult] | None:
        try:
            document = json.loads(written)
            return str(document["asked"]), result_of(document["answer"], self._output_field)
        except (ValueError, KeyError, TypeError, WorkerLost) as error:
            logger.error("a receipt cannot be read: %s", error)
            return None
