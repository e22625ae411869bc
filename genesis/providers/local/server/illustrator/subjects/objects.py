"""Things on a table or a shelf, lamps, and simple emblems."""

import itertools
import math

from genesis.providers.local.server.illustrator.palette import Color, darken, lighten, mix, rgb
from genesis.providers.local.server.illustrator.pen import Pen, arc_points
from genesis.providers.local.server.illustrator.subjects.registry import figure

WARM: Color = rgb("#ffe2a0")
STEEL: Color = rgb("#4a4e58")
WOOD: Color = rgb("#9a643c")
LEAF: Color = rgb("#5a9a48")


@figure("apple", (84, 92), "#d23a32 #7fb243 #e0b03c", span=0.42)
def draw_apple(pen: Pen, ink: Color) -> None:
    """An apple with a leaf."""
    _apple(pen, 42, 54, 1.0, ink)


def _apple(pen: Pen, x: float, y: float, size: float, ink: Color) -> None:
    def at(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(x + px * size, y + py * size) for px, py in points]

    pen.limb(at([(0, -26), (1, -38), (6, -46)]), [3 * size, 3 * size, 4 * size], rgb("#6a4630"))
    pen.blob(at([(3, -36), (14, -48), (30, -48), (24, -36), (12, -32)]), LEAF)
    body = pen.blob(
        at(
            [
                (0, -26),
                (14, -32),
                (32, -26),
                (39, -4),
                (31, 24),
                (14, 37),
                (0, 34),
                (-14, 37),
                (-31, 24),
                (-39, -4),
                (-32, -26),
                (-14, -32),
            ]
        ),
        ink,
    )
    pen.oval(x, y - 25 * size, 9 * size, 3.4 * size, darken(ink, 0.5), shade=0, inside=body, alpha=0.6)
    side = 1 if (pen.light.x > 0) != pen.flip else -1
    pen.oval(
        x + side * 19 * size,
        y - 12 * size,
        5 * size,
        9 * size,
        (1, 1, 1),
        angle=side * -24,
        shade=0,
        inside=body,
        alpha=0.55,
    )


@figure("fruit bowl", (130, 100), "#4f7fb0 #d9cdb4 #b5643f", span=0.46, perch=(65, 20))
def draw_fruit_bowl(pen: Pen, ink: Color) -> None:
    """A bowl with apples, an orange, a pear, bananas and grapes."""
    pen.limb([(30, 52), (46, 24), (74, 10), (92, 12)], [10, 15, 13, 5], rgb("#f2cb3f"))
    pen.limb([(36, 56), (58, 34), (82, 24), (100, 28)], [10, 15, 13, 5], rgb("#eabf36"))
    pen.blob([(96, 12), (102, 22), (113, 38), (108, 58), (92, 60), (82, 48), (88, 28)], rgb("#b5bf48"))
    pen.stroke([(97, 13), (99, 4)], 2, rgb("#6a4630"))
    _apple(pen, 36, 48, 0.52, rgb("#cc3a34"))
    pen.oval(66, 47, 19, 18.4, rgb("#ef8f2e"))
    for x, y in ((14, 52), (20, 60), (10, 62), (16, 70), (8, 54), (25, 53)):
        pen.oval(x + 2, y, 6, 6, rgb("#6d4a92"))
    pen.oval(92, 55, 15, 14, rgb("#d9573f"))
    pen.blob([(2, 58), (128, 58), (122, 76), (104, 92), (84, 97), (46, 97), (26, 92), (8, 76)], ink)
    pen.polygon([(44, 95), (86, 95), (92, 100), (38, 100)], darken(ink, 0.2))
    pen.stroke([(6, 64), (65, 66.6), (124, 64)], 2.4, lighten(ink, 0.6), alpha=0.9)


@figure("cup", (100, 92), "#c9523f #3f7f98 #e8dcc4 #5f8f6a", span=0.42)
def draw_cup(pen: Pen, ink: Color) -> None:
    """A steaming cup on a saucer."""
    for index, x in enumerate((34, 46, 58)):
        sway = 4 + index
        pen.limb(
            [(x, 24), (x + sway, 14), (x - sway, 2), (x + 1, -10)], [1.2, 3.4, 3, 0.8], (0.98, 0.98, 1.0), shade=0.1
        )
    pen.oval(46, 86, 45, 7, lighten(ink, 0.72))
    pen.oval(46, 84.6, 30, 3.6, darken(lighten(ink, 0.6), 0.2), shade=0.4)
    pen.stroke(arc_points(76, 50, 14, 14, -80, 95), 6, ink, curved=False, shade=0.9)
    pen.blob([(14, 32), (78, 32), (76, 56), (68, 76), (54, 84), (38, 84), (24, 76), (16, 56)], ink)
    pen.oval(46, 32, 32.6, 7, lighten(ink, 0.35), shade=0.6)
    pen.oval(46, 33, 28.6, 5.2, rgb("#5a3522"), shade=0.5)
    pen.blob([(46, 37.4), (38, 33.6), (40, 30.6), (46, 32.6), (52, 30.6), (54, 33.6)], rgb("#e6cda6"), shade=0.2)


@figure("lamp", (80, 110), "#d98a3f #4f8f8a #c95a5a", span=0.56)
def draw_lamp(pen: Pen, ink: Color) -> None:
    """A table lamp with a shade, switched on."""
    pen.glow(40, 34, 46, rgb("#ffc468"))
    pen.oval(40, 105, 21, 5, STEEL)
    pen.blob(
        [(40, 50), (46, 58), (52, 76), (48, 96), (40, 104), (32, 96), (28, 76), (34, 58)], mix(ink, rgb("#3f5f70"), 0.7)
    )
    pen.polygon([(24, 6), (56, 6), (74, 52), (6, 52)], ink)
    pen.polygon(
        [(29, 8), (51, 8), (62, 50), (18, 50)], lighten(mix(ink, WARM, 0.6), 0.15), lit=True, shade=0, alpha=0.75
    )
    pen.oval(40, 52, 34, 4, WARM, lit=True, shade=0)
    pen.stroke([(62, 53), (63, 66)], 0.6, STEEL)
    pen.oval(63, 67.4, 1.5, 1.5, rgb("#e0b24a"))


@figure("lantern", (60, 100), "#3a3d46 #8a4a34", span=0.5)
def draw_lantern(pen: Pen, ink: Color) -> None:
    """A hand lantern with a candle burning in it."""
    pen.glow(30, 58, 46, rgb("#ffb04a"))
    pen.stroke(arc_points(30, 20, 15, 18, 180, 360), 2, ink, curved=False, shade=0.6)
    pen.box(12, 36, 48, 84, rgb("#ffcf78"), radius=3, lit=True, shade=0)
    pen.oval(30, 62, 12, 18, rgb("#fff0c0"), lit=True, shade=0, alpha=0.8)
    pen.box(25, 68, 35, 84, rgb("#f6efdf"), radius=1, shade=0.5)
    pen.blob([(30, 48), (34, 58), (33, 66), (30, 68), (27, 66), (26, 58)], rgb("#ff9a30"), lit=True, shade=0)
    pen.blob([(30, 56), (32, 61), (30, 66.6), (28, 61)], rgb("#fffbe0"), lit=True, shade=0)
    for x in (12, 30, 48):
        pen.box(x - 1.6, 34, x + 1.6, 86, ink, shade=0.7)
    pen.polygon([(6, 38), (20, 20), (40, 20), (54, 38)], ink)
    pen.box(24, 14, 36, 22, ink, radius=2)
    pen.box(6, 84, 54, 92, ink, radius=2)
    pen.box(2, 91, 58, 100, darken(ink, 0.2), radius=2)


@figure("street lamp", (40, 150), "#2f3440 #3f4a44", span=0.74, depth=0.35)
def draw_street_lamp(pen: Pen, ink: Color) -> None:
    """A cast-iron street lamp."""
    pen.box(18, 34, 22, 146, ink)
    pen.polygon([(13, 150), (16, 128), (24, 128), (27, 150)], ink)
    pen.box(12, 60, 28, 62.4, ink, radius=1)
    lit = pen.light.lamps
    pen.polygon([(13, 32), (9, 10), (31, 10), (27, 32)], WARM if lit else rgb("#dfe9ea"), lit=lit, shade=0.4)
    for points in ([(13, 32), (9, 10)], [(20, 32), (20, 10)], [(27, 32), (31, 10)]):
        pen.stroke(points, 1.2, ink)
    pen.polygon([(6, 11), (14, 2), (26, 2), (34, 11)], ink)
    pen.box(12, 31, 28, 35, ink, radius=1)
    pen.oval(20, 0, 2.4, 2.8, ink)
    if lit:
        pen.glow(20, 20, 34, rgb("#ffca6a"))


@figure("book", (130, 74), "#a83a3a #2f5f8a #4f7f52", span=0.4, perch=(65, 18))
def draw_book(pen: Pen, ink: Color) -> None:
    """An open book."""
    page = rgb("#faf4e4")
    pen.blob([(65, 72), (34, 66), (2, 70), (-2, 30), (4, 20), (65, 28), (126, 20), (132, 30), (128, 70), (96, 66)], ink)
    for side in (-1, 1):
        for layer in range(3):
            lift = layer * 1.6
            sheet = [
                (65, 64 - lift * 0.4),
                (65 + side * 30, 58 - lift),
                (65 + side * 60, 64 - lift),
                (65 + side * 57, 16 - lift),
                (65 + side * 30, 10 - lift),
                (65, 20 - lift * 0.4),
            ]
            pen.polygon(sheet, darken(page, 0.16 - layer * 0.07), shade=0.5)
        for row in range(6):
            y = 20 + row * 6.2
            end = 50 if row < 5 else 34
            pen.stroke(
                [(65 + side * 8, y + 1.4), (65 + side * 30, y - 4.4), (65 + side * end, y - 0.4)],
                1,
                darken(page, 0.55),
                alpha=0.7,
            )
    pen.stroke([(65, 18), (65, 66)], 1.4, darken(page, 0.4))
    pen.polygon([(69, 20), (74, 19), (74, 74), (71.5, 70), (69, 74)], mix(ink, rgb("#e0b24a"), 0.75), shade=0.5)


@figure("guitar", (60, 130), "#c9803f #8a3a2c #3f6f8a", span=0.76, depth=0.1)
def draw_guitar(pen: Pen, ink: Color) -> None:
    """An acoustic guitar, upright."""
    dark = rgb("#3a2418")
    pen.box(26.6, 14, 33.4, 76, dark, shade=0.5)
    pen.polygon([(24, 16), (25, 0), (35, 0), (36, 16)], darken(ink, 0.35))
    for y in (3, 8, 13):
        for x in (22.6, 37.4):
            pen.oval(x, y, 2, 1.5, rgb("#d9d4c4"))
    body = pen.blob(
        [
            (30, 62),
            (44, 63),
            (52, 72),
            (48, 86),
            (50, 94),
            (59, 106),
            (56, 122),
            (42, 130),
            (30, 131),
            (18, 130),
            (4, 122),
            (1, 106),
            (10, 94),
            (12, 86),
            (8, 72),
            (16, 63),
        ],
        darken(ink, 0.42),
    )
    top = [(30, 64), (43, 65), (49.6, 73), (46, 86), (48, 95), (56, 106), (53.6, 120), (41, 127.6), (30, 128.4)]
    pen.blob(top + [(60 - x, y) for x, y in reversed(top[1:-1])], ink, inside=body)
    pen.oval(30, 88, 10.4, 10.4, rgb("#e8cfa0"), shade=0.3)
    pen.oval(30, 88, 8.6, 8.6, dark, shade=0.4)
    pen.box(26.6, 60, 33.4, 82, dark, shade=0.5)
    for row in range(11):
        pen.stroke([(26.6, 20 + row * 5.4), (33.4, 20 + row * 5.4)], 0.5, rgb("#c9c4b4"))
    pen.box(19, 110, 41, 114.4, dark, radius=1.6)
    for column in range(6):
        x = 27.6 + column * 0.96
        pen.stroke([(x, 14), (x, 111)], 0.28, rgb("#f0ead8"), alpha=0.9)


@figure("clock", (90, 100), "#c8503f #3f7f8f #d9a83f", span=0.5)
def draw_clock(pen: Pen, ink: Color) -> None:
    """An alarm clock with two bells."""
    for side in (-1, 1):
        pen.limb([(45 + side * 22, 84), (45 + side * 32, 99)], [6, 4], darken(ink, 0.3))
        pen.blob(
            [(45 + side * 10, 16), (45 + side * 20, 2), (45 + side * 38, 12), (45 + side * 40, 26)], rgb("#d9b04a")
        )
    pen.limb([(45, 16), (45, 4)], [3, 3], STEEL)
    pen.oval(45, 3, 4, 3, STEEL)
    pen.oval(45, 55, 41, 41, ink)
    pen.oval(45, 55, 33.5, 33.5, rgb("#fbf6ea"), shade=0.6)
    for step in range(60):
        turn = math.radians(6 * step)
        inner, width = (26, 1.6) if step % 5 == 0 else (29.4, 0.5)
        pen.stroke(
            [
                (45 + inner * math.sin(turn), 55 - inner * math.cos(turn)),
                (45 + 31 * math.sin(turn), 55 - 31 * math.cos(turn)),
            ],
            width,
            STEEL,
        )
    for turn, length, width, color in ((305, 17, 3.4, STEEL), (60, 25, 2.4, STEEL), (200, 27, 0.9, rgb("#d0402f"))):
        angle = math.radians(turn)
        pen.stroke([(45, 55), (45 + length * math.sin(angle), 55 - length * math.cos(angle))], width, color)
    pen.oval(45, 55, 2.8, 2.8, STEEL)


@figure("vase", (70, 120), "#3f7f98 #c9704f #7a6ab0", span=0.62)
def draw_vase(pen: Pen, ink: Color) -> None:
    """A vase with a small bouquet."""
    blooms = ((35, 16, "#e8587a"), (16, 28, "#f2b93a"), (54, 27, "#f4efe6"), (27, 38, "#c76ac0"), (45, 40, "#ef7d4a"))
    for x, y, _ in blooms:
        pen.limb([(35, 66), ((x + 35) / 2, (y + 66) / 2 - 4), (x, y)], [2, 2, 1.6], LEAF)
    for x, y, turn in ((8, 46, 30), (62, 46, -30), (24, 54, 50), (48, 54, -50)):
        pen.oval(x, y, 9, 4, LEAF, angle=turn)
    for x, y, code in blooms:
        color = rgb(code)
        for step in range(7):
            angle = 2 * math.pi * step / 7
            pen.oval(
                x + 6 * math.cos(angle), y + 6 * math.sin(angle), 5, 3.4, color, angle=math.degrees(angle), shade=0.7
            )
        pen.oval(x, y, 3.6, 3.6, rgb("#f6d060") if code != "#f2b93a" else rgb("#8a5a30"))
    vase = pen.blob(
        [(26, 56), (44, 56), (43, 68), (56, 84), (56, 104), (46, 119), (24, 119), (14, 104), (14, 84), (27, 68)], ink
    )
    pen.limb([(10, 92), (35, 96), (60, 92)], [4, 4, 4], lighten(ink, 0.55), inside=vase, shade=0.5)
    pen.limb([(25, 57), (45, 57)], [4, 4], lighten(ink, 0.2))


@figure("heart", (100, 92), "#e03a4f #ef6f8a", span=0.52, support="center")
def draw_heart(pen: Pen, ink: Color) -> None:
    """A plump heart."""
    points = []
    for step in range(60):
        turn = 2 * math.pi * step / 60
        points.append(
            (
                50 + 3.05 * 16 * math.sin(turn) ** 3,
                40
                - 2.95 * (13 * math.cos(turn) - 5 * math.cos(2 * turn) - 2 * math.cos(3 * turn) - math.cos(4 * turn)),
            )
        )
    heart = pen.polygon(points, ink)
    side = 1 if (pen.light.x > 0) != pen.flip else -1
    pen.limb(
        [(50 + side * 37, 34), (50 + side * 34, 20), (50 + side * 24, 14)], [4, 7, 4], (1, 1, 1), inside=heart, shade=0
    )


@figure("star", (100, 98), "#f4c23c #f09a3c", span=0.52, support="center")
def draw_star(pen: Pen, ink: Color) -> None:
    """A faceted five-pointed star."""
    pen.glow(50, 52, 50, lighten(ink, 0.2))
    tips = [
        (
            50 + (50 if k % 2 == 0 else 21) * math.sin(math.pi * k / 5),
            53 - (50 if k % 2 == 0 else 21) * math.cos(math.pi * k / 5),
        )
        for k in range(10)
    ]
    pen.polygon(tips, ink)
    for index, tip in enumerate(tips):
        after = tips[(index + 1) % 10]
        tone = lighten(ink, 0.30) if index % 2 == 0 else darken(ink, 0.16)
        pen.polygon([(50, 53), tip, after], tone, shade=0.25)


@figure("umbrella", (110, 112), "#d8433a #3f7fc0 #e8a83a", span=0.56, perch=(55, 4))
def draw_umbrella(pen: Pen, ink: Color) -> None:
    """An open umbrella on its stick."""
    pen.stroke([(55, 10), (55, 100)], 2.6, WOOD, shade=0.6)
    pen.stroke(arc_points(48, 100, 7, 8, 0, 180), 3, WOOD, curved=False, shade=0.6)
    scallops = [(110 - step * 22, 54) for step in range(6)]
    outline = [*arc_points(55, 54, 55, 46, 180, 360, 30)]
    for (ax, ay), (bx, _) in itertools.pairwise(scallops):
        outline += [(ax + (bx - ax) * t / 6, ay - 7 * math.sin(math.pi * t / 6)) for t in range(1, 7)]
    dome = pen.polygon(outline, ink)
    for left, right in ((22, 44), (66, 88)):
        panel = [(55, 6), (55 + (left - 55) * 0.7, 26), (left, 56), (right, 56), (55 + (right - 55) * 0.7, 26)]
        pen.blob(panel, lighten(ink, 0.7), inside=dome, shade=0.7)
    pen.stroke([(55, 9), (55, 2)], 2, WOOD)
