"""What all stacks of a run share: the fake provider on the load's core, PostgreSQL, and a folder that is removed."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.harness.environments import ROOT
from benchmarks.harness.machine import LOAD_CORE, on_core, require_two_cores
from benchmarks.harness.postgres import Postgres, postgres
from benchmarks.harness.processes import free_port, server, wait_for_http
from benchmarks.stacks.base import Site


@dataclass
class Scene:
    """The shared part of a run."""

    folder: Path
    provider_url: str
    postgres: Postgres
    _sites: int = field(default=0)

    def site(self) -> Site:
        """A place for one stack, with an empty folder of its own."""
        self._sites += 1
        folder = self.folder / f"site-{self._sites}"
        folder.mkdir()
        return Site(folder, self.provider_url, self.postgres)

    async def new_url(self, database: str, site: Site) -> str:
        """The URL of a database that does not exist yet (`sqlite`) or is empty (`postgres`)."""
        if database == "postgres":
            return self.postgres.url(await self.postgres.new_database())
        return f"sqlite:///{site.folder / 'jobs.db'}"


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder that is removed at the end, unless something went wrong: the logs in it tell what."""
    folder = Path(tempfile.mkdtemp(prefix="genesis-bench-"))
    try:
        yield folder
    except Exception:
        print(f"the logs are in {folder}", file=sys.stderr)
        raise
    shutil.rmtree(folder)


@contextmanager
def scene(hold: float = 0.0) -> Iterator[Scene]:
    """Sets the scene; this process itself moves to the load's core meanwhile.

    Args:
        hold: seconds that the provider takes for an answer.
    """
    require_two_cores()
    with on_core(LOAD_CORE), _folder() as folder:
        port, log = free_port(), folder / "provider.log"
        command = [sys.executable, "-m", "benchmarks.harness.upstream", str(port), str(hold)]
        with server(command, log=log, cwd=ROOT, core=LOAD_CORE) as process, postgres(folder) as database:
            url = f"http://127.0.0.1:{port}"
            wait_for_http(url + "/health", process, log)
            yield Scene(folder, url, database)
