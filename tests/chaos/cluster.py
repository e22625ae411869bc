"""The processes of a chaos run: gateways with executors, workers, the provider that charges, and a real PostgreSQL."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.chaos.plan import WORKERS, Plan
from tests.support.postgres import PostgresServer
from tests.support.processes import ROOT, environment, free_port

LEASE_SECONDS = 2
CALL_SECONDS = 2
FAULT_RATE = 0.1
_START_SECONDS = 120.0


@dataclass(slots=True)
class Service:
    """A process of ours that can be killed, stalled and started again at the same address."""

    name: str
    arguments: list[str]
    port: int
    env: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        with self.log.open("ab") as output:
            command = [sys.executable, "-m", *self.arguments]
            self.process = subprocess.Popen(command, env=self.env, cwd=ROOT, stdout=output, stderr=output)

    def send(self, number: signal.Signals) -> None:
        """Sends a signal, if the process is there."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """As the power cut does."""
        self.send(signal.SIGKILL)
        if self.process is not None:
            self.process.wait(30)

    @property
    def ended(self) -> bool:
        """Whether it has ended, by itself or not."""
        return self.process is not None and self.process.poll() is not None


@dataclass(slots=True)
class Cluster:
    """All processes of a run.

    Attributes:
        folder: database, stored files, journal and logs.
        services: by name, in the order in which they start.
        database_url: None with SQLite.
    """

    folder: Path
    services: dict[str, Service] = field(default_factory=dict)
    postgres: PostgresServer | None = None
    database_url: str | None = None

    @property
    def gateways(self) -> list[Service]:
        return [service for name, service in self.services.items() if name.startswith("gateway")]

    @property
    def journal(self) -> Path:
        return self.folder / "charges.jsonl"

    @property
    def storage(self) -> Path:
        return self.folder / "storage"

    async def start(self, name: str) -> None:
        """Starts a process, again if need be, and waits until it answers."""
        if name == "postgres":
            assert self.postgres is not None
            await asyncio.to_thread(self.postgres.start)
            return
        service = self.services[name]
        service.start()
        await self.answers(service)

    async def answers(self, service: Service) -> None:
        """Waits until a process answers; one that has ended since, for want of its database, is started again."""
        deadline = time.monotonic() + _START_SECONDS
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
            while True:
                try:
                    async with session.get(service.url + "/health") as response:
                        if response.status == 200:
                            return
                except (aiohttp.ClientError, OSError, TimeoutError):
                    pass
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{service.name} does not answer:\n{service.log.read_text()[-4000:]}")
                if service.ended:
                    service.start()
                await asyncio.sleep(0.1)

    def kill(self, name: str) -> None:
        """Ends a process with -9."""
        if name == "postgres":
            assert self.postgres is not None
            self.postgres.kill()
        else:
            self.services[name].kill()


@asynccontextmanager
async def running(plan: Plan, folder: Path) -> AsyncIterator[Cluster]:
    """Starts all processes of a plan; ends them all when the context is left."""
    cluster = Cluster(folder)
    ports = {name: free_port() for name in ("provider", *WORKERS, *plan.gateways)}
    try:
        if plan.database == "postgres":
            cluster.postgres = PostgresServer()
            await cluster.start("postgres")
            cluster.database_url = cluster.postgres.url()
        env = _environment(plan, cluster, ports)
        for name, port in ports.items():
            arguments = _arguments(name, plan, cluster, port)
            cluster.services[name] = Service(name, arguments, port, env, folder / f"{name}.log")
        await cluster.start("provider")
        for name in (*WORKERS, plan.gateways[0]):  # the first gateway migrates the database
            await cluster.start(name)
        await asyncio.gather(*(cluster.start(name) for name in plan.gateways[1:]))
        yield cluster
    finally:
        for service in cluster.services.values():
            service.kill()
        if cluster.postgres is not None:
            cluster.postgres.remove()


def _environment(plan: Plan, cluster: Cluster, ports: Mapping[str, int]) -> dict[str, str]:
    nobody = f"http://127.0.0.1:{free_port()}"
    database = {} if cluster.database_url is None else {"DATABASE_URL": cluster.database_url}
    coverage = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE")}
    return environment(
        cluster.folder,
        **database,
        **coverage,
        LLM_WORKER_URL=f"http://127.0.0.1:{ports['worker-llm']}",
        IMAGE_WORKER_URL=f"http://127.0.0.1:{ports['worker-image']}",
        STT_WORKER_URL=nobody,
        TTS_WORKER_URL=nobody,
        CYCLEGAN_WORKER_URL=nobody,
        GENESIS_FAKE_URL=f"http://127.0.0.1:{ports['provider']}",
        GENESIS_FAKE_DELAY_MS="100",
        LEASE_SECONDS=str(LEASE_SECONDS),
        CALL_TIMEOUT_SECONDS=str(CALL_SECONDS),
        RETRY_BASE_SECONDS="0.1",
        RETRY_CAP_SECONDS="1",
        WORKER_SLOTS="32",
        LOG_LEVEL="WARNING",
    )


def _arguments(name: str, plan: Plan, cluster: Cluster, port: int) -> list[str]:
    if name == "provider":
        chance = ["--faults", str(plan.seed), "--fault-rate", str(FAULT_RATE)]
        return ["tests.support.paid_provider", "--port", str(port), "--journal", str(cluster.journal), *chance]
    app = "gateway.main:app" if name.startswith("gateway") else f"workers.{name.removeprefix('worker-')}.main:app"
    return ["uvicorn", app, "--port", str(port), "--no-access-log", "--log-level", "warning"]
