"""Writes genesis/providers/OPTIONS.md: how each provider is told the options of each capability.

Usage: provider_options.py FILE
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from genesis.capabilities.catalog import CAPABILITIES, Capability
from genesis.providers.base import Provider
from genesis.providers.options import Field
from genesis.providers.registry import ROWS
from genesis.settings import Settings

_EVERYWHERE = {"model", "provider_options", "stream"}
_BY_PLATFORM = {
    "format": "files are converted where a provider makes another format",
    "subtitles": "made from the segments, where the model tells their times",
    "timestamps": "told where the model tells them",
}
_HEAD = """# How options are said to each provider

Written by `tools/provider_options.py` from the tables of the adapters; do not edit. An option that a provider cannot honor
is left out, and the job's `warnings` say so; the same holds for a value that it does not know. `model`,
`provider_options` (passed on as they are, over everything else) and `stream` are for all.
"""


def main() -> None:
    Path(sys.argv[1]).write_text("\n".join(_lines()), encoding="utf-8")


def _lines() -> Iterator[str]:
    yield _HEAD
    for capability in CAPABILITIES.values():
        settings = Settings()
        built = [row.build(settings, capability.name) for row in ROWS if row.offered(settings)]
        yield from _section(capability, [provider for provider in built if capability.name in provider.services])


def _section(capability: Capability, providers: list[Provider]) -> Iterator[str]:
    yield f"## {capability.name}\n"
    yield "| option | " + " | ".join(provider.name for provider in providers) + " |"
    yield "|---" * (len(providers) + 1) + "|"
    for option in capability.options.model_fields:
        if option in _EVERYWHERE or option in _BY_PLATFORM:
            continue
        cells = (provider.services[capability.name].adapter.options.get(option) for provider in providers)
        yield f"| `{option}` | " + " | ".join(_cell(option, field) for field in cells) + " |"
    yield ""
    made = [
        f"`{option}`: {_BY_PLATFORM[option]}." for option in capability.options.model_fields if option in _BY_PLATFORM
    ]
    if made:
        yield "By the platform itself: " + " ".join(made) + "\n"


def _cell(option: str, field: Field | None) -> str:
    if field is None:
        return "no"
    parts = [f"`{field.name}`" if field.name else "", _values(field), field.note]
    near = field.near or {}
    parts += [f"{value} → {made}" for value, made in near.items()]
    return "; ".join(part for part in parts if part).replace("|", "\\|") or f"`{option}`"


def _values(field: Field) -> str:
    values = field.values or {}
    changed = {ours: theirs for ours, theirs in values.items() if ours != theirs}
    if not values:
        return ""
    if not changed:
        return "only " + ", ".join(map(str, values))
    return ", ".join(f"{ours} → {theirs}" for ours, theirs in values.items())


if __name__ == "__main__":
    main()
