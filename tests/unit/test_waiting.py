"""What is told of jobs that wait: the truth as far as it is known, and nothing where it is not."""

from dataclasses import replace

import pytest

from genesis.domain.attempt import Attempt, AttemptState, ProviderClass
from genesis.domain.event import Event, EventType
from genesis.domain.failure import WITHHELD, Failure
from genesis.domain.job import JobStatus
from genesis.domain.step import StepState
from genesis.engine.plan import with_step
from genesis.engine.waiting import Circumstances, is_put_off, why_waiting
from genesis.errors import FailureClass
from tests.support.jobs import job_of, pipeline, text_step

NOW = 10_000
SOON = NOW + 5_000
DOWN = Failure("provider-unavailable", "It is down.", "", FailureClass.SAFE)
AWAY = {"text": "it is away."}
IN_ROW = pipeline(text_step("a"), text_step("b", "${steps.a.text}"))
BESIDE = pipeline(text_step("a"), text_step("b"), text_step("c", "${steps.a.text} ${steps.b.text}"))


def running(plan=IN_ROW, *attempts, owner="me", **changes):
    given = {"status": JobStatus.RUNNING, "lane": "text", "wake_at": 0, "owner": owner, "attempts": attempts}
    return job_of(plan, **given | changes)


def called(state=AttemptState.INTENDED, step="a", kind=ProviderClass.OPAQUE, **changes):
    return Attempt(
        "id", step, 1, "key", "one:m", kind, NOW - 1_000, **{"state": state, "call_deadline": NOW + 60_000} | changes
    )


def put_off(job, step="a", moment=SOON):
    return with_step(job, replace(job.step(step), state=StepState.RUNNING, retry_at=moment))


def why(job, *, executors=1, missing=None, full=(), **more):
    around = Circumstances(NOW, executors, missing or {}, lambda lane: lane in full, **more)
    return why_waiting(job, around)


@pytest.mark.parametrize("status", [JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED])
def test_what_is_over_waits_for_nothing(status):
    assert why(replace(put_off(running()), status=status), missing=AWAY, executors=0) is None


def test_a_queued_job():
    job = job_of(IN_ROW, lane="text", wake_at=0)
    assert why(job) is None
    assert why(replace(job, wake_at=SOON), missing=AWAY) == "It is not to start before a later time."
    assert why(job, missing=AWAY, executors=0) == "No executor is running."
    assert why(job, missing=AWAY, executors=None) == "The llm worker is missing: it is away."
    assert why(job, full=["text"]) == "All slots of text are busy."
    alone = "Nothing begins until jobs have run apart from others that executors have died of."
    assert why(job, full=["text"], is_quarantined=True) == alone
    limit = "The organization runs as many jobs as it may."
    assert why(job, full=["text"], is_quarantined=True, at_limit=True) == limit
    suspect = replace(job, crash_count=2)
    assert (
        why(suspect, is_quarantined=True)
        == "It waits to run apart from others: the process that ran it has died 2 times."
    )
    assert (
        why(replace(job, lane="smell"), missing={"smell": "unheard of."}) == "The smell worker is missing: unheard of."
    )


def test_a_job_whose_call_is_made_does_not_wait():
    for kind in ProviderClass:
        job = running(IN_ROW, called(kind=kind))
        assert why(job, missing=AWAY, executors=0, full=["text"]) is None
    job = put_off(running(BESIDE, called(step="b")))
    assert why(job) is None  # one of its steps goes on


def test_nothing_is_told_of_what_only_the_run_could_know():
    assert why(running(), full=["text"]) is None
    assert why(running(owner=None, wake_at=SOON)) is None


def test_a_running_job_waits_for_its_worker():
    words = "The llm worker is missing: it is away."
    assert why(running(), missing=AWAY) == words
    assert why(running(owner=None, wake_at=SOON), missing=AWAY) == words
    assert why(put_off(running(IN_ROW, called(AttemptState.FAILED, failure=DOWN))), missing=AWAY) == words
    assert why(running(IN_ROW, called(), owner=None), missing=AWAY) == words
    assert why(running(), missing={"image": "it is away."}) is None  # which it does not need
    assert why(running(BESIDE), missing=AWAY) == words  # told once


def test_a_running_job_waits_for_a_model_that_rests():
    job = put_off(running())
    event = Event(
        EventType.STEP_RETRIED, NOW, {"step": "a", "target": "two:m", "code": "circuit-open", "retry_at": SOON}
    )
    words = "Step `a` waits for two:m, which rests: it has failed too often of late."
    assert is_put_off(job, NOW)
    assert why(job, put_off={"a": event}) == words
    assert why(replace(job, owner=None, wake_at=SOON), put_off={"a": event}) == words
    later = put_off(running(IN_ROW, called(AttemptState.FAILED, failure=DOWN)), moment=SOON + 1)
    assert "rests" not in why(later, put_off={"a": event})  # that was about an earlier time
    assert not is_put_off(job, SOON)
    assert why(put_off(running(), moment=NOW), put_off={"a": event}) is None  # its time has come


def test_a_running_job_waits_for_its_next_attempt():
    failed = called(AttemptState.FAILED, failure=DOWN)
    assert why(put_off(running(IN_ROW, failed))) == (
        "Step `a` is tried again at a later time; its last attempt failed: It is down."
    )
    unsent = called(AttemptState.NOT_SENT, failure=WITHHELD)
    assert "its last attempt was not made: " in why(put_off(running(IN_ROW, failed, unsent)))
    assert why(put_off(running())) == "Step `a` is tried again at a later time."


def test_a_running_job_waits_to_learn_what_became_of_a_call():
    words = "Step `a` waits to learn what became of an earlier call of one:m: it may have been made."
    assert why(running(IN_ROW, called(), owner=None, wake_at=SOON)) == words
    assert why(running(IN_ROW, called(call_deadline=NOW - 1))) == words
    free = running(IN_ROW, called(kind=ProviderClass.REPEATABLE), owner=None)
    assert why(free) is None  # it is simply made again
    assert why(free, full=["text"]) == "All slots of text are busy."


@pytest.mark.parametrize("owner", ["me", None])
def test_a_running_job_waits_for_a_provider_that_works_on_it(owner):
    job = running(IN_ROW, called(AttemptState.PENDING, handle={"id": 1}), owner=owner, wake_at=SOON)
    assert why(job) == "Step `a` waits for one:m, which works on it."


def test_a_running_job_waits_for_slots_and_executors():
    assert why(running(), without_slot={"a"}) == "Step `a` waits for a free slot of text."
    assert why(running(owner=None), full=["text"]) == "All slots of text are busy."
    assert why(running(owner=None), executors=0) == "No executor is running."
    assert why(running(owner=None), executors=None) is None


def test_all_that_the_steps_wait_for_is_told():
    job = put_off(running(BESIDE, called(AttemptState.PENDING, step="b"), called(AttemptState.FAILED, failure=DOWN)))
    assert why(job) == (
        "Step `a` is tried again at a later time; its last attempt failed: It is down. "
        "Step `b` waits for one:m, which works on it."
    )


def test_a_job_that_is_about_to_end_waits_for_its_calls_only():
    job = running(BESIDE, called(AttemptState.PENDING, step="b"))
    broken = with_step(job, replace(job.step("a"), state=StepState.FAILED, failure=DOWN))
    assert why(broken) == "Step `b` waits for one:m, which works on it."
    assert why(replace(broken, attempts=())) is None
    assert why(replace(broken, cancel_requested_at=NOW)) is None


def test_a_job_that_cannot_be_read_is_not_explained():
    job = running()
    assert why(replace(job, plan=replace(job.plan, steps=()), steps=()), missing=AWAY) is None
