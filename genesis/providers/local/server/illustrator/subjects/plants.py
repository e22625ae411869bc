"""Trees, flowers and mushrooms."""

import math

from genesis.providers.local.server.illustrator.palette import Color, darken, lighten, mix, rgb
from genesis.providers.local.server.illustrator.pen import Pen
from genesis.providers.local.server.illustrator.subjects.registry import figure

BARK: Color = rgb("#6e4b34")
LEAF: Color = rgb("#4f9148")


@figure("tree", (100, 116), "#4f9148 #5f9e4a #437f4c", span=0.66, depth=0.42, perch=(50, 40))
def draw_tree(pen: Pen, ink: Color) -> None:
    """A broad-leaved tree with a full crown."""
    pen.limb([(50, 114), (49, 92), (51, 70), (49, 46)], [15, 10, 9, 6], BARK)
    pen.polygon([(40, 116), (45, 106), (56, 106), (62, 116)], BARK)
    for end in ((28, 52), (74, 50)):
        pen.limb([(50, 82), ((50 + end[0]) / 2, 70), end], [6, 5, 3], BARK)
    for x, y, radius in ((22, 56, 19), (78, 54, 20), (50, 60, 20)):
        pen.oval(x, y, radius, radius * 0.86, darken(ink, 0.3))
    for x, y, radius in ((30, 40, 21), (70, 38, 22), (50, 24, 24), (50, 46, 20)):
        pen.oval(x, y, radius, radius * 0.9, ink)
    for _ in range(70):
        turn, reach = float(pen.rng.uniform(0, 2 * math.pi)), float(pen.rng.random()) ** 0.5
        x, y = 50 + 38 * reach * math.cos(turn), 40 + 30 * reach * math.sin(turn)
        toward = (x - 50) / 40 * pen.light.x * (-1 if pen.flip else 1) + (y - 40) / 32 * pen.light.y
        tone = lighten(ink, 0.30 * toward) if toward > 0 else darken(ink, -0.42 * toward)
        size = float(pen.rng.uniform(2.0, 4.2))
        pen.oval(x, y, size, size * 0.7, tone, angle=float(pen.rng.uniform(-40, 40)), shade=0, alpha=0.85)


@figure("pine", (72, 120), "#2f6f4f #3a7a54 #2a6248", span=0.68, depth=0.42)
def draw_pine(pen: Pen, ink: Color) -> None:
    """A conifer in tiers."""
    pen.polygon([(31, 120), (32, 92), (40, 92), (41, 120)], BARK)
    for tier in range(6):
        top, bottom = 84 - tier * 16.4, 110 - tier * 15.2
        half = 34 - tier * 5.2
        skirt = [(36.0, top - 8)]
        count = 7
        for step in range(count + 1):
            share = step / count
            x = 36 + half * (1 - 2 * share)
            sag = 5 * math.sin(math.pi * share)
            skirt.append((x, bottom + sag - 1))
            if step < count:
                skirt.append((36 + half * (1 - 2 * (share + 0.5 / count)), bottom + sag - 5))
        pen.polygon(skirt, mix(ink, lighten(ink, 0.22), tier / 6))


@figure("palm", (100, 120), "#3f9a55 #4a9f4f", span=0.68, depth=0.35)
def draw_palm(pen: Pen, ink: Color) -> None:
    """A leaning palm with feathered fronds and coconuts."""
    trunk = pen.limb([(48, 120), (45, 92), (48, 62), (56, 36)], [12, 8.6, 7, 6], rgb("#9a7450"))
    for step in range(16):
        y = 116 - step * 5.2
        pen.stroke([(34, y), (66, y - 2.4)], 0.9, rgb("#7a5638"), inside=trunk)
    for turn, reach, drop in (
        (200, 46, 22),
        (340, 46, 22),
        (172, 44, 6),
        (8, 42, 8),
        (228, 40, 2),
        (312, 40, 2),
        (270, 30, -8),
        (152, 34, 26),
        (30, 34, 28),
    ):
        _frond(pen, 56, 34, turn, reach, drop, darken(ink, 0.22) if drop > 10 else ink)
    for x, y in ((52, 39), (59, 40), (55.6, 43)):
        pen.oval(x, y, 3.6, 3.8, rgb("#6a4426"))


def _frond(pen: Pen, x: float, y: float, turn: float, reach: float, drop: float, color: Color) -> None:
    angle = math.radians(turn)
    spine = []
    for step in range(11):
        share = step / 10
        spine.append(
            (x + reach * share * math.cos(angle), y + reach * share * math.sin(angle) * 0.8 + (drop + 12) * share**2)
        )
    for index in range(1, 11):
        (ax, ay), (bx, by) = spine[index - 1], spine[index]
        length = 13 * math.sin(math.pi * (0.12 + 0.86 * index / 10)) + 2
        dx, dy = bx - ax, by - ay
        norm = math.hypot(dx, dy) or 1
        for side in (-1, 1):
            tip = (
                bx + dx / norm * 5 - dy / norm * length * side * 0.7,
                by + dy / norm * 5 + dx / norm * length * side * 0.7 + 4,
            )
            pen.polygon([(ax, ay), tip, (bx, by)], color, shade=0.6)
    pen.stroke(spine, 1.2, lighten(color, 0.25))


@figure("cactus", (64, 100), "#4f9a5c #3f8a58", span=0.52, depth=0.3)
def draw_cactus(pen: Pen, ink: Color) -> None:
    """A saguaro with two arms."""
    parts = [
        pen.limb([(32, 66), (14, 64), (12, 50), (12, 36)], [11, 11, 11, 10], ink),
        pen.limb([(32, 56), (50, 54), (52, 40), (52, 24)], [11, 11, 11, 10], ink),
        pen.limb([(32, 98), (32, 50), (32, 10)], [17, 18, 15], ink),
    ]
    for part, xs in zip(parts, ((9.4, 14.6), (49.4, 54.6), (26.6, 32, 37.4)), strict=True):
        for x in xs:
            pen.stroke([(x, -4), (x, 110)], 0.9, darken(ink, 0.35), inside=part, alpha=0.8)
    for x, y in ((32, 3), (12, 31), (52, 19)):
        for turn in (-36, 0, 36):
            pen.oval(x + turn / 12, y, 1.9, 3.6, rgb("#f07aa0"), angle=turn)


@figure("flower", (60, 100), "#e8507a #f2b632 #8f6ad8 #f0774a #f4f0ee", span=0.5, perch=(44, 10))
def draw_flower(pen: Pen, ink: Color) -> None:
    """A single bloom on a stem with two leaves."""
    sway = float(pen.rng.uniform(-6, 6))
    pen.limb([(30, 101), (29 - sway * 0.4, 74), (30 + sway * 0.6, 34)], [3.6, 3, 2.6], LEAF)
    pen.blob([(30, 86), (14, 78), (2, 60), (16, 62), (27, 74)], LEAF)
    pen.blob([(30, 78), (44, 70), (58, 54), (44, 54), (32, 66)], darken(LEAF, 0.12))
    pen.stroke([(28, 82), (16, 70), (6, 62)], 0.7, lighten(LEAF, 0.3))
    x, y = 30 + sway * 0.6, 26
    for layer, (count, reach, tone) in enumerate(((9, 23.0, darken(ink, 0.16)), (9, 19.0, ink))):
        for step in range(count):
            turn = 360 / count * (step + 0.5 * layer)
            angle = math.radians(turn)
            pen.oval(
                x + reach * 0.58 * math.cos(angle),
                y + reach * 0.58 * math.sin(angle),
                reach * 0.48,
                reach * 0.25,
                tone,
                angle=turn,
                shade=0.7,
            )
    center = rgb("#f2b93a") if ink[2] > 0.3 or ink[1] < 0.5 else rgb("#6a4426")
    pen.oval(x, y, 7.4, 7.4, center)
    for step in range(14):
        angle, reach = step * 2.4, 5.6 * math.sqrt(step / 14)
        pen.oval(x + reach * math.cos(angle), y + reach * math.sin(angle), 0.8, 0.8, darken(center, 0.35), shade=0)


@figure("mushroom", (84, 92), "#d2402f #b5703f #8a5fb0", span=0.48, perch=(42, 3))
def draw_mushroom(pen: Pen, ink: Color) -> None:
    """A toadstool with white spots."""
    stem, spot = rgb("#f3e9d4"), rgb("#fbf6ea")
    pen.blob([(30, 44), (54, 44), (54, 66), (60, 86), (52, 92), (32, 92), (24, 86), (30, 66)], stem)
    pen.blob([(29, 56), (42, 62), (56, 56), (59, 62), (42, 68), (26, 62)], darken(stem, 0.1))
    pen.oval(42, 46, 36, 7.5, darken(stem, 0.28), shade=0.6)
    for step in range(-6, 7):
        pen.stroke([(42 + step * 2, 44), (42 + step * 5.4, 50)], 0.6, darken(stem, 0.45), alpha=0.6)
    cap = pen.blob([(42, 0), (62, 6), (78, 24), (84, 42), (72, 47), (42, 44), (12, 47), (0, 42), (6, 24), (22, 6)], ink)
    for x, y, rx, ry in (
        (42, 16, 8, 6.4),
        (20, 26, 6, 5.4),
        (64, 27, 6.6, 5.6),
        (35, 36, 5, 3.6),
        (55, 39, 4, 2.6),
        (74, 38, 3.4, 3),
        (8, 39, 3.4, 2.8),
        (28, 10, 3.4, 2.6),
        (58, 8, 3.2, 2.4),
    ):
        pen.oval(x, y, rx, ry, spot, inside=cap, shade=0.6)
    for x, lean in ((18, -4), (24, 3), (62, -3), (68, 4)):
        pen.polygon([(x - 1.6, 93), (x + lean, 80), (x + 1.6, 93)], LEAF, shade=0.5)
