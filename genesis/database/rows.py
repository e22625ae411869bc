"""Between rows and the domain's values, for every kind of database."""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Protocol

from pydantic_core import to_json

from genesis.database.states import HELD
from genesis.domain.attempt import Attempt, AttemptState, ProviderClass
from genesis.domain.batch import Batch
from genesis.domain.event import Event, EventType, RecordedEvent
from genesis.domain.failure import UNREADABLE, Failure
from genesis.domain.job import TERMINAL, Job, JobStatus, OnAmbiguous
from genesis.domain.money import Money
from genesis.domain.pipeline import Pipeline
from genesis.domain.price import CostSource
from genesis.domain.quantity import Quantities, Unit
from genesis.domain.step import Part, Step, StepState
from genesis.errors import FailureClass, GenesisError

Values = tuple[Any, ...]


class Row(Protocol):
    """A row whose columns are found by name."""

    def __getitem__(self, name: str, /) -> Any: ...


JOB_COLUMNS = (
    "id",
    "organization",
    "pipeline",
    "status",
    "lane",
    "priority",
    "wake_at",
    "owner",
    "epoch",
    "event_seq",
    "created_at",
    "started_at",
    "inputs",
    "options",
    "plan",
    "batch",
    "start_by",
    "finish_by",
    "on_ambiguous",
    "max_cost",
)
"""What a new job brings; the other columns have defaults."""
STEP_COLUMNS = (
    "job",
    "number",
    "name",
    "capability",
    "part",
    "state",
    "output",
    "failure",
    "started_at",
    "completed_at",
    "retry_at",
)
ATTEMPT_COLUMNS = (
    "id",
    "job",
    "step",
    "number",
    "call_key",
    "target",
    "provider_class",
    "state",
    "created_at",
    "not_after",
    "call_deadline",
)
"""What an intent brings."""
EVIDENCE_COLUMNS = (
    "state",
    "target",
    "settled_at",
    "failure",
    "cost",
    "cost_source",
    "quantities",
    "retry_after",
    "warnings",
    "usage",
    "handle",
    "output",
)
"""What an attempt turns out to be."""
KEPT_EVIDENCE = ("cost", "cost_source", "handle")
"""Of this, what stays known when the attempt is settled by somebody who has not heard of it."""
STEP_CHANGE_COLUMNS = ("state", "output", "failure", "started_at", "completed_at", "retry_at")
EVENT_COLUMNS = ("organization", "job", "seq", "type", "at", "data")


def dump(value: Any) -> str:
    """JSON as it stands in a column."""
    if type(value) is not dict and isinstance(value, Mapping):  # the first question is quick, and nearly always enough
        value = dict(value)
    # A fifth of the time that Python's own encoder takes for the small values that most of them are.
    return to_json(value).decode()


def dump_failure(failure: Failure | None) -> str | None:
    if failure is None:
        return None
    return dump({"code": failure.code, "message": failure.message, "hint": failure.hint, "kind": failure.kind})


def dump_quantities(quantities: Quantities) -> str:
    """Quantities as exact decimal numbers."""
    return dump({unit.value: str(quantity) for unit, quantity in quantities.items()}) if quantities else "{}"


def quantities_from(column: str) -> Quantities:
    """Quantities from their column; units of other versions are left out."""
    return {Unit(name): Decimal(amount) for name, amount in _mapping(column).items() if name in _UNITS}


_UNITS = frozenset(unit.value for unit in Unit)


def job_values(job: Job, *, lane: str, plan: str, event_seq: int) -> Values:
    """A new job's row, in the order of `JOB_COLUMNS`.

    Args:
        plan: the digest of its plan.
        event_seq: how many events are written with it.
    """
    return (
        job.id,
        job.organization,
        job.pipeline,
        job.status.value,
        lane,
        job.priority,
        job.wake_at,
        job.owner,
        job.epoch,
        event_seq,
        job.created_at,
        job.started_at,
        dump(job.inputs),
        dump(job.options),
        plan,
        job.batch,
        job.start_by,
        job.finish_by,
        job.on_ambiguous.value,
        job.max_cost,
    )


def step_values(job: str, number: int, step: Step) -> Values:
    """A step's row, in the order of `STEP_COLUMNS`."""
    return (job, number, step.name, step.capability, _dump_part(step.part), *step_change(step))


def part_values(job: str, steps: Iterable[Step]) -> list[Values]:
    """The rows of steps that are added to a job as parts of others."""
    return [step_values(job, step.part.place, step) for step in steps if step.part is not None]


def _dump_part(part: Part | None) -> str | None:
    if part is None:
        return None
    return dump({"of": part.of, "input": dict(part.input), "start": part.start, "end": part.end})


def step_change(step: Step) -> Values:
    """What may change of a step, in the order of `STEP_CHANGE_COLUMNS`."""
    return (
        step.state.value,
        None if step.output is None else dump(step.output),
        dump_failure(step.failure),
        step.started_at,
        step.completed_at,
        step.retry_at,
    )


def intent_values(job: str, attempt: Attempt) -> Values:
    """A new attempt's row, in the order of `ATTEMPT_COLUMNS`."""
    return (
        attempt.id,
        job,
        attempt.step,
        attempt.number,
        attempt.call_key,
        attempt.target,
        attempt.provider_class.value,
        attempt.state.value,
        attempt.created_at,
        attempt.not_after,
        attempt.call_deadline,
    )


def evidence_values(attempt: Attempt, *, keep_output: bool) -> Values:
    """What became of an attempt, in the order of `EVIDENCE_COLUMNS`.

    Args:
        keep_output: whether nobody else keeps its output.
    """
    return (
        attempt.state.value,
        attempt.target,
        attempt.settled_at,
        dump_failure(attempt.failure),
        attempt.cost,
        None if attempt.cost_source is None else attempt.cost_source.value,
        dump_quantities(attempt.quantities),
        attempt.retry_after,
        dump(attempt.warnings) if attempt.warnings else "[]",
        dump(attempt.usage),
        None if attempt.handle is None else dump(attempt.handle),
        dump(attempt.output) if keep_output and attempt.output is not None else None,
    )


def event_values(organization: str, job: str, seq: int, event: Event) -> Values:
    """An event's row, in the order of `EVENT_COLUMNS`."""
    return (organization, job, seq, event.type.value, event.at, dump(event.data))


def _failure(column: str | None) -> Failure | None:
    if column is None:
        return None
    stored = json.loads(column)
    return Failure(stored["code"], stored["message"], stored["hint"], FailureClass(stored["kind"]))


def _mapping(column: str) -> Mapping[str, Any]:
    mapping: Mapping[str, Any] = {} if column == "{}" else json.loads(column)
    return mapping


def jobs_from(
    jobs: Iterable[Row], steps: Iterable[Row], attempts: Iterable[Row], plans: Mapping[str, Pipeline | None]
) -> list[Job]:
    """Jobs in the order of their rows.

    Args:
        steps: the rows of all these jobs' steps, those of one job in the plan's order.
        attempts: the same of attempts, oldest first.
        plans: by digest; None or missing where a plan cannot be understood.
    """
    steps_of: dict[str, list[Row]] = {}
    attempts_of: dict[str, list[Row]] = {}
    for step in steps:
        steps_of.setdefault(step["job"], []).append(step)
    for attempt in attempts:
        attempts_of.setdefault(attempt["job"], []).append(attempt)
    return [
        job_from(row, steps_of.get(row["id"], ()), attempts_of.get(row["id"], ()), plans.get(row["plan"]))
        for row in jobs
    ]


def job_from(row: Row, steps: Iterable[Row], attempts: Iterable[Row], plan: Pipeline | None) -> Job:
    """A job from its row and those of its steps and attempts, each in order.

    Of one that this version cannot read there is what can be shown; its plan has no steps.
    """
    try:
        return _job(row, steps, attempts, plan or _unreadable_plan(row))
    except (GenesisError, ValueError, KeyError, TypeError, AttributeError):
        known = row["status"] in set(JobStatus)
        return Job(
            id=row["id"],
            organization=row["organization"],
            pipeline=row["pipeline"],
            inputs={},
            options={},
            plan=_unreadable_plan(row),
            created_at=row["created_at"],
            status=JobStatus(row["status"]) if known else JobStatus.FAILED,
            failure=UNREADABLE,
            completed_at=row["completed_at"],
            owner=row["owner"],
            epoch=row["epoch"],
        )


def readable(job: Job) -> bool:
    """Whether this version can read, and so run, the job."""
    return bool(job.plan.steps)


def _job(row: Row, steps: Iterable[Row], attempts: Iterable[Row], plan: Pipeline) -> Job:
    held = row["wake_at"] >= HELD
    return Job(
        id=row["id"],
        organization=row["organization"],
        pipeline=row["pipeline"],
        inputs=_mapping(row["inputs"]),
        options=_mapping(row["options"]),
        plan=plan,
        created_at=row["created_at"],
        status=JobStatus(row["status"]),
        outputs=_mapping(row["outputs"]),
        failure=_failure(row["failure"]),
        started_at=row["started_at"],
        completed_at=row["completed_at"],
        cancel_requested_at=row["cancel_requested_at"],
        wake_at=row["wake_at"] - HELD if held else row["wake_at"],
        owner=row["owner"],
        epoch=row["epoch"],
        steps=tuple(step_from(step) for step in steps),
        attempts=tuple(attempt_from(attempt) for attempt in attempts),
        priority=row["priority"],
        batch=row["batch"],
        start_by=None if held else row["start_by"],
        finish_by=None if held else row["finish_by"],
        on_ambiguous=OnAmbiguous(row["on_ambiguous"]),
        max_cost=None if row["max_cost"] is None else Money(row["max_cost"]),
        crash_count=row["crash_count"],
        retried_at=row["retried_at"],
        lane=row["lane"],
        held=held and row["status"] not in TERMINAL,
    )


def _unreadable_plan(row: Row) -> Pipeline:
    return Pipeline(row["pipeline"], 0, "", (), (), {})


def step_from(row: Row) -> Step:
    """A step from its row."""
    return Step(
        name=row["name"],
        capability=row["capability"],
        state=StepState(row["state"]),
        output=None if row["output"] is None else json.loads(row["output"]),
        failure=_failure(row["failure"]),
        started_at=row["started_at"],
        completed_at=row["completed_at"],
        retry_at=row["retry_at"],
        part=None if row["part"] is None else Part(place=row["number"], **json.loads(row["part"])),
    )


def attempt_from(row: Row) -> Attempt:
    """An attempt from its row."""
    return Attempt(
        id=row["id"],
        step=row["step"],
        number=row["number"],
        call_key=row["call_key"],
        target=row["target"],
        provider_class=ProviderClass(row["provider_class"]),
        created_at=row["created_at"],
        state=AttemptState(row["state"]),
        settled_at=row["settled_at"],
        failure=_failure(row["failure"]),
        cost=None if row["cost"] is None else Money(row["cost"]),
        cost_source=None if row["cost_source"] is None else CostSource(row["cost_source"]),
        quantities=quantities_from(row["quantities"]),
        retry_after=row["retry_after"],
        warnings=() if row["warnings"] == "[]" else tuple(json.loads(row["warnings"])),
        usage=_mapping(row["usage"]),
        not_after=row["not_after"],
        call_deadline=row["call_deadline"],
        handle=None if row["handle"] is None else json.loads(row["handle"]),
        output=None if row["output"] is None else json.loads(row["output"]),
    )


def event_from(row: Row, cursor: str) -> RecordedEvent:
    """An event from its row; its place in the feed is named by each kind of database in its own way."""
    event = Event(EventType(row["type"]), row["at"], _mapping(row["data"]))
    return RecordedEvent(row["job"], row["seq"], event, cursor)


def retries_of(events: Iterable[RecordedEvent]) -> Mapping[str, Mapping[str, Event]]:
    """The last of some events `step-retried`, each job's in order, by job and step."""
    found: dict[str, dict[str, Event]] = {}
    for item in events:
        found.setdefault(item.job, {})[item.event.data["step"]] = item.event
    return found


def batch_from(row: Row) -> Batch:
    """A batch from its row."""
    return Batch(row["id"], row["organization"], row["created_at"], row["size"])
