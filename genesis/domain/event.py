"""Events: what happened to a job, in an append-only log with a gapless sequence per job."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from genesis.domain.identity import Milliseconds


class EventType(StrEnum):
    JOB_QUEUED = "job-queued"
    JOB_RETRIED = "job-retried"
    JOB_STARTED = "job-started"
    JOB_COMPLETED = "job-completed"
    JOB_FAILED = "job-failed"
    JOB_CANCELED = "job-canceled"
    STEP_STARTED = "step-started"
    STEP_RETRIED = "step-retried"
    STEP_DIVIDED = "step-divided"
    STEP_PENDING = "step-pending"
    STEP_COMPLETED = "step-completed"
    STEP_FAILED = "step-failed"
    STEP_SKIPPED = "step-skipped"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; the ledger gives it its sequence number when it is written."""

    type: EventType
    at: Milliseconds
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event of the log.

    Attributes:
        seq: counts from 1 within its job, without gaps.
        cursor: its place in the feed of its organization.
    """

    job: str
    seq: int
    event: Event
    cursor: str
