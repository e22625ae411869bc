"""What a command writes in: a transaction that may hold many commands, and the hints to send once it is durable.

New jobs and the parts of jobs are gathered and written table by table, many rows at a time, as late as possible: before
somebody looks at them, or at the end. That costs much less than writing each command's rows by themselves.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence

from genesis.capabilities.catalog import CAPABILITIES
from genesis.database.files import MAKERS, NOT_DELETED, made_by, uses_of
from genesis.database.rows import (
    ATTEMPT_COLUMNS,
    EVENT_COLUMNS,
    EVIDENCE_COLUMNS,
    JOB_COLUMNS,
    KEPT_EVIDENCE,
    STEP_CHANGE_COLUMNS,
    STEP_COLUMNS,
    Values,
    event_values,
    evidence_values,
    intent_values,
    job_values,
    part_values,
    step_change,
    step_values,
)
from genesis.database.states import ATTEMPT_MOVES, CLAIMABLE, STEP_MOVES, is_among
from genesis.domain.attempt import Attempt
from genesis.domain.event import Event
from genesis.domain.identity import Milliseconds
from genesis.domain.job import Job
from genesis.domain.step import Step
from genesis.ports.signals import CancelRequested, JobChanged, Signal, WorkDue, WorkQueued


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


_EVIDENCE = ", ".join(
    f"{name} = coalesce(?, {name})" if name in KEPT_EVIDENCE else f"{name} = ?" for name in EVIDENCE_COLUMNS
)
_CHANGED = ", ".join(f"{name} = ?" for name in STEP_CHANGE_COLUMNS)

_ADD_JOB = _insert("jobs", JOB_COLUMNS)
_ADD_STEP = _insert("steps", STEP_COLUMNS)
_ADD_ATTEMPT = _insert("attempts", ATTEMPT_COLUMNS)
_ADD_EVENT = _insert("events", EVENT_COLUMNS)
_MOVE = "state || '>' || ?"
_SETTLE = f"UPDATE attempts SET {_EVIDENCE} WHERE id = ? AND {is_among(_MOVE, ATTEMPT_MOVES)}"
_CHANGE_STEP = f"UPDATE steps SET {_CHANGED} WHERE job = ? AND name = ? AND {is_among(_MOVE, STEP_MOVES)}"
_ADD_FILE = (
    "INSERT INTO files (organization, job, source, expires_at, id, key, media_type, size, sha256, created_at) "
    "SELECT jobs.organization, jobs.id, 'job', ?7 + 1000 * file_retention_seconds, ?2, ?3, ?4, ?5, ?6, ?7 "
    f"{MAKERS.format(attempt='?1')} ON CONFLICT DO NOTHING"
)
"""Takes `MADE_COLUMNS`."""
_USE_FILE = (
    f"INSERT INTO file_uses (file, job) SELECT id, ?2 FROM files WHERE id = ?1 AND organization = ?3 AND {NOT_DELETED} "
    "ON CONFLICT DO NOTHING"
)
_PARTS = (_ADD_STEP, _ADD_ATTEMPT, _SETTLE, _CHANGE_STEP, _ADD_EVENT, _ADD_FILE, _USE_FILE)
"""In this order: what is changed is there, whichever command of the transaction has added it."""

_LANES = ", ".join(f"('{capability}')" for capability in CAPABILITIES)
# Lanes are looked at one by one, so that of each only the first entry of the index that counts is read.
_LANES_OF_CAPPED = (
    f"WITH lanes (name) AS (VALUES {_LANES}) SELECT DISTINCT lanes.name FROM organizations CROSS JOIN lanes "
    "WHERE organizations.id IN (SELECT value FROM json_each(?)) AND max_running IS NOT NULL AND EXISTS ("
    f"SELECT 1 FROM jobs INDEXED BY jobs_claimable WHERE {CLAIMABLE} AND lane = lanes.name "
    "AND organization = organizations.id)"
)


class Transaction:
    """An open write transaction.

    Attributes:
        signals: sent after the commit, in order.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.signals: list[Signal] = []
        self._connection = connection
        self._new_jobs: list[Values] = []
        self._parts: dict[str, list[Values]] = {statement: [] for statement in _PARTS}
        self._with_room: set[str] = set()
        self._due: Milliseconds | None = None

    @property
    def connection(self) -> sqlite3.Connection:
        """For statements about anything: all that the transaction has changed by now is written."""
        self._write(_ADD_JOB, self._new_jobs)
        for statement, rows in self._parts.items():
            self._write(statement, rows)
        return self._connection

    @property
    def connection_for_heads(self) -> sqlite3.Connection:
        """For statements that touch nothing of jobs but their own rows; steps, attempts and events may still wait."""
        self._write(_ADD_JOB, self._new_jobs)
        return self._connection

    def conclude(self) -> None:
        """Writes what still waits, and hints at the jobs that waited for the end of others of their organization, and at what
        is due first of what waits.
        """
        connection = self.connection
        if self._due is not None:
            self.signals.append(WorkDue(self._due))
        if self._with_room:
            for (lane,) in connection.execute(_LANES_OF_CAPPED, (json.dumps(list(self._with_room)),)):
                self.work_queued(lane)

    def job_changed(self, organization: str, job: str) -> None:
        self.signals.append(JobChanged(organization, job))

    def work_queued(self, lane: str) -> None:
        self.signals.append(WorkQueued(lane))

    def note_due(self, moment: Milliseconds) -> None:
        """Takes down that a job that waits is due at a moment."""
        self._due = moment if self._due is None else min(self._due, moment)

    def cancel_requested(self, job: str) -> None:
        self.signals.append(CancelRequested(job))

    def free(self, organization: str) -> None:
        """Takes down that one of the organization's jobs has lost its owner."""
        self._with_room.add(organization)

    def add_job(self, job: Job, events: Sequence[Event], *, plan: str) -> None:
        """Stores a new job with all its parts.

        Args:
            plan: the digest of its plan.
        """
        self._new_jobs.append(job_values(job, lane=job.lane, plan=plan, event_seq=len(events)))
        self._parts[_ADD_STEP].extend(step_values(job.id, number, step) for number, step in enumerate(job.steps))
        self.add_attempts(job.id, job.attempts)
        self.add_events(job.organization, job.id, events, last=len(events))
        self._parts[_USE_FILE].extend(uses_of(job))

    def settle(self, evidence: Sequence[Attempt], *, keep_outputs: bool) -> None:
        """Writes how attempts turned out so far, as far as the state machine allows it, and records what they have made."""
        self._parts[_SETTLE].extend(
            (*evidence_values(attempt, keep_output=keep_outputs), attempt.id, attempt.state.value)
            for attempt in evidence
        )
        self._parts[_ADD_FILE].extend(made_by(evidence))

    def change_steps(self, job: str, steps: Iterable[Step]) -> None:
        """Writes steps as they are now; one that is over stays as it is."""
        self._parts[_CHANGE_STEP].extend((*step_change(step), job, step.name, step.state.value) for step in steps)

    def add_parts(self, job: str, steps: Iterable[Step]) -> None:
        """Stores steps that are parts of others."""
        self._parts[_ADD_STEP].extend(part_values(job, steps))

    def add_attempts(self, job: str, intents: Iterable[Attempt]) -> None:
        """Stores new attempts."""
        self._parts[_ADD_ATTEMPT].extend(intent_values(job, attempt) for attempt in intents)

    def add_events(self, organization: str, job: str, events: Sequence[Event], last: int) -> None:
        """Adds to a job's log; its counter in the job's row, `last` after these, has made the sequence gapless."""
        if not events:
            return
        numbered = enumerate(events, start=last - len(events) + 1)
        self._parts[_ADD_EVENT].extend(event_values(organization, job, number, event) for number, event in numbered)
        self.job_changed(organization, job)

    def _write(self, statement: str, rows: list[Values]) -> None:
        if rows:
            self._connection.executemany(statement, rows)
            rows.clear()
