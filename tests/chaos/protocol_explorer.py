"""Tries everything that can happen in the model of the protocol, and says what of it must not be."""

from collections import deque

from tests.chaos.protocol_model import Model, Step
from tests.chaos.protocol_world import OPEN, World


def violation(model: Model, world: World, *, quiet: bool) -> str:
    """What is wrong with a world; quiet is one in which nothing more happens."""
    if world.wrong or model.free:
        return world.wrong
    if any(one.charges > 1 for one in world.attempts):
        return "I2: two charges for one call key"
    if sum(one.charges for one in world.attempts) > 1 + world.resends:
        return "I2: a step was paid twice"
    if any(one.charges and one.state in ("failed", "not_sent") for one in world.attempts):
        return "I4: a charge that is recorded as none"
    if quiet and any((one.receipt or one.heard) and one.state != "succeeded" for one in world.attempts):
        return "I5: a result that was paid for is lost"
    if quiet and any(one.state in OPEN for one in world.attempts):
        return "I10: an attempt stays open"
    return ""


def explore(model: Model) -> tuple[int, str, list[str]]:
    """Tries everything, the nearest first: worlds seen, what is wrong in the first bad one, and how it came to that.

    Of two worlds that differ only in which executor is which, one is tried.
    """
    start = World()
    before: dict[World, Step | None] = {start: None}
    seen = {_either_way(start)}
    waiting = deque([start])
    while waiting:
        world = waiting.popleft()
        following = list(model.following(world))
        if wrong := violation(model, world, quiet=not following):
            return len(before), wrong, _story(before, world)
        for name, after in following:
            if (either_way := _either_way(after)) not in seen:
                seen.add(either_way)
                before[after] = (name, world)
                waiting.append(after)
    return len(before), "", []


def _either_way(world: World) -> World:
    """The same for a world and for its mirror image."""
    first, second = world.executors
    if first < second or (first == second and world.owner < 1):
        return world
    return world._replace(executors=(second, first), owner=world.owner if world.owner < 0 else 1 - world.owner)


def _story(before: dict[World, Step | None], world: World) -> list[str]:
    names: list[str] = []
    while (step := before[world]) is not None:
        names.append(step[0])
        world = step[1]
    return names[::-1]
