"""Gives waiting jobs to executors, in fair turns between organizations."""

from collections.abc import Sequence

from genesis.database.fair import CANDIDATES, Share, take_turns
from genesis.database.lifecycle import owned
from genesis.database.plans import Plans
from genesis.database.rows import readable
from genesis.database.sqlite.ending import end_unowned
from genesis.database.sqlite.loading import load_jobs, load_these
from genesis.database.sqlite.transaction import Transaction
from genesis.database.states import CLAIMABLE, SLEEPING, SUSPECT
from genesis.database.suspects import MOST_TOGETHER, next_group
from genesis.domain.failure import UNREADABLE
from genesis.domain.identity import Milliseconds
from genesis.domain.job import Job, JobStatus
from genesis.ports.ledger import Begin, Claimed

_PORTION = 2_000
"""Sleepers that are woken at a time: some 20 ms of work."""

_WAKE = (
    "UPDATE jobs SET wake_at = 0 WHERE id IN (SELECT id FROM jobs INDEXED BY jobs_sleeping "
    f"WHERE {SLEEPING} AND wake_at <= ? ORDER BY wake_at LIMIT {_PORTION}) RETURNING lane"
)
_IS_LIVE = "SELECT 1 FROM executors WHERE id = ? AND state = 'live'"
_OWNS = "SELECT 1 FROM jobs INDEXED BY jobs_owned WHERE owner = ? AND owner IS NOT NULL LIMIT 1"
_NEXT_WAITING = (
    f"(SELECT organization FROM jobs INDEXED BY jobs_claimable WHERE {CLAIMABLE} AND lane = :lane "
    "AND organization > waiting.organization ORDER BY organization LIMIT 1)"
)
_CANDIDATES = f"""
WITH RECURSIVE waiting (organization) AS (
    SELECT '' UNION ALL SELECT {_NEXT_WAITING} FROM waiting WHERE organization IS NOT NULL
),
lane_time (virtual_time) AS (SELECT coalesce((SELECT virtual_time FROM lanes WHERE lane = :lane), 0.0)),
candidates AS (
    SELECT organizations.id, weight, coalesce(shares.virtual_time, 0.0) AS finish_tag, lane_time.virtual_time,
        CASE WHEN max_running IS NULL THEN :limit ELSE min(:limit, max_running - (
            SELECT count(*) FROM jobs WHERE jobs.organization = organizations.id AND owner IS NOT NULL
        )) END AS room
    FROM waiting CROSS JOIN lane_time JOIN organizations ON organizations.id = waiting.organization
    LEFT JOIN shares ON shares.lane = :lane AND shares.organization = organizations.id
)
SELECT id, weight, finish_tag, virtual_time, room FROM candidates WHERE room > 0
ORDER BY max(virtual_time, finish_tag), id LIMIT {CANDIDATES}
"""
_IN_TIME = "(start_by IS NULL OR start_by > :now OR status <> 'queued') AND (finish_by IS NULL OR finish_by > :now)"
_BEST = (
    f"SELECT id FROM jobs INDEXED BY jobs_claimable WHERE {CLAIMABLE} AND lane = :lane "
    f"AND organization = :organization AND {_IN_TIME} ORDER BY priority DESC, id LIMIT :room"
)
_OLDEST_SUSPECTS = (
    f"SELECT * FROM jobs INDEXED BY jobs_suspect WHERE {SUSPECT} AND {_IN_TIME} ORDER BY id LIMIT {MOST_TOGETHER}"
)
_LIMITS = "SELECT id, max_running FROM organizations WHERE max_running IS NOT NULL"  # nothing runs: all is free
_SET_LANE = (
    "INSERT INTO lanes (lane, virtual_time) VALUES (?, ?) "
    "ON CONFLICT (lane) DO UPDATE SET virtual_time = excluded.virtual_time"
)
_SET_SHARE = (
    "INSERT INTO shares (lane, organization, virtual_time) VALUES (?, ?, ?) "
    "ON CONFLICT (lane, organization) DO UPDATE SET virtual_time = excluded.virtual_time"
)
_TAKE = (
    "UPDATE jobs SET owner = ?, epoch = ?, status = 'running', started_at = ?, alone = ?, event_seq = event_seq + ? "
    "WHERE id = ? RETURNING event_seq"
)


def claim(
    transaction: Transaction, plans: Plans, owner: str, lane: str, limit: int, begin: Begin, now: Milliseconds
) -> list[Claimed]:
    """Takes up to `limit` jobs; one that cannot be read fails visibly and takes nobody's place."""
    wake(transaction, now)
    if not _is_live(transaction, owner):
        return []
    claimed: list[Claimed] = []
    while len(claimed) < limit:
        ids = _next_in_turn(transaction, lane, limit - len(claimed), now)
        jobs = load_these(transaction.connection, plans, ids)
        good = _without_unreadable(transaction, jobs, now)
        claimed += _take(transaction, owner, good, begin, now, alone=False)
        if len(good) == len(jobs):
            break
    return claimed


def claim_suspects(
    transaction: Transaction, plans: Plans, owner: str, begin: Begin, now: Milliseconds
) -> list[Claimed]:
    """Takes the oldest jobs on which several owners died, for an executor that runs nothing else."""
    wake(transaction, now)
    if not _is_live(transaction, owner) or transaction.connection.execute(_OWNS, (owner,)).fetchone():
        return []
    while jobs := load_jobs(transaction.connection, plans, _OLDEST_SUSPECTS, {"now": now}):
        if good := _without_unreadable(transaction, jobs, now):
            group = next_group(good, dict(transaction.connection.execute(_LIMITS).fetchall()))
            return _take(transaction, owner, group, begin, now, alone=len(group) == 1)
    return []


def wake(transaction: Transaction, now: Milliseconds) -> None:
    """Wakes some of those who have slept long enough."""
    for (lane,) in set(transaction.connection.execute(_WAKE, (now,)).fetchall()):
        transaction.work_queued(lane)


def _is_live(transaction: Transaction, executor: str) -> bool:
    return transaction.connection.execute(_IS_LIVE, (executor,)).fetchone() is not None


def _next_in_turn(transaction: Transaction, lane: str, limit: int, now: Milliseconds) -> list[str]:
    """The jobs to be served next, in order; their organizations have had their turns then."""
    connection = transaction.connection
    waiting: dict[str, list[str]] = {}
    shares: list[Share] = []
    candidates = connection.execute(_CANDIDATES, {"lane": lane, "limit": limit}).fetchall()
    virtual_time = candidates[0][3] if candidates else 0.0
    for organization, weight, finish_tag, _, room in candidates:
        values = {"lane": lane, "organization": organization, "room": room, "now": now}
        ids = [job for (job,) in connection.execute(_BEST, values)]
        waiting[organization] = ids
        shares.append(Share(organization, weight, finish_tag, len(ids)))
    turns = take_turns(shares, virtual_time, limit)
    if turns.order:
        connection.execute(_SET_LANE, (lane, turns.virtual_time))
        connection.executemany(_SET_SHARE, [(lane, *share) for share in turns.finish_tags.items()])
    served = {organization: iter(ids) for organization, ids in waiting.items()}
    return [next(served[organization]) for organization in turns.order]


def _without_unreadable(transaction: Transaction, jobs: Sequence[Job], now: Milliseconds) -> list[Job]:
    for job in jobs:
        if not readable(job):
            end_unowned(transaction, job, JobStatus.FAILED, now, UNREADABLE)
    return [job for job in jobs if readable(job)]


def _take(
    transaction: Transaction, owner: str, jobs: Sequence[Job], begin: Begin, now: Milliseconds, *, alone: bool
) -> list[Claimed]:
    taken = [owned(job, owner, now) for job in jobs]
    # All begin before anything is written: should one of them fail, nothing is half claimed.
    begun = [(Claimed(job, begin(job)), events) for job, events in taken]
    for claimed, started in begun:
        job, change = claimed.job, claimed.change
        events = (*started, *change.events)
        values = (owner, job.epoch, job.started_at, int(alone), len(events), job.id)
        (last,) = transaction.connection_for_heads.execute(_TAKE, values).fetchone()
        transaction.settle(change.evidence, keep_outputs=False)
        transaction.change_steps(job.id, change.steps)
        transaction.add_attempts(job.id, change.intents)
        transaction.add_events(job.organization, job.id, events, last)
    return [claimed for claimed, _ in begun]
