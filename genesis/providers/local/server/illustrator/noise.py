"""Smooth random fields: band-limited value noise and its fractal sum, in one and two dimensions."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

Field: TypeAlias = npt.NDArray[np.float32]
"""A two-dimensional array (height, width) or a row (width,) of float32."""


def value_noise(rng: np.random.Generator, height: int, width: int, cell_y: float, cell_x: float) -> Field:
    """Bicubic value noise of shape (height, width), values about 0..1; the cells are in pixels."""
    rows = max(4, int(np.ceil(height / max(cell_y, 1.0))) + 3)
    columns = max(4, int(np.ceil(width / max(cell_x, 1.0))) + 3)
    grid = Image.fromarray(rng.random((rows, columns), dtype=np.float32))
    box = (1.0, 1.0, min(columns - 1.0, 1 + width / max(cell_x, 1.0)), min(rows - 1.0, 1 + height / max(cell_y, 1.0)))
    return np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC, box=box), dtype=np.float32)


def fractal_noise(
    rng: np.random.Generator, height: int, width: int, cell: float, *, octaves: int = 5, stretch: float = 1.0
) -> Field:
    """Sum of octaves of value noise, each half as large and half as strong; `stretch` > 1 widens it along x."""
    total = np.zeros((height, width), np.float32)
    amplitude, weight = 1.0, 0.0
    for _ in range(octaves):
        total += np.float32(amplitude) * value_noise(rng, height, width, cell, cell * stretch)
        weight += amplitude
        amplitude *= 0.5
        cell *= 0.5
        if cell < 2:
            break
    return total / np.float32(weight)


def shifted(field: Field, down: int, right: int) -> Field:
    """The field moved by whole pixels; its edge values fill what opens up."""
    rows = np.clip(np.arange(field.shape[0]) - down, 0, field.shape[0] - 1)
    columns = np.clip(np.arange(field.shape[1]) - right, 0, field.shape[1] - 1)
    return np.asarray(field[rows[:, None], columns[None, :]], dtype=np.float32)


def smoothed(row: Field, reach: int) -> Field:
    """The running mean of a row of values over `reach` neighbors on either side."""
    kernel = np.ones(2 * reach + 1, np.float32) / np.float32(2 * reach + 1)
    return np.asarray(np.convolve(np.pad(row, reach, mode="edge"), kernel, mode="valid"), dtype=np.float32)


def ridge_line(rng: np.random.Generator, width: int, cell: float, *, octaves: int = 6, sharp: bool = True) -> Field:
    """A profile of shape (width,), values 0..1: peaked like mountains when `sharp`, rolling like hills when not."""
    total = np.zeros(width, np.float32)
    amplitude, weight = 1.0, 0.0
    for _ in range(octaves):
        count = int(np.ceil(width / cell)) + 3
        knots = rng.random(count, dtype=np.float32)
        position = np.arange(width, dtype=np.float32) / np.float32(cell) + np.float32(0.37)
        index = position.astype(np.int64)
        fraction = position - index
        fraction = fraction * fraction * (3 - 2 * fraction)
        value = knots[index] * (1 - fraction) + knots[index + 1] * fraction
        total += np.float32(amplitude) * (1 - np.abs(2 * value - 1) if sharp else value)
        weight += amplitude
        amplitude *= 0.5
        cell *= 0.5
        if cell < 3:
            break
    return np.asarray(total / np.float32(weight), dtype=np.float32)
