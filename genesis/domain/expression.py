"""Expressions of pipelines: references to inputs, options and earlier outputs, alone or inside text.

`${inputs.text}` is the value itself; `A ${options.style} picture` is text. Within a hole, `a ?? b` is the first that has
a value, and `a + b` is both as text if both have one, so that `${inputs.text + ', ' + steps.enhance.text ?? inputs.text}`
needs no condition. Constants are `'text'` and numbers. Nothing else is understood, so that a pipeline can be checked
before it runs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from genesis.errors import InvalidPipeline

_HOLE = re.compile(r"\$\{([^}]*)\}")
_TOKEN = re.compile(
    r"\s*(?:'(?P<text>[^']*)'|(?P<number>-?\d+(?:\.\d+)?)|(?P<operator>\?\?|\+)|(?P<path>[a-z0-9_.]+))\s*"
)
_REFERENCE = re.compile(r"(inputs|options)\.([a-z][a-z0-9_]*)|steps\.([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Reference:
    """A path to one value: `inputs.text`, `options.style` or `steps.enhance.text`.

    Attributes:
        root: `inputs`, `options` or `steps`.
        name: the input, option or output field.
        step: the step's name where `root` is `steps`, else empty.
    """

    root: str
    name: str
    step: str = ""

    @classmethod
    def parse(cls, source: str) -> "Reference":
        """Reads one path.

        Raises:
            InvalidPipeline: it has none of the three forms.
        """
        match = _REFERENCE.fullmatch(source.strip())
        if match is None:
            raise InvalidPipeline(
                f"`{source.strip()}` is not a reference", hint="Write inputs.NAME, options.NAME or steps.STEP.OUTPUT."
            )
        root, name, step, output = match.groups()
        return cls("steps", output, step) if step else cls(root, name)

    def __str__(self) -> str:
        return f"steps.{self.step}.{self.name}" if self.step else f"{self.root}.{self.name}"


Term = Reference | str | float
Sum = tuple[Term, ...]
"""Terms that are joined as text if all of them have a value; a single term keeps its value's type."""
Choice = tuple[Sum, ...]
"""Sums in order of preference: the first that has a value counts."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The values that expressions may refer to."""

    inputs: Mapping[str, Any]
    options: Mapping[str, Any]
    steps: Mapping[str, Mapping[str, Any]]

    def value(self, reference: Reference) -> Any:
        """The value, or None where there is none."""
        if reference.root == "steps":
            return self.steps.get(reference.step, {}).get(reference.name)
        return (self.inputs if reference.root == "inputs" else self.options).get(reference.name)


@dataclass(frozen=True, slots=True)
class Expression:
    """Text with holes, or a constant.

    Attributes:
        source: as it was written; a constant that is not text stays what it is.
        parts: text and choices in order.
        reference: where it is a single reference and nothing else, as most are.
    """

    source: Any
    parts: tuple[str | Choice, ...]
    reference: Reference | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        match self.parts:
            case (((Reference() as reference,),),):
                object.__setattr__(self, "reference", reference)
            case _:
                object.__setattr__(self, "reference", None)

    @classmethod
    def parse(cls, source: Any) -> "Expression":
        """Reads an expression; values that are not text are constants.

        Raises:
            InvalidPipeline: a hole holds no valid reference, or is not closed.
        """
        if not isinstance(source, str):
            return cls(source, ())
        pieces = _HOLE.split(source)
        if any("${" in text for text in pieces[::2]):
            raise InvalidPipeline(f"`{source}` has a `${{` that is not closed", hint="Close it with `}`.")
        parts = [_choice(piece) if index % 2 else piece for index, piece in enumerate(pieces)]
        return cls(source, tuple(part for part in parts if part != ""))

    @property
    def references(self) -> tuple[Reference, ...]:
        """All references in it."""
        choices = [part for part in self.parts if isinstance(part, tuple)]
        terms = (term for choice in choices for terms in choice for term in terms)
        return tuple(term for term in terms if isinstance(term, Reference))

    @property
    def single(self) -> Choice | None:
        """Its references where it is one hole and nothing else, so that it keeps the value's type."""
        match self.parts:
            case (tuple() as choice,):
                return choice
        return None

    def evaluate(self, scope: Scope, *, longest: int | None = None) -> Any:
        """The value in this scope; None where a single hole has none, empty text where one inside text has none.

        Args:
            longest: characters that text may have. A choice that is longer is passed over for the next one; where
                there is none, the text is cut.
        """
        if self.reference is not None:
            value = scope.value(self.reference)
            return value[:longest] if longest is not None and isinstance(value, str) else value
        if not isinstance(self.source, str):
            return self.source
        if self.single is not None:
            return _first(self.single, scope, longest)
        text = "".join(part if isinstance(part, str) else _text(_first(part, scope, None)) for part in self.parts)
        return text[:longest]


def _choice(source: str) -> Choice:
    """Reads what stands in a hole: terms with `+` between them, sums with `??` between them."""
    sums: list[list[Term]] = [[]]
    wants_term = True
    position = 0
    while position < len(source) or wants_term:
        token = _TOKEN.match(source, position)
        if token is None or (token["operator"] is None) is not wants_term:
            raise InvalidPipeline(
                f"`${{{source}}}` cannot be read",
                hint="Write references and 'constants' with `+` or `??` between them.",
            )
        if token["operator"] == "??":
            sums.append([])
        elif wants_term:
            sums[-1].append(_term(token))
        wants_term = not wants_term
        position = token.end()
    return tuple(tuple(terms) for terms in sums)


def _term(token: re.Match[str]) -> Term:
    if (text := token["text"]) is not None:
        return text
    if number := token["number"]:
        return float(number) if "." in number else int(number)
    return Reference.parse(token["path"])


def _first(choice: Choice, scope: Scope, longest: int | None) -> Any:
    value = None
    for terms in choice:
        found = _joined(terms, scope)
        if found is None:
            continue
        value = found
        if longest is None or not isinstance(value, str) or len(value) <= longest:
            return value
    return value if value is None else value[:longest]


def _joined(terms: Sum, scope: Scope) -> Any:
    values = [scope.value(term) if isinstance(term, Reference) else term for term in terms]
    if any(value is None for value in values):
        return None
    return values[0] if len(values) == 1 else "".join(str(value) for value in values)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
