"""Processor time and memory of whole process trees, read from /proc, and which core does what."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LOAD_CORE = 0
"""Runs the load generator and the fake provider."""
TARGET_CORE = 1
"""Runs what is measured, with all its children and its database."""

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_READ_BYTES = 1 << 20


def require_two_cores() -> None:
    """Refuses a machine on which the load would take its time from what it measures."""
    if not {LOAD_CORE, TARGET_CORE} <= os.sched_getaffinity(0):
        raise SystemExit(f"Needs processors {LOAD_CORE} and {TARGET_CORE}: one for the load, one for what is measured.")


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Threads and processes started meanwhile run on this core only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True, slots=True)
class _Process:
    parent: int
    ticks: int  # own, and of the children that have ended and were waited for


def _processes() -> dict[int, _Process]:
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except OSError:  # ended meanwhile
            continue
        fields = stat.rpartition(")")[2].split()  # the name before it may contain anything; man 5 proc_pid_stat
        found[int(entry.name)] = _Process(int(fields[1]), sum(int(field) for field in fields[11:15]))
    return found


def _tree(roots: Iterable[int], processes: Mapping[int, _Process]) -> set[int]:
    tree = {root for root in roots if root in processes}
    while grown := {pid for pid, process in processes.items() if process.parent in tree} - tree:
        tree |= grown
    return tree


def cpu_seconds(*roots: int) -> float:
    """User and system time of these processes and all their descendants so far, in seconds; resolution 10 ms."""
    processes = _processes()
    return sum(processes[pid].ticks for pid in _tree(roots, processes)) / _TICKS_PER_SECOND


def proportional_kib(*roots: int) -> int:
    """Memory of these processes and their descendants in KiB, shared pages counted in proportion (PSS)."""
    total = 0
    for pid in _tree(roots, _processes()):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def busy_seconds(core: int) -> float:
    """Time that a core has spent on anything but waiting so far, in seconds, whoever's work it was."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _iowait, irq, softirq, steal = (int(field) for field in fields[:8])
            return (user + nice + system + irq + softirq + steal) / _TICKS_PER_SECOND
    raise RuntimeError(f"there is no processor {core}")


def main_thread_seconds(pid: int) -> float:
    """User and system time of a process's first thread so far, in seconds."""
    fields = Path(f"/proc/{pid}/task/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


def own_seconds(pid: int) -> float:
    """User and system time of a process so far, in seconds, with all its threads and without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


def reset_peak(pid: int) -> int:
    """Has the peak of a process's resident memory begin anew; returns what is resident now, in KiB."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # proc_pid_clear_refs(5)
    return peak_kib(pid)


def peak_kib(pid: int) -> int:
    """The most resident memory that a process has had since its peak was begun anew, in KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def read_into_memory(folder: Path) -> None:
    """Reads every file below a folder once, so that the system has it in memory.

    Virtual machines may have to give memory back within seconds, and then what is read at random is read from the disk.
    """
    for file in folder.rglob("*"):
        if file.is_file():
            with file.open("rb") as content:
                while content.read(_READ_BYTES):
                    pass
