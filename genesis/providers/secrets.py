"""Keeps a provider's keys out of what it says: some repeat the key that they were given in their errors."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from genesis.errors import CallFailed
from genesis.providers.base import Provider

_SHORTEST = 6
_INSTEAD = "…"
_SECRET_HEADER = re.compile(r"auth|key|token|secret|cookie", re.IGNORECASE)


@contextmanager
def without_secrets(provider: Provider) -> Iterator[None]:
    """Takes the provider's keys out of the message and the hint of every failure that is raised within."""
    try:
        yield
    except CallFailed as error:
        error.message = redacted(provider, error.message)
        error.hint = redacted(provider, error.hint)
        error.args = (error.message,)
        raise


def redacted(provider: Provider, text: str) -> str:
    """The text without the values of the provider's headers: whole, without their scheme, and each half of a pair."""
    for secret in _secrets(provider):
        text = _without_beginning(text.replace(secret, _INSTEAD), secret)
    return text


def _without_beginning(text: str, secret: str) -> str:
    """The text without what is left of a secret where it was cut off, as long messages are."""
    sizes = range(len(secret) - 1, _SHORTEST - 1, -1)
    cut = next((size for size in sizes if text.endswith(secret[:size])), 0)
    return text[:-cut] + _INSTEAD if cut else text


def _secrets(provider: Provider) -> list[str]:
    found: set[str] = set()
    for name, value in provider.headers.items():
        if _SECRET_HEADER.search(name):
            key = value.rpartition(" ")[2]
            found |= {value, key, *key.split(":")}
    # The longest first, so that no part of it is left.
    return sorted((secret for secret in found if len(secret) >= _SHORTEST), key=len, reverse=True)
