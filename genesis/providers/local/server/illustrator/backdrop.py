"""What stands at the horizon: mountains, hills, lines of trees and a city's skyline."""

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from genesis.providers.local.server.illustrator.noise import fractal_noise, ridge_line, shifted, smoothed
from genesis.providers.local.server.illustrator.palette import Color, darken, lighten, mix, rgb, times, vector
from genesis.providers.local.server.illustrator.stage import Pixels, Stage


def paint_mountains(stage: Stage, tint: Color | None = None) -> None:
    """Three ranges with light on their flanks, snow on the high ones, fading into the air."""
    rng = stage.random("mountains")
    air = mix(stage.horizon_color(), stage.mood.far, 0.4)
    rock = tint or (rgb("#7d8796") if stage.scene.season != "autumn" else rgb("#8a7f7c"))
    for index in range(3):
        near = index / 2
        profile = ridge_line(rng, stage.width, stage.width * (0.46 - 0.1 * index), octaves=7)
        profile = (profile - profile.min()) / max(1e-3, float(np.ptp(profile)))
        rise = min(stage.horizon * 0.72, stage.unit * 0.58) * (1.0 - 0.26 * index)
        top = stage.horizon + 1 - (0.06 + 0.80 * profile**1.35) * rise * 0.78
        _paint_range(stage, rng, top, mix(rock, darken(rock, 0.5), near), air, 0.62 - 0.42 * near, index)


def _paint_range(
    stage: Stage, rng: np.random.Generator, top: Pixels, rock: Color, air: Color, haze: float, index: int
) -> None:
    start = max(0, int(top.min()) - 1)
    end = min(stage.height, stage.horizon + 1)
    if start >= end:
        return
    rows = stage.rows[start:end]
    below = rows - top[None, :]
    relief = fractal_noise(rng, end - start, stage.width, stage.unit * 0.11, octaves=6)
    step = round(stage.unit * 0.012)
    slanted = shifted(relief, step, step if stage.light.x < 0 else -step)
    slope = smoothed(np.gradient(top).astype(np.float32), max(2, step)) * (1 if stage.light.x > 0 else -1)
    drift = np.clip(stage.columns + (relief - 0.5) * stage.unit * 0.16, 0, stage.width - 1).astype(np.int64)
    flank = slope[drift] * np.exp(-np.clip(below, 0, None) / (stage.unit * 0.22))
    facing = np.clip(0.45 + (relief - slanted) * 4.2 + flank * 0.42, 0, 1)[..., None]
    color = vector(stage.lit(rock, 0)) * (1 - facing) + vector(stage.lit(lighten(rock, 0.25), 1)) * facing
    white = 0.30 if stage.scene.season == "winter" else 0.12
    if stage.scene.time != "neon" and index < 2:
        line = stage.unit * (white - 0.05 * index) + (relief - 0.5) * stage.unit * 0.24
        snow = np.clip((line - below) / (stage.unit * 0.012), 0, 1)[..., None] * 0.94
        tone = vector(stage.lit(rgb("#e4ebfa"), 0.25)) * (1 - facing) + vector(stage.lit((1.0, 0.99, 0.98), 1)) * facing
        color = color * (1 - snow) + tone * snow
    depth = np.clip((rows - start) / max(1, end - start), 0, 1)[..., None]
    fade = haze * (0.55 + 0.45 * depth)
    color = color * (1 - fade) + vector(air) * fade
    stage.cover(np.clip(below + 0.5, 0, 1), color.astype(np.float32), start)


def paint_hills(stage: Stage, color: Color, *, rise: float = 0.16, layers: int = 3) -> None:
    """Rolling hills up to the horizon, each nearer one less hazy."""
    rng = stage.random("hills")
    air = mix(stage.horizon_color(), stage.mood.far, 0.3)
    for index in range(layers):
        near = (index + 1) / layers
        line = ridge_line(rng, stage.width, stage.width * (0.62 - 0.08 * index), octaves=2, sharp=False)
        top = stage.horizon + stage.unit * 0.02 * index - line * stage.unit * rise * (1.2 - 0.5 * near)
        start = max(0, int(top.min()) - 1)
        below = stage.rows[start:] - top[None, :]
        depth = np.clip(below / (stage.unit * 0.22), 0, 1)[..., None]
        slope = np.clip(0.5 + np.gradient(top) * (0.9 if stage.light.x > 0 else -0.9), 0, 1)[None, :, None]
        lit = vector(stage.lit(lighten(color, 0.12), 1)) * slope + vector(stage.lit(color, 0.45)) * (1 - slope)
        shaded = lit * (1 - 0.4 * depth)
        haze = 0.62 * (1 - near) + 0.06
        stage.cover(np.clip(below + 0.5, 0, 1), (shaded * (1 - haze) + vector(air) * haze).astype(np.float32), start)


def paint_tree_line(
    stage: Stage, *, layers: int = 3, rise: float = 0.2, leafy: bool = False, fade: float = 0.6
) -> None:
    """Rows of conifers (or round crowns) in front of the horizon, paler with distance."""
    rng = stage.random("tree line")
    air = mix(stage.horizon_color(), stage.mood.far, 0.25)
    green = season_green(stage, rgb("#2f6148"))
    for index in range(layers):
        near = (index + 1) / layers
        base = stage.horizon + stage.unit * (0.008 + 0.022 * index)
        mask = Image.new("L", (stage.width * 2, stage.height * 2), 0)
        draw = ImageDraw.Draw(mask)
        x = -20.0
        while x < stage.width + 20:
            tall = stage.unit * rise * float(rng.uniform(0.55, 1.1)) * (0.55 + 0.5 * near)
            _silhouette(draw, rng, x * 2, base * 2, tall * 2, leafy=leafy)
            x += tall * float(rng.uniform(0.16, 0.42))
        draw.rectangle((0, base * 2 - 2, stage.width * 2, base * 2 + stage.unit * 0.08), fill=255)
        small = mask.resize((stage.width, stage.height), Image.Resampling.BOX)
        start = max(0, int(base - stage.unit * rise * 1.3))
        alpha = np.asarray(small, np.float32)[start:] / 255
        haze = fade * (1 - near) ** 0.8 + 0.08
        height = np.clip((base - stage.rows[start:]) / (stage.unit * rise), 0, 1)[..., None]
        color = (
            vector(stage.lit(darken(green, 0.15), 0.35)) * (1 - height)
            + vector(stage.lit(lighten(green, 0.1), 0.85)) * height
        )
        stage.cover(alpha, (color * (1 - haze) + vector(air) * haze).astype(np.float32), start)


def _silhouette(
    draw: ImageDraw.ImageDraw, rng: np.random.Generator, x: float, base: float, tall: float, *, leafy: bool
) -> None:
    if leafy:
        for _ in range(9):
            cx, cy = x + tall * float(rng.uniform(-0.2, 0.2)), base - tall * float(rng.uniform(0.35, 0.86))
            radius = tall * float(rng.uniform(0.09, 0.17))
            draw.ellipse((cx - radius, cy - radius, cx + radius, cy + radius), fill=255)
        draw.rectangle((x - tall * 0.025, base - tall * 0.5, x + tall * 0.025, base), fill=255)
        return
    half = tall * float(rng.uniform(0.16, 0.22))
    points = [(x, base - tall)]
    tiers = 7
    left = []
    for tier in range(1, tiers + 1):
        share = tier / tiers
        wide = half * share * float(rng.uniform(0.85, 1.15))
        y = base - tall * (1 - share * 0.94)
        points += [(x + wide, y), (x + wide * 0.5, y - tall * 0.015)]
        left += [(x - wide, y), (x - wide * 0.5, y - tall * 0.015)]
    draw.polygon([*points, *reversed(left)], fill=255)


def season_green(stage: Stage, green: Color) -> Color:
    """Leaf or grass color in the scene's season."""
    turned = {"autumn": rgb("#c0772f"), "winter": rgb("#dfe8f0"), "spring": rgb("#86c06a")}
    season = stage.scene.season
    return (
        mix(green, turned[season], {"autumn": 0.72, "winter": 0.5, "spring": 0.35}[season])
        if season in turned
        else green
    )


def paint_skyline(stage: Stage) -> None:
    """Three rows of buildings with lit windows, the far ones lost in the air."""
    rng = stage.random("skyline")
    air = mix(stage.horizon_color(), stage.mood.far, 0.5)
    wall = {"day": rgb("#8fa3b8"), "dawn": rgb("#8d8fae"), "storm": rgb("#6d7885")}.get(
        stage.scene.time, rgb("#39406e")
    )
    glow = Image.new("RGB", (stage.width, stage.height))
    for index in range(3):
        near = index / 2
        haze = 0.66 - 0.5 * near
        base = stage.horizon + 2
        layer = Image.new("RGBA", (stage.width * 2, base * 2), (0, 0, 0, 0))
        windows = Image.new("RGB", layer.size)
        x = -stage.unit * 0.03
        while x < stage.width:
            wide = stage.unit * float(rng.uniform(0.045, 0.095)) * (0.75 + 0.45 * near)
            crest = math.exp(-(((x / stage.width - 0.5) / 0.34) ** 2))
            tall = (
                stage.unit * (0.10 + float(rng.random()) ** 1.6 * 0.34 * (0.35 + 0.65 * crest)) * (1.12 - 0.36 * near)
            )
            tone = mix(mix(wall, rgb("#b08a80"), float(rng.random()) * 0.25), darken(wall, 0.4), near * 0.8)
            tone = mix(tone, (0.05, 0.06, 0.12), float(rng.uniform(0, 0.2)))
            _building(
                stage, rng, layer, windows, (x * 2, (base - tall) * 2, (x + wide) * 2, base * 2), (tone, air), haze
            )
            x += (
                wide
                + stage.unit * float(rng.uniform(-0.004, 0.012))
                + (stage.unit * 0.03 if rng.random() < 0.12 else 0)
            )
        stage.paste(layer.resize((stage.width, base), Image.Resampling.BOX), 0, 0)
        glow.paste(windows.resize((stage.width, base), Image.Resampling.BOX), (0, 0))
        if stage.mood.lamps:
            soft = np.asarray(glow.filter(ImageFilter.GaussianBlur(stage.unit / 130)), np.float32) / 255
            stage.pixels += soft * np.float32(0.35 + 0.3 * near)


def _building(
    stage: Stage, rng: np.random.Generator, layer: Image.Image, windows: Image.Image,
    box: tuple[float, float, float, float], paint: tuple[Color, Color], haze: float,
) -> None:  # fmt: skip
    draw, lamps = ImageDraw.Draw(layer), ImageDraw.Draw(windows)
    left, top, right, bottom = box
    tone, air = paint
    lit, dark = (mix(times(tone, stage.mood.key), air, haze), mix(times(tone, stage.mood.shade), air, haze))
    ridge = left + (right - left) * (0.62 if stage.light.x < 0 else 0.38)
    wide = right - left
    kind = int(rng.integers(0, 5))
    draw.rectangle((left, top, right, bottom), fill=_bytes(lit))
    draw.rectangle((ridge, top, right, bottom) if stage.light.x < 0 else (left, top, ridge, bottom), fill=_bytes(dark))
    if kind == 0:
        inset = wide * 0.2
        draw.rectangle((left + inset, top - wide * 0.5, right - inset, top), fill=_bytes(mix(lit, dark, 0.4)))
        draw.line(
            [(left + wide / 2, top - wide * 0.5), (left + wide / 2, top - wide * 1.1)], fill=_bytes(dark), width=3
        )
    elif kind == 1:
        draw.polygon([(left, top), (left + wide / 2, top - wide * 0.7), (right, top)], fill=_bytes(mix(lit, dark, 0.5)))
    elif kind == 2:
        draw.polygon([(left, top + 1), (right, top + 1), (right, top - wide * 0.4)], fill=_bytes(lit))
    elif kind == 3:
        draw.rectangle((left + wide * 0.15, top - wide * 0.18, left + wide * 0.45, top), fill=_bytes(dark))
    lamps.rectangle((left, top - wide, right, bottom), fill=(0, 0, 0))
    _windows(stage, rng, (draw, lamps), (left, top, right, bottom), (dark, air), haze)


def _windows(
    stage: Stage, rng: np.random.Generator, draws: tuple[ImageDraw.ImageDraw, ImageDraw.ImageDraw],
    box: tuple[float, float, float, float], paint: tuple[Color, Color], haze: float,
) -> None:  # fmt: skip
    left, top, right, bottom = box
    cell = max(5.0, stage.unit * 0.0165) * (1.25 - 0.5 * haze)
    columns = max(2, int((right - left) / cell) - 1)
    pitch = (right - left) / (columns + 0.6)
    share = float(rng.uniform(0.25, 0.6)) if stage.mood.lamps else 0.0
    codes = (
        ("#ff6ad0", "#58e0ff", "#ffd27a", "#b07aff")
        if stage.scene.time == "neon"
        else ("#ffd68a", "#ffe7b8", "#ffbf63")
    )
    y = top + cell * 0.7
    while y < bottom - cell:
        for column in range(columns):
            x = left + pitch * (column + 0.45)
            area = (x, y, x + pitch * 0.55, y + cell * 0.6)
            if rng.random() < share:
                color = mix(rgb(codes[int(rng.integers(0, len(codes)))]), paint[1], haze * 0.45)
                draws[0].rectangle(area, fill=_bytes(color))
                draws[1].rectangle(area, fill=_bytes(color))
            else:
                tone = mix(paint[0], paint[1], 0.35) if not stage.mood.lamps else darken(paint[0], 0.25)
                draws[0].rectangle(area, fill=_bytes(tone))
        y += cell * 1.25


def _bytes(color: Color) -> tuple[int, int, int, int]:
    red, green, blue = (max(0, min(255, round(part * 255))) for part in color)
    return red, green, blue, 255
