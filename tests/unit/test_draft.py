from dataclasses import replace

from genesis.domain.attempt import Attempt, AttemptState, ProviderClass
from genesis.domain.job import JobStatus
from genesis.domain.step import Step, StepState
from genesis.engine.draft import finished, merged, skipped
from genesis.ports.ledger import Change, Finish, Release

STEP = Step("a", "text")
ATTEMPT = Attempt("id", "a", 1, "key", "one:m", ProviderClass.OPAQUE, 0)


def test_of_the_same_step_or_attempt_the_later_state_stands():
    failed = replace(ATTEMPT, state=AttemptState.FAILED)
    first = Change(evidence=(ATTEMPT,), steps=(replace(STEP, retry_at=9),))
    second = Change(evidence=(failed,), steps=(replace(STEP, state=StepState.RUNNING),))
    both = merged(first, second)
    assert both.evidence == (failed,)
    assert both.steps == second.steps


def test_events_stay_in_order_and_the_last_outcome_counts():
    end = finished(Finish(JobStatus.COMPLETED), 5)
    both = merged(replace(skipped([STEP], 4), outcome=Release("text", 0)), end)
    assert [event.type for event in both.events] == ["step-skipped", "job-completed"]
    assert both.outcome == Finish(JobStatus.COMPLETED)
    assert merged(both, Change()) == both
