"""Memory per job in flight and per open event stream, beside a bare pass-through that holds as many requests and streams.

A job in flight is one whose provider has its call and does not answer: it costs the gateway and the worker together, and
its caller has gone away. A stream is `GET /jobs/{job_id}/events`, each of another of these jobs. The pass-through (Starlette
and aiohttp) holds requests that the provider does not answer, and streams that it goes on with. Counted is the growth of
the processes' memory, shared pages in proportion (PSS), after a few of each were opened and closed, so that what a process
loads with its first is not counted.
"""

import argparse
import asyncio
import itertools
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.harness import load, upstream
from benchmarks.harness.environments import ROOT
from benchmarks.harness.machine import proportional_kib
from benchmarks.harness.processes import free_port, server, wait_for_http
from benchmarks.harness.report import Promise, conclude, median, print_table, ratio
from benchmarks.harness.scene import Scene, scene
from benchmarks.stacks.base import PROMPT, Site
from benchmarks.stacks.genesis import JOB, UVICORN, Deployment

_HOLD_SECONDS = 600.0
_WAIT_SECONDS = 60.0
_SETTLE_SECONDS = 1.5
_CONNECTIONS = 16
_WARM_UP = 20
_SETTINGS = {"WORKER_SLOTS": "1024", "DRAIN_SECONDS": "0"}


@dataclass(frozen=True, slots=True)
class Round:
    """KiB per job or request in flight, and per open stream."""

    in_flight: float
    stream: float


async def _until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not happen in time")
        await asyncio.sleep(0.05)


async def _kib(pids: Sequence[int]) -> int:
    await asyncio.sleep(_SETTLE_SECONDS)
    return proportional_kib(*pids)


@asynccontextmanager
async def _streams(url: str, requests: Sequence[bytes]) -> AsyncIterator[None]:
    async with load.held(url, requests) as held:
        await _until(lambda: held.answered == len(requests), "the opening of all streams")
        yield
        if held.lost:
            raise RuntimeError(f"{held.lost} streams have ended")


async def genesis(site: Site, calls: list[float], count: int) -> Round:
    """One round of Genesis on SQLite."""
    with Deployment(site, f"sqlite:///{site.folder / 'jobs.db'}", settings=_SETTINGS) as deployment:
        deployment.worker()
        url = deployment.gateway()
        pids = list(deployment.pids.values())
        submit = load.request("POST", f"{url}/jobs", JOB)

        async def submit_all(number: int) -> Sequence[str]:
            calls.clear()
            answers = await load.send(url, itertools.repeat(submit, number), _CONNECTIONS)
            await _until(lambda: len(calls) == number, "the calls of all jobs")
            return [json.loads(answer)["job_id"] for answer in answers.bodies]

        async def cancel(jobs: Sequence[str]) -> None:
            requests = [load.request("POST", f"{url}/jobs/{job}/cancel", {}) for job in jobs]
            await load.send(url, iter(requests), _CONNECTIONS)
            await asyncio.sleep(_SETTLE_SECONDS)

        def follow(jobs: Sequence[str]) -> Sequence[bytes]:
            return [load.request("GET", f"{url}/jobs/{job}/events") for job in jobs]

        first = await submit_all(_WARM_UP)
        async with _streams(url, follow(first)):
            pass
        await cancel(first)
        before = await _kib(pids)
        jobs = await submit_all(count)
        with_jobs = await _kib(pids)
        async with _streams(url, follow(jobs)):
            with_streams = await _kib(pids)
    return Round((with_jobs - before) / count, (with_streams - with_jobs) / count)


async def pass_through(site: Site, calls: list[float], count: int) -> Round:
    """One round of the yardstick, each half in a process of its own."""
    body = {"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": PROMPT}]}
    plain = await _growth(site, {"stream": False, **body}, count, lambda: len(calls) >= count + _WARM_UP)
    calls.clear()
    return Round(plain, await _growth(site, {"stream": True, **body}, count, lambda: len(calls) >= count + _WARM_UP))


async def _growth(site: Site, body: Mapping[str, Any], count: int, all_called: Callable[[], bool]) -> float:
    """KiB of each of `count` requests that a pass-through holds."""
    port, log = free_port(), site.folder / "gateway.log"
    url = f"http://127.0.0.1:{port}"
    command: list[str | Path] = [sys.executable, *UVICORN, "--port", str(port), "benchmarks.peers.pass_through:app"]
    request = load.request("POST", f"{url}/v1/chat/completions", body)
    with server(command, log=log, cwd=ROOT, env={"PROVIDER_URL": site.provider_url}) as process:
        wait_for_http(f"{url}/health", process, log)
        async with load.held(url, [request] * _WARM_UP):
            await asyncio.sleep(_SETTLE_SECONDS)
        before = await _kib([process.pid])
        async with load.held(url, [request] * count) as held:
            await _until(all_called, "the calls of all requests")
            growth = await _kib([process.pid]) - before
            if held.lost:
                raise RuntimeError(f"{held.lost} requests were refused or have ended")
        return growth / count


_CONTENDERS: Mapping[str, Callable[[Site, list[float], int], Awaitable[Round]]] = {
    "genesis": genesis,
    "pass-through": pass_through,
}


async def measure(place: Scene, name: str, count: int) -> Round:
    """One round of one contender, with a provider of its own in this process."""
    calls: list[float] = []
    port = free_port()
    listening = upstream.listen(port, hold=_HOLD_SECONDS, on_call=lambda: calls.append(time.perf_counter()))
    async with await listening:
        return await _CONTENDERS[name](replace(place.site(), provider_url=f"http://127.0.0.1:{port}"), calls, count)


async def main(arguments: Sequence[str] | None = None) -> list[Promise]:
    """Measures, prints the tables, and returns what was promised beside what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=1000, help="of jobs, requests and streams; at most 1024")
    chosen = parser.parse_args(arguments)
    rounds: dict[str, list[Round]] = {name: [] for name in _CONTENDERS}
    with scene() as place:
        for number in range(chosen.rounds):
            for name, measured in rounds.items():
                measured.append(await measure(place, name, chosen.count))
                one = measured[-1]
                print(f"round {number + 1} {name}: {one.in_flight:.0f}, {one.stream:.0f} KiB", file=sys.stderr)
    return show(rounds)


def show(rounds: Mapping[str, Sequence[Round]]) -> list[Promise]:
    middle = {
        name: Round(median([one.in_flight for one in measured]), median([one.stream for one in measured]))
        for name, measured in rounds.items()
    }
    rows = [(name, f"{one.in_flight:.1f}", f"{one.stream:.1f}") for name, one in middle.items()]
    print_table(("KiB (PSS)", "job or request in flight", "open stream"), rows)
    own, other = rounds["genesis"], rounds["pass-through"]
    in_flight = ratio([one.in_flight for one in own], [one.in_flight for one in other])
    stream = ratio([one.stream for one in own], [one.stream for one in other])
    return [
        Promise("9 memory of a job in flight, by that of a request", in_flight, 2.0, at_least=False),
        Promise("9 memory of a stream, by that of a stream", stream, 2.0, at_least=False),
    ]


if __name__ == "__main__":
    conclude(uvloop.run(main()))
