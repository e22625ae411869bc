"""The clients of a chaos run: they order, repeat until they have a 201, remember it, and meddle with what they have."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.chaos.plan import Order, Plan

_TIMEOUT = aiohttp.ClientTimeout(total=8, sock_connect=2)
_FAILURES = (aiohttp.ClientError, OSError, TimeoutError)
_MEDDLE_SECONDS = 0.4


@dataclass(slots=True)
class Memory:
    """What the clients know for certain, as they were told.

    Attributes:
        jobs: ids by key, of every 201 for a job.
        batches: ids by key, of every 201 for a batch.
        sizes: jobs of a batch, by its id.
        cancels_asked: jobs that somebody has asked to cancel, whatever the answer was.
        retries_asked: the same of retries.
        resends_asked: jobs for which somebody has accepted to pay twice.
        answers: how often which status was answered, or `none`.
        surprises: answers that no client should ever get.
    """

    jobs: dict[str, set[str]] = field(default_factory=dict)
    batches: dict[str, set[str]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    cancels_asked: set[str] = field(default_factory=set)
    retries_asked: set[str] = field(default_factory=set)
    resends_asked: set[str] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)
    surprises: list[str] = field(default_factory=list)

    @property
    def job_ids(self) -> list[str]:
        return [job for found in self.jobs.values() for job in found]


class Clients:
    """All clients of a run."""

    def __init__(self, plan: Plan, urls: Sequence[str], session: aiohttp.ClientSession) -> None:
        self.memory = Memory()
        self.seed = plan.seed
        self._plan = plan
        self._urls = urls
        self._session = session
        self._dice = random.Random(f"clients {plan.seed}")

    async def order_all(self) -> None:
        """Sends every order at its time; returns when each has been accepted."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as group:
            for order in self._plan.orders:
                await asyncio.sleep(max(0.0, began + order.at - loop.time()))
                for _ in range(order.copies):
                    group.create_task(self._order(order))

    async def _order(self, order: Order) -> None:
        path = "/batches" if order.is_batch else "/jobs"
        body = {"jobs": list(order.bodies)} if order.is_batch else order.bodies[0]
        while True:
            status, document = await self._post(path, body, {"Idempotency-Key": order.key})
            if status == 201:
                break
            if 0 < status < 500:
                self.memory.surprises.append(f"POST {path} {order.key}: {status} {document}")
                return
            await asyncio.sleep(self._dice.uniform(0.1, 0.5))
        if order.is_batch:
            self.memory.batches.setdefault(order.key, set()).add(document["batch_id"])
            self.memory.sizes[document["batch_id"]] = len(order.bodies)
        else:
            self.memory.jobs.setdefault(order.key, set()).add(document["job_id"])
        if self._dice.random() < 0.05:  # a client that has forgotten its answer
            await asyncio.sleep(self._dice.uniform(0.5, 3.0))
            await self._order(Order(0, order.key, order.bodies, order.is_batch, 1))

    async def meddle(self) -> None:
        """Cancels and retries whatever it likes, until it is canceled itself."""
        while True:
            await asyncio.sleep(self._dice.uniform(0, 2 * _MEDDLE_SECONDS))
            known = self.memory.job_ids
            if not known:
                continue
            if self._dice.random() < 0.4:
                await self._cancel(self._dice.choice(known[-40:]))
            else:
                await self._retry_some()

    async def _cancel(self, job: str) -> None:
        self.memory.cancels_asked.add(job)
        await self._meddle(f"/jobs/{job}/cancel", None)

    async def _retry_some(self) -> None:
        wanted = self._dice.choice(("failed", "canceled"))
        status, jobs = await self._ask("GET", f"/jobs?status={wanted}&limit=20")
        if status != 200 or not jobs:
            return
        job = self._dice.choice(jobs)["job_id"]
        resend = self._dice.random() < 0.3
        self.memory.retries_asked.add(job)
        if resend:
            self.memory.resends_asked.add(job)
        await self._meddle(f"/jobs/{job}/retry", {"resend": resend})

    async def _meddle(self, path: str, body: Any) -> None:
        status, document = await self._post(path, body, {})
        if status not in (0, 200, 409) and status < 500:
            self.memory.surprises.append(f"POST {path}: {status} {document}")

    async def _post(self, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
        return await self._ask("POST", path, json=body, headers=headers)

    async def _ask(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        """Status and document of one request to any gateway; 0 where there was no answer."""
        url = self._dice.choice(self._urls) + path
        try:
            async with self._session.request(method, url, timeout=_TIMEOUT, **more) as response:
                document = await response.json(content_type=None)
                self.memory.answers[str(response.status)] += 1
                if response.status >= 500 and response.status != 503:
                    self.memory.surprises.append(f"{method} {path}: {response.status} {document}")
                return response.status, document
        except (*_FAILURES, ValueError):
            self.memory.answers["none"] += 1
            return 0, None
