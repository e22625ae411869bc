"""What a compared stack has to offer, and what it is given."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness.postgres import Postgres


@dataclass(frozen=True, slots=True)
class Site:
    """Where a stack is built.

    Attributes:
        folder: empty, for its files and logs.
        provider_url: base URL of the fake provider.
        postgres: the server for those that need one.
    """

    folder: Path
    provider_url: str
    postgres: Postgres


@dataclass(frozen=True, slots=True)
class Running:
    """A stack that takes jobs.

    Attributes:
        url: `POST url/jobs` submits, `GET url/jobs/{job_id}` looks one up.
        job: the body of a one-step job.
        processes: roots of its process trees by what they are.
        completed: how many jobs are completed, read from its database so that asking costs the stack next to nothing.
    """

    url: str
    job: Mapping[str, Any]
    processes: Mapping[str, int]
    completed: Callable[[], Awaitable[int]]


Stack = Callable[[Site], AbstractAsyncContextManager[Running]]
"""Starts a stack and stops it."""

PROMPT = "Explain in two sentences why durable work survives the process that does it."
