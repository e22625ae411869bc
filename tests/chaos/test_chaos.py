"""A short chaos run on each database; `make chaos` is the long one."""

import os
from collections import Counter

import pytest

from tests.chaos.plan import Scale, draw
from tests.chaos.run import run
from tests.chaos.table import table

SCALE = Scale(jobs=120, kills=6, stalls=2, seconds=16.0)
SEED = int(os.environ.get("CHAOS_SEED", "4"))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_all_invariants_hold(database, tmp_path):
    plan = draw(SEED, database, SCALE)
    result = await run(plan, tmp_path, quiet_seconds=240)
    shown = table([result])
    assert not result.problems, f"CHAOS_SEED={SEED}\n{shown}"
    assert result.accepted == SCALE.jobs, shown
    assert result.kills == SCALE.kills, shown
    assert result.statuses["completed"] > SCALE.jobs / 2, shown
    assert result.crashes_survived, f"no kill hit a running job: this run has shown little\n{shown}"


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_the_same_seed_draws_the_same_plan(database):
    plan = draw(SEED, database, SCALE)
    assert plan == draw(SEED, database, SCALE) != draw(SEED + 1, database, SCALE)
    bodies = [body for order in plan.orders for body in order.bodies]
    assert len(bodies) == SCALE.jobs
    assert len({body["inputs"]["text"] for body in bodies}) == SCALE.jobs
    hit = Counter(incident.process.partition("-")[0] for incident in plan.incidents)
    assert hit["gateway"]
    assert hit["worker"]
    assert bool(hit["postgres"]) is (database == "postgres")
