"""One chaos run: starts everything, lets the plan happen, heals, waits until all is quiet, and gathers what is left."""

import asyncio
import json
import logging
import random
import time
from dataclasses import asdict
from pathlib import Path

import aiohttp

from tests.chaos.clients import Clients
from tests.chaos.cluster import Cluster, running
from tests.chaos.faults import Assailant
from tests.chaos.invariants import Remains
from tests.chaos.ledger import count_open, lost_sight_of, read_books
from tests.chaos.plan import Plan
from tests.chaos.subscribers import JobSubscriber, Subscriber
from tests.chaos.table import Result, judged
from tests.support.paid_provider import journal_of

logger = logging.getLogger(__name__)

_SUBSCRIBERS = 2
_JOB_SUBSCRIBERS = 5
_LOOK_SECONDS = 1.0
_WATCH_SECONDS = 3.0
_CATCH_UP_SECONDS = 60.0


async def run(plan: Plan, folder: Path, *, quiet_seconds: float) -> Result:
    """Runs a plan and judges what is left.

    Args:
        quiet_seconds: how long all that is open may take to come to its end once everything is well again.
    """
    began = time.monotonic()
    async with running(plan, folder) as cluster, aiohttp.ClientSession() as session:
        urls = [service.url for service in cluster.gateways]
        clients, assailant = Clients(plan, urls, session), Assailant(plan, cluster)
        subscribers = [Subscriber(urls, random.Random(f"{plan.seed} {number}")) for number in range(_SUBSCRIBERS)]
        strays: set[str] = set()
        background = [
            *(asyncio.create_task(subscriber.follow(session)) for subscriber in subscribers),
            asyncio.create_task(_watch(cluster, strays)),
        ]
        job_subscribers = asyncio.create_task(_follow_some(clients, urls, session))
        meddling = asyncio.create_task(clients.meddle())
        await asyncio.gather(clients.order_all(), assailant.run())
        await _ended(meddling)
        await assailant.heal()
        logger.info("healed after %.0f s", time.monotonic() - began)
        await _quiet(cluster, quiet_seconds)
        followed = {one.job: one.seen for one in await job_subscribers}
        books = await read_books(cluster)
        (folder / "books.json").write_text(json.dumps(asdict(books)))
        await _caught_up(subscribers, len(books.events))
        await _ended(*background)
        remains = Remains(
            memory=clients.memory,
            books=books,
            journal=journal_of(str(cluster.journal)),
            receipts=_names(cluster.storage / ".receipts", stems=True),
            files=_names(cluster.storage, stems=False),
            feeds=tuple(subscriber.seen for subscriber in subscribers),
            job_feeds=followed,
            strays=tuple(sorted(strays)),
        )
    return judged(plan, remains, assailant.outages, time.monotonic() - began)


async def _follow_some(clients: Clients, urls: list[str], session: aiohttp.ClientSession) -> list[JobSubscriber]:
    """Follows some of the first jobs, each to its end."""
    while len(clients.memory.job_ids) < _JOB_SUBSCRIBERS:
        await asyncio.sleep(0.2)
    dice = random.Random(clients.seed)
    followers = [JobSubscriber(job, urls, dice) for job in clients.memory.job_ids[:_JOB_SUBSCRIBERS]]
    await asyncio.gather(*(follower.follow(session) for follower in followers))
    return followers


async def _watch(cluster: Cluster, strays: set[str]) -> None:
    """Looks again and again for jobs that nobody would ever go on with."""
    while True:
        await asyncio.sleep(_WATCH_SECONDS)
        try:
            strays.update(await lost_sight_of(cluster))
        except Exception:
            # The database is down; that is part of the plan.
            logger.debug("the ledger could not be looked at", exc_info=True)


async def _quiet(cluster: Cluster, seconds: float) -> None:
    """Returns when no job and no attempt is open, or time is up: then the checks will name what is left."""
    deadline = time.monotonic() + seconds
    while any(count := await count_open(cluster)) and time.monotonic() < deadline:
        logger.info("%d jobs and %d attempts are open", *count)
        await asyncio.sleep(_LOOK_SECONDS)


async def _caught_up(subscribers: list[Subscriber], events: int) -> None:
    """Gives subscribers the time to read what has been written."""
    deadline = time.monotonic() + _CATCH_UP_SECONDS
    while any(len(set(one.seen)) < events for one in subscribers) and time.monotonic() < deadline:
        await asyncio.sleep(0.2)


async def _ended(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _names(folder: Path, *, stems: bool) -> frozenset[str]:
    """The files below a folder of stored ones: their names without the extension, or their keys.

    A name that begins with a dot is that of a file whose writing was cut off.
    """
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return frozenset(path.stem if stems else f"{path.relative_to(folder).parts[0]}/{path.name}" for path in files)
