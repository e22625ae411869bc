"""The database file under a running process."""

import re
import shutil
import subprocess
import sys

import pytest

from genesis.database.sqlite.open import open_sqlite
from genesis.errors import Unavailable
from genesis.ports.clock import SystemClock
from tests.support.jobs import job_of
from tests.support.ledger import TWO_STEPS


def deleted(file):
    for each in file.parent.glob("jobs.db*"):
        if each.suffix != ".lock":
            each.unlink()


def replaced(file):
    copy = file.with_name("copy")
    shutil.copy(file, copy)
    copy.replace(file)


@pytest.mark.parametrize("what", [deleted, replaced])
async def test_nothing_is_accepted_into_a_file_that_nobody_will_find_again(tmp_path, what):
    file = tmp_path / "jobs.db"
    async with open_sqlite(file, SystemClock()) as database:
        await database.ledger.submit(job_of(TWO_STEPS))
        await database.queries.check()
        what(file)
        with pytest.raises(Unavailable, match="deleted or replaced"):
            await database.queries.check()
        with pytest.raises(Unavailable, match="deleted or replaced"):
            await database.ledger.submit(job_of(TWO_STEPS))


async def test_a_file_that_comes_back_is_used_again(tmp_path):
    file = tmp_path / "jobs.db"
    async with open_sqlite(file, SystemClock()) as database:
        file.rename(tmp_path / "elsewhere")
        with pytest.raises(Unavailable):
            await database.queries.check()
        (tmp_path / "elsewhere").rename(file)
        await database.queries.check()
        await database.ledger.submit(job_of(TWO_STEPS))


NO_ROOM = """
import resource, sys
from pathlib import Path
from genesis.database.sqlite.schema import migrate
from genesis.errors import Misconfigured
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    migrate(Path(sys.argv[1]))
except Misconfigured as error:
    print(error.hint)
"""


def test_a_disk_without_room_at_the_start_is_named(tmp_path):
    """A limit of the size of files stands for it."""
    done = subprocess.run(
        [sys.executable, "-c", NO_ROOM, tmp_path / "jobs.db"], capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"The disk may be full or failing: [\d,.]+ MB are free in .*\n", done.stdout), done
