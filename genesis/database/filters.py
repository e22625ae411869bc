"""Bounds of lists of jobs: ids are UUIDv7 (RFC 9562), whose first 48 bits are the time of creation in milliseconds."""

from dataclasses import dataclass

from genesis.domain.identity import Milliseconds
from genesis.ports.queries import JobFilter

LOOKED_THROUGH = 10_000
"""Jobs that a search for text looks through per page."""

_BEFORE_ALL_IDS = ""
_AFTER_ALL_IDS = "g"
_LATEST = (1 << 48) - 1


@dataclass(frozen=True, slots=True)
class IdBounds:
    """Ids from `lower` on and before `upper`, compared as text byte by byte."""

    lower: str
    upper: str


def first_id(moment: Milliseconds) -> str:
    """Text that sorts before every id made at this moment or later, and after all earlier ones."""
    digits = f"{min(max(moment, 0), _LATEST):012x}"
    return f"{digits[:8]}-{digits[8:]}"


def id_bounds(cursor: str | None, where: JobFilter) -> IdBounds:
    """Which ids a page may have."""
    uppers = [_AFTER_ALL_IDS]
    if cursor is not None:
        uppers.append(cursor)
    if where.created_before is not None:
        uppers.append(first_id(where.created_before))
    lower = _BEFORE_ALL_IDS if where.created_from is None else first_id(where.created_from)
    return IdBounds(lower, min(uppers))
