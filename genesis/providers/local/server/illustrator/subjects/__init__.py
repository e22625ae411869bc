"""The figures the illustrator can draw, each registered under its name."""

from genesis.providers.local.server.illustrator.subjects import (
    aircraft,
    buildings,
    creatures,
    mammals,
    objects,
    people,
    plants,
    vehicles,
)
from genesis.providers.local.server.illustrator.subjects.registry import FIGURES, Figure

__all__ = [
    "FIGURES",
    "Figure",
    "aircraft",
    "buildings",
    "creatures",
    "mammals",
    "objects",
    "people",
    "plants",
    "vehicles",
]
