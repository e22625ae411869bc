"""Steps in parts: what is done next, what is made of the parts, and how changes of them come together."""

from dataclasses import replace

import pytest

from gateway.views import job_document
from genesis.domain.attempt import AttemptState, ProviderClass
from genesis.domain.failure import Failure
from genesis.domain.job import CUT, JOIN, JobStatus
from genesis.domain.step import Part, Step, StepState
from genesis.engine.chain import Target, draw_of
from genesis.engine.draft import merged
from genesis.engine.outcome import failed
from genesis.engine.parts import JOINER, Divided, United, call_with, divided, expanded, united
from genesis.engine.plan import advance, applied, call_of, with_step
from genesis.errors import FailureClass, InputTooLong, InvalidRequest, NothingSaid
from genesis.pipelines.catalog import builtin_pipelines
from genesis.ports.ledger import Change
from genesis.ports.workers import ProviderDescription, WorkerDescription
from tests.support.jobs import job_of, pipeline, text_step
from tests.support.ledger import attempt_of
from tests.support.workers import default_links

FAILURE = Failure("provider-rejected", "No.", "", FailureClass.FINAL)
NOTHING = frozenset()
CHAIN = (Target("one:m", ProviderClass.OPAQUE), Target("two:m", ProviderClass.OPAQUE))


def worker(*limits):
    providers = tuple(
        ProviderDescription(name, True, "", ("m",), True, ProviderClass.OPAQUE, 4, limit)
        for name, limit in zip(("one", "two"), limits, strict=True)
    )
    return WorkerDescription("tts", "speech", providers, default_links(providers))


def speech(text="One. Two. Tri. For. Pim. Six.", longest=5):
    job = job_of("text_to_speech", inputs={"text": text}, options={"format": "mp3"})
    step = job.plan.steps[0]
    match divided(job, step, worker(longest, None), CHAIN):
        case Divided(parts):
            return applied(job, expanded(job.steps[0], parts, 5))
    raise AssertionError("it is not divided")


def transcription(*outputs, **options):
    job = job_of("speech_to_text", inputs={"audio_url": "/storage/audio/a.wav"}, options=options)
    parts = tuple(
        Step(
            f"transcribe#{number + 1}",
            "transcription",
            StepState.DONE,
            output,
            part=Part(
                "transcribe",
                number + 1,
                {"audio_url": f"/storage/audio/{number}.flac"},
                10.0 * number,
                10.0 * number + 10,
            ),
        )
        for number, output in enumerate(outputs)
    )
    return applied(job, Change(parts=parts))


def in_state(job, state, *numbers, **more):
    for number in numbers:
        job = with_step(job, replace(job.step(f"speak#{number}"), state=state, **more))
    return job


def ready(job, in_flight=NOTHING):
    return [step.name for step in advance(job, frozenset(in_flight), 9).ready]


def test_a_text_is_divided_for_the_model_that_takes_least():
    job = job_of("text_to_speech", inputs={"text": "One. Two. Three."}, options={})
    step = job.plan.steps[0]
    for limits, count in (((None, None), 0), ((99, 16), 0), ((99, 10), 2), ((10, None), 2)):
        found = divided(job, step, worker(*limits), CHAIN)
        assert (0 if found is None else len(found.parts)) == count
    assert divided(job, step, worker(10, None), CHAIN[1:]) is None  # it is not asked


def test_a_part_is_never_divided_again():
    job = speech()
    assert divided(job, job.planned("speak#1"), worker(2, 2), CHAIN) is None


def test_too_many_parts_are_a_failure():
    job = job_of("text_to_speech", inputs={"text": "Go. " * 101}, options={})
    found = divided(job, job.plan.steps[0], worker(4, None), CHAIN)
    assert (found.code, found.kind) == ("input-too-long", FailureClass.FINAL)


def test_a_part_has_an_input_of_its_own_and_the_options_of_its_step():
    job = speech()
    assert call_of(job, job.planned("speak#2")) == ({"text": "Two."}, {"format": "mp3"})
    assert job.step("speak").state is StepState.RUNNING
    assert draw_of(job, "speak#2") == draw_of(job, "speak")
    assert [step.part.place for step in job.parts_of("speak")] == list(range(1, 1 + len(job.parts_of("speak"))))


def test_a_few_parts_run_at_once_and_the_step_waits_for_all():
    job = speech()
    assert ready(job) == ["speak#1", "speak#2", "speak#3", "speak#4"]
    job = in_state(job, StepState.RUNNING, 2, 3)
    assert ready(job, ["speak#2", "speak#3"]) == ["speak#1", "speak#4"]
    assert ready(in_state(job, StepState.DONE, 1, 2, 3, 4, 5, 6)) == ["speak"]


def test_parts_that_have_begun_come_first():
    job = in_state(speech(), StepState.RUNNING, 5, 6)
    assert set(ready(job)) == {"speak#1", "speak#2", "speak#5", "speak#6"}


def test_after_a_failed_part_nothing_begins_and_the_step_is_next():
    job = in_state(in_state(speech(), StepState.RUNNING, 1), StepState.FAILED, 2, failure=FAILURE)
    assert ready(job, ["speak#1"]) == ["speak"]
    assert united(job, job.planned("speak")) == FAILURE


def test_parts_of_a_failed_step_are_skipped_unless_they_are_under_way():
    job = in_state(speech(), StepState.RUNNING, 1)
    job = with_step(job, replace(job.step("speak"), state=StepState.FAILED, failure=FAILURE))
    moves = advance(job, frozenset({"speak#1"}), 9)
    assert [step.name for step in moves.skipped] == [f"speak#{number}" for number in range(2, 7)]
    assert moves.outcome is None
    end = advance(in_state(moves.job, StepState.DONE, 1), NOTHING, 9).outcome
    assert (end.status, end.failure) == (JobStatus.FAILED, FAILURE)


def test_parts_that_back_off_let_the_job_wait():
    job = in_state(speech(), StepState.RUNNING, 1, 2, 3, 4, retry_at=50)
    assert ready(job) == []
    assert advance(job, NOTHING, 9).outcome.wake_at == 50


def test_spoken_parts_are_joined_by_a_call():
    job = speech()
    for number in range(1, 7):
        job = in_state(job, StepState.DONE, number, output={"audio_url": f"/storage/audio/{number}.mp3"})
    assert united(job, job.planned("speak")) == JOINER
    call_input, options = call_with(job, job.planned("speak"), JOIN)
    assert call_input == {"audio_urls": [f"/storage/audio/{number}.mp3" for number in range(1, 7)]}
    assert options == {"format": "mp3"}


def test_a_recording_is_cut_for_the_model_that_the_job_names():
    for options, given in (({}, {}), ({"model": "one:m"}, {"for_model": "one:m"})):
        job = transcription(**options)
        assert call_with(job, job.plan.steps[0], CUT) == ({"audio_url": "/storage/audio/a.wav"}, given)


@pytest.mark.parametrize("timestamps", [None, "segment", "word"])
def test_transcripts_are_joined_with_the_times_of_the_whole(timestamps):
    said = {"start": 1.0, "end": 2.0, "text": "said"}
    one = {"text": " One ", "segments": [said], "words": [said]}
    options = {"subtitles": "srt"} | ({"timestamps": timestamps} if timestamps else {})
    job = transcription(one, {"text": ""}, one, **options)
    assert call_of(job, job.planned("transcribe#1"))[1] == {"timestamps": timestamps or "segment"}
    output = united(job, job.plan.steps[0]).output
    times = [said, {"start": 21.0, "end": 22.0, "text": "said"}]
    assert output["text"] == "One One"
    assert output.get("segments") == (times if timestamps else None)
    assert output.get("words") == (times if timestamps == "word" else None)
    assert output["subtitles"].count("-->") == 2
    assert "00:00:21,000 --> 00:00:22,000" in output["subtitles"]


def test_what_a_model_places_behind_the_end_of_a_part_is_moved_to_it():
    said = [{"start": 8.0, "end": 30.0, "text": "One"}, {"start": 30.0, "end": 60.0, "text": "Two"}]
    job = transcription(
        {"text": "One Two", "segments": said}, {"text": "Three", "segments": said}, timestamps="segment"
    )
    segments = united(job, job.plan.steps[0]).output["segments"]
    assert [(one["start"], one["end"]) for one in segments] == [(8, 10), (10, 10), (18, 20), (20, 20)]


def test_parts_in_a_script_without_spaces_are_joined_without():
    for texts, whole in (
        (("海は静か", "だった。", "", "風。"), "海は静かだった。風。"),
        (("你好", "OK", "bye"), "你好 OK bye"),
        (("한국어", "말"), "한국어 말"),
    ):
        job = transcription(*({"text": text} for text in texts))
        assert united(job, job.plan.steps[0]) == United({"text": whole})


def test_without_the_times_of_a_part_there_are_none():
    timed = {"text": "One", "segments": [{"start": 0.0, "end": 1.0, "text": "One"}]}
    job = transcription(timed, {"text": "Two"}, subtitles="vtt", timestamps="segment")
    assert united(job, job.plan.steps[0]) == United({"text": "One Two"})


def test_a_silent_part_is_done_and_a_silent_recording_is_not():
    job = transcription({"text": ""}, {"text": " "})
    assert united(job, job.plan.steps[0]).code == "nothing-said"
    part, attempt = replace(job.step("transcribe#1"), state=StepState.RUNNING, output=None), attempt_of("transcribe#1")
    change = failed(part, attempt, NothingSaid("Silence.", cost=5), None, 9)
    assert (change.steps[0].state, change.steps[0].output) == (StepState.DONE, {"text": ""})
    assert change.evidence[0].cost == 5


def test_a_part_that_is_too_long_is_not_cut_again():
    part = replace(transcription({"text": ""}).step("transcribe#1"), state=StepState.RUNNING)
    change = failed(part, attempt_of(part.name), InputTooLong("Too long."), None, 9)
    assert (change.steps[0].state, change.steps[0].failure.code) == (StepState.FAILED, "input-too-long")


def test_a_part_that_is_added_and_changed_in_one_draft_is_written_once():
    job = speech()
    part = job.step("speak#1")
    added = Change(parts=job.parts_of("speak"), steps=(job.step("speak"),))
    both = merged(added, Change(steps=(replace(part, state=StepState.RUNNING),)))
    assert [step.name for step in both.steps] == ["speak"]
    assert [step.state for step in both.parts][:2] == [StepState.RUNNING, StepState.WAITING]
    assert len(merged(both, Change(parts=(replace(part, name="other#1"),))).parts) == len(both.parts) + 1


def test_a_job_without_parts_has_the_steps_of_its_plan():
    job = job_of("text_to_image")
    assert job.planned_steps is job.plan.steps
    assert not job.has_parts


def test_parts_are_shown_after_their_step():
    plan = pipeline(text_step("a"), text_step("b"))
    job = job_of(plan)
    parts = tuple(Step(f"a#{number}", "text", part=Part("a", 1 + number, {"text": "x"})) for number in (1, 2))
    shown = job_document(applied(job, Change(parts=parts)), waiting_for=None)["steps"]
    assert [(step["name"], step["part_of"]) for step in shown] == [("a", None), ("a#1", "a"), ("a#2", "a"), ("b", None)]


def test_the_platform_is_no_provider_of_a_job():
    job = speech()
    served = [replace(attempt_of("speak"), state=AttemptState.SUCCEEDED, target=target) for target in (JOIN, "one:m")]
    shown = job_document(replace(job, attempts=tuple(served)), waiting_for=None)
    assert (shown["metadata"]["provider"], shown["metadata"]["worker_used"]) == ("one", "tts")


def test_a_pipeline_takes_a_hundred_thousand_characters_to_speak():
    contract = builtin_pipelines()["text_to_speech"]
    assert contract.check({"text": "x" * 100_000}, {})[0]
    with pytest.raises(InvalidRequest, match="100000"):
        contract.check({"text": "x" * 100_001}, {})
