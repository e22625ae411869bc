"""Gives waiting jobs to executors, in fair turns between organizations (line 16 of the protocol)."""

from collections.abc import Sequence
from dataclasses import replace

from genesis.database.fair import CANDIDATES, Share, Turns, take_turns
from genesis.database.lifecycle import owned
from genesis.database.postgres import statements
from genesis.database.postgres.flush import Changes, Flush
from genesis.database.postgres.submitting import room_of
from genesis.database.rows import readable
from genesis.database.states import CLAIMABLE, SLEEPING, SUSPECT
from genesis.database.suspects import MOST_TOGETHER, next_group
from genesis.domain.failure import UNREADABLE
from genesis.domain.job import Job, JobStatus
from genesis.ports.ledger import Begin, Claimed
from genesis.ports.signals import WorkQueued

_PORTION = 500
"""Sleepers that are woken at a time."""

_WOKEN = (
    "WITH due AS (SELECT id AS due_id FROM jobs "
    f"WHERE {SLEEPING} AND wake_at <= $1 ORDER BY wake_at LIMIT {_PORTION} FOR NO KEY UPDATE SKIP LOCKED), "
    "woken AS (UPDATE jobs SET wake_at = 0 FROM due WHERE id = due_id RETURNING lane)"
)
_WAKE = f"{_WOKEN} SELECT DISTINCT lane FROM woken"
_WAKE_AND_LOOK = (
    f"{_WOKEN} SELECT EXISTS (SELECT FROM executors WHERE id = $2 AND state = 'live') AS is_live, "
    "ARRAY(SELECT DISTINCT lane FROM woken) AS lanes"
)
_OWNS = "SELECT EXISTS (SELECT FROM jobs WHERE owner = $1)"
_IN_TIME = "(start_by IS NULL OR start_by > {now} OR status <> 'queued') AND (finish_by IS NULL OR finish_by > {now})"
_OF_ORGANIZATION = f"lane = $1 AND organization = {{organization}} AND {CLAIMABLE} AND {_IN_TIME}"
_NEXT_WAITING = (
    f"(SELECT organization FROM jobs WHERE {CLAIMABLE} AND lane = $1 "
    "AND organization > waiting.organization ORDER BY organization LIMIT 1)"
)
# A loose scan of the index: one look per organization that waits, however many jobs it has.
_CANDIDATES = f"""
WITH RECURSIVE waiting (organization) AS (
    SELECT '' UNION ALL SELECT {_NEXT_WAITING} FROM waiting WHERE organization IS NOT NULL
),
lane_time (virtual_time) AS (SELECT coalesce((SELECT virtual_time FROM lanes WHERE lane = $1), 0)),
candidates AS (
    SELECT organizations.id, weight, max_running, coalesce(shares.virtual_time, 0) AS finish_tag,
        lane_time.virtual_time,
        CASE WHEN max_running IS NULL THEN $2::bigint ELSE least($2::bigint, max_running - (
            SELECT count(*) FROM jobs WHERE jobs.organization = organizations.id AND owner IS NOT NULL
        )) END AS room
    FROM waiting CROSS JOIN lane_time JOIN organizations ON organizations.id = waiting.organization
    LEFT JOIN shares ON shares.lane = $1 AND shares.organization = organizations.id
),
chosen AS (
    SELECT * FROM candidates WHERE room > 0 ORDER BY greatest(virtual_time, finish_tag), id LIMIT {CANDIDATES}
)
SELECT id, weight, finish_tag, virtual_time, max_running, (
    SELECT count(*) FROM (
        SELECT FROM jobs WHERE {_OF_ORGANIZATION.format(organization="chosen.id", now="$3")} LIMIT room
    ) AS best
) AS available
FROM chosen
"""
_TAKE = f"""
WITH taken AS (
    SELECT job.id AS taken_id FROM unnest($2::text[], $3::bigint[]) AS turn(organization, served), LATERAL (
        SELECT id FROM jobs WHERE {_OF_ORGANIZATION.format(organization="turn.organization", now="$4")}
        ORDER BY priority DESC, id LIMIT served FOR NO KEY UPDATE SKIP LOCKED
    ) AS job
)
{statements.JOBS} JOIN taken ON taken_id = jobs.id
"""
_TAKE_SUSPECTS = (
    f"WITH taken AS (SELECT id AS taken_id FROM jobs WHERE {SUSPECT} AND {_IN_TIME.format(now='$1')} "
    f"ORDER BY id LIMIT {MOST_TOGETHER} FOR NO KEY UPDATE SKIP LOCKED) {statements.JOBS} JOIN taken ON taken_id = jobs.id"
)
_CAPPED = "SELECT id FROM organizations WHERE id = ANY($1::text[]) AND max_running IS NOT NULL"
# Added to what stands there by then: who claims at the same time has served some of the same organizations.
_RECORD = """
WITH turns AS (SELECT * FROM unnest($3::text[], $4::float8[], $5::float8[]) AS turn(organization, finish_tag, served)),
lane_time AS (
    INSERT INTO lanes (lane, virtual_time) VALUES ($1, $2)
    ON CONFLICT (lane) DO UPDATE SET virtual_time = greatest(lanes.virtual_time, excluded.virtual_time)
)
INSERT INTO shares (lane, organization, virtual_time) SELECT $1, organization, finish_tag FROM turns
ON CONFLICT (lane, organization) DO UPDATE SET virtual_time = greatest(
    excluded.virtual_time,
    shares.virtual_time + (SELECT served FROM turns WHERE turns.organization = excluded.organization)
)
"""


async def claim(flush: Flush, owner: str, lane: str, limit: int, begin: Begin) -> list[Claimed]:
    """Takes up to `limit` jobs; one that cannot be read fails visibly and takes nobody's place."""
    if not await _wake_as(flush, owner):
        return []
    claimed: list[Claimed] = []
    while len(claimed) < limit:
        jobs = await _next_in_turn(flush, lane, limit - len(claimed))
        good = await _without_unreadable(flush, jobs)
        claimed += await _give(flush, owner, good, begin, alone=False)
        if len(good) == len(jobs):
            break
    return claimed


async def claim_suspects(flush: Flush, owner: str, begin: Begin) -> list[Claimed]:
    """Takes the oldest jobs on which several owners died, for an executor that runs nothing else."""
    if not await _wake_as(flush, owner) or await flush.connection.fetchval(_OWNS, owner):
        return []
    while jobs := await flush.fetch_jobs(_TAKE_SUSPECTS, flush.now):
        if good := await _without_unreadable(flush, jobs):
            capped = await flush.connection.fetch(_CAPPED, [job.organization for job in good])
            group = next_group(good, await room_of(flush, [row["id"] for row in capped]))
            return await _give(flush, owner, group, begin, alone=len(group) == 1)
    return []


async def wake(flush: Flush) -> None:
    """Wakes who has slept long enough."""
    flush.signals.extend(WorkQueued(row["lane"]) for row in await flush.connection.fetch(_WAKE, flush.now))


async def _wake_as(flush: Flush, owner: str) -> bool:
    """Does so, and tells whether the executor that asks is alive."""
    (row,) = await flush.connection.fetch(_WAKE_AND_LOOK, flush.now, owner)
    flush.signals.extend(WorkQueued(lane) for lane in row["lanes"])
    return bool(row["is_live"])


async def _next_in_turn(flush: Flush, lane: str, limit: int) -> list[Job]:
    """The jobs to be served next, locked, in their order; their organizations have had their turns then."""
    candidates = await flush.connection.fetch(_CANDIDATES, lane, limit, flush.now)
    if not candidates:
        return []
    room = await room_of(flush, [row["id"] for row in candidates if row["max_running"] is not None])
    shares = [
        Share(row["id"], row["weight"], row["finish_tag"], min(row["available"], room.get(row["id"], limit)))
        for row in candidates
    ]
    virtual_time = candidates[0]["virtual_time"]
    planned = take_turns(shares, virtual_time, limit)
    if not planned.order:
        return []
    served = {organization: planned.order.count(organization) for organization in sorted(planned.finish_tags)}
    jobs = await flush.fetch_jobs(_TAKE, lane, list(served), list(served.values()), flush.now)
    # Others may have taken some of them in the meantime: the turns are those of what is left.
    queues: dict[str, list[Job]] = {}
    for job in sorted(jobs, key=lambda job: (-job.priority, job.id)):
        queues.setdefault(job.organization, []).append(job)
    real = [replace(share, available=len(queues.get(share.organization, ()))) for share in shares]
    turns = take_turns(real, virtual_time, len(jobs))
    await _record(flush, lane, turns, [share for share in real if share.available])
    in_order = {organization: iter(queue) for organization, queue in queues.items()}
    return [next(in_order[organization]) for organization in turns.order]


async def _record(flush: Flush, lane: str, turns: Turns, served: Sequence[Share]) -> None:
    if not served:
        return
    ordered = sorted(served, key=lambda share: share.organization)  # all processes lock in the same order
    organizations = [share.organization for share in ordered]
    finish_tags = [turns.finish_tags[organization] for organization in organizations]
    added = [share.available / share.weight for share in ordered]
    await flush.connection.execute(_RECORD, lane, turns.virtual_time, organizations, finish_tags, added)


async def _without_unreadable(flush: Flush, jobs: Sequence[Job]) -> list[Job]:
    bad = [job.id for job in jobs if not readable(job)]
    if bad:
        await flush.end_unowned(list((await flush.lock(bad)).values()), JobStatus.FAILED, UNREADABLE)
    return [job for job in jobs if readable(job)]


async def _give(flush: Flush, owner: str, jobs: Sequence[Job], begin: Begin, *, alone: bool) -> list[Claimed]:
    """Makes locked jobs the owner's and writes how they begin."""
    if not jobs:
        return []
    heads = await flush.lock(job.id for job in jobs)
    # A statement locks the newest version of a row, and reads all else as of its beginning: in between somebody may have
    # run the job and given it back.
    stale = [job.id for job in jobs if job.epoch != heads[job.id].epoch]
    fresh = {job.id: job for job in await flush.load("jobs.id = ANY($1::text[])", stale)} if stale else {}
    changes = Changes()
    claimed: list[Claimed] = []
    for waiting in (fresh.get(job.id, job) for job in jobs):
        job, started = owned(waiting, owner, flush.now)
        change = begin(job)
        head = heads[job.id]
        head.owner, head.epoch, head.status = job.owner, job.epoch, job.status.value
        head.started_at, head.alone = job.started_at, int(alone)
        changes.settle(change.evidence, keep_outputs=False)
        changes.change_steps(job.id, change.steps)
        changes.intend(job.id, change.intents)
        changes.change_job(head, (*started, *change.events))
        claimed.append(Claimed(job, change))
    await flush.write(changes)
    return claimed
