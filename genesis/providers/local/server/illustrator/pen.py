"""Draws shaded vector shapes on a transparent, supersampled sprite."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypedDict, Unpack

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from genesis.providers.local.server.illustrator.palette import Color, lighten, mix, times

Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Light:
    """Where light comes from (a unit vector, x to the right and y down) and what it does to colors."""

    x: float
    y: float
    key: Color
    shade: Color
    rim: Color
    lamps: bool


@dataclass(frozen=True, slots=True)
class Glow:
    """A light that a sprite gives off: center and radius in sprite pixels."""

    x: float
    y: float
    radius: float
    color: Color


def smooth(points: Sequence[Point], *, closed: bool, steps: int = 9) -> list[Point]:
    """The Catmull-Rom curve through the points."""
    known = np.array(points, np.float64)
    padded = (
        np.concatenate([known[-1:], known, known[:2]]) if closed else np.concatenate([known[:1], known, known[-1:]])
    )
    moments = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        pieces.append(
            0.5
            * (
                2 * b
                + (c - a) * moments
                + (2 * a - 5 * b + 4 * c - d) * moments**2
                + (3 * b - a - 3 * c + d) * moments**3
            )
        )
    if not closed:
        pieces.append(known[-1:])
    return [(float(x), float(y)) for x, y in np.concatenate(pieces)]


def ellipse_points(cx: float, cy: float, rx: float, ry: float, angle: float = 0.0, count: int = 48) -> list[Point]:
    """Points of an ellipse turned by `angle` degrees."""
    turn = math.radians(angle)
    cosine, sine = math.cos(turn), math.sin(turn)
    result = []
    for step in range(count):
        around = 2 * math.pi * step / count
        x, y = rx * math.cos(around), ry * math.sin(around)
        result.append((cx + x * cosine - y * sine, cy + x * sine + y * cosine))
    return result


def arc_points(cx: float, cy: float, rx: float, ry: float, start: float, end: float, count: int = 24) -> list[Point]:
    """Points along an arc from `start` to `end` degrees, clockwise on screen from the right."""
    angles = [math.radians(start + (end - start) * step / (count - 1)) for step in range(count)]
    return [(cx + rx * math.cos(angle), cy + ry * math.sin(angle)) for angle in angles]


@dataclass(frozen=True, slots=True)
class Shape:
    """A filled area: its mask, and where the mask's corner lies on the sprite."""

    mask: Image.Image
    left: int
    top: int


class Paint(TypedDict, total=False):
    """How a shape is filled."""

    shade: float
    """How strongly light models it: 0 flat, 1 like a solid body."""
    inside: Shape | None
    """An area that clips it, as another drawing call returned it."""
    lit: bool
    """Whether it gives off its own light and so keeps its color in the dark."""
    alpha: float
    """Opacity, 0..1."""


class Pen:
    """A drawing surface in a subject's own units: x 0..width, y 0..height downward, plus a margin around."""

    MARGIN = 0.16

    def __init__(
        self, width: float, height: float, pixels_high: float, light: Light, rng: np.random.Generator, *,
        flip: bool = False, supersample: int = 2,
    ) -> None:  # fmt: skip
        self.width, self.height, self.light, self.rng = width, height, light, rng
        self.scale = pixels_high / height * supersample
        self.supersample = supersample
        self.flip = flip
        self.margin = self.MARGIN * max(width, height)
        size = (
            max(4, round((width + 2 * self.margin) * self.scale)),
            max(4, round((height + 2 * self.margin) * self.scale)),
        )
        self.canvas = Image.new("RGBA", size, (0, 0, 0, 0))
        self.glows: list[Glow] = []

    def _pixel(self, point: Point) -> Point:
        x = self.width - point[0] if self.flip else point[0]
        return (x + self.margin) * self.scale, (point[1] + self.margin) * self.scale

    def _local(self, pixels: Sequence[Point], reach: float = 0.0) -> tuple[Image.Image, int, int]:
        """An empty mask that covers the points and `reach` pixels around them, and its corner on the sprite."""
        xs, ys = [x for x, _ in pixels], [y for _, y in pixels]
        left, top = max(0, math.floor(min(xs) - reach) - 1), max(0, math.floor(min(ys) - reach) - 1)
        right = min(self.canvas.width, math.ceil(max(xs) + reach) + 2)
        bottom = min(self.canvas.height, math.ceil(max(ys) + reach) + 2)
        return Image.new("L", (max(1, right - left), max(1, bottom - top)), 0), left, top

    def polygon(self, points: Sequence[Point], color: Color, **paint: Unpack[Paint]) -> Shape:
        """Fills a polygon and returns its area."""
        pixels = [self._pixel(point) for point in points]
        mask, left, top = self._local(pixels)
        ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in pixels], fill=255)
        return self._fill(Shape(mask, left, top), color, paint)

    def blob(self, points: Sequence[Point], color: Color, **paint: Unpack[Paint]) -> Shape:
        """Fills the smooth closed curve through the points."""
        return self.polygon(smooth(points, closed=True), color, **paint)

    def oval(
        self, cx: float, cy: float, rx: float, ry: float, color: Color, *, angle: float = 0.0, **paint: Unpack[Paint]
    ) -> Shape:
        """Fills an ellipse turned by `angle` degrees."""
        return self.polygon(ellipse_points(cx, cy, rx, ry, angle), color, **paint)

    def box(
        self, x0: float, y0: float, x1: float, y1: float, color: Color, *, radius: float = 0.0, **paint: Unpack[Paint]
    ) -> Shape:
        """Fills an upright rectangle with rounded corners."""
        (ax, ay), (bx, by) = self._pixel((x0, y0)), self._pixel((x1, y1))
        mask, left, top = self._local([(ax, ay), (bx, by)])
        x, y = min(ax, bx) - left, ay - top
        corners = (x, y, max(x, max(ax, bx) - left - 1), max(y, by - top - 1))
        ImageDraw.Draw(mask).rounded_rectangle(corners, radius * self.scale, fill=255)
        return self._fill(Shape(mask, left, top), color, paint)

    def limb(self, points: Sequence[Point], widths: Sequence[float], color: Color, **paint: Unpack[Paint]) -> Shape:
        """Fills a rounded stroke along a smooth path whose width runs through `widths` (diameters)."""
        path = [self._pixel(point) for point in smooth(points, closed=False, steps=14)]
        positions = np.linspace(0, len(widths) - 1, len(path))
        radii = np.interp(positions, np.arange(len(widths)), np.array(widths)) / 2 * self.scale
        mask, left, top = self._local(path, float(radii.max()))
        draw = ImageDraw.Draw(mask)
        previous: Point | None = None
        for (px, py), radius in zip(path, radii.tolist(), strict=True):
            x, y = px - left, py - top
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
            if previous is not None:
                draw.line([previous, (x, y)], fill=255, width=max(1, round(2 * radius)))
            previous = (x, y)
        return self._fill(Shape(mask, left, top), color, Paint(shade=0.8) | paint)

    def stroke(
        self, points: Sequence[Point], width: float, color: Color, *, curved: bool = True, closed: bool = False,
        **paint: Unpack[Paint],
    ) -> Shape:  # fmt: skip
        """Draws a line of one width through the points, unshaded unless told otherwise."""
        path = list(points)
        if curved and len(path) > 2:
            path = smooth(path, closed=closed)
        if closed:
            path = [*path, path[0], path[1]]
        thick = max(1, round(width * self.scale))
        pixels = [self._pixel(point) for point in path]
        mask, left, top = self._local(pixels, thick)
        draw = ImageDraw.Draw(mask)
        pixels = [(x - left, y - top) for x, y in pixels]
        draw.line(pixels, fill=255, width=thick, joint="curve")
        if thick > 3:
            for x, y in (pixels[0], pixels[-1]):
                draw.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=255)
        return self._fill(Shape(mask, left, top), color, Paint(shade=0.0) | paint)

    def glow(self, x: float, y: float, radius: float, color: Color) -> None:
        """Notes a light that the composer adds around this spot."""
        px, py = self._pixel((x, y))
        factor = self.supersample
        self.glows.append(Glow(px / factor, py / factor, radius * self.scale / factor, color))

    def eye(self, x: float, y: float, radius: float, iris: Color, *, slit: bool = False) -> None:
        """A friendly eye with a highlight on the light's side."""
        self.oval(x, y, radius, radius * 1.05, iris, shade=0.4)
        self.oval(
            x, y, radius * (0.42 if slit else 0.72), radius * (0.92 if slit else 0.76), (0.06, 0.05, 0.07), shade=0
        )
        side = -1 if (self.light.x < 0) != self.flip else 1
        self.oval(
            x + side * radius * 0.3, y - radius * 0.36, radius * 0.27, radius * 0.27, (1, 1, 1), shade=0, lit=True
        )

    def finish(self) -> Image.Image:
        """The sprite at its real size."""
        size = (max(1, self.canvas.width // self.supersample), max(1, self.canvas.height // self.supersample))
        return self.canvas.resize(size, Image.Resampling.BOX)

    def _fill(self, shape: Shape, color: Color, paint: Paint) -> Shape:
        mask = shape.mask
        inside = paint.get("inside")
        if inside is not None:
            clip = Image.new("L", mask.size, 0)
            clip.paste(inside.mask, (inside.left - shape.left, inside.top - shape.top))
            mask = ImageChops.darker(mask, clip)
        area = mask.getbbox()
        filled = Shape(mask, shape.left, shape.top)
        if area is None:
            return filled
        box = (area[0] + shape.left, area[1] + shape.top, area[2] + shape.left, area[3] + shape.top)
        alpha = paint.get("alpha", 1.0)
        shade = 0.0 if paint.get("lit") else paint.get("shade", 1.0)
        local = mask.crop(area)
        if alpha < 1:
            local = _scaled(local, alpha)
        seen = color if paint.get("lit") else times(color, mix(self.light.key, self.light.shade, 0.25))
        source = self._gradient(color, shade, local.size) if shade > 0 else Image.new("RGB", local.size, _bytes(seen))
        self._paste(source, local, box, solid=alpha >= 1)
        if shade > 0:
            self._model(local, box, color, min(1.0, shade))
        return filled

    def _paste(self, source: Image.Image, local: Image.Image, box: tuple[int, int, int, int], *, solid: bool) -> None:
        """Lays color over the sprite; the alpha grows to cover what was painted."""
        region = self.canvas.crop(box)
        covered = ImageChops.lighter(region.getchannel("A"), local)
        color = Image.composite(source, region.convert("RGB"), local if solid else self._opaque(local, region))
        color.putalpha(covered)
        self.canvas.paste(color, box[:2])

    @staticmethod
    def _opaque(local: Image.Image, region: Image.Image) -> Image.Image:
        # Over transparent ground there is nothing to blend with, so the paint stands alone and only alpha is partial.
        empty = region.getchannel("A").point(lambda value: 255 if value == 0 else 0)
        return ImageChops.lighter(local, ImageChops.darker(empty, local.point(lambda value: 255 if value else 0)))

    def _gradient(self, color: Color, shade: float, size: tuple[int, int]) -> Image.Image:
        bright, dark = times(color, self.light.key), times(color, self.light.shade)
        across = np.linspace(-1, 1, 8)
        toward = 0.5 + 0.42 * (across[None, :] * self.light.x + across[:, None] * self.light.y)
        amount = np.clip(shade * 0.85 * (1 - toward), 0, 1)[..., None]
        pixels = np.array(bright) * (1 - amount) + np.array(dark) * amount
        small = Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))
        return small.resize(size, Image.Resampling.BILINEAR)

    def _model(self, local: Image.Image, box: tuple[int, int, int, int], color: Color, shade: float) -> None:
        """Gives the shape volume: a core shadow on the far side, a rim of light on the near one."""
        reach = min(local.size)
        if reach < 6:
            return
        for share, toward, paint, strength in (
            (0.17, 1, times(color, self.light.shade), 0.55),
            (0.05, -1, lighten(times(color, self.light.rim), 0.22), 0.55),
        ):
            offset = reach * share * toward
            moved = _shifted(local, self.light.x * offset, self.light.y * offset)
            edge = ImageChops.subtract(local, moved).filter(ImageFilter.BoxBlur(max(0.6, abs(offset) * 0.45)))
            edge = _scaled(ImageChops.multiply(edge, local), strength * shade)
            region = self.canvas.crop(box)
            alpha = region.getchannel("A")
            blended = Image.composite(Image.new("RGB", local.size, _bytes(paint)), region.convert("RGB"), edge)
            blended.putalpha(alpha)
            self.canvas.paste(blended, box[:2])


def _bytes(color: Color) -> tuple[int, int, int]:
    red, green, blue = (max(0, min(255, round(part * 255))) for part in color)
    return red, green, blue


def _shifted(mask: Image.Image, dx: float, dy: float) -> Image.Image:
    moved = Image.new("L", mask.size, 0)
    moved.paste(mask, (round(dx), round(dy)))
    return moved


def _scaled(mask: Image.Image, share: float) -> Image.Image:
    """The mask at a share of its opacity."""
    return ImageChops.multiply(mask, Image.new("L", mask.size, round(255 * share)))
