"""1,000 jobs against 1,000,000: looking up, listing, deep pages, filters and claims, and the start of a gateway.

Jobs are made by writing the rows of two real ones, a completed and a queued one, over and over with ids and times of their
own: a tenth waits, some failed, a tenth is of another pipeline. No worker runs meanwhile, so that nothing is claimed. Both
sizes are asked in turn, over HTTP, once their files are in memory; claims are made through the ledger. A start is the time
from the process to its first answer, and is also set beside the start on an empty database.
"""

import argparse
import asyncio
import json
import random
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from typing import Any

import uvloop
from genesis.database.open import check_database, open_database
from genesis.domain.identity import new_id
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.ports.ledger import Change
from genesis.settings import Settings

from benchmarks.harness import load
from benchmarks.harness.machine import read_into_memory
from benchmarks.harness.raw import Table, raw
from benchmarks.harness.report import Promise, conclude, median, print_table
from benchmarks.harness.scene import Scene, scene
from benchmarks.ledger import new_jobs
from benchmarks.stacks.base import Site
from benchmarks.stacks.genesis import JOB, Deployment

_SMALL = 1000
_PER_TRANSACTION = 5000
_ASKED = 300
_CLAIMED = 60
_STARTS = 5
_HEAD = 20
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_EARLIEST_TIME = 10**12
_MILLISECONDS_APART = 1000


@dataclass(frozen=True, slots=True)
class Ground:
    """A database of a size, and where its processes have their files."""

    jobs: int
    url: str
    site: Site
    newest: int  # milliseconds

    def job_id(self, number: int) -> str:
        return _identity(self.newest - (self.jobs - number) * _MILLISECONDS_APART, number, 0)


def _identity(milliseconds: int, number: int, kind: int) -> str:
    """A version 7 UUID of a time, as text: ordered by it, and different for every number and kind."""
    moment = f"{milliseconds:012x}"
    return f"{moment[:8]}-{moment[8:]}-7000-8{kind:03x}-{number:012x}"


class Template:
    """The rows of one job, to be written again for others."""

    def __init__(self, tables: Sequence[Table], job: str) -> None:
        kinds: dict[str, int] = {job: 0}
        self._rows: list[tuple[str, Sequence[str], list[Any], list[tuple[int, int]], list[int]]] = []
        for name, columns, rows in tables:
            for row in (row for row in rows if job in row):
                ids = [
                    (place, kinds.setdefault(value, len(kinds)))
                    for place, value in enumerate(row)
                    if isinstance(value, str) and _UUID.fullmatch(value) and value != DEFAULT_ORGANIZATION
                ]
                times = [place for place, value in enumerate(row) if isinstance(value, int) and value > _EARLIEST_TIME]
                self._rows.append((name, columns, list(row), ids, times))

    def rows(self, ground: Ground, number: int, changed: Mapping[str, str]) -> Iterator[tuple[str, Sequence[str], Any]]:
        """The rows of another job; `changed` replaces columns of its own row."""
        age = (ground.jobs - number) * _MILLISECONDS_APART
        for name, columns, row, ids, times in self._rows:
            copy = row.copy()
            for place, kind in ids:
                copy[place] = _identity(ground.newest - age, number, kind)
            for place in times:
                copy[place] -= age
            if name == "jobs":
                for column, value in changed.items():
                    copy[columns.index(column)] = value
            yield name, columns, copy


async def templates(url: str, site: Site) -> tuple[Template, Template]:
    """A completed and a queued job of this database."""
    with Deployment(site, url) as deployment:
        deployment.worker()
        address = deployment.gateway()
        async with load.connected(address) as connection:
            job = json.loads(await connection.exchange(load.request("POST", f"{address}/jobs", JOB)))
            completed = job["job_id"]
            while job["status"] != "completed":
                job = await load.ask(f"{address}/jobs/{completed}")
    waiting = new_jobs(1)[0]
    async with open_database(Settings(database_url=url)) as database:
        await database.ledger.submit(waiting)
    tables = await raw(url).read()
    return Template(tables, completed), Template(tables, waiting.id)


def pieces(ground: Ground, completed: Template, queued: Template) -> Iterator[Sequence[Table]]:
    """The rows of all jobs, some thousand jobs at a time."""
    for start in range(0, ground.jobs, _PER_TRANSACTION):
        tables: dict[str, tuple[Sequence[str], list[Any]]] = {}
        for number in range(start, min(start + _PER_TRANSACTION, ground.jobs)):
            template = queued if number % 10 == 0 else completed
            changed = {5: {"pipeline": "text_to_speech"}, 7: {"status": "failed"}}.get(number % 10, {})
            for name, columns, row in template.rows(ground, number, changed):
                tables.setdefault(name, (columns, []))[1].append(row)
        yield [(name, columns, rows) for name, (columns, rows) in tables.items()]


async def build(place: Scene, database: str, jobs: int) -> Ground:
    """A database with so many jobs."""
    site = place.site()
    url = await place.new_url(database, site)
    await asyncio.to_thread(check_database, Settings(database_url=url))
    ground = Ground(jobs, url, site, time.time_ns() // 1_000_000)
    if jobs:
        completed, queued = await templates(url, site)
        seconds = await raw(url).write(pieces(ground, completed, queued))
        await raw(url).settle()
        print(f"{database}: {jobs} jobs written in {seconds:.0f} s", file=sys.stderr)
    return ground


def _somewhere(ground: Ground) -> str:
    return ground.job_id(random.randrange(ground.jobs // 4, ground.jobs))


QUERIES: Mapping[str, Callable[[Ground], str]] = {
    "get": lambda ground: f"/jobs/{_somewhere(ground)}",
    "list": lambda _: f"/jobs?limit={_HEAD}",
    "deep page": lambda ground: f"/jobs?limit={_HEAD}&cursor={_somewhere(ground)}",
    "by status": lambda _: f"/jobs?limit={_HEAD}&status=failed",
    "by pipeline": lambda _: f"/jobs?limit={_HEAD}&pipeline=text_to_speech",
}


async def ask(grounds: Sequence[Ground]) -> dict[str, list[float]]:
    """The p50 of every query in milliseconds, for each ground; they are asked in turn."""
    async with AsyncExitStack() as stack:
        gateways = []
        for ground in grounds:
            address = stack.enter_context(Deployment(ground.site, ground.url)).gateway()
            gateways.append((ground, address, await stack.enter_async_context(load.connected(address))))
        found = {}
        for name, query in QUERIES.items():
            seconds: list[list[float]] = [[] for _ in grounds]
            for _ in range(_ASKED):
                for taken, (ground, address, connection) in zip(seconds, gateways, strict=True):
                    content = load.request("GET", address + query(ground))
                    started = time.perf_counter()
                    await connection.exchange(content)
                    taken.append(time.perf_counter() - started)
            found[name] = [median(taken) * 1000 for taken in seconds]
        return found


async def claim(grounds: Sequence[Ground]) -> list[float]:
    """The p50 of claiming one job in milliseconds, for each ground, in turn."""
    async with AsyncExitStack() as stack:
        ledgers = []
        for ground in grounds:
            database = await stack.enter_async_context(open_database(Settings(database_url=ground.url)))
            owner = new_id()
            await database.ledger.join(owner)
            ledgers.append((database.ledger, owner))
        seconds: list[list[float]] = [[] for _ in grounds]
        for _ in range(_CLAIMED):
            for taken, (ledger, owner) in zip(seconds, ledgers, strict=True):
                started = time.perf_counter()
                claimed = await ledger.claim(owner, "text", 1, lambda _: Change())
                taken.append(time.perf_counter() - started)
                if len(claimed) != 1:
                    raise RuntimeError("there was nothing to claim")
        for ledger, owner in ledgers:
            await ledger.leave(owner)
        return [median(taken) * 1000 for taken in seconds]


def start(grounds: Sequence[Ground]) -> list[float]:
    """The median of a gateway's start in seconds, for each ground, in turn."""
    seconds: list[list[float]] = [[] for _ in grounds]
    for _ in range(_STARTS):
        for taken, ground in zip(seconds, grounds, strict=True):
            with ExitStack() as stack:
                deployment = stack.enter_context(Deployment(ground.site, ground.url))
                started = time.perf_counter()
                deployment.gateway()
                taken.append(time.perf_counter() - started)
    return [median(taken) for taken in seconds]


async def main(arguments: Sequence[str] | None = None) -> list[Promise]:
    """Measures, prints the tables, and returns what was promised beside what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--databases", default="sqlite,postgres")
    chosen = parser.parse_args(arguments)
    promises = []
    with scene() as place:
        for database in chosen.databases.split(","):
            empty, small, large = [await build(place, database, jobs) for jobs in (0, _SMALL, chosen.jobs)]
            read_into_memory(place.folder)
            found = await ask([small, large])
            found["claim"] = await claim([small, large])
            starts = start([empty, large])
            promises += show(database, found, starts)
    return promises


def show(database: str, found: Mapping[str, Sequence[float]], starts: Sequence[float]) -> list[Promise]:
    rows = [(name, f"{small:.2f}", f"{large:.2f}", f"{large / small:.2f}") for name, (small, large) in found.items()]
    rows.append(("start (s; empty, large)", f"{starts[0]:.2f}", f"{starts[1]:.2f}", f"{starts[1] / starts[0]:.2f}"))
    print_table((f"{database}, p50 in ms", "small", "large", "ratio"), rows)
    promises = [
        Promise(f"10 {database}: {name}, large against small", large / small, 1.3, at_least=False)
        for name, (small, large) in found.items()
    ]
    promises.append(Promise(f"12 {database}: seconds to the first answer", starts[1], 1.5, at_least=False))
    promises.append(Promise(f"12 {database}: start, large against empty", starts[1] / starts[0], 1.3, at_least=False))
    return promises


if __name__ == "__main__":
    conclude(uvloop.run(main()))
