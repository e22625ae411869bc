"""Jobs as the API takes and gives them."""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.attempt import Attempt, AttemptState
from genesis.domain.failure import Failure
from genesis.domain.identity import Milliseconds
from genesis.domain.job import TERMINAL, Job, JobStatus
from genesis.domain.money import total
from genesis.domain.step import Step, StepState


class JobRequest(BaseModel):
    """A job to be done."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "pipeline": "text_to_image",
                    "inputs": {"text": "A beautiful sunset over mountains"},
                    "options": {"style": "cinematic", "quality": "high"},
                }
            ]
        },
    )

    pipeline: str = Field(max_length=100, description="One of the types that `GET /pipelines` lists.")
    inputs: dict[str, Any] = Field(description="`text`, `audio_url` or `image_url`, as the pipeline says.")
    options: dict[str, Any] = Field({}, description="As the pipeline says; null means the default.")

    @model_validator(mode="after")
    def _storable(self) -> Self:
        _check_storable([self.inputs, self.options], _DEEPEST)
        return self


_DEEPEST = 32


def _check_storable(value: Any, depth: int) -> None:
    """Databases take no NUL, JSON no infinite number, and readers of JSON only so much nesting: refused here at once."""
    if depth == 0:
        raise ValueError(f"lists and objects may be nested {_DEEPEST} deep at most")
    match value:
        case str():
            if "\0" in value:
                raise ValueError("text must not contain the character U+0000")
            if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
                raise ValueError("text must be valid Unicode")
        case float() if not math.isfinite(value):
            raise ValueError("numbers must be finite")
        case Mapping():
            for name, part in value.items():
                _check_storable(name, depth - 1)
                _check_storable(part, depth - 1)
        case list():
            for part in value:
                _check_storable(part, depth - 1)


class JobOutputs(BaseModel):
    """What a job has produced so far."""

    text: str | None = None
    image_url: str | None = Field(None, examples=["/storage/images/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55.png"])
    audio_url: str | None = None


class ErrorView(BaseModel):
    """Why something failed."""

    code: str
    message: str
    hint: str

    @classmethod
    def of(cls, failure: Failure | None) -> Self | None:
        return cls(code=failure.code, message=failure.message, hint=failure.hint) if failure else None


class AttemptView(BaseModel):
    """One call of one provider."""

    number: int
    model: str = Field(description="As `provider:name`.")
    status: AttemptState
    created_at: datetime
    settled_at: datetime | None
    cost_microdollars: int | None = Field(description="As the provider reported it; null when unknown.")
    warnings: list[str]
    error: ErrorView | None


class StepView(BaseModel):
    """One capability call of the pipeline."""

    name: str
    capability: str
    status: StepState
    output: dict[str, Any] | None
    started_at: datetime | None
    completed_at: datetime | None
    retry_at: datetime | None = Field(description="When the next attempt is due, after a failed one.")
    error: ErrorView | None
    attempts: list[AttemptView]


class JobMetadata(BaseModel):
    """What is known about a job beside its work."""

    provider: str | None = Field(description="The providers that served it.", examples=["local"])
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    error_message: str | None
    error: ErrorView | None
    worker_used: str | None = Field(description="The workers that served it.", examples=["llm, image"])
    waiting_for: str | None = Field(description="Why a queued job has not started, where something stands in its way.")
    cancel_requested_at: datetime | None
    cost_microdollars: int | None = Field(description="Sum of what providers reported; null when any is unknown.")
    warnings: list[str] = Field(description="What the providers could not honor.")


class JobView(BaseModel):
    """A job."""

    job_id: str
    pipeline: str
    status: JobStatus
    inputs: dict[str, Any]
    options: dict[str, Any]
    outputs: JobOutputs
    metadata: JobMetadata
    steps: list[StepView]

    @classmethod
    def of(cls, job: Job, *, waiting_for: str | None = None) -> Self:
        """A job as it is shown.

        Args:
            waiting_for: why it has not started.
        """
        return cls(
            job_id=job.id,
            pipeline=job.pipeline,
            status=job.status,
            inputs=dict(job.inputs),
            options=dict(job.options),
            outputs=JobOutputs(**(job.outputs if job.status in TERMINAL else job.results)),
            metadata=_metadata(job, waiting_for),
            steps=[_step(step, job.attempts_of(step.name)) for step in job.steps],
        )


def _metadata(job: Job, waiting_for: str | None) -> JobMetadata:
    served = [attempt for attempt in job.attempts if attempt.state is AttemptState.SUCCEEDED]
    paid = [attempt for attempt in job.attempts if attempt.state is not AttemptState.NOT_SENT]
    capabilities = {step.name: step.capability for step in job.steps}
    failure = job.failure
    return JobMetadata(
        provider=_joined(attempt.provider for attempt in served),
        created_at=_moment(job.created_at),
        started_at=_moment_or_none(job.started_at),
        completed_at=_moment_or_none(job.completed_at),
        error_message=failure.message if failure else None,
        error=ErrorView.of(failure),
        worker_used=_joined(CAPABILITIES[capabilities[attempt.step]].worker for attempt in served),
        waiting_for=waiting_for,
        cancel_requested_at=_moment_or_none(job.cancel_requested_at),
        cost_microdollars=total([attempt.cost for attempt in paid]),
        warnings=[warning for attempt in served for warning in attempt.warnings],
    )


def _step(step: Step, attempts: tuple[Attempt, ...]) -> StepView:
    return StepView(
        name=step.name,
        capability=step.capability,
        status=step.state,
        output=_plain(step.output),
        started_at=_moment_or_none(step.started_at),
        completed_at=_moment_or_none(step.completed_at),
        retry_at=_moment_or_none(step.retry_at),
        error=ErrorView.of(step.failure),
        attempts=[_attempt(attempt) for attempt in attempts],
    )


def _attempt(attempt: Attempt) -> AttemptView:
    return AttemptView(
        number=attempt.number,
        model=attempt.target,
        status=attempt.state,
        created_at=_moment(attempt.created_at),
        settled_at=_moment_or_none(attempt.settled_at),
        cost_microdollars=attempt.cost,
        warnings=list(attempt.warnings),
        error=ErrorView.of(attempt.failure),
    )


def _joined(names: Iterable[str]) -> str | None:
    return ", ".join(dict.fromkeys(names)) or None


def _plain(output: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if output is None else dict(output)


def _moment(milliseconds: Milliseconds) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _moment_or_none(milliseconds: Milliseconds | None) -> datetime | None:
    return None if milliseconds is None else _moment(milliseconds)
