"""Colors: named colors, arithmetic on RGB triples, and the light and sky of each time of day."""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Color: TypeAlias = tuple[float, float, float]
"""Red, green and blue, each 0..1 (values above 1 mean brighter than paper white before the final curve)."""


def rgb(code: str) -> Color:
    """The color of a `#rrggbb` code."""
    return int(code[1:3], 16) / 255, int(code[3:5], 16) / 255, int(code[5:7], 16) / 255


def mix(first: Color, second: Color, amount: float) -> Color:
    """`first` at 0, `second` at 1."""
    keep = 1 - amount
    return (
        first[0] * keep + second[0] * amount,
        first[1] * keep + second[1] * amount,
        first[2] * keep + second[2] * amount,
    )


def lighten(color: Color, amount: float) -> Color:
    """Toward white."""
    return mix(color, (1.0, 1.0, 1.0), amount)


def darken(color: Color, amount: float) -> Color:
    """Toward a deep cool black, which keeps shadows colorful."""
    return mix(color, (0.03, 0.03, 0.08), amount)


def times(color: Color, factor: Color) -> Color:
    """Component-wise product: `color` seen under the light `factor`."""
    return color[0] * factor[0], color[1] * factor[1], color[2] * factor[2]


def luminance(color: Color) -> float:
    """Relative brightness with the Rec. 709 weights."""
    return 0.2126 * color[0] + 0.7152 * color[1] + 0.0722 * color[2]


def vector(color: Color) -> npt.NDArray[np.float32]:
    """The color as a float32 array of shape (3,)."""
    return np.array(color, np.float32)


COLORS: Final[dict[str, Color]] = {
    name: rgb(code)
    for name, code in {
        "red": "#d8342f",
        "crimson": "#b01e3c",
        "orange": "#f08a2c",
        "yellow": "#f6cb3c",
        "gold": "#e2ae3a",
        "green": "#46a352",
        "lime": "#9ccc3c",
        "emerald": "#1f9e6a",
        "teal": "#1f9a98",
        "turquoise": "#35c4c0",
        "cyan": "#3cc6e8",
        "blue": "#2f6fd6",
        "navy": "#22396f",
        "indigo": "#4a3fa8",
        "purple": "#7d46b8",
        "violet": "#9058cf",
        "lavender": "#b9a3e3",
        "magenta": "#d6399c",
        "pink": "#f28ab2",
        "brown": "#8a5a38",
        "beige": "#dcc8a4",
        "cream": "#f4e9cf",
        "white": "#f4f3ef",
        "silver": "#bcc4cc",
        "gray": "#8b9199",
        "black": "#2b2b33",
    }.items()
}


@dataclass(frozen=True, slots=True)
class Mood:
    """The light of a time of day: the sky from zenith to horizon, what it does to surfaces, and how distance looks."""

    sky: tuple[tuple[float, Color], ...]
    disc: Color
    glow: Color
    key: Color
    """What a surface turned to the light multiplies its color with."""
    shade: Color
    """The same for a surface turned away."""
    far: Color
    """The color that distance fades into."""
    cloud_lit: Color
    cloud_dark: Color
    sun_height: tuple[float, float]
    """Range of the disc's height above the horizon, as a share of the sky."""
    stars: float
    lamps: bool
    """Whether windows and lamps are lit."""


def _mood(
    sky: str, tones: str, key: Color, shade: Color, *, height: tuple[float, float], stars: float, lamps: bool
) -> Mood:
    """A mood from text: the sky as "position color" pairs; disc, glow, distance, lit cloud and dark cloud as colors."""
    stops = [item.split() for item in sky.split(",")]
    disc, glow, far, cloud_lit, cloud_dark = (rgb(code) for code in tones.split())
    return Mood(
        tuple((float(position), rgb(code)) for position, code in stops),
        disc, glow, key, shade, far, cloud_lit, cloud_dark, height, stars, lamps,
    )  # fmt: skip


MOODS: Final[dict[str, Mood]] = {
    "day": _mood(
        "0 #2f7fd0,.45 #63aee8,.8 #aedcf5,1 #dff1f8",
        "#fff6c4 #fff0b0 #a9cbe2 #ffffff #b9cde0",
        (1.04, 1.02, 0.97),
        (0.60, 0.65, 0.80),
        height=(0.62, 0.82),
        stars=0.0,
        lamps=False,
    ),
    "dawn": _mood(
        "0 #6f8fc4,.4 #a9b0d6,.66 #e6bfc6,.85 #f7cfae,1 #fbe3c0",
        "#fff4dc #f8c48c #c3b5cb #fbe1d2 #9a9cc4",
        (1.03, 0.95, 0.88),
        (0.60, 0.58, 0.76),
        height=(0.10, 0.22),
        stars=0.0,
        lamps=False,
    ),
    "sunset": _mood(
        "0 #2a2358,.3 #5c3478,.52 #a9456f,.7 #e2694f,.86 #f79d4c,1 #fcc878",
        "#fff0c2 #ff9a48 #a8587a #ffb26a #6a3a70",
        (1.10, 0.85, 0.66),
        (0.46, 0.34, 0.52),
        height=(0.08, 0.24),
        stars=0.12,
        lamps=True,
    ),
    "twilight": _mood(
        "0 #131a4a,.35 #2c2f78,.62 #6a4a9c,.82 #c06aa0,1 #f2a58e",
        "#fff2d8 #f08ca0 #6f5596 #d98cb4 #3b3674",
        (0.86, 0.72, 0.92),
        (0.34, 0.30, 0.56),
        height=(0.55, 0.75),
        stars=0.55,
        lamps=True,
    ),
    "night": _mood(
        "0 #060a24,.4 #0f1b4a,.75 #22397a,1 #40589c",
        "#f7f4e4 #9db4ff #2d3f7c #5d74b4 #18255a",
        (0.66, 0.73, 0.98),
        (0.25, 0.29, 0.50),
        height=(0.60, 0.80),
        stars=1.0,
        lamps=True,
    ),
    "storm": _mood(
        "0 #2a323d,.45 #4d5a68,.8 #83909a,1 #b3bcbd",
        "#dfe8ee #aebcc8 #7d8a94 #a4b0b8 #2f3842",
        (0.80, 0.84, 0.88),
        (0.44, 0.48, 0.55),
        height=(0.6, 0.8),
        stars=0.0,
        lamps=True,
    ),
    "neon": _mood(
        "0 #0a0524,.4 #26105c,.68 #6d1d8c,.87 #d43c9c,1 #ff86b8",
        "#ffd86b #ff58c8 #5a2088 #c048b4 #2a1260",
        (0.98, 0.66, 1.06),
        (0.30, 0.22, 0.54),
        height=(0.10, 0.26),
        stars=0.45,
        lamps=True,
    ),
}
