"""What every run of a job needs."""

from collections.abc import Callable
from dataclasses import dataclass

from genesis.domain.attempt import Attempt, ProviderClass
from genesis.domain.identity import Milliseconds
from genesis.engine.breaker import Breakers
from genesis.engine.call_ends import CallEnds
from genesis.engine.directory import WorkerDirectory
from genesis.engine.health import Health
from genesis.engine.lanes import Lanes
from genesis.engine.pace import Pace
from genesis.engine.parts import is_own
from genesis.engine.retry import RetryPolicy
from genesis.errors import CallFailed, WorkerUnavailable
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
        clock: the time that the ledger goes by.
        machine: the time of day here, which workers compare theirs with.
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
    machine: Clock
    call_ends: CallEnds
    may_call: Callable[[], bool]

    def by_machine(self, moment: Milliseconds) -> Milliseconds:
        """A moment of the ledger's time by the clock of this machine."""
        return moment - self.clock.now() + self.machine.now()

    def note_success(self, capability: str, attempt: Attempt, took: Milliseconds) -> None:
        """Takes down that a model has answered."""
        if not is_own(attempt.target):
            self.breakers.note(capability, attempt.target, None)
            self.health.note_success(capability, attempt.target, took)
            self.pace.note(capability, took)

    def note_failure(self, capability: str, attempt: Attempt, error: CallFailed) -> None:
        """Takes down that a call has failed, of its model or of its worker."""
        if (
            attempt.provider_class is not ProviderClass.REPEATABLE
        ):  # a free one needs no rest, and is often the only one
            self.breakers.note(capability, attempt.target, error)
        if not is_own(attempt.target):
            self.health.note_failure(capability, attempt.target, error)
        if isinstance(error, WorkerUnavailable):
            self.directory.lose(capability, error.message)
