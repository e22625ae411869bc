"""What a call has made, as its capability's output; and in which respects that is not what was asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from genesis.capabilities.catalog import Capability
from genesis.domain.artifact import Artifact
from genesis.domain.transcript import Segment, SubtitleFormat, subtitles
from genesis.providers.base import Done

MADE_HERE = frozenset({"format", "timestamps", "subtitles"})
"""Options that the platform sees to itself, whether or not a provider knows them."""

_NO_TIMES = "The model does not tell when each {part} was said, so that there are no {what}."


def output_of(
    capability: Capability, artifact: Artifact | None, done: Done, options: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The output, and a warning for each part of it that could not be made."""
    if artifact is not None:
        return {capability.output_field: artifact.url}, ()
    output: dict[str, Any] = {capability.output_field: done.text}
    warnings: list[str] = []
    timestamps = options.get("timestamps")
    if timestamps is not None:
        _add_times(output, warnings, timestamps, done)
    if (form := options.get("subtitles")) is not None:
        if done.segments:
            output["subtitles"] = subtitles(done.segments, SubtitleFormat(form))
        else:
            warnings.append(_NO_TIMES.format(part="segment", what="subtitles"))
    return output, tuple(warnings)


def _add_times(output: dict[str, Any], warnings: list[str], timestamps: str, done: Done) -> None:
    if done.segments:
        output["segments"] = _written(done.segments)
    if timestamps == "word" and done.words:
        output["words"] = _written(done.words)
    if not (done.words if timestamps == "word" else done.segments):
        warnings.append(_NO_TIMES.format(part=timestamps, what="timestamps"))


def _written(segments: Sequence[Segment]) -> list[dict[str, Any]]:
    return [asdict(segment) for segment in segments]
