"""Between rows and the domain's values."""

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from genesis.domain.attempt import Attempt, AttemptState, ProviderClass
from genesis.domain.failure import UNREADABLE, Failure
from genesis.domain.job import Job, JobStatus
from genesis.domain.money import Money
from genesis.domain.pipeline import Pipeline, from_document
from genesis.domain.step import Step, StepState
from genesis.errors import FailureClass, GenesisError

Row = dict[str, Any]


def dump(value: Any) -> str:
    """JSON as it stands in a column."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def dump_failure(failure: Failure | None) -> str | None:
    if failure is None:
        return None
    return dump({"code": failure.code, "message": failure.message, "hint": failure.hint, "kind": failure.kind})


def _failure(column: str | None) -> Failure | None:
    if column is None:
        return None
    stored = json.loads(column)
    return Failure(stored["code"], stored["message"], stored["hint"], FailureClass(stored["kind"]))


def rows(cursor: sqlite3.Cursor) -> list[Row]:
    """All rows of a query, by column name."""
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def job_from(row: Row, steps: Iterable[Row], attempts: Iterable[Row]) -> Job:
    """A job from its row and those of its steps and attempts, each in order.

    Of one that this version cannot read there is what can be shown: it has no plan, no steps and no attempts.
    """
    try:
        return _job(row, steps, attempts)
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


def _job(row: Row, steps: Iterable[Row], attempts: Iterable[Row]) -> Job:
    return Job(
        id=row["id"],
        organization=row["organization"],
        pipeline=row["pipeline"],
        inputs=json.loads(row["inputs"]),
        options=json.loads(row["options"]),
        plan=_plan(row),
        created_at=row["created_at"],
        status=JobStatus(row["status"]),
        outputs=json.loads(row["outputs"]),
        failure=_failure(row["failure"]),
        started_at=row["started_at"],
        completed_at=row["completed_at"],
        cancel_requested_at=row["cancel_requested_at"],
        wake_at=row["wake_at"],
        owner=row["owner"],
        epoch=row["epoch"],
        steps=tuple(_step(step) for step in steps),
        attempts=tuple(_attempt(attempt) for attempt in attempts),
    )


def _plan(row: Row) -> Pipeline:
    """The job's pipeline; one without steps where this version cannot read it, so that the job can still be shown."""
    try:
        return from_document(json.loads(row["plan"]))
    except (GenesisError, ValueError, KeyError, TypeError, AttributeError):
        return _unreadable_plan(row)


def _unreadable_plan(row: Row) -> Pipeline:
    return Pipeline(row["pipeline"], 0, "", (), (), {})


def _step(row: Row) -> Step:
    return Step(
        name=row["name"],
        capability=row["capability"],
        state=StepState(row["state"]),
        output=json.loads(row["output"]) if row["output"] else None,
        failure=_failure(row["failure"]),
        started_at=row["started_at"],
        completed_at=row["completed_at"],
        retry_at=row["retry_at"],
    )


def _attempt(row: Row) -> Attempt:
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
        retry_after=row["retry_after"],
        warnings=tuple(json.loads(row["warnings"])),
        usage=json.loads(row["usage"]),
    )


def load_jobs(connection: sqlite3.Connection, jobs: list[Row]) -> list[Job]:
    """Adds steps and attempts to job rows and keeps their order."""
    marks = ",".join("?" * len(jobs))
    ids = [row["id"] for row in jobs]
    steps = rows(connection.execute(f"SELECT * FROM steps WHERE job IN ({marks}) ORDER BY job, number", ids))
    attempts = rows(connection.execute(f"SELECT * FROM attempts WHERE job IN ({marks}) ORDER BY id", ids))
    steps_of: dict[str, list[Row]] = {job: [] for job in ids}
    attempts_of: dict[str, list[Row]] = {job: [] for job in ids}
    for step in steps:
        steps_of[step["job"]].append(step)
    for attempt in attempts:
        attempts_of[attempt["job"]].append(attempt)
    return [job_from(row, steps_of[row["id"]], attempts_of[row["id"]]) for row in jobs]
