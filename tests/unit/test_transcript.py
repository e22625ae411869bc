"""Subtitles, read back by the rules of their formats."""

import re

from hypothesis import given
from hypothesis import strategies as st

from genesis.domain.transcript import Segment, SubtitleFormat, segments_of, shifted, subtitles

SAID = (Segment(0, 1.5, "Hello there."), Segment(3661.0004, 3662.25, "A & B < C,\r\n\r\nand so on."))
CUE = re.compile(r"(\d\d+):(\d\d):(\d\d)[.,](\d{3}) --> (\d\d+):(\d\d):(\d\d)[.,](\d{3})")


def test_subrip():
    assert subtitles(SAID, SubtitleFormat.SRT) == (
        "1\n00:00:00,000 --> 00:00:01,500\nHello there.\n\n2\n01:01:01,000 --> 01:01:02,250\nA & B < C, and so on.\n"
    )


def test_webvtt():
    assert subtitles(SAID, SubtitleFormat.VTT) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nHello there.\n\n"
        "01:01:01.000 --> 01:01:02.250\nA &amp; B &lt; C, and so on.\n"
    )


def test_long_text_has_lines_that_can_be_read():
    (cue,) = subtitles((Segment(0, 9, "word " * 30),), SubtitleFormat.SRT).split("\n\n")
    lines = cue.splitlines()[2:]
    assert max(map(len, lines)) <= 42
    assert " ".join(lines).split() == ["word"] * 30


def test_words_become_segments_at_pauses_and_sentences():
    words = [Segment(n, n + 0.5, text) for n, text in enumerate(["So", "it", "ends.", "And", "begins"])]
    words.append(Segment(9, 9.5, "again"))
    assert segments_of(words) == (
        Segment(0, 2.5, "So it ends."),
        Segment(3, 4.5, "And begins"),
        Segment(9, 9.5, "again"),
    )
    assert all(len(one.text) <= 84 for one in segments_of([Segment(n, n + 1, "word") for n in range(100)]))


def test_a_part_is_moved_to_its_place():
    assert shifted(SAID[:1], 10, 20) == (Segment(10, 11.5, "Hello there."),)
    assert shifted(SAID[:1], 10, 11) == (Segment(10, 11, "Hello there."),)


def test_words_of_a_script_without_spaces_are_joined_without():
    words = [Segment(n, n + 0.5, text) for n, text in enumerate("你好。再见")]
    assert [one.text for one in segments_of(words)] == ["你好。", "再见"]


SECONDS = st.floats(0, 400_000, allow_nan=False)
SEGMENTS = st.lists(st.builds(Segment, SECONDS, SECONDS, st.text(max_size=80)), max_size=8)


@given(SEGMENTS, st.sampled_from(SubtitleFormat))
def test_any_transcript_becomes_cues_of_some_length(segments, form):
    written = subtitles(segments, form)
    spoken = [segment for segment in segments if segment.text.strip()]
    cues = CUE.findall(written)
    assert len(cues) == len(spoken)
    for cue in cues:
        start, end = ([int(part) for part in half] for half in (cue[:4], cue[4:]))
        assert start < end
