"""The figures the illustrator can draw: how each is drawn, how large it is, and where it belongs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from genesis.providers.local.server.illustrator.palette import Color, rgb
from genesis.providers.local.server.illustrator.pen import Pen

Support = Literal["ground", "water", "air", "center"]
Draw = Callable[[Pen, Color], None]


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawable subject. Lengths are in its own units; its feet are at y = height."""

    name: str
    width: float
    height: float
    draw: Draw
    inks: tuple[Color, ...]
    """Its colors when the prompt names none; several of a kind take turns."""
    span: float
    """Its height as a share of the picture's shorter side when it is the only subject."""
    support: Support
    depth: float
    """How far into the scene it stands: 0 at the lower edge, 1 at the horizon."""
    perch: tuple[float, float] | None
    """Where something that is on top of it rests."""


FIGURES: Final[dict[str, Figure]] = {}


def figure(
    name: str, size: tuple[float, float], inks: str, *, span: float = 0.5, support: Support = "ground",
    depth: float = 0.2, perch: tuple[float, float] | None = None,
) -> Callable[[Draw], Draw]:  # fmt: skip
    """Registers a drawing function as the figure of that name; `inks` are `#rrggbb` codes."""

    def register(draw: Draw) -> Draw:
        colors = tuple(rgb(code) for code in inks.split())
        FIGURES[name] = Figure(name, size[0], size[1], draw, colors, span, support, depth, perch)
        return draw

    return register
