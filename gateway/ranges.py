"""What a request wants of a stored content: a part of it, all, or nothing because it has it already (RFC 9110, 13, 14)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from enum import Enum

from genesis.domain.identity import Milliseconds

_RANGE = re.compile(r"bytes\s*=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*", re.ASCII | re.IGNORECASE)
_TAG = re.compile(r'(?:W/)?"([^"]*)"')


class Refusal(Enum):
    """Why nothing of a content is sent."""

    NOT_MODIFIED = "not-modified"
    UNSATISFIABLE = "unsatisfiable"


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes from `start` to before `end`."""

    start: int
    end: int

    @property
    def size(self) -> int:
        """How many bytes these are."""
        return self.end - self.start

    def content_range(self, size: int) -> str:
        """The field that tells which part of `size` bytes this is."""
        return f"bytes {self.start}-{self.end - 1}/{size}"


Wanted = Part | Refusal | None
"""What is to be sent; None for all."""


def wanted(headers: Mapping[str, str], *, get: bool, size: int, etag: str, modified_at: Milliseconds) -> Wanted:
    """What a request wants of a content.

    Args:
        headers: the request's fields by their names in small letters.
        get: whether it is a GET, the only method that has ranges.
        etag: strong, without its quotes.
    """
    if _has_it(headers, etag, modified_at):
        return Refusal.NOT_MODIFIED
    field = headers.get("range")
    if not get or field is None or not _is_of_this(headers.get("if-range"), etag, modified_at):
        return None
    return part_of(field, size)


def part_of(field: str, size: int) -> Wanted:
    """The part that a Range field asks for.

    Several ranges, other units and what is malformed are answered with all, as RFC 9110 (14.2) allows.
    """
    match = _RANGE.fullmatch(field.strip())
    if match is None:
        return None
    first, last = match[1], match[2]
    if not first:
        if not last:
            return None
        start, end = max(size - int(last), 0), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    return Part(start, end) if start < end else Refusal.UNSATISFIABLE


def http_date(moment: Milliseconds) -> str:
    """A moment as HTTP writes it, in whole seconds."""
    return formatdate(moment // 1000, usegmt=True)


def _has_it(headers: Mapping[str, str], etag: str, modified_at: Milliseconds) -> bool:
    known = headers.get("if-none-match")
    if known is not None:
        return known.strip() == "*" or etag in _TAG.findall(known)
    since = headers.get("if-modified-since")
    return since is not None and _seconds(since) >= modified_at // 1000


def _is_of_this(condition: str | None, etag: str, modified_at: Milliseconds) -> bool:
    """Whether a part goes with what the client has, as its If-Range says; a weak tag never tells."""
    if condition is None:
        return True
    condition = condition.strip()
    if condition.startswith(('"', "W/")):
        return condition == f'"{etag}"'
    return _seconds(condition) == modified_at // 1000


def _seconds(date: str) -> float:
    """Seconds since 1970 of a date; before all others where it is none."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return float("-inf")
