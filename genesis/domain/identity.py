"""Identifiers and time, in the one form that they have everywhere."""

import uuid_utils

Milliseconds = int
"""A moment: milliseconds since 1970-01-01 UTC."""


def new_id(now: Milliseconds | None = None) -> str:
    """A new UUIDv7 (RFC 9562): ids sort by the time of their creation, those of one process in their order.

    Args:
        now: that time, by the machine's clock when left out; ids of one given moment have no order.
    """
    return str(uuid_utils.uuid7(nanoseconds=None if now is None else now * 1_000_000))
