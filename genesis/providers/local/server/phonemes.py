"""From text to what the voice reads: cleaned paragraphs, then phrases in the IPA symbols of eSpeak, which it learned.

gruut writes numbers and abbreviations out and looks words up in CMUdict's sounds; eSpeak marks long vowels, flapped t
and unstressed small words besides. The differences are listed in the documentation of both (gruut-lang-en,
`phonemes.txt`; eSpeak NG, `docs/phonemes.md`).
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

SENTENCE_PAUSE = 0.35
CLAUSE_PAUSE = 0.12
PARAGRAPH_PAUSE = 0.6
"""Silence after a phrase, in seconds."""

LONGEST_PHRASE = 220
"""In IPA symbols, about 15 seconds; the voice was trained on sentences and slurs what is far longer."""

_READ_AS = str.maketrans(
    {
        "‘": "'", "’": "'", "‚": ",", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
        "—": ", ", "–": ", ", "―": ", ", "…": ". ", "•": " ", "·": " ", "→": ", ", "/": " ", "\\": " ",
        "_": " ", "*": " ", "#": " ", "|": ", ", "~": " ", "<": " ", ">": " ", "^": " ", "`": "'",
        "=": " equals ", "×": " times ", "°": " degrees ", "+": " plus ", "@": " at ",
        "\u200b": "", "\u200c": "", "\u200d": "", "\ufeff": "", "\u00ad": "",
    }
)  # fmt: skip
_WORD_CHARACTERS = re.compile(r"[^\W_]")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)\s*[–—]\s*(?=\d)")
_DOTTED = re.compile(r"(?<=[A-Za-z0-9])\.(?=[A-Za-z])")
_ADDRESS_START = re.compile(r"\b(?:https?://|mailto:)(?:www\.)?", re.IGNORECASE)

_VOWELS = {"i": "iː", "u": "uː", "ɑ": "ɑː", "ɔ": "ɔː", "ɝ": "ɜː", "ɚ": "ɚ"}
_UNSTRESSED = {"i": "i", "u": "uː", "ɑ": "ɑː", "ɔ": "ɔː", "ɝ": "ɚ"}
_CONSONANTS = {"t͡ʃ": "tʃ", "d͡ʒ": "dʒ"}
_STRESS = "ˈˌ"
_SMALL_WORDS = frozenset(
    "a an the to of and or but nor as at by for from in into on onto than that with is are was were be been am has had"
    " have do does did can could will would shall should may might must he she it we they you i me him her us them his"
    " its our their your my if so".split()
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word as gruut gives it, or a break between words.

    Attributes:
        phonemes: IPA, stress marks before vowels; empty when it cannot be spoken.
        pause: `,` or `.` or the like where it is a break; empty for a word.
    """

    text: str
    phonemes: tuple[str, ...] = ()
    pause: str = ""


@dataclass(frozen=True, slots=True)
class Phrase:
    """What the voice speaks in one breath.

    Attributes:
        ipa: symbols of eSpeak's IPA, words apart by spaces.
        pause_seconds: silence after it.
    """

    ipa: str
    pause_seconds: float


def paragraphs(text: str) -> list[str]:
    """The lines of a text, freed of what nobody would read aloud; lines without a letter or digit are left out."""
    plain = unicodedata.normalize("NFKC", _BETWEEN_DIGITS.sub(" to ", text))
    plain = _DOTTED.sub(" dot ", _ADDRESS_START.sub("", plain)) if "://" in plain or "@" in plain else plain
    lines = (_readable(line) for line in plain.translate(_READ_AS).splitlines())
    return [line for line in lines if _WORD_CHARACTERS.search(line)]


def _readable(line: str) -> str:
    """Without control characters, emoji and other symbols; letters without accents, which the lexicon does not know."""
    decomposed = unicodedata.normalize("NFKD", line)
    kept = (
        " " if unicodedata.category(character) in ("Cc", "Cf", "So", "Sk", "Co", "Cn") else character
        for character in decomposed
        if unicodedata.category(character) not in ("Mn", "Cs")
    )
    return " ".join("".join(kept).split())


def phrases(words: Iterable[Word]) -> list[Phrase]:
    """The phrases of one paragraph; empty when nothing in it can be spoken."""
    found: list[Phrase] = []
    symbols = ""
    for word in words:
        if not word.pause:
            symbols += f"{spoken(word)} " if word.phonemes else ""
        elif symbols:
            symbols = symbols.rstrip() + word.pause + " "
            if word.pause in ".!?":
                found += _breaths(symbols.rstrip(), SENTENCE_PAUSE)
                symbols = ""
    if symbols:
        found += _breaths(symbols.rstrip(" ,;:") + ".", SENTENCE_PAUSE)
    if found:
        found[-1] = Phrase(found[-1].ipa, PARAGRAPH_PAUSE)
    return found


def _breaths(ipa: str, pause_seconds: float) -> list[Phrase]:
    """A sentence, in several phrases where it is too long: cut at the last comma, else at the last word, that fits."""
    found = []
    while len(ipa) > LONGEST_PHRASE:
        cut = max(ipa.rfind(f"{mark} ", LONGEST_PHRASE // 3, LONGEST_PHRASE) for mark in ",;:")
        cut = cut + 1 if cut >= 0 else ipa.rfind(" ", 1, LONGEST_PHRASE)
        cut = cut if cut > 0 else LONGEST_PHRASE
        found.append(Phrase(ipa[:cut].strip(), CLAUSE_PAUSE))
        ipa = ipa[cut:].strip()
    return [*found, Phrase(ipa, pause_seconds)]


def spoken(word: Word) -> str:
    """A word in eSpeak's symbols."""
    small = word.text.lower() in _SMALL_WORDS
    symbols = [_symbol(phoneme, small=small) for phoneme in word.phonemes]
    for index, (before, sound, after) in enumerate(zip(word.phonemes, word.phonemes[1:], word.phonemes[2:], strict=False)):
        if sound == "t" and (_is_vowel(before) or before == "ɹ") and _is_vowel(after) and after[0] not in _STRESS:
            symbols[index + 1] = "ɾ"
        if sound == "ɔ" and after == "ɹ":
            symbols[index + 1] = "oː"
    return "".join(symbols)


def _symbol(phoneme: str, *, small: bool) -> str:
    sound = phoneme.lstrip(_STRESS)
    stress = phoneme[: len(phoneme) - len(sound)]
    if small:
        stress = ""
    vowels = _VOWELS if stress else _UNSTRESSED
    if stress and sound == "ɚ":
        return f"{stress}ɜː"
    return stress + vowels.get(sound, _CONSONANTS.get(sound, sound))


def _is_vowel(phoneme: str) -> bool:
    return phoneme.lstrip(_STRESS)[:1] in tuple("aeiouæɑɒɔəɚɛɜɝɪʊʌ")
