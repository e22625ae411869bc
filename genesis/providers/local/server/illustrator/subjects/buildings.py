"""Houses, castles and other things that are built."""

import math

from genesis.providers.local.server.illustrator.palette import Color, darken, lighten, luminance, mix, rgb
from genesis.providers.local.server.illustrator.pen import Pen
from genesis.providers.local.server.illustrator.subjects.registry import figure

WINDOW_LIGHT: Color = rgb("#ffd987")
WOOD: Color = rgb("#7a5236")


def _window(
    pen: Pen, x: float, y: float, width: float, height: float, *, frame: Color | None, arched: bool = False
) -> None:
    """A window with its center at x and its sill at y + height."""
    pane = WINDOW_LIGHT if pen.light.lamps else rgb("#8fbcd4")
    if frame:
        pen.box(x - width / 2 - 1.2, y - 1.2, x + width / 2 + 1.2, y + height + 1.2, frame, shade=0.5)
    if arched:
        pen.oval(x, y + width / 2, width / 2, width / 2, pane, lit=pen.light.lamps, shade=0.5)
        y, height = y + width / 2, height - width / 2
    pen.box(x - width / 2, y, x + width / 2, y + height, pane, lit=pen.light.lamps, shade=0.5)
    if frame:
        pen.stroke([(x, y), (x, y + height)], 0.9, frame)
        pen.stroke([(x - width / 2, y + height / 2), (x + width / 2, y + height / 2)], 0.9, frame)
    if pen.light.lamps:
        pen.glow(x, y + height / 2, width * 0.9, rgb("#b87a30"))


@figure("house", (118, 96), "#e8d3ac #d98a6a #a8c0c8 #c9b0d0", span=0.48, depth=0.52, perch=(60, 6))
def draw_house(pen: Pen, ink: Color) -> None:
    """A cottage with a pitched roof, a chimney and a garden fence of shrubs."""
    roof = rgb("#a8452f") if abs(ink[0] - 0.66) + abs(ink[1] - 0.27) > 0.5 else rgb("#4f5866")
    pen.box(84, 8, 94, 34, darken(roof, 0.2))
    pen.box(82.4, 5, 95.6, 9.4, darken(roof, 0.4), radius=1)
    for index, (x, y, radius) in enumerate(((91, 0, 3.4), (96, -7, 4.6), (104, -13, 5.6))):
        pen.oval(x, y, radius, radius * 0.8, (0.95, 0.95, 0.96), shade=0.6, alpha=0.75 - index * 0.18)
    pen.box(14, 40, 104, 96, ink, shade=0.8)
    pen.box(14, 88, 104, 96, mix(rgb("#8d8a86"), ink, 0.2), shade=0.8)
    slope = pen.polygon([(4, 45), (26, 8), (92, 8), (114, 45)], roof)
    for row in range(1, 5):
        course = 8 + row * 7.6
        pen.stroke([(0, course), (118, course)], 0.9, darken(roof, 0.35), inside=slope, alpha=0.7)
        for column in range(16):
            seam = column * 8 + (row % 2) * 4
            pen.stroke([(seam, course), (seam, course - 7)], 0.6, darken(roof, 0.35), inside=slope, alpha=0.4)
    pen.box(8, 44, 110, 48, darken(ink, 0.6), shade=0, alpha=0.35)
    white = lighten(ink, 0.8) if luminance(ink) < 0.8 else rgb("#8a6a50")
    for x in (32, 87):
        _window(pen, x, 55, 17, 18, frame=white)
        pen.box(x - 11, 74.6, x + 11, 79, WOOD, radius=1)
        for offset, color in ((-8, "#e8587a"), (-3, "#f2c040"), (3, "#e8587a"), (8, "#f4f0f0")):
            pen.oval(x + offset, 73.4, 2.9, 2.7, rgb(color), shade=0.6)
    pen.box(50, 57, 69, 96, white, shade=0.5)
    pen.box(51.6, 59, 67.4, 96, darken(roof, 0.25), radius=1)
    pen.box(54.4, 63, 64.6, 73, WINDOW_LIGHT if pen.light.lamps else rgb("#8fbcd4"), lit=pen.light.lamps, shade=0.4)
    pen.oval(65, 80, 1.2, 1.2, rgb("#f0cf60"), shade=0.2)
    for x, radius in ((10, 9), (21, 7), (98, 7.5), (110, 9.5)):
        pen.oval(x, 96 - radius * 0.7, radius, radius * 0.9, rgb("#4f8a48"))


def _battlement(pen: Pen, x0: float, x1: float, y: float, color: Color, count: int) -> None:
    step = (x1 - x0) / (count * 2 - 1)
    for index in range(count):
        pen.box(x0 + 2 * index * step, y - 5, x0 + (2 * index + 1) * step, y + 1, color, shade=0.6)


def _turret(pen: Pen, x: float, top: float, width: float, bottom: float, wall: Color, roof: Color) -> None:
    pen.box(x - width / 2, top, x + width / 2, bottom, wall)
    pen.box(x - width / 2 - 2, top - 2, x + width / 2 + 2, top + 4, darken(wall, 0.12), shade=0.8)
    pen.polygon([(x - width / 2 - 4, top), (x, top - width * 1.35), (x + width / 2 + 4, top)], roof)
    peak = top - width * 1.35
    pen.stroke([(x, peak), (x, peak - 9)], 0.8, WOOD)
    pen.polygon([(x, peak - 9), (x + 9, peak - 6.4), (x, peak - 3.6)], rgb("#f0c244"), shade=0.4)
    _window(pen, x, top + 11, width * 0.28, width * 0.55, frame=None, arched=True)


@figure("castle", (140, 110), "#b9b3a8 #a89a8c", span=0.62, depth=0.6, perch=(70, 40))
def draw_castle(pen: Pen, ink: Color) -> None:
    """A castle with turrets, flags and a gate."""
    roof = rgb("#3f5f9a") if ink[2] < 0.75 or ink[0] > 0.6 else rgb("#b0443a")
    back = darken(ink, 0.14)
    _turret(pen, 52, 32, 17, 100, back, roof)
    _turret(pen, 90, 36, 16, 100, back, roof)
    pen.box(56, 40, 86, 108, ink)
    _battlement(pen, 55, 87, 40, ink, 5)
    _turret(pen, 71, 20, 18, 60, ink, roof)
    wall = pen.box(20, 66, 120, 110, ink)
    _battlement(pen, 20, 120, 66, ink, 11)
    for row in range(6):
        for column in range(8):
            x, y = 24 + column * 13 + (row % 2) * 6, 70 + row * 7
            pen.box(x, y, x + 6, y + 3, darken(ink, 0.14), radius=0.6, inside=wall, shade=0.2, alpha=0.6)
    _turret(pen, 18, 52, 24, 110, ink, roof)
    _turret(pen, 122, 52, 24, 110, ink, roof)
    pen.oval(70, 88, 12, 12, darken(ink, 0.35), shade=0.4)
    pen.box(58, 88, 82, 110, darken(ink, 0.35), shade=0.4)
    pen.oval(70, 89, 9.6, 10, darken(WOOD, 0.35), shade=0.5)
    pen.box(60.4, 89, 79.6, 110, darken(WOOD, 0.35), shade=0.5)
    for x in (64, 68, 72, 76):
        pen.stroke([(x, 80), (x, 110)], 0.8, darken(WOOD, 0.75))
    pen.stroke([(60, 97), (80, 97)], 0.8, darken(WOOD, 0.75))
    for x in (42, 98):
        _window(pen, x, 80, 6, 11, frame=None, arched=True)


@figure("lighthouse", (70, 130), "#d0402f #2f5fa0", span=0.72, depth=0.62, perch=(35, 24))
def draw_lighthouse(pen: Pen, ink: Color) -> None:
    """A striped lighthouse on a rock with its lamp lit."""
    white, iron, rock = rgb("#f4f1ea"), rgb("#33363f"), rgb("#77706c")
    if pen.light.lamps:
        for side in (-1, 1):
            for step in range(12):
                near, far = 35 + side * (8 + step * 3.6), 35 + side * (8 + (step + 1) * 3.6)
                top, after = 3 + step * 0.75, 3.75 + step * 0.75
                beam = [(near, 17 - top), (far, 17 - after), (far, 17 + after), (near, 17 + top)]
                pen.polygon(beam, rgb("#fff0b0"), lit=True, shade=0, alpha=0.42 * (1 - step / 12))
    pen.blob([(-10, 131), (-4, 118), (10, 112), (24, 114), (44, 110), (62, 114), (76, 122), (82, 131)], rock)
    pen.blob([(-14, 131), (2, 122), (18, 121), (30, 131)], darken(rock, 0.2))
    pen.box(46, 97, 66, 115, white)
    pen.polygon([(43, 99), (56, 88), (69, 99)], ink)
    _window(pen, 57, 103, 6, 7, frame=None)
    tower = pen.polygon([(24, 30), (46, 30), (52, 116), (18, 116)], white, shade=1.1)
    for y in (38, 64, 90):
        pen.polygon([(0, y), (70, y), (70, y + 13), (0, y + 13)], ink, inside=tower, shade=1.1)
    for y in (54, 80):
        _window(pen, 35, y, 4.6, 8, frame=None, arched=True)
    pen.oval(35, 106, 5, 5, WOOD, shade=0.4)
    pen.box(30, 106, 40, 116, WOOD, shade=0.4)
    pen.box(20, 27, 50, 31, iron, radius=1)
    for x in range(21, 51, 4):
        pen.stroke([(x, 21), (x, 27)], 0.7, iron)
    pen.stroke([(20, 21), (50, 21)], 0.9, iron)
    pen.box(27, 11, 43, 27, rgb("#ffe9a0"), lit=True, shade=0)
    for x in (31, 35, 39):
        pen.stroke([(x, 11), (x, 27)], 0.6, iron)
    pen.blob([(25, 12), (28, 4), (35, 0), (42, 4), (45, 12)], ink)
    pen.stroke([(35, 1), (35, -6)], 1, iron)
    if pen.light.lamps:
        pen.glow(35, 18, 34, rgb("#ffdc80"))


@figure("windmill", (110, 120), "#ece2cf #c9a882", span=0.64, depth=0.5, perch=(55, 18))
def draw_windmill(pen: Pen, ink: Color) -> None:
    """A windmill with four latticed sails."""
    cap, sail = rgb("#8a4632"), rgb("#f2e6c8")
    pen.polygon([(40, 36), (70, 36), (80, 120), (30, 120)], ink)
    pen.box(30, 84, 80, 87, WOOD, shade=0.6)
    pen.blob([(36, 38), (40, 24), (55, 17), (70, 24), (74, 38)], cap)
    pen.box(48, 98, 62, 120, darken(cap, 0.3), radius=3)
    for x, y in ((55, 50), (55, 70)):
        _window(pen, x, y, 8, 9, frame=WOOD)
    for step in range(4):
        turn = math.radians(90 * step + 34)
        ux, uy = math.cos(turn), math.sin(turn)
        vx, vy = -uy, ux

        def at(
            along: float, across: float, ux: float = ux, uy: float = uy, vx: float = vx, vy: float = vy
        ) -> tuple[float, float]:
            return 55 + ux * along + vx * across, 34 + uy * along + vy * across

        pen.polygon([at(12, 1), at(52, 1), at(52, 14), at(12, 11)], sail, shade=0.7, alpha=0.96)
        for along in range(12, 53, 8):
            pen.stroke([at(along, 0), at(along, 13)], 0.8, WOOD)
        pen.stroke([at(12, 7), at(52, 8)], 0.8, WOOD)
        pen.stroke([at(0, 0), at(53, 0)], 2, WOOD, shade=0.5)
    pen.oval(55, 34, 4, 4, darken(WOOD, 0.3))


@figure("bridge", (200, 70), "#b5523c #9a9489", span=0.36, depth=0.72, perch=(100, 38))
def draw_bridge(pen: Pen, ink: Color) -> None:
    """A suspension bridge."""
    cable, deck = darken(ink, 0.2), darken(ink, 0.3)
    for x in (52, 148):
        pen.box(x - 7, 62, x + 7, 70, rgb("#8d8a86"), radius=1)
        for offset in (-4, 4):
            pen.box(x + offset - 2, 0, x + offset + 2, 66, ink)
        for y in (4, 18, 32):
            pen.box(x - 6, y, x + 6, y + 3, ink, shade=0.6)
    spans = (
        [(-30 + t * 4.1, 42 - 40 * (t / 20) ** 1.7) for t in range(21)],
        [(52 + t * 4.8, 2 + 34 * (1 - ((t - 10) / 10) ** 2)) for t in range(21)],
        [(148 + t * 4.1, 42 - 40 * ((20 - t) / 20) ** 1.7) for t in range(21)],
    )
    for span in spans:
        pen.stroke(span, 1.5, cable, curved=False)
        for across, top in span[1:-1]:
            pen.stroke([(across, top), (across, 43)], 0.45, cable)
    pen.box(-34, 42, 234, 46.6, deck, shade=0.7)
    pen.stroke([(-34, 42), (234, 42)], 0.8, lighten(ink, 0.3))
    if pen.light.lamps:
        for x in range(-20, 230, 16):
            pen.oval(x, 40.6, 0.9, 0.9, WINDOW_LIGHT, lit=True, shade=0)
            pen.glow(x, 41, 4, rgb("#ffc860"))


@figure("tower", (54, 150), "#7f93aa #a89a8c", span=0.8, depth=0.7, perch=(27, 14))
def draw_tower(pen: Pen, ink: Color) -> None:
    """A tall tower of setbacks with a spire and rows of windows."""
    pen.stroke([(27, 14), (27, -8)], 1.2, darken(ink, 0.3))
    pen.oval(27, -8, 1.2, 1.2, rgb("#ff5a4a"), lit=True, shade=0)
    pen.polygon([(22, 26), (27, 8), (32, 26)], darken(ink, 0.15))
    for left, right, top, bottom in ((19, 35, 24, 50), (13, 41, 46, 96), (6, 48, 90, 150)):
        pen.box(left, top, right, bottom, ink, shade=1.2)
        pen.box(left - 1, top - 1.6, right + 1, top + 1.2, lighten(ink, 0.25), shade=0.7)
        for y in range(top + 5, bottom - 5, 7):
            for x in range(left + 3, right - 3, 5):
                burning = pen.light.lamps and pen.rng.random() < 0.62
                pane = WINDOW_LIGHT if burning else darken(ink, 0.45)
                pen.box(x, y, x + 2.6, y + 4, pane, lit=burning, shade=0.3)
    pen.box(21, 138, 33, 150, darken(ink, 0.6), shade=0.3)
