"""Lists of jobs: pages, filters, and the search for text; and the health of the database."""

import itertools
from dataclasses import replace

import pytest

from genesis.domain.attempt import AttemptState
from genesis.domain.batch import Batch
from genesis.domain.identity import new_id
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.ports.ledger import Finish
from genesis.ports.queries import JobFilter
from tests.support.jobs import job_of, pipeline, text_step
from tests.support.ledger import TWO_STEPS, attempt_of, claim_one, decide, joined, nothing

OTHER_PLAN = pipeline(text_step("c"))


def id_at(moment, number=0):
    """A UUIDv7 made at a moment."""
    return f"{moment >> 16:08x}-{moment & 0xFFFF:04x}-7000-8000-{number:012x}"


async def listed(opened, limit=100, **conditions):
    """Ids of all jobs that fit, read in pages."""
    found, cursor = [], None
    while True:
        where = JobFilter(**conditions)
        page = await opened.queries.jobs(DEFAULT_ORGANIZATION, limit=limit, cursor=cursor, where=where)
        assert len(page.jobs) <= limit
        found += [job.id for job in page.jobs]
        cursor = page.cursor
        if cursor is None:
            return found


async def test_lists_newest_first_in_pages(database):
    jobs = [job_of(TWO_STEPS) for _ in range(5)]
    async with database() as opened:
        for job in jobs:
            await opened.ledger.submit(job)
        newest_first = [job.id for job in reversed(jobs)]
        first = await opened.queries.jobs(DEFAULT_ORGANIZATION, limit=3)
        assert [job.id for job in first.jobs] == newest_first[:3]
        assert all(job.steps == jobs[0].steps for job in first.jobs)
        rest = await opened.queries.jobs(DEFAULT_ORGANIZATION, limit=3, cursor=first.cursor)
        assert [job.id for job in rest.jobs] == newest_first[3:]
        assert rest.cursor is None
        exact = await opened.queries.jobs(DEFAULT_ORGANIZATION, limit=5)
        assert (len(exact.jobs), exact.cursor) == (5, None)
        beside = await opened.queries.jobs(DEFAULT_ORGANIZATION, limit=2, offset=4)
        assert [job.id for job in beside.jobs] == newest_first[4:]
        assert (await opened.queries.jobs(DEFAULT_ORGANIZATION, limit=2, offset=9)).jobs == []


async def test_lists_show_attempts(database):
    async with joined(database) as opened:
        await opened.ledger.submit(job_of(TWO_STEPS))
        job = await claim_one(opened.ledger)
        first, second = attempt_of(), attempt_of("b")
        await decide(opened.ledger, job, intents=(first, second))
        (found,) = (await opened.queries.jobs(DEFAULT_ORGANIZATION, limit=3)).jobs
        assert found.attempts == (first, second)


@pytest.fixture
async def mixed(database):
    """Jobs of two pipelines with several statuses, made one second after another; by number."""
    jobs = [
        job_of(plan, id=id_at(1_000_000 + 1_000 * number), inputs={"text": f"number {number}"})
        for number, plan in enumerate(itertools.islice(itertools.cycle([TWO_STEPS, TWO_STEPS, OTHER_PLAN]), 12))
    ]
    async with joined(database) as opened:
        for job in jobs:
            await opened.ledger.submit(job if job.plan is TWO_STEPS else job_of_other(job))
        claims = await opened.ledger.claim("me", "text", 6, nothing)
        for claim, status in zip(claims, [JobStatus.COMPLETED, JobStatus.FAILED] * 2, strict=False):
            await decide(opened.ledger, claim.job, outcome=Finish(status))
        yield opened, [job.id for job in jobs]


def job_of_other(job):
    return job_of(OTHER_PLAN, id=job.id, inputs=job.inputs, pipeline="other")


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_filters_find_what_fits_and_nothing_else(mixed, limit):
    opened, ids = mixed
    numbers = {job: number for number, job in enumerate(ids)}
    status = {0: "completed", 1: "failed", 2: "completed", 3: "failed", 4: "running", 5: "running"}

    def expected(fits):
        return [ids[number] for number in range(11, -1, -1) if fits(number)]

    def other(number):
        return number % 3 == 2

    for name in JobStatus:
        fitting = expected(lambda number, name=name: status.get(number, "queued") == name)
        assert await listed(opened, limit, status=name) == fitting
        assert await listed(opened, limit, status=name, pipeline="other") == [
            job for job in fitting if other(numbers[job])
        ]
    assert await listed(opened, limit, pipeline="other") == expected(other)
    assert await listed(opened, limit, pipeline="nothing") == []
    window = {"created_from": 1_003_000, "created_before": 1_009_000}
    assert await listed(opened, limit, **window) == expected(lambda number: 3 <= number < 9)
    assert await listed(opened, limit, pipeline="other", **window) == expected(
        lambda number: 3 <= number < 9 and other(number)
    )
    assert await listed(opened, limit, status=JobStatus.QUEUED, **window) == expected(lambda number: 6 <= number < 9)
    assert await listed(opened, limit, created_from=1_011_001) == []
    assert await listed(opened, limit, created_before=1_000_000) == []
    assert await listed(opened, limit, created_from=-5, created_before=1 << 60) == expected(lambda _: True)


async def test_a_list_of_a_batch_can_be_filtered_further(database):
    batch = Batch(new_id(), DEFAULT_ORGANIZATION, 1_000, 4)
    async with joined(database) as opened:
        await opened.ledger.submit(job_of(TWO_STEPS))
        jobs = [job_of(TWO_STEPS, batch=batch.id, priority=number) for number in range(4)]
        await opened.ledger.submit_batch(batch, jobs)
        job = await claim_one(opened.ledger)
        newest_first = [job.id for job in reversed(jobs)]
        assert await listed(opened, 3, batch=batch.id) == newest_first
        assert await listed(opened, batch=batch.id, status=JobStatus.RUNNING) == [job.id]
        assert await listed(opened, batch=batch.id, pipeline="trial", status=JobStatus.QUEUED) == newest_first[1:]
        assert await listed(opened, batch=batch.id, pipeline="x") == []
        assert await listed(opened, batch=new_id()) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Red", [0, 4]),
        ("a red", [0]),
        ("100%", [1]),
        ("0_%", []),
        ("snake_case", [2]),
        ("snakeXcase", [3]),
        ("%", [1]),
        ("_", [2]),
        ('say "hi"', [5]),
        ("back\\slash", [6]),
        ("two\nlines", [7]),
        ("ÄRGER über", [8]),
        ("voice.wav", [9]),
        ("image_url", []),
        ("'; --", []),
        ("", list(range(10))),
    ],
)
async def test_text_is_found_in_the_inputs(database, text, found):
    inputs = [
        "A red fox",
        "100% sure",
        "a snake_case name",
        "a snakeXcase name",
        "tired",
        'they say "hi" to',
        "a back\\slash",
        "two\nlines",
        "Der Ärger ÜBER alles",
        None,
    ]
    jobs = [
        job_of(TWO_STEPS, inputs={"image_url": "https://x/Voice.wav"} if words is None else {"text": words})
        for words in inputs
    ]
    async with database() as opened:
        for job in jobs:
            await opened.ledger.submit(job)
        expected = [jobs[number].id for number in reversed(found)]
        assert await listed(opened, text=text) == expected
        assert await listed(opened, 1, text=text, pipeline="trial") == expected
        assert await listed(opened, text=text, status=JobStatus.RUNNING) == []


async def test_a_search_looks_through_so_many_jobs_at_a_time(database):
    count = 10_500
    batches = [Batch(new_id(), DEFAULT_ORGANIZATION, 1_000, 500) for _ in range(count // 500)]
    async with database() as opened:
        needle = job_of(TWO_STEPS, id=id_at(999), inputs={"text": "a needle"})
        await opened.ledger.submit(needle)
        for number, batch in enumerate(batches):
            hay = [job_of(TWO_STEPS, id=id_at(2_000 + number, one), batch=batch.id) for one in range(500)]
            await opened.ledger.submit_batch(batch, hay)
        where = JobFilter(text="needle")
        page = await opened.queries.jobs(DEFAULT_ORGANIZATION, limit=5, where=where)
        assert page.jobs == []
        assert page.cursor == id_at(2_001)
        page = await opened.queries.jobs(DEFAULT_ORGANIZATION, limit=5, where=where, cursor=page.cursor)
        assert ([job.id for job in page.jobs], page.cursor) == ([needle.id], None)


async def test_open_attempts_of_jobs_that_are_over_are_listed_oldest_first(database):
    async with joined(database) as opened:
        jobs = []
        for at in (3_000, 1_000, 2_000):
            await opened.ledger.submit(job_of(TWO_STEPS))
            job = await claim_one(opened.ledger)
            await decide(opened.ledger, job, intents=(attempt_of("b", at=at),))
            jobs.append(job)
        assert await opened.queries.open_attempts(limit=9) == []
        for job in jobs:
            await decide(opened.ledger, job, outcome=Finish(JobStatus.CANCELED))
        found = await opened.queries.open_attempts(limit=2)
        assert [one.job for one in found] == [jobs[1].id, jobs[2].id]
        assert {(one.capability, one.attempt.state) for one in found} == {("text", AttemptState.INTENDED)}


async def test_doubts_of_jobs_that_are_over_are_listed_where_they_can_be_asked_for(database):
    async with joined(database) as opened:
        for at, handle in ((1_000, {"id": 1}), (3_000, {"id": 3}), (2_000, {"id": 2}), (2_500, None)):
            await opened.ledger.submit(job_of(TWO_STEPS))
            job = await claim_one(opened.ledger)
            doubtful = attempt_of("b")
            await decide(opened.ledger, job, intents=(doubtful,))
            unknown = replace(doubtful, state=AttemptState.UNKNOWN, settled_at=at, handle=handle)
            await decide(opened.ledger, job, evidence=(unknown,), outcome=Finish(JobStatus.FAILED))
        found = await opened.queries.attempts_in_doubt(2_000, limit=9)
        assert [one.attempt.handle for one in found] == [{"id": 2}, {"id": 3}]
        assert len(await opened.queries.attempts_in_doubt(0, limit=2)) == 2


async def test_the_next_moment_is_the_first_of_all_reasons(database):
    async with joined(database) as opened:
        assert await opened.queries.next_wake() is None
        for expected, times in [
            (9_000, {"wake_at": 9_000}),
            (8_000, {"finish_by": 8_000}),
            (7_000, {"start_by": 7_000}),
            (6_000, {"wake_at": 6_000, "start_by": 12_000}),
        ]:
            await opened.ledger.submit(job_of(TWO_STEPS, **times))
            assert await opened.queries.next_wake() == expected


async def test_a_database_that_is_well_says_so(database):
    async with database() as opened:
        await opened.queries.check()
        await opened.queries.check()
