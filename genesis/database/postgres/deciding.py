"""Decisions of many jobs in one transaction."""

from collections.abc import Sequence

from genesis.database.lifecycle import admissible, end_after_release, waking
from genesis.database.postgres.flush import Changes, Flush, Head
from genesis.database.refusals import fenced
from genesis.database.rows import dump, dump_failure
from genesis.domain.identity import Milliseconds
from genesis.domain.job import TERMINAL, TRANSITIONS, JobStatus
from genesis.errors import Fenced
from genesis.ports.ledger import Change, Decision, Finish, Release
from genesis.ports.signals import WorkQueued


def waves(decisions: Sequence[Decision]) -> list[list[int]]:
    """Cuts decisions into groups of at most one per job, each job's in order; as indexes of `decisions`.

    A statement that changes many rows changes each of them once (line 3 of the protocol).
    """
    groups: list[list[int]] = []
    depth: dict[str, int] = {}
    for index, decision in enumerate(decisions):
        job = decision.fence.job
        level = depth.get(job, 0)
        depth[job] = level + 1
        if level == len(groups):
            groups.append([])
        groups[level].append(index)
    return groups


async def decide(flush: Flush, decisions: Sequence[Decision]) -> list[Fenced | None]:
    """Applies decisions; one answer each."""
    answers: list[Fenced | None] = [None] * len(decisions)
    heads = await flush.lock({decision.fence.job for decision in decisions})
    for wave in waves(decisions):
        changes = Changes()
        canceled: list[Head] = []
        for index in wave:
            decision = decisions[index]
            head = heads.get(decision.fence.job)
            fenced_off = head is None or not _may_decide(head, decision)
            changes.settle(admissible(decision.change.evidence, fenced=fenced_off), keep_outputs=fenced_off)
            if head is None or fenced_off:
                answers[index] = fenced(decision.fence)
                continue
            _apply(flush, changes, head, decision.change)
            if isinstance(decision.change.outcome, Release) and _end_of(head) is not None:
                canceled.append(head)
        await flush.write(changes)
        # Who asked the owner to cancel asked the job's next one as well.
        await flush.end_unowned(canceled, JobStatus.CANCELED)
    return answers


def _may_decide(head: Head, decision: Decision) -> bool:
    """Line 10 of the protocol."""
    if (head.owner, head.epoch) != (decision.fence.owner, decision.fence.epoch):
        return False
    outcome = decision.change.outcome
    return not isinstance(outcome, Finish) or outcome.status in TRANSITIONS[JobStatus(head.status)] & TERMINAL


def _apply(flush: Flush, changes: Changes, head: Head, change: Change) -> None:
    changes.add_parts(head.id, change.parts)
    changes.change_steps(head.id, change.steps)
    changes.intend(head.id, change.intents)
    if change.outcome is not None:
        flush.free(head)
        _conclude(head, change.outcome, flush.now)
    if change.outcome is not None or change.events:
        changes.change_job(head, change.events)
    if isinstance(change.outcome, Release) and _end_of(head) is None:
        if head.wake_at:
            flush.note_due(head.wake_at)
        else:
            flush.signals.append(WorkQueued(head.lane))


def _conclude(head: Head, outcome: Release | Finish, now: Milliseconds) -> None:
    match outcome:
        case Release(lane):
            head.lane, head.wake_at = lane, waking(outcome, now)
            if not outcome.begun:
                head.status, head.started_at = JobStatus.QUEUED.value, None
        case Finish(status, outputs, failure):
            head.status, head.completed_at = status.value, now
            head.outputs, head.failure = dump(outputs), dump_failure(failure)


def _end_of(head: Head) -> object:
    # Its owner gives it back alive: whatever earlier owners died of is no reason to end it.
    return end_after_release(cancel_requested=head.cancel_requested_at is not None, lone_crash_count=0)
