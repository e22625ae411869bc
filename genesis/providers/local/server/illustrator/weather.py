"""What is in the air in front of the scene: rain, snow, fog, lightning, fireflies; and the glow of lamps."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from genesis.providers.local.server.illustrator.noise import fractal_noise
from genesis.providers.local.server.illustrator.palette import mix, rgb, vector
from genesis.providers.local.server.illustrator.stage import Stage


def paint_lightning(stage: Stage) -> None:
    """A forked bolt from the clouds to the horizon, with its flash."""
    rng = stage.random("lightning")
    layer = Image.new("L", (stage.width, stage.height), 0)
    draw = ImageDraw.Draw(layer)
    start = stage.width * float(rng.uniform(0.2, 0.8))

    def bolt(x: float, y: float, end: float, width: float, level: int) -> None:
        while y < end:
            step = stage.unit * float(rng.uniform(0.015, 0.045))
            nx, ny = x + stage.unit * float(rng.uniform(-0.035, 0.035)), y + step
            draw.line([(x, y), (nx, ny)], fill=255, width=max(1, round(width)))
            if level < 2 and rng.random() < 0.14:
                bolt(nx, ny, ny + (end - ny) * 0.45, width * 0.5, level + 1)
            x, y = nx, ny

    bolt(start, stage.horizon * 0.12, stage.horizon * 0.99, stage.unit / 190, 0)
    sharp = np.asarray(layer.filter(ImageFilter.GaussianBlur(stage.unit / 1100)), np.float32) / 255
    halo = np.asarray(layer.filter(ImageFilter.GaussianBlur(stage.unit / 45)), np.float32) / 255
    stage.pixels += sharp[..., None] * vector((1.0, 0.98, 1.0)) + halo[..., None] * vector(rgb("#9aa8ff")) * np.float32(
        2.2
    )


def paint_fog(stage: Stage, strength: float) -> None:
    """Drifting fog, densest about the horizon."""
    rng = stage.random("fog")
    drift = fractal_noise(rng, stage.height, stage.width, stage.unit * 0.22, octaves=4, stretch=3.4)
    center = min(stage.horizon, stage.height * 0.8) + stage.unit * 0.02
    band = np.exp(-(((stage.rows - center) / (stage.unit * 0.26)) ** 2))
    amount = np.clip(band * (0.35 + 0.95 * drift) * strength, 0, 0.92)
    stage.cover(
        amount.astype(np.float32), mix(stage.horizon_color(), (0.9, 0.92, 0.95), 0.25 if stage.mood.lamps else 0.5)
    )


def paint_precipitation(stage: Stage) -> None:
    """Rain or snow over the whole picture, in three depths."""
    features = set(stage.scene.features)
    if "rain" in features or (
        stage.scene.time == "storm"
        and "snow" not in features
        and "rain" not in features
        and stage.plane in {"sea", "city", "street", "quay"}
    ):
        _paint_rain(stage)
    if "snow" in features or (
        stage.scene.season == "winter"
        and stage.plane not in {"table", "room", "studio", "space"}
        and stage.plane != "underwater"
    ):
        _paint_snow(stage)
    if "fireflies" in features:
        _paint_fireflies(stage)


def _paint_rain(stage: Stage) -> None:
    rng = stage.random("rain")
    layer = Image.new("L", (stage.width, stage.height), 0)
    draw = ImageDraw.Draw(layer)
    for _ in range(int(480 * stage.width * stage.height / stage.unit**2)):
        near = float(rng.random())
        x, y = float(rng.uniform(0, 1.15)) * stage.width, float(rng.uniform(-0.05, 1)) * stage.height
        length = stage.unit * (0.014 + 0.045 * near)
        draw.line(
            [(x, y), (x - length * 0.2, y + length)],
            fill=int(36 + 90 * near),
            width=max(1, round(stage.unit / 620 * near)),
        )
    light = np.asarray(layer.filter(ImageFilter.GaussianBlur(0.5)), np.float32) / 255
    stage.pixels += light[..., None] * (vector((0.8, 0.88, 0.95)) - stage.pixels * 0.5) * np.float32(0.8)


def _paint_snow(stage: Stage) -> None:
    rng = stage.random("snow")
    layer = Image.new("L", (stage.width * 2, stage.height * 2), 0)
    draw = ImageDraw.Draw(layer)
    for _ in range(int(300 * stage.width * stage.height / stage.unit**2)):
        near = float(rng.random()) ** 2
        x, y = float(rng.random()) * layer.width, float(rng.random()) * layer.height
        radius = stage.unit * (0.0016 + 0.0058 * near) * 2
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=int(235 - 90 * near))
    flakes = layer.resize((stage.width, stage.height), Image.Resampling.BOX).filter(
        ImageFilter.GaussianBlur(stage.unit / 1400)
    )
    stage.cover(
        np.asarray(flakes, np.float32) / 255, stage.lit((1.0, 1.0, 1.0), 1) if stage.mood.lamps else (1.0, 1.0, 1.0)
    )


def _paint_fireflies(stage: Stage) -> None:
    rng = stage.random("fireflies")
    for _ in range(26):
        x, y = float(rng.random()) * stage.width, stage.height * float(rng.uniform(0.42, 0.95))
        size = float(rng.uniform(0.6, 1.4))
        stage.glows.append((x, y, stage.unit * 0.004 * size, rgb("#fffbd0")))
        stage.glows.append((x, y, stage.unit * 0.018 * size, rgb("#d8f060")))


def paint_glows(stage: Stage) -> None:
    """Adds the light that lamps, windows and flames give off."""
    dark = 1.0 if stage.mood.lamps else 0.35
    for x, y, radius, color in stage.glows:
        reach = radius * 2.4
        x0, x1 = max(0, int(x - reach)), min(stage.width, int(x + reach) + 1)
        y0, y1 = max(0, int(y - reach)), min(stage.height, int(y + reach) + 1)
        if x0 >= x1 or y0 >= y1:
            continue
        dx = (np.arange(x0, x1, dtype=np.float32) - np.float32(x))[None, :]
        dy = (np.arange(y0, y1, dtype=np.float32) - np.float32(y))[:, None]
        fall = np.exp(-((dx * dx + dy * dy) / np.float32(radius * radius))) * np.float32(0.55 * dark)
        stage.pixels[y0:y1, x0:x1] += fall[..., None] * vector(color)
