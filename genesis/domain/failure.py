"""Why an attempt, a step or a job failed, as a value that is stored and shown."""

from dataclasses import dataclass
from typing import Self

from genesis.domain.storable import storable_text
from genesis.errors import CallFailed, FailureClass

_LONGEST = 2_000
"""Characters of a message that are kept."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure with a stable code, what happened, and what to do about it."""

    code: str
    message: str
    hint: str
    kind: FailureClass

    @classmethod
    def of(cls, error: CallFailed) -> Self:
        """The value of a raised error; its text may hold words of a stranger."""
        return cls(
            error.code,
            storable_text(error.message, longest=_LONGEST),
            storable_text(error.hint, longest=_LONGEST),
            error.failure,
        )


INTERRUPTED = Failure(
    "attempt-interrupted",
    "The process that ran this attempt ended before the answer arrived.",
    "",
    FailureClass.SAFE,
)
"""A repeatable attempt that a crash cut off: it cost nothing and counts for nothing."""

POISONED = Failure(
    "poisoned",
    "Three times the process that ran this job, and nothing else, died.",
    "Look into the logs of that time; retry the job once the cause is gone.",
    FailureClass.FINAL,
)
"""A job that takes its executors down."""

START_DEADLINE_PASSED = Failure(
    "start-deadline-passed",
    "The job did not start in the time that it was given.",
    "Give it more time, or a higher priority.",
    FailureClass.FINAL,
)

DEADLINE_PASSED = Failure(
    "deadline-passed",
    "The job did not end in the time that it was given.",
    "Give it more time. What was done is kept: retry continues from there.",
    FailureClass.FINAL,
)

UNREADABLE = Failure(
    "unreadable-job",
    "This version of Genesis cannot read the job's pipeline.",
    "The job was made by another version; run that one, or create the job again.",
    FailureClass.FINAL,
)
"""A job that another version has made."""

DEFECT = Failure(
    "internal-error",
    "Genesis met an error of its own while running this job.",
    "The gateway's log has the details under this job's id; please report it.",
    FailureClass.FINAL,
)

WITHHELD = Failure("attempt-withheld", "The job was stopped before this attempt was sent.", "", FailureClass.SAFE)
"""A recorded attempt that was never sent."""

OUTCOME_UNKNOWN = Failure(
    "outcome-unknown",
    "The process ended while the provider was working, so nobody knows whether the call was charged.",
    "Look at the provider's own records, then create the job again if nothing was made.",
    FailureClass.AMBIGUOUS,
)
"""A paid attempt that a crash cut off: it is never resent blindly."""
