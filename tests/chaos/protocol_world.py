"""What the model of the protocol is made of: all that can be told of a world at one moment."""

from typing import NamedTuple

OPEN = ("intended", "pending")


class Limits(NamedTuple):
    """How far the world is tried."""

    attempts: int = 2
    claims: int = 3
    crashes: int = 2
    retries: int = 1


class Attempt(NamedTuple):
    """An attempt in the ledger, and what the world knows under its call key.

    Attributes:
        late, dead: `not_after`, and the call's deadline, have passed.
        call: of the worker: none, `running`, `paid` (and not answered), or `adrift`, when its worker has crashed.
        memory: of the worker: none, `result`, `refused`, `doubt`, `handle`.
        handle: the ledger has one by which the provider can be asked.
        heard: an executor that lives on has had the result in hand.
    """

    state: str = "intended"
    generation: int = 0
    late: bool = False
    dead: bool = False
    charges: int = 0
    call: str = ""
    memory: str = ""
    receipt: bool = False
    handle: bool = False
    heard: bool = False


class Executor(NamedTuple):
    """What an executor does, as which owner, about which attempt.

    Attributes:
        doing: idle, decide, send, sent, joined, doubt, poll, ask, or settle with what it has learned.
        again: its sending is not the first one.
        asked: it has asked by the handle of the last attempt, in vain.
    """

    doing: str = "idle"
    epoch: int = 0
    attempt: int = -1
    learned: str = ""
    again: bool = False
    asked: bool = False


class World(NamedTuple):
    """Everything."""

    status: str = "queued"
    owner: int = -1
    epoch: int = 0
    generation: int = 0
    resends: int = 0
    attempts: tuple[Attempt, ...] = ()
    executors: tuple[Executor, ...] = (Executor(), Executor())
    crashes: int = 0
    wrong: str = ""
