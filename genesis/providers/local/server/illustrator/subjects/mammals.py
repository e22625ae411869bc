"""Cats, dogs and other animals with fur, seated or seen from the side."""

from genesis.providers.local.server.illustrator.palette import Color, darken, lighten, luminance, mix, rgb
from genesis.providers.local.server.illustrator.pen import Pen, arc_points
from genesis.providers.local.server.illustrator.subjects.registry import figure

NOSE: Color = (0.12, 0.10, 0.12)
CREAM: Color = (0.98, 0.94, 0.87)


def _belly(fur: Color) -> Color:
    return mix(fur, CREAM, 0.72) if luminance(fur) > 0.12 else lighten(fur, 0.16)


def _mouth(pen: Pen, x: float, y: float, size: float, color: Color) -> None:
    pen.stroke([(x, y), (x, y + size * 0.5)], size * 0.16, color)
    for side in (-1, 1):
        cx = x + side * size * 0.5
        pen.stroke(arc_points(cx, y + size * 0.42, size * 0.5, size * 0.42, 10, 170), size * 0.16, color, curved=False)


def _seated_body(pen: Pen, fur: Color, chest: Color, paw: Color) -> None:
    """A sitting body, 80 wide: shoulders at y 45, paws at y 100."""
    pen.blob([(40, 40), (54, 48), (63, 68), (68, 88), (62, 99), (40, 100), (18, 99), (12, 88), (17, 68), (26, 48)], fur)
    pen.blob([(40, 44), (49, 52), (50, 68), (44, 84), (36, 84), (30, 68), (31, 52)], chest, shade=0.6)
    for side in (-1, 1):
        pen.oval(40 + side * 20, 87, 11.5, 12.5, fur)
        pen.oval(40 + side * 19, 97.5, 9, 3.6, paw, shade=0.6)
        pen.limb([(40 + side * 7, 62), (40 + side * 7.5, 82), (40 + side * 7, 96)], [10, 8.5, 9], fur)
        pen.oval(40 + side * 7.3, 97.2, 6, 3.8, paw, shade=0.6)


def _whiskers(pen: Pen, x: float, y: float, color: Color) -> None:
    for side in (-1, 1):
        for rise in (-2.5, 0.5, 3.5):
            pen.stroke([(x + side * 6, y + rise * 0.4), (x + side * 22, y + rise)], 0.5, color, alpha=0.8)


@figure("cat", (80, 100), "#e8923f #5b606c #d9b48c #3c3a40", span=0.5)
def draw_cat(pen: Pen, ink: Color) -> None:
    """A sitting cat facing the viewer."""
    dark, belly = darken(ink, 0.32), _belly(ink)
    tail = pen.limb([(60, 92), (78, 90), (82, 74), (75, 60), (80, 50)], [9, 9, 8, 7.5, 5], ink)
    for y in (84, 72, 61):
        pen.stroke([(70, y - 3), (90, y)], 3, dark, inside=tail)
    _seated_body(pen, ink, belly, belly)
    for side in (-1, 1):
        ear = [(40 + side * 4, 17), (40 + side * 18, 0), (40 + side * 21, 28)]
        pen.polygon(ear, ink)
        pen.polygon([(40 + side * 9, 17), (40 + side * 17, 5), (40 + side * 18.5, 22)], rgb("#f0a8a0"), shade=0.4)
    head = pen.blob(
        [(40, 11), (53, 14), (61, 27), (59, 38), (50, 46), (40, 48), (30, 46), (21, 38), (19, 27), (27, 14)], ink
    )
    for x in (34, 40, 46):
        pen.limb([(x, 9), (40 + (x - 40) * 0.9, 20)], [3, 1.5], dark, inside=head, shade=0)
    for side in (-1, 1):
        for y in (32, 36):
            pen.limb([(40 + side * 23, y), (40 + side * 15, y + 1)], [2.4, 1], dark, inside=head, shade=0)
    pen.blob([(40, 33), (49, 36), (50, 43), (40, 47.5), (30, 43), (31, 36)], belly, inside=head, shade=0.3)
    for side in (-1, 1):
        pen.eye(40 + side * 9.5, 29, 4.9, rgb("#a9c957"), slit=True)
    pen.polygon([(37.3, 36), (42.7, 36), (40, 39.2)], rgb("#e2787c"), shade=0.3)
    _mouth(pen, 40, 39, 5.5, darken(ink, 0.7))
    _whiskers(pen, 40, 39, (0.96, 0.95, 0.93) if luminance(ink) < 0.75 else (0.35, 0.33, 0.33))


@figure("dog", (80, 100), "#b87a45 #d9b27c #6d4a35 #8c8f96", span=0.52)
def draw_dog(pen: Pen, ink: Color) -> None:
    """A sitting dog with hanging ears and its tongue out."""
    ears, belly = darken(ink, 0.42), _belly(ink)
    pen.limb([(60, 90), (74, 82), (80, 66)], [9, 8, 4], ink)
    _seated_body(pen, ink, belly, belly)
    head = pen.blob(
        [(40, 6), (55, 11), (60, 26), (55, 38), (49, 48), (40, 51), (31, 48), (25, 38), (20, 26), (25, 11)], ink
    )
    pen.blob([(40, 7), (43, 18), (46, 28), (40, 32), (34, 28), (37, 18)], belly, inside=head, shade=0.3)
    pen.blob([(40, 29), (50, 34), (51, 43), (40, 50), (29, 43), (30, 34)], belly, inside=head, shade=0.5)
    for side in (-1, 1):
        ear = [
            (40 + side * 15, 9),
            (40 + side * 25, 15),
            (40 + side * 28, 32),
            (40 + side * 24, 43),
            (40 + side * 18, 34),
        ]
        pen.blob(ear, ears)
    pen.blob([(36.4, 44), (43.6, 44), (44, 53), (40, 57), (36, 53)], rgb("#ee7d86"), shade=0.5)
    pen.stroke([(40, 45), (40, 53)], 0.7, rgb("#c95766"))
    for side in (-1, 1):
        pen.eye(40 + side * 9, 25, 4.2, rgb("#4a2e1c"))
    pen.blob([(33.5, 33), (40, 31.6), (46.5, 33), (44, 38), (40, 39.6), (36, 38)], NOSE, shade=0.7)
    pen.oval(38, 33.8, 2, 0.9, (0.75, 0.75, 0.8), shade=0)
    _mouth(pen, 40, 39, 7, darken(ink, 0.75))
    pen.stroke(arc_points(40, 50, 14, 7, 25, 155), 3.4, rgb("#cf3a3f"), curved=False, shade=0.6)
    pen.oval(40, 59, 3.4, 3.6, rgb("#f0c34a"))


def _pointed_canine(pen: Pen, ink: Color, white: Color, socks: Color, tail_tip: Color) -> None:
    tail = pen.blob([(58, 96), (76, 98), (94, 88), (97, 68), (90, 54), (82, 62), (80, 76), (66, 82)], ink)
    pen.blob([(84, 72), (98, 76), (99, 60), (90, 50), (80, 60)], tail_tip, inside=tail, shade=0.5)
    _seated_body(pen, ink, white, socks)
    for side in (-1, 1):
        pen.polygon([(40 + side * 5, 17), (40 + side * 19, -3), (40 + side * 22, 24)], ink)
        pen.polygon([(40 + side * 10, 15), (40 + side * 18, 2), (40 + side * 19.5, 18)], darken(ink, 0.65), shade=0.3)
    head = pen.blob(
        [(40, 10), (54, 14), (64, 30), (56, 40), (47, 48), (40, 52), (33, 48), (24, 40), (16, 30), (26, 14)], ink
    )
    for side in (-1, 1):
        cheek = [
            (40 + side * 4, 34),
            (40 + side * 12, 29),
            (40 + side * 26, 29),
            (40 + side * 17, 40),
            (40 + side * 6, 49),
            (40, 52),
        ]
        pen.blob(cheek, white, inside=head, shade=0.4)
    pen.blob(
        [(40, 26), (45, 36), (44.5, 46), (40, 50), (35.5, 46), (35, 36)], mix(ink, white, 0.1), inside=head, shade=0.5
    )
    for side in (-1, 1):
        pen.eye(40 + side * 10, 27.5, 3.7, rgb("#c88a2a"))
    pen.oval(40, 48, 3.6, 2.7, NOSE)


@figure("fox", (96, 100), "#e2702a #d98a4a #c95a2e", span=0.5)
def draw_fox(pen: Pen, ink: Color) -> None:
    """A sitting fox with white cheeks and a full tail."""
    _pointed_canine(pen, ink, CREAM, darken(ink, 0.7), CREAM)


@figure("wolf", (96, 100), "#8a93a0 #5e6672 #b5b4b0", span=0.54)
def draw_wolf(pen: Pen, ink: Color) -> None:
    """A sitting wolf."""
    _pointed_canine(pen, ink, mix(ink, CREAM, 0.75), mix(ink, CREAM, 0.6), darken(ink, 0.4))


@figure("rabbit", (72, 100), "#cdb79c #a08a74 #f0ebe4 #8d8b90", span=0.46)
def draw_rabbit(pen: Pen, ink: Color) -> None:
    """A sitting rabbit with long ears."""
    belly, pink = _belly(ink), rgb("#efb0ac")
    pen.oval(62, 88, 7, 7, CREAM)
    pen.blob([(36, 55), (50, 62), (61, 78), (62, 94), (50, 100), (22, 100), (10, 94), (11, 78), (22, 62)], ink)
    pen.blob([(36, 60), (45, 68), (46, 84), (36, 93), (26, 84), (27, 68)], belly, shade=0.5)
    for side in (-1, 1):
        pen.oval(36 + side * 17, 96.6, 11, 4.4, belly, shade=0.7)
        pen.limb([(36 + side * 7, 70), (36 + side * 5, 84)], [8, 7.5], ink)
        tip = 36 + side * 14
        pen.blob([(36 + side * 3, 32), (36 + side * 6, 12), (tip, -2), (tip + side * 5, 12), (36 + side * 13, 34)], ink)
        pen.blob(
            [(36 + side * 6, 30), (36 + side * 9, 14), (tip, 4), (tip + side * 2, 14), (36 + side * 10, 31)],
            pink,
            shade=0.4,
        )
    head = pen.blob([(36, 26), (49, 30), (55, 44), (50, 55), (36, 60), (22, 55), (17, 44), (23, 30)], ink)
    pen.blob([(36, 47), (44, 50), (43, 57), (36, 60), (29, 57), (28, 50)], belly, inside=head, shade=0.3)
    for side in (-1, 1):
        pen.eye(36 + side * 9.5, 42, 4, rgb("#4b2c26"))
        pen.oval(36 + side * 13, 50, 3.4, 2.2, pink, inside=head, shade=0, alpha=0.7)
    pen.polygon([(33.6, 47.6), (38.4, 47.6), (36, 50.4)], rgb("#d9757c"), shade=0.3)
    _mouth(pen, 36, 50, 4.4, darken(ink, 0.7))
    pen.box(34, 55, 38, 59, (0.99, 0.98, 0.95), radius=0.8, shade=0.2)


@figure("bear", (92, 100), "#8a5a3a #6b452d #a87850", span=0.56)
def draw_bear(pen: Pen, ink: Color) -> None:
    """A sitting bear."""
    belly = mix(ink, CREAM, 0.45)
    pen.blob([(46, 40), (66, 46), (78, 68), (78, 90), (62, 100), (30, 100), (14, 90), (14, 68), (26, 46)], ink)
    pen.oval(46, 74, 19, 21, belly, shade=0.7)
    for side in (-1, 1):
        pen.oval(46 + side * 17, 9, 8.5, 8.5, ink)
        pen.oval(46 + side * 17, 10, 4.8, 4.8, belly, shade=0.5)
        pen.limb([(46 + side * 25, 52), (46 + side * 33, 68), (46 + side * 26, 80)], [15, 14, 13], ink)
        pen.oval(46 + side * 26, 93, 13, 9, ink)
        pen.oval(46 + side * 28, 93, 8, 6, belly, shade=0.6)
    pen.blob([(46, 2), (62, 7), (69, 24), (63, 39), (46, 46), (29, 39), (23, 24), (30, 7)], ink)
    pen.oval(46, 33, 12.5, 10, belly, shade=0.6)
    for side in (-1, 1):
        pen.eye(46 + side * 10.5, 20, 3.4, rgb("#2a1c14"))
    pen.blob([(39.5, 27), (46, 25.6), (52.5, 27), (46, 33)], NOSE, shade=0.8)
    _mouth(pen, 46, 33, 6.5, darken(ink, 0.75))


def _horse(pen: Pen, ink: Color, mane: Color) -> None:
    far = darken(ink, 0.28)
    hoof = darken(mane, 0.5)
    for path in ([(36, 56), (33, 72), (37, 82), (35, 97)], [(78, 54), (84, 70), (81, 84), (82, 97)]):
        pen.limb(path, [13, 8, 5.6, 5.4], far)
        x = path[-1][0]
        pen.polygon([(x - 3.4, 95), (x + 3.4, 95), (x + 4.6, 100), (x - 4, 100)], hoof, shade=0.4)
    pen.blob([(24, 40), (14, 44), (8, 58), (9, 76), (4, 88), (14, 82), (18, 66), (20, 54), (27, 47)], mane)
    pen.blob(
        [
            (24, 40),
            (38, 34),
            (56, 37),
            (70, 32),
            (84, 36),
            (90, 48),
            (86, 60),
            (72, 63),
            (54, 64),
            (40, 63),
            (26, 62),
            (19, 52),
        ],
        ink,
    )
    for path in ([(27, 54), (22, 70), (26, 80), (22, 97)], [(84, 52), (91, 68), (87, 82), (91, 97)]):
        pen.limb(path, [17, 9, 6, 5.6], ink)
        x = path[-1][0]
        pen.polygon([(x - 3.6, 95), (x + 3.4, 95), (x + 4.8, 100), (x - 4, 100)], hoof, shade=0.4)
    pen.blob([(64, 38), (74, 22), (84, 8), (95, 6), (100, 14), (95, 28), (92, 44), (84, 54), (72, 52)], ink, shade=0.8)
    pen.blob([(86, 7), (95, 4), (103, 10), (113, 22), (115, 29), (110, 32), (102, 28), (94, 24), (87, 18)], ink)
    pen.blob([(107, 22), (114, 25), (116, 30), (110, 33), (105, 29)], darken(ink, 0.25), shade=0.4)
    pen.polygon([(88, 8), (89, -5), (95, 6)], ink)
    pen.blob(
        [(92, -2), (84, 1), (76, 12), (68, 26), (60, 38), (70, 40), (78, 30), (86, 17), (92, 9), (97, 8)],
        mane,
        shade=0.8,
    )
    pen.eye(98, 14, 2, rgb("#3b2618"))
    pen.oval(112, 28, 0.9, 0.7, NOSE, shade=0)
    pen.stroke([(107, 31), (111, 30.5)], 0.6, darken(ink, 0.6))


@figure("horse", (120, 100), "#96592f #6e4128 #c9a06a #4a3c38", span=0.5, depth=0.3, perch=(52, 36))
def draw_horse(pen: Pen, ink: Color) -> None:
    """A horse standing in profile."""
    _horse(pen, ink, darken(ink, 0.6) if luminance(ink) > 0.2 else lighten(ink, 0.12))


@figure("unicorn", (120, 100), "#f3eef4", span=0.5, depth=0.3, perch=(52, 36))
def draw_unicorn(pen: Pen, ink: Color) -> None:
    """A horse with a spiral horn and a colored mane."""
    _horse(pen, ink, rgb("#d884c8"))
    horn = pen.polygon([(97, 6), (102.5, 9), (112, -15)], rgb("#f3cf5c"))
    for step in range(4):
        y = 4 - step * 4.4
        pen.stroke([(95 + step * 2.5, y - 1), (107 + step * 2, y + 2)], 0.7, rgb("#c08e2c"), inside=horn)


@figure("elephant", (124, 100), "#8d96a3 #7f8794", span=0.52, depth=0.3, perch=(46, 17))
def draw_elephant(pen: Pen, ink: Color) -> None:
    """An elephant standing in profile."""
    far, nail = darken(ink, 0.25), lighten(ink, 0.5)
    for x in (38, 72):
        pen.limb([(x, 60), (x, 80), (x, 93)], [19, 15, 15], far)
    pen.stroke([(10, 40), (4, 54), (6, 66)], 2.4, far)
    pen.blob([(10, 40), (20, 22), (44, 15), (70, 18), (84, 30), (84, 62), (66, 74), (30, 75), (12, 66)], ink)
    for x in (24, 64):
        pen.limb([(x, 58), (x, 80), (x, 92)], [22, 17, 17], ink)
        for offset in (-5, 0, 5):
            pen.oval(x + offset, 97.6, 2.3, 1.9, nail, shade=0.2)
    pen.limb([(98, 34), (113, 48), (114, 68), (110, 84), (116, 92)], [26, 16, 11, 8.5, 6], ink)
    pen.blob([(76, 22), (90, 12), (106, 18), (113, 36), (106, 50), (90, 54), (78, 44)], ink)
    pen.limb([(102, 52), (110, 62), (122, 60)], [5.5, 4.5, 1.6], CREAM, shade=0.6)
    pen.blob([(84, 20), (70, 14), (56, 24), (54, 44), (64, 60), (78, 58), (87, 44)], mix(ink, rgb("#c99a9a"), 0.22))
    pen.eye(98, 29, 2.5, rgb("#3a2a20"))
