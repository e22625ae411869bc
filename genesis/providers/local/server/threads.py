"""How many threads a model computes with."""

import os


def compute_threads() -> int:
    """The processor cores that this process may use, less one: a spinning thread without a core slows all others."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores - 1)
