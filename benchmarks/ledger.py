"""Ledger writes a second with 64 awaiters against the databases' own limits, and how long one write takes.

A write is one accepted job with all its rows, durable when it is acknowledged. The limit is what the same database takes of
the very same rows when nobody waits: `executemany` (SQLite) or `COPY` without foreign keys (PostgreSQL), 1,000 jobs in a
transaction. The acknowledgement, one writer alone, is set beside `fdatasync` of 4 KiB in the same folder.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop
from genesis.database.open import check_database, open_database
from genesis.domain.identity import new_id
from genesis.domain.job import Job
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.step import Step
from genesis.pipelines.catalog import builtin_pipelines
from genesis.ports.ledger import Ledger
from genesis.settings import Settings

from benchmarks.harness.raw import Table, raw
from benchmarks.harness.report import Promise, conclude, median, print_table, ratio
from benchmarks.harness.scene import Scene, scene
from benchmarks.stacks.base import PROMPT

_AWAITERS = 64
_PER_TRANSACTION = 1000
_ALONE = 200
_SYNCED_BYTES = b"\0" * 4096
_SHARE = {"sqlite": 0.5, "postgres": 0.4}


@dataclass(frozen=True, slots=True)
class Round:
    """Jobs a second through the ledger and raw, and medians in milliseconds of one acknowledgement and one fdatasync."""

    ledger: float
    raw: float
    acknowledged: float
    synced: float


def new_jobs(count: int) -> list[Job]:
    """Jobs of one step as they are when they are submitted."""
    plan = builtin_pipelines()["text_to_text"].pipeline
    now = time.time_ns() // 1_000_000
    steps = tuple(Step(step.name, step.capability) for step in plan.steps)
    inputs = {"text": PROMPT}
    return [
        Job(
            new_id(), DEFAULT_ORGANIZATION, "text_to_text", inputs, {}, plan, now, steps=steps, lane=steps[0].capability
        )
        for _ in range(count)
    ]


async def submit_all(ledger: Ledger, jobs: Sequence[Job], awaiters: int) -> list[float]:
    """Submits jobs, so many at once; returns the seconds that each took to be acknowledged."""
    waiting = iter(jobs)
    seconds = []

    async def awaiter() -> None:
        for job in waiting:
            started = time.perf_counter()
            await ledger.submit(job)
            seconds.append(time.perf_counter() - started)

    await asyncio.gather(*(awaiter() for _ in range(awaiters)))
    return seconds


def fdatasync_seconds(folder: Path, count: int) -> list[float]:
    """What it takes to make 4 KiB durable at the end of a file, `count` times."""
    seconds = []
    descriptor = os.open(folder / "synced", os.O_CREAT | os.O_WRONLY)
    for _ in range(count):
        started = time.perf_counter()
        os.write(descriptor, _SYNCED_BYTES)
        os.fdatasync(descriptor)
        seconds.append(time.perf_counter() - started)
    os.close(descriptor)
    return seconds


def slices(tables: Sequence[Table], jobs: int) -> Iterator[Sequence[Table]]:
    """The tables that have rows of every job, cut into pieces of so many jobs each, every job's rows in one piece."""
    ordered = [(name, columns, _by_job(columns, rows)) for name, columns, rows in tables if len(rows) >= jobs]
    for start in range(0, jobs, _PER_TRANSACTION):
        end = min(start + _PER_TRANSACTION, jobs)
        yield [
            (name, columns, rows[len(rows) * start // jobs : len(rows) * end // jobs])
            for name, columns, rows in ordered
        ]


def _by_job(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    key = columns.index("job" if "job" in columns else "id")
    return sorted(rows, key=lambda row: str(row[key]))


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Ledger]:
    async with open_database(Settings(database_url=url)) as database:
        yield database.ledger


async def measure(place: Scene, database: str, count: int) -> Round:
    """One round on one database, in files of its own."""
    url = await place.new_url(database, place.site())
    jobs = new_jobs(count)
    async with _opened(url) as ledger:
        await submit_all(ledger, new_jobs(count // 10), _AWAITERS)
        started = time.perf_counter()
        await submit_all(ledger, jobs, _AWAITERS)
        seconds = time.perf_counter() - started
        synced = fdatasync_seconds(place.folder, _ALONE)
        acknowledged = await submit_all(ledger, new_jobs(_ALONE), 1)
    total = count + count // 10 + _ALONE
    other = await place.new_url(database, place.site())
    await asyncio.to_thread(check_database, Settings(database_url=other))
    raw_seconds = await raw(other).write(list(slices(await raw(url).read(), total)))
    return Round(count / seconds, total / raw_seconds, median(acknowledged) * 1000, median(synced) * 1000)


async def main(arguments: Sequence[str] | None = None) -> list[Promise]:
    """Measures, prints the tables, and returns what was promised beside what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=10_000, help="per round")
    parser.add_argument("--databases", default=",".join(_SHARE))
    chosen = parser.parse_args(arguments)
    rounds: dict[str, list[Round]] = {name: [] for name in chosen.databases.split(",")}
    with scene() as place:
        for number in range(chosen.rounds):
            for name, measured in rounds.items():
                measured.append(await measure(place, name, chosen.jobs))
                print(f"round {number + 1} {name}: {measured[-1].ledger:.0f} jobs/s", file=sys.stderr)
    return show(rounds)


def show(rounds: Mapping[str, Sequence[Round]]) -> list[Promise]:
    rows, promises = [], []
    for name, measured in rounds.items():
        middle = {field: median([getattr(one, field) for one in measured]) for field in Round.__slots__}
        rows.append((name, *(f"{middle[field]:.0f}" for field in ("ledger", "raw"))))
        rows[-1] += tuple(f"{middle[field]:.2f}" for field in ("acknowledged", "synced"))
        share = ratio([one.ledger for one in measured], [one.raw for one in measured])
        excess = median([one.acknowledged - 3 * one.synced for one in measured])
        promises.append(Promise(f"6 {name}: jobs/s against the raw limit", share, _SHARE[name], at_least=True))
        promises.append(Promise(f"6 {name}: ms of an acknowledgement beyond 3 fdatasync", excess, 1.0, at_least=False))
    print_table(("database", "jobs/s", "raw jobs/s", "acknowledged ms", "fdatasync ms"), rows)
    return promises


if __name__ == "__main__":
    conclude(uvloop.run(main()))
