"""Water seen toward the horizon: it mirrors what stands behind it, ripples in perspective and glitters."""

import numpy as np

from genesis.providers.local.server.illustrator.noise import fractal_noise, value_noise
from genesis.providers.local.server.illustrator.palette import COLORS, Color, darken, mix, rgb, vector
from genesis.providers.local.server.illustrator.stage import Pixels, Stage

WATER_KINDS = frozenset({"sailboat", "ship", "duck", "whale", "balloon", "airplane", "bird", "bridge"})
"""Subjects that need no land in front of the water."""

WATER_COLORS: dict[str, Color] = {
    "day": rgb("#1f7fb4"), "dawn": rgb("#5a7fae"), "sunset": rgb("#4a3268"), "twilight": rgb("#2a2c66"),
    "night": rgb("#0c1c4c"), "storm": rgb("#3a4c58"), "neon": rgb("#240c54"),
}  # fmt: skip


def ripples(stage: Stage, height: int, calm: float) -> Pixels:
    """A field -0.5..0.5 of shape (height, width), long and fine at the far edge, broad in front."""
    rng = stage.random("ripples")
    depth = np.linspace(0, 1, height, dtype=np.float32)
    fine = stage.unit * 0.006 * calm
    tall = int(height * 1.6) + 8
    field = value_noise(rng, tall, stage.width, fine * 1.4, fine * 16) * 0.6
    field += value_noise(rng, tall, stage.width, fine * 3.2, fine * 30) * 0.4
    rows = (np.log1p(9 * depth) / np.log(10) * (tall - 1)).astype(np.int64)
    spread = 1 / (0.30 + 0.9 * depth)
    center = stage.width / 2
    columns = (np.arange(stage.width, dtype=np.float32)[None, :] - center) * spread[:, None] * 0.6 + center
    columns = np.mod(columns, 2 * (stage.width - 1))
    columns = np.where(columns > stage.width - 1, 2 * (stage.width - 1) - columns, columns).astype(np.int64)
    return np.asarray(field[rows[:, None], columns] - np.float32(0.5), dtype=np.float32)


def paint_water(stage: Stage, bottom: int, *, calm: float = 1.0, color: str | None = None) -> None:
    """Fills the rows from the horizon to `bottom` with water; call when what it mirrors is painted."""
    height = bottom - stage.horizon
    if height < 2:
        return
    depth = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    waves = ripples(stage, height, calm)
    reach = stage.unit * (0.004 + 0.05 * depth)
    source = stage.horizon - 1 - depth * min(stage.horizon * 0.82, height * 1.15) - waves * reach * 2.2
    rows = np.clip(source, 0, max(0, stage.horizon - 1)).astype(np.int64)
    shift = waves * stage.unit * (0.012 + 0.10 * depth)
    columns = np.clip(stage.columns + shift, 0, stage.width - 1).astype(np.int64)
    mirrored = stage.pixels[rows, columns]
    body = WATER_COLORS[stage.scene.time]
    if color:
        body = mix(COLORS[color], darken(COLORS[color], 0.5), 0.3) if stage.mood.lamps else COLORS[color]
    strength = (0.74 - 0.42 * depth - (0.22 if color else 0.0))[..., None]
    deep = vector(body) * (1.12 - 0.42 * depth[..., None])
    water = mirrored * strength + deep * (1 - strength)
    water *= (1 + waves * (0.20 + 0.34 * depth))[..., None]
    crest = np.clip((waves - 0.16) * 5, 0, 1) * (0.05 + 0.13 * depth)
    water += crest[..., None] * vector(mix(stage.horizon_color(), (1.0, 1.0, 1.0), 0.25))
    _glitter(stage, water, waves, depth)
    stage.pixels[stage.horizon : bottom] = np.clip(water, 0, 1.4)
    if stage.scene.time == "storm" and stage.plane == "sea":
        _paint_whitecaps(stage, bottom)


def _glitter(stage: Stage, water: Pixels, waves: Pixels, depth: Pixels) -> None:
    """The broken path of light below the sun or moon."""
    if stage.scene.time == "storm":
        return
    x = stage.sun[0]
    width = stage.unit * (0.028 + 0.12 * depth)
    path = np.exp(-(((stage.columns - np.float32(x)) / width) ** 2))
    spark = np.clip((waves + 0.02) * (7 - 2 * depth), 0, 1)
    strength = {"day": 0.35, "night": 0.62, "twilight": 0.6}.get(stage.scene.time, 0.85)
    amount = (path * (0.16 + spark) * strength * (1.05 - 0.55 * depth))[..., None]
    tone = vector(mix(stage.mood.glow, stage.mood.disc, 0.55))
    water += (np.maximum(tone - water, 0)) * np.clip(amount, 0, 1)


def _paint_whitecaps(stage: Stage, bottom: int) -> None:
    height = bottom - stage.horizon
    foam = fractal_noise(stage.random("foam"), height, stage.width, stage.unit * 0.03, octaves=5, stretch=5)
    depth = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    stage.cover(np.clip((foam - 0.62) * 9, 0, 1) * (0.2 + 0.6 * depth), (0.88, 0.91, 0.92), stage.horizon)


def paint_shore(stage: Stage, color: Color, *, sandy: bool) -> None:
    """Land in front of the water, with a line of foam where they meet."""
    rng = stage.random("shore")
    bay = fractal_noise(rng, 1, stage.width, stage.width * 0.5, octaves=3)[0]
    edge = shore_row(stage) + (bay - 0.5) * stage.unit * 0.10
    start = int(edge.min()) - max(3, round(stage.unit * 0.02))
    below = stage.rows[start:] - edge[None, :]
    grain = fractal_noise(rng, stage.height - start, stage.width, stage.unit * 0.05, octaves=5, stretch=2.5)
    depth = np.clip(below / (stage.height - start), 0, 1)[..., None]
    tone = vector(stage.lit(color, 0.95)) * (1 - depth) + vector(stage.lit(darken(color, 0.12), 0.55)) * depth
    tone = tone * (0.93 + 0.14 * grain[..., None])
    if sandy:
        wet = np.exp(-np.clip(below, 0, None) / (stage.unit * 0.035))[..., None]
        tone = tone * (1 - 0.42 * wet) + vector(stage.horizon_color()) * wet * 0.16
    stage.cover(np.clip(below / 1.5 + 0.5, 0, 1), tone.astype(np.float32), start)
    if sandy:
        for offset, width, strength in ((0.0, 0.006, 0.9), (-0.022, 0.004, 0.5), (-0.045, 0.0025, 0.35)):
            wobble = (bay - 0.5) * stage.unit * 0.02
            distance = np.abs(below - (offset * stage.unit + wobble[None, :] * (1 if offset else 0)))
            foam = np.clip(1.2 - distance / (stage.unit * width), 0, 1) * np.clip((grain - 0.34) * 5, 0, 1)
            stage.cover(foam * np.float32(strength), stage.lit((1.0, 1.0, 0.99), 0.9), start)


def has_shore(stage: Stage) -> bool:
    """Whether there is land in front of the water: a beach has it, a lake where a subject needs it."""
    if stage.plane != "lake":
        return stage.plane == "beach"
    return any(subject.kind not in WATER_KINDS for subject in stage.scene.subjects)


def shore_row(stage: Stage) -> int:
    """The row where the land in front of a beach or lake begins."""
    return round(stage.horizon + (stage.height - stage.horizon) * 0.46)
