"""What a call has made, as its capability's output; and in which respects that is not what was asked for."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from genesis.capabilities.catalog import Capability
from genesis.domain.artifact import Artifact
from genesis.domain.transcript import SubtitleFormat, segments_of, subtitles, written
from genesis.providers.base import Done

MADE_HERE = frozenset({"format", "timestamps", "subtitles"})
"""Options that the platform sees to itself, whether or not a provider knows them."""

_LONGEST_TEXT = 1_000_000
"""Characters of a result: what lists of jobs, events and databases bear."""
_NO_TIMES = "The model does not tell when each {part} was said, so that there are no {what}."


def output_of(
    capability: Capability, artifact: Artifact | None, done: Done, options: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The output, and a warning for each part of it that could not be made."""
    if artifact is not None:
        return {capability.output_field: artifact.url}, ()
    text = done.text or ""
    output: dict[str, Any] = {capability.output_field: text[:_LONGEST_TEXT]}
    warnings = _cuts(text, done.finish_reason, options)
    timestamps = options.get("timestamps")
    done = replace(done, segments=done.segments or segments_of(done.words))
    if timestamps is not None:
        _add_times(output, warnings, timestamps, done)
    if (form := options.get("subtitles")) is not None:
        if done.segments:
            output["subtitles"] = subtitles(done.segments, SubtitleFormat(form))
        else:
            warnings.append(_NO_TIMES.format(part="segment", what="subtitles"))
    return output, tuple(warnings)


def _cuts(text: str, finish_reason: str, options: Mapping[str, Any]) -> list[str]:
    """What is missing of a text, in words."""
    warnings = []
    if len(text) > _LONGEST_TEXT:
        warnings.append(f"The text was cut after {_LONGEST_TEXT:,} characters.")
    if finish_reason == "content_filter":
        warnings.append("The provider's filter has cut the text.")
    if finish_reason == "length" and "max_tokens" not in options:
        warnings.append("The text ends at the longest answer that the model gives; options.max_tokens may allow more.")
    return warnings


def _add_times(output: dict[str, Any], warnings: list[str], timestamps: str, done: Done) -> None:
    if done.segments:
        output["segments"] = written(done.segments)
    if timestamps == "word" and done.words:
        output["words"] = written(done.words)
    if not (done.words if timestamps == "word" else done.segments):
        warnings.append(_NO_TIMES.format(part=timestamps, what="timestamps"))
