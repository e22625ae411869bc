"""What every run of a job needs."""

from collections.abc import Callable
from dataclasses import dataclass

from genesis.domain.identity import Milliseconds
from genesis.engine.breaker import Breakers
from genesis.engine.call_ends import CallEnds
from genesis.engine.directory import WorkerDirectory
from genesis.engine.lanes import Lanes
from genesis.engine.pace import Pace
from genesis.engine.retry import RetryPolicy
from genesis.ports.clock import Clock
from genesis.ports.ledger import Ledger
from genesis.ports.queries import Queries
from genesis.ports.signals import Signals
from genesis.ports.workers import WorkerClient


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every run needs.

    Attributes:
        clock: the time that the ledger goes by.
        machine: the time of day here, which workers compare theirs with.
        may_call: whether the executor is sure enough of its lease to begin a call.
    """

    ledger: Ledger
    queries: Queries
    workers: WorkerClient
    signals: Signals
    directory: WorkerDirectory
    lanes: Lanes
    breakers: Breakers
    pace: Pace
    policy: RetryPolicy
    clock: Clock
    machine: Clock
    call_ends: CallEnds
    may_call: Callable[[], bool]

    def by_machine(self, moment: Milliseconds) -> Milliseconds:
        """A moment of the ledger's time by the clock of this machine."""
        return moment - self.clock.now() + self.machine.now()
