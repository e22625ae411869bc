from dataclasses import replace

import pytest

from genesis.domain.attempt import Attempt, AttemptState, ProviderClass
from genesis.domain.failure import Failure
from genesis.domain.job import JobStatus
from genesis.domain.step import StepState
from genesis.engine.plan import advance, begun_anew, call_of, end, first_lane, seconds_left, with_step
from genesis.errors import FailureClass
from genesis.ports.ledger import Finish, Release
from tests.support.jobs import job_of, pipeline, text_step

FAILURE = Failure("provider-rejected", "No.", "", FailureClass.FINAL)
NOTHING = frozenset()


def done(job, name, text="out"):
    return with_step(job, replace(job.step(name), state=StepState.DONE, output={"text": text}))


def failed(job, name):
    return with_step(job, replace(job.step(name), state=StepState.FAILED, failure=FAILURE))


def ready(moves):
    return [step.name for step in moves.ready]


def test_a_chain_goes_step_by_step():
    job = job_of(pipeline(text_step("a"), text_step("b", "${steps.a.text}")))
    moves = advance(job, NOTHING, 0)
    assert (ready(moves), moves.outcome) == (["a"], None)
    assert ready(advance(job, frozenset({"a"}), 0)) == []
    job = done(job, "a")
    assert ready(advance(job, NOTHING, 0)) == ["b"]
    assert advance(done(job, "b", "end"), NOTHING, 0).outcome == Finish(JobStatus.COMPLETED, {"text": "end"})


def test_independent_steps_are_ready_together():
    job = job_of(pipeline(text_step("a"), text_step("b"), text_step("c", "${steps.a.text} ${steps.b.text}")))
    assert ready(advance(job, NOTHING, 0)) == ["a", "b"]
    assert ready(advance(done(job, "a"), frozenset({"b"}), 0)) == []
    assert ready(advance(done(done(job, "a"), "b"), NOTHING, 0)) == ["c"]


def test_a_step_without_its_condition_is_skipped_and_leaves_no_output():
    job = job_of("text_to_image", options={})
    moves = advance(job, NOTHING, 5)
    assert [step.name for step in moves.skipped] == ["enhance"]
    assert ready(moves) == ["draw"]
    assert call_of(moves.job, moves.ready[0])[0] == {"prompt": "hello"}


@pytest.mark.parametrize(("options", "lane"), [({}, "image"), ({"style": "oil"}, "text")])
def test_the_first_lane_is_that_of_the_step_that_a_new_job_begins_with(options, lane):
    job = job_of("text_to_image", options=options)
    assert first_lane(job.plan, job.inputs, job.options) == lane
    assert advance(job, NOTHING, 0).ready[0].capability == lane


def test_the_first_lane_is_found_whatever_order_the_steps_stand_in():
    spoken = {"name": "c", "capability": "speech", "input": {"text": "${steps.b.text} ${inputs.text}"}}
    conditional = text_step("b", when="options.model", options={"model": "${options.model}"})
    plan = pipeline(spoken, conditional, text_step("a"), outputs={"text": "${steps.a.text}"})
    assert first_lane(plan, {"text": "hello"}, {}) == "speech"
    assert first_lane(plan, {"text": "hello"}, {"model": "one:m"}) == "text"


def test_with_its_condition_it_runs_first():
    job = job_of("text_to_image", options={"style": "oil"})
    moves = advance(job, NOTHING, 0)
    assert ready(moves) == ["enhance"]
    call_input, options = call_of(job, moves.ready[0])
    assert call_input == {"text": "Light, colors and mood for: hello, oil style"}
    assert (options["temperature"], options["max_tokens"], options["stop"]) == (0.3, 1000, ["\n", "."])
    job = done(job, "enhance", "soft light")
    assert call_of(job, advance(job, NOTHING, 0).ready[0])[0] == {"prompt": "hello, soft light"}


def test_the_longest_prompt_falls_back_to_itself_when_it_is_enhanced():
    longest = "x" * 4_000
    job = done(job_of("text_to_image", options={"style": "oil"}, inputs={"text": longest}), "enhance", "soft light")
    assert call_of(job, advance(job, NOTHING, 0).ready[0])[0] == {"prompt": longest}


def test_a_transcription_that_is_too_long_for_a_prompt_is_cut():
    job = job_of("speech_to_image", inputs={"audio_url": "/storage/audio/a.wav"})
    job = failed(done(job, "transcribe", "x" * 9_000), "enhance")
    assert call_of(job, advance(job, NOTHING, 0).ready[0])[0] == {"prompt": "x" * 4_000}


def test_a_failed_step_that_may_fail_is_passed_over():
    job = failed(job_of("text_to_image", options={"style": "oil"}), "enhance")
    moves = advance(job, NOTHING, 0)
    assert (ready(moves), moves.outcome) == (["draw"], None)
    assert call_of(moves.job, moves.ready[0])[0] == {"prompt": "hello"}


def test_a_skip_can_lead_to_another_skip():
    plan = pipeline(
        text_step("a", when="options.style", options={"model": "${options.style}"}),
        text_step("b", when="steps.a.text"),
        text_step("c"),
    )
    moves = advance(job_of(plan), NOTHING, 0)
    assert [step.name for step in moves.skipped] == ["a", "b"]
    assert ready(moves) == ["c"]


def test_a_failure_starts_nothing_new_and_waits_for_siblings():
    plan = pipeline(text_step("a"), text_step("b"), text_step("c", "${steps.b.text}"))
    job = failed(job_of(plan), "a")
    moves = advance(job, frozenset({"b"}), 0)
    assert (ready(moves), moves.outcome) == ([], None)
    moves = advance(done(job, "b"), NOTHING, 9)
    assert moves.outcome == Finish(JobStatus.FAILED, {}, FAILURE)
    assert moves.job.step("c").state is StepState.SKIPPED
    assert moves.job.step("c").completed_at == 9


def test_outputs_so_far_are_kept_when_a_later_step_fails():
    job = job_of("speech_to_image", inputs={"audio_url": "/storage/audio/a.wav"})
    job = failed(done(done(job, "transcribe", "a boat"), "enhance", "a fine boat"), "draw")
    assert advance(job, NOTHING, 0).outcome == Finish(JobStatus.FAILED, {"text": "a boat"}, FAILURE)


def test_a_step_that_backs_off_releases_the_job_until_then():
    job = job_of(pipeline(text_step("a"), text_step("b")))
    job = with_step(job, replace(job.step("a"), state=StepState.RUNNING, retry_at=700))
    job = done(job, "b")
    assert advance(job, NOTHING, 699).outcome == Release("text", 700)
    assert ready(advance(job, NOTHING, 700)) == ["a"]


def test_a_sibling_under_way_keeps_the_job():
    job = job_of(pipeline(text_step("a"), text_step("b")))
    job = with_step(job, replace(job.step("a"), state=StepState.RUNNING, retry_at=700))
    assert advance(job, frozenset({"b"}), 0).outcome is None


@pytest.mark.parametrize("status", [JobStatus.CANCELED, JobStatus.FAILED])
def test_an_end_from_outside_skips_what_is_open(status):
    job = done(job_of(pipeline(text_step("a"), text_step("b"))), "a")
    job, skipped, finish = end(job, status, 3)
    assert [step.name for step in skipped] == ["b"]
    assert finish.status is status


def waiting(retry_at, *settled, started_at=1_000):
    """A job whose one step is tried again at a moment; its attempts so far have ended at others."""
    attempts = tuple(
        Attempt("id", "a", 1, "key", "one:m", ProviderClass.OPAQUE, 1_000, AttemptState.FAILED, settled_at=moment)
        for moment in settled
    )
    job = job_of(pipeline(text_step("a")), started_at=started_at, attempts=attempts)
    return with_step(job, replace(job.step("a"), retry_at=retry_at))


@pytest.mark.parametrize(
    ("job", "now", "later"),
    [
        (waiting(9_000, 5_000), 5_000, None),
        (waiting(9_000, 5_000), 8_999, None),
        (waiting(9_000, 5_000), 4_999, 8_999),  # it began a millisecond later than now
        (waiting(9_000, 2_000, 5_000), 1, 4_001),
        (waiting(9_000, 5_000, 9_001), 1, 4_001),  # another run has begun it anew: not this attempt's wait
        (waiting(9_000, started_at=8_000), 100, 1_100),
        (waiting(500_000), 9_000, 69_000),  # nobody knows when it began
        (waiting(500_000, 499_000), 9_000, 10_000),
        (waiting(9_000, 5_000), 9_000, None),
        (waiting(None, 5_000), 1, None),
    ],
)
def test_a_wait_that_begins_later_than_now_begins_anew(job, now, later):
    steps = begun_anew(job, lambda _: 60_000, now)
    assert [step.retry_at for step in steps] == ([] if later is None else [later])


def test_a_step_that_is_over_waits_for_nothing():
    assert begun_anew(done(waiting(500_000), "a"), lambda _: 1, 0) == ()


def test_a_job_has_no_more_time_than_it_was_given():
    job = job_of(pipeline(text_step("a")), now=5_000, finish_by=9_000)
    assert [seconds_left(job, now) for now in (1, 5_000, 8_000, 9_500)] == [4.0, 4.0, 1.0, -0.5]
    assert seconds_left(replace(job, finish_by=None), 1) is None
