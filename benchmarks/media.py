"""Processor time of files that are uploaded and downloaded, and memory by their size, beside a bare server.

The bare server (`peers/files.py`) does what cannot be left out: it writes the body to disk, computes its digest, waits for the
disk, and serves the file in pieces. Counted is the time of the server's own process: the child process that examines files
later works off the way of every request. Memory is the most that this process had resident while one file went up and down,
beyond what it had before.
"""

import argparse
import asyncio
import json
import shutil
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import uvloop

from benchmarks.harness.environments import ROOT
from benchmarks.harness.machine import own_seconds, peak_kib, reset_peak
from benchmarks.harness.processes import free_port, server, wait_for_http
from benchmarks.harness.report import Promise, conclude, median, print_table, ratio
from benchmarks.harness.scene import Scene, scene
from benchmarks.stacks.base import Site
from benchmarks.stacks.genesis import UVICORN, Deployment

_MIB = 1024 * 1024
_FILES, _DOWNLOADS, _FILE_BYTES = 24, 96, 16 * _MIB
_AT_ONCE = 4
_SIZES = (_FILE_BYTES, 1024 * _MIB)
_SMALL_BYTES = 100 * 1024
"""Of a picture."""
_SMALL_DOWNLOADS = 4000
_PIECE = bytes(range(256)) * (_MIB // 256)
_HEADER = bytes.fromhex(
    "52494646 ffffff7f 57415645 666d7420 10000000 0100 0100 44ac0000 88580100 0200 1000 64617461 dbffff7f"
)


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one server.

    Attributes:
        up, down: microseconds of processor time per MiB.
        small: microseconds of processor time per download of a small file.
        growth: of resident memory, in KiB, by the size of one file in bytes.
    """

    up: float
    down: float
    small: float
    growth: Mapping[int, int]


async def _recording(size: int) -> AsyncIterator[bytes]:
    """A recording of this many bytes, which is noise."""
    yield _HEADER
    for start in range(len(_HEADER), size, _MIB):
        yield _PIECE[: size - start]


async def _upload(session: aiohttp.ClientSession, url: str, size: int) -> str:
    headers = {"Content-Type": "audio/wav", "Content-Length": str(size)}
    async with session.post(f"{url}/files", data=_recording(size), headers=headers) as answer:
        if answer.status != 201:
            raise RuntimeError(f"an upload was answered with {answer.status}: {await answer.text()}")
        return str(json.loads(await answer.read())["url"])


async def _download(session: aiohttp.ClientSession, url: str, size: int) -> None:
    async with session.get(url) as answer:
        got = 0
        async for piece in answer.content.iter_any():
            got += len(piece)
    if answer.status != 200 or got != size:
        raise RuntimeError(f"a download of {got} bytes was answered with {answer.status}")


async def _cost(pid: int, work: Callable[[], Awaitable[None]], times: int) -> float:
    """Microseconds of a process for doing something once, when some of it is done at once."""
    turns = iter(range(times))

    async def some() -> None:
        for _ in turns:
            await work()

    before = own_seconds(pid)
    await asyncio.gather(*(some() for _ in range(_AT_ONCE)))
    return (own_seconds(pid) - before) * 1e6 / times


async def measured(url: str, pid: int) -> Round:
    """One round of one server."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(600)) as session:
        paths: deque[str] = deque()

        async def up(size: int = _FILE_BYTES) -> None:
            paths.append(await _upload(session, url, size))

        async def down(size: int = _FILE_BYTES) -> None:
            paths.rotate()
            await _download(session, url + paths[0], size)

        await up()
        await down()
        costs = [
            await _cost(pid, work, times) * _MIB / _FILE_BYTES for work, times in ((up, _FILES), (down, _DOWNLOADS))
        ]
        paths.clear()
        await up(_SMALL_BYTES)
        await down(_SMALL_BYTES)
        small = await _cost(pid, lambda: down(_SMALL_BYTES), _SMALL_DOWNLOADS)
        growth = {}
        for size in _SIZES:
            paths.clear()
            before = reset_peak(pid)
            await up(size)
            await down(size)
            growth[size] = peak_kib(pid) - before
    return Round(costs[0], costs[1], small, growth)


@contextmanager
def _genesis(site: Site) -> Iterator[tuple[str, int]]:
    with Deployment(site, f"sqlite:///{site.folder / 'jobs.db'}") as deployment:
        url = deployment.gateway()
        yield url, deployment.pids["gateway"]


@contextmanager
def _bare(site: Site) -> Iterator[tuple[str, int]]:
    port, log, folder = free_port(), site.folder / "bare.log", site.folder / "storage"
    folder.mkdir()
    command: list[str | Path] = [sys.executable, *UVICORN, "--port", str(port), "benchmarks.peers.files:app"]
    with server(command, log=log, cwd=ROOT, env={"STORAGE_PATH": str(folder)}) as process:
        wait_for_http(f"http://127.0.0.1:{port}/health", process, log)
        yield f"http://127.0.0.1:{port}", process.pid


_CONTENDERS = {"genesis": _genesis, "bare": _bare}


async def _round(place: Scene, name: str) -> Round:
    site = place.site()
    with _CONTENDERS[name](site) as (url, pid):
        done = await measured(url, pid)
    # A system that has to find memory for ever more files takes as long for that as for writing them.
    shutil.rmtree(site.folder)
    return done


async def main(arguments: Sequence[str] | None = None) -> list[Promise]:
    """Measures, prints the tables, and returns what was promised beside what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.media", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args(arguments)
    rounds: dict[str, list[Round]] = {name: [] for name in _CONTENDERS}
    with scene() as place:
        for number in range(chosen.rounds):
            for name, done in rounds.items():
                done.append(await _round(place, name))
                costs = f"up {done[-1].up:.0f}, down {done[-1].down:.0f} µs/MiB, small {done[-1].small:.0f} µs"
                print(f"round {number + 1} {name}: {costs}", file=sys.stderr)
    return show(rounds)


def show(rounds: Mapping[str, Sequence[Round]]) -> list[Promise]:
    """Prints the table, and returns the promises."""
    rows = []
    for name, done in rounds.items():
        costs = [f"{median([getattr(one, cost) for one in done]):.0f}" for cost in ("up", "down", "small")]
        rows.append((name, *costs, *(f"{median([one.growth[size] for one in done]) / 1024:.1f}" for size in _SIZES)))
    columns = ("up, CPU µs/MiB", "down, CPU µs/MiB", f"down, CPU µs per file of {_SMALL_BYTES // 1024} KiB")
    print_table(("files", *columns, *(f"MiB more with {size // _MIB} MiB" for size in _SIZES)), rows)
    own, bare = rounds["genesis"], rounds["bare"]
    small, large = _SIZES
    growth = median([(one.growth[large] - one.growth[small]) / 1024 for one in own])
    up, down = ratio([r.up for r in own], [r.up for r in bare]), ratio([r.down for r in own], [r.down for r in bare])
    return [
        Promise("11 CPU per MiB up, by that of a bare server", up, 1.3, at_least=False),
        Promise("11 CPU per MiB down, by that of a bare server", down, 1.3, at_least=False),
        Promise(f"11 MiB more for {large // _MIB} MiB than for {small // _MIB} MiB", growth, 16, at_least=False),
    ]


if __name__ == "__main__":
    conclude(uvloop.run(main()))
