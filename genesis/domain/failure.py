"""Why an attempt, a step or a job failed, as a value that is stored and shown."""

from dataclasses import dataclass
from typing import Self

from genesis.errors import CallFailed, FailureClass


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure with a stable code, what happened, and what to do about it."""

    code: str
    message: str
    hint: str
    kind: FailureClass

    @classmethod
    def of(cls, error: CallFailed) -> Self:
        """The value of a raised error."""
        return cls(error.code, error.message, error.hint, error.failure)


INTERRUPTED = Failure(
    "attempt-interrupted",
    "The process that ran this attempt ended before the answer arrived.",
    "",
    FailureClass.SAFE,
)
"""A repeatable attempt that a crash cut off: it cost nothing and counts for nothing."""

OUTCOME_UNKNOWN = Failure(
    "outcome-unknown",
    "The process ended while the provider was working, so nobody knows whether the call was charged.",
    "Look at the provider's own records, then create the job again if nothing was made.",
    FailureClass.AMBIGUOUS,
)
"""A paid attempt that a crash cut off: it is never resent blindly."""
