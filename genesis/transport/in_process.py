"""Workers in the engine's own process, called without a network."""

from collections.abc import Mapping
from typing import Protocol

from genesis.errors import WorkerUnavailable
from genesis.ports.workers import Call, CallResult, WorkerDescription


class Worker(Protocol):
    """One worker's service."""

    def describe(self) -> WorkerDescription: ...

    async def generate(self, call: Call) -> CallResult: ...

    async def cancel(self, attempt: str) -> None: ...


class InProcessWorkers:
    """Implements the port `WorkerClient` on worker services by capability."""

    def __init__(self, workers: Mapping[str, Worker]) -> None:
        self._workers = workers

    async def describe(self, capability: str) -> WorkerDescription:
        return self._worker(capability).describe()

    async def generate(self, call: Call) -> CallResult:
        return await self._worker(call.capability).generate(call)

    async def cancel(self, capability: str, attempt: str) -> None:
        await self._worker(capability).cancel(attempt)

    def _worker(self, capability: str) -> Worker:
        if (worker := self._workers.get(capability)) is None:
            raise WorkerUnavailable(f"This process has no worker of {capability}.")
        return worker
