"""Files that jobs make and take, in every kind of database: recorded with the ledger's changes, and kept while in use."""

import asyncio
from dataclasses import replace

import pytest

from genesis.domain.artifact import STORAGE_PREFIX, Artifact
from genesis.domain.attempt import AttemptState, ProviderClass
from genesis.domain.batch import Batch
from genesis.domain.file import File, FileSource, FileState
from genesis.domain.identity import new_id
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.step import Part, Step, StepState
from genesis.engine.outcome import paid
from genesis.errors import Conflict, Fenced, InvalidRequest, NotFound
from genesis.ports.ledger import Change, Decision, Fence, Finish, Idempotency, Submission
from genesis.ports.workers import CallResult
from tests.support.files import artifact_of, expiring, file_of, retention_of
from tests.support.jobs import job_of
from tests.support.ledger import TWO_STEPS, attempt_of, claim_one, decide, fence_of, head_start, joined

COMPLETED, FAILED = Finish(JobStatus.COMPLETED), Finish(JobStatus.FAILED)


async def running(opened, **job):
    """A job that its owner runs."""
    await opened.ledger.submit(job_of(TWO_STEPS, **job))
    return await claim_one(opened.ledger)


def made(attempt, **artifact):
    """The attempt, which has succeeded with a file."""
    return replace(
        attempt,
        state=AttemptState.SUCCEEDED,
        settled_at=2_000,
        artifact=replace(artifact_of(attempt), **artifact),
    )


async def making(opened, provider_class=ProviderClass.OPAQUE, **job):
    """A running job and its attempt, which is under way."""
    owned = await running(opened, **job)
    attempt = attempt_of(provider_class=provider_class)
    await decide(opened.ledger, owned, intents=(attempt,))
    return owned, attempt


async def file_made(opened, attempt, organization=DEFAULT_ORGANIZATION):
    return await opened.files.file(organization, attempt.call_key)


async def test_what_a_call_has_made_is_recorded_with_its_evidence(database, organization):
    other = await organization("other")
    async with joined(database) as opened:
        job, attempt = await making(opened, organization=other)
        await decide(opened.ledger, job, evidence=(made(attempt),))
        file = await file_made(opened, attempt, other)
        assert (file.organization, file.job, file.source) == (other, job.id, FileSource.JOB)
        assert (file.key, file.media_type, file.size) == (f"images/{attempt.call_key}.png", "image/png", 4)
        assert (file.sha256, file.state, file.created_at) == ("cd" * 32, FileState.READY, 2_000)
        assert (file.name, file.details, file.problem, file.expires_at) == ("", None, "", None)
        assert await opened.files.unexamined(5) == [file]
        (stored,) = (await opened.queries.job(other, job.id)).attempts
        assert (stored.state, stored.artifact) == (AttemptState.SUCCEEDED, None)


async def test_it_is_recorded_once(database):
    async with joined(database) as opened:
        job, attempt = await making(opened)
        await decide(opened.ledger, job, evidence=(made(attempt), made(attempt)))
        await decide(opened.ledger, job, evidence=(made(attempt, size=5),), outcome=COMPLETED)
        assert (await file_made(opened, attempt)).size == 4
        await opened.files.delete(DEFAULT_ORGANIZATION, attempt.call_key, 3_000)
        with pytest.raises(Fenced):
            await decide(opened.ledger, job, evidence=(made(attempt),))
        assert (await file_made(opened, attempt)).state is FileState.DELETED


@pytest.mark.parametrize("provider_class", ProviderClass)
async def test_evidence_of_who_has_lost_the_job_counts(database, provider_class):
    async with joined(database, "me", "other") as opened:
        job, attempt = await making(opened, provider_class)
        await opened.ledger.leave("me")
        await claim_one(opened.ledger, "other")
        with pytest.raises(Fenced):
            await decide(opened.ledger, job, evidence=(made(attempt),))
        assert (await file_made(opened, attempt)).job == job.id


async def test_evidence_that_comes_after_the_jobs_end_counts(database):
    async with joined(database) as opened:
        job, attempt = await making(opened)
        await opened.ledger.leave("me")
        await opened.ledger.cancel(DEFAULT_ORGANIZATION, job.id)
        with pytest.raises(Fenced):  # as it is written by who looks for calls that have outlived their jobs
            await opened.ledger.decide(Decision(Fence(job.id, "", 0), Change(evidence=(made(attempt),))))
        assert (await file_made(opened, attempt)).job == job.id
        await opened.files.delete(DEFAULT_ORGANIZATION, attempt.call_key, 3_000)


async def test_only_what_surely_is_a_file_of_the_job_is_recorded(database):
    async with joined(database) as opened:
        job, attempt = await making(opened)
        failed = replace(made(attempt), state=AttemptState.FAILED)
        nameless = made(attempt_of(), key="images/picture.png")
        unknown = made(attempt_of())
        await decide(opened.ledger, job, evidence=(failed, nameless, unknown))
        assert (await opened.files.page(DEFAULT_ORGANIZATION, limit=5)).files == []
        with pytest.raises(Fenced):
            await opened.ledger.decide(Decision(Fence(new_id(), "", 0), Change(evidence=(made(attempt_of()),))))
        assert (await opened.files.page(DEFAULT_ORGANIZATION, limit=5)).files == []


async def test_the_organization_says_how_long_what_its_jobs_make_is_kept(database, organization):
    other = await organization("other")
    await retention_of(database, other, 60)
    async with joined(database) as opened:
        job, attempt = await making(opened, organization=other)
        await decide(opened.ledger, job, evidence=(made(attempt),), outcome=COMPLETED)
        assert (await file_made(opened, attempt, other)).expires_at == 62_000
        assert await expiring(opened, 61_999, default_retention_ms=1) == []
        assert await expiring(opened, 62_000, default_retention_ms=1) == [attempt.call_key]


async def test_what_a_job_has_made_is_in_use_until_the_job_is_over(database):
    async with joined(database) as opened:
        job, attempt = await making(opened)
        await decide(opened.ledger, job, evidence=(made(attempt),))
        with pytest.raises(Conflict, match="in use"):
            await opened.files.delete(DEFAULT_ORGANIZATION, attempt.call_key, 3_000)
        assert await expiring(opened, 10**15, default_retention_ms=1) == []
        await decide(opened.ledger, job, outcome=FAILED)
        await opened.ledger.retry(DEFAULT_ORGANIZATION, job.id, resend=False)
        with pytest.raises(Conflict, match="in use"):
            await opened.files.delete(DEFAULT_ORGANIZATION, attempt.call_key, 3_000)
        await opened.ledger.cancel(DEFAULT_ORGANIZATION, job.id)
        gone = await opened.files.delete(DEFAULT_ORGANIZATION, attempt.call_key, 3_000)
        assert gone.state is FileState.DELETED


def taken(*files, **job):
    """A job that takes files."""
    inputs = {"text": "hello", **{f"image_{number}": file.url for number, file in enumerate(files)}}
    return job_of(TWO_STEPS, inputs=inputs, **job)


async def uses(database):
    return sorted(await database.execute("SELECT file, job FROM file_uses"))


async def test_what_a_job_takes_is_in_use_until_the_job_is_over(database):
    async with joined(database) as opened:
        first, second = file_of(expires_at=2_000), file_of("audio")
        for file in (first, second):
            await opened.files.add(file)
        job = taken(first, second)
        await opened.ledger.submit(job)
        assert await uses(database) == sorted([(first.id, job.id), (second.id, job.id)])
        for file in (first, second):
            with pytest.raises(Conflict, match="in use"):
                await opened.files.delete(DEFAULT_ORGANIZATION, file.id, 3_000)
        assert await expiring(opened, 9_000, default_retention_ms=1) == []
        job = await claim_one(opened.ledger)
        assert await expiring(opened, 9_000, default_retention_ms=1) == []
        await decide(opened.ledger, job, outcome=COMPLETED)
        await opened.files.delete(DEFAULT_ORGANIZATION, second.id, 3_000)
        assert await expiring(opened, 9_000) == [first.id]


async def test_jobs_use_only_files_of_their_organization_that_are_there(database, organization):
    other = await organization("other")
    async with joined(database) as opened:
        theirs, mine = file_of(organization=other), file_of()
        for file in (theirs, mine):
            await opened.files.add(file)
        inputs = {
            "a": theirs.url,
            "c": STORAGE_PREFIX + f"images/{new_id()}.png",
            "d": STORAGE_PREFIX + "nothing",
            "e": mine.url,
            "f": mine.url,
            "g": f"see {theirs.url}",
            "h": None,
            "i": 5,
        }
        job = job_of(TWO_STEPS, inputs=inputs)
        submission = await opened.ledger.submit(job, idempotency=Idempotency("k", "f"))
        assert submission.job.inputs == inputs
        assert await uses(database) == [(mine.id, job.id)]
        again = await opened.ledger.submit(job_of(TWO_STEPS, inputs=inputs), idempotency=Idempotency("k", "f"))
        assert again.replayed
        assert await uses(database) == [(mine.id, job.id)]
        assert (await opened.files.delete(other, theirs.id, 3_000)).state is FileState.DELETED


async def test_a_job_whose_file_was_deleted_meanwhile_is_refused(database):
    async with joined(database) as opened:
        file, kept = file_of(), file_of("audio")
        for one in (file, kept):
            await opened.files.add(one)
        accepted, key = taken(file), Idempotency("k", "f")
        await opened.ledger.submit(accepted, idempotency=key)
        await opened.ledger.cancel(DEFAULT_ORGANIZATION, accepted.id)
        await opened.files.delete(DEFAULT_ORGANIZATION, file.id, 3_000)
        for number in range(2):  # its key is as if it had never come
            late, other = taken(kept, file), Idempotency("l", f"{number}")
            answers = await asyncio.gather(
                opened.ledger.submit(late, idempotency=other, head_start=head_start(late)),
                opened.ledger.submit(taken(kept, file), idempotency=other),
                opened.ledger.submit(taken(file)),
                return_exceptions=True,
            )
            for answer in answers:
                assert isinstance(answer, InvalidRequest)
                assert file.id in answer.message
            assert [field.field for field in answers[0].errors] == ["inputs.image_1"]
        batch = Batch(new_id(), DEFAULT_ORGANIZATION, 1_000, 2)
        with pytest.raises(InvalidRequest) as refused:
            await opened.ledger.submit_batch(batch, [taken(kept), taken(file)], idempotency=other)
        assert [field.field for field in refused.value.errors] == ["jobs.1.inputs.image_0"]
        assert await uses(database) == [(file.id, accepted.id)]
        assert [job.id for job in (await opened.queries.jobs(DEFAULT_ORGANIZATION, limit=9)).jobs] == [accepted.id]
        assert (
            await opened.ledger.submit(taken(file), idempotency=key)
        ).job.id == accepted.id  # it was accepted before
        last = taken(kept)
        assert (await opened.ledger.submit(last, idempotency=other)).job.id == last.id


async def test_a_job_and_the_deletion_of_its_file_at_once(database):
    """One of the two is refused, whichever comes first."""
    async with joined(database) as opened:
        outcomes = set()
        for number in range(20):
            file = file_of()
            await opened.files.add(file)
            both = [
                opened.ledger.submit(taken(file)),
                opened.files.delete(DEFAULT_ORGANIZATION, file.id, 3_000),
            ]
            answers = await asyncio.gather(*both[:: 1 - 2 * (number % 2)], return_exceptions=True)
            outcomes.add(frozenset(type(answer) for answer in answers))
        assert outcomes <= {frozenset({Submission, Conflict}), frozenset({InvalidRequest, File})}


async def test_a_job_that_begins_at_once_and_those_of_a_batch_use_their_files(database):
    async with joined(database) as opened:
        file = file_of()
        await opened.files.add(file)
        job = taken(file)
        submission = await opened.ledger.submit(job, head_start=head_start(job))
        assert submission.job.owner == "me"
        batch = Batch(new_id(), DEFAULT_ORGANIZATION, 1_000, 3)
        jobs = [taken(file, batch=batch.id), job_of(TWO_STEPS, batch=batch.id)]
        jobs.append(taken(file, batch=batch.id))
        await opened.ledger.submit_batch(batch, jobs)
        assert await uses(database) == sorted((file.id, one.id) for one in (job, jobs[0], jobs[2]))


async def test_a_file_that_a_job_has_made_is_taken_by_another(database):
    async with joined(database) as opened:
        job, attempt = await making(opened)
        await decide(opened.ledger, job, evidence=(made(attempt),), outcome=COMPLETED)
        file = await file_made(opened, attempt)
        following = taken(file)
        await opened.ledger.submit(following)
        with pytest.raises(Conflict):
            await opened.files.delete(DEFAULT_ORGANIZATION, file.id, 3_000)
        await opened.ledger.cancel(DEFAULT_ORGANIZATION, following.id)
        await opened.files.delete(DEFAULT_ORGANIZATION, file.id, 3_000)


async def test_contents_that_have_to_be_kept_are_known(database):
    async with joined(database) as opened:
        ready, waiting, gone = file_of(), file_of(state=FileState.WAITING), file_of(state=FileState.DELETED)
        for file in (ready, waiting, gone):
            await opened.files.add(file)
        done, of_done = await making(opened)
        await decide(opened.ledger, done, evidence=(replace(of_done, state=AttemptState.UNKNOWN),), outcome=COMPLETED)
        hasty, of_hasty = await making(opened)
        await decide(opened.ledger, hasty, outcome=COMPLETED)
        broken, of_broken = await making(opened)
        await decide(opened.ledger, broken, outcome=FAILED)
        _, of_running = await making(opened)
        job, of_file = await making(opened)
        await decide(opened.ledger, job, evidence=(made(of_file),), outcome=FAILED)
        named_by_id = replace(attempt_of(number=2), state=AttemptState.INTENDED)
        named_by_id = replace(named_by_id, call_key=named_by_id.id)
        owner = await running(opened)
        await decide(opened.ledger, owner, intents=(named_by_id,))
        attempts = (of_done, of_hasty, of_broken, of_running, of_file, named_by_id)
        ids = {ready.id, waiting.id, gone.id, *(one.call_key for one in attempts), *(new_id() for _ in range(1_000))}
        kept = {ready.id, waiting.id, *(one.call_key for one in attempts[1:])}
        assert await opened.files.known(ids) == kept
        assert await opened.files.known([]) == set()
        assert await opened.files.known([of_running.id, owner.id]) == set()

        await opened.files.delete(DEFAULT_ORGANIZATION, of_file.call_key, 3_000)
        assert await opened.files.known(ids) == kept - {of_file.call_key}


async def test_what_a_version_without_records_has_put_out_is_kept(database):
    """It may have run the job after the schema was brought up to date."""
    async with joined(database) as opened:
        job, attempt = await making(opened)
        step = replace(
            job.steps[0], state=StepState.DONE, output={"image_url": f"/storage/images/{attempt.call_key}.png"}
        )
        await decide(
            opened.ledger, job, steps=(step,), evidence=(replace(made(attempt), artifact=None),), outcome=COMPLETED
        )
        assert await opened.files.known([attempt.call_key]) == {attempt.call_key}
        job, cut = await making(opened)
        step = replace(step, output={"parts": [{"audio_url": f"/storage/audio/{cut.call_key}-1.flac"}]})
        await decide(
            opened.ledger, job, steps=(step,), evidence=(replace(made(cut), artifact=None),), outcome=COMPLETED
        )
        assert await opened.files.known([cut.call_key]) == set()


async def test_what_a_retry_would_use_is_kept_for_as_long_as_files_are(database, organization):
    other = await organization("other")
    await retention_of(database, other, 60)
    async with joined(database) as opened:
        job, cut = await making(opened, organization=other)
        failed, unknown, paid_for = (attempt_of(number=number) for number in (2, 3, 4))
        unknown = replace(unknown, state=AttemptState.UNKNOWN)
        output = {"image_url": f"/storage/images/{paid_for.call_key}.png"}
        paid_for = replace(paid_for, state=AttemptState.SUCCEEDED, output=output)
        evidence = [replace(one, state=AttemptState.FAILED) for one in (cut, failed)]
        for attempt in (failed, unknown, paid_for):
            await decide(opened.ledger, job, intents=(replace(attempt, state=AttemptState.INTENDED, output=None),))
        parts = tuple(
            Step(
                f"first#{number}",
                "transcription",
                state,
                part=Part("first", 1 + number, {"audio_url": f"/storage/audio/{key}-{number}.flac"}),
            )
            for number, (key, state) in enumerate(
                [(cut.call_key, StepState.DONE), (cut.call_key, StepState.WAITING), (failed.call_key, StepState.DONE)],
                1,
            )
        )
        await opened.ledger.decide(Decision(fence_of(job), Change(parts=parts)))
        await decide(opened.ledger, job, evidence=(*evidence, unknown))
        keys = {one.call_key for one in (cut, failed, unknown, paid_for)}
        assert await opened.files.known(keys, 10**15, 1) == keys
        await decide(opened.ledger, job, outcome=FAILED)
        with pytest.raises(Fenced):  # too late for its step, which is going to use it when the job is run again
            await decide(opened.ledger, job, evidence=(paid_for,))
        ended = (await opened.queries.job(other, job.id)).completed_at
        of_use = keys - {failed.call_key}
        assert await opened.files.known(keys) == of_use
        assert await opened.files.known(keys, ended + 59_999, 1) == of_use
        assert await opened.files.known(keys, ended + 60_000) == set()
        await retention_of(database, other, "NULL")
        assert await opened.files.known(keys, 10**15) == of_use
        assert await opened.files.known(keys, ended + 999, 1_000) == of_use
        assert await opened.files.known(keys, ended + 1_000, 1_000) == set()
        assert await opened.files.in_doubt(keys) == {unknown.call_key}
        await opened.ledger.retry(other, job.id, resend=True)
        assert await opened.files.known(keys, 10**15, 1) == keys
        assert await opened.files.in_doubt(keys) == keys


async def test_a_file_that_no_database_can_hold_is_none_of_the_evidence(database):
    async with joined(database) as opened:
        job, attempt = await making(opened)
        good = artifact_of(attempt)
        for artifact in (
            replace(good, key=good.key + "\0"),
            replace(good, media_type="image/\ud800"),
            replace(good, sha256="x" * 1_000),
            replace(good, size=2**70),
            replace(good, size=-1),
        ):
            assert paid(attempt, CallResult({}, "one:m", artifact=artifact), 2_000).artifact is None
        evidence = paid(attempt, CallResult({}, "one:m", artifact=good), 2_000)
        assert evidence.artifact == Artifact(f"images/{attempt.call_key}.png", "image/png", 4, "cd" * 32)
        await decide(opened.ledger, job, evidence=(evidence,))
        assert (await file_made(opened, attempt)).created_at == 2_000


async def test_nothing_of_what_is_refused_is_recorded(database):
    async with joined(database) as opened:
        job, attempt = await making(opened)
        with pytest.raises(NotFound):
            await file_made(opened, attempt)
        stale = replace(fence_of(job), epoch=99)
        with pytest.raises(Fenced):
            await opened.ledger.decide(Decision(stale, Change(outcome=COMPLETED)))
        assert (await opened.files.page(DEFAULT_ORGANIZATION, limit=5)).files == []
