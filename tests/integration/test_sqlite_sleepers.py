"""Many jobs that come due together hold up nobody on SQLite."""

import sqlite3
from contextlib import closing

from genesis.database.sqlite.open import open_sqlite
from genesis.domain.batch import Batch
from genesis.domain.identity import new_id
from genesis.domain.organization import DEFAULT_ORGANIZATION
from tests.support.jobs import job_of
from tests.support.ledger import TWO_STEPS, SetClock, nothing

DUE = 5_000


async def test_they_are_woken_in_portions_by_claims_and_by_sweeps(tmp_path):
    clock, file = SetClock(), tmp_path / "jobs.db"

    def awake():
        with closing(sqlite3.connect(file)) as connection:
            return connection.execute("SELECT count(*) FROM jobs WHERE wake_at = 0 OR owner IS NOT NULL").fetchone()[0]

    async with open_sqlite(file, clock) as database:
        await database.ledger.join("me")
        for number in range(5):
            jobs = [job_of(TWO_STEPS, wake_at=DUE + number) for _ in range(1_000)]
            await database.ledger.submit_batch(Batch(new_id(), DEFAULT_ORGANIZATION, 1_000, 1_000), jobs)
        clock.time = DUE + 10
        assert await database.ledger.claim("me", "image", 1, nothing) == []
        assert awake() == 2_000
        assert await database.queries.next_wake() == DUE + 2, "those that have slept longest come first"
        await database.ledger.sweep()
        assert awake() == 4_000
        assert len(await database.ledger.claim("me", "text", 10, nothing)) == 10
        assert awake() == 5_000
        assert await database.queries.next_wake() is None
