"""How each provider is told the options of a capability: tables, which the documentation is made from as well."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """Where and in which words a provider takes one option of a capability.

    Attributes:
        name: the field of its request, dotted for one within an object; empty where the adapter itself says the option,
            as `note` tells.
        values: its value for each of ours; None where it takes ours as they are. A value that is missing here cannot be
            honored.
        near: those of our values that it can only come close to, each with what it makes instead.
        note: for readers of the documentation.
    """

    name: str = ""
    values: Mapping[Any, Any] | None = None
    near: Mapping[Any, str] | None = None
    note: str = ""


OptionTable = Mapping[str, Field]
"""By the names of a capability's options; those that are missing cannot be honored."""


def same_names(names: str | Iterable[str]) -> dict[str, Field]:
    """The table of options that a provider calls as the capability does.

    Args:
        names: a text of names with spaces between them, or several names.
    """
    return {name: Field(name) for name in (names.split() if isinstance(names, str) else names)}


def fields_of(table: OptionTable, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given, as fields of a provider's request; those without a field's name are left out."""
    body: dict[str, Any] = {}
    for option, value in options.items():
        field = table.get(option)
        if field is None or not field.name or not _is_known(field, value):
            continue
        *path, last = field.name.split(".")
        place = body
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value if field.values is None else field.values[value]
    return body


def honored(table: OptionTable, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of those given that a provider can honor, also if it only comes close to them."""
    return {name: value for name, value in options.items() if name in table and _is_known(table[name], value)}


def warnings_of(
    provider: str, table: OptionTable, options: Mapping[str, Any], *, without: Collection[str] = ()
) -> tuple[str, ...]:
    """A sentence for each option that a provider cannot honor, or only comes close to.

    Args:
        without: options that somebody else sees to.
    """
    warnings = []
    for name in sorted(options.keys() - set(without)):
        field, value = table.get(name), options[name]
        if field is None:
            warnings.append(f"{provider} cannot honor `{name}`; it was left out.")
        elif not _is_known(field, value):
            warnings.append(f"{provider} cannot honor `{name}` with the value {value}; it was left out.")
        elif field.near and _is_hashable(value) and value in field.near:
            warnings.append(f"{provider} has no {value} for `{name}`; it used {field.near[value]}.")
    return tuple(warnings)


def _is_known(field: Field, value: Any) -> bool:
    return field.values is None or (_is_hashable(value) and value in field.values)


def _is_hashable(value: Any) -> bool:
    return not isinstance(value, list | dict)
