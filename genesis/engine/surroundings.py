"""What every run of a job needs."""

from collections.abc import Callable
from dataclasses import dataclass

from genesis.engine.breaker import Breakers
from genesis.engine.directory import WorkerDirectory
from genesis.engine.health import Health
from genesis.engine.lanes import Lanes
from genesis.engine.pace import Pace
from genesis.engine.retry import RetryPolicy
from genesis.ports.clock import Clock
from genesis.ports.ledger import Ledger
from genesis.ports.prices import Prices
from genesis.ports.queries import Queries
from genesis.ports.signals import Signals
from genesis.ports.workers import WorkerClient


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every run needs.

    Attributes:
        may_call: whether the executor is sure enough of its lease to begin a call.
    """

    ledger: Ledger
    queries: Queries
    workers: WorkerClient
    prices: Prices
    signals: Signals
    directory: WorkerDirectory
    lanes: Lanes
    breakers: Breakers
    health: Health
    pace: Pace
    policy: RetryPolicy
    clock: Clock
    may_call: Callable[[], bool]
