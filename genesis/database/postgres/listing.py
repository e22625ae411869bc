"""Lists of jobs: pages by id, whatever the filter, each through the index that fits it."""

import json
from dataclasses import dataclass
from typing import Any

from genesis.database.filters import LOOKED_THROUGH, id_bounds
from genesis.database.plans import Plans
from genesis.database.postgres import statements
from genesis.database.postgres.flush import load_jobs
from genesis.domain.job import JobStatus
from genesis.ports.queries import JobFilter, JobPage

_LOOKED_AT_ONCE = 1_000
_BOUNDS = "organization = $1 AND id >= $2 AND id < $3"
_NEWEST = "ORDER BY id DESC LIMIT $4"
_PAGE = (
    f"{statements.JOBS} JOIN (SELECT id AS found_id FROM ({{found}}) AS found ORDER BY id DESC LIMIT $5 OFFSET $6) "
    "AS page ON found_id = jobs.id ORDER BY jobs.id DESC"
)
_THESE = f"{statements.JOBS} WHERE jobs.id = ANY($1::text[]) ORDER BY jobs.id DESC"
# PostgreSQL folds the case of ASCII letters alike everywhere; of what else there is, this process decides.
_INPUTS = (
    'SELECT jobs.id, CASE WHEN inputs COLLATE "C" ILIKE {text} OR octet_length(inputs) <> length(inputs) '
    "THEN inputs END AS inputs FROM jobs JOIN ({found}) AS found ON found.id = jobs.id ORDER BY jobs.id DESC"
)


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for."""

    limit: int
    offset: int
    cursor: str | None


async def list_jobs(connection: Any, plans: Plans, organization: str, page: Page, where: JobFilter) -> JobPage:
    """One page of an organization's jobs, newest first."""
    if where.text is not None:
        return await _search(connection, plans, organization, page, where, where.text)
    bounds = id_bounds(page.cursor, where)
    found, values = _candidates(where, 7)
    numbers = (page.offset + page.limit + 1, page.limit + 1, page.offset)
    query = _PAGE.format(found=found)
    jobs = await load_jobs(connection, plans, query, organization, bounds.lower, bounds.upper, *numbers, *values)
    more = len(jobs) > page.limit > 0
    return JobPage(jobs[: page.limit], jobs[page.limit - 1].id if more else None)


async def _search(connection: Any, plans: Plans, organization: str, page: Page, where: JobFilter, text: str) -> JobPage:
    """Looks through the inputs of so many jobs at most, the newest first, in portions."""
    found, values = _candidates(where, 6)
    query = _INPUTS.format(found=found, text="$5")
    folded = text.casefold()
    wanted = page.offset + page.limit
    held: list[str] = []
    cursor = page.cursor
    for _ in range(LOOKED_THROUGH // _LOOKED_AT_ONCE):
        bounds = id_bounds(cursor, where)
        arguments = (organization, bounds.lower, bounds.upper, _LOOKED_AT_ONCE, _pattern(text), *values)
        rows = await connection.fetch(query, *arguments)
        held.extend(row["id"] for row in rows if row["inputs"] is not None and _holds(row["inputs"], folded))
        at_end = len(rows) < _LOOKED_AT_ONCE
        if at_end or len(held) > wanted:
            break
        cursor = rows[-1]["id"]
    shown = held[page.offset : wanted]
    jobs = await load_jobs(connection, plans, _THESE, shown) if shown else []
    if len(held) > wanted and shown:
        return JobPage(jobs, shown[-1])
    return JobPage(jobs, None if at_end else cursor)


def _holds(inputs: str, folded: str) -> bool:
    """Whether a value of the inputs holds the text."""
    return any(folded in str(value).casefold() for value in json.loads(inputs).values())


def _pattern(text: str) -> str:
    """What `ILIKE` finds in the JSON of all inputs that hold the text and are of ASCII characters only."""
    written = json.dumps(text, ensure_ascii=False)[1:-1]
    return f"%{written.replace(chr(92), chr(92) * 2).replace('%', chr(92) + '%').replace('_', chr(92) + '_')}%"


def _candidates(where: JobFilter, first: int) -> tuple[str, list[str]]:
    """The newest ids that fit all but the text, and the values of the parameters from `first` on."""
    if where.pipeline is not None and where.status is None and where.batch is None:
        # The index has the statuses before the ids: one ordered list for each of them, merged.
        of_pipeline = f"pipeline = ${first}"
        parts = ["(" + _select(of_pipeline, f"status = '{status}'") + ")" for status in JobStatus]
        return f"SELECT id FROM ({' UNION ALL '.join(parts)}) AS parts {_NEWEST}", [where.pipeline]
    given = {"batch": where.batch, "pipeline": where.pipeline, "status": where.status}
    values = {name: str(value) for name, value in given.items() if value is not None}
    conditions = [f"{name} = ${number}" for number, name in enumerate(values, first)]
    if where.batch is not None:
        # A batch is small: all of it first, then sorted. The planner might look for it among all jobs, the newest first.
        parts_of_batch = f"SELECT id, organization, status, pipeline, batch FROM jobs WHERE {conditions[0]}"
        return f"WITH jobs AS MATERIALIZED ({parts_of_batch}) {_select(*conditions)}", list(values.values())
    return _select(*conditions), list(values.values())


def _select(*conditions: str) -> str:
    return f"SELECT id FROM jobs WHERE {' AND '.join((_BOUNDS, *conditions))} {_NEWEST}"
