import pytest

from genesis.domain.attempt import Attempt, AttemptState, ProviderClass
from genesis.domain.event import EventType
from genesis.domain.failure import INTERRUPTED, OUTCOME_UNKNOWN
from genesis.domain.step import Step, StepState
from genesis.engine import outcome
from genesis.engine.chain import Target
from genesis.engine.retry import RetryPolicy
from genesis.errors import (
    AttemptCanceled,
    InputRejected,
    ProviderAmbiguous,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
    WorkerBusy,
    WorkerUnavailable,
)
from tests.support.jobs import job_of, pipeline, text_step

STEP = Step("a", "text", StepState.RUNNING, started_at=1)
RETRIED, GIVEN_UP = "retried", "given up"


def attempt(provider_class, state=AttemptState.INTENDED):
    return Attempt("id", "a", 1, "key", "one:m", provider_class, 1, state)


def judge(error, provider_class, *, chain=("one:m",), max_attempts=3):
    given = attempt(provider_class)
    return outcome.failed(
        STEP,
        given,
        error,
        earlier=(),
        chain=tuple(Target(name, provider_class) for name in chain),
        policy=RetryPolicy(max_attempts, 0.5, 30.0),
        now=1_000,
    )


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
        verdict = judge(error, provider_class)
        assert verdict.attempt.state is state
        assert verdict.attempt.failure is not None
        if what == RETRIED:
            assert verdict.step.state is StepState.RUNNING
            assert verdict.step.retry_at is not None
            assert verdict.step.retry_at > 1_000
            assert verdict.events[0].type is EventType.STEP_RETRIED
        else:
            assert verdict.step.state is StepState.FAILED
            assert verdict.step.failure == verdict.attempt.failure
            assert verdict.events[0].type is EventType.STEP_FAILED


def test_the_last_attempt_gives_up():
    assert judge(ProviderUnavailable("x"), ProviderClass.OPAQUE, max_attempts=1).step.state is StepState.FAILED


def test_a_wrong_key_goes_on_to_the_next_provider():
    verdict = judge(ProviderMisconfigured("x"), ProviderClass.OPAQUE, chain=("one:m", "two:m"))
    assert verdict.step.state is StepState.RUNNING


def test_retry_after_is_kept():
    verdict = judge(ProviderRateLimited("x", retry_after=20), ProviderClass.OPAQUE)
    assert verdict.step.retry_at == 21_000


@pytest.mark.parametrize(
    ("provider_class", "state", "failure"),
    [
        (ProviderClass.REPEATABLE, AttemptState.FAILED, INTERRUPTED),
        (ProviderClass.OPAQUE, AttemptState.UNKNOWN, OUTCOME_UNKNOWN),
        (ProviderClass.KEYED, AttemptState.UNKNOWN, OUTCOME_UNKNOWN),
    ],
)
def test_a_crash_repeats_what_is_free_and_never_what_may_be_paid(provider_class, state, failure):
    job = job_of(pipeline(text_step("a")), steps=(STEP,), attempts=(attempt(provider_class),))
    (verdict,) = outcome.interrupted(job, 5)
    assert (verdict.attempt.state, verdict.attempt.failure) == (state, failure)
    assert verdict.step.state is (StepState.RUNNING if failure is INTERRUPTED else StepState.FAILED)


def test_what_a_failed_call_cost_is_kept():
    assert judge(ProviderAmbiguous("x", cost=10_000), ProviderClass.OPAQUE).attempt.cost == 10_000
    assert judge(ProviderAmbiguous("x"), ProviderClass.OPAQUE).attempt.cost is None


def test_words_of_strangers_are_kept_in_a_form_that_every_database_holds():
    failure = judge(ProviderRejected("bad \ud800\0 " + "x" * 9_000), ProviderClass.OPAQUE).attempt.failure
    assert failure.message.encode().startswith(b"bad ? xxx")
    assert len(failure.message) == 2_000


def test_settled_attempts_are_left_alone():
    job = job_of(pipeline(text_step("a")), attempts=(attempt(ProviderClass.OPAQUE, AttemptState.SUCCEEDED),))
    assert outcome.interrupted(job, 5) == ()
