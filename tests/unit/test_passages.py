"""Long texts in passages: nothing is lost, no passage is too long, and cuts are where a speaker pauses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis.domain.passages import passages

SENTENCES = (
    "The sea was calm. Nobody spoke! Was it over? She said: “Not yet.” Then the wind came, cold and wet; it stayed."
)


def bare(text: str) -> str:
    return "".join(text.split())


def test_a_text_that_fits_stays_whole():
    assert passages(f"  {SENTENCES}\n", 200) == (SENTENCES,)


def test_sentences_stay_whole_where_they_fit():
    assert passages(SENTENCES, 60) == (
        "The sea was calm. Nobody spoke! Was it over?",
        "She said: “Not yet.” Then the wind came, cold and wet;",
        "it stayed.",
    )


def test_paragraphs_come_before_sentences():
    assert passages("One. Two three four.\n\nFive. Six seven eight nine.", 36) == (
        "One. Two three four.",
        "Five. Six seven eight nine.",
    )


def test_a_language_without_spaces_is_cut_at_its_sentences():
    assert passages("海は静かだった。誰も話さなかった。風が来た。", 16) == (
        "海は静かだった。",
        "誰も話さなかった。風が来た。",
    )


def test_a_closing_quote_stays_with_its_sentence():
    assert passages("「海は静かだった。」誰も話さなかった。", 12) == ("「海は静かだった。」", "誰も話さなかった。")


def test_times_and_addresses_are_no_pauses():
    assert passages("They all met there at 10:30 today", 26) == ("They all met there at", "10:30 today")
    assert passages("Read all of it: https://example.org", 24) == ("Read all of it:", "https://example.org")


def test_an_endless_word_is_cut_within():
    assert passages("a" * 25, 10) == ("a" * 10, "a" * 10, "a" * 5)


@pytest.mark.parametrize("text", ["", " ", "\n\n"])
def test_nothing_is_no_passage(text):
    assert passages(text, 10) == ()


TEXTS = st.one_of(
    st.text(max_size=400),
    st.lists(st.sampled_from(["word", "a", ".", ", ", " ", "\n\n", "! ", "”", "。", "\t"]), max_size=200).map("".join),
)


@given(TEXTS, st.integers(1, 60))
def test_nothing_is_lost_and_no_passage_is_too_long(text, longest):
    made = passages(text, longest)
    assert bare("".join(made)) == bare(text)
    assert all(0 < len(passage) <= longest and passage == passage.strip() for passage in made)
