"""Birds, fish, insects and the dragon."""

import math

from genesis.providers.local.server.illustrator.palette import Color, darken, lighten, luminance, mix, rgb
from genesis.providers.local.server.illustrator.pen import Pen, arc_points
from genesis.providers.local.server.illustrator.subjects.registry import figure

BEAK: Color = rgb("#f0a02c")
CREAM: Color = (0.98, 0.95, 0.90)


@figure("bird", (100, 84), "#3f86d8 #e0703a #e8b83c #6aa84f", span=0.44)
def draw_bird(pen: Pen, ink: Color) -> None:
    """A small songbird on a log, in profile."""
    belly = mix(ink, CREAM, 0.72) if luminance(ink) > 0.1 else lighten(ink, 0.2)
    _log(pen, -6, 106, 80)
    pen.blob([(24, 50), (12, 62), (-4, 76), (2, 80), (18, 72), (34, 64)], darken(ink, 0.3))
    body = pen.blob(
        [(66, 8), (80, 12), (86, 26), (82, 46), (70, 64), (50, 70), (32, 64), (24, 52), (36, 38), (48, 24), (54, 12)],
        ink,
    )
    pen.blob([(84, 30), (84, 50), (68, 68), (46, 72), (50, 58), (66, 46), (74, 34)], belly, inside=body, shade=0.6)
    pen.blob([(58, 34), (62, 46), (50, 56), (34, 60), (16, 66), (26, 52), (38, 42)], darken(ink, 0.22))
    for offset in (0, 5, 10):
        pen.stroke([(50 - offset, 46 + offset * 0.9), (36 - offset, 54 + offset * 0.7)], 1.1, darken(ink, 0.45))
    pen.polygon([(83, 19), (98, 25), (83, 29)], BEAK)
    pen.stroke([(84, 24.6), (95, 25.2)], 0.7, darken(BEAK, 0.5))
    pen.eye(73, 21, 3.8, rgb("#2b1c12"))
    for x in (52, 60):
        pen.stroke([(x, 68), (x + 1, 77)], 1.6, darken(BEAK, 0.35))


def _log(pen: Pen, left: float, right: float, y: float) -> None:
    """A mossy log lying on the ground under something that perches."""
    bark = rgb("#6d4a34")
    log = pen.box(left, y - 5, right, y + 5, bark, radius=3)
    for share in (0.2, 0.5, 0.8):
        x = left + (right - left) * share
        pen.stroke([(x - 8, y + 2.4 - 4 * (share - 0.5)), (x + 9, y + 1.6)], 0.8, darken(bark, 0.4), inside=log)
    pen.blob(
        [(left + 4, y - 6), (left + 22, y - 6.4), (left + 34, y - 3), (left + 16, y - 2)], rgb("#6f9a4a"), inside=log
    )
    pen.oval(right - 1.5, y, 3.2, 5, rgb("#cfa878"), shade=0.5)
    pen.oval(right - 1.5, y, 1.6, 2.6, rgb("#a87c50"), shade=0.3)


@figure("bird flying", (100, 60), "#3a4250 #4b4a5c", span=0.1, support="air")
def draw_flying_bird(pen: Pen, ink: Color) -> None:
    """A bird on the wing, seen from afar."""
    beat = float(pen.rng.uniform(-10, 10))
    pen.blob([(52, 36), (34, 12 + beat), (6, 8 - beat * 0.4), (-4, 16), (18, 20), (34, 38), (48, 46)], ink, shade=0.8)
    pen.blob(
        [(52, 36), (64, 10 + beat), (92, 2 - beat * 0.4), (104, 8), (84, 18), (70, 38), (58, 46)],
        darken(ink, 0.12),
        shade=0.8,
    )
    pen.blob([(74, 36), (66, 32), (48, 34), (30, 44), (20, 52), (36, 50), (58, 46), (70, 42)], ink)
    pen.polygon([(72, 35), (80, 38), (72, 40)], BEAK, shade=0.3)


@figure("owl", (72, 100), "#8a6243 #6f5a4a #a58158", span=0.5)
def draw_owl(pen: Pen, ink: Color) -> None:
    """An owl on a log, facing the viewer."""
    face = mix(ink, CREAM, 0.72)
    _log(pen, -12, 84, 96)
    pen.blob([(36, 10), (54, 14), (62, 34), (63, 66), (52, 90), (36, 97), (20, 90), (9, 66), (10, 34), (18, 14)], ink)
    chest = pen.blob([(36, 42), (50, 50), (50, 76), (36, 92), (22, 76), (22, 50)], face, shade=0.6)
    for row in range(5):
        for column in range(5):
            x, y = 22 + column * 7 + (row % 2) * 3.5, 54 + row * 7.5
            pen.stroke(arc_points(x, y, 2.8, 3, 20, 160, 8), 1.1, ink, curved=False, inside=chest)
    for side in (-1, 1):
        pen.blob(
            [(36 + side * 24, 36), (36 + side * 30, 58), (36 + side * 21, 86), (36 + side * 15, 66)], darken(ink, 0.3)
        )
        pen.polygon([(36 + side * 8, 14), (36 + side * 23, -2), (36 + side * 22, 24)], ink)
        pen.oval(36 + side * 11, 30, 12.5, 13, face, shade=0.5)
        pen.eye(36 + side * 10.5, 30, 8, rgb("#f2b632"))
        for toe in (-3, 0, 3):
            pen.oval(36 + side * 9 + toe, 94, 1.8, 3.2, BEAK, shade=0.5)
    pen.polygon([(32, 34), (40, 34), (36, 44)], BEAK)


@figure("penguin", (64, 100), "#2d3442 #3a3f52", span=0.5)
def draw_penguin(pen: Pen, ink: Color) -> None:
    """An upright penguin."""
    for side in (-1, 1):
        pen.oval(32 + side * 10, 97, 10, 3.6, BEAK)
        pen.blob(
            [(32 + side * 20, 38), (32 + side * 31, 56), (32 + side * 33, 74), (32 + side * 22, 62)], darken(ink, 0.2)
        )
    body = pen.blob(
        [(32, 2), (46, 8), (51, 26), (58, 56), (54, 84), (42, 97), (22, 97), (10, 84), (6, 56), (13, 26), (18, 8)], ink
    )
    pen.blob(
        [(32, 32), (46, 38), (50, 62), (46, 86), (32, 97), (18, 86), (14, 62), (18, 38)], CREAM, inside=body, shade=0.7
    )
    for side in (-1, 1):
        pen.oval(32 + side * 8, 22, 9, 11, CREAM, inside=body, shade=0.4)
        pen.eye(32 + side * 7.5, 20, 3, rgb("#231a18"))
        pen.oval(32 + side * 13, 38, 5, 5, rgb("#f5c95c"), inside=body, shade=0.2, alpha=0.7)
    pen.polygon([(26.5, 25), (37.5, 25), (32, 32)], BEAK)


@figure("duck", (100, 70), "#f4f0e6 #c89a5c", span=0.32, support="water", depth=0.35)
def draw_duck(pen: Pen, ink: Color) -> None:
    """A swimming duck in profile; its waterline is at its lower edge."""
    body = pen.blob([(4, 40), (16, 44), (36, 40), (56, 42), (78, 46), (86, 58), (80, 72), (20, 73), (8, 60)], ink)
    pen.blob([(0, 62), (100, 62), (100, 80), (0, 80)], darken(ink, 0.25), inside=body, shade=0.5, alpha=0.5)
    pen.limb([(74, 52), (78, 36), (74, 24)], [20, 13, 15], ink)
    pen.oval(76, 17, 13, 12.5, ink)
    pen.blob([(62, 46), (50, 62), (28, 60), (14, 50), (32, 48), (48, 44)], darken(ink, 0.12))
    for offset in (0, 6):
        pen.stroke([(52 - offset, 56 - offset * 0.6), (32 - offset, 55 - offset * 0.6)], 1, darken(ink, 0.3))
    pen.blob([(86, 15), (96, 18), (103, 22), (96, 25), (85, 23)], BEAK)
    pen.eye(79, 14, 2.5, rgb("#20160f"))


@figure("fish", (110, 70), "#f08a34 #3fa7d6 #f2c744 #d8567c #5bbf8a", span=0.36, support="center")
def draw_fish(pen: Pen, ink: Color) -> None:
    """A fish in profile with fins and scales."""
    fin = darken(ink, 0.25)
    pen.blob([(24, 35), (6, 8), (-4, 10), (2, 34), (-4, 60), (6, 62)], fin)
    pen.blob([(44, 14), (58, -2), (80, 0), (76, 14)], fin)
    pen.blob([(50, 56), (54, 70), (66, 66), (66, 56)], fin)
    body = pen.blob([(16, 35), (34, 18), (62, 8), (88, 14), (104, 30), (106, 38), (92, 54), (64, 62), (36, 54)], ink)
    pen.blob([(20, 48), (60, 50), (104, 40), (96, 66), (40, 68)], lighten(ink, 0.62), inside=body, shade=0.4, alpha=0.8)
    for column in range(5):
        for row in range(4):
            x, y = 36 + column * 8.5 + (row % 2) * 4, 22 + row * 9
            pen.stroke(arc_points(x, y, 4.4, 4.6, -70, 70, 9), 0.9, fin, curved=False, inside=body, alpha=0.7)
    for x in (44, 66):
        pen.limb([(x, 4), (x - 4, 34), (x, 66)], [5, 6, 5], lighten(ink, 0.7), inside=body, shade=0.5)
    pen.stroke(arc_points(76, 35, 9, 18, -62, 62), 1.3, fin, curved=False, inside=body)
    pen.blob([(70, 38), (60, 34), (50, 44), (58, 52), (68, 46)], fin, shade=0.7)
    pen.eye(91, 28, 5, (0.98, 0.97, 0.92))
    pen.stroke([(106, 40), (101, 43.5), (97, 43)], 1.2, darken(ink, 0.6))


@figure("whale", (150, 86), "#3f6f9e #54677e", span=0.46, support="water", depth=0.42, perch=(64, 40))
def draw_whale(pen: Pen, ink: Color) -> None:
    """A whale at the surface with its fluke up and a spout; its waterline is at its lower edge."""
    pen.limb([(102, 76), (124, 70), (132, 52), (130, 40)], [36, 20, 11, 8], ink)
    pen.blob(
        [(130, 42), (120, 36), (106, 22), (112, 16), (126, 24), (132, 32), (140, 22), (153, 16), (158, 22), (144, 37)],
        ink,
    )
    body = pen.blob([(4, 72), (8, 52), (26, 38), (54, 36), (84, 44), (110, 62), (122, 86), (10, 86)], ink)
    pen.blob([(2, 66), (30, 72), (66, 80), (80, 92), (0, 92)], lighten(ink, 0.72), inside=body, shade=0.5)
    for step in range(5):
        pen.stroke(
            [(6 + step * 2, 72 + step * 3.6), (40, 77 + step * 3), (76, 88 + step * 2)],
            0.9,
            darken(ink, 0.2),
            inside=body,
        )
    pen.blob([(58, 74), (74, 82), (72, 94), (54, 88)], darken(ink, 0.25))
    pen.eye(27, 62, 2.7, (0.12, 0.11, 0.12))
    water = rgb("#e6f4fb")
    for side in (-1, 1):
        pen.limb(
            [(42, 37), (42 + side * 3, 16), (42 + side * 13, 6), (42 + side * 20, 14)],
            [3, 4, 4.4, 1.6],
            water,
            shade=0.3,
        )
    for x, y, radius in ((26, 20, 1.8), (58, 22, 2), (42, 2, 2.2), (33, -1, 1.4), (52, -2, 1.6)):
        pen.oval(x, y, radius, radius * 1.3, water, shade=0.3)


@figure("butterfly", (100, 84), "#f0862f #4a8fe0 #c560b8 #f2c53d", span=0.4, support="center")
def draw_butterfly(pen: Pen, ink: Color) -> None:
    """A butterfly with open wings."""
    edge = darken(ink, 0.78)
    for side in (-1, 1):
        upper = [(50 + side * x, y) for x, y in ((2, 36), (12, 16), (32, 2), (48, 4), (50, 20), (42, 38), (22, 46))]
        lower = [(50 + side * x, y) for x, y in ((3, 44), (24, 46), (38, 54), (38, 70), (26, 82), (12, 72))]
        for outline, inner in ((lower, 0.76), (upper, 0.82)):
            cx = sum(x for x, _ in outline) / len(outline)
            cy = sum(y for _, y in outline) / len(outline)
            pen.blob(outline, edge)
            wing = pen.blob([(cx + (x - cx) * inner, cy + (y - cy) * inner) for x, y in outline], ink, shade=0.8)
            pen.oval(cx, cy, 7.5, 6.5, lighten(ink, 0.45), inside=wing, shade=0.4)
            for turn in (-35, 0, 35):
                end = (50 + side * 60 * math.cos(math.radians(turn)), cy - 8 + 46 * math.sin(math.radians(turn)))
                pen.stroke([(50 + side * 4, 42), end], 0.9, edge, inside=wing)
        for x, y in ((44, 8), (46.5, 15), (45, 22)):
            pen.oval(50 + side * x, y, 1.4, 1.4, (1, 1, 1), shade=0.1)
        pen.stroke([(50, 24), (50 + side * 6, 10), (50 + side * 13, 4)], 0.9, edge)
        pen.oval(50 + side * 13, 4, 1.5, 1.5, edge, shade=0)
    pen.limb([(50, 26), (50, 44), (50, 66)], [6, 7, 3], darken(ink, 0.7))
    pen.oval(50, 25, 4.2, 4.2, darken(ink, 0.7))


@figure("dragon", (150, 104), "#3d9a5c #c2413a #5a62b8", span=0.62, depth=0.3, perch=(70, 52))
def draw_dragon(pen: Pen, ink: Color) -> None:
    """A winged dragon in profile, breathing a little fire."""
    belly, far, spine = mix(ink, rgb("#f4dc9a"), 0.72), darken(ink, 0.35), mix(ink, rgb("#f0a83c"), 0.6)
    pen.limb([(56, 80), (30, 92), (8, 84), (4, 66), (16, 58)], [24, 17, 11, 7, 3], ink)
    pen.polygon([(10, 62), (14, 46), (28, 54), (20, 64)], spine)
    _wing(pen, 12, -6, far, darken(spine, 0.35))
    for x in (58, 94):
        pen.limb([(x + 8, 76), (x + 12, 88), (x + 8, 97)], [15, 10, 9], far)
    pen.blob([(46, 70), (60, 56), (84, 54), (102, 62), (104, 80), (90, 92), (64, 93), (48, 86)], ink)
    pen.blob([(60, 86), (84, 84), (104, 72), (104, 86), (90, 94), (66, 95)], belly, shade=0.6)
    neck = pen.limb([(94, 70), (108, 54), (104, 36), (114, 22)], [30, 19, 15, 15], ink)
    pen.limb([(104, 76), (117, 54), (112, 38), (122, 26)], [12, 9, 7, 6], belly, inside=neck, shade=0.4)
    for step in range(4):
        nape, rise = (97.0, 98.4, 93.8, 85.2)[step], 22.0 + step * 10
        pen.polygon([(nape, rise), (nape - 7, rise + 1), (nape + 3, rise + 9)], spine)
    for x in (54, 66):
        pen.limb([(x + 2, 78), (x - 6, 88), (x, 98)], [22, 13, 10], ink)
    pen.limb([(92, 78), (97, 88), (93, 98)], [17, 11, 9], ink)
    for x in (58, 66, 93):
        for toe in (-3, 1, 5):
            pen.polygon([(x + toe, 97), (x + toe + 4, 99), (x + toe + 1, 102), (x + toe - 2, 101)], CREAM, shade=0.3)
    for side in (0, 5):
        pen.limb([(110 + side, 14), (102 + side, 4), (94 + side, 2)], [5, 4, 1.4], CREAM)
    pen.blob([(106, 14), (118, 9), (130, 15), (142, 20), (145, 26), (138, 30), (124, 32), (112, 33), (105, 25)], ink)
    pen.stroke([(143, 28), (130, 28), (121, 31)], 1.2, darken(ink, 0.6))
    pen.oval(141, 21.5, 1.4, 1, darken(ink, 0.7), shade=0)
    pen.eye(122, 18, 3.2, rgb("#f7cf3c"), slit=True)
    for color, reach in ((rgb("#f26a2a"), 1.0), (rgb("#fbb03a"), 0.72), (rgb("#fff0a8"), 0.42)):
        flame = [
            (145, 27),
            (150, 22 - 4 * reach),
            (145 + 20 * reach, 20),
            (145 + 26 * reach, 30),
            (145 + 16 * reach, 36),
            (149, 33),
        ]
        pen.blob(flame, color, lit=True, shade=0)
    pen.glow(156, 28, 26, rgb("#ff8a30"))
    _wing(pen, 0, 0, ink, spine)


def _wing(pen: Pen, dx: float, dy: float, bone: Color, web: Color) -> None:
    tips = [(20, -8), (4, 20), (14, 44), (36, 56)]
    root, elbow = (80, 60), (64, 8)
    outline = [root, elbow, tips[0], (18, 12), tips[1], (16, 30), tips[2], (30, 44), tips[3], (56, 54)]
    pen.polygon([(x + dx, y + dy) for x, y in outline], web)
    for tip in tips:
        pen.limb([(elbow[0] + dx, elbow[1] + dy), (tip[0] + dx, tip[1] + dy)], [3.4, 1.4], bone, shade=0.4)
    pen.limb([(root[0] + dx, root[1] + dy), (elbow[0] + dx, elbow[1] + dy)], [8, 4.4], bone)
