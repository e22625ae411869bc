"""Words of a peer as our messages can hold them."""

from genesis.domain.storable import storable_text

_LONGEST = 300


def presentable(text: str, *, longest: int = _LONGEST) -> str:
    """The text on one line: printable, valid Unicode, and at most `longest` characters."""
    head = text[: 4 * longest]  # a peer may send megabytes
    printable = "".join(character if character.isprintable() else " " for character in storable_text(head))
    return storable_text(" ".join(printable.split()), longest=longest)
