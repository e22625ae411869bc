"""The sky: its gradient, sun and moon, stars, clouds, aurora and rainbow."""

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from genesis.providers.local.server.illustrator.noise import fractal_noise, shifted, value_noise
from genesis.providers.local.server.illustrator.palette import Color, lighten, mix, rgb, vector
from genesis.providers.local.server.illustrator.stage import Pixels, Stage


def gradient(stops: tuple[tuple[float, Color], ...], at: Pixels) -> Pixels:
    """Colors interpolated along `stops` at the positions `at`; adds a color axis."""
    places = [place for place, _ in stops]
    channels = [np.interp(at, places, [color[part] for _, color in stops]) for part in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def paint_sky(stage: Stage) -> None:
    """Fills the whole picture with sky, from the zenith at the top to the horizon."""
    features = set(stage.scene.features)
    stage.pixels[:] = gradient(stage.mood.sky, np.clip(stage.rows / max(1, stage.horizon), 0, 1))
    starry = max(stage.mood.stars, 0.9 if {"stars", "galaxy", "aurora"} & features else 0.0)
    if (starry and stage.scene.time not in {"day", "storm"}) or "stars" in features:
        paint_stars(stage, starry)
    if "galaxy" in features or (stage.scene.time == "night" and "moon" not in features):
        _paint_milky_way(stage, 1.5 if "galaxy" in features else 0.75)
    if "aurora" in features:
        _paint_aurora(stage)
    _paint_disc(stage)
    if "meteor" in features:
        _paint_meteors(stage)
    _paint_clouds(stage)
    if "rainbow" in features:
        _paint_rainbow(stage)


def paint_stars(stage: Stage, amount: float) -> None:
    """Scatters stars over the sky, fewer toward the horizon."""
    rng = stage.random("stars")
    count = int(520 * amount)
    field = Image.new("L", (stage.width * 2, stage.horizon * 2), 0)
    draw = ImageDraw.Draw(field)
    for x, y, size in zip(rng.random(count), rng.random(count) ** 1.4, rng.random(count), strict=True):
        radius = stage.unit / 1024 * (0.9 + 2.6 * size**7) * 1.1
        cx, cy = x * field.width, y * field.height
        draw.ellipse((cx - radius, cy - radius, cx + radius, cy + radius), fill=int(70 + 185 * size**2))
    small = field.resize((stage.width, stage.horizon), Image.Resampling.BOX)
    halo = small.filter(ImageFilter.GaussianBlur(stage.unit / 400))
    light = np.asarray(small, np.float32) / 255 + np.asarray(halo, np.float32) / 255 * 0.8
    if stage.plane != "space":
        light *= np.clip(1.25 - stage.rows[: stage.horizon] / stage.horizon, 0, 1)
    stage.pixels[: stage.horizon] += light[..., None] * vector((1.0, 0.96, 0.9))


def _paint_milky_way(stage: Stage, strength: float) -> None:
    rng = stage.random("milky way")
    cloud = fractal_noise(rng, stage.horizon, stage.width, stage.unit * 0.28, octaves=6)
    tilt = float(rng.uniform(0.35, 0.8)) * (1 if rng.random() < 0.5 else -1)
    rows = stage.rows[: stage.horizon]
    distance = (rows - stage.horizon * 0.4) + (stage.columns - stage.width / 2) * tilt
    band = np.exp(-((distance / (stage.unit * 0.2)) ** 2)) * np.clip(cloud - 0.28, 0, 1) * strength
    core = np.exp(-((distance / (stage.unit * 0.08)) ** 2)) * np.clip(cloud - 0.4, 0, 1) * strength
    stage.pixels[: stage.horizon] += band[..., None] * vector(rgb("#5a5ab8")) + core[..., None] * vector(rgb("#e0a8c0"))


def _paint_aurora(stage: Stage) -> None:
    rng = stage.random("aurora")
    rows = stage.rows[: stage.horizon]
    for index, code in enumerate(("#34f5a0", "#2fd8e0", "#a05cff")):
        wave = fractal_noise(rng, 1, stage.width, stage.width * 0.34, octaves=3)[0]
        base = stage.horizon * (0.40 + 0.17 * index) + (wave - 0.5) * stage.horizon * 0.5
        above = base[None, :] - rows
        reach = stage.horizon * (0.10 + 0.20 * value_noise(rng, 1, stage.width, 9, stage.width * 0.12))
        rays = 0.45 + 0.55 * value_noise(rng, 1, stage.width, 9, stage.unit * 0.014)
        rays = rays * (0.35 + 0.65 * value_noise(rng, 1, stage.width, 9, stage.unit * 0.15))
        falling = np.exp(-np.maximum(-above, 0) / (stage.horizon * 0.045))
        curtain = np.where(above > 0, np.exp(-np.maximum(above, 0) / reach), falling) * rays
        tone = mix(rgb(code), rgb("#b45cff"), 0.15 * index)
        stage.pixels[: stage.horizon] += curtain[..., None] * vector(tone) * np.float32(0.66 - 0.14 * index)


def _paint_disc(stage: Stage) -> None:
    x, y, radius = stage.sun
    named = {"sun", "moon"} & set(stage.scene.features)
    if stage.scene.time == "storm" and not named:
        return
    moonlit = "moon" in stage.scene.features or stage.scene.time in {"night", "twilight"}
    distance = np.hypot(stage.columns - np.float32(x), stage.rows - np.float32(y))
    reach = stage.unit
    glow = 0.34 * np.exp(-distance / (reach * 0.30)) + 0.36 * np.exp(-((distance / (reach * 0.11)) ** 2))
    strength = 0.55 if moonlit else 0.8
    tone = rgb("#b9c8ff") if moonlit else stage.mood.glow
    room = np.clip(1.08 - stage.pixels, 0, 1)
    stage.pixels += (glow * strength)[..., None] * vector(tone) * room
    disc = np.clip(radius - distance + 0.5, 0, 1)
    if moonlit:
        stage.cover(disc, _moon_face(stage, x, y, radius))
    elif stage.scene.time == "neon":
        across = (stage.rows - y) / radius
        bars = np.where((across > -0.1) & ((across * 7) % 1 < 0.18 + 0.28 * np.clip(across, 0, 1)), 0.0, 1.0)
        face = gradient(((0, rgb("#ffe873")), (1, rgb("#ff3f92"))), np.clip(across * 0.5 + 0.5, 0, 1))
        stage.cover((disc * bars).astype(np.float32), face)
    else:
        shine = np.exp(-np.maximum(distance - radius, 0) / (radius * 0.55)) * np.float32(0.7)
        stage.pixels += shine[..., None] * vector(stage.mood.glow) * room
        stage.cover(disc, vector(lighten(stage.mood.disc, 0.2)) * np.float32(1.35))


def _moon_face(stage: Stage, x: float, y: float, radius: float) -> Pixels:
    spots = fractal_noise(stage.random("moon"), stage.height, stage.width, radius * 0.7, octaves=3)
    across = ((stage.columns - x) * -0.5 + (stage.rows - y) * 0.5) / radius
    tone = 0.98 - 0.16 * np.clip((spots - 0.5) * 4, 0, 1) - 0.10 * np.clip(across + 0.3, 0, 1)
    return np.asarray(tone[..., None] * vector(rgb("#fdf8e6")), dtype=np.float32)


def _paint_meteors(stage: Stage) -> None:
    rng = stage.random("meteors")
    layer = Image.new("L", (stage.width, stage.height), 0)
    draw = ImageDraw.Draw(layer)
    for _ in range(3):
        x, y = float(rng.uniform(0.2, 0.9)) * stage.width, float(rng.uniform(0.08, 0.4)) * stage.horizon
        length = stage.unit * float(rng.uniform(0.14, 0.28))
        for step in range(40):
            share = step / 40
            at = (x + length * share, y - length * 0.55 * share)
            to = (x + length * (share + 0.026), y - length * 0.55 * (share + 0.026))
            draw.line([at, to], fill=int(255 * (1 - share) ** 1.5), width=max(1, round(stage.unit / 300 * (1 - share))))
    light = np.asarray(layer.filter(ImageFilter.GaussianBlur(stage.unit / 900)), np.float32) / 255
    stage.pixels += light[..., None] * vector((1.0, 0.97, 0.9))


def _paint_clouds(stage: Stage) -> None:
    amount = {"storm": 0.27, "day": 0.02, "sunset": 0.0, "dawn": 0.0}.get(stage.scene.time, -0.06)
    if "clouds" in stage.scene.features:
        amount += 0.14
    if stage.scene.style == "minimal" and "clouds" not in stage.scene.features:
        return
    rng = stage.random("clouds")
    height = stage.horizon
    density = fractal_noise(rng, height, stage.width, stage.unit * 0.2, octaves=6, stretch=2.3)
    step = max(1, round(stage.unit * 0.016))
    toward = shifted(density, step, -step if stage.light.x > 0 else step)
    lit = np.clip(0.5 + (density - toward) * 5.5, 0, 1)
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    profile = np.clip(1.15 - np.abs(down - 0.46) * 1.35, 0, 1)
    cover = np.clip((density - 0.53 + amount) * 5.5, 0, 1) * profile
    cover = cover * cover * (3 - 2 * cover) * {"night": 0.4, "day": 0.95}.get(stage.scene.time, 0.8)
    x, y, _ = stage.sun
    distance = np.hypot(stage.columns - np.float32(x), stage.rows[:height] - np.float32(y))
    lit = np.clip(lit * 0.7 + 0.5 * np.exp(-distance / (stage.unit * 0.6)), 0, 1)[..., None]
    color = vector(stage.mood.cloud_dark) * (1 - lit) + vector(stage.mood.cloud_lit) * lit
    stage.cover(cover.astype(np.float32), color.astype(np.float32))


def _paint_rainbow(stage: Stage) -> None:
    rng = stage.random("rainbow")
    cx = stage.width * float(rng.uniform(0.42, 0.58))
    radius = min(stage.width * 0.46, stage.horizon * 0.86)
    distance = np.hypot(stage.columns - np.float32(cx), stage.rows - np.float32(stage.horizon))
    inward = (distance - radius) / (stage.unit * 0.062)
    stops = (
        (0.0, rgb("#8a4fe0")), (0.2, rgb("#3f6fe8")), (0.4, rgb("#38b86a")), (0.6, rgb("#f4dc4a")), (0.8, rgb("#f5923a")),
        (1.0, rgb("#e8403f")),
    )  # fmt: skip
    opacity = np.clip(np.minimum(inward, 1 - inward) * 7, 0, 1) * np.float32(0.62)
    opacity *= stage.rows < stage.horizon + stage.unit * 0.02
    stage.cover(opacity.astype(np.float32), gradient(stops, np.clip(inward, 0, 1)))


def paint_planet(stage: Stage, x: float, y: float, radius: float, base: Color, *, ring: bool) -> None:
    """A shaded planet, with a ring if wanted."""
    rng = stage.random(f"planet {x:.0f}")
    top, bottom = max(0, int(y - radius - 2)), min(stage.height, int(y + radius + 3))
    rows = stage.rows[top:bottom]
    distance = np.hypot(stage.columns - np.float32(x), rows - np.float32(y))
    noise = fractal_noise(rng, bottom - top, stage.width, radius * 0.3, octaves=5, stretch=3.0)
    bands = 0.5 + 0.5 * np.sin((rows - y) / radius * 9 + (noise - 0.5) * 7)
    surface = vector(base) * (0.72 + 0.3 * bands[..., None]) + vector(lighten(base, 0.6)) * (0.16 * noise[..., None])
    toward = (stage.columns - x) / radius * stage.light.x + (rows - y) / radius * stage.light.y
    depth = np.sqrt(np.clip(1 - (distance / radius) ** 2, 0, 1))
    shading = np.clip(0.10 + 1.0 * np.clip(toward * 0.85 + depth * 0.5, 0, 1), 0, 1.15)
    stage.cover(np.clip(radius - distance + 0.5, 0, 1), (surface * shading[..., None]).astype(np.float32), top)
    if ring:
        _paint_ring(stage, x, y, radius, base)


def _paint_ring(stage: Stage, x: float, y: float, radius: float, base: Color) -> None:
    turn = math.radians(-18)
    dx, dy = stage.columns - np.float32(x), stage.rows - np.float32(y)
    along = dx * math.cos(turn) + dy * math.sin(turn)
    across = (-dx * math.sin(turn) + dy * math.cos(turn)) * 3.6
    distance = np.hypot(along, across) / radius
    opacity = np.clip((distance - 1.32) * 18, 0, 1) * np.clip((2.15 - distance) * 18, 0, 1)
    opacity = opacity * (0.55 + 0.35 * np.sin(distance * 34))
    behind = (across < 0) & (np.hypot(dx, dy) < radius)
    stage.cover(np.where(behind, 0, opacity).astype(np.float32), lighten(base, 0.55))
