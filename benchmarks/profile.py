"""Where the processor time of one job goes: samples of the gateway's and the worker's stacks while jobs run.

Each sample is counted for the module whose code ran, and for the innermost function of ours that it ran for. What C code
does (SQLite, JSON, the event loop's system calls) counts for the Python line that called it. The event loop's thread and
the other ones are told apart, each with the time that the system has counted for it: a thread that waits for the disk looks
busy in its samples.
"""

import argparse
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop

from benchmarks.harness.environments import ROOT, environment
from benchmarks.harness.machine import cpu_seconds, main_thread_seconds
from benchmarks.harness.report import print_table
from benchmarks.harness.scene import scene
from benchmarks.jobs import run_jobs
from benchmarks.stacks.base import Running
from benchmarks.stacks.genesis import genesis

_SAMPLES_PER_SECOND = 200
_JOBS = 500
_OWN = ("genesis/", "gateway/", "workers/")
_MAIN = "MainThread"


@dataclass(frozen=True, slots=True)
class Sample:
    """A stack, innermost frame first, as (function, module) each, and how often it was seen."""

    is_main: bool
    frames: Sequence[tuple[str, str]]
    count: int


def module_of(path: str) -> str:
    """A file as it is told apart: ours by its path in the tree, a library by its package."""
    if "/site-packages/" in path:
        return path.partition("/site-packages/")[2].partition("/")[0].removesuffix(".py")
    for own in _OWN:
        if path.startswith(own) or f"/{own}" in path:
            return own + path.rpartition(own)[2]
    return "python " + (Path(path).parent.name if "asyncio" in path or "json" in path else Path(path).name)


def read_samples(text: str) -> list[Sample]:
    """Reads lines of `thread;frame;frame;… count`, outermost first, a frame being `function (file:line)`."""
    samples = []
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        thread, *frames = stack.split(";")
        if not frames:
            continue  # seen between two calls
        samples.append(Sample(_MAIN in thread, [_frame(frame) for frame in reversed(frames)], int(count)))
    return samples


def _frame(frame: str) -> tuple[str, str]:
    function, _, place = frame.rpartition(" (")
    return function, module_of(place.rpartition(":")[0])


def _innermost_of_ours(sample: Sample) -> str:
    own = (f"{module} {function}" for function, module in sample.frames if module.startswith(_OWN))
    return next(own, "(none of ours)")


def _innermost(sample: Sample) -> str:
    return sample.frames[0][1]


def show(title: str, samples: Iterable[Sample], milliseconds: float, rows: int) -> None:
    by_module, by_own = Counter[str](), Counter[str]()
    for sample in samples:
        by_module[_innermost(sample)] += sample.count
        by_own[_innermost_of_ours(sample)] += sample.count
    for heading, counts in (("module", by_module), ("our innermost function", by_own)):
        total = counts.total()
        print(f"\n{title}: {milliseconds:.2f} ms per job, {total} samples\n")
        shares = ((name, seen / total) for name, seen in counts.most_common(rows))
        lines = [(f"{share:.1%}", f"{share * milliseconds * 1000:.0f}", name) for name, share in shares]
        print_table(("share", "µs/job", heading), lines)


def _sampler(pid: int, output: Path, seconds: int) -> subprocess.Popen[bytes]:
    # Without pausing the process: after a pause, idle threads look busy.
    command = [environment("profile") / "py-spy", "record", "--pid", pid, "--duration", seconds, "--output", output]
    command += ["--format", "raw", "--rate", _SAMPLES_PER_SECOND, "--full-filenames", "--nonblocking", "--threads"]
    return subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _spent(parts: Mapping[str, int]) -> Mapping[tuple[str, bool], float]:
    """Seconds of processor time so far by part, and by whether it is its main thread."""
    spent = {}
    for part, pid in parts.items():
        spent[part, True] = main_thread_seconds(pid)
        spent[part, False] = cpu_seconds(pid) - spent[part, True]
    return spent


async def _work(
    running: Running, parts: Mapping[str, int], samplers: Sequence[subprocess.Popen[bytes]]
) -> Mapping[tuple[str, bool], float]:
    """Runs jobs until the samplers have ended; returns milliseconds per job, as `_spent` does."""
    jobs = 0
    before = _spent(parts)
    while any(sampler.poll() is None for sampler in samplers):
        await run_jobs(running, _JOBS)
        jobs += _JOBS
    if any(sampler.returncode for sampler in samplers):
        raise SystemExit("The processes could not be sampled; that needs the right to trace them (root, or ptrace).")
    return {key: (seconds - before[key]) * 1000 / jobs for key, seconds in _spent(parts).items()}


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--rows", type=int, default=25)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--tree", type=Path, default=ROOT, help="source tree of the Genesis to look at")
    chosen = parser.parse_args()
    stack = genesis(on_postgres=chosen.postgres, tree=chosen.tree.resolve())
    with scene() as place:
        site = place.site()
        async with stack(site) as running:
            await run_jobs(running, _JOBS)
            parts = {part: running.processes[part] for part in ("gateway", "worker")}
            samplers = [_sampler(pid, site.folder / part, chosen.seconds) for part, pid in parts.items()]
            spent = await _work(running, parts, samplers)
        for (part, is_main), milliseconds in spent.items():
            samples = [one for one in read_samples((site.folder / part).read_text()) if one.is_main is is_main]
            if samples:
                show(f"{part}, {'event loop' if is_main else 'other threads'}", samples, milliseconds, chosen.rows)


if __name__ == "__main__":
    uvloop.run(main())
