"""Identifiers and time, in the one form that they have everywhere."""

import uuid_utils

Milliseconds = int
"""A moment: milliseconds since 1970-01-01 UTC."""


def new_id() -> str:
    """A new UUIDv7 (RFC 9562): ids sort by the time of their creation."""
    return str(uuid_utils.uuid7())
