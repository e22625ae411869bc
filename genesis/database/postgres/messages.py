"""Hints as the payloads of `NOTIFY`, which have 8,000 bytes at most (PostgreSQL's documentation of NOTIFY)."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pydantic_core import to_json

from genesis.ports.signals import CancelRequested, JobChanged, Reread, Signal, TextDelta, WorkDue, WorkQueued

CHANNEL = "genesis"

_LARGEST = 7_900
_MOST_PAYLOADS = 8
"""More than these at once are replaced by the hint to read everything again."""


def encode(sender: str, signals: Iterable[Signal]) -> list[str]:
    """Hints as payloads; equal ones once.

    Args:
        sender: by which it knows its own ones again.
    """
    parts = [_encode(part) for signal in dict.fromkeys(signals) for part in _parts(signal)]
    payloads = list(_packed(sender, parts))
    return payloads if len(payloads) <= _MOST_PAYLOADS else list(_packed(sender, [_encode(["r"])]))


def _encode(part: Any) -> str:
    return to_json(part).decode()


def is_from(sender: str, payload: str) -> bool:
    """Whether a payload is this sender's, without a look at its hints: one's own are known."""
    return payload.startswith(_start(sender))


def decode(payload: str) -> list[Signal]:
    """The hints; of a payload that is not understood, which another version may have sent, the one to read everything
    again."""
    try:
        _, *parts = json.loads(payload)
        return [_signal(part) for part in parts]
    except (ValueError, TypeError, KeyError, IndexError):
        return [Reread()]


def _start(sender: str) -> str:
    return f"[{_encode(sender)}"


def _packed(sender: str, parts: Sequence[str]) -> Iterator[str]:
    """Payloads with as many parts each as fit."""
    start = _start(sender)
    room = _LARGEST - len(start) - 1
    gathered: list[str] = []
    size = 0
    for part in parts:
        length = len(part.encode()) + 1
        if gathered and size + length > room:
            yield f"{start},{','.join(gathered)}]"
            gathered, size = [], 0
        gathered.append(part)
        size += length
    if gathered:
        yield f"{start},{','.join(gathered)}]"


def _parts(signal: Signal) -> Iterator[list[Any]]:
    match signal:
        case JobChanged(organization, job):
            yield ["j", organization, job]
        case WorkQueued(lane):
            yield ["w", lane]
        case WorkDue(at):
            yield ["d", at]
        case CancelRequested(job):
            yield ["c", job]
        case TextDelta(organization, job, step, attempt, offset, text):
            for start, piece in _pieces(text):
                yield ["t", organization, job, step, attempt, offset + start, piece]
        case Reread():
            yield ["r"]


_PIECE = 1_000
"""Characters, each of which takes six bytes at most in JSON."""


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    for start in range(0, len(text), _PIECE):
        # PostgreSQL holds no U+0000 and no lone surrogates; in their place something of the same length.
        piece = text[start : start + _PIECE].replace("\0", "\ufffd")
        yield start, piece.encode("utf-8", "replace").decode()


def _signal(part: list[Any]) -> Signal:
    kind, *values = part
    kinds: dict[str, Any] = {
        "j": JobChanged,
        "w": WorkQueued,
        "d": WorkDue,
        "c": CancelRequested,
        "t": TextDelta,
        "r": Reread,
    }
    signal: Signal = kinds[kind](*values)
    return signal
