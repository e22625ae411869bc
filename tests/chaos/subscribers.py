"""Subscribers of a chaos run: they follow the events of all jobs, and come back after each cut with the last id they had."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import aiohttp

_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=2, sock_read=20)
_FAILURES = (aiohttp.ClientError, OSError, TimeoutError)
_SHORTEST_STAY = 2.0
_LONGEST_STAY = 12.0

Seen = tuple[str, int]
"""Job and number of an event."""


@dataclass(slots=True)
class Subscriber:
    """One reader of `GET /events`.

    Attributes:
        seen: each event that arrived whole, in its order.
        connections: how often it has connected.
    """

    urls: Sequence[str]
    dice: random.Random
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    last_id: str = "beginning"

    async def follow(self, session: aiohttp.ClientSession) -> None:
        """Reads until it is canceled, from one gateway and then from another."""
        while True:
            stay = self.dice.uniform(_SHORTEST_STAY, _LONGEST_STAY)
            try:
                async with asyncio.timeout(stay):
                    await self._read(session, self.dice.choice(self.urls) + "/events")
            except _FAILURES:
                await asyncio.sleep(0.2)

    async def _read(self, session: aiohttp.ClientSession, url: str) -> None:
        headers = {"Last-Event-ID": self.last_id}
        async with session.get(url, headers=headers, timeout=_TIMEOUT) as response:
            response.raise_for_status()
            self.connections += 1
            async for identity, data in _events(response):
                if data:
                    event = json.loads(data)
                    self.seen.append((event["job_id"], event["seq"]))
                if identity:
                    self.last_id = identity


@dataclass(slots=True)
class JobSubscriber:
    """One reader of `GET /jobs/{id}/events`, until the job is over.

    Attributes:
        seen: numbers of the events, as they came.
    """

    job: str
    urls: Sequence[str]
    dice: random.Random
    seen: list[int] = field(default_factory=list)

    async def follow(self, session: aiohttp.ClientSession) -> None:
        """Reads until there is nothing more to come."""
        while True:
            try:
                if await self._read(session, self.dice.choice(self.urls)):
                    return
            except _FAILURES:
                await asyncio.sleep(0.2)

    async def _read(self, session: aiohttp.ClientSession, url: str) -> bool:
        """Whether the job is over."""
        headers = {"Last-Event-ID": str(self.seen[-1])} if self.seen else {}
        async with session.get(f"{url}/jobs/{self.job}/events", headers=headers, timeout=_TIMEOUT) as response:
            response.raise_for_status()
            if response.status == 204:
                return True
            async for identity, _ in _events(response):
                if identity:
                    self.seen.append(int(identity))
        return False


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, str]]:
    """Id and data of each whole event."""
    identity = data = ""
    async for line in response.content:
        name, _, value = line.decode().rstrip("\n").partition(":")
        if name == "id":
            identity = value.strip()
        elif name == "data":
            data = value.strip()
        elif not name and not value:
            yield identity, data
            identity = data = ""
