"""Workers in the engine's own process, called without a network."""

from collections.abc import Mapping
from typing import Any, Protocol

from genesis.errors import WorkerUnavailable
from genesis.ports.workers import Call, CallPending, CallResult, OnDelta, WorkerDescription


class Worker(Protocol):
    """One worker's service; its methods do what those of the port do."""

    def describe(self) -> WorkerDescription: ...

    async def generate(self, call: Call, on_delta: OnDelta | None = None) -> CallResult | CallPending: ...

    async def poll(self, call: Call, handle: Mapping[str, Any]) -> CallResult | CallPending: ...

    async def recall(self, call: Call) -> CallResult | CallPending | None: ...

    async def cancel(self, attempt: str, handle: Mapping[str, Any] | None = None) -> None: ...


class InProcessWorkers:
    """Implements the port `WorkerClient` on worker services by capability."""

    def __init__(self, workers: Mapping[str, Worker]) -> None:
        self._workers = workers

    @property
    def shares_fate(self) -> bool:
        """Yes: no call of an earlier process can still be under way here."""
        return True

    async def describe(self, capability: str) -> WorkerDescription:
        """What the worker can do; see the port."""
        return self._worker(capability).describe()

    async def generate(self, call: Call, on_delta: OnDelta | None = None) -> CallResult | CallPending:
        """Makes one call; see the port."""
        return await self._worker(call.capability).generate(call, on_delta)

    async def poll(self, call: Call, handle: Mapping[str, Any]) -> CallResult | CallPending:
        """Asks for the result of a pending call; see the port."""
        return await self._worker(call.capability).poll(call, handle)

    async def recall(self, call: Call) -> CallResult | CallPending | None:
        """Asks what became of a call; see the port."""
        return await self._worker(call.capability).recall(call)

    async def cancel(self, capability: str, attempt: str, handle: Mapping[str, Any] | None = None) -> None:
        """Asks the worker to give up a call; see the port."""
        await self._worker(capability).cancel(attempt, handle)

    def _worker(self, capability: str) -> Worker:
        if (worker := self._workers.get(capability)) is None:
            raise WorkerUnavailable(f"This process has no worker of {capability}.")
        return worker
