"""Genesis as it is deployed: one gateway process, one worker process, and a provider reached over HTTP."""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmarks.harness.environments import ROOT
from benchmarks.harness.processes import free_port, server, wait_for_http
from benchmarks.stacks.base import PROMPT, Running, Site, Stack
from benchmarks.stacks.counting import postgres_counter, sqlite_counter

UVICORN = ("-m", "uvicorn", "--no-access-log", "--log-level", "warning")
JOB: Mapping[str, Any] = {"pipeline": "text_to_text", "inputs": {"text": PROMPT}}
_COMPLETED = "SELECT count(*) FROM jobs WHERE status = 'completed'"


class Deployment(ExitStack):
    """The processes of one Genesis.

    Args:
        settings: environment variables beyond those of a benchmark.
    """

    def __init__(
        self, site: Site, database_url: str, *, tree: Path = ROOT, settings: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        super().__init__()
        self.pids: dict[str, int] = {}
        self._site = site
        self._tree = tree
        self._worker_port = free_port()
        self._env = {
            "PYTHONPATH": str(tree),
            "DATABASE_URL": database_url,
            "STORAGE_PATH": str(site.folder / "storage"),
            "LLM_WORKER_URL": f"http://127.0.0.1:{self._worker_port}",
            "OPENROUTER_API_KEY": "benchmark",
            "OPENROUTER_BASE_URL": site.provider_url + "/v1",
            "GENESIS_LOCAL_PROVIDER": "false",
            "LOG_LEVEL": "WARNING",
            "WORKER_SLOTS": "64",
            **settings,
        }

    def worker(self) -> None:
        """Starts the worker of text."""
        self._start("worker", "workers.llm.main:app", self._worker_port)

    def gateway(self) -> str:
        """Starts the gateway; returns its URL once it has answered."""
        return self._start("gateway", "gateway.main:app", free_port())

    def _start(self, part: str, module: str, port: int) -> str:
        log = self._site.folder / f"{part}.log"
        command = [sys.executable, *UVICORN, "--port", str(port), module]
        process = self.enter_context(server(command, log=log, cwd=self._tree, env=self._env))
        wait_for_http(f"http://127.0.0.1:{port}/health", process, log)
        self.pids[part] = process.pid
        return f"http://127.0.0.1:{port}"


def genesis(*, on_postgres: bool = False, tree: Path = ROOT) -> Stack:
    """Genesis of a source tree, on SQLite (`synchronous=FULL`) or PostgreSQL."""

    @asynccontextmanager
    async def start(site: Site) -> AsyncIterator[Running]:
        async with AsyncExitStack() as stack:
            if on_postgres:
                url = site.postgres.url(await site.postgres.new_database())
                completed = await stack.enter_async_context(postgres_counter(url, _COMPLETED))
            else:
                url = f"sqlite:///{site.folder / 'jobs.db'}"
                completed = sqlite_counter(site.folder / "jobs.db", _COMPLETED)
            deployment = stack.enter_context(Deployment(site, url, tree=tree))
            deployment.worker()
            address = deployment.gateway()
            pids = {**deployment.pids, "postgres": site.postgres.pid} if on_postgres else deployment.pids
            yield Running(address, JOB, pids, completed)

    return start
