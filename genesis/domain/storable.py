"""Values from outside as every database and every JSON reader can hold them."""

import math
from collections.abc import Mapping
from typing import Any


def storable_text(text: str, *, longest: int | None = None) -> str:
    """The text without U+0000 and lone surrogates, cut to `longest` characters."""
    plain = text.replace("\0", "")
    clean = plain if plain.isascii() else plain.encode("utf-8", "replace").decode()
    return clean if longest is None or len(clean) <= longest else clean[: longest - 1] + "…"


def storable(value: Any) -> Any:
    """A JSON value with clean text and without infinite numbers, which become null."""
    match value:
        case str():
            return storable_text(value)
        case None | int():  # what a record of usage mostly has
            return value
        case float() if not math.isfinite(value):
            return None
        case dict() | Mapping():  # the first is what nearly all are, and quicker to tell
            return {storable_text(str(name)): storable(part) for name, part in value.items()}
        case list() | tuple():
            return [storable(part) for part in value]
        case _:
            return value
