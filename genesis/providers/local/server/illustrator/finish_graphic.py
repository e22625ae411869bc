"""Finishes that imitate drawing and print: pencil, comic, pixel art, neon and minimal."""

import numpy as np
from PIL import Image, ImageFilter

from genesis.providers.local.server.illustrator.finish_painted import LUMA, blurred, paper, to_picture, to_pixels
from genesis.providers.local.server.illustrator.noise import fractal_noise, value_noise
from genesis.providers.local.server.illustrator.palette import rgb, vector
from genesis.providers.local.server.illustrator.stage import Pixels


def _edges(picture: Image.Image, radius: float) -> Pixels:
    """Strength 0..1 of the outlines, from color differences at the scale of `radius` pixels."""
    pixels = to_pixels(picture.filter(ImageFilter.GaussianBlur(radius)))
    down = np.abs(np.diff(pixels, axis=0, append=pixels[-1:])).max(axis=2)
    across = np.abs(np.diff(pixels, axis=1, append=pixels[:, -1:])).max(axis=2)
    return np.asarray(np.hypot(down, across) * np.float32(radius * 2.2), dtype=np.float32)


def _lines(rng: np.random.Generator, height: int, width: int, unit: float, angle: float) -> Pixels:
    """Long thin strokes of graphite in one direction, values 0..1 with mean about one half."""
    side = int(np.hypot(height, width)) + 2
    field = value_noise(rng, side, side, max(1.6, unit * 0.0030), unit * 0.085)
    turned = Image.fromarray(field).rotate(angle, Image.Resampling.BILINEAR)
    left, top = (side - width) // 2, (side - height) // 2
    return np.asarray(turned.crop((left, top, left + width, top + height)), np.float32)


def finish_pencil(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Graphite outlines and hatching in three directions on paper."""
    width, height = picture.size
    unit = float(min(width, height))
    luma = to_pixels(picture.filter(ImageFilter.GaussianBlur(unit * 0.002))) @ LUMA
    low, high = np.percentile(luma, [1.5, 97])
    tone = np.clip((luma - low) / max(0.08, float(high - low)), 0, 1)
    outline = np.clip(_edges(picture, max(0.8, unit * 0.0011)) * 2.6 - 0.10, 0, 1) ** 0.8
    faint = np.clip(_edges(picture, max(1.4, unit * 0.0025)) * 2.0 - 0.1, 0, 1)
    ink = np.zeros((height, width), np.float32)
    for angle, threshold, weight in ((38, 0.84, 0.26), (-32, 0.48, 0.30), (68, 0.26, 0.40)):
        stroke = np.clip((_lines(rng, height, width, unit, angle) - 0.36) * 3.0, 0, 1)
        ink += stroke * np.clip((threshold - tone) * 2.4, 0, 1) * np.float32(weight)
    grain = 0.72 + 0.56 * fractal_noise(rng, height, width, 2.4, octaves=1)
    ink = (ink + 0.16 * (1 - tone)) * grain + outline * (0.62 + 0.3 * grain) + faint * 0.16
    sheet = vector(rgb("#f6f2e8")) + paper(rng, height, width, unit)[..., None] * 0.10
    return to_picture(
        sheet * (1 - np.clip(ink, 0, 0.93)[..., None]) + vector(rgb("#2c2b30")) * np.clip(ink, 0, 0.93)[..., None]
    )


def _calm(picture: Image.Image) -> Image.Image:
    """The picture without details of a few pixels; the median of half as many pixels costs a quarter."""
    half = picture.reduce(2).filter(ImageFilter.MedianFilter(3))
    return half.resize(picture.size, Image.Resampling.BICUBIC)


def finish_comic(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Flat saturated colors, dots in the middle tones and bold ink outlines."""
    width, height = picture.size
    unit = float(min(width, height))
    smooth = to_pixels(_calm(picture).filter(ImageFilter.GaussianBlur(unit * 0.0015)))
    luma = (smooth @ LUMA)[..., None]
    levels = np.round(luma * 5) / 5
    pixels = smooth * (0.35 + 0.65 * levels / np.maximum(luma, 0.08))
    gray = (pixels @ LUMA)[..., None]
    pixels = np.clip(gray + (pixels - gray) * 1.42, 0, 1) * 1.04 + 0.02
    cell = max(4.0, unit * 0.0085)
    rows, columns = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None, :]
    u, v = (columns + rows) * 0.7071 / cell, (columns - rows) * 0.7071 / cell
    distance = np.hypot(u - np.round(u), v - np.round(v))
    size = np.clip(0.62 - luma[..., 0] * 0.9, 0, 0.5)
    dots = np.clip((size - distance) * cell * 0.8, 0, 1) * 0.30
    pixels = pixels * (1 - dots[..., None])
    outline = np.clip(_edges(picture.filter(ImageFilter.MedianFilter(3)), max(1.0, unit * 0.0016)) * 4.2 - 0.42, 0, 1)
    shadow = np.clip((0.15 - luma[..., 0]) * 9, 0, 1) * 0.85
    ink = np.maximum(outline, shadow)[..., None]
    pixels = pixels * (1 - ink) + vector(rgb("#14121c")) * ink
    return to_picture(pixels + rng.normal(0, 0.004, (height, width, 1)))


def finish_pixel(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Large square pixels in a palette of few colors with ordered dithering."""
    width, height = picture.size
    factor = max(3, round(max(width, height) / 170))
    columns, rows = -(-width // factor), -(-height // factor)
    small = picture.resize((columns, rows), Image.Resampling.BOX).filter(ImageFilter.UnsharpMask(1, 70, 2))
    pixels = to_pixels(small)
    gray = (pixels @ LUMA)[..., None]
    pixels = (gray + (pixels - gray) * 1.22).astype(np.float32)
    bayer = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32) / 16 - 0.47
    tiled = np.tile(bayer, (rows // 4 + 1, columns // 4 + 1))[:rows, :columns]
    turned = np.roll(tiled, int(rng.integers(0, 4)), axis=1)
    dithered = to_picture(pixels + turned[..., None] * np.float32(0.022))
    palette = to_picture(pixels).quantize(40, Image.Quantize.MEDIANCUT, kmeans=2)
    reduced = dithered.quantize(palette=palette, dither=Image.Dither.NONE).convert("RGB")
    large = reduced.resize((columns * factor, rows * factor), Image.Resampling.NEAREST)
    return large.crop((0, 0, width, height))


def finish_neon(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Glowing outlines in cyan and magenta over a darkened picture."""
    width, height = picture.size
    unit = float(min(width, height))
    pixels = to_pixels(picture)
    luma = (pixels @ LUMA)[..., None]
    night = (luma + (pixels - luma) * 1.4) * 0.30 + vector(rgb("#140a34")) * 0.55
    night = night * (0.55 + 0.45 * luma)
    outline = np.clip(_edges(picture.filter(ImageFilter.MedianFilter(3)), max(0.9, unit * 0.0013)) * 3.4 - 0.24, 0, 1)
    hue = fractal_noise(rng, height, width, unit * 0.5, octaves=2)[..., None]
    blend = np.clip((hue - 0.36) * 3.4, 0, 1)
    tube = vector(rgb("#22e6ff")) * (1 - blend) + vector(rgb("#ff3fd0")) * blend
    vivid = np.clip(luma + (pixels - luma) * 2.6, 0, 1)
    color = tube * 0.62 + vivid * 0.5
    light = (color * outline[..., None]).astype(np.float32)
    glow = blurred(light, unit * 0.004) * 1.2 + blurred(light, unit * 0.016) * 1.5
    return to_picture(night + light * 0.95 + outline[..., None] * 0.18 + glow)


def finish_minimal(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Few calm colors in clean areas."""
    width, height = picture.size
    unit = float(min(width, height))
    pixels = to_pixels(_calm(picture))
    gray = (pixels @ LUMA)[..., None]
    pixels = (gray + (pixels - gray) * 0.86).astype(np.float32)
    pixels = pixels * 0.84 + vector(rgb("#f3ece2")) * 0.16
    palette = to_picture(pixels).resize((128, 128)).quantize(18, Image.Quantize.MEDIANCUT, kmeans=3)
    reduced = to_picture(pixels).quantize(palette=palette, dither=Image.Dither.NONE).convert("RGB")
    flat = to_pixels(
        reduced.filter(ImageFilter.MedianFilter(3)).filter(ImageFilter.GaussianBlur(max(0.5, unit * 0.0008)))
    )
    return to_picture(flat * 0.86 + pixels * 0.14 + rng.normal(0, 0.003, (height, width, 1)))
