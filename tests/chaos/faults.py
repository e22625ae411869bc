"""Deals the blows of a plan, writes down when each process was out of action, and heals all at the end."""

import asyncio
import signal
import time
from dataclasses import dataclass, field

from tests.chaos.cluster import Cluster
from tests.chaos.plan import Blow, Incident, Plan

Milliseconds = int


@dataclass(frozen=True, slots=True)
class Outage:
    """A process could not do its work between two moments."""

    process: str
    blow: Blow
    began: Milliseconds
    ended: Milliseconds


@dataclass(slots=True)
class Assailant:
    """Deals the blows.

    Attributes:
        outages: what was done, for the explanations.
    """

    plan: Plan
    cluster: Cluster
    outages: list[Outage] = field(default_factory=list)
    _busy: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def run(self) -> None:
        """Deals every blow at its time; returns when all processes are well again."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as group:
            for incident in self.plan.incidents:
                await asyncio.sleep(max(0.0, began + incident.at - loop.time()))
                group.create_task(self._deal(incident))

    async def _deal(self, incident: Incident) -> None:
        """Hits one process, after it has recovered from the blow before."""
        async with self._busy.setdefault(incident.process, asyncio.Lock()):
            began = now()
            if incident.blow is Blow.STALL:
                service = self.cluster.services[incident.process]
                service.send(signal.SIGSTOP)
                await asyncio.sleep(incident.seconds)
                service.send(signal.SIGCONT)
            else:
                await asyncio.to_thread(self.cluster.kill, incident.process)
                await asyncio.sleep(incident.seconds)
                await self.cluster.start(incident.process)
            self.outages.append(Outage(incident.process, incident.blow, began, now()))

    async def heal(self) -> None:
        """Makes sure that every process runs."""
        for service in self.cluster.services.values():
            service.send(signal.SIGCONT)
            await self.cluster.answers(service)

    @property
    def kills(self) -> int:
        return sum(outage.blow is Blow.KILL for outage in self.outages)


def now() -> Milliseconds:
    return time.time_ns() // 1_000_000
