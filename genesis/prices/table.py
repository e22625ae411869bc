"""Tables of prices as JSON: `{"prices": [{"model": "openai:tts-1*", "per_million_characters": "15"}, ...]}`.

The operator's file and the one that the platform is shipped with have this same form.
"""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.price import Price
from genesis.domain.quantity import Unit

_MILLION = Decimal(1_000_000)
_UNITS: Mapping[str, tuple[Unit, Decimal]] = {
    "per_million_input_tokens": (Unit.INPUT_TOKENS, _MILLION),
    "per_million_output_tokens": (Unit.OUTPUT_TOKENS, _MILLION),
    "per_million_characters": (Unit.CHARACTERS, _MILLION),
    "per_image": (Unit.IMAGES, Decimal(1)),
    "per_megapixel": (Unit.MEGAPIXELS, Decimal(1)),
    "per_audio_minute": (Unit.AUDIO_SECONDS, Decimal(60)),
    "per_compute_second": (Unit.COMPUTE_SECONDS, Decimal(1)),
    "per_provider_unit": (Unit.PROVIDER_UNITS, Decimal(1)),
}
_NUMBER = re.compile(r"\d{1,9}(\.\d{1,18})?", re.ASCII)
_MOST_DIGITS = 40
_MODEL = r"^[a-z0-9_*-]+:\S+$"


class TableError(Exception):
    """A table that cannot be used; the message names the entry."""


def _plain_number(value: object) -> object:
    """Takes what can be exact: text or a number that JSON's reader has kept exact, without exponents' surprises."""
    is_written_out = isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) < _MOST_DIGITS
    text = format(value, "f") if is_written_out else value
    if isinstance(text, int) and not isinstance(text, bool):
        text = str(text)
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        raise ValueError("write dollars as a number such as 0.15, not negative, with at most 18 decimal places")
    return Decimal(text)


Dollars = Annotated[Decimal, BeforeValidator(_plain_number)]


class Entry(BaseModel):
    """One line of a table: a model, or a pattern of models in which `*` stands for anything.

    Attributes:
        capability: the price holds for this one only; None for all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(pattern=_MODEL, max_length=300)
    capability: str | None = None
    per_million_input_tokens: Dollars | None = None
    per_million_output_tokens: Dollars | None = None
    per_million_characters: Dollars | None = None
    per_image: Dollars | None = None
    per_megapixel: Dollars | None = None
    per_audio_minute: Dollars | None = None
    per_compute_second: Dollars | None = None
    per_provider_unit: Dollars | None = None

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if self.capability is not None and self.capability not in CAPABILITIES:
            raise ValueError(f"there is no capability `{self.capability}`; there are {', '.join(CAPABILITIES)}")
        if all(getattr(self, name) is None for name in _UNITS):
            raise ValueError(f"it names no price; write one or more of {', '.join(_UNITS)}")
        return self

    def price(self) -> Price:
        """The price per unit."""
        given = {name: getattr(self, name) for name in _UNITS}
        return Price({_UNITS[name][0]: value / _UNITS[name][1] for name, value in given.items() if value is not None})


class PriceTable:
    """Entries in order: the first that fits a model counts."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._exact: dict[str, list[tuple[int, Entry]]] = {}
        self._patterns: list[tuple[int, re.Pattern[str], Entry]] = []
        for number, entry in enumerate(entries):
            if "*" in entry.model:
                self._patterns.append((number, _pattern(entry.model), entry))
            else:
                self._exact.setdefault(entry.model, []).append((number, entry))

    def price(self, capability: str, target: str) -> Price | None:
        """The price of a model for a capability; None when no entry fits."""
        fitting = [
            *self._exact.get(target, ()),
            *((number, entry) for number, pattern, entry in self._patterns if pattern.fullmatch(target)),
        ]
        first = min(
            (found for found in fitting if found[1].capability in (None, capability)),
            key=lambda found: found[0],
            default=None,
        )
        return None if first is None else first[1].price()


def _pattern(model: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in re.split(r"\*+", model)))


def read_table(text: str) -> PriceTable:
    """The table that a text holds.

    Raises:
        TableError: it is no JSON, or no table.
    """
    try:
        document = json.loads(text, parse_float=_exact, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise TableError(f"it is not valid JSON: {error}") from None
    match document:
        case {"prices": list(listed), **more} if not more.keys() - {"about"}:
            return PriceTable([_entry(number, one) for number, one in enumerate(listed, start=1)])
        case _:
            raise TableError('it is not of the form {"prices": [{"model": "provider:name", ...}, ...]}')


def _entry(number: int, given: Any) -> Entry:
    name = given.get("model") if isinstance(given, dict) else None
    place = f"entry {number}" + (f" ({name[:100]})" if isinstance(name, str) else "")
    try:
        return Entry.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise TableError(f"{place}: {field + ': ' if field else ''}{message}") from None


def _exact(written: str) -> Decimal:
    try:
        return Decimal(written)
    except InvalidOperation:
        return Decimal("NaN")  # its exponent is beyond all bounds; no price is taken from it


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is not a number")
