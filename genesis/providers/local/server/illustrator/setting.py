"""Settings without an open landscape: table, room, studio, space and under water."""

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from genesis.providers.local.server.illustrator.noise import fractal_noise
from genesis.providers.local.server.illustrator.palette import COLORS, Color, darken, lighten, mix, rgb, vector
from genesis.providers.local.server.illustrator.pen import Pen
from genesis.providers.local.server.illustrator.sky import paint_planet, paint_stars
from genesis.providers.local.server.illustrator.stage import Stage

WOOD: Color = rgb("#a9713f")
WALLS: dict[str, Color] = {
    "day": rgb("#b9cdc4"), "dawn": rgb("#d9c4bc"), "sunset": rgb("#c99a80"), "twilight": rgb("#6a6488"),
    "night": rgb("#4a5478"), "storm": rgb("#7c8890"), "neon": rgb("#4c2f7a"),
}  # fmt: skip


def paint_indoors(stage: Stage) -> None:
    """A wall with a window onto the sky that is already painted, and a wooden table or floor."""
    rng = stage.random("room")
    view = stage.pixels.copy()
    wall = (
        mix(WALLS[stage.scene.time], COLORS[stage.scene.ground_color], 0.7)
        if stage.scene.ground_color
        else WALLS[stage.scene.time]
    )
    side = -1.0 if stage.light.x < 0 else 1.0
    window_x = stage.width * (0.5 + side * 0.27)
    distance = np.hypot((stage.columns - window_x) / stage.width, (stage.rows - stage.horizon * 0.4) / stage.height)
    tone = np.clip(1.12 - distance * 0.75, 0.4, 1.2)[..., None]
    stage.pixels[:] = (
        vector(wall) * tone * (0.985 + 0.03 * fractal_noise(rng, stage.height, stage.width, 6, octaves=2)[..., None])
    )
    _paint_window(stage, view, window_x)
    _paint_boards(stage, window_x)


def _paint_window(stage: Stage, view: np.ndarray[tuple[int, ...], np.dtype[np.float32]], x: float) -> None:
    half_w, top, bottom = (
        stage.unit * 0.17,
        stage.horizon * 0.10,
        stage.horizon * 0.10 + min(stage.unit * 0.44, stage.horizon * 0.74),
    )
    layer = Image.new("L", (stage.width * 2, stage.height * 2), 0)
    draw = ImageDraw.Draw(layer)
    frame = stage.unit * 0.014
    draw.rectangle(((x - half_w) * 2, top * 2, (x + half_w) * 2, bottom * 2), fill=255)
    opening = np.asarray(layer.resize((stage.width, stage.height), Image.Resampling.BOX), np.float32) / 255
    draw.rectangle(((x - frame / 2) * 2, top * 2, (x + frame / 2) * 2, bottom * 2), fill=0)
    middle = top + (bottom - top) * 0.42
    draw.rectangle(((x - half_w) * 2, (middle - frame / 2) * 2, (x + half_w) * 2, (middle + frame / 2) * 2), fill=0)
    panes = np.asarray(layer.resize((stage.width, stage.height), Image.Resampling.BOX), np.float32) / 255
    outer = Image.new("L", (stage.width, stage.height), 0)
    ImageDraw.Draw(outer).rectangle(
        (x - half_w - frame * 1.6, top - frame * 1.6, x + half_w + frame * 1.6, bottom + frame * 1.6), fill=255
    )
    soft = np.asarray(outer.filter(ImageFilter.GaussianBlur(stage.unit * 0.05)), np.float32) / 255
    stage.pixels += soft[..., None] * vector(stage.mood.glow) * np.float32(0.10)
    stage.cover(np.asarray(outer, np.float32) / 255, stage.lit(rgb("#e9e1d2"), 0.6))
    stage.cover(opening, stage.lit(rgb("#d8cfc0"), 0.5))
    stage.cover(panes, view)
    sill = Image.new("L", (stage.width, stage.height), 0)
    ImageDraw.Draw(sill).rectangle(
        (x - half_w - frame * 3, bottom + frame, x + half_w + frame * 3, bottom + frame * 3), fill=255
    )
    stage.cover(np.asarray(sill, np.float32) / 255, stage.lit(rgb("#f0e8da"), 0.8))


def _paint_boards(stage: Stage, window_x: float) -> None:
    """Wooden boards in perspective, with the window's light falling over them."""
    height = stage.height - stage.horizon
    if height < 2:
        return
    rng = stage.random("boards")
    depth = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    grain = fractal_noise(rng, height, stage.width, stage.unit * 0.012, octaves=4, stretch=14)
    if stage.plane == "table":
        seam = (depth + 0.10) ** 0.7 * 5.2
    else:
        seam = (stage.columns - stage.width / 2) / (stage.unit * (0.10 + 0.16 * depth))
        seam = np.broadcast_to(seam, (height, stage.width))
    board = np.floor(seam)
    tones = 0.9 + 0.16 * np.mod(np.sin(board * 12.9898) * 43758.5453, 1)
    line = np.exp(-((np.minimum(seam - board, 1 - (seam - board)) / 0.018) ** 2))
    wood = vector(stage.lit(WOOD, 0.55)) * (tones * (0.86 + 0.28 * grain) * (1 - 0.4 * line))[..., None]
    pool = np.exp(-(((stage.columns - window_x) / (stage.unit * 0.5)) ** 2)) * np.exp(-(((depth - 0.35) / 0.5) ** 2))
    wood = wood * (0.86 + 0.5 * pool[..., None]) + vector(stage.mood.glow) * (pool * 0.06)[..., None]
    stage.pixels[stage.horizon :] = wood
    edge = max(2, round(stage.unit * 0.006))
    if stage.plane == "table":
        stage.pixels[stage.horizon : stage.horizon + edge] = vector(stage.lit(lighten(WOOD, 0.3), 0.8))
    else:
        stage.pixels[stage.horizon - 4 * edge : stage.horizon] = vector(stage.lit(rgb("#efe8dc"), 0.6))
        stage.pixels[stage.horizon : stage.horizon + edge] *= 0.55


def paint_studio(stage: Stage, accent: Color | None) -> None:
    """A plain backdrop that curves into the floor, in a color that sets off the subject's."""
    if stage.scene.ground_color:
        base = COLORS[stage.scene.ground_color]
    elif stage.scene.time in {"night", "neon", "twilight"}:
        base = mix(stage.mood.sky[1][1], stage.mood.sky[2][1], 0.5)
    else:
        base = _complement(accent or rgb("#d8a860"))
    center_x, center_y = stage.width * 0.5, stage.height * 0.46
    distance = np.hypot((stage.columns - center_x) / stage.width, (stage.rows - center_y) / stage.height)
    glow = np.clip(1.1 - distance * 1.15, 0, 1)[..., None]
    color = vector(darken(base, 0.16)) * (1 - glow) + vector(lighten(base, 0.34)) * glow
    fall = np.clip((stage.rows - stage.horizon) / (stage.height * 0.08), 0, 1)
    fall = (fall * fall * (3 - 2 * fall))[..., None]
    floor = color * (1.0 - 0.10 * fall) + vector(lighten(base, 0.3)) * (0.05 * fall)
    stage.pixels[:] = floor


def _complement(color: Color) -> Color:
    """A soft tint opposite the color."""
    mean = sum(color) / 3
    opposite = (
        max(0.0, min(1.0, 0.66 + (mean - color[0]) * 0.9)),
        max(0.0, min(1.0, 0.66 + (mean - color[1]) * 0.9)),
        max(0.0, min(1.0, 0.66 + (mean - color[2]) * 0.9)),
    )
    return mix(opposite, rgb("#d8dee6"), 0.3)


def paint_space(stage: Stage) -> None:
    """Stars, a nebula and a planet or two."""
    rng = stage.random("space")
    tint = COLORS[stage.scene.sky_color or stage.scene.ground_color or "indigo"]
    stage.pixels[:] = vector(rgb("#05061a"))
    cloud = fractal_noise(rng, stage.height, stage.width, stage.unit * 0.5, octaves=6)
    veil = fractal_noise(rng, stage.height, stage.width, stage.unit * 0.36, octaves=6)
    body = np.clip((cloud - 0.40) * 2.6, 0, 1) * np.clip(0.25 + veil, 0, 1)
    stage.pixels += body[..., None] * vector(mix(tint, rgb("#3a3ab0"), 0.4)) * np.float32(0.75)
    heart = np.clip((cloud * veil - 0.26) * 5, 0, 1)
    stage.pixels += heart[..., None] * vector(mix(rgb("#f06ab0"), tint, 0.3)) * np.float32(0.6)
    stage.pixels *= (0.55 + 0.9 * veil)[..., None]
    paint_stars(stage, 1.3)
    named = "planet" in stage.scene.features
    color = (
        COLORS[stage.scene.feature_color]
        if stage.scene.feature_color and named
        else rgb(("#d89a62", "#5f94d8", "#c86a8a", "#6ab8a0")[int(rng.integers(0, 4))])
    )
    side = -1 if stage.light.x < 0 else 1
    x = stage.width * (0.5 - side * 0.26)
    radius = stage.unit * (0.27 if named or not stage.scene.subjects else 0.16)
    y = stage.height * (0.34 if stage.scene.subjects else 0.46)
    paint_planet(
        stage, x, y, radius, color, ring=stage.scene.feature_color == "gold" or (not named and bool(rng.random() < 0.6))
    )
    paint_planet(
        stage, stage.width * (0.5 + side * 0.33), stage.height * 0.2, stage.unit * 0.055, rgb("#b9b4c4"), ring=False
    )


def paint_underwater(stage: Stage) -> None:
    """Blue depth with slanting light, a sandy bed, corals and weed."""
    rng = stage.random("under water")
    bright = {"night": 0.5, "storm": 0.7, "twilight": 0.65, "neon": 0.7}.get(stage.scene.time, 1.0)
    depth = np.clip(stage.rows / stage.height, 0, 1)[..., None]
    tint = COLORS[stage.scene.ground_color] if stage.scene.ground_color else rgb("#1f8fc0")
    upper, lower = lighten(mix(tint, rgb("#38c8d8"), 0.5), 0.25), darken(mix(tint, rgb("#0a3a78"), 0.6), 0.15)
    water = vector(upper) * (1 - depth) ** 1.3 + vector(lower) * (1 - (1 - depth) ** 1.3)
    stage.pixels[:] = water * bright
    slant = (stage.columns - stage.width * 0.5) + (stage.rows + stage.height * 0.3) * 0.42 * (
        1 if stage.light.x < 0 else -1
    ) * -1
    rays = fractal_noise(rng, 1, stage.width * 3, stage.unit * 0.09, octaves=3)[0]
    index = np.clip(slant / (1 + 0.3 * depth[..., 0]) + stage.width * 1.5, 0, stage.width * 3 - 1).astype(np.int64)
    shafts = np.clip((rays[index] - 0.5) * 3.2, 0, 1) * (1 - depth[..., 0]) ** 1.2
    stage.pixels += shafts[..., None] * vector((0.75, 0.95, 0.95)) * np.float32(0.34 * bright)
    _paint_seabed(stage, rng, bright)
    _paint_reef(stage, rng)


def _paint_seabed(stage: Stage, rng: np.random.Generator, bright: float) -> None:
    line = fractal_noise(rng, 1, stage.width, stage.width * 0.3, octaves=3)[0]
    top = stage.horizon + (0.5 - line) * stage.unit * 0.12
    start = int(top.min()) - 1
    below = stage.rows[start:] - top[None, :]
    caustic = fractal_noise(rng, stage.height - start, stage.width, stage.unit * 0.05, octaves=2, stretch=2.2)
    web = np.exp(-(((caustic - 0.5) / 0.035) ** 2))[..., None]
    sand = vector(mix(rgb("#d9cfa8"), rgb("#2f8fb8"), 0.42)) * bright + web * np.float32(0.16 * bright)
    fall = np.clip(below / (stage.height - start), 0, 1)[..., None]
    stage.cover(np.clip(below / (stage.unit * 0.01), 0, 1), (sand * (1 - 0.25 * fall)).astype(np.float32), start)


def _paint_reef(stage: Stage, rng: np.random.Generator) -> None:
    for index in range(9):
        x = stage.width * ((index + float(rng.uniform(0.1, 0.9))) / 9)
        if abs(x / stage.width - 0.5) < 0.12:
            continue
        tall = stage.unit * float(rng.uniform(0.12, 0.30))
        pen = Pen(60, 100, tall, stage.light, rng, supersample=stage.supersample)
        color = mix(
            rgb(("#e8607a", "#f0964a", "#b86ad0", "#4fae7a", "#3f9a86")[int(rng.integers(0, 5))]), rgb("#1f6fa8"), 0.22
        )
        if index % 2:
            for lean in (-16, -5, 6, 17):
                sway = float(rng.uniform(-10, 10))
                pen.limb(
                    [
                        (30 + lean * 0.5, 101),
                        (30 + lean + sway, 66),
                        (30 + lean - sway, 36),
                        (30 + lean * 1.3 + sway, 4 + abs(lean)),
                    ],
                    [6, 5, 4, 1],
                    mix(color, rgb("#2f9a6a"), 0.7),
                )
        else:
            _coral(pen, 30, 100, -90, 40, 10, 4, color)
        sprite = pen.finish()
        base = stage.horizon + (stage.height - stage.horizon) * float(rng.uniform(0.25, 0.8))
        margin = pen.margin * tall / 100
        stage.paste(sprite, round(x - sprite.width / 2), round(base - tall - margin))
    _paint_bubbles(stage, rng)


def _coral(pen: Pen, x: float, y: float, turn: float, length: float, width: float, levels: int, color: Color) -> None:
    angle = math.radians(turn)
    end = (x + length * math.cos(angle), y + length * math.sin(angle))
    pen.limb([(x, y), end], [width, width * 0.8], lighten(color, 0.06 * (4 - levels)))
    if levels > 1:
        for fork in (-30, 28):
            _coral(pen, end[0], end[1], turn + fork, length * 0.66, width * 0.74, levels - 1, color)


def _paint_bubbles(stage: Stage, rng: np.random.Generator) -> None:
    layer = Image.new("L", (stage.width * 2, stage.height * 2), 0)
    draw = ImageDraw.Draw(layer)
    for _ in range(26):
        x, y = float(rng.random()) * layer.width, float(rng.random()) * layer.height * 0.85
        radius = stage.unit * float(rng.uniform(0.003, 0.012)) * 2
        draw.ellipse(
            (x - radius, y - radius, x + radius, y + radius), outline=170, fill=46, width=max(1, round(radius * 0.16))
        )
        draw.ellipse((x - radius * 0.5, y - radius * 0.6, x - radius * 0.1, y - radius * 0.2), fill=230)
    stage.cover(
        np.asarray(layer.resize((stage.width, stage.height), Image.Resampling.BOX), np.float32) / 255, (0.88, 0.98, 1.0)
    )
