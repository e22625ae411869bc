"""Changes of a job that are decided but not written yet."""

from collections.abc import Sequence

from genesis.domain.event import Event, EventType
from genesis.domain.identity import Milliseconds
from genesis.domain.job import JobStatus
from genesis.domain.step import Step
from genesis.ports.ledger import Change, Finish

_FINAL_EVENTS = {
    JobStatus.COMPLETED: EventType.JOB_COMPLETED,
    JobStatus.FAILED: EventType.JOB_FAILED,
    JobStatus.CANCELED: EventType.JOB_CANCELED,
}

NOTHING = Change()


def merged(first: Change, second: Change) -> Change:
    """Both as one change; of a step or an attempt that both name, the second's state stands."""
    if first == NOTHING:
        return second
    if second == NOTHING:
        return first
    parts = {step.name: step for step in (*first.parts, *second.parts)}
    steps = {step.name: step for step in (*first.steps, *second.steps)}
    parts |= {name: steps.pop(name) for name in parts if name in steps}
    evidence = {attempt.id: attempt for attempt in (*first.evidence, *second.evidence)}
    return Change(
        evidence=tuple(evidence.values()),
        steps=tuple(steps.values()),
        intents=(*first.intents, *second.intents),
        events=(*first.events, *second.events),
        outcome=second.outcome or first.outcome,
        parts=tuple(parts.values()),
    )


def skipped(steps: Sequence[Step], now: Milliseconds) -> Change:
    """Steps that are skipped, with their events."""
    return Change(
        steps=tuple(steps),
        events=tuple(Event(EventType.STEP_SKIPPED, now, {"step": step.name}) for step in steps),
    )


def finished(finish: Finish, now: Milliseconds) -> Change:
    """The end of a job, with its event."""
    data = {"code": finish.failure.code} if finish.failure else {}
    return Change(events=(Event(_FINAL_EVENTS[finish.status], now, data),), outcome=finish)
