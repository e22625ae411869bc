"""Jobs as the API takes and gives them."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from genesis.domain.attempt import AttemptState
from genesis.domain.identity import Milliseconds
from genesis.domain.job import JobStatus, OnAmbiguous
from genesis.domain.money import Money
from genesis.domain.price import CostSource
from genesis.domain.step import StepState
from genesis.engine.order import Order
from genesis.ports.queries import JobFilter

_LONGEST_DEADLINE = 31_536_000
"""Seconds: a year."""
_MOST_DOLLARS = 1_000_000
_PLAIN_NUMBER = re.compile(r"\d{1,7}(\.\d{1,6})?", re.ASCII)
_LATEST_START = datetime(9000, 1, 1, tzinfo=UTC)


def _exact(value: object) -> object:
    """Text is to be a plain number, so that what was meant is what is taken."""
    if isinstance(value, str) and not _PLAIN_NUMBER.fullmatch(value):
        raise ValueError("write US dollars as a number such as 0.25, not negative, with at most 6 decimal places")
    return value


_DOLLARS_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "pattern": r"^[0-9]{1,7}(\.[0-9]{1,6})?$"},
        {"type": "number", "minimum": 0, "maximum": _MOST_DOLLARS},
    ]
}
Dollars = Annotated[
    Decimal,
    Field(ge=0, le=_MOST_DOLLARS, decimal_places=6),
    BeforeValidator(_exact),
    WithJsonSchema(_DOLLARS_SCHEMA),
]


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
    priority: int = Field(
        0,
        ge=-100,
        le=100,
        strict=True,
        description="Jobs of a higher one go first among those of the same organization.",
    )
    not_before: AwareDatetime | None = Field(
        None,
        description="The job does not start before this moment (RFC 3339, with its offset from UTC). A retry forgets it.",
        examples=["2027-01-31T18:00:00Z"],
    )
    start_within_seconds: float | None = Field(
        None,
        gt=0,
        le=_LONGEST_DEADLINE,
        allow_inf_nan=False,
        description="The job fails with `start-deadline-passed` unless it has started this long after its submission.",
    )
    finish_within_seconds: float | None = Field(
        None,
        gt=0,
        le=_LONGEST_DEADLINE,
        allow_inf_nan=False,
        description="The job fails with `deadline-passed` unless it has ended this long after its submission.",
    )
    on_ambiguous: OnAmbiguous = Field(
        OnAmbiguous.FAIL,
        description="What follows when nobody knows whether a paid call was made: the job fails, and can be retried by "
        "hand; or the call is made again, and may then be paid twice.",
    )

    max_cost: Dollars | None = Field(
        None,
        description="US dollars that the job may cost, as a number or as text, which is exact however long it is. A job that "
        "is expected to cost more is refused with `too-expensive`, and one of which nobody knows the cost with "
        "`unknown-price`; before each call that may exceed it, the step fails with `max-cost-reached`.",
        examples=["0.25"],
    )

    @model_validator(mode="after")
    def _storable(self) -> Self:
        _check_storable([self.pipeline, self.inputs, self.options], _DEEPEST)
        if self.not_before is not None and self.not_before > _LATEST_START:
            raise ValueError(f"not_before must be before {_LATEST_START:%Y-%m-%d}")
        return self

    def order(self) -> Order:
        """What the engine is asked for."""
        return Order(
            self.pipeline,
            self.inputs,
            self.options,
            priority=self.priority,
            not_before=_milliseconds(self.not_before),
            start_within=self.start_within_seconds,
            finish_within=self.finish_within_seconds,
            on_ambiguous=self.on_ambiguous,
            max_cost=None if self.max_cost is None else Money.from_dollars(self.max_cost),
        )


_Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class JobListQuery(BaseModel):
    """Which jobs to list."""

    limit: int = Field(100, ge=1, le=1000)
    offset: int = Field(0, ge=0, description="At most 10,000; go on with `cursor` beyond.")
    cursor: UUID | None = Field(None, description="As the `Link` of the page before says: its last `job_id`.")
    status: JobStatus | None = None
    pipeline: _Text | None = None
    created_from: AwareDatetime | None = Field(None, description="RFC 3339, with its offset from UTC.")
    created_before: AwareDatetime | None = Field(None, description="RFC 3339, with its offset from UTC.")
    text: _Text | None = Field(None, description="Occurs in the inputs, whatever the case of its letters.")
    batch_id: UUID | None = None

    def filter(self) -> JobFilter:
        """What the engine is asked for."""
        return JobFilter(
            status=self.status,
            pipeline=self.pipeline,
            created_from=_milliseconds(self.created_from),
            created_before=_milliseconds(self.created_before),
            text=self.text,
            batch=str(self.batch_id) if self.batch_id else None,
        )


def _milliseconds(moment: datetime | None) -> Milliseconds | None:
    return None if moment is None else round(moment.timestamp() * 1000)


class RetryRequest(BaseModel):
    """How a job is to be retried."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"resend": True}]})

    resend: bool = Field(
        False,
        strict=True,
        description="Go on although nobody knows what an earlier call came to; it may then be paid twice.",
    )


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

    text: str | None
    image_url: str | None = Field(examples=["/storage/images/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55.png"])
    audio_url: str | None
    subtitles: str | None = Field(description="Of a transcription, where they were asked for.")


class ErrorView(BaseModel):
    """Why something failed."""

    code: str
    message: str
    hint: str


class AttemptView(BaseModel):
    """One call of one provider."""

    number: int
    model: str = Field(description="As `provider:name`.")
    status: AttemptState
    created_at: datetime
    settled_at: datetime | None
    cost_microdollars: int | None = Field(description="Null when unknown.")
    cost_source: CostSource | None = Field(
        description="Who says so: the provider for this call, the operator's table of prices, or the shipped catalog."
    )
    quantities: dict[str, str] = Field(
        description="What the provider charges by, as exact decimal numbers.", examples=[{"characters": "120"}]
    )
    warnings: list[str]
    error: ErrorView | None


class StepView(BaseModel):
    """One capability call of the pipeline."""

    name: str
    part_of: str | None = Field(
        description="The step of which this is a part, where that was too long for one call.", examples=["speak"]
    )
    capability: str
    status: StepState
    output: dict[str, Any] | None
    started_at: datetime | None
    completed_at: datetime | None
    retry_at: datetime | None = Field(description="When the next attempt is due, after a failed one.")
    error: ErrorView | None
    cost_microdollars: int | None = Field(
        description="Sum of its attempts; null when any is unknown, or there is none."
    )
    attempts: list[AttemptView]


class QueueView(BaseModel):
    """Where a queued job stands."""

    position: int = Field(description="Jobs of the organization that start before it.", examples=[3])
    position_is_minimum: bool = Field(description="There are more of them, but no more were counted.")
    estimated_start_at: datetime | None = Field(description="Judged by recent jobs; null without any.")
    reason: str | None = Field(
        description="Why it waits, where something stands in its way.", examples=["All slots of text are busy."]
    )


class JobMetadata(BaseModel):
    """What is known about a job beside its work."""

    provider: str | None = Field(description="The providers that served it.", examples=["local"])
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    error_message: str | None
    error: ErrorView | None
    worker_used: str | None = Field(description="The workers that served it.", examples=["llm, image"])
    waiting_for: str | None = Field(
        description="Why a queued job has not started, or a running one does not go on; null where nothing is known to "
        "stand in its way.",
        examples=["The llm worker is missing: it does not answer."],
    )
    queue: QueueView | None = Field(description="Where a queued job stands; shown by `GET /jobs/{job_id}` alone.")
    priority: int
    batch_id: str | None = Field(description="The batch that it was accepted with.")
    not_before: datetime | None = Field(
        description="A queued job does not go on before this moment: its start is delayed, or a failed attempt's next is."
    )
    start_by: datetime | None = Field(description="It fails unless it has started by then.")
    finish_by: datetime | None = Field(description="It fails unless it has ended by then.")
    on_ambiguous: OnAmbiguous
    retried_at: datetime | None = Field(description="When it was last retried by hand.")
    cancel_requested_at: datetime | None
    cost_microdollars: int | None = Field(description="Sum of all attempts; null when any is unknown.")
    cost_known_microdollars: int = Field(description="Sum of the costs that are known.")
    max_cost_microdollars: int | None = Field(description="What the job may cost.")
    warnings: list[str] = Field(description="What the providers could not honor.")


class ResumedView(BaseModel):
    """What the word has done."""

    resumed: int = Field(description="Jobs that go on.", examples=[12])


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
