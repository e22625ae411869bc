"""Durable jobs a second on one core and processor time per job: Genesis, Celery, DBOS and the floor, interleaved.

A round of a stack: start it with an empty database, warm it up, submit jobs over 32 connections as fast as it takes them,
and wait until its database has all as completed. Some are then fetched to see that they have the provider's text.
"""

import argparse
import asyncio
import itertools
import json
import random
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop

from benchmarks.harness import load
from benchmarks.harness.machine import TARGET_CORE, busy_seconds, cpu_seconds
from benchmarks.harness.report import Promise, conclude, median, print_table, ratio
from benchmarks.harness.scene import Scene, scene
from benchmarks.harness.upstream import TEXT
from benchmarks.stacks.base import PROMPT, Running, Stack
from benchmarks.stacks.genesis import genesis
from benchmarks.stacks.peers import celery, dbos, prototype

_CONNECTIONS = 32
_PAUSE_SECONDS = 0.005
_ROUND_SECONDS = 120.0
_CHECKED = 10
_CEILING_EXCHANGES = 20_000
_WANTED = {"celery": 8.0, "dbos postgres": 5.0, "dbos sqlite": 5.0, "floor": 0.35}


@dataclass(frozen=True, slots=True)
class Contender:
    """A stack and how many jobs keep it busy for two seconds or so."""

    stack: Stack
    jobs: int


@dataclass(frozen=True, slots=True)
class Round:
    """What one round came to.

    Attributes:
        rate: jobs a second.
        cpu: milliseconds of processor time per job, by process tree.
        disturbance: share of the target's core that others used meanwhile.
    """

    rate: float
    cpu: Mapping[str, float]
    disturbance: float

    @property
    def total_cpu(self) -> float:
        return sum(self.cpu.values())


CONTENDERS = {
    "genesis sqlite": Contender(genesis(), 2000),
    "genesis postgres": Contender(genesis(on_postgres=True), 2000),
    "celery": Contender(celery, 500),
    "dbos postgres": Contender(dbos(on_postgres=True), 500),
    "dbos sqlite": Contender(dbos(on_postgres=False), 300),
    "floor": Contender(prototype, 6000),
}


async def run_jobs(running: Running, count: int) -> Sequence[bytes]:
    """Submits jobs and waits until all are completed; returns the answers to the submits."""
    done_before = await running.completed()
    url = running.url + "/jobs"
    content = load.request("POST", url, running.job)
    answers = await load.send(url, itertools.repeat(content, count), _CONNECTIONS)
    deadline = time.monotonic() + _ROUND_SECONDS
    while (done := await running.completed() - done_before) < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"only {done} of {count} jobs were completed in time")
        await asyncio.sleep(_PAUSE_SECONDS)
    return answers.bodies


async def check(running: Running, answers: Sequence[bytes]) -> None:
    """Fetches some jobs and compares what they have with what the provider said."""
    for answer in random.sample(answers, min(_CHECKED, len(answers))):
        job = await load.ask(f"{running.url}/jobs/{json.loads(answer)['job_id']}")
        if job["status"] != "completed" or job["outputs"]["text"] != TEXT:
            raise RuntimeError(f"a job is not what it should be: {job}")


async def measure(place: Scene, contender: Contender) -> Round:
    """One round of one stack."""
    async with contender.stack(place.site()) as running:
        await check(running, await run_jobs(running, max(50, contender.jobs // 5)))
        before = {name: cpu_seconds(pid) for name, pid in running.processes.items()}
        busy, started = busy_seconds(TARGET_CORE), time.perf_counter()
        answers = await run_jobs(running, contender.jobs)
        seconds = time.perf_counter() - started
        cpu = {name: cpu_seconds(pid) - before[name] for name, pid in running.processes.items()}
        await check(running, answers)
        others = max(0.0, busy_seconds(TARGET_CORE) - busy - sum(cpu.values()))
    per_job = {name: spent * 1000 / contender.jobs for name, spent in cpu.items()}
    return Round(contender.jobs / seconds, per_job, others / seconds)


async def ceiling(place: Scene) -> float:
    """Exchanges a second of the load generator with the fake provider, which share a core: no stack can be faster."""
    url = place.provider_url + "/v1/chat/completions"
    body = {"model": "any", "messages": [{"role": "user", "content": PROMPT}]}
    content = load.request("POST", url, body)
    answers = await load.send(url, itertools.repeat(content, _CEILING_EXCHANGES), _CONNECTIONS)
    return _CEILING_EXCHANGES / answers.seconds


def show(rounds: Mapping[str, Sequence[Round]]) -> None:
    rows = []
    for name, measured in rounds.items():
        rates = [one.rate for one in measured]
        parts = (f"{part} {median([one.cpu[part] for one in measured]):.2f}" for part in measured[0].cpu)
        cpu = median([one.total_cpu for one in measured])
        rows.append(
            (name, f"{median(rates):.0f}", f"{min(rates):.0f}-{max(rates):.0f}", f"{cpu:.2f}", ", ".join(parts))
        )
    print_table(("stack", "jobs/s", "min-max", "CPU ms/job", "of which"), rows)


def ratios(rounds: Mapping[str, Sequence[Round]], own: str) -> Mapping[str, float]:
    """How many jobs Genesis does in the time in which each other does one."""
    rates = {name: [one.rate for one in measured] for name, measured in rounds.items()}
    return {name: ratio(rates[own], other) for name, other in rates.items() if name != own}


def promises(rounds: Mapping[str, Sequence[Round]]) -> list[Promise]:
    """Rows 4 and 5 of the promises, which are about SQLite; the same for PostgreSQL is shown, not judged."""
    for own in (name for name in ("genesis sqlite", "genesis postgres") if name in rounds):
        rows = [(name, f"{value:.2f}") for name, value in ratios(rounds, own).items()]
        print()
        print_table((f"{own} has as many jobs/s as", "times"), rows)
    if "genesis sqlite" not in rounds:
        return []
    against = ratios(rounds, "genesis sqlite")
    found = [
        Promise(f"4 jobs/s against {peer}", against[peer], wanted, at_least=True)
        for peer, wanted in _WANTED.items()
        if peer in against
    ]
    cpu = median([one.total_cpu for one in rounds["genesis sqlite"]])
    return [*found, Promise("5 CPU ms per job", cpu, 1.0, at_least=False)]


async def main(arguments: Sequence[str] | None = None) -> list[Promise]:
    """Measures, prints the tables, and returns what was promised beside what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jobs", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--stacks", default=",".join(CONTENDERS), help="comma-separated; default: all")
    parser.add_argument("--tree", type=Path, help="measure the Genesis of this source tree as well")
    chosen = parser.parse_args(arguments)
    contenders = {name: CONTENDERS[name] for name in chosen.stacks.split(",")}
    if chosen.tree:
        contenders["other sqlite"] = Contender(genesis(tree=chosen.tree.resolve()), 2000)
    rounds: dict[str, list[Round]] = {name: [] for name in contenders}
    with scene() as place:
        print(f"load and provider alone: {await ceiling(place):.0f} exchanges/s\n")
        for number in range(chosen.rounds):
            for name, contender in contenders.items():
                one = await measure(place, contender)
                rounds[name].append(one)
                print(
                    f"round {number + 1} {name}: {one.rate:.0f} jobs/s, {one.total_cpu:.2f} ms, others {one.disturbance:.0%}",
                    file=sys.stderr,
                )
    show(rounds)
    return promises(rounds)


if __name__ == "__main__":
    conclude(uvloop.run(main()))
