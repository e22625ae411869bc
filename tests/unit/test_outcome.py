from dataclasses import replace
from decimal import Decimal

import pytest

from genesis.domain.attempt import Attempt, AttemptState, ProviderClass
from genesis.domain.event import EventType
from genesis.domain.failure import INTERRUPTED
from genesis.domain.job import OnAmbiguous
from genesis.domain.money import Money
from genesis.domain.quantity import Unit
from genesis.domain.step import Part, Step, StepState
from genesis.engine import outcome
from genesis.engine.chain import Limits, Target
from genesis.engine.retry import RetryPolicy
from genesis.errors import (
    AttemptCanceled,
    InputRejected,
    NothingSaid,
    ProviderAmbiguous,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
    WorkerBusy,
    WorkerUnavailable,
)
from genesis.ports.workers import CallResult
from tests.support.jobs import job_of, pipeline, text_step

STEP = Step("a", "text", StepState.RUNNING, started_at=1)
RETRIED, GIVEN_UP = "retried", "given up"


def attempt(provider_class, state=AttemptState.INTENDED):
    return Attempt("id", "a", 1, "key", "one:m", provider_class, 1, state)


def judge(error, provider_class, *, chain=("one:m",), max_attempts=3, **more):
    """The attempt, the step and the event after a failure."""
    prospect = outcome.Prospect(
        earlier=(),
        chain=tuple(Target(name, provider_class) for name in chain),
        policy=RetryPolicy(Limits(max_attempts, 99), 0.5, 30.0, 300.0),
        **more,
    )
    change = outcome.failed(STEP, attempt(provider_class), error, prospect, 1_000)
    return change.evidence[0], change.steps[0], change.events[0]


@pytest.mark.parametrize(
    ("error", "paid", "free"),
    [
        (ProviderUnavailable("x"), (AttemptState.FAILED, RETRIED), (AttemptState.FAILED, RETRIED)),
        (ProviderRateLimited("x"), (AttemptState.FAILED, RETRIED), (AttemptState.FAILED, RETRIED)),
        (ProviderRejected("x"), (AttemptState.FAILED, GIVEN_UP), (AttemptState.FAILED, GIVEN_UP)),
        (InputRejected("x"), (AttemptState.NOT_SENT, GIVEN_UP), (AttemptState.NOT_SENT, GIVEN_UP)),
        (ProviderMisconfigured("x"), (AttemptState.FAILED, GIVEN_UP), (AttemptState.FAILED, GIVEN_UP)),
        (ProviderAmbiguous("x"), (AttemptState.UNKNOWN, GIVEN_UP), (AttemptState.FAILED, RETRIED)),
        (AttemptCanceled("x"), (AttemptState.UNKNOWN, GIVEN_UP), (AttemptState.FAILED, GIVEN_UP)),
        (WorkerBusy("x"), (AttemptState.NOT_SENT, RETRIED), (AttemptState.NOT_SENT, RETRIED)),
        (WorkerUnavailable("x"), (AttemptState.NOT_SENT, RETRIED), (AttemptState.NOT_SENT, RETRIED)),
    ],
)
def test_each_failure_has_its_consequence(error, paid, free):
    for provider_class, (state, what) in ((ProviderClass.OPAQUE, paid), (ProviderClass.REPEATABLE, free)):
        judged, step, event = judge(error, provider_class)
        assert judged.state is state
        assert judged.failure is not None
        if what == RETRIED:
            assert step.state is StepState.RUNNING
            assert step.retry_at is not None
            assert step.retry_at > 1_000
            assert event.type is EventType.STEP_RETRIED
        else:
            assert step.state is StepState.FAILED
            assert step.failure == judged.failure
            assert event.type is EventType.STEP_FAILED


def test_the_last_attempt_gives_up():
    _, step, _ = judge(ProviderUnavailable("x"), ProviderClass.OPAQUE, max_attempts=1)
    assert step.state is StepState.FAILED


def test_a_wrong_key_goes_on_to_the_next_provider():
    _, step, _ = judge(ProviderMisconfigured("x"), ProviderClass.OPAQUE, chain=("one:m", "two:m"))
    assert step.state is StepState.RUNNING


def test_retry_after_is_kept():
    _, step, _ = judge(ProviderRateLimited("x", retry_after=20), ProviderClass.OPAQUE)
    assert step.retry_at == 21_000


def test_who_accepts_to_pay_twice_is_tried_again():
    judged, step, _ = judge(ProviderAmbiguous("x"), ProviderClass.OPAQUE, on_ambiguous=OnAmbiguous.RESEND)
    assert (judged.state, step.state) == (AttemptState.UNKNOWN, StepState.RUNNING)


def test_a_failed_poll_never_makes_a_pending_call_one_that_was_not_sent():
    pending = attempt(ProviderClass.HANDLE, AttemptState.PENDING)
    assert outcome.settled(pending, WorkerUnavailable("x"), 5).state is AttemptState.FAILED


def test_a_crash_repeats_what_is_free():
    open_attempt = attempt(ProviderClass.REPEATABLE)
    job = job_of(pipeline(text_step("a")), steps=(STEP,), attempts=(open_attempt,))
    change = outcome.interrupted(job, open_attempt, 5)
    assert (change.evidence[0].state, change.evidence[0].failure) == (AttemptState.FAILED, INTERRUPTED)
    assert change.steps[0].state is StepState.RUNNING


def test_what_a_failed_call_cost_is_kept():
    assert judge(ProviderAmbiguous("x", cost=10_000), ProviderClass.OPAQUE)[0].cost == 10_000
    assert judge(ProviderAmbiguous("x"), ProviderClass.OPAQUE)[0].cost is None


def test_words_of_strangers_are_kept_in_a_form_that_every_database_holds():
    failure = judge(ProviderRejected("bad \ud800\0 " + "x" * 9_000), ProviderClass.OPAQUE)[0].failure
    assert failure.message.encode().startswith(b"bad ? xxx")
    assert len(failure.message) == 2_000


def test_the_name_of_a_model_that_has_served_is_kept_so_in_the_event_as_well():
    result = CallResult({"text": "hi"}, "one:\ud800\0" + "x" * 3_000_000)
    change = outcome.succeeded(STEP, attempt(ProviderClass.OPAQUE), result, 2)
    assert change.events[0].data["target"] == change.evidence[0].target
    assert change.evidence[0].target.encode().startswith(b"one:?xxx")
    assert len(change.evidence[0].target) < 1_000


def test_a_cost_that_was_told_is_not_forgotten():
    charged = replace(attempt(ProviderClass.HANDLE, AttemptState.UNKNOWN), cost=Money(9))
    assert outcome.settled(charged, ProviderRejected("x"), 2).cost == 9
    assert outcome.settled(charged, ProviderRejected("x", cost=7), 2).cost == 7
    assert outcome.paid(charged, CallResult({}, "one:m"), 2).cost == 9
    assert outcome.paid(charged, CallResult({}, "one:m", Money(7)), 2).cost == 7


def test_a_silent_part_says_how_much_was_listened_to():
    part = replace(STEP, part=Part("whole", 1, {}, 60.0, 90.5))
    change = outcome.failed(part, attempt(ProviderClass.OPAQUE), NothingSaid("x"), outcome.Prospect((), (), None), 9)
    assert change.evidence[0].quantities == {Unit.AUDIO_SECONDS: Decimal("30.5")}
    assert change.steps[0].state is StepState.DONE
