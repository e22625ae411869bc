"""What a chaos run does and when, all of it drawn from one seed: orders, kills and stalls, and meddling of clients."""

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

DATABASES = ("sqlite", "postgres")

CLASSES = ("keyed", "handle", "opaque")
AMBIGUOUS = ("reset", "charged-error", "charged-reset", "hang", "truncated")
"""Faults of the provider after which nobody can be sure."""
_REFUSALS = ("rate-limited", "unavailable", "error", "refused")
_QUEUE_FAULTS = ("pending", "poll-error", "poll-reset", "lost")
_BATCH_OF = 8


class Blow(StrEnum):
    """What is done to a process."""

    KILL = "kill"  # -9
    STALL = "stall"  # SIGSTOP past the lease, then SIGCONT


@dataclass(frozen=True, slots=True)
class Scale:
    """How much happens in a run.

    Attributes:
        kills, stalls: at least so many.
        seconds: over which they and the orders are spread.
        gateways: that run at once; SQLite allows one.
    """

    jobs: int
    kills: int
    stalls: int
    seconds: float
    gateways: int = 3


@dataclass(frozen=True, slots=True)
class Incident:
    """A blow that hits a process.

    Attributes:
        at: seconds after the start.
        process: `gateway-1`, `worker-llm`, `postgres`, …
        seconds: until the process goes on, or is started again.
    """

    at: float
    blow: Blow
    process: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Order:
    """A request of a client, repeated under its key until it is answered with 201.

    Attributes:
        at: seconds after the start.
        bodies: of one job, or of all jobs of a batch.
        copies: how many clients send it at the same time.
    """

    at: float
    key: str
    bodies: tuple[dict[str, Any], ...]
    is_batch: bool
    copies: int


@dataclass(frozen=True, slots=True)
class Plan:
    """One run."""

    seed: int
    database: str
    scale: Scale
    orders: tuple[Order, ...]
    incidents: tuple[Incident, ...]

    @property
    def gateways(self) -> tuple[str, ...]:
        count = 1 if self.database == "sqlite" else self.scale.gateways
        return tuple(f"gateway-{number}" for number in range(1, count + 1))


WORKERS = ("worker-llm", "worker-image")


def draw(seed: int, database: str, scale: Scale) -> Plan:
    """The plan of a seed."""
    dice = random.Random(f"{seed} {database}")
    plan = Plan(seed, database, scale, _orders(dice, seed, scale), ())
    return Plan(seed, database, scale, plan.orders, _incidents(dice, plan))


def _incidents(dice: random.Random, plan: Plan) -> tuple[Incident, ...]:
    blows = [Blow.KILL] * plan.scale.kills + [Blow.STALL] * plan.scale.stalls
    dice.shuffle(blows)
    pause = plan.scale.seconds / (len(blows) + 1)
    return tuple(
        _incident(dice, plan, blow, (number + dice.uniform(0.5, 1.5)) * pause) for number, blow in enumerate(blows)
    )


def _incident(dice: random.Random, plan: Plan, blow: Blow, at: float) -> Incident:
    kinds = {"gateway": 5, "worker": 4, "postgres": 3 if plan.database == "postgres" and blow is Blow.KILL else 0}
    kind = dice.choices(tuple(kinds), tuple(kinds.values()))[0]
    process = {"gateway": dice.choice(plan.gateways), "worker": dice.choice(WORKERS), "postgres": "postgres"}[kind]
    # Longer than the lease of two seconds: others have taken over when it goes on.
    return Incident(at, blow, process, dice.uniform(3.0, 5.0) if blow is Blow.STALL else dice.uniform(0.0, 1.0))


def _orders(dice: random.Random, seed: int, scale: Scale) -> tuple[Order, ...]:
    orders: list[Order] = []
    number = 0
    while number < scale.jobs:
        is_batch = dice.random() < 0.02
        size = min(_BATCH_OF, scale.jobs - number) if is_batch else 1
        bodies = tuple(_body(dice, f"order {seed}-{number + place}") for place in range(size))
        copies = 2 if dice.random() < 0.15 else 1
        at = scale.seconds * number / scale.jobs
        orders.append(Order(at, f"key-{seed}-{number}", bodies, is_batch, copies))
        number += size
    return tuple(orders)


def _body(dice: random.Random, text: str) -> dict[str, Any]:
    kind = dice.choices(("repeatable", *CLASSES, "chain"), (3, 2, 2, 2, 1))[0]
    if kind == "chain":  # the free provider refuses, and the next ones are asked
        text = f"{text} [fail-safe]"
    elif kind != "repeatable" and dice.random() < 0.2:
        text = f"{text} {_mark(dice, kind)}"
    options: dict[str, Any] = {}
    if kind != "chain":
        options["model"] = "fake:made-up" if kind == "repeatable" else f"fake-{kind}:made-up"
    body: dict[str, Any] = {"pipeline": "text_to_text", "inputs": {"text": text}, "options": options}
    if dice.random() < 0.3:
        body["pipeline"] = "text_to_image"
        if dice.random() < 0.5:
            options["style"] = "oil"  # two steps
    elif dice.random() < 0.2:
        options["stream"] = True
    if dice.random() < 0.05:
        body["on_ambiguous"] = "resend"
    if dice.random() < 0.1:
        body["priority"] = dice.randint(-5, 5)
    return body


def _mark(dice: random.Random, kind: str) -> str:
    faults = (*AMBIGUOUS, *_REFUSALS, "slow", "failing", *(_QUEUE_FAULTS if kind == "handle" else ()))
    return f"[fault:{dice.choice(faults)}:{dice.randint(1, 3)}]"
