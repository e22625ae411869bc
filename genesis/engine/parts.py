"""Steps that are too long for one call: what parts they are cut into, and what is made of these. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from genesis.domain.attempt import Attempt, AttemptState, ProviderClass
from genesis.domain.event import Event, EventType
from genesis.domain.failure import Failure
from genesis.domain.identity import Milliseconds
from genesis.domain.job import CUT, JOIN, Job
from genesis.domain.passages import passages
from genesis.domain.pipeline import PipelineStep
from genesis.domain.step import MOST_PARTS, PART_MARK, Part, Step, StepState
from genesis.domain.transcript import Segment, SubtitleFormat, in_sequence, shifted, subtitles, written
from genesis.engine import outcome, plan
from genesis.engine.chain import Target
from genesis.errors import FailureClass, InputTooLong, NothingSaid
from genesis.ports.ledger import Change
from genesis.ports.workers import CallResult, WorkerDescription

CUTTER = Target(CUT, ProviderClass.REPEATABLE)
JOINER = Target(JOIN, ProviderClass.REPEATABLE)


@dataclass(frozen=True, slots=True)
class Divided:
    """A step is too long for one call, and goes on in parts."""

    parts: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class United:
    """A step is done with what its parts have made."""

    output: Mapping[str, Any]


def is_own(target: str) -> bool:
    """Whether this is no provider's model, but what the platform does itself."""
    return target in (CUT, JOIN)


def divided(
    job: Job, planned: PipelineStep, worker: WorkerDescription, chain: Sequence[Target]
) -> Divided | Failure | None:
    """The passages of a text that a model of its chain cannot speak at once; None where one call does."""
    if planned.capability != "speech" or job.step(planned.name).part is not None:
        return None
    limits = {provider.name: provider.longest_text for provider in worker.providers}
    longest = min((limit for target in chain if (limit := limits[target.provider]) is not None), default=None)
    text = plan.call_of(job, planned)[0].get("text", "")
    if longest is None or len(text) <= longest:
        return None
    texts = passages(text, longest)
    if len(texts) > MOST_PARTS:
        return Failure(
            InputTooLong.code,
            f"The text needs {len(texts)} calls of {longest:,} characters; {MOST_PARTS} are allowed.",
            "Use several jobs, or name a model in options.model that takes more text at once.",
            FailureClass.FINAL,
        )
    return Divided(_parts(job, planned, [({"text": passage}, 0.0, 0.0) for passage in texts]))


def cut_up(job: Job, step: Step, attempt: Attempt, result: CallResult, now: Milliseconds) -> Change:
    """The step, whose recording a worker has cut, goes on in parts."""
    pieces = [({"audio_url": part["audio_url"]}, part["start"], part["end"]) for part in result.output["parts"]]
    change = expanded(step, _parts(job, step, pieces), now)
    return replace(change, evidence=(outcome.paid(attempt, result, now),))


def _parts(
    job: Job, step: Step | PipelineStep, pieces: Sequence[tuple[Mapping[str, Any], float, float]]
) -> tuple[Step, ...]:
    return tuple(
        Step(
            f"{step.name}{PART_MARK}{number}",
            step.capability,
            part=Part(step.name, len(job.steps) + number - 1, call_input, start, end),
        )
        for number, (call_input, start, end) in enumerate(pieces, start=1)
    )


def expanded(step: Step, parts: tuple[Step, ...], now: Milliseconds) -> Change:
    """The step goes on in parts."""
    step = replace(step, state=StepState.RUNNING, started_at=step.started_at or now, retry_at=None)
    event = Event(EventType.STEP_DIVIDED, now, {"step": step.name, "parts": len(parts)})
    return Change(steps=(step,), parts=parts, events=(event,))


def united(job: Job, planned: PipelineStep) -> Target | United | Failure | None:
    """What a step whose parts have settled goes on with; None where it has no parts.

    Spoken parts are joined by a worker; transcripts are joined here, with their times as in the whole recording.
    """
    parts = job.parts_of(planned.name)
    if not parts:
        return None
    failed = next((part.failure for part in parts if part.failure is not None), None)
    if failed is not None:
        return failed
    if planned.capability == "speech":
        return JOINER
    _, options = plan.call_of(job, planned)
    return _transcript(parts, options)


def _transcript(parts: Sequence[Step], options: Mapping[str, Any]) -> United | Failure:
    texts = [_output(part)["text"].strip() for part in parts]
    if not any(texts):
        message = "No speech was recognized in the audio."
        return Failure(NothingSaid.code, message, "Check that the recording has speech.", FailureClass.FINAL)
    output: dict[str, Any] = {"text": in_sequence(texts)}
    segments, words = _times(parts, "segments"), _times(parts, "words")
    if segments and options.get("timestamps") is not None:
        output["segments"] = written(segments)
    if words and options.get("timestamps") == "word":
        output["words"] = written(words)
    if segments and (form := options.get("subtitles")) is not None:
        output["subtitles"] = subtitles(segments, SubtitleFormat(form))
    return United(output)


def _times(parts: Sequence[Step], name: str) -> tuple[Segment, ...]:
    """When everything was said; nothing where that is not known of each part in which something was said."""
    found: list[Segment] = []
    for part in parts:
        output = _output(part)
        timed = tuple(Segment(**one) for one in output.get(name) or ())
        if output["text"].strip() and not timed:
            return ()
        found.extend(shifted(timed, part.part.start, part.part.end) if part.part else timed)
    return tuple(found)


def _output(part: Step) -> Mapping[str, Any]:
    return part.output or {}


def call_with(job: Job, planned: PipelineStep, target: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Input and options of a step's call of a model, or of what the platform does itself."""
    call_input, options = plan.call_of(job, planned)
    if not is_own(target):
        return call_input, options
    if target == CUT:
        named = options.get("model")
        return {"audio_url": call_input["audio_url"]}, {} if named is None else {"for_model": named}
    urls = [_output(part)["audio_url"] for part in job.parts_of(planned.name)]
    wanted = options.get("format")
    return {"audio_urls": urls}, {} if wanted is None else {"format": wanted}


def must_be_cut(attempts: Sequence[Attempt]) -> bool:
    """Whether a worker has found that a step's recording is too long for one call."""
    return any(
        attempt.state is AttemptState.NOT_SENT and attempt.failure and attempt.failure.code == InputTooLong.code
        for attempt in attempts
    )


def models_of(job: Job, step: str) -> str:
    """The models that have made a step's parts."""
    made = {part.name for part in job.parts_of(step)}
    served = [one.target for one in job.attempts if one.step in made and one.state is AttemptState.SUCCEEDED]
    return ", ".join(dict.fromkeys(served))
