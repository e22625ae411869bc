"""From text to phrases of IPA symbols."""

# ruff: noqa: RUF001 - IPA looks like Latin

import pytest

from genesis.providers.local.server.phonemes import LONGEST_PHRASE, Word, paragraphs, phrases, spoken
from genesis.providers.local.server.speech import phoneme_ids

DOT = Word(".", pause=".")
COMMA = Word(",", pause=",")
GO = Word("go", ("ɡ", "ˈoʊ"))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Hello!\n\n  World  ", ["Hello!", "World"]),
        ("🙂 12 ***", ["twelve"]),
        ("日本語 ok", ["日本語 ok"]),
        ("naïve café", ["naive cafe"]),
        ("It’s “fine”—really", ['It\'s "fine", really']),
        ("see https://www.example.com/a?b=c or me@x.org.", ["see example dot com a or me at x dot org"]),
        ("a\x00b\ud800c", ["a bc"]),
        ("٣ cats", ["three cats"]),
        ("🙂\n...\n ", []),
        ("", []),
    ],
)
def test_lines_are_made_readable(text: str, lines: list[str]) -> None:
    assert paragraphs(text) == lines


@pytest.mark.parametrize(
    ("phonemes", "symbols"),
    [
        (("t͡ʃ", "ˈɚ", "t͡ʃ"), "tʃˈɜːtʃ"),
        (("w", "ˈɔ", "t", "ɚ"), "wˈɔːɾɚ"),
        (("f", "ˈɔ", "ɹ"), "fˈoːɹ"),
        (("h", "ˈæ", "p", "i"), "hˈæpi"),
        (("s", "ˈi"), "sˈiː"),
        (("ə", "t", "ˈæ", "k"), "ətˈæk"),
        ((), ""),
    ],
)
def test_sounds_are_written_as_the_voice_learned_them(phonemes: tuple[str, ...], symbols: str) -> None:
    assert spoken(phonemes) == symbols


def test_sentences_become_phrases_and_a_paragraph_ends_with_the_longest_pause() -> None:
    found = phrases([GO, COMMA, GO, DOT, GO, Word("?", pause="?")])
    assert [phrase.ipa for phrase in found] == ["ɡˈoʊ, ɡˈoʊ.", "ɡˈoʊ?"]
    assert found[0].pause_seconds < found[1].pause_seconds


def test_a_sentence_without_an_end_gets_one() -> None:
    assert [phrase.ipa for phrase in phrases([GO, COMMA])] == ["ɡˈoʊ."]


def test_breaks_without_words_are_no_phrases() -> None:
    assert phrases([COMMA, DOT, Word("日本語")]) == []


def test_a_long_sentence_is_cut_at_commas_and_loses_nothing() -> None:
    words = [*([GO] * 20), COMMA] * 5
    found = phrases([*words, DOT])
    assert len(found) > 1
    assert all(len(phrase.ipa) <= LONGEST_PHRASE + 1 for phrase in found)
    assert all(phrase.ipa.endswith((",", ".")) for phrase in found)
    assert sum(phrase.ipa.count("ɡ") for phrase in found) == 100


def test_one_endless_word_is_cut_too() -> None:
    found = phrases([Word("a" * 999, ("a",) * 999)])
    assert sum(phrase.ipa.count("a") for phrase in found) == 999
    assert all(len(phrase.ipa) <= LONGEST_PHRASE + 1 for phrase in found)


def test_ids_are_padded_and_unknown_symbols_are_left_out() -> None:
    assert phoneme_ids("a!b", {"_": [0], "^": [1], "$": [2], "a": [14], "b": [15]}) == [1, 0, 14, 0, 15, 0, 2]
