"""From text to what the voice reads: cleaned paragraphs, then phrases in the IPA symbols of eSpeak, which it learned.

gruut writes numbers and abbreviations out and looks words up; its sounds are those of CMUdict. eSpeak writes long vowels
and the flapped t of American English as such.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from genesis.providers.local.server.numbers import write_out

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
        "=": " equals ", "×": " times ", "°": " degrees ", "+": " plus ", "@": " at ", "&": " and ", "%": " percent ",
        "\u200b": "", "\u200c": "", "\u200d": "", "\ufeff": "", "\u00ad": "",
    }
)  # fmt: skip
_LETTER = re.compile(r"[^\W\d_]")
_SPOKEN_ADDRESS = re.compile(
    r"(?:https?://(?:www\.)?(?=\S)|(?<![\w.+-])(?=[\w.+-]+@\w))(?P<name>[^\s?#]+[^\s?#.,;:!)])\S*", re.IGNORECASE
)
_UNREADABLE = frozenset({"Cc", "Cf", "Cn", "Co", "Nl", "No", "Sc", "Sk", "So"})
_DROPPED = frozenset({"Mn", "Me", "Cs"})

_SYMBOLS = {"t͡ʃ": "tʃ", "d͡ʒ": "dʒ", "u": "uː", "ɑ": "ɑː", "ɔ": "ɔː", "ɝ": "ɜː"}
_STRESSED_SYMBOLS = {"i": "iː", "ɚ": "ɜː"}
_STRESS = "ˈˌ"


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
    """The lines of a text as they are read aloud; lines without a letter are left out."""
    lines = (_readable(line) for line in text.splitlines())
    return [line for line in lines if _LETTER.search(line)]


def _readable(line: str) -> str:
    """In plain letters and marks: no digits, signs, accents (the lexicon knows none), emoji or control characters."""
    line = "".join(
        str(unicodedata.digit(character, character)) if character.isdecimal() else character for character in line
    )
    line = unicodedata.normalize("NFKC", write_out(_SPOKEN_ADDRESS.sub(_address, line)).translate(_READ_AS))
    kept = (
        " " if category in _UNREADABLE else character
        for character in unicodedata.normalize("NFKD", line)
        if (category := unicodedata.category(character)) not in _DROPPED
    )
    return " ".join("".join(kept).split())


def _address(match: re.Match[str]) -> str:
    """A web or mail address, with its dots spoken."""
    return match["name"].replace(".", " dot ")


def phrases(words: Iterable[Word]) -> list[Phrase]:
    """The phrases of one paragraph; empty when nothing in it can be spoken."""
    found: list[Phrase] = []
    symbols = ""
    for word in words:
        if not word.pause:
            symbols += f"{spoken(word.phonemes)} " if word.phonemes else ""
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


def spoken(phonemes: Sequence[str]) -> str:
    """A word in eSpeak's symbols."""
    symbols = [_symbol(phoneme) for phoneme in phonemes]
    for index, (before, sound, after) in enumerate(zip(phonemes, phonemes[1:], phonemes[2:], strict=False), start=1):
        if sound == "t" and _is_vowel(before) and _is_vowel(after) and after[0] not in _STRESS:
            symbols[index] = "ɾ"
    for index, (sound, after) in enumerate(pairwise(phonemes)):
        if sound.lstrip(_STRESS) == "ɔ" and after == "ɹ":
            symbols[index] = symbols[index].replace("ɔː", "oː")
    return "".join(symbols)


def _symbol(phoneme: str) -> str:
    sound = phoneme.lstrip(_STRESS)
    stress = phoneme[: len(phoneme) - len(sound)]
    table = _SYMBOLS | _STRESSED_SYMBOLS if stress else _SYMBOLS
    return stress + table.get(sound, sound)


def _is_vowel(phoneme: str) -> bool:
    return phoneme.lstrip(_STRESS)[:1] in tuple("aeiouæɑɒɔəɚɛɜɝɪʊʌ")
