"""Finishes that imitate paint and film: watercolor, oil, cinematic and vintage."""

import math

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from genesis.providers.local.server.illustrator.noise import fractal_noise, shifted, value_noise
from genesis.providers.local.server.illustrator.stage import Pixels

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def to_pixels(picture: Image.Image) -> Pixels:
    """The picture as float32 values 0..1 of shape (height, width, 3)."""
    return np.asarray(picture, dtype=np.float32) / np.float32(255)


def to_picture(pixels: npt.NDArray[np.floating]) -> Image.Image:
    """An RGB picture of values 0..1; what lies outside is clipped."""
    return Image.fromarray((np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8))


def blurred(field: Pixels, radius: float) -> Pixels:
    """A Gaussian blur of values 0..1, to 8-bit precision."""
    image = Image.fromarray((np.clip(field, 0, 1) * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), np.float32) / np.float32(255)


def displaced(pixels: Pixels, dy: Pixels, dx: Pixels) -> Pixels:
    """Samples each pixel from a place moved by (dy, dx) pixels."""
    height, width = pixels.shape[:2]
    rows = np.clip(np.arange(height, dtype=np.float32)[:, None] + dy, 0, height - 1).astype(np.int64)
    columns = np.clip(np.arange(width, dtype=np.float32)[None, :] + dx, 0, width - 1).astype(np.int64)
    return np.asarray(pixels[rows, columns], dtype=np.float32)


def paper(rng: np.random.Generator, height: int, width: int, unit: float) -> Pixels:
    """The relief of rough paper lit from the side, about -0.5..0.5."""
    relief = fractal_noise(rng, height, width, max(3.0, unit * 0.006), octaves=3)
    return np.asarray(np.clip((relief - shifted(relief, 1, 1)) * 2.2, -0.5, 0.5), dtype=np.float32)


def finish_watercolor(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Washes with darker edges, granulated pigment, rough paper and an unpainted border."""
    width, height = picture.size
    unit = float(min(width, height))
    smooth = picture.filter(ImageFilter.MedianFilter(3)).filter(ImageFilter.GaussianBlur(unit * 0.0012))
    pixels = to_pixels(smooth)
    for cell, reach in ((0.05, 0.007), (0.014, 0.003)):
        dy = (fractal_noise(rng, height, width, unit * cell, octaves=2) - 0.5) * unit * reach * 2
        dx = (fractal_noise(rng, height, width, unit * cell, octaves=2) - 0.5) * unit * reach * 2
        pixels = displaced(pixels, dy, dx)
    luma = pixels @ LUMA
    edge = np.clip(blurred(luma, unit * 0.004) - luma, -0.2, 0.2)
    steps = np.round(luma * 9) / 9
    pixels = pixels * (1 + 0.35 * (steps - luma)[..., None] / np.maximum(luma, 0.15)[..., None])
    gray = (pixels @ LUMA)[..., None]
    pixels = gray + (pixels - gray) * 1.12
    pixels = 1 - (1 - pixels) * 0.86
    wash = fractal_noise(rng, height, width, unit * 0.16, octaves=5)
    grain = fractal_noise(rng, height, width, unit * 0.008, octaves=3)
    density = 0.80 + 0.42 * wash + 0.16 * (grain - 0.5)
    ink = np.clip(1 - pixels, 0, 1) * density[..., None] + np.clip(edge, 0, 1)[..., None] * 1.5
    margin = _border(rng, height, width, unit)
    rim = np.clip(margin * (1 - margin) * 4, 0, 1) * 0.22
    ink = ink * margin[..., None] + (ink * rim[..., None]) * 0.8
    sheet = np.array([0.985, 0.972, 0.945], np.float32)
    return to_picture(sheet * (1 - ink) + paper(rng, height, width, unit)[..., None] * 0.08)


def _border(rng: np.random.Generator, height: int, width: int, unit: float) -> Pixels:
    """1 inside the painted area, 0 on the paper's ragged edge."""
    rows, columns = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None, :]
    inset = np.minimum(np.minimum(rows, height - 1 - rows), np.minimum(columns, width - 1 - columns))
    ragged = fractal_noise(rng, height, width, unit * 0.07, octaves=5)
    return np.asarray(np.clip((inset - unit * (0.006 + 0.05 * ragged)) / (unit * 0.006), 0, 1), dtype=np.float32)


def finish_oil(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Brush strokes along the forms, from coarse to fine, with the relief of thick paint."""
    width, height = picture.size
    unit = float(min(width, height))
    soft = to_pixels(picture.filter(ImageFilter.GaussianBlur(unit * 0.004))) @ LUMA
    gradient_y, gradient_x = np.gradient(blurred(soft, unit * 0.006))
    turn = fractal_noise(rng, height, width, unit * 0.2, octaves=2) * np.float32(2 * math.pi)
    strength = np.hypot(gradient_x, gradient_y)
    angle = np.where(strength > 0.0012, np.arctan2(gradient_x, -gradient_y), turn * 0.35)
    canvas = picture.filter(ImageFilter.GaussianBlur(unit * 0.008))
    for size, spacing, tolerance in ((0.026, 0.015, 0.0), (0.013, 0.0085, 0.035), (0.0062, 0.0048, 0.05)):
        _brush(canvas, picture, angle, rng, unit * size, max(2.0, unit * spacing), tolerance)
    pixels = to_pixels(canvas)
    luma = pixels @ LUMA
    bristle = value_noise(rng, height, width, max(1.5, unit * 0.0025), max(1.5, unit * 0.0025)) - 0.5
    relief = luma * 1.4 + bristle * 0.14
    lift = np.clip((relief - shifted(relief, 1, 1)) * 0.55, -0.14, 0.14)
    gray = luma[..., None]
    return to_picture(gray + (pixels - gray) * 1.14 + lift[..., None])


def _brush(
    canvas: Image.Image, source: Image.Image, angle: npt.NDArray[np.floating], rng: np.random.Generator, size: float,
    spacing: float, tolerance: float,
) -> None:  # fmt: skip
    """One layer of strokes; with a tolerance, only where the canvas still differs from the source."""
    width, height = source.size
    rows, columns = np.mgrid[0 : height + spacing : spacing, 0 : width + spacing : spacing]
    rows = np.clip(rows + rng.uniform(-0.5, 0.5, rows.shape) * spacing, 0, height - 1).astype(np.int64).ravel()
    columns = np.clip(columns + rng.uniform(-0.5, 0.5, columns.shape) * spacing, 0, width - 1).astype(np.int64).ravel()
    colors = np.asarray(source.filter(ImageFilter.GaussianBlur(size * 0.22)), np.float32)
    if tolerance:
        painted = np.asarray(canvas, np.float32)
        error = np.abs(colors[rows, columns] - painted[rows, columns]).mean(axis=1) / 255
        keep = error > tolerance
        rows, columns = rows[keep], columns[keep]
    order = rng.permutation(len(rows))
    rows, columns = rows[order], columns[order]
    jitter = rng.normal(0, 5.5, (len(rows), 1)) + rng.normal(0, 2.5, (len(rows), 3))
    paints = np.clip(colors[rows, columns] + jitter, 0, 255).astype(np.uint8)
    turns = angle[rows, columns] + rng.normal(0, 0.16, len(rows))
    reach = size * rng.uniform(0.8, 1.5, len(rows))
    dx, dy = np.cos(turns) * reach, np.sin(turns) * reach
    draw = ImageDraw.Draw(canvas)
    thick = max(1, round(size * 0.62))
    half = thick / 2
    for x, y, ax, ay, paint in zip(
        columns.tolist(), rows.tolist(), dx.tolist(), dy.tolist(), paints.tolist(), strict=True
    ):
        fill = (paint[0], paint[1], paint[2])
        draw.line([(x - ax, y - ay), (x + ax, y + ay)], fill=fill, width=thick)
        if thick > 4:
            draw.ellipse((x + ax - half, y + ay - half, x + ax + half, y + ay + half), fill=fill)


def finish_cinematic(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A film look: cool shadows, warm lights, bloom, vignette, grain, and bars on wide frames."""
    pixels = to_pixels(picture)
    height, width = pixels.shape[:2]
    unit = float(min(width, height))
    luma = (pixels @ LUMA)[..., None]
    pixels = np.clip(pixels + (pixels - luma) * 0.06, 0, 1)
    curve = pixels * pixels * (3 - 2 * pixels)
    pixels = pixels * 0.45 + curve * 0.55
    cool, warm = np.array([-0.035, 0.012, 0.055], np.float32), np.array([0.06, 0.018, -0.05], np.float32)
    pixels = pixels + cool * (1 - luma) ** 2 + warm * luma**1.4
    bright = np.clip(pixels - 0.74, 0, 1)
    pixels = pixels + blurred(np.asarray(bright * 1.2, np.float32), unit * 0.025) * np.array(
        [0.55, 0.46, 0.38], np.float32
    )
    rows = (np.arange(height, dtype=np.float32)[:, None] / height - 0.5) * 2
    columns = (np.arange(width, dtype=np.float32)[None, :] / width - 0.5) * 2
    pixels = pixels * (1 - 0.42 * np.clip(np.hypot(rows, columns) - 0.42, 0, 1) ** 1.4)[..., None]
    pixels = pixels + rng.normal(0, 0.014, (height, width, 1)).astype(np.float32)
    if width >= height * 1.2:
        bar = round(height * 0.065)
        pixels[:bar], pixels[height - bar :] = 0.0, 0.0
    return to_picture(pixels)


def finish_vintage(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """An old print: faded warm tones, lifted blacks, uneven light, dust and scratches."""
    pixels = to_pixels(picture.filter(ImageFilter.GaussianBlur(min(picture.size) / 1100)))
    height, width = pixels.shape[:2]
    unit = float(min(width, height))
    luma = (pixels @ LUMA)[..., None]
    sepia = luma * np.array([1.05, 0.90, 0.68], np.float32) + np.array([0.05, 0.03, 0.01], np.float32)
    pixels = sepia * 0.62 + pixels * 0.38
    pixels = 0.10 + pixels * 0.82
    stain = fractal_noise(rng, height, width, unit * 0.3, octaves=5)[..., None]
    pixels = pixels * (0.90 + 0.2 * stain)
    rows = (np.arange(height, dtype=np.float32)[:, None] / height - 0.5) * 2
    columns = (np.arange(width, dtype=np.float32)[None, :] / width - 0.5) * 2
    edge = np.clip(np.hypot(rows, columns) - 0.55, 0, 1)[..., None]
    pixels = pixels * (1 - 0.5 * edge) + np.array([0.40, 0.24, 0.12], np.float32) * edge * 0.22
    dust = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(dust)
    for _ in range(46):
        x, y, size = (
            float(rng.uniform(0, width)),
            float(rng.uniform(0, height)),
            unit * float(rng.uniform(0.0006, 0.002)),
        )
        draw.ellipse((x - size, y - size, x + size, y + size), fill=150)
    for _ in range(4):
        x = float(rng.uniform(0, width))
        draw.line([(x, 0), (x + float(rng.uniform(-9, 9)), height)], fill=46, width=1)
    specks = np.asarray(dust, np.float32)[..., None] / 255
    pixels = pixels * (1 - specks) + np.array([0.95, 0.9, 0.8], np.float32) * specks
    return to_picture(pixels + rng.normal(0, 0.02, (height, width, 1)).astype(np.float32))
