"""Hints between those who change jobs and those who follow them, within a process and between processes.

A hint may be lost or come twice; what it is about is always read from the ledger.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from genesis.domain.identity import Milliseconds


@dataclass(frozen=True, slots=True)
class JobChanged:
    """A job has new events."""

    organization: str
    job: str


@dataclass(frozen=True, slots=True)
class WorkQueued:
    """A lane has something to claim."""

    lane: str


@dataclass(frozen=True, slots=True)
class WorkDue:
    """Something that waits may go on at a moment, or is over unless it has begun or ended by then."""

    at: Milliseconds


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """A job that is running is to be canceled, or calls of one that is over are to be given up."""

    job: str


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the text that an attempt is writing.

    Attributes:
        offset: characters of the same attempt's text before it.
    """

    organization: str
    job: str
    step: str
    attempt: str
    offset: int
    text: str


@dataclass(frozen=True, slots=True)
class Reread:
    """Hints may have been lost, of any kind: whoever follows something reads it again."""


Signal = JobChanged | WorkQueued | WorkDue | CancelRequested | TextDelta | Reread
Listener = Callable[[Signal], None]


class Signals(Protocol):
    """Carries hints to every listener of every process."""

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Calls the listener for each hint from now on, in the event loop; the returned function ends that."""

    def send(self, signal: Signal) -> None:
        """Passes a hint on; to be called in the event loop."""
