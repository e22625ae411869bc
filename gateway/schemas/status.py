"""How the platform is, as the API shows it."""

from typing import Literal

from pydantic import BaseModel, Field


class Health(BaseModel):
    """The gateway lives."""

    status: Literal["ok"] = "ok"
    version: str


class WorkerStatus(BaseModel):
    """Whether a worker answers."""

    worker: str
    capability: str
    ready: bool
    reason: str | None = Field(description="Why it does not answer.")


class LedgerStatus(BaseModel):
    """Whether the ledger of jobs answers."""

    ready: bool
    reason: str | None = Field(description="Why it does not answer; or, while it does, what single changes wait for.")


class StoreStatus(BaseModel):
    """Whether the store takes files."""

    ready: bool
    reason: str | None = Field(description="Why it cannot be written to.")


class Readiness(BaseModel):
    """Whether everything that jobs need is there."""

    ready: bool
    ledger: LedgerStatus
    executors: int | None = Field(
        description="How many executors are alive, in whichever process; without one, jobs wait. Null when the ledger does "
        "not answer."
    )
    store: StoreStatus | None = Field(
        description="As of the last trial, half a minute ago at most. Null where no files are taken, as by an executor."
    )
    workers: list[WorkerStatus]
