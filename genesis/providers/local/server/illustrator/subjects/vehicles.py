"""Things that carry people over land and water."""

import math

from genesis.providers.local.server.illustrator.palette import Color, darken, lighten, mix, rgb
from genesis.providers.local.server.illustrator.pen import Pen
from genesis.providers.local.server.illustrator.subjects.registry import figure

GLASS: Color = rgb("#a9d4e6")
TYRE: Color = rgb("#26262c")
CHROME: Color = rgb("#c9ced6")
WINDOW_LIGHT: Color = rgb("#ffdf94")
HEADLIGHT: Color = rgb("#fff2c4")


def _wheel(pen: Pen, x: float, y: float, radius: float) -> None:
    pen.oval(x, y, radius, radius, TYRE)
    pen.oval(x, y, radius * 0.62, radius * 0.62, CHROME)
    for step in range(5):
        turn = math.radians(72 * step - 90)
        cx, cy = x + radius * 0.38 * math.cos(turn), y + radius * 0.38 * math.sin(turn)
        pen.oval(cx, cy, radius * 0.13, radius * 0.13, darken(CHROME, 0.6), shade=0)
    pen.oval(x, y, radius * 0.16, radius * 0.16, darken(CHROME, 0.4), shade=0.4)


def _pane(pen: Pen, points: list[tuple[float, float]]) -> None:
    """A window: sky-blue by day, lit from inside when lamps burn."""
    if pen.light.lamps:
        pen.polygon(points, WINDOW_LIGHT, lit=True, shade=0)
        return
    mask = pen.polygon(points, GLASS, shade=0.9)
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    top, bottom = min(y for _, y in points), max(y for _, y in points)
    x = left + (right - left) * 0.3
    lean = (bottom - top) * 0.5
    pen.polygon(
        [(x + lean, top), (x + lean + 6, top), (x + 6, bottom), (x, bottom)],
        (1, 1, 1),
        inside=mask,
        shade=0,
        alpha=0.35,
    )


@figure("car", (150, 62), "#d8402f #2f78c8 #e0b03a #3f9a6a", span=0.34, depth=0.22, perch=(66, 3))
def draw_car(pen: Pen, ink: Color) -> None:
    """A passenger car in profile, heading right."""
    pen.blob([(18, 48), (132, 48), (132, 56), (18, 56)], darken(ink, 0.8), shade=0)
    pen.blob(
        [
            (4, 46),
            (5, 32),
            (14, 25),
            (32, 22),
            (46, 8),
            (60, 3),
            (86, 4),
            (98, 11),
            (110, 23),
            (134, 27),
            (146, 35),
            (147, 46),
            (138, 51),
            (12, 51),
        ],
        ink,
    )
    _pane(pen, [(41, 22), (51, 10.5), (66, 8), (66, 22)])
    _pane(pen, [(70, 22), (70, 8), (85, 8.6), (94, 14), (103, 22)])
    pen.stroke([(68, 24), (67, 46)], 0.8, darken(ink, 0.4))
    pen.stroke([(38, 25), (110, 26), (136, 31)], 0.9, lighten(ink, 0.4), alpha=0.8)
    for x in (58, 92):
        pen.box(x, 29, x + 7, 30.8, CHROME, radius=0.8)
    pen.box(10, 46, 142, 49.4, darken(ink, 0.45), radius=1.4, shade=0.3)
    pen.blob([(138, 31), (145, 34), (146, 39), (138, 38)], HEADLIGHT, lit=True, shade=0)
    pen.box(3.6, 33, 8, 39, rgb("#e8442f"), radius=1.4, lit=True, shade=0)
    pen.box(136, 43, 149, 48, CHROME, radius=2)
    pen.box(1, 43, 14, 48, CHROME, radius=2)
    for x in (35, 115):
        pen.oval(x, 49, 15.4, 15, darken(ink, 0.8), shade=0)
        _wheel(pen, x, 49, 13)
    if pen.light.lamps:
        pen.glow(147, 35, 26, HEADLIGHT)
        pen.glow(4, 36, 12, rgb("#ff4030"))


@figure("bus", (160, 78), "#d8402f #2f8fa8 #e8b030", span=0.42, depth=0.24, perch=(80, 2))
def draw_bus(pen: Pen, ink: Color) -> None:
    """A city bus in profile, heading right."""
    pen.box(4, 3, 156, 68, ink, radius=8)
    pen.box(4, 42, 156, 48, lighten(ink, 0.75), shade=0.6)
    for x in (12, 36, 60, 84, 108):
        _pane(pen, [(x, 12), (x + 20, 12), (x + 20, 36), (x, 36)])
    pen.box(132, 12, 147, 66, darken(ink, 0.5), radius=1.4, shade=0.4)
    _pane(pen, [(134, 14), (139, 14), (139, 60), (134, 60)])
    _pane(pen, [(141, 14), (146, 14), (146, 60), (141, 60)])
    _pane(pen, [(150, 12), (156, 14), (156, 40), (150, 40)])
    pen.box(152, 54, 158, 60, HEADLIGHT, radius=1.4, lit=True, shade=0)
    pen.box(2, 54, 6, 62, rgb("#e8442f"), radius=1, lit=True, shade=0)
    for x in (34, 112):
        pen.oval(x, 66, 13.4, 13, darken(ink, 0.8), shade=0)
        _wheel(pen, x, 66, 11.6)
    if pen.light.lamps:
        pen.glow(158, 57, 26, HEADLIGHT)


@figure("train", (190, 82), "#b8392f #2f6a52 #34507f", span=0.36, depth=0.3, perch=(80, 14))
def draw_train(pen: Pen, ink: Color) -> None:
    """A steam locomotive with a carriage, heading right."""
    dark, brass = rgb("#2e313a"), rgb("#e0b24a")
    pen.stroke([(-30, 81.4), (220, 81.4)], 1.6, rgb("#8d8f96"))
    for index, (x, y, radius) in enumerate(((150, 2, 7), (140, -6, 9), (124, -8, 10), (106, -5, 9))):
        pen.oval(x, y, radius, radius * 0.8, (0.93, 0.93, 0.95), shade=0.7, alpha=0.92 - index * 0.16)
    pen.box(4, 22, 74, 64, mix(ink, rgb("#f0d9a0"), 0.12), radius=3)
    pen.box(0, 18, 78, 24, dark, radius=3)
    pen.box(4, 50, 74, 53, brass, shade=0.5)
    for x in (10, 26, 42, 58):
        _pane(pen, [(x, 29), (x + 11, 29), (x + 11, 45), (x, 45)])
    pen.box(74, 60, 92, 65, dark, shade=0.4)
    pen.box(84, 14, 114, 64, ink, radius=2)
    pen.blob([(80, 15), (99, 8), (118, 15), (118, 18), (80, 18)], dark)
    _pane(pen, [(90, 23), (108, 23), (108, 40), (90, 40)])
    pen.box(110, 30, 166, 62, ink, radius=6)
    for x in (124, 140, 156):
        pen.box(x, 30, x + 2.4, 62, brass, shade=0.5)
    pen.box(162, 32, 172, 61, dark, radius=4)
    pen.oval(172, 38, 4, 4.6, HEADLIGHT, lit=True, shade=0)
    pen.polygon([(146, 31), (148, 14), (143, 9), (163, 9), (158, 14), (160, 31)], dark)
    pen.blob([(126, 31), (127, 22), (132, 19), (137, 22), (138, 31)], brass)
    pen.box(84, 61, 176, 68, dark, radius=2, shade=0.5)
    pen.polygon([(168, 64), (178, 64), (190, 80), (168, 80)], rgb("#a8332c"))
    for x in (16, 30, 50, 64):
        _wheel(pen, x, 72, 8.4)
    for x in (100, 124, 148):
        pen.oval(x, 70, 11, 11, rgb("#a8332c"))
        pen.oval(x, 70, 8, 8, dark, shade=0.5)
        pen.oval(x, 70, 2.4, 2.4, brass, shade=0.4)
    pen.stroke([(100, 73), (124, 73), (148, 73)], 2.2, CHROME, curved=False)
    if pen.light.lamps:
        pen.glow(173, 38, 30, HEADLIGHT)


@figure("bicycle", (130, 84), "#d8402f #2f8f8a #e0a030 #3f6fc0", span=0.46, depth=0.14, perch=(42, 14))
def draw_bicycle(pen: Pen, ink: Color) -> None:
    """A bicycle in profile, heading right."""
    for x in (28, 102):
        pen.stroke([(x + 24 * math.cos(a / 8), 58 + 24 * math.sin(a / 8)) for a in range(50)], 3, TYRE, closed=True)
        pen.stroke(
            [(x + 21.6 * math.cos(a / 8), 58 + 21.6 * math.sin(a / 8)) for a in range(50)], 1, CHROME, closed=True
        )
        for step in range(12):
            turn = math.radians(30 * step + 8)
            pen.stroke([(x, 58), (x + 22 * math.cos(turn), 58 + 22 * math.sin(turn))], 0.4, CHROME)
        pen.oval(x, 58, 2.6, 2.6, CHROME)
    for points in ([(28, 58), (46, 26), (90, 26), (62, 58), (28, 58)], [(46, 26), (62, 58)], [(43, 19), (46, 27)]):
        pen.stroke(points, 3.4, ink, curved=False, shade=0.8)
    pen.stroke([(102, 58), (93, 36), (88, 18)], 3.2, ink, curved=False, shade=0.8)
    pen.stroke([(88, 18), (94, 12), (102, 14), (102, 20)], 2.6, TYRE)
    pen.blob([(30, 15), (44, 14), (54, 17), (46, 20.6), (34, 20)], rgb("#5a3a2a"))
    pen.oval(62, 58, 6.4, 6.4, CHROME)
    pen.oval(62, 58, 3, 3, TYRE, shade=0.3)
    pen.stroke([(62, 58), (67, 71)], 2.2, CHROME)
    pen.box(62, 70, 73, 73, TYRE, radius=1)
    pen.box(93, 22, 116, 35, rgb("#c99a5c"), radius=2)
    for x in (98, 103, 108, 113):
        pen.stroke([(x, 23), (x, 34)], 0.7, rgb("#8a6236"))
    for x, color in ((97, "#e8607a"), (104, "#f2c040"), (111, "#f0f0f0")):
        pen.oval(x, 20, 4, 4, rgb(color))


@figure("sailboat", (104, 112), "#a8502f #2f5f9a #c23f3a", span=0.52, support="water", depth=0.5, perch=(38, 94))
def draw_sailboat(pen: Pen, ink: Color) -> None:
    """A sailing boat; its waterline is at its lower edge."""
    sail = rgb("#faf4e4")
    pen.box(50.6, 2, 53, 98, rgb("#7a5638"), shade=0.7)
    main = pen.blob([(55, 4), (66, 24), (80, 52), (92, 84), (74, 86.5), (55, 87)], sail)
    for y in (28, 48, 68):
        pen.stroke([(55, y), (96, y + 6)], 0.7, darken(sail, 0.25), inside=main)
    pen.blob([(49, 12), (44, 36), (32, 62), (14, 84), (32, 86.5), (49, 84)], mix(sail, ink, 0.72))
    pen.limb([(53, 2), (60, 3.6), (67, 1)], [4, 4, 1], ink)
    pen.stroke([(51, 88), (94, 87)], 1.6, rgb("#7a5638"), shade=0.6)
    hull = pen.polygon([(4, 93), (30, 96), (64, 96.4), (104, 91), (92, 112), (18, 112)], ink)
    pen.stroke([(0, 96.6), (34, 99.8), (66, 100), (106, 94.6)], 2.6, lighten(ink, 0.72), inside=hull)
    pen.polygon([(4, 107), (104, 107), (104, 114), (4, 114)], darken(ink, 0.45), inside=hull, shade=0.4)


@figure("ship", (176, 84), "#34506f #b8402f #4a5a66", span=0.44, support="water", depth=0.6, perch=(150, 48))
def draw_ship(pen: Pen, ink: Color) -> None:
    """A steamship with funnels; its waterline is at its lower edge."""
    cream = rgb("#f4efe2")
    pen.box(44, 40, 132, 56, cream, radius=1.4)
    pen.box(56, 26, 116, 41, cream, radius=1.4)
    pen.box(98, 15, 122, 28, cream, radius=1.4)
    pen.box(95, 12.6, 124, 16, ink, radius=1, shade=0.5)
    for x in (62, 80):
        pen.polygon([(x, 27), (x + 1.6, 4), (x + 13, 4), (x + 13.6, 27)], rgb("#c9452f"))
        pen.polygon([(x + 1.2, 4), (x + 13, 4), (x + 13.2, 10), (x + 0.9, 10)], rgb("#2c2c34"), shade=0.6)
    for index, (x, y, radius) in enumerate(((64, -2, 5), (54, -6, 7), (40, -8, 8))):
        pen.oval(x, y, radius, radius * 0.7, (0.86, 0.86, 0.88), shade=0.6, alpha=0.8 - index * 0.2)
    for y, start, stop in ((32, 60, 114), (46, 48, 130)):
        for x in range(start, stop - 4, 8):
            _pane(pen, [(x, y - 2), (x + 4.6, y - 2), (x + 4.6, y + 3), (x, y + 3)])
    _pane(pen, [(102, 18), (120, 18), (120, 24), (102, 24)])
    pen.stroke([(140, 54), (140, 16)], 1.4, rgb("#6a4a34"))
    pen.stroke([(140, 18), (170, 50)], 0.5, rgb("#4a4a52"))
    hull = pen.polygon([(4, 48), (16, 55), (146, 55), (178, 46), (162, 84), (22, 84)], ink)
    pen.stroke([(0, 54), (16, 59), (148, 59), (180, 50)], 2, cream, curved=False, inside=hull)
    pen.polygon([(0, 77), (180, 77), (180, 86), (0, 86)], rgb("#9a3a30"), inside=hull, shade=0.5)
    for x in range(32, 150, 13):
        pen.oval(x, 67, 2.3, 2.3, WINDOW_LIGHT if pen.light.lamps else GLASS, lit=pen.light.lamps, shade=0.3)
