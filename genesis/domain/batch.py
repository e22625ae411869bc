"""Batches: jobs that were accepted together."""

from dataclasses import dataclass

from genesis.domain.identity import Milliseconds


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs that were accepted together, all or none.

    Attributes:
        size: how many there are.
    """

    id: str
    organization: str
    created_at: Milliseconds
    size: int
