"""Writes out what is read otherwise than it is spelled: numbers, times, money, units. American English.

gruut can do it too, but leaves out or breaks on numbers that it does not expect (`5kg`, `10:30:45`, thirty digits).
"""

import re
from collections.abc import Callable

LONGEST_NUMBER = 15
"""In digits; longer ones, and those that begin with zero, are read digit by digit."""

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen".split()
)
_TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()
_SCALES = ("", " thousand", " million", " billion", " trillion")
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_FIRST_YEAR, _LAST_YEAR = 1100, 2099
_FRACTIONS = {"½": "one half", "¼": "one quarter", "¾": "three quarters", "⅓": "one third", "⅔": "two thirds"}
_POWERS = {"²": " squared", "³": " cubed"}
_CURRENCIES = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "¥": ("yen", "yen", "sen", "sen"),
    "₹": ("rupee", "rupees", "paisa", "paise"),
}
_MULTIPLES = {"k": "thousand", "m": "million", "b": "billion", "bn": "billion", "t": "trillion"}
_UNITS = {
    "mm": "millimeters", "cm": "centimeters", "m": "meters", "km": "kilometers", "ft": "feet", "mi": "miles",
    "mg": "milligrams", "g": "grams", "kg": "kilograms", "lb": "pounds", "lbs": "pounds", "oz": "ounces",
    "ml": "milliliters", "l": "liters", "ms": "milliseconds", "min": "minutes", "h": "hours", "hrs": "hours",
    "kb": "kilobytes", "mb": "megabytes", "gb": "gigabytes", "tb": "terabytes", "hz": "hertz", "khz": "kilohertz",
    "mhz": "megahertz", "ghz": "gigahertz", "kw": "kilowatts", "kwh": "kilowatt hours", "mph": "miles per hour",
    "km/h": "kilometers per hour", "kmh": "kilometers per hour", "am": "a m", "pm": "p m", "a.m.": "a m", "p.m.": "p m",
}  # fmt: skip
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])|\d+(?:\.\d+)?"


def cardinal(number: int) -> str:
    """A whole number from 0 to 999,999,999,999,999 in words."""
    if number < len(_ONES):
        return _ONES[number]
    groups = []
    rest = number
    for scale in _SCALES:
        rest, group = divmod(rest, 1000)
        if group:
            groups.append(_hundreds(group) + scale)
    return " ".join(reversed(groups))


def _hundreds(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    words = [f"{_ONES[hundreds]} hundred"] if hundreds else []
    if 0 < rest < len(_ONES):
        words.append(_ONES[rest])
    elif rest:
        words.append(_TENS[rest // 10])
        words += [_ONES[rest % 10]] if rest % 10 else []
    return " ".join(words)


def ordinal(number: int) -> str:
    """The number's place in a row, in words."""
    start, _, last = cardinal(number).rpartition(" ")
    last = _ORDINALS.get(last) or (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")
    return f"{start} {last}".strip()


def year(number: int) -> str:
    """A four-digit number as years are read."""
    century, rest = divmod(number, 100)
    if century % 10 == 0 and rest < 10:
        return cardinal(number)
    if not rest:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"


def digits(text: str) -> str:
    """Digit by digit."""
    return " ".join(_ONES[int(digit)] for digit in text)


def number(text: str) -> str:
    """A number as written, with or without commas and decimals, in words."""
    whole, _, decimals = text.partition(".")
    plain = whole.replace(",", "")
    if len(plain) > LONGEST_NUMBER or (len(plain) > 1 and plain[0] == "0"):
        words = digits(plain)
    elif not decimals and whole == plain and len(plain) == 4 and _FIRST_YEAR <= int(plain) <= _LAST_YEAR:
        words = year(int(plain))
    else:
        words = cardinal(int(plain))
    return f"{words} point {digits(decimals)}" if decimals else words


def _money(match: re.Match[str]) -> str:
    one, many, one_part, many_parts = _CURRENCIES[match["sign"]]
    amount = match["amount"].replace(",", "")
    multiple = match["multiple"]
    if multiple:
        return f" {number(amount)} {_MULTIPLES.get(multiple.lower(), multiple)} {many} "
    whole, _, parts = amount.partition(".")
    if len(parts) not in (0, 2) or len(whole) > LONGEST_NUMBER:
        return f" {number(amount)} {many} "
    words = f" {cardinal(int(whole))} {one if int(whole) == 1 else many} "
    if parts and int(parts):
        words += f"{cardinal(int(parts))} {one_part if int(parts) == 1 else many_parts} "
    return words


def _time(match: re.Match[str]) -> str:
    later = [int(part) for part in (match["minutes"], match["seconds"]) if part]
    words = [cardinal(int(match["hours"])), *(f"oh {_ONES[part]}" if part < 10 else cardinal(part) for part in later)]
    if not any(later):
        words = [words[0], "o'clock"]
    if match["half"]:
        words.append(f"{match['half'].lower()} m")
    return f" {' '.join(words)} "


def _decade(match: re.Match[str]) -> str:
    century, tens = match["century"], int(match["tens"])
    if century and tens in (0, 1):
        words = year(int(f"{century}{tens}0"))
        return f" {words}s "
    decade = f"{_TENS[tens].removesuffix('y')}ies" if tens > 1 else f"{_TENS[tens]}s"
    return f" {cardinal(int(century))} {decade} " if century else f" {decade} "


def _measure(match: re.Match[str]) -> str:
    unit = _UNITS[match["unit"].lower()]
    if match["amount"] == "1" and unit.endswith("s"):
        unit = unit.removesuffix("s")
    return f"{match['amount']} {unit} "


def _version(match: re.Match[str]) -> str:
    parts = match[0].split(".")
    return f" {' point '.join(number(part) for part in parts)} "


def _fraction(match: re.Match[str]) -> str:
    after_number = match.string[: match.start()][-1:].isdigit()
    return f"{' and' if after_number else ''} {_FRACTIONS[match[0]]} "


_UNIT_NAMES = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))
_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile("[½¼¾⅓⅔]"), _fraction),
    (re.compile("[²³]"), lambda match: _POWERS[match[0]]),
    (re.compile("(?<=\\d)\\s?[\u2013\u2014]\\s?(?=\\d)"), lambda _: " to "),
    (re.compile("(?<![\\w.])[-\u2212](?=[\\d$€£¥₹])"), lambda _: " minus "),
    (
        re.compile(
            rf"(?P<sign>[$€£¥₹])\s?(?P<amount>{_NUMBER})(?:\s?(?P<multiple>[kmbt]|bn|thousand|million|billion|trillion)\b)?",
            re.IGNORECASE,
        ),
        _money,
    ),
    (
        re.compile(
            r"\b(?P<hours>[01]?\d|2[0-3]):(?P<minutes>[0-5]\d)(?::(?P<seconds>[0-5]\d))?(?![\d:])"
            r"(?:\s?(?P<half>[ap])\.?m\b\.?)?",
            re.IGNORECASE,
        ),
        _time,
    ),
    (re.compile(r"(?:\b|')(?P<century>\d\d)?(?P<tens>\d)0'?s\b"), _decade),
    (re.compile(r"(?<![\d.])\d+(?:\.\d+){2,}"), _version),
    (re.compile(rf"(?<![\d.,])(?P<amount>{_NUMBER})\s?(?P<unit>{_UNIT_NAMES})(?!\w)", re.IGNORECASE), _measure),
    (re.compile(r"\b(\d{1,15})(?:st|nd|rd|th)\b", re.IGNORECASE), lambda match: ordinal(int(match[1]))),
    (re.compile(_NUMBER), lambda match: f" {number(match[0])} "),
)


def write_out(text: str) -> str:
    """The text without a digit in it."""
    for pattern, words in _RULES:
        text = pattern.sub(words, text)
    return text
