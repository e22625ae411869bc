"""Jobs that wait for a word since a backup was restored."""

from genesis.database.rows import JOB_COLUMNS, job_from, job_values
from genesis.database.states import HELD
from genesis.domain.job import JobStatus
from genesis.engine.waiting import Circumstances, why_waiting
from tests.support.jobs import job_of, pipeline, text_step

PLAN = pipeline(text_step("a"))


def read(**changes):
    """A job as it is read from a row in which this was changed."""
    job = job_of(PLAN, wake_at=0, lane="text", start_by=5_000, finish_by=6_000)
    row = dict(zip(JOB_COLUMNS, job_values(job, lane="text", plan="digest", event_seq=1), strict=True))
    others = dict.fromkeys(("completed_at", "failure", "cancel_requested_at", "retried_at"))
    return job_from(row | others | {"outputs": "{}", "crash_count": 0} | changes, (), (), PLAN)


def why(job):
    return why_waiting(job, Circumstances(1_000, 0, {"text": "it is away."}, lambda _: True))


def test_what_a_held_job_would_wait_for_is_kept_and_its_deadlines_are_not_told():
    held = read(wake_at=HELD + 4_000, start_by=HELD + 5_000)
    assert (held.held, held.wake_at, held.start_by, held.finish_by) == (True, 4_000, None, None)
    free = read(wake_at=4_000)
    assert (free.held, free.wake_at, free.start_by, free.finish_by) == (False, 4_000, 5_000, 6_000)
    over = read(wake_at=HELD, status="canceled")
    assert (over.held, over.wake_at, over.finish_by) == (False, 0, None)


def test_a_held_job_says_what_it_waits_for_before_anything_else():
    for status in (JobStatus.QUEUED, JobStatus.RUNNING):
        assert "`genesis-server resume` or POST /jobs/resume" in why(read(wake_at=HELD, status=status.value))
    assert why(read()) == "No executor is running."
