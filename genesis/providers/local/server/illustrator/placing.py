"""Decides which ground a scene needs, and where, how large and in which color each subject stands."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from genesis.providers.local.server.illustrator.palette import COLORS, Color, darken, lighten, mix
from genesis.providers.local.server.illustrator.scene import INDOORS, Scene, Subject
from genesis.providers.local.server.illustrator.stage import Stage
from genesis.providers.local.server.illustrator.subjects import FIGURES, Figure
from genesis.providers.local.server.illustrator.water import shore_row

PLANES: Final = (
    "underwater", "space", "moonscape", "table", "room", "beach", "sea", "lake", "river", "street", "desert",
    "snowfield", "meadow", "hills", "forest", "studio",
)  # fmt: skip
FLOATING: Final = frozenset({"space", "underwater"})
STANDS_IN_WATER: Final = frozenset({"lighthouse", "bridge"})
WATERS: Final = frozenset({"sea", "beach", "lake", "quay"})


STATURES: Final[dict[str, float]] = {
    "cat": 0.42, "dog": 0.52, "fox": 0.52, "wolf": 0.62, "rabbit": 0.36, "bear": 0.9, "horse": 1.05, "unicorn": 1.05,
    "elephant": 1.4, "owl": 0.36, "bird": 0.26, "penguin": 0.5, "duck": 0.34, "robot": 1.0, "astronaut": 1.0, "car": 0.85,
    "bus": 1.5, "train": 1.5, "bicycle": 0.7, "dragon": 1.6, "flower": 0.4, "mushroom": 0.3, "apple": 0.3, "cup": 0.36,
    "book": 0.36, "clock": 0.5, "guitar": 1.2, "lantern": 0.55, "fruit bowl": 0.5, "umbrella": 0.9, "cactus": 1.0,
}  # fmt: skip
"""Heights of figures that stand side by side, relative to a person's."""


@dataclass(frozen=True, slots=True)
class Placement:
    """One figure in the picture: center x, feet y and height in pixels."""

    figure: Figure
    x: float
    base: float
    height: float
    ink: Color
    flip: bool
    part: str
    """Names its random stream."""
    afloat: bool = False
    grounded: bool = True
    haze: float = 0.0
    angle: float = 0.0
    order: float = 0.0
    """Figures with a smaller value are drawn first."""

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.height * self.figure.width / self.figure.height


@dataclass(frozen=True, slots=True)
class _Item:
    index: int
    subject: Subject
    figure: Figure
    lane: str


def choose_plane(scene: Scene) -> str:
    """The ground that the scene's places and subjects call for."""
    grounds = scene.grounds
    plane: str | None = next((name for name in PLANES if name in grounds), None)
    kinds = [FIGURES[subject.kind] for subject in scene.subjects]
    walking = any(
        figure.support == "ground"
        and (figure.name != "bird" or len(kinds) == 1)
        and figure.name not in STANDS_IN_WATER
        and scene.subjects[index].relation != "on"
        for index, figure in enumerate(kinds)
    )
    swimming = any(figure.support == "water" for figure in kinds)
    if plane is None and "city" in grounds:
        plane = "street" if walking and any(figure.depth < 0.6 for figure in kinds) else "quay"
    plane = plane or "meadow"
    if "bridge" in {figure.name for figure in kinds} and plane in {"river", "meadow"}:
        plane = "lake"
    if swimming and plane in {"meadow", "hills", "forest", "river", "snowfield"}:
        plane = "lake"
    if swimming and plane == "street":
        plane = "quay"
    if walking and plane == "sea":
        plane = "beach"
    return plane


def place_subjects(stage: Stage) -> list[Placement]:
    """Every figure of the scene, in the order to draw them."""
    rng = stage.random("placing")
    items = [_item(stage, index, subject) for index, subject in enumerate(stage.scene.subjects)]
    free = [item for item in items if not _is_attached(item, items)]
    mirrored = bool(rng.random() < 0.5)
    placed: dict[int, list[Placement]] = {}
    lanes = [lane for lane in ("far", "water", "near", "center", "air") if any(item.lane == lane for item in free)]
    for lane in lanes:
        members = [item for item in free if item.lane == lane]
        center = _lane_center(lane, lanes, rng, mirrored=mirrored)
        placed.update(_fill_lane(stage, lane, members, center, len(free), rng))
    for item in items:
        if item.index not in placed and item.subject.target is not None:
            target = placed.get(item.subject.target) or [_stand_in(stage)]
            placed[item.index] = _attach(stage, item, target, rng)
    everyone = [placement for group in placed.values() for placement in group]
    return sorted([*everyone, *_wood(stage)], key=lambda placement: placement.order)


def _wood(stage: Stage) -> list[Placement]:
    """Trees that frame a forest scene, dense at the sides and open in the middle."""
    if stage.plane != "forest" or stage.scene.style == "minimal":
        return []
    rng = stage.random("wood")
    leafy = stage.scene.season in {"autumn", "spring"} or rng.random() < 0.25
    figure = FIGURES["tree" if leafy else "pine"]
    result = []
    for number in range(10):
        near = (number // 2 + 0.5) / 5
        side = -1 if number % 2 else 1
        away = 0.34 + 0.20 * near * float(rng.uniform(0.5, 1.2)) if number > 3 else float(rng.uniform(0.12, 0.5))
        base = stage.horizon + (stage.height - stage.horizon) * (0.06 + 0.36 * near)
        height = stage.unit * (0.36 + 0.30 * near) * float(rng.uniform(0.85, 1.15))
        color = figure.inks[number % len(figure.inks)]
        ink = _seasonal(stage, figure, color, number)
        x = stage.width * (0.5 + side * away)
        result.append(
            Placement(figure, x, base, height, ink, side > 0, f"wood {number}", haze=0.34 * (1 - near), order=base)
        )
    return result


def _item(stage: Stage, index: int, subject: Subject) -> _Item:
    figure = FIGURES[subject.kind]
    alone = len(stage.scene.subjects) == 1
    if subject.kind == "bird" and (subject.flying or subject.count > 2 or not alone) and subject.relation != "on":
        figure = FIGURES["bird flying"]
    if stage.plane in FLOATING or stage.plane == "studio":
        lane = "center"
    elif stage.plane in INDOORS:
        lane = "near"
    elif subject.flying or figure.support == "air":
        lane = "air"
    elif stage.plane == "quay" and figure.support == "ground":
        lane = "water"
    elif figure.support == "water" or (figure.name in STANDS_IN_WATER and stage.plane in WATERS):
        lane = "water" if stage.plane in WATERS else "near"
    elif figure.support == "center":
        lane = "center"
    else:
        lane = "far" if figure.depth >= 0.38 else "near"
    return _Item(index, subject, figure, lane)


def _is_attached(item: _Item, items: list[_Item]) -> bool:
    """Whether another subject decides where this one goes."""
    target = item.subject.target
    if target is None or target == item.index or _follows(items, target, item.index):
        return False
    return item.subject.relation in {"under", "over", "held"} or (
        item.subject.relation == "on" and items[target].figure.perch is not None
    )


def _follows(items: list[_Item], start: int, goal: int) -> bool:
    """Whether following targets from `start` leads back to `goal`."""
    seen: set[int] = set()
    at: int | None = start
    while at is not None and at not in seen:
        if at == goal:
            return True
        seen.add(at)
        at = items[at].subject.target
    return False


def _lane_center(lane: str, lanes: list[str], rng: np.random.Generator, *, mirrored: bool) -> float:
    """Center of a lane as a share of the width: lanes that share a picture lean to opposite sides."""
    offset = 0.0 if len(lanes) == 1 else {"far": 0.15, "near": -0.14, "water": 0.06, "air": -0.16, "center": -0.1}[lane]
    if lane == "air" and "far" not in lanes and len(lanes) > 1:
        offset = 0.18
    jitter = float(rng.uniform(-0.06, 0.06)) if len(lanes) == 1 else float(rng.uniform(-0.03, 0.03))
    return 0.5 + (-offset if mirrored else offset) + jitter


def _base_row(stage: Stage, figure: Figure, depth: float) -> float:
    if stage.plane == "quay" and figure.support == "ground" and figure.name not in STANDS_IN_WATER:
        return stage.horizon + stage.unit * 0.012
    base = stage.horizon + (stage.height - stage.horizon) * (1 - depth) * 0.92
    on_land = figure.support != "water" and figure.name not in STANDS_IN_WATER
    if on_land and stage.plane in {"beach", "lake"}:
        base = max(base, shore_row(stage) + stage.unit * 0.07)
    if stage.plane == "street" and figure.support == "ground":
        base = max(base, stage.horizon + (stage.height - stage.horizon) * (0.22 if depth >= 0.35 else 0.68))
    if not on_land and stage.plane in {"beach", "lake"}:
        base = min(base, shore_row(stage) - stage.unit * 0.015)
    return min(base, stage.height * 0.955)


def _ink(stage: Stage, item: _Item, number: int, start: int, rng: np.random.Generator) -> Color:
    if item.subject.color:
        color = COLORS[item.subject.color]
        tone = float(rng.uniform(-0.10, 0.10)) if number else 0.0
        return lighten(color, tone) if tone > 0 else darken(color, -tone)
    inks = item.figure.inks
    color = inks[(start + number) % len(inks)]
    return _seasonal(stage, item.figure, color, number)


def _seasonal(stage: Stage, figure: Figure, color: Color, number: int) -> Color:
    """The color of a tree's leaves in the scene's season; other figures keep theirs."""
    leafy = figure.name == "tree"
    match stage.scene.season:
        case "autumn" if leafy:
            return mix(color, COLORS[("orange", "gold", "crimson", "orange", "yellow")[number % 5]], 0.8)
        case "winter" if leafy or figure.name == "pine":
            return lighten(color, 0.62 if leafy else 0.42)
        case "spring" if leafy:
            return mix(color, COLORS["pink"], 0.6 if number % 2 == 0 else 0.1)
        case _:
            return color


def _natural_height(stage: Stage, item: _Item, groups: int) -> float:
    span = item.figure.span * item.subject.size
    if item.figure.name == "bird flying" and len(stage.scene.subjects) == 1:
        span *= 2.2 if item.subject.count == 1 else 1.3
    if stage.plane in INDOORS:
        span *= 0.9
    crowd = float(item.subject.count**-0.36)
    several = 1.0 if groups == 1 else 0.84 if item.figure.name != "bird flying" else 1.0
    if (
        item.lane == "near"
        and groups > 1
        and any(FIGURES[subject.kind].depth >= 0.38 for subject in stage.scene.subjects)
    ):
        several = 0.62
    if item.lane == "air" and item.figure.support != "air":
        several *= 0.78
    upright = float(np.clip((stage.height / stage.width) ** 0.35, 1.0, 1.4))
    return stage.unit * span * crowd * several * upright * _stature(stage, item)


def _stature(stage: Stage, item: _Item) -> float:
    """Brings figures of different kinds that share a lane closer to their true proportions."""
    standing = [subject.kind for subject in stage.scene.subjects if subject.relation not in {"on", "over", "held"}]
    kinds = {kind for kind in standing if FIGURES[kind].depth < 0.38 and FIGURES[kind].support == "ground"}
    if item.lane != "near" or len(kinds) < 2:
        return 1.0
    tallest = max(STATURES.get(kind, 1.0) for kind in kinds)
    spans = FIGURES[max(kinds, key=lambda kind: STATURES.get(kind, 1.0))].span / item.figure.span
    return 1.25 * spans * float((STATURES.get(item.figure.name, 1.0) / tallest) ** 0.62)


def _fill_lane(
    stage: Stage, lane: str, members: list[_Item], center: float, groups: int, rng: np.random.Generator
) -> dict[int, list[Placement]]:
    singles = [(item, number) for item in members for number in range(item.subject.count)]
    if lane == "far" and len(members) > 1:
        order = rng.permutation(len(singles))
        singles = [singles[at] for at in order]
    heights = [_natural_height(stage, item, groups) for item, _ in singles]
    widths = [
        height * item.figure.width / item.figure.height for (item, _), height in zip(singles, heights, strict=True)
    ]
    overlap = (0.82 if len(singles) > 3 else 1.04) * max(1.0, min(1.7, (stage.width / stage.height) ** 0.6))
    total = sum(widths) * overlap
    room = stage.width * (0.92 if len(singles) > 1 else 0.84)
    fit = min(1.0, room / total) if total else 1.0
    left = center * stage.width - total * fit / 2
    left = max(stage.width * 0.04, min(left, stage.width * 0.96 - total * fit))
    starts = {item.index: int(rng.integers(0, 12)) for item in members}
    flipped = bool(rng.random() < 0.5)
    result: dict[int, list[Placement]] = {item.index: [] for item in members}
    for position, ((item, number), height, width) in enumerate(zip(singles, heights, widths, strict=True)):
        slot = width * fit * overlap
        tall = height * fit * (float(rng.uniform(0.9, 1.08)) if number else 1.0)
        x = left + slot / 2
        left += slot
        ink = _ink(stage, item, number, starts[item.index], rng)
        flip = flipped if item.figure.name not in {"book", "clock", "guitar"} else False
        placement = Placement(item.figure, x, 0.0, tall, ink, flip, f"{item.index}.{number}")
        result[item.index].append(_settle(stage, lane, item, placement, position, len(singles), rng))
    return result


def _settle(
    stage: Stage, lane: str, item: _Item, placement: Placement, position: int, count: int, rng: np.random.Generator
) -> Placement:
    """Gives a placement its feet."""
    depth = item.figure.depth
    if lane == "air":
        return _fly(stage, item, placement, count, rng)
    if lane == "center":
        if stage.plane == "studio":
            middle = stage.height * 0.5 + placement.height / 2
            base = min(stage.height * 0.86, middle * 1.12) if item.figure.support == "ground" else middle
            return replace(placement, base=base, grounded=item.figure.support == "ground", order=base)
        scatter = float(rng.uniform(-0.22, 0.22)) * stage.height if count > 1 else 0.0
        middle = stage.height * (0.46 if stage.plane == "underwater" else 0.5) + scatter
        base = min(middle + placement.height / 2, stage.height * 0.93)
        angle = {"astronaut": 14.0, "rocket": -32.0}.get(item.figure.name, 0.0) if stage.plane == "space" else 0.0
        angle = angle if not placement.flip else -angle
        return replace(placement, base=base, grounded=False, angle=angle, order=base)
    if count > 2 and position % 2:
        depth, placement = depth + 0.13, replace(placement, height=placement.height * 0.9)
    base = _base_row(stage, item.figure, depth)
    if count > 1:
        base += float(rng.uniform(-0.012, 0.012)) * stage.height
    height = min(placement.height, (base - stage.height * 0.05) * item.figure.height / (item.figure.height + 10))
    afloat = lane == "water" and item.figure.name not in STANDS_IN_WATER
    haze = max(0.0, depth - 0.4) * 0.5 if stage.plane not in INDOORS else 0.0
    return replace(placement, base=base, height=height, afloat=afloat, haze=haze, order=base, grounded=lane != "water")


def _fly(stage: Stage, item: _Item, placement: Placement, count: int, rng: np.random.Generator) -> Placement:
    share = float(rng.uniform(0.30, 0.42)) if count == 1 else float(rng.uniform(0.16, 0.58))
    if item.figure.name == "balloon" and count == 1:
        share = 0.40
    middle = min(stage.horizon, stage.height * 0.75) * share * 1.15
    x = placement.x
    if item.figure.name == "bird flying" and count > 1:
        x = stage.width * float(rng.uniform(0.12, 0.88))
    base = max(middle + placement.height / 2, placement.height * 1.15 + stage.height * 0.03)
    angle = (-24.0 if not placement.flip else 24.0) if item.figure.name == "rocket" else 0.0
    return replace(placement, x=x, base=base, grounded=False, angle=angle, order=float(stage.height) * -1)


def _stand_in(stage: Stage) -> Placement:
    """A place in the middle for what refers to a subject that was not placed."""
    base = stage.height * 0.88
    return Placement(FIGURES["cup"], stage.width / 2, base, stage.unit * 0.3, (0.5, 0.5, 0.5), False, "middle")


def _attach(stage: Stage, item: _Item, targets: list[Placement], rng: np.random.Generator) -> list[Placement]:
    """Places the copies of a subject on, under or over the figures they refer to."""
    if item.subject.relation == "held":
        return [_hold(stage, item, holder, number, rng) for number, holder in enumerate(targets)]
    target = targets[0]
    relation, count = item.subject.relation, item.subject.count
    start = int(rng.integers(0, 12))
    result = []
    for number in range(count):
        spread = (number - (count - 1) / 2) / max(1, count)
        ink = _ink(stage, item, number, start, rng)
        figure = FIGURES["bird"] if item.figure.name == "bird flying" and relation == "on" else item.figure
        part = f"{item.index}.{number}"
        if relation == "on" and target.figure.perch:
            unit = target.height / target.figure.height
            across, down = target.figure.perch
            offset = (across - target.figure.width / 2) * (-1 if target.flip else 1)
            height = min(target.height * 0.62, stage.unit * figure.span * 0.72) * item.subject.size * count**-0.3
            x = target.x + offset * unit + spread * target.width * 0.5
            base = target.base - target.height + down * unit
            result.append(
                Placement(figure, x, base, height, ink, target.flip, part, grounded=False, order=target.order + 0.5)
            )
        elif relation == "under":
            height = min(target.height * 0.45, stage.unit * figure.span) * item.subject.size * count**-0.3
            x = target.x + spread * target.width + (0 if count > 1 else target.width * 0.16)
            result.append(
                Placement(
                    figure,
                    x,
                    target.base + stage.height * 0.015,
                    height,
                    ink,
                    target.flip,
                    part,
                    order=target.order + 1,
                )
            )
        else:
            height = stage.unit * figure.span * 0.6 * item.subject.size * count**-0.3
            base = max(height * 1.1, target.base - target.height - stage.unit * 0.04)
            x = target.x + spread * target.width * 1.4
            result.append(
                Placement(figure, x, base, height, ink, target.flip, part, grounded=False, order=target.order - 1)
            )
    return result


def _hold(stage: Stage, item: _Item, holder: Placement, number: int, rng: np.random.Generator) -> Placement:
    """An umbrella over the head of the person who carries it."""
    side = -1 if holder.flip else 1
    x = holder.x + side * holder.width * 0.32
    base, height = holder.base - holder.height * 0.36, holder.height * 0.86
    ink = _ink(stage, item, number, 0, rng)
    part = f"{item.index}.{number}"
    return Placement(item.figure, x, base, height, ink, holder.flip, part, grounded=False, order=holder.order - 0.1)
