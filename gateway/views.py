"""The API's documents of what the engine knows, as plain data: one place for each that a schema describes.

They are built by hand because jobs are asked for often: the schemas' models would cost more than all else that is done.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from gateway.schemas.batch import BatchStatus
from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.artifact import STORAGE_PREFIX
from genesis.domain.attempt import Attempt, AttemptState
from genesis.domain.batch import Batch
from genesis.domain.event import RecordedEvent
from genesis.domain.failure import Failure
from genesis.domain.file import File, FileState, MediaDetails, peaks_key, thumbnail_key
from genesis.domain.identity import Milliseconds
from genesis.domain.job import CUT, JOIN, TERMINAL, Job, JobStatus
from genesis.domain.money import Money, known_total, total
from genesis.domain.quantity import Quantities
from genesis.domain.step import Step
from genesis.domain.usage import Usage, UsageKey, UsageQuery
from genesis.engine.estimate import Estimate, StepEstimate
from genesis.engine.outlook import FARTHEST_POSITION, Outlook
from genesis.ports.signals import TextDelta

Document = dict[str, Any]

_NO_OUTPUTS: Mapping[str, None] = dict.fromkeys(("text", "image_url", "audio_url", "subtitles"))


def job_document(job: Job, *, waiting_for: str | None, outlook: Outlook | None = None) -> Document:
    """A job as `JobView` describes it."""
    outputs = _outputs(job)
    return {
        "job_id": job.id,
        "pipeline": job.pipeline,
        "status": job.status,
        "inputs": job.inputs,
        "options": job.options,
        "outputs": {**_NO_OUTPUTS, **outputs},
        "metadata": _metadata(job, waiting_for, outlook),
        "steps": [_step(step, job.attempts_of(step.name) if job.attempts else ()) for step in _shown(job)],
    }


def _shown(job: Job) -> Sequence[Step]:
    """The steps in the plan's order, each followed by its parts."""
    if not job.has_parts:
        return job.steps
    return [shown for step in job.steps if not step.part for shown in (step, *job.parts_of(step.name))]


def _outputs(job: Job) -> Mapping[str, Any]:
    if job.status in TERMINAL:
        return job.outputs
    return job.results if any(step.output is not None for step in job.steps) else {}


def _metadata(job: Job, waiting_for: str | None, outlook: Outlook | None) -> Document:
    served = [attempt for attempt in job.attempts if attempt.state is AttemptState.SUCCEEDED]
    paid = _costs(job.attempts)
    capabilities = {step.name: step.capability for step in job.steps} if served else {}
    return {
        "provider": _joined(attempt.provider for attempt in served if attempt.target not in (CUT, JOIN)),
        "created_at": moment(job.created_at),
        "started_at": _moment_or_none(job.started_at),
        "completed_at": _moment_or_none(job.completed_at),
        "error_message": job.failure.message if job.failure else None,
        "error": _error(job.failure),
        "worker_used": _joined(CAPABILITIES[capabilities[attempt.step]].worker for attempt in served),
        "waiting_for": waiting_for,
        "queue": None if outlook is None else _queue(outlook),
        "priority": job.priority,
        "batch_id": job.batch,
        "not_before": moment(job.wake_at) if job.status is JobStatus.QUEUED and job.wake_at > 0 else None,
        "start_by": _moment_or_none(job.start_by),
        "finish_by": _moment_or_none(job.finish_by),
        "on_ambiguous": job.on_ambiguous,
        "retried_at": _moment_or_none(job.retried_at),
        "cancel_requested_at": _moment_or_none(job.cancel_requested_at),
        "cost_microdollars": total(paid) if paid or job.status not in TERMINAL else 0,
        "cost_known_microdollars": known_total(paid),
        "max_cost_microdollars": job.max_cost,
        "warnings": [*(warning for attempt in served for warning in attempt.warnings), *_done_without(job)],
    }


def _done_without(job: Job) -> list[str]:
    """A sentence for each step that a completed job has done without."""
    if job.status is not JobStatus.COMPLETED:
        return []
    return [
        f"The step `{step.name}` failed, and the job went on without it: {step.failure.message}"
        for step in job.steps
        if step.failure is not None and step.part is None
    ]


def _costs(attempts: Iterable[Attempt]) -> list[Money | None]:
    return [attempt.cost for attempt in attempts if attempt.state is not AttemptState.NOT_SENT]


def _queue(outlook: Outlook) -> Document:
    return {
        "position": outlook.position,
        "position_is_minimum": outlook.position >= FARTHEST_POSITION,
        "estimated_start_at": _moment_or_none(outlook.estimated_start),
        "reason": outlook.reason,
    }


def _step(step: Step, attempts: tuple[Attempt, ...]) -> Document:
    return {
        "name": step.name,
        "part_of": step.part.of if step.part else None,
        "capability": step.capability,
        "status": step.state,
        "output": step.output,
        "started_at": _moment_or_none(step.started_at),
        "completed_at": _moment_or_none(step.completed_at),
        "retry_at": _moment_or_none(step.retry_at),
        "error": _error(step.failure),
        "cost_microdollars": total(_costs(attempts)),
        "attempts": [_attempt(attempt) for attempt in attempts],
    }


def _attempt(attempt: Attempt) -> Document:
    return {
        "number": attempt.number,
        "model": attempt.target,
        "status": attempt.state,
        "created_at": moment(attempt.created_at),
        "settled_at": _moment_or_none(attempt.settled_at),
        "cost_microdollars": attempt.cost,
        "cost_source": attempt.cost_source,
        "quantities": _quantities(attempt.quantities),
        "warnings": attempt.warnings,
        "error": _error(attempt.failure),
    }


def _error(failure: Failure | None) -> Document | None:
    return {"code": failure.code, "message": failure.message, "hint": failure.hint} if failure else None


def _quantities(quantities: Quantities) -> Document:
    return {unit.value: format(quantity, "f") for unit, quantity in quantities.items()}


def estimate_document(estimate: Estimate) -> Document:
    """An estimate as `EstimateView` describes it."""
    return {
        "cost_microdollars": estimate.cost,
        "cost_known_microdollars": estimate.known_cost,
        "at_most_microdollars": estimate.at_most,
        "steps": [_step_estimate(step) for step in estimate.steps],
    }


def _step_estimate(step: StepEstimate) -> Document:
    return {
        "step": step.step,
        "capability": step.capability,
        "model": step.model,
        "quantities": _quantities(step.quantities),
        "cost_microdollars": step.cost,
        "at_most_microdollars": step.at_most,
        "cost_source": step.source,
        "notes": step.notes,
    }


def usage_document(asked: UsageQuery, rows: Sequence[Usage]) -> Document:
    """Usage as `UsageView` describes it."""
    return {
        "from": asked.first.isoformat(),
        "to": asked.last.isoformat(),
        "group_by": [key for key in UsageKey if key in asked.by],
        "rows": [_usage(row) for row in rows],
    }


def _usage(row: Usage) -> Document:
    return {
        "day": row.day and row.day.isoformat(),
        "provider": row.provider,
        "model": row.model,
        "calls": row.calls,
        "succeeded": row.succeeded,
        "failed": row.failed,
        "unknown": row.unknown,
        "cost_known_microdollars": row.cost,
        "cost_unknown_calls": row.cost_unknown,
        "quantities": _quantities(row.quantities),
    }


def batch_document(batch: Batch, counts: Mapping[JobStatus, int]) -> Document:
    """A batch as `BatchView` describes it."""
    return {
        "batch_id": batch.id,
        "status": batch_status(counts),
        "created_at": moment(batch.created_at),
        "size": batch.size,
        "counts": {status.value: counts.get(status, 0) for status in JobStatus},
    }


def batch_status(counts: Mapping[JobStatus, int]) -> BatchStatus:
    """What the statuses of a batch's jobs come to."""
    present = {status for status, count in counts.items() if count}
    if present <= {JobStatus.QUEUED}:
        return BatchStatus.QUEUED
    if not present <= TERMINAL:
        return BatchStatus.RUNNING
    ends = (JobStatus.FAILED, JobStatus.CANCELED, JobStatus.COMPLETED)
    return BatchStatus(next(status for status in ends if status in present))


def file_document(file: File) -> Document:
    """A file as `FileView` describes it."""
    details = file.details or MediaDetails()
    return {
        "id": file.id,
        "url": None if file.state is FileState.WAITING else file.url,
        "media_type": file.media_type,
        "size": file.size,
        "sha256": file.sha256,
        "name": file.name,
        "source": file.source,
        "job": file.job,
        "state": file.state,
        "created_at": moment(file.created_at),
        "expires_at": _moment_or_none(file.expires_at),
        "details": _details(file.details) if file.details else None,
        "thumbnails": {str(width): STORAGE_PREFIX + thumbnail_key(file.id, width) for width in details.thumbnails},
        "peaks": STORAGE_PREFIX + peaks_key(file.id) if details.has_peaks else None,
        "problem": file.problem or None,
    }


def _details(details: MediaDetails) -> Document:
    return {
        "width": details.width,
        "height": details.height,
        "frames": details.frames,
        "duration_seconds": None if details.duration_ms is None else details.duration_ms / 1000,
        "sample_rate": details.sample_rate,
        "channels": details.channels,
        "codec": details.codec,
    }


def event_document(item: RecordedEvent | TextDelta) -> Document:
    """An event as `EventView` or `TextDeltaView` describes it."""
    if isinstance(item, TextDelta):
        return {
            "type": "text-delta",
            "job_id": item.job,
            "step": item.step,
            "attempt": item.attempt,
            "offset": item.offset,
            "text": item.text,
        }
    return {
        "type": item.event.type,
        "job_id": item.job,
        "seq": item.seq,
        "cursor": item.cursor,
        "at": moment(item.event.at),
        "data": item.event.data,
    }


def moment(milliseconds: Milliseconds) -> str:
    """A moment in the form of RFC 3339."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _moment_or_none(milliseconds: Milliseconds | None) -> str | None:
    return None if milliseconds is None else moment(milliseconds)


def _joined(names: Iterable[str]) -> str | None:
    return ", ".join(dict.fromkeys(names)) or None
