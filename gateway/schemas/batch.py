"""Batches as the API takes and gives them."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from gateway.schemas.job import JobRequest

MOST_JOBS = 1_000


class BatchRequest(BaseModel):
    """Jobs that are accepted together, all or none."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "jobs": [
                        {"pipeline": "text_to_text", "inputs": {"text": "A haiku about the sea"}},
                        {"pipeline": "text_to_image", "inputs": {"text": "The sea"}, "priority": 10},
                    ]
                }
            ]
        },
    )

    jobs: list[JobRequest] = Field(min_length=1, max_length=MOST_JOBS)


class BatchStatus(StrEnum):
    """What a batch's jobs come to."""

    QUEUED = "queued"  # none has started
    RUNNING = "running"  # some have not ended
    COMPLETED = "completed"  # all have
    FAILED = "failed"  # all have ended, and at least one has failed
    CANCELED = "canceled"  # all have ended, none has failed, and at least one was canceled


class BatchCounts(BaseModel):
    """How many jobs of a batch have each status."""

    queued: int
    running: int
    completed: int
    failed: int
    canceled: int


class BatchView(BaseModel):
    """Jobs that were accepted together; `GET /jobs?batch_id=…` lists them."""

    batch_id: str
    status: BatchStatus = Field(
        description="`queued` until one starts, `running` until all have ended; then `failed` if any has failed, else "
        "`canceled` if any was canceled, else `completed`."
    )
    created_at: datetime
    size: int = Field(description="How many jobs there are.")
    counts: BatchCounts
