"""SQL for many rows at once: each table's rows are one parameter, so that a statement costs little more for hundreds."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic_core import to_json

from genesis.database.files import FILE_COLUMNS, MADE_COLUMNS, MAKERS, NOT_DELETED, USE_COLUMNS
from genesis.database.rows import (
    ATTEMPT_COLUMNS,
    EVENT_COLUMNS,
    EVIDENCE_COLUMNS,
    JOB_COLUMNS,
    KEPT_EVIDENCE,
    STEP_CHANGE_COLUMNS,
    STEP_COLUMNS,
)
from genesis.database.states import ATTEMPT_MOVES, STEP_MOVES

_BIGINTS = frozenset(
    "priority wake_at epoch event_seq created_at started_at completed_at retry_at start_by finish_by number seq at "
    "settled_at cost max_cost not_after call_deadline alone crash_count lone_crash_count cancel_requested_at retried_at "
    "size expires_at deleted_at".split()
)
_TYPES = dict.fromkeys(_BIGINTS, "bigint") | {"retry_after": "double precision"}

HEAD_COLUMNS = (
    "id",
    "status",
    "owner",
    "epoch",
    "lane",
    "wake_at",
    "alone",
    "started_at",
    "completed_at",
    "outputs",
    "failure",
    "event_seq",
    "cancel_requested_at",
    "crash_count",
    "lone_crash_count",
)
"""What changes of a job during its life; outputs and failure stay as they are where they are null here."""
_KEPT = ("outputs", "failure")


def rows(values: Iterable[Sequence[Any]]) -> str:
    """Rows as one parameter. The driver looks at every element of an array in Python: JSON costs a fifth of that."""
    return to_json(list(values)).decode()


def given(columns: Sequence[str], number: int) -> str:
    """The rows of a parameter, as a table `new`."""
    taken = ", ".join(f"{_typed(name, index)} AS {name}" for index, name in enumerate(columns))
    return f"(SELECT {taken} FROM jsonb_array_elements(${number}::jsonb) AS item) AS new"


def _typed(name: str, index: int) -> str:
    kind = _TYPES.get(name)
    return f"(item->>{index})::{kind}" if kind else f"item->>{index}"


def insert(table: str, columns: Sequence[str], number: int = 1) -> str:
    """Inserts the rows of a parameter."""
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM {given(columns, number)}"


def _joined(*parts: tuple[str, tuple[str, ...]]) -> str:
    """Several statements that each write their own rows as a single one, which is one turn to the server and back.

    They see the tables as they were before all of them (PostgreSQL's documentation, 7.8.4): none of them depends on another's
    rows. Foreign keys are checked at the end.
    """
    texts = [text.replace("{rows}", given(columns, number)) for number, (text, columns) in enumerate(parts, start=1)]
    names = (f"part_{number} AS ({text})" for number, text in enumerate(texts[:-1]))
    return f"WITH {', '.join(names)} {texts[-1]}"


def _insertion(table: str, columns: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM {{rows}}", columns


def _later_events() -> tuple[str, tuple[str, ...]]:
    """Adds events to jobs that have some. None stands in the feed before an earlier one of its job.

    Whoever locks a job may have begun before the one who last changed it, and would have the smaller transaction id. The
    greater of both is safe: readers pass it only when all transactions before it have ended, this one among them.
    """
    before = "SELECT transaction_id FROM events WHERE job = new.job ORDER BY seq DESC LIMIT 1"
    place = f"greatest(pg_current_xact_id(), ({before}))"
    columns = ", ".join(EVENT_COLUMNS)
    values = ", ".join(f"new.{name}" for name in EVENT_COLUMNS)
    return f"INSERT INTO events ({columns}, transaction_id) SELECT {values}, {place} FROM {{rows}}", EVENT_COLUMNS


def _head_update() -> tuple[str, tuple[str, ...]]:
    changes = (
        f"{name} = coalesce(new.{name}, jobs.{name})" if name in _KEPT else f"{name} = new.{name}"
        for name in HEAD_COLUMNS[1:]
    )
    return f"UPDATE jobs SET {', '.join(changes)} FROM {{rows}} WHERE jobs.id = new.id", HEAD_COLUMNS


def _evidence_update() -> tuple[str, tuple[str, ...]]:
    changes = (
        f"{name} = coalesce(new.{name}, attempts.{name})" if name in KEPT_EVIDENCE else f"{name} = new.{name}"
        for name in EVIDENCE_COLUMNS
    )
    guard = f"(attempts.state || '>' || new.state) IN ({ATTEMPT_MOVES})"
    text = f"UPDATE attempts SET {', '.join(changes)} FROM {{rows}} WHERE attempts.id = new.id AND {guard}"
    return text, ("id", *EVIDENCE_COLUMNS)


def _step_update() -> tuple[str, tuple[str, ...]]:
    changes = ", ".join(f"{name} = new.{name}" for name in STEP_CHANGE_COLUMNS)
    guard = f"(steps.state || '>' || new.state) IN ({STEP_MOVES})"
    match = "steps.job = new.job AND steps.name = new.name"
    return f"UPDATE steps SET {changes} FROM {{rows}} WHERE {match} AND {guard}", ("job", "name", *STEP_CHANGE_COLUMNS)


CREATE = _joined(
    _insertion("jobs", JOB_COLUMNS),
    _insertion("steps", STEP_COLUMNS),
    _insertion("attempts", ATTEMPT_COLUMNS),
    _insertion("events", EVENT_COLUMNS),
)
"""Writes new jobs with all their parts."""

CHANGE = _joined(
    _head_update(),
    _evidence_update(),
    _step_update(),
    _insertion("attempts", ATTEMPT_COLUMNS),
    _later_events(),
)
"""Changes jobs whose rows are locked. It may change each row once: the second change would be left out without a word."""

ADD_STEPS = insert("steps", STEP_COLUMNS)
"""Adds steps to jobs whose rows are locked."""

ADD_FILES = f"{insert('files', FILE_COLUMNS)} ON CONFLICT (id) DO NOTHING"
"""Records files, each of them once."""

ADD_MADE_FILES = (
    "INSERT INTO files (organization, job, source, expires_at, id, key, media_type, size, sha256, created_at) "
    "SELECT jobs.organization, jobs.id, 'job', new.created_at + 1000 * file_retention_seconds, new.id, new.key, "
    f"new.media_type, new.size, new.sha256, new.created_at FROM {given(MADE_COLUMNS, 1)}, LATERAL "
    f"(SELECT jobs.id, jobs.organization, file_retention_seconds {MAKERS.format(attempt='new.attempt')}) AS jobs "
    "ON CONFLICT DO NOTHING"
)
"""Records the files that attempts have made, each of them once."""

# Whoever deletes a file locks it first, and looks for its uses then: the one or the other comes first for both.
LOCK_FILES = (
    f"SELECT files.id, new.job, files.state FROM {given(USE_COLUMNS, 1)} "
    "JOIN files ON files.id = new.file AND files.organization = new.organization ORDER BY files.id FOR SHARE OF files"
)
"""The files that jobs take, as they are and stay until the end of the transaction."""
USE_FILES = (
    f"WITH used AS MATERIALIZED (SELECT files.id, new.job FROM {given(USE_COLUMNS, 1)} "
    f"JOIN files ON files.id = new.file AND files.organization = new.organization WHERE {NOT_DELETED} "
    "ORDER BY files.id FOR SHARE OF files) "
    "INSERT INTO file_uses (file, job) SELECT id, job FROM used ON CONFLICT DO NOTHING"
)
"""Records that jobs take files, where there are such."""

_HEAD = (
    "SELECT id, organization, status, owner, epoch, lane, wake_at, alone, started_at, completed_at, event_seq, "
    "cancel_requested_at, crash_count, lone_crash_count, (SELECT max_running IS NOT NULL FROM organizations "
    "WHERE organizations.id = jobs.organization) AS is_capped FROM jobs"
)
LOCK_BY_ID = f"{_HEAD} WHERE id = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE"
"""Locks jobs in the order of their ids, so that no two transactions wait for each other."""


def lock_some(where: str, limit: int) -> str:
    """Locks some of the jobs for which a condition holds, without those that somebody else has locked.

    They are found first and sorted then: a planner that hopes for many would otherwise go through all jobs in the order
    of their ids.
    """
    found = f"WITH found AS MATERIALIZED (SELECT id AS found_id FROM jobs WHERE {where} LIMIT {limit})"
    return (
        f"{found} {_HEAD} JOIN found ON id = found_id WHERE {where} ORDER BY id FOR NO KEY UPDATE OF jobs SKIP LOCKED"
    )


JOBS = (
    "SELECT jobs.*, ARRAY(SELECT steps FROM steps WHERE steps.job = jobs.id ORDER BY number) AS steps, "
    "ARRAY(SELECT attempts FROM attempts WHERE attempts.job = jobs.id ORDER BY id) AS attempts FROM jobs"
)
"""Jobs with all their parts, as of one moment."""
