"""Renders a prompt into a picture: sky, ground, subjects, weather, light, style and caption."""

from typing import Final

import numpy as np
from PIL import Image, ImageFilter

from genesis.providers.local.server.illustrator.figures import draw_figure
from genesis.providers.local.server.illustrator.finish import finish_picture
from genesis.providers.local.server.illustrator.ground import paint_outdoors
from genesis.providers.local.server.illustrator.label import add_caption
from genesis.providers.local.server.illustrator.palette import COLORS, rgb
from genesis.providers.local.server.illustrator.placing import choose_plane, place_subjects
from genesis.providers.local.server.illustrator.scene import Scene, read_scene, without
from genesis.providers.local.server.illustrator.setting import (
    paint_indoors,
    paint_space,
    paint_studio,
    paint_underwater,
)  # fmt: skip
from genesis.providers.local.server.illustrator.sky import paint_planet, paint_sky
from genesis.providers.local.server.illustrator.stage import Pixels, Stage, set_stage
from genesis.providers.local.server.illustrator.subjects import FIGURES
from genesis.providers.local.server.illustrator.weather import (
    paint_fog,
    paint_glows,
    paint_lightning,
    paint_precipitation,
)  # fmt: skip

SMALLEST_SIDE: Final = 256
LARGEST_SIDE: Final = 2048
LONGEST_ASPECT: Final = 3.0
SUPERSAMPLING: Final[dict[str, int]] = {"low": 1, "draft": 1, "high": 3, "hd": 3}
"""Samples per pixel and axis by quality; every other quality gets 2."""


def illustrate(
    prompt: str, *, width: int, height: int, seed: int | None = None, style: str | None = None,
    quality: str = "standard", negative_prompt: str | None = None,
) -> Image.Image:  # fmt: skip
    """An RGB picture of exactly `width` x `height` pixels that shows what the prompt names.

    The same arguments give the same pixels; `seed` None lets the prompt alone decide. Raises ValueError when a side is
    outside 256..2048 or the aspect ratio is beyond 3:1.
    """
    _check_size(width, height)
    scene = without(read_scene(prompt, style), negative_prompt)
    key = f"{prompt.strip()}\0{seed}"
    stage = set_stage(scene, width, height, key, choose_plane(scene), SUPERSAMPLING.get(quality, 2))
    _paint(stage)
    picture = finish_picture(_tone(stage), scene.style, stage.random("finish"))
    add_caption(picture)
    return picture


def _check_size(width: int, height: int) -> None:
    for name, side in (("width", width), ("height", height)):
        if not SMALLEST_SIDE <= side <= LARGEST_SIDE:
            raise ValueError(f"{name} must be from {SMALLEST_SIDE} to {LARGEST_SIDE} pixels, not {side}")
    if max(width, height) > LONGEST_ASPECT * min(width, height):
        raise ValueError(f"the aspect ratio must be from 1:3 to 3:1, not {width}:{height}")


def _paint(stage: Stage) -> None:
    scene = stage.scene
    match stage.plane:
        case "space":
            paint_space(stage)
        case "underwater":
            paint_underwater(stage)
        case "studio":
            paint_studio(stage, _accent(scene))
        case "table" | "room":
            paint_sky(stage)
            paint_indoors(stage)
        case _:
            _paint_open_air(stage)
    for placement in place_subjects(stage):
        draw_figure(stage, placement)
    if "fog" in scene.features:
        paint_fog(stage, 1.0)
    paint_precipitation(stage)
    paint_glows(stage)


def _paint_open_air(stage: Stage) -> None:
    paint_sky(stage)
    features = set(stage.scene.features)
    if stage.plane == "moonscape" or "planet" in features:
        side = -1 if stage.light.x < 0 else 1
        color = COLORS[stage.scene.feature_color] if stage.scene.feature_color else rgb("#3f7fc8")
        radius = stage.unit * (0.13 if "planet" in features else 0.10)
        x, y = stage.width * (0.5 - side * 0.28), stage.horizon * 0.3
        paint_planet(
            stage, x, y, radius, color, ring="planet" in features and stage.scene.feature_color in {None, "gold"}
        )
    if "lightning" in features or (stage.scene.time == "storm" and stage.plane in {"sea", "beach"}):
        paint_lightning(stage)
    paint_outdoors(stage)
    if "fog" not in features and stage.scene.time == "dawn" and stage.plane not in {"street", "desert"}:
        paint_fog(stage, 0.45)


def _accent(scene: Scene) -> tuple[float, float, float] | None:
    if not scene.subjects:
        return None
    first = scene.subjects[0]
    return COLORS[first.color] if first.color else FIGURES[first.kind].inks[0]


def _tone(stage: Stage) -> Image.Image:
    """Bloom, a gentle shoulder for bright values, a light vignette, and dither against banding."""
    raw = np.clip(stage.pixels, 0, 1.6)
    bright = (np.clip(raw - 0.80, 0, 0.5) * 510).astype(np.uint8)
    small = Image.fromarray(bright).reduce(4).filter(ImageFilter.GaussianBlur(stage.unit * 0.006))
    bloom = np.asarray(small.resize((stage.width, stage.height), Image.Resampling.BILINEAR), np.float32) / np.float32(
        255
    )
    pixels = raw + bloom * np.float32(0.22 if stage.mood.lamps else 0.10)
    shoulder = 0.8 + 0.2 * np.tanh((pixels - 0.8) / 0.2 * 0.9) / np.tanh(1.8)
    pixels = np.where(pixels > 0.8, shoulder, pixels).astype(np.float32)
    dx = (stage.columns / stage.width - 0.5) * 2
    dy = (stage.rows / stage.height - 0.5) * 2
    vignette = 1 - 0.16 * np.clip(np.hypot(dx, dy) - 0.55, 0, 1) ** 1.5
    return Image.fromarray(_dithered(stage, (pixels * vignette[..., None]).astype(np.float32)))


def _dithered(stage: Stage, pixels: Pixels) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    noise = stage.random("dither").random((stage.height, stage.width, 1), dtype=np.float32)
    return (np.clip(pixels, 0, 1) * 254 + noise * np.float32(1.4)).clip(0, 255).astype(np.uint8)
