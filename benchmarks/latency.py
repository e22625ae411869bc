"""From a job's submission to its running, one job at a time, on SQLite and on PostgreSQL.

Seen from outside, all from the first byte of the submit: `accepted` is the answer's arrival; `running` is the first answer,
that one included, in which the job is running or further, asking again without a pause; `called` is the provider's receipt
of the job's call, which comes after a running job is durable and through the worker; `completed` is like `running`.
`by its record` is the job's own `started_at` - `created_at`, whole milliseconds.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import uvloop

from benchmarks.harness import load, upstream
from benchmarks.harness.processes import free_port
from benchmarks.harness.report import Promise, conclude, median, print_table
from benchmarks.harness.scene import Scene, scene
from benchmarks.stacks.base import Running, Stack
from benchmarks.stacks.genesis import genesis

_WARM_UP = 10
_PAUSE_SECONDS = 0.01
_PROMISED = {"sqlite": 5.0, "postgres": 10.0}
_STACKS: Mapping[str, Stack] = {"sqlite": genesis(), "postgres": genesis(on_postgres=True)}


@dataclass(frozen=True, slots=True)
class Course:
    """Milliseconds from a job's submission to each of its moments."""

    accepted: float
    running: float
    called: float
    completed: float
    by_its_record: float


async def follow(connection: load.Connection, running: Running, calls: list[float]) -> Course:
    """Submits a job and looks at it until it is completed."""
    calls.clear()
    submit = load.request("POST", running.url + "/jobs", running.job)
    started = time.perf_counter()
    job = json.loads(await connection.exchange(submit))
    accepted = time.perf_counter()
    look = load.request("GET", f"{running.url}/jobs/{job['job_id']}")
    begun = None
    while True:
        now = time.perf_counter()
        if begun is None and job["status"] != "queued":
            begun = now
        if job["status"] == "completed":
            break
        if job["status"] in ("failed", "canceled"):
            raise RuntimeError(f"a job went wrong: {job}")
        job = json.loads(await connection.exchange(look))
    accepted, begun, called, completed = (
        (moment - started) * 1000 for moment in (accepted, begun or now, calls[0], now)
    )
    return Course(accepted, begun, called, completed, _recorded(job))


def _recorded(job: Mapping[str, Any]) -> float:
    created, started = (datetime.fromisoformat(job["metadata"][name]) for name in ("created_at", "started_at"))
    return (started - created).total_seconds() * 1000


async def measure(place: Scene, stack: Stack, jobs: int) -> Sequence[Course]:
    """One round: a fresh start, a few jobs to warm up, then `jobs` that are counted."""
    calls: list[float] = []
    port = free_port()
    provider = await upstream.listen(port, on_call=lambda: calls.append(time.perf_counter()))
    async with provider, stack(replace(place.site(), provider_url=f"http://127.0.0.1:{port}")) as running:
        courses = []
        async with load.connected(running.url) as connection:
            for _ in range(_WARM_UP + jobs):
                courses.append(await follow(connection, running, calls))
                await asyncio.sleep(_PAUSE_SECONDS)
        return courses[_WARM_UP:]


async def main(arguments: Sequence[str] | None = None) -> list[Promise]:
    """Measures, prints the tables, and returns what was promised beside what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=60, help="per round")
    parser.add_argument("--databases", default=",".join(_STACKS))
    chosen = parser.parse_args(arguments)
    names = chosen.databases.split(",")
    rounds: dict[str, list[Sequence[Course]]] = {name: [] for name in names}
    with scene() as place:
        for number in range(chosen.rounds):
            for name in names:
                rounds[name].append(await measure(place, _STACKS[name], chosen.jobs))
                running = median([course.running for course in rounds[name][-1]])
                print(f"round {number + 1} {name}: running after {running:.1f} ms", file=sys.stderr)
    return show(rounds)


def show(rounds: Mapping[str, Sequence[Sequence[Course]]]) -> list[Promise]:
    moments = ("accepted", "running", "called", "completed", "by_its_record")
    rows, promises = [], []
    for name, measured in rounds.items():
        # The median over the rounds of each round's p50: a round on a busy machine does not decide.
        p50 = {
            moment: median([median([getattr(c, moment) for c in courses]) for courses in measured])
            for moment in moments
        }
        rows.append((name, *(f"{p50[moment]:.1f}" for moment in moments)))
        promises.append(
            Promise(f"7 {name}: ms from submit to running", p50["running"], _PROMISED[name], at_least=False)
        )
    print_table(("p50 in ms", *(moment.replace("_", " ") for moment in moments)), rows)
    return promises


if __name__ == "__main__":
    conclude(uvloop.run(main()))
