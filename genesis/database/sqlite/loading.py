"""Reads jobs with their steps, attempts and plans."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from genesis.database.plans import Plans
from genesis.database.rows import jobs_from
from genesis.domain.job import Job

# Lists of ids are handed over as JSON, so that the text of a statement is always the same and stays prepared.
_AMONG = "IN (SELECT value FROM json_each(?))"
_JOBS = f"SELECT * FROM jobs WHERE id {_AMONG} ORDER BY id"
_STEPS = f"SELECT * FROM steps WHERE job {_AMONG} ORDER BY job, number"
_ATTEMPTS = f"SELECT * FROM attempts WHERE job {_AMONG} ORDER BY id"
_PLANS = f"SELECT digest, document FROM plans WHERE digest {_AMONG}"


def rows(cursor: sqlite3.Cursor) -> list[dict[str, Any]]:
    """All rows of a query, by column name."""
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def load_jobs(
    connection: sqlite3.Connection, plans: Plans, query: str, arguments: Sequence[object] | dict[str, object]
) -> list[Job]:
    """The jobs that a query finds, which asks for whole rows of `jobs`, in its order.

    The caller sees to it that all is read as of one moment.
    """
    found = rows(connection.execute(query, arguments))
    if not found:
        return []
    ids = json.dumps([row["id"] for row in found])
    steps = rows(connection.execute(_STEPS, (ids,)))
    attempts = rows(connection.execute(_ATTEMPTS, (ids,)))
    digests = {row["plan"] for row in found}
    known = plans.known(digests)
    if missing := digests - known.keys():
        known |= plans.learn(dict(connection.execute(_PLANS, (json.dumps(list(missing)),)).fetchall()))
    return jobs_from(found, steps, attempts, known)


def load_these(connection: sqlite3.Connection, plans: Plans, ids: Sequence[str]) -> list[Job]:
    """These jobs, in the order of the ids."""
    loaded = load_jobs(connection, plans, _JOBS, (json.dumps(ids),)) if ids else []
    place = {job: number for number, job in enumerate(ids)}
    return sorted(loaded, key=lambda job: place[job.id])
