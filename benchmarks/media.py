"""Processor time per MiB of files that are uploaded and downloaded, and memory by their size, beside a bare server.

The bare server (`peers/files.py`) does what cannot be left out: it writes the body to disk, computes its digest, waits for the
disk, and serves the file in pieces. Counted is the gateway's own time: the process that examines files later works off the
way of every request. Memory is the most that the gateway had resident while one file went up and down.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
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
_FILES, _FILE_MIB = 24, 16
_AT_ONCE = 4
_LARGE_MIB = 1024
_PIECE = 1024 * 1024
_HEADER = bytes.fromhex(
    "52494646 ffffff7f 57415645 666d7420 10000000 0100 0100 44ac0000 88580100 0200 1000 64617461 dbffff7f"
)


@dataclass(frozen=True, slots=True)
class Round:
    """Microseconds of processor time per MiB, and the growth of resident memory in KiB by the size of one file in MiB."""

    up: float
    down: float
    growth: Mapping[int, int]


async def _recording(mebibytes: int) -> AsyncIterator[bytes]:
    """A recording of this size, which is noise."""
    noise = bytes(range(256)) * (_PIECE // 256)
    yield _HEADER + noise[len(_HEADER) :]
    for _ in range(mebibytes - 1):
        yield noise


async def _upload(session: aiohttp.ClientSession, url: str, mebibytes: int) -> str:
    headers = {"Content-Type": "audio/wav", "Content-Length": str(mebibytes * _MIB)}
    async with session.post(f"{url}/files", data=_recording(mebibytes), headers=headers) as answer:
        if answer.status != 201:
            raise RuntimeError(f"an upload was answered with {answer.status}: {await answer.text()}")
        return str(json.loads(await answer.read())["url"])


async def _download(session: aiohttp.ClientSession, url: str, mebibytes: int) -> None:
    async with session.get(url) as answer:
        size = 0
        async for piece in answer.content.iter_any():
            size += len(piece)
    if answer.status != 200 or size != mebibytes * _MIB:
        raise RuntimeError(f"a download of {size} bytes was answered with {answer.status}")


async def measured(url: str, pid: int) -> Round:
    """One round of one server."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(600)) as session:
        turns = asyncio.Semaphore(_AT_ONCE)

        async def up() -> str:
            async with turns:
                return await _upload(session, url, _FILE_MIB)

        async def down(path: str) -> None:
            async with turns:
                await _download(session, url + path, _FILE_MIB)

        await down(await up())
        seconds = [own_seconds(pid)]
        paths = await asyncio.gather(*(up() for _ in range(_FILES)))
        seconds.append(own_seconds(pid))
        await asyncio.gather(*(down(path) for path in paths))
        seconds.append(own_seconds(pid))
        growth = {}
        for mebibytes in (_FILE_MIB, _LARGE_MIB):
            before = reset_peak(pid)
            await _download(session, url + await _upload(session, url, mebibytes), mebibytes)
            growth[mebibytes] = peak_kib(pid) - before
    scale = 1e6 / (_FILES * _FILE_MIB)
    return Round((seconds[1] - seconds[0]) * scale, (seconds[2] - seconds[1]) * scale, growth)


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
    with _CONTENDERS[name](place.site()) as (url, pid):
        return await measured(url, pid)


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
                print(
                    f"round {number + 1} {name}: up {done[-1].up:.0f}, down {done[-1].down:.0f} µs/MiB", file=sys.stderr
                )
    return show(rounds)


def show(rounds: Mapping[str, Sequence[Round]]) -> list[Promise]:
    sizes = (_FILE_MIB, _LARGE_MIB)
    rows = []
    for name, done in rounds.items():
        growth = [f"{median([one.growth[size] for one in done]) / 1024:.1f}" for size in sizes]
        rows.append(
            (name, f"{median([one.up for one in done]):.0f}", f"{median([one.down for one in done]):.0f}", *growth)
        )
    memory = [f"MiB more with {size} MiB" for size in sizes]
    print_table(("files", "up, CPU µs/MiB", "down, CPU µs/MiB", *memory), rows)
    own, bare = rounds["genesis"], rounds["bare"]
    flat = median([(one.growth[_LARGE_MIB] - one.growth[_FILE_MIB]) / 1024 for one in own])
    return [
        Promise(
            "11 CPU per MiB up, by that of a bare server", ratio([r.up for r in own], [r.up for r in bare]), 1.3, False
        ),
        Promise(
            "11 CPU per MiB down, by that of a bare server",
            ratio([r.down for r in own], [r.down for r in bare]),
            1.3,
            False,
        ),
        Promise(f"11 MiB more for {_LARGE_MIB} MiB than for {_FILE_MIB} MiB", flat, 16, at_least=False),
    ]


if __name__ == "__main__":
    conclude(uvloop.run(main()))
