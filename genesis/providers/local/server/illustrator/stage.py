"""The picture being built: its pixels, its light, its horizon, and one random stream per part of the scene."""

import hashlib
import math
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from genesis.providers.local.server.illustrator.palette import COLORS, MOODS, Color, Mood, lighten, mix, vector
from genesis.providers.local.server.illustrator.pen import Light
from genesis.providers.local.server.illustrator.scene import Scene

Pixels: TypeAlias = npt.NDArray[np.float32]
"""Float32 values 0..1: a picture (height, width, 3), or a mask or field (height, width)."""
Values: TypeAlias = npt.NDArray[np.floating]
"""The same in any precision, as arithmetic with Python numbers gives it."""

HORIZONS: Final[dict[str, float]] = {
    "sea": 0.60, "beach": 0.52, "lake": 0.58, "river": 0.56, "street": 0.64, "forest": 0.66, "desert": 0.58,
    "meadow": 0.60, "hills": 0.58, "snowfield": 0.60, "moonscape": 0.66, "space": 1.0, "underwater": 0.84,
    "table": 0.62, "room": 0.70, "studio": 0.74, "quay": 0.66,
}  # fmt: skip


@dataclass(slots=True)
class Stage:
    """The state that the layers of a picture share; `pixels` grows from sky to foreground."""

    scene: Scene
    width: int
    height: int
    key: str
    """What the random streams derive from."""
    plane: str
    """The kind of ground the subjects stand on."""
    supersample: int
    mood: Mood
    light: Light
    horizon: int
    """Row of the horizon, in pixels from the top."""
    sun: tuple[float, float, float]
    """Center and radius of the sun or moon, in pixels."""
    pixels: Pixels
    glows: list[tuple[float, float, float, Color]] = field(default_factory=list)

    @property
    def unit(self) -> float:
        """The shorter side in pixels, the measure of sizes in the picture."""
        return float(min(self.width, self.height))

    @property
    def rows(self) -> Pixels:
        """Row numbers, shape (height, 1)."""
        return np.arange(self.height, dtype=np.float32)[:, None]

    @property
    def columns(self) -> Pixels:
        """Column numbers, shape (1, width)."""
        return np.arange(self.width, dtype=np.float32)[None, :]

    def random(self, part: str) -> np.random.Generator:
        """An independent random stream for one part of the picture."""
        return random_stream(self.key, part)

    def cover(self, mask: Values, color: Color | Values, top: int = 0) -> None:
        """Blends a color or picture over the rows from `top` with the opacity `mask`."""
        region = self.pixels[top : top + mask.shape[0]]
        paint = vector(color) if isinstance(color, tuple) else color.astype(np.float32, copy=False)
        region += (paint - region) * mask.astype(np.float32, copy=False)[..., None]

    def paste(self, sprite: Image.Image, left: int, top: int, opacity: float = 1.0) -> None:
        """Lays an RGBA sprite over the picture; what lies outside is cut off."""
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(self.width, left + sprite.width), min(self.height, top + sprite.height)
        if x0 >= x1 or y0 >= y1:
            return
        part = np.asarray(sprite.crop((x0 - left, y0 - top, x1 - left, y1 - top)), dtype=np.float32) / 255
        region = self.pixels[y0:y1, x0:x1]
        region += (part[..., :3] - region) * (part[..., 3:] * np.float32(opacity))

    def horizon_color(self) -> Color:
        """The color of the air just above the horizon."""
        row = self.pixels[max(0, min(self.height, self.horizon) - 2)].mean(axis=0)
        return float(row[0]), float(row[1]), float(row[2])

    def lit(self, color: Color, amount: float = 0.75) -> Color:
        """A ground color under this scene's light: 1 fully lit, 0 in shadow."""
        key = mix(self.light.shade, self.light.key, amount)
        return color[0] * key[0], color[1] * key[1], color[2] * key[2]


def random_stream(key: str, part: str) -> np.random.Generator:
    """A generator that depends on nothing but the two texts."""
    digest = hashlib.sha256(f"{key}\0{part}".encode("utf-8", "replace")).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def set_stage(scene: Scene, width: int, height: int, key: str, plane: str, supersample: int) -> Stage:
    """An empty stage with its horizon, sun and light in place."""
    mood = _tinted(MOODS[scene.time], scene.sky_color)
    rng = random_stream(key, "stage")
    horizon = round(height * min(1.0, HORIZONS[plane] + float(rng.uniform(-0.015, 0.015))))
    if plane == "space":
        horizon = height
    unit = min(width, height)
    side = -1 if rng.random() < 0.5 else 1
    sun_x = width * (0.5 + side * float(rng.uniform(0.14, 0.33)))
    named = {"sun", "moon"} & set(scene.features)
    low, high = mood.sun_height
    if named and low < 0.5:
        low, high = (0.58, 0.74) if "moon" in named else (0.36, 0.5)
    sun_y = horizon * (1 - float(rng.uniform(low, high)))
    radius = unit * (0.12 if scene.time == "neon" else 0.085 if named else 0.05)
    across = (sun_x - width / 2) / width * 2
    down = -0.9 if scene.time in {"day", "storm", "night", "twilight"} else -0.55
    length = math.hypot(across + 0.35 * side, down)
    key_color, shade_color = mood.key, mood.shade
    if plane in {"space", "moonscape"}:
        key_color, shade_color = (1.02, 0.99, 0.95), (0.34, 0.36, 0.48)
    light = Light(
        (across + 0.35 * side) / length,
        down / length,
        key_color,
        shade_color,
        mood.glow,
        mood.lamps or plane == "space",
    )
    pixels = np.zeros((height, width, 3), np.float32)
    return Stage(scene, width, height, key, plane, supersample, mood, light, horizon, (sun_x, sun_y, radius), pixels)


def _tinted(mood: Mood, name: str | None) -> Mood:
    """The mood with its sky in the color that the prompt names."""
    if name is None:
        return mood
    color = COLORS[name]
    sky = tuple((at, mix(mix(stop, color, 0.62), lighten(color, 0.55), at * 0.5)) for at, stop in mood.sky)
    return Mood(
        sky, mood.disc, mood.glow, mood.key, mood.shade, mix(mood.far, color, 0.4),
        mix(mood.cloud_lit, lighten(color, 0.6), 0.5), mix(mood.cloud_dark, color, 0.4),
        mood.sun_height, mood.stars, mood.lamps,
    )  # fmt: skip
