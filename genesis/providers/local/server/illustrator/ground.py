"""Open-air grounds: meadow, snow, desert, forest floor, street, river, moon, and what grows on them."""

import math

import numpy as np
from PIL import Image, ImageDraw

from genesis.providers.local.server.illustrator.backdrop import (
    paint_hills,
    paint_mountains,
    paint_skyline,
    paint_tree_line,
    season_green,
)  # fmt: skip
from genesis.providers.local.server.illustrator.noise import fractal_noise, ridge_line
from genesis.providers.local.server.illustrator.palette import COLORS, Color, darken, lighten, mix, rgb, vector
from genesis.providers.local.server.illustrator.stage import Pixels, Stage
from genesis.providers.local.server.illustrator.water import has_shore, paint_shore, paint_water, shore_row

GRASS: Color = rgb("#6fae4e")
SNOW: Color = rgb("#eef3fa")
SAND: Color = rgb("#e8cf9c")
DUNE: Color = rgb("#e0a562")
ASPHALT: Color = rgb("#585c66")
FALLEN_LEAVES = ("#c8642c", "#e09a3a", "#a8442a", "#d8b04a")
BLOSSOMS = ("#f4f1e8", "#e8587a", "#f2c040", "#9a6ad8", "#f0803c")


def paint_outdoors(stage: Stage) -> None:
    """Paints backdrop and ground of every plane under the open sky."""
    grounds, plane = set(stage.scene.grounds), stage.plane
    tint = COLORS[stage.scene.ground_color] if stage.scene.ground_color else None
    grass = _grass(stage, tint)
    if "mountains" in grounds:
        paint_mountains(stage, COLORS[stage.scene.mountain_color] if stage.scene.mountain_color else None)
    if plane == "desert":
        _paint_dunes(stage, tint or DUNE)
        return
    if plane in {"meadow", "hills", "river", "snowfield"} or (plane == "lake" and "mountains" not in grounds):
        paint_hills(stage, grass, rise=0.2 if plane == "hills" else 0.05 if "mountains" in grounds else 0.12)
    if "city" in grounds or plane in {"street", "quay"}:
        paint_skyline(stage)
    if plane == "forest" or "forest" in grounds:
        paint_tree_line(stage, rise=0.34, layers=4, leafy=stage.scene.season == "autumn")
    elif "mountains" in grounds and plane in {"meadow", "lake", "river"}:
        paint_tree_line(stage, rise=0.085, layers=2, fade=0.4)
    _paint_plane(stage, grass)


def _paint_plane(stage: Stage, grass: Color) -> None:
    if stage.plane in {"sea", "beach", "lake", "quay"}:
        _paint_waterside(stage, grass)
    elif stage.plane == "street":
        _paint_street(stage)
    else:
        _paint_land(stage, grass)
    if "rails" in stage.scene.grounds:
        _paint_rails(stage)
    grown = {"meadow", "hills"} | ({"forest"} if stage.scene.season == "autumn" else set())
    if "flowers" in stage.scene.features or (stage.scene.season == "spring" and stage.plane in grown):
        _paint_blossoms(stage)
    if stage.scene.season == "autumn" and stage.plane in grown:
        _paint_blossoms(stage, FALLEN_LEAVES)


def _paint_waterside(stage: Stage, grass: Color) -> None:
    tint = stage.scene.ground_color
    if stage.plane == "beach":
        paint_water(stage, shore_row(stage) + round(stage.unit * 0.08), color=tint)
        paint_shore(stage, SNOW if stage.scene.season == "winter" else SAND, sandy=True)
        return
    paint_water(
        stage, stage.height, calm=1.0 if stage.plane == "sea" else 1.2, color=tint if stage.plane != "quay" else None
    )
    if has_shore(stage):
        paint_shore(stage, grass, sandy=False)
        paint_grass(stage, grass, shore_row(stage))


def _paint_land(stage: Stage, grass: Color) -> None:
    if stage.plane == "moonscape":
        _paint_field(stage, rgb("#a9a8ae"), rough=0.35)
        _paint_craters(stage)
        return
    soil, rough = grass, 0.3
    if stage.plane == "forest":
        soil, rough = darken(mix(grass, rgb("#4a6a3c"), 0.4), 0.12), 0.5
    elif grass == SNOW:
        rough = 0.12
    _paint_field(stage, soil, rough=rough)
    if grass != SNOW:
        paint_grass(stage, soil, stage.horizon)
    if stage.plane == "river":
        _paint_river(stage)


def _grass(stage: Stage, tint: Color | None) -> Color:
    if stage.scene.season == "winter" or stage.plane == "snowfield":
        return SNOW
    if tint and stage.plane in {"meadow", "hills", "forest"}:
        return tint
    return season_green(stage, GRASS)


def _paint_field(stage: Stage, color: Color, *, rough: float) -> None:
    """Level ground from the horizon to the lower edge, lit far off, deeper in front."""
    height = stage.height - stage.horizon
    if height < 2:
        return
    rng = stage.random("field")
    line = ridge_line(rng, stage.width, stage.width * 0.7, octaves=2, sharp=False)
    top = stage.horizon + stage.unit * 0.035 - (line - 0.5) * stage.unit * 0.06
    below = stage.rows[stage.horizon :] - top[None, :]
    depth = np.clip(below / height, 0, 1)[..., None]
    patches = fractal_noise(rng, height, stage.width, stage.unit * 0.07, octaves=5, stretch=3.4)[..., None] - 0.5
    far = stage.lit(mix(lighten(color, 0.12), stage.mood.far, 0.18), 0.95)
    snowy = min(color) > 0.8
    near = stage.lit(darken(color, 0.05 if snowy else 0.22), 0.72 if snowy else 0.5)
    tone = vector(far) * (1 - depth) + vector(near) * depth
    tone = tone * (1 + patches * rough * (0.4 + 0.9 * depth))
    stage.cover(np.clip(below + 0.5, 0, 1), tone.astype(np.float32), stage.horizon)


def paint_grass(stage: Stage, color: Color, top: int) -> None:
    """Blades in the foreground, longer and darker toward the lower edge."""
    if stage.scene.style == "minimal":
        return
    rng = stage.random("grass")
    layer = Image.new("RGBA", (stage.width, stage.height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    height = stage.height - top
    blades = int(620 * stage.width / stage.unit)
    depths = np.sort(rng.random(blades) ** 0.7)
    for depth, x, bend, tone, size in zip(depths, *(rng.random(blades) for _ in range(4)), strict=True):
        y = top + height * (0.28 + 0.76 * depth)
        tall = stage.unit * (0.008 + 0.030 * depth) * (0.6 + 0.8 * size)
        cx = x * stage.width
        lean = (bend - 0.5) * tall * 0.9
        light = stage.lit(mix(darken(color, 0.35), lighten(color, 0.22), tone), 0.35 + 0.6 * tone)
        rgba = (*(max(0, min(255, int(part * 255))) for part in light), 215)
        wide = max(0.7, tall * 0.075)
        draw.polygon(
            [(cx - wide, y), (cx + lean * 0.4, y - tall * 0.6), (cx + lean, y - tall), (cx + wide, y)], fill=rgba
        )
    stage.paste(layer, 0, 0)


def _paint_blossoms(stage: Stage, codes: tuple[str, ...] = BLOSSOMS) -> None:
    rng = stage.random("blossoms")
    layer = Image.new("RGBA", (stage.width * 2, stage.height * 2), (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    count = int(240 * stage.width / stage.unit)
    for depth in np.sort(rng.random(count) ** 0.8):
        y = (stage.horizon + (stage.height - stage.horizon) * (0.18 + 0.82 * depth)) * 2
        x = float(rng.random()) * stage.width * 2
        radius = stage.unit * (0.002 + 0.0085 * depth) * 2
        color = stage.lit(rgb(codes[int(rng.integers(0, len(codes)))]), 0.5 + 0.5 * float(rng.random()))
        rgba = (*(max(0, min(255, int(part * 255))) for part in color), 255)
        for step in range(5):
            turn = 2 * math.pi * step / 5 + x
            cx, cy = x + radius * 0.62 * math.cos(turn), y + radius * 0.42 * math.sin(turn)
            draw.ellipse((cx - radius * 0.55, cy - radius * 0.4, cx + radius * 0.55, cy + radius * 0.4), fill=rgba)
    stage.paste(layer.resize((stage.width, stage.height), Image.Resampling.BOX), 0, 0)


def _paint_dunes(stage: Stage, sand: Color) -> None:
    """Dunes one behind another, each with a winding crest between its lit and its shaded flank."""
    rng = stage.random("dunes")
    air = mix(stage.horizon_color(), stage.mood.far, 0.25)
    toward = 1 if stage.light.x > 0 else -1
    layers = 7
    for index in range(layers):
        near = index / (layers - 1)
        peak = stage.width * float(rng.uniform(-0.05, 1.05))
        wide = stage.unit * (0.42 + 0.75 * near) * float(rng.uniform(0.8, 1.3))
        tall = (
            stage.unit * (0.085 + 0.16 * near) * float(rng.uniform(0.7, 1.15)) * (0.35 if index == layers - 1 else 1.0)
        )
        foot = stage.horizon + (stage.height - stage.horizon) * (0.05 + 0.80 * near**1.3)
        away = (stage.columns[0] - np.float32(peak)) / wide
        away = np.where(away * toward > 0, away * 0.72, away * 1.15)
        swell = ridge_line(rng, stage.width, stage.width * 0.6, octaves=2, sharp=False) * stage.unit * 0.03
        top = foot - tall * np.exp(-(np.abs(away) ** 1.55) * 1.6) - swell
        start = max(0, int(top.min()) - 1)
        if start >= stage.height:
            continue
        below = stage.rows[start:] - top[None, :]
        sink = (stage.rows[start:] - (foot - tall)) / tall
        bend = 0.30 * np.sin(sink * 2.4 + index * 1.7) + 0.20 * sink
        edge = (stage.columns - np.float32(peak)) / wide + bend * toward * (0.55 if index % 2 else -0.35)
        flank = 1 / (1 + np.exp(np.clip(-edge * toward * (34 - 16 * np.clip(sink, 0, 1)), -30, 30)))
        depth = np.clip(below / (tall * 1.5 + 1), 0, 1)
        facing = (flank * (1 - depth) + 0.62 * depth)[..., None]
        wind = (
            np.sin((below * 1.0 + 9 * np.sin(stage.columns / (stage.unit * 0.05))) / (stage.unit * 0.0075))
            * 0.016
            * near
        )
        lit, dark = vector(stage.lit(lighten(sand, 0.16), 1)), vector(stage.lit(darken(sand, 0.12), 0.12))
        tone = (dark * (1 - facing) + lit * facing) * (1 - 0.12 * depth[..., None] + wind[..., None])
        haze = 0.5 * (1 - near) ** 1.3
        stage.cover(np.clip(below + 0.5, 0, 1), (tone * (1 - haze) + vector(air) * haze).astype(np.float32), start)


def _paint_street(stage: Stage) -> None:
    """A sidewalk and a road that runs across the picture; wet at night and in rain, so that it mirrors."""
    height = stage.height - stage.horizon
    walk = stage.horizon + round(height * 0.24)
    rng = stage.random("street")
    grain = fractal_noise(rng, height, stage.width, stage.unit * 0.02, octaves=3, stretch=2)[..., None]
    rows = stage.rows[stage.horizon :]
    depth = np.clip((rows - walk) / max(1, stage.height - walk), 0, 1)[..., None]
    road = (
        vector(stage.lit(lighten(ASPHALT, 0.1), 0.8)) * (1 - depth)
        + vector(stage.lit(darken(ASPHALT, 0.3), 0.5)) * depth
    )
    pavement = vector(stage.lit(rgb("#b9b4ac"), 0.75))
    tone = np.where((rows < walk)[..., None], pavement, road) * (0.93 + 0.14 * grain)
    wet = 0.55 if "rain" in stage.scene.features or stage.scene.time == "neon" else 0.3 if stage.mood.lamps else 0.0
    if wet:
        tone = tone * (1 - wet) + _mirror(stage, height) * wet
    stage.pixels[stage.horizon :] = tone
    curb = max(2, round(height * 0.025))
    stage.pixels[walk : walk + curb] = vector(stage.lit(rgb("#d8d2c6"), 0.8))
    stage.pixels[walk + curb : walk + 2 * curb] *= 0.62
    y, thick, dash = stage.horizon + round(height * 0.9), max(2, round(height * 0.028)), stage.unit * 0.13
    for index in range(int(stage.width / dash) + 2):
        left = int((index - 0.3) * dash)
        x0, x1 = max(0, left), min(stage.width, left + int(dash * 0.55))
        if x0 < x1:
            stage.pixels[y : y + thick, x0:x1] = vector(stage.lit(rgb("#efe6cc"), 0.85))


def _mirror(stage: Stage, height: int) -> Pixels:
    rng = stage.random("wet")
    noise = fractal_noise(rng, height, stage.width, stage.unit * 0.03, octaves=4, stretch=0.5) - 0.5
    rows = np.clip(stage.horizon - 1 - np.arange(height)[:, None] * 1.5 - noise * 26, 0, stage.horizon - 1).astype(
        np.int64
    )
    columns = np.clip(stage.columns + noise * stage.unit * 0.05, 0, stage.width - 1).astype(np.int64)
    return np.asarray(stage.pixels[rows, columns] * np.float32(0.9), dtype=np.float32)


def _paint_river(stage: Stage) -> None:
    """A winding band of water that widens toward the viewer."""
    height = stage.height - stage.horizon
    rng = stage.random("river")
    depth = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    bend = float(rng.uniform(0, 6.28))
    center = stage.width * (0.5 + 0.20 * np.sin(bend + 8.5 * depth**0.5) * (0.25 + 0.75 * depth))
    opening = np.clip((depth - 0.075) / 0.03, 0, 1)
    half = stage.unit * (0.030 + 0.34 * depth**1.4) * np.sqrt(opening)
    mask = np.clip((half - np.abs(stage.columns - center)) / (1 + 2 * depth), 0, 1) * opening
    for reach, strength, tone in ((1.16, 0.35, rgb("#3f5a30")), (1.06, 0.7, rgb("#c9b98a"))):
        bank = np.clip((half * reach + 1 - np.abs(stage.columns - center)) / (1 + 10 * depth), 0, 1) * opening
        stage.cover((bank * strength).astype(np.float32), stage.lit(tone, 0.7), stage.horizon)
    field = stage.pixels[stage.horizon :].copy()
    paint_water(stage, stage.height, color=stage.scene.ground_color)
    water = stage.pixels[stage.horizon :].copy()
    stage.pixels[stage.horizon :] = field
    stage.cover(mask.astype(np.float32), water, stage.horizon)


def _paint_rails(stage: Stage) -> None:
    """Ballast and sleepers under a train that runs across the picture."""
    y = round(stage.horizon + (stage.height - stage.horizon) * 0.68)
    thick = round(stage.unit * 0.05)
    stage.pixels[y - thick // 3 : y + thick] = vector(stage.lit(rgb("#8a8178"), 0.6))
    grain = fractal_noise(stage.random("ballast"), thick + thick // 3, stage.width, 4, octaves=2)[..., None]
    stage.pixels[y - thick // 3 : y + thick] *= 0.8 + 0.4 * grain[: stage.pixels[y - thick // 3 : y + thick].shape[0]]
    step = stage.unit * 0.035
    for index in range(int(stage.width / step) + 1):
        x = int(index * step)
        stage.pixels[y : y + round(thick * 0.4), x : x + int(step * 0.45)] = vector(stage.lit(rgb("#5a4234"), 0.6))


def _paint_craters(stage: Stage) -> None:
    rng = stage.random("craters")
    height = stage.height - stage.horizon
    for depth in np.sort(rng.random(16)):
        y = stage.horizon + height * (0.16 + 0.8 * depth)
        x = float(rng.random()) * stage.width
        rx = stage.unit * (0.012 + 0.085 * depth) * float(rng.uniform(0.6, 1.3))
        dx, dy = (stage.columns - np.float32(x)) / rx, (stage.rows[stage.horizon :] - np.float32(y)) / (rx * 0.32)
        distance = np.hypot(dx, dy)
        toward = dx * stage.light.x - dy * 0.3
        bowl, rim = np.clip((1 - distance) * rx * 0.4, 0, 1), np.exp(-(((distance - 1.04) / 0.09) ** 2))
        stage.cover(
            (bowl * np.clip(0.35 + 0.4 * toward, 0, 0.8)).astype(np.float32),
            stage.lit(rgb("#55545e"), 0.3),
            stage.horizon,
        )
        stage.cover(
            (rim * np.clip(0.35 - 0.4 * toward, 0, 0.8)).astype(np.float32), stage.lit(rgb("#e2e1e6"), 1), stage.horizon
        )
