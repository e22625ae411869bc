"""Cuts a long text into passages that can be spoken one after the other."""

import re
from collections.abc import Iterator

_STOPS = ".!?…\u3002\uff01\uff1f"  # the last three are those of Chinese and Japanese, which no space follows
_WIDE_STOPS = "\u3002\uff01\uff1f"
_WIDE_PAUSES = "—\u3001\uff0c\uff1a\uff1b"
_CLOSING = "\"'\u201d\u2019)\\]"
_WIDE_CLOSING = "\u201d\u2019\u300d\u300f\uff09"
_BOUNDARIES = (
    re.compile(r"\n\s*\n"),  # paragraphs
    re.compile(rf"(?<=[{_STOPS}])[{_CLOSING}]*\s+|(?<=[{_WIDE_STOPS}])[{_WIDE_CLOSING}]*"),  # sentences
    re.compile(rf"\n|(?<=[{_WIDE_PAUSES}])\s*|(?<=[,;:])\s+"),  # clauses; no space, no pause: 10:30
    re.compile(r"\s+"),  # words
)
"""Where a text may be cut, the better places first."""


def passages(text: str, longest: int) -> tuple[str, ...]:
    """The text in passages of at most `longest` characters, cut where a speaker would pause.

    Nothing but space between passages is lost. A word that is longer than `longest` is cut within.
    """
    return tuple(passage for passage in _cut(text.strip(), longest) if passage)


def _cut(text: str, longest: int) -> Iterator[str]:
    while len(text) > longest:
        place = _place(text, longest)
        yield text[:place].rstrip()
        text = text[place:].lstrip()
    yield text


def _place(text: str, longest: int) -> int:
    """Where to cut: behind the last of the best boundaries within reach.

    One in the first half is taken only where there is no lesser one behind it, since short passages make more pauses.
    """
    early = 0
    for boundary in _BOUNDARIES:
        ends = (match.end() for match in boundary.finditer(text, 0, 2 * longest))
        place = max((end for end in ends if 0 < len(text[:end].rstrip()) <= longest), default=0)
        if place > longest // 2:
            return place
        early = early or place
    return early or longest
