"""Plans by digest: thousands of jobs share a few, so each is written and read once and then known."""

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from genesis.domain.pipeline import Pipeline, from_document, to_document
from genesis.errors import GenesisError

_SIZE = 512


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A row of `plans`."""

    digest: str
    document: str


def plan_digest(document: str) -> str:
    """The name of a plan: the SHA-256 of its document, in hexadecimal."""
    return hashlib.sha256(document.encode()).hexdigest()


class Plans:
    """The plans used last, in both forms; for any thread.

    Args:
        size: how many are kept.
    """

    def __init__(self, size: int = _SIZE) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._stored: OrderedDict[int, tuple[Pipeline, StoredPlan]] = OrderedDict()
        self._read: OrderedDict[str, Pipeline | None] = OrderedDict()

    def stored(self, plan: Pipeline) -> StoredPlan:
        """The row of a plan."""
        with self._lock:
            # By identity, which is quick: pipelines are kept by the catalog. Holding the plan keeps its id its own.
            found = self._stored.get(id(plan))
            if found is None:
                document = json.dumps(to_document(plan), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
                found = plan, StoredPlan(plan_digest(document), document)
                self._stored[id(plan)] = found
                if len(self._stored) > self._size:
                    self._stored.popitem(last=False)
            return found[1]

    def known(self, digests: Iterable[str]) -> dict[str, Pipeline | None]:
        """Those of these plans that need not be read from the database; None is one that cannot be understood."""
        with self._lock:
            return {digest: self._read[digest] for digest in digests if digest in self._read}

    def learn(self, documents: Mapping[str, str]) -> dict[str, Pipeline | None]:
        """Takes what `known` did not have, as read from the database, and returns it in the same form."""
        learned = {digest: _understood(document) for digest, document in documents.items()}
        with self._lock:
            self._read.update(learned)
            while len(self._read) > self._size:
                self._read.popitem(last=False)
        return learned


def _understood(document: str) -> Pipeline | None:
    try:
        return from_document(json.loads(document))
    except (GenesisError, ValueError, KeyError, TypeError, AttributeError):
        return None
