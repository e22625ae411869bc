"""A command that waits to be written, and what people are told when it is not."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from genesis.errors import CommitUnknown, Unavailable

_PATIENCE_SECONDS = 5.0
"""How long what somebody asked for waits for a database that cannot write it, before it is refused."""


@dataclass(slots=True, eq=False)
class Entry:
    """A command and who waits for its answer.

    Attributes:
        command: runs alone if it is a function, together with others of its kind otherwise.
        refusable: says what is written, where somebody waits who can be refused; None for what has to be written.
        droppable: whether it is pointless when nobody waits for its answer any more.
        size: bytes that it takes, roughly.
    """

    command: Any
    future: asyncio.Future[Any]
    refusable: str | None = None
    droppable: bool = False
    size: int = 0
    since: float = field(default_factory=time.monotonic)

    @property
    def wanted(self) -> bool:
        """Whether it is still to be written: it was not refused, and not given up where that counts."""
        return not self.future.done() or (self.refusable is None and not self.droppable)

    def answer(self, answer: Any) -> None:
        if self.future.done():  # whoever waited has gone away; what was written stays
            return
        if isinstance(answer, BaseException):
            self.future.set_exception(answer)
        else:
            self.future.set_result(answer)

    @property
    def impatient(self) -> bool:
        """Whether it may be refused, and has waited long enough for a database that cannot write it."""
        return self.refusable is not None and too_long(self.since)


def too_long(since: float) -> bool:
    """Whether more time has passed since then, by `time.monotonic()`, than anybody is to wait for an answer."""
    return time.monotonic() - since > _PATIENCE_SECONDS


def away() -> Unavailable:
    return Unavailable(
        "The job ledger's database does not answer. Nothing was changed.", hint="Try again in a few seconds."
    )


def held_up(words: str) -> Unavailable:
    """It answers, and cannot write this one now, for the reason that the words say."""
    return Unavailable(
        f"The job ledger's database cannot write this now: {words}. Nothing was changed.",
        hint="Try again in a few seconds. `pg_blocking_pids` tells its administrator who holds a lock.",
    )


def commit_unknown(name: str) -> CommitUnknown:
    return CommitUnknown(
        f"The database went away while {name} was being written, and nobody knows whether it was.",
        hint="Look at the job, batch or file by its id once the database is back. A job or batch can be sent again with the "
        "same Idempotency-Key.",
    )
