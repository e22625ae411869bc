"""Migrations of a database that is in use: up, read, down, compare."""

import hashlib
import json
import sqlite3
from contextlib import closing

import pytest
from alembic import command

from genesis.database.rows import dump
from genesis.database.sqlite import schema
from genesis.database.sqlite.open import open_sqlite
from genesis.domain.attempt import AttemptState, ProviderClass
from genesis.domain.identity import new_id
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.pipeline import to_document
from genesis.domain.step import StepState
from genesis.ports.clock import SystemClock
from genesis.ports.ledger import Change
from genesis.ports.queries import JobFilter
from tests.support.jobs import pipeline, text_step

PLANS = [pipeline(text_step("a"), text_step("b")), pipeline(text_step("c"))]
FAILURE = {"code": "provider-rejected", "message": "Nö.", "hint": "", "kind": "final"}
STATES = {  # status and owner of a job, states of its steps and attempt, how many events
    "waiting": ("queued", None, "waiting", None, 1),
    "owned": ("running", "an-old-owner", "running", "intended", 3),
    "sleeping": ("running", None, "running", "failed", 4),
    "good": ("completed", None, "done", "succeeded", 5),
    "bad": ("failed", None, "failed", "unknown", 5),
    "stopped": ("canceled", None, "skipped", "not_sent", 2),
}


def to_revision(database, revision):
    with schema._migrating(database) as config:
        (command.downgrade if revision == "0001" and exists(database, "plans") else command.upgrade)(config, revision)


def exists(database, table):
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone() is not None


def content(database):
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        tables = ("organizations", "jobs", "steps", "attempts", "events")
        found = {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert [tuple(row) for row in connection.execute("PRAGMA integrity_check")] == [("ok",)]
        return {table: sorted((dict(row) for row in rows), key=repr) for table, rows in found.items()}


def add(connection, table, **values):
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))


def add_job(connection, status, owner, step_state, attempt_state, events):
    plan, job = PLANS[events % 2], new_id()
    over = status in ("completed", "failed", "canceled")
    add(
        connection,
        "jobs",
        id=job,
        organization=DEFAULT_ORGANIZATION,
        pipeline=plan.type,
        status=status,
        lane="text",
        priority=events,
        wake_at=900 if owner is None else 0,
        owner=owner,
        epoch=events,
        event_seq=events,
        created_at=500,
        started_at=600 if status != "queued" else None,
        completed_at=800 if over else None,
        inputs=dump({"text": "grüße 'x' \n"}),
        options="{}",
        plan=dump(to_document(plan)),
        outputs=dump({"text": "made"}) if status == "completed" else "{}",
        failure=dump(FAILURE) if status == "failed" else None,
    )
    for number, step in enumerate(plan.steps):
        output = dump({"text": "made"}) if step_state == "done" else None
        failure = dump(FAILURE) if step_state == "failed" else None
        parts = {"job": job, "number": number, "name": step.name, "capability": "text"}
        add(connection, "steps", **parts, state=step_state, output=output, failure=failure, started_at=600)
    for seq in range(1, events + 1):
        kind = "job-queued" if seq == 1 else "step-started"
        add(connection, "events", job=job, seq=seq, type=kind, at=500 + 10 * seq, data=dump({"n": seq}))
    if attempt_state is not None:
        call = {"id": new_id(), "job": job, "step": plan.steps[0].name, "number": 1, "call_key": new_id()}
        spent = {"cost": 12, "retry_after": 0.5, "warnings": '["w"]', "usage": '{"t":1}'}
        kind = {"target": "one:m", "provider_class": "opaque", "state": attempt_state, "created_at": 600}
        add(connection, "attempts", **call, **kind, **spent)
    return job


@pytest.fixture
def used(tmp_path):
    """A database of the first version with a job in every state, and the jobs' ids."""
    database = tmp_path / "jobs.db"
    to_revision(database, "0001")
    with closing(sqlite3.connect(database)) as connection:
        jobs = {name: add_job(connection, *states) for name, states in STATES.items()}
        connection.commit()
    return database, jobs


def test_down_is_the_way_back_from_up(used):
    database, _ = used
    before = content(database)
    for _ in range(2):
        to_revision(database, "head")
        assert content(database) != before
        to_revision(database, "0001")
        assert content(database) == before


async def test_what_the_first_version_wrote_is_read_by_this_one(used):
    database, jobs = used
    async with open_sqlite(database, SystemClock()) as opened:
        for name, (status, owner, step_state, attempt_state, events) in STATES.items():
            job = await opened.queries.job(DEFAULT_ORGANIZATION, jobs[name])
            assert (job.status, job.owner, job.epoch, job.priority) == (JobStatus(status), owner, events, events)
            assert job.plan == PLANS[events % 2]
            assert job.inputs == {"text": "grüße 'x' \n"}
            assert (job.failure is not None) is (status == "failed")
            assert {step.state for step in job.steps} == {StepState(step_state)}
            assert [attempt.state for attempt in job.attempts] == (
                [] if attempt_state is None else [AttemptState(attempt_state)]
            )
            for attempt in job.attempts:
                assert (attempt.provider_class, attempt.cost, attempt.usage) == (ProviderClass.OPAQUE, 12, {"t": 1})
            recorded = await opened.queries.events(DEFAULT_ORGANIZATION, job.id, after=0, limit=99)
            assert [(event.seq, event.event.data["n"]) for event in recorded] == [
                (number, number) for number in range(1, events + 1)
            ]
        feed = await opened.queries.feed(DEFAULT_ORGANIZATION, after=None, limit=99)
        assert len(feed) == 20
        assert [event.event.at for event in feed] == sorted(event.event.at for event in feed)
        listed = await opened.queries.jobs(DEFAULT_ORGANIZATION, limit=9, where=JobFilter(pipeline="trial"))
        assert {job.id for job in listed.jobs} == set(jobs.values())


async def test_what_the_first_version_left_goes_on(used):
    database, jobs = used
    async with open_sqlite(database, SystemClock()) as opened:
        await opened.ledger.join("me")
        claims = await opened.ledger.claim("me", "text", 9, lambda _: Change())
        assert {claim.job.id for claim in claims} == {jobs["waiting"], jobs["owned"], jobs["sleeping"]}
        await opened.ledger.leave("me")
    to_revision(database, "0001")
    kept = {row["id"]: row for row in content(database)["jobs"]}
    assert kept[jobs["owned"]]["owner"] is None
    assert json.loads(kept[jobs["good"]]["plan"]) == to_document(PLANS[1])


def test_a_plan_is_kept_once_under_the_name_that_the_code_gives_it(used):
    database, _ = used
    to_revision(database, "head")
    with closing(sqlite3.connect(database)) as connection:
        stored = dict(connection.execute("SELECT digest, document FROM plans").fetchall())
    assert stored == {hashlib.sha256(document.encode()).hexdigest(): document for document in stored.values()}
    assert sorted(stored.values()) == sorted(dump(to_document(plan)) for plan in PLANS)
