"""What stands in the ledger, read by SQL beside the platform, as plain rows."""

import asyncio
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from tests.chaos.cluster import Cluster

Row = Mapping[str, Any]

_JOBS = (
    "SELECT id, status, owner, epoch, wake_at, event_seq, batch, inputs, options, pipeline, outputs, failure, "
    "on_ambiguous, crash_count FROM jobs ORDER BY id"
)
_STEPS = "SELECT job, name, capability, state, output, failure FROM steps ORDER BY job, number"
_ATTEMPTS = (
    "SELECT id, job, step, number, call_key, target, provider_class, state, created_at, settled_at, failure, cost "
    "FROM attempts ORDER BY job, step, number"
)
_EVENTS = "SELECT job, seq, type, at, data FROM events ORDER BY job, seq"
_DOCUMENTS = ("inputs", "options", "outputs", "failure", "output", "data")
_OPEN = (
    "SELECT (SELECT count(*) FROM jobs WHERE status NOT IN ('completed', 'failed', 'canceled')) AS jobs, "
    "(SELECT count(*) FROM attempts WHERE state IN ('intended', 'pending')) AS attempts"
)
_LOST_SIGHT_OF = (
    "SELECT id FROM jobs WHERE owner IS NOT NULL AND owner NOT IN (SELECT executors.id FROM executors) "
    "OR (owner IS NULL AND status = 'running' AND wake_at IS NULL)"
)


@dataclass(frozen=True, slots=True)
class Books:
    """The ledger's rows; JSON is read."""

    jobs: list[Row]
    steps: list[Row]
    attempts: list[Row]
    events: list[Row]


async def read_books(cluster: Cluster) -> Books:
    """All of it."""
    jobs, steps, attempts, events = [await _rows(cluster, query) for query in (_JOBS, _STEPS, _ATTEMPTS, _EVENTS)]
    return Books(jobs, steps, attempts, events)


async def count_open(cluster: Cluster) -> tuple[int, int]:
    """Jobs that are not over, and attempts that are not settled."""
    (row,) = await _rows(cluster, _OPEN)
    return row["jobs"], row["attempts"]


async def lost_sight_of(cluster: Cluster) -> list[str]:
    """Jobs that belong to an executor that there never was, or to nobody without a place in the queue."""
    return [row["id"] for row in await _rows(cluster, _LOST_SIGHT_OF)]


async def _rows(cluster: Cluster, query: str) -> list[Row]:
    if cluster.postgres is None:
        return await asyncio.to_thread(_sqlite_rows, cluster, query)
    return [_read(dict(row)) for row in await cluster.postgres.execute(query)]


def _sqlite_rows(cluster: Cluster, query: str) -> list[Row]:
    with closing(sqlite3.connect(f"file:{cluster.folder}/jobs.db?mode=ro", uri=True, timeout=30)) as connection:
        connection.row_factory = sqlite3.Row
        return [_read(dict(row)) for row in connection.execute(query)]


def _read(row: dict[str, Any]) -> Row:
    return row | {name: json.loads(row[name]) for name in _DOCUMENTS if row.get(name)}
