"""One transaction of the ledger: what its commands share, and how they lock, change and load jobs in it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from genesis.capabilities.catalog import CAPABILITIES
from genesis.database.files import made_by
from genesis.database.lifecycle import calls_go_on, end_after_release, ended
from genesis.database.plans import Plans
from genesis.database.postgres import statements
from genesis.database.postgres.connection import Connection
from genesis.database.rows import (
    Values,
    dump,
    dump_failure,
    event_values,
    evidence_values,
    intent_values,
    job_from,
    part_values,
    step_change,
)
from genesis.database.states import CLAIMABLE, OPEN, SETTLED
from genesis.domain.attempt import Attempt, ProviderClass
from genesis.domain.event import Event
from genesis.domain.failure import INTERRUPTED, Failure
from genesis.domain.identity import Milliseconds
from genesis.domain.job import Job, JobStatus
from genesis.domain.price import CostSource
from genesis.domain.step import Step
from genesis.ports.signals import CancelRequested, JobChanged, Signal, WorkDue, WorkQueued


@dataclass(slots=True)
class Head:
    """What changes of a job during its life, as it stands in the transaction that has locked it.

    Attributes:
        is_capped: whether its organization may run only so many jobs at once.
    """

    id: str
    organization: str
    status: str
    owner: str | None
    epoch: int
    lane: str
    wake_at: Milliseconds
    alone: int
    started_at: Milliseconds | None
    completed_at: Milliseconds | None
    event_seq: int
    cancel_requested_at: Milliseconds | None
    crash_count: int
    lone_crash_count: int
    is_capped: bool
    outputs: str | None = None
    failure: str | None = None

    def values(self) -> Values:
        """In the order of `HEAD_COLUMNS`."""
        return (
            self.id,
            self.status,
            self.owner,
            self.epoch,
            self.lane,
            self.wake_at,
            self.alone,
            self.started_at,
            self.completed_at,
            self.outputs,
            self.failure,
            self.event_seq,
            self.cancel_requested_at,
            self.crash_count,
            self.lone_crash_count,
        )


@dataclass(slots=True)
class Changes:
    """Rows to write in one statement; at most one change of each."""

    heads: dict[str, Values] = field(default_factory=dict)
    evidence: dict[str, Values] = field(default_factory=dict)
    steps: dict[tuple[str, str], Values] = field(default_factory=dict)
    intents: list[Values] = field(default_factory=list)
    events: list[Values] = field(default_factory=list)
    parts: list[Values] = field(default_factory=list)
    made: list[Values] = field(default_factory=list)

    def settle(self, attempts: Sequence[Attempt], *, keep_outputs: bool) -> None:
        for attempt in attempts:
            self.evidence[attempt.id] = (attempt.id, *evidence_values(attempt, keep_output=keep_outputs))
        self.made.extend(made_by(attempts))

    def change_steps(self, job: str, steps: Iterable[Step]) -> None:
        for step in steps:
            self.steps[job, step.name] = (job, step.name, *step_change(step))

    def add_parts(self, job: str, steps: Iterable[Step]) -> None:
        self.parts.extend(part_values(job, steps))

    def intend(self, job: str, attempts: Iterable[Attempt]) -> None:
        self.intents.extend(intent_values(job, attempt) for attempt in attempts)

    def change_job(self, head: Head, events: Sequence[Event] = ()) -> None:
        """Writes the job's row, and what happened to it with the numbers that follow."""
        for event in events:
            head.event_seq += 1
            self.events.append(event_values(head.organization, head.id, head.event_seq, event))
        self.heads[head.id] = head.values()


@dataclass(slots=True)
class Flush:
    """A transaction.

    Attributes:
        signals: to be sent when it is committed.
        plans_written: digests of the plans that it has made sure of.
    """

    connection: Connection
    plans: Plans
    now: Milliseconds
    signals: list[Signal] = field(default_factory=list)
    plans_written: set[str] = field(default_factory=set)
    _with_room: set[str] = field(default_factory=set)
    _due: Milliseconds | None = None

    async def lock(self, ids: Iterable[str]) -> dict[str, Head]:
        """Locks jobs, in the order of their ids; those that do not exist are left out."""
        rows = await self.connection.fetch(statements.LOCK_BY_ID, list(ids))
        return {row[0]: Head(*row) for row in rows}

    async def lock_where(self, where: str, *arguments: Any, limit: int) -> list[Head]:
        """Locks some of the jobs for which a condition holds; those that somebody else has locked are left out."""
        return [Head(*row) for row in await self.connection.fetch(statements.lock_some(where, limit), *arguments)]

    def free(self, head: Head) -> None:
        """Takes a locked job from its owner."""
        head.owner, head.epoch = None, head.epoch + 1
        if head.is_capped:
            self._with_room.add(head.organization)

    def note_due(self, moment: Milliseconds) -> None:
        """Takes down that a job that waits is due at a moment."""
        self._due = moment if self._due is None else min(self._due, moment)

    async def conclude(self) -> None:
        """Hints at the jobs that waited for the end of others of their organization, and at what is due first of what waits;
        before the commit.
        """
        if self._due is not None:
            self.signals.append(WorkDue(self._due))
        if self._with_room:
            lanes = await self.connection.fetch(_LANES_OF, list(CAPABILITIES), list(self._with_room))
            self.signals.extend(WorkQueued(row[0]) for row in lanes)

    async def write(self, changes: Changes) -> None:
        """Writes changes of locked jobs."""
        if changes.parts:  # rare: most jobs have none
            await self.connection.execute(statements.ADD_STEPS, statements.rows(changes.parts))
        await self.connection.execute(
            statements.CHANGE,
            statements.rows(changes.heads.values()),
            statements.rows(changes.evidence.values()),
            statements.rows(changes.steps.values()),
            statements.rows(changes.intents),
            statements.rows(changes.events),
        )
        if changes.made:  # nothing of jobs that make text
            await self.connection.execute(statements.ADD_MADE_FILES, statements.rows(changes.made))
        written = dict.fromkeys((row[0], row[1]) for row in changes.events)
        self.signals.extend(JobChanged(organization, job) for organization, job in written)

    async def fetch_jobs(self, query: str, *arguments: Any) -> list[Job]:
        """Jobs with all their parts; the query has the columns of `statements.JOBS`."""
        return await load_jobs(self.connection, self.plans, query, *arguments)

    async def load(self, where: str, *arguments: Any) -> list[Job]:
        """Jobs with all their parts, in the order of their ids."""
        return await self.fetch_jobs(f"{statements.JOBS} WHERE {where} ORDER BY jobs.id", *arguments)

    async def end_unowned(self, heads: Sequence[Head], status: JobStatus, failure: Failure | None = None) -> None:
        """Ends locked jobs that nobody runs; what they have produced stays.

        Free calls that are under way are over with them. Of a paid one the outcome is still awaited.
        """
        if not heads:
            return
        ids = [head.id for head in heads]
        jobs = await self.load("jobs.id = ANY($1::text[])", ids)
        results = {job.id: job.results for job in jobs}
        self.signals.extend(CancelRequested(job.id) for job in jobs if calls_go_on(job))
        changes = Changes()
        for head in heads:
            head.status, head.completed_at, head.epoch = status.value, self.now, head.epoch + 1
            head.outputs, head.failure = dump(results[head.id]), dump_failure(failure)
            changes.change_job(head, (ended(status, failure, self.now),))
        await self.connection.execute(_SKIP_STEPS, ids, self.now)
        await self.connection.execute(_INTERRUPT, ids, self.now, dump_failure(INTERRUPTED), ProviderClass.REPEATABLE)
        await self.write(changes)

    async def release(self, heads: Sequence[Head], crashed: frozenset[str] = frozenset()) -> None:
        """Takes locked jobs from their owners, back into the queue or, for good reason, to their end.

        Args:
            crashed: those whose owner has died.
        """
        changes = Changes()
        ends: dict[tuple[JobStatus, Failure | None], list[Head]] = {}
        for head in heads:
            if head.id in crashed:
                head.crash_count += 1
                head.lone_crash_count += head.alone
            self.free(head)
            head.wake_at, head.alone = 0, 0
            changes.change_job(head)
            requested = head.cancel_requested_at is not None
            end = end_after_release(cancel_requested=requested, lone_crash_count=head.lone_crash_count)
            if end is None:
                self.signals.append(WorkQueued(head.lane))
            else:
                ends.setdefault(end, []).append(head)
        if heads:
            await self.write(changes)
        for (status, failure), ending in ends.items():
            await self.end_unowned(ending, status, failure)


_LANES_OF = (
    "SELECT lane FROM unnest($1::text[]) AS lanes(lane) WHERE EXISTS (SELECT FROM jobs "
    f"WHERE {CLAIMABLE} AND jobs.lane = lanes.lane AND jobs.organization = ANY($2::text[]))"
)
_SKIP_STEPS = (
    f"UPDATE steps SET state = 'skipped', completed_at = $2 WHERE job = ANY($1::text[]) AND state NOT IN ({SETTLED})"
)
_INTERRUPT = (
    "UPDATE attempts SET state = 'failed', settled_at = $2, failure = $3, cost = 0, "
    f"cost_source = '{CostSource.CATALOG}' "
    f"WHERE job = ANY($1::text[]) AND provider_class = $4 AND state IN ({OPEN})"
)


async def load_jobs(connection: Any, plans: Plans, query: str, *arguments: Any) -> list[Job]:
    """Jobs with all their parts.

    Args:
        connection: a connection or a pool of them.
        query: with the columns of `statements.JOBS`.
    """
    rows = await connection.fetch(query, *arguments)
    wanted = {row["plan"] for row in rows}
    known = plans.known(wanted)
    if missing := [digest for digest in wanted if digest not in known]:
        found = await connection.fetch("SELECT digest, document FROM plans WHERE digest = ANY($1::text[])", missing)
        known |= plans.learn({row["digest"]: row["document"] for row in found})
    return [job_from(row, row["steps"], row["attempts"], known.get(row["plan"])) for row in rows]
