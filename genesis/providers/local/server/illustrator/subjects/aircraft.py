"""Things that fly: airplane, rocket and hot-air balloon."""

import math

from genesis.providers.local.server.illustrator.palette import Color, darken, lighten, rgb
from genesis.providers.local.server.illustrator.pen import Pen
from genesis.providers.local.server.illustrator.subjects.registry import figure

GLASS: Color = rgb("#8cc8e4")
WHITE: Color = rgb("#f4f4f2")


@figure("airplane", (160, 84), "#d8433a #2f74c8 #e8a530", span=0.38, support="air")
def draw_airplane(pen: Pen, ink: Color) -> None:
    """An airliner climbing to the right."""

    def at(x: float, y: float) -> tuple[float, float]:
        turn = math.radians(-10)
        dx, dy = x - 80, y - 46
        return 80 + dx * math.cos(turn) - dy * math.sin(turn), 46 + dx * math.sin(turn) + dy * math.cos(turn)

    def shape(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [at(x, y) for x, y in points]

    pen.polygon(shape((84, 42), (66, 14), (76, 13), (106, 40)), darken(WHITE, 0.25))
    pen.polygon(shape((26, 40), (6, 10), (20, 9), (46, 38)), ink)
    body = pen.blob(
        shape((6, 42), (30, 37), (90, 34), (132, 35), (150, 42), (153, 48), (142, 54), (90, 57), (40, 53)), WHITE
    )
    pen.polygon(shape((0, 47), (160, 50), (160, 60), (0, 60)), ink, inside=body, shade=0.8)
    for x in range(44, 124, 9):
        cx, cy = at(x, 43)
        pen.oval(
            cx, cy, 2, 2.5, rgb("#ffe6a0") if pen.light.lamps else GLASS, angle=-10, lit=pen.light.lamps, shade=0.3
        )
    pen.blob(shape((134, 38), (143, 40), (147, 44), (136, 44)), darken(GLASS, 0.35), shade=0.7)
    pen.polygon(shape((26, 44), (4, 54), (14, 57), (44, 48)), darken(ink, 0.2))
    cx, cy = at(74, 63)
    pen.oval(cx, cy, 10, 5, darken(WHITE, 0.3), angle=-10)
    pen.polygon(shape((96, 48), (42, 84), (54, 86), (72, 76), (116, 50)), darken(WHITE, 0.1))
    pen.polygon(shape((48, 80), (42, 84), (54, 86), (60, 82.6)), ink, shade=0.5)


@figure("rocket", (60, 130), "#d8433a #3f6fd0 #e8862f", span=0.66, support="air")
def draw_rocket(pen: Pen, ink: Color) -> None:
    """A rocket with fins and a flame, pointing up."""
    for color, reach in ((rgb("#f2652a"), 1.0), (rgb("#fbb13c"), 0.7), (rgb("#fff2b8"), 0.4)):
        pen.blob(
            [
                (30 - 9 * reach, 96),
                (30 - 10 * reach, 108),
                (30, 100 + 34 * reach),
                (30 + 10 * reach, 108),
                (30 + 9 * reach, 96),
            ],
            color,
            lit=True,
        )
    pen.glow(30, 112, 34, rgb("#ff9a40"))
    for side in (-1, 1):
        pen.blob(
            [
                (30 + side * 14, 62),
                (30 + side * 26, 78),
                (30 + side * 30, 100),
                (30 + side * 20, 94),
                (30 + side * 12, 90),
            ],
            ink,
        )
    pen.polygon([(20, 90), (40, 90), (37, 98), (23, 98)], rgb("#4a4f5a"))
    body = pen.blob(
        [(30, 0), (41, 14), (47, 36), (47, 62), (41, 91), (30, 93), (19, 91), (13, 62), (13, 36), (19, 14)], WHITE
    )
    pen.polygon([(0, -4), (60, -4), (60, 23), (0, 23)], ink, inside=body)
    pen.polygon([(0, 76), (60, 76), (60, 82), (0, 82)], ink, inside=body)
    pen.oval(30, 42, 10.4, 10.4, rgb("#5a6270"))
    pen.oval(30, 42, 7.6, 7.6, GLASS)
    pen.limb([(26, 43), (27, 38), (32, 36.6)], [1.4, 2, 1.2], (1, 1, 1), shade=0)
    pen.oval(30, 64, 4.4, 4.4, rgb("#5a6270"))
    pen.oval(30, 64, 2.8, 2.8, GLASS)
    pen.blob([(28.4, 70), (31.6, 70), (32.6, 96), (27.4, 96)], darken(ink, 0.2))


@figure("balloon", (84, 112), "#e0503c #3f86c8 #e8a838 #7a58b0", span=0.5, support="air", perch=(42, 98))
def draw_balloon(pen: Pen, ink: Color) -> None:
    """A striped hot-air balloon with a basket."""
    accent = lighten(rgb("#f6d878"), 0.15)
    for x in (33, 51):
        pen.stroke([(42 + (x - 42) * 1.6, 78), (x + (1 if x < 42 else -1), 97)], 0.8, rgb("#5a4436"))
    pen.stroke([(42, 80), (42, 97)], 0.6, rgb("#5a4436"))
    outline = [
        (42, 0),
        (64, 5),
        (80, 24),
        (82, 44),
        (72, 64),
        (54, 82),
        (42, 84),
        (30, 82),
        (12, 64),
        (2, 44),
        (4, 24),
        (20, 5),
    ]
    envelope = pen.blob(outline, ink, shade=0)
    for index, (left, right) in enumerate(((-1.0, -0.72), (-0.72, -0.3), (-0.3, 0.3), (0.3, 0.72), (0.72, 1.0))):
        gore = [(42.0, -2.0), (42 + 46 * right, 32), (42 + 46 * right, 44), (42 + 12 * right, 86)]
        gore += [(42 + 12 * left, 86), (42 + 46 * left, 44), (42 + 46 * left, 32)]
        pen.blob(gore, accent if index % 2 else ink, inside=envelope, shade=0.1)
    pen.blob(outline, darken(ink, 0.75), alpha=0.001, shade=1.0)
    shadow = [(42, 2), (80, 24), (82, 44), (72, 64), (54, 82), (42, 84), (56, 60), (64, 40), (58, 18)]
    if pen.light.x > 0:
        shadow = [(84 - x, y) for x, y in shadow]
    pen.blob(
        [(84 - x, y) if pen.flip else (x, y) for x, y in shadow], darken(ink, 0.7), inside=envelope, shade=0, alpha=0.26
    )
    pen.polygon([(32, 81), (52, 81), (49, 85.6), (35, 85.6)], darken(ink, 0.4))
    basket = pen.box(33, 96, 51, 112, rgb("#a8743f"), radius=3)
    for y in (101, 106):
        pen.stroke([(32, y), (52, y)], 0.8, rgb("#7a4f28"), inside=basket)
    pen.box(32, 95, 52, 98.4, rgb("#7a4f28"), radius=1.4)
    if pen.light.lamps:
        pen.glow(42, 82, 24, rgb("#ffb850"))
