"""Lists of jobs: pages by id, whatever the filter, each through the index that fits it."""

import sqlite3
from dataclasses import dataclass

from genesis.database.filters import LOOKED_THROUGH, id_bounds
from genesis.database.plans import Plans
from genesis.database.sqlite.loading import load_these
from genesis.domain.job import JobStatus
from genesis.ports.queries import JobFilter, JobPage

_BOUNDS = "organization = :organization AND id >= :lower AND id < :upper"
_NEWEST = "ORDER BY id DESC LIMIT :most"
_OF_STATUS = "status = :status"
_OF_PIPELINE = "pipeline = :pipeline"
_OF_BATCH = "batch = :batch"
_HOLDS_TEXT = (
    "EXISTS (SELECT 1 FROM jobs JOIN json_each(jobs.inputs) WHERE jobs.id = found.id "
    "AND instr(casefold(json_each.value), :text) > 0)"
)


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for."""

    limit: int
    offset: int
    cursor: str | None


def add_functions(connection: sqlite3.Connection) -> None:
    """Gives a connection what the lists need: SQLite itself folds the case of ASCII letters only."""
    connection.create_function("casefold", 1, lambda value: str(value).casefold(), deterministic=True)


def list_jobs(connection: sqlite3.Connection, plans: Plans, organization: str, page: Page, where: JobFilter) -> JobPage:
    """One page of an organization's jobs, newest first."""
    bounds = id_bounds(page.cursor, where)
    text = None if where.text is None else where.text.casefold()
    wanted = page.offset + page.limit + 1
    values: dict[str, object] = {
        "organization": organization,
        "lower": bounds.lower,
        "upper": bounds.upper,
        "status": where.status,
        "pipeline": where.pipeline,
        "batch": where.batch,
        "text": text,
        "most": wanted if text is None else LOOKED_THROUGH,
        "limit": page.limit + 1,
        "offset": page.offset,
    }
    found = _candidates(where)
    held = "" if text is None else f"WHERE {_HOLDS_TEXT}"
    query = f"SELECT id FROM ({found}) AS found {held} ORDER BY id DESC LIMIT :limit OFFSET :offset"
    ids = [job for (job,) in connection.execute(query, values)]
    shown = ids[: page.limit]
    cursor = shown[-1] if len(ids) > page.limit and shown else None
    if cursor is None and text is not None:
        cursor = _last_looked_at(connection, found, values)
    return JobPage(load_these(connection, plans, shown), cursor)


def _last_looked_at(connection: sqlite3.Connection, found: str, values: dict[str, object]) -> str | None:
    """The job where a search has stopped before it came to the end."""
    query = f"SELECT id FROM ({found}) ORDER BY id DESC LIMIT 1 OFFSET {LOOKED_THROUGH - 1}"
    row = connection.execute(query, values).fetchone()
    return None if row is None else str(row[0])


def _candidates(where: JobFilter) -> str:
    """The newest ids that fit all but the text."""
    if where.batch is not None:
        conditions = [_OF_BATCH, *([_OF_STATUS] if where.status else []), *([_OF_PIPELINE] if where.pipeline else [])]
        return _select("jobs_of_batch", *conditions)
    if where.pipeline is not None and where.status is None:
        # The index has the statuses before the ids: one ordered list for each of them, merged.
        parts = [_select("jobs_by_pipeline", _OF_PIPELINE, f"status = '{status}'") for status in JobStatus]
        return " UNION ALL ".join(f"SELECT id FROM ({part})" for part in parts) + f" {_NEWEST}"
    if where.pipeline is not None:
        return _select("jobs_by_pipeline", _OF_PIPELINE, _OF_STATUS)
    if where.status is not None:
        return _select("jobs_by_status", _OF_STATUS)
    return _select("jobs_of_organization")


def _select(index: str, *conditions: str) -> str:
    return f"SELECT id FROM jobs INDEXED BY {index} WHERE {' AND '.join((_BOUNDS, *conditions))} {_NEWEST}"
