"""Upright figures: people, astronauts and robots."""

from genesis.providers.local.server.illustrator.palette import Color, darken, lighten, mix, rgb
from genesis.providers.local.server.illustrator.pen import Pen, arc_points
from genesis.providers.local.server.illustrator.subjects.registry import figure

SKINS = tuple(rgb(code) for code in ("#f2c9a4", "#c98f63", "#8a5a3c", "#e6b48a"))
HAIRS = tuple(rgb(code) for code in ("#3a2a22", "#7a4a2a", "#1f1d24", "#b5793a"))


@figure("person", (48, 100), "#3f7fc4 #d0533f #4f9a6a #8a5fb0", span=0.5)
def draw_person(pen: Pen, ink: Color) -> None:
    """A standing person with a bag, facing the viewer."""
    pick = int(pen.rng.integers(0, 4))
    skin, hair = SKINS[pick], HAIRS[(pick + int(pen.rng.integers(0, 4))) % 4]
    trousers = rgb("#3b4560")
    long_hair = bool(pen.rng.random() < 0.5)
    if long_hair:
        pen.blob([(24, 1), (34, 6), (36, 24), (33, 34), (15, 34), (12, 24), (14, 6)], hair)
    for side in (-1, 1):
        pen.limb([(24 + side * 5, 60), (24 + side * 6, 78), (24 + side * 6.5, 95)], [10.5, 9, 7.5], trousers)
        pen.blob(
            [(24 + side * 3, 95), (24 + side * 9, 94), (24 + side * 12, 99.6), (24 + side * 3, 99.6)], rgb("#5a3a2c")
        )
    for side in (-1, 1):
        pen.limb([(24 + side * 11, 34), (24 + side * 15, 46), (24 + side * 14, 58)], [8, 7, 6], darken(ink, 0.1))
        pen.oval(24 + side * 14, 60.5, 3.1, 3.6, skin)
    pen.limb([(24, 24), (24, 32)], [7, 8], darken(skin, 0.15))
    coat = pen.blob([(24, 28.5), (34, 31), (36, 44), (36, 62), (34, 67), (14, 67), (12, 62), (12, 44), (14, 31)], ink)
    pen.stroke([(24, 32), (24, 68)], 0.8, darken(ink, 0.4), inside=coat)
    pen.box(10, 58, 38, 60.4, darken(ink, 0.45), inside=coat, shade=0.4)
    pen.limb([(16, 30), (24, 34), (32, 30)], [4.4, 5, 4.4], lighten(mix(ink, rgb("#f0d060"), 0.6), 0.1))
    head = pen.blob([(24, 3), (32, 7), (33, 17), (29, 25), (24, 27.5), (19, 25), (15, 17), (16, 7)], skin)
    pen.blob([(24, -1), (33, 3), (35, 13), (31, 11), (26, 8.4), (19, 11), (14, 14), (13.4, 6), (17, 1)], hair)
    for side in (-1, 1):
        pen.oval(24 + side * 4, 15.6, 1.05, 1.35, (0.12, 0.09, 0.09), shade=0)
        pen.oval(24 + side * 6, 19.4, 1.9, 1.2, rgb("#e8836f"), inside=head, shade=0, alpha=0.45)
    pen.stroke(arc_points(24, 19.4, 3, 2.4, 25, 155), 0.7, darken(skin, 0.6), curved=False)


@figure("astronaut", (64, 100), "#eceef2", span=0.56)
def draw_astronaut(pen: Pen, ink: Color) -> None:
    """An astronaut in a white suit with a gold visor, one hand raised."""
    trim, joint = rgb("#e0662f"), darken(ink, 0.28)
    pen.box(13, 32, 51, 68, darken(ink, 0.3), radius=6)
    for side in (-1, 1):
        pen.limb([(32 + side * 8, 66), (32 + side * 9, 80), (32 + side * 9.5, 92)], [16, 14, 13], ink)
        pen.stroke([(32 + side * 2.5, 81), (32 + side * 16, 81)], 2, joint)
        pen.blob([(32 + side * 3, 90), (32 + side * 16, 90), (32 + side * 19, 99.6), (32 + side * 2, 99.6)], joint)
    for points in ([(16, 40), (6, 52), (9, 66)], [(48, 40), (60, 34), (61, 18)]):
        pen.limb(points, [13, 12, 11], ink)
        x, y = points[-1]
        pen.oval(x, y + (3 if y > 40 else -3), 5.8, 6.2, joint)
        pen.stroke([(x - 6, y - 2), (x + 6, y - 2)], 2, trim)
    pen.blob([(32, 33), (47, 37), (50, 54), (46, 70), (18, 70), (14, 54), (17, 37)], ink)
    pen.box(21, 48, 43, 61, lighten(joint, 0.25), radius=2)
    for x, color in ((25, "#e2483d"), (30, "#4caf6a"), (35, "#3f8fe0")):
        pen.oval(x, 52, 1.6, 1.6, rgb(color), lit=True, shade=0)
    pen.box(24, 55.4, 40, 58, darken(ink, 0.6), radius=1, shade=0.2)
    pen.oval(32, 20, 19.5, 19.5, ink)
    visor = pen.blob(
        [(32, 6), (44, 9), (48, 20), (44, 31), (32, 34), (20, 31), (16, 20), (20, 9)], rgb("#d9962e"), shade=1.2
    )
    pen.blob([(14, 22), (30, 26), (50, 20), (50, 40), (14, 40)], rgb("#5a3420"), inside=visor, shade=0.2, alpha=0.55)
    pen.limb([(23, 20), (25, 13), (31, 10)], [2.4, 3.2, 2], (1, 0.98, 0.9), inside=visor, shade=0)
    for side in (-1, 1):
        pen.oval(32 + side * 19.5, 21, 3, 5, trim)


@figure("robot", (72, 100), "#7fa8c0 #c9a24f #b0b7c2 #6fae8e", span=0.6)
def draw_robot(pen: Pen, ink: Color) -> None:
    """A friendly robot with a screen for a face, waving."""
    metal, dark, lamp = rgb("#9aa4b0"), rgb("#2b3240"), rgb("#5ff0e0")
    for side in (-1, 1):
        pen.box(36 + side * 11 - 4, 74, 36 + side * 11 + 4, 92, metal, radius=2)
        pen.stroke([(36 + side * 11 - 4, 83), (36 + side * 11 + 4, 83)], 1.4, dark)
        pen.blob(
            [
                (36 + side * 11 - 9, 99.6),
                (36 + side * 11 - 8, 92),
                (36 + side * 11 + 8, 92),
                (36 + side * 11 + 9, 99.6),
            ],
            ink,
        )
    for points in ([(14, 48), (3, 58), (4, 72)], [(58, 48), (70, 42), (72, 24)]):
        pen.limb(points, [6.5, 6.5, 6.5], metal)
        pen.oval(points[0][0], points[0][1], 6.4, 6.4, ink)
        x, y = points[-1]
        toward = 1 if y > 50 else -1
        for side in (-1, 1):
            pen.limb([(x, y), (x + side * 5, y + toward * 4), (x + side * 3, y + toward * 10)], [5, 4, 2.6], dark)
        pen.oval(x, y, 4.6, 4.6, ink)
    pen.box(30, 36, 42, 44, metal, shade=0.8)
    pen.box(14, 42, 58, 78, ink, radius=9)
    pen.box(22, 50, 50, 66, darken(ink, 0.55), radius=3, shade=0.4)
    pen.stroke([(24, 59), (29, 59), (32, 53), (36, 63), (39, 57), (48, 57)], 1.2, lamp, curved=False, lit=True)
    for x, color in ((26, "#f0564a"), (33, "#f5c542"), (40, "#58c878")):
        pen.oval(x, 72, 2, 2, rgb(color), lit=True, shade=0)
    pen.stroke([(36, 8), (36, -4)], 1.6, metal, shade=0.6)
    pen.oval(36, -6, 3.4, 3.4, rgb("#ff6a5a"), lit=True, shade=0)
    pen.glow(36, -6, 10, rgb("#ff6a5a"))
    for side in (-1, 1):
        pen.box(36 + side * 26 - 3.6, 16, 36 + side * 26 + 3.6, 30, metal, radius=2)
    pen.box(12, 6, 60, 38, ink, radius=10)
    pen.box(18, 12, 54, 32, dark, radius=7, shade=0.5)
    for side in (-1, 1):
        pen.oval(36 + side * 8.5, 20, 3.7, 4.4, lamp, lit=True, shade=0)
    pen.stroke(arc_points(36, 24, 6, 4, 20, 160), 1.5, lamp, curved=False, lit=True)
    pen.glow(36, 22, 18, rgb("#3fd8d0"))
