"""Transcripts with times, and the subtitles that are made of them."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

_BREAKS = re.compile(r"\s*[\r\n]+\s*")
_LONGEST_LINE = 42
"""Characters of a line of subtitles that can be read in time (EBU-TT-D and most broadcasters have 37 to 42)."""

_PAUSE_SECONDS = 1.0
_SENTENCE_ENDS = (".", "!", "?", "…", "\u3002", "\uff01", "\uff1f")
_SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1780-\u17ff\u3001-\u30ff\u3400-\u9fff\uf900-\ufaff\uff01-\uff9f\U00020000-\U0003ffff]"
)
"""Thai, Lao, Khmer, Chinese and Japanese, with the punctuation of the last two."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a transcript: some words, or one.

    Attributes:
        start, end: seconds from the beginning of the recording.
    """

    start: float
    end: float
    text: str


class SubtitleFormat(StrEnum):
    SRT = "srt"
    VTT = "vtt"


def subtitles(segments: Sequence[Segment], form: SubtitleFormat) -> str:
    """Subtitles of a transcript: SubRip, or WebVTT (https://www.w3.org/TR/webvtt1/)."""
    shown = [segment for segment in segments if segment.text.strip()]
    if form is SubtitleFormat.SRT:
        cues = (f"{number}\n{_times(one, ',')}\n{_lines(one.text)}\n" for number, one in enumerate(shown, 1))
        return "\n".join(cues)
    cues = (f"{_times(one, '.')}\n{_escaped(_lines(one.text))}\n" for one in shown)
    return "\n".join(("WEBVTT\n", *cues))


def segments_of(words: Sequence[Segment]) -> tuple[Segment, ...]:
    """Words in segments that can be read as subtitles: a new one after a pause or a sentence, or when two lines are full."""
    segments: list[Segment] = []
    for word in words:
        last = segments[-1] if segments else None
        text = in_sequence((last.text, word.text.strip())) if last else ""
        fits = last and len(text) <= 2 * _LONGEST_LINE and not last.text.endswith(_SENTENCE_ENDS)
        if last and fits and word.start - last.end < _PAUSE_SECONDS:
            segments[-1] = Segment(last.start, word.end, text)
        else:
            segments.append(Segment(word.start, word.end, word.text.strip()))
    return tuple(segments)


def shifted(segments: Sequence[Segment], start: float, end: float) -> tuple[Segment, ...]:
    """The segments as they lie in a recording of which theirs is the part from `start` to `end`, in seconds.

    Models that listen in windows of half a minute place words behind the end of what they were given.
    """
    return tuple(Segment(min(one.start + start, end), min(one.end + start, end), one.text) for one in segments)


def in_sequence(texts: Sequence[str]) -> str:
    """Texts one after the other as one, with a space between two where their script has spaces."""
    whole = ""
    for text in texts:
        space = "" if not whole or (_SPACELESS.match(whole[-1]) and _SPACELESS.match(text)) else " "
        whole = f"{whole}{space}{text}" if text else whole
    return whole


def written(segments: Sequence[Segment]) -> list[dict[str, Any]]:
    """The segments as plain data."""
    return [asdict(segment) for segment in segments]


def _times(segment: Segment, mark: str) -> str:
    start = _milliseconds(segment.start)
    end = max(_milliseconds(segment.end), start + 1)  # a cue of no length is never shown
    return f"{_time(start, mark)} --> {_time(end, mark)}"


def _milliseconds(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def _time(milliseconds: int, mark: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{rest:03}"


def _lines(text: str) -> str:
    """The text in lines that can be read; an empty line would end the cue."""
    lines: list[str] = []
    for word in _BREAKS.sub(" ", text.strip()).split():
        if lines and len(lines[-1]) + 1 + len(word) <= _LONGEST_LINE:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return "\n".join(lines)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
