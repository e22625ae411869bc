"""Expressions of pipelines: references to inputs, options and earlier outputs, alone or inside text.

`${inputs.text}` is the value itself; `A ${options.style} picture` is text; `${steps.enhance.text ?? inputs.text}`
is the first that exists, and `${options.style ?? 'plain'}` or `${options.temperature ?? 0.6}` ends in a constant. Nothing else is understood, so that a
pipeline can be checked before it runs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genesis.errors import InvalidPipeline

_HOLE = re.compile(r"\$\{([^}]*)\}")
_TEXT = re.compile(r"'([^']*)'")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
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


Choice = tuple[Reference | str | float, ...]
"""References and constants in order of preference: the first that has a value counts."""


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
    """

    source: Any
    parts: tuple[str | Choice, ...]

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
        parts = [
            tuple(_option(option.strip()) for option in piece.split("??")) if index % 2 else piece
            for index, piece in enumerate(pieces)
        ]
        return cls(source, tuple(part for part in parts if part != ""))

    @property
    def references(self) -> tuple[Reference, ...]:
        """All references in it."""
        choices = [part for part in self.parts if isinstance(part, tuple)]
        return tuple(option for choice in choices for option in choice if isinstance(option, Reference))

    @property
    def single(self) -> Choice | None:
        """Its references where it is one hole and nothing else, so that it keeps the value's type."""
        match self.parts:
            case (tuple() as choice,):
                return choice
        return None

    def evaluate(self, scope: Scope) -> Any:
        """The value in this scope; None where a single hole has none, empty text where one inside text has none."""
        if not isinstance(self.source, str):
            return self.source
        if self.single is not None:
            return _first(self.single, scope)
        return "".join(part if isinstance(part, str) else _text(_first(part, scope)) for part in self.parts)


def _option(source: str) -> Reference | str | float:
    if text := _TEXT.fullmatch(source):
        return text.group(1)
    if number := _NUMBER.fullmatch(source):
        return float(source) if number.group(1) else int(source)
    return Reference.parse(source)


def _first(choice: Choice, scope: Scope) -> Any:
    values = (scope.value(option) if isinstance(option, Reference) else option for option in choice)
    return next((value for value in values if value is not None), None)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
