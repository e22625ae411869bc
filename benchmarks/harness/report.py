"""Medians, ratios and tables, and the verdict on the promises."""

import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass

median = statistics.median


def ratio(own: Sequence[float], other: Sequence[float]) -> float:
    """The median of the rounds' ratios: what was measured side by side is compared, so that a slow minute hits both."""
    return median([one / another for one, another in zip(own, other, strict=True)])


@dataclass(frozen=True, slots=True)
class Promise:
    """A figure beside what was promised of it."""

    name: str
    measured: float
    wanted: float
    at_least: bool

    @property
    def kept(self) -> bool:
        return self.measured >= self.wanted if self.at_least else self.measured <= self.wanted


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints rows as a Markdown table, its columns aligned."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, ["-" * width for width in widths], *rows):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")


def conclude(promises: Sequence[Promise], failed: Sequence[str] = ()) -> None:
    """Prints each promise beside what was measured; ends the program with 1 when one falls short.

    Args:
        failed: what could not be measured at all, which is no better.
    """
    rows = []
    for promise in promises:
        bound = "≥" if promise.at_least else "≤"
        verdict = "kept" if promise.kept else "SHORT"
        rows.append((promise.name, f"{promise.measured:.3g}", f"{bound} {promise.wanted:g}", verdict))
    rows.extend((name, "-", "-", "NOT MEASURED") for name in failed)
    if rows:
        print()
        print_table(("promise", "measured", "promised", "verdict"), rows)
    sys.exit(any(not promise.kept for promise in promises) or bool(failed))
