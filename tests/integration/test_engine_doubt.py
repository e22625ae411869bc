"""Calls whose outcome is in doubt: handles, recalls, keys, and what is never sent twice (lines 8-14 of the protocol)."""

import asyncio

import pytest

from genesis.domain.attempt import AttemptState, ProviderClass
from genesis.domain.job import JobStatus, OnAmbiguous
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.errors import (
    Conflict,
    ProviderAmbiguous,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
    WorkerBusy,
    WorkerLost,
    WorkerUnavailable,
)
from genesis.ports.workers import CallPending, ProviderDescription
from genesis.settings import Settings
from tests.support.engine import SETTINGS, always, attempts_closed, ended, failing, never, submit, until
from tests.support.worker_servers import in_process, paid_provider
from tests.support.workers import ScriptedWorkers, answer, described

IMPATIENT = SETTINGS.model_copy(update={"drain_seconds": 0})

pytestmark = pytest.mark.usefixtures("impatient")


def pending_once(results):
    """Submits to a provider that answers with a handle; its polls give these results one after the other."""
    left = list(results)

    async def script(call):
        return CallPending({"id": "h1"}, 0.01)

    async def polled(call, handle):
        result = left.pop(0)
        if isinstance(result, Exception):
            raise result
        return answer(call) if result == "done" else CallPending(handle, 0.01)

    return script, polled


async def test_a_pending_call_is_asked_for_until_it_is_done(engine_on):
    script, polled = pending_once(["pending", WorkerUnavailable("Away."), WorkerLost("Lost."), "done"])
    workers = ScriptedWorkers(script, (described("one", ProviderClass.HANDLE),), poll_script=polled)
    async with engine_on(workers) as engine:
        job = await ended(engine, await submit(engine))
    assert job.status is JobStatus.COMPLETED
    assert len(workers.calls) == 1
    assert workers.polls == [{"id": "h1"}] * 4
    assert job.attempts[0].handle == {"id": "h1"}


async def test_a_handle_outlives_its_process(engine_on):
    provider = described("one", ProviderClass.HANDLE)
    script, _ = pending_once([])

    async def not_yet(call, handle):
        return CallPending(handle, 0.01)

    before = ScriptedWorkers(script, (provider,), poll_script=not_yet)
    async with engine_on(before, IMPATIENT) as engine:
        job = await submit(engine)
        await until(lambda: before.polls)
    _, polled = pending_once(["done"])
    after = ScriptedWorkers(never, (provider,), poll_script=polled)
    async with engine_on(after) as engine:
        job = await ended(engine, job)
    assert job.status is JobStatus.COMPLETED
    assert after.calls == []
    assert [attempt.state for attempt in job.attempts] == [AttemptState.SUCCEEDED]


async def test_a_pending_call_that_fails_fails_its_step(engine_on):
    script, polled = pending_once([ProviderRejected("No cats.")])
    workers = ScriptedWorkers(script, (described("one", ProviderClass.HANDLE),), poll_script=polled)
    async with engine_on(workers) as engine:
        job = await ended(engine, await submit(engine))
    assert job.failure.message == "No cats."
    assert job.attempts[0].state is AttemptState.FAILED


async def test_a_lost_worker_is_asked_what_it_remembers(engine_on):
    async def remembered(call):
        return answer(call, "remembered")

    workers = ScriptedWorkers(failing(WorkerLost("Lost.")), recall_script=remembered, shares_fate=False)
    async with engine_on(workers) as engine:
        job = await ended(engine, await submit(engine))
    assert job.outputs == {"text": "remembered"}
    assert len(workers.calls) == 1
    assert workers.recalls[0].call_key == workers.calls[0].call_key


@pytest.mark.parametrize("no_word", [WorkerUnavailable("No store."), WorkerLost("Lost."), WorkerBusy("Busy.")])
async def test_a_recall_that_cannot_be_asked_proves_nothing(engine_on, no_word):
    before = ScriptedWorkers(never)
    async with engine_on(before, IMPATIENT) as engine:
        job = await submit(engine)
        await until(lambda: before.under_way)
    errors = [no_word, no_word]

    async def recalled(call):
        if errors:
            raise errors.pop()
        return answer(call, "receipt")

    after = ScriptedWorkers(always, recall_script=recalled)
    async with engine_on(after) as engine:
        job = await ended(engine, job)
    assert (job.status, job.outputs) == (JobStatus.COMPLETED, {"text": "receipt"})
    assert [attempt.state for attempt in job.attempts] == [AttemptState.SUCCEEDED]
    assert (len(after.recalls), after.calls) == (3, [])


async def test_a_recall_that_is_never_answered_ends_unknown_in_time(engine_on, impatient, monkeypatch):
    monkeypatch.setattr("genesis.engine.call._LONGEST_QUESTION_SECONDS", 0.1)
    before = ScriptedWorkers(never)
    async with engine_on(before, impatient) as engine:
        job = await submit(engine)
        await until(lambda: before.under_way)
    after = ScriptedWorkers(always, recall_script=never)
    async with engine_on(after, impatient) as engine:
        job = await ended(engine, job)
    attempt = job.attempts[0]
    assert (attempt.state, job.failure.code) == (AttemptState.UNKNOWN, "outcome-unknown")
    assert attempt.settled_at >= attempt.call_deadline
    assert after.calls == []


async def test_the_outcome_is_unknown_only_when_the_call_must_be_over(engine_on):
    settings = SETTINGS.model_copy(update={"call_timeout_seconds": 0.4})
    workers = ScriptedWorkers(failing(WorkerLost("Lost.")), shares_fate=False)
    async with engine_on(workers, settings) as engine:
        job = await submit(engine)
        await until(lambda: len(workers.recalls) > 3)
        assert (await engine.job(DEFAULT_ORGANIZATION, job.id)).attempts[0].state is AttemptState.INTENDED
        job = await ended(engine, job)
    attempt = job.attempts[0]
    assert (attempt.state, job.failure.code) == (AttemptState.UNKNOWN, "outcome-unknown")
    assert attempt.settled_at >= attempt.call_deadline
    assert len(workers.calls) == 1


async def test_a_keyed_call_in_doubt_is_sent_again_with_its_key(engine_on):
    errors = [WorkerLost("Lost."), WorkerUnavailable("Away."), WorkerLost("Lost.")]
    workers = ScriptedWorkers(failing(*errors), (described("one", ProviderClass.KEYED),), shares_fate=False)
    async with engine_on(workers) as engine:
        job = await ended(engine, await submit(engine))
    assert job.status is JobStatus.COMPLETED
    assert len(job.attempts) == 1
    assert {call.call_key for call in workers.calls} == {job.attempts[0].call_key}
    assert len(workers.calls) == 4


@pytest.mark.parametrize("doubt", [WorkerLost("Lost."), ProviderAmbiguous("Timed out.")])
async def test_a_refusal_of_the_second_sending_proves_nothing_about_the_first(engine_on, impatient, doubt):
    refusals = [ProviderRateLimited("Slow down."), ProviderUnavailable("Down."), ProviderMisconfigured("No key.")]
    workers = ScriptedWorkers(
        failing(doubt, *refusals), (described("one", ProviderClass.KEYED), described("two")), shares_fate=False
    )
    async with engine_on(workers) as engine:
        job = await ended(engine, await submit(engine))
    assert job.status is JobStatus.COMPLETED
    assert [attempt.target for attempt in job.attempts] == ["one:m"]
    assert {call.call_key for call in workers.calls} == {job.attempts[0].call_key}


async def test_a_remembered_refusal_of_one_sending_is_no_proof_when_the_time_is_over(engine_on, impatient):
    async def refused(call):
        raise ProviderRateLimited("Slow down.")

    async def script(call):
        if len(workers.calls) == 1:
            raise ProviderAmbiguous("Timed out.")
        raise ProviderRateLimited("Slow down.")

    workers = ScriptedWorkers(
        script, (described("one", ProviderClass.KEYED),), shares_fate=False, recall_script=refused
    )
    async with engine_on(workers, impatient) as engine:
        job = await ended(engine, await submit(engine))
    assert job.failure.code == "outcome-unknown"
    assert [attempt.state for attempt in job.attempts] == [AttemptState.UNKNOWN]


async def test_a_keyed_call_that_stays_in_doubt_ends_unknown(engine_on, impatient):
    workers = ScriptedWorkers(
        failing(*[ProviderAmbiguous("Timed out.")] * 10_000),
        (described("one", ProviderClass.KEYED),),
        shares_fate=False,
    )
    async with engine_on(workers, impatient) as engine:
        job = await ended(engine, await submit(engine))
    assert job.failure.code == "outcome-unknown"
    assert [attempt.state for attempt in job.attempts] == [AttemptState.UNKNOWN]


async def test_paying_twice_has_its_limit(engine_on):
    workers = ScriptedWorkers(failing(*[ProviderAmbiguous("Lost.")] * 100))
    async with engine_on(workers) as engine:
        job = await ended(engine, await submit(engine, order={"on_ambiguous": OnAmbiguous.RESEND}))
    assert job.status is JobStatus.FAILED
    assert len(workers.calls) == SETTINGS.max_attempts


async def test_a_restart_sends_a_keyed_call_again_with_its_key(engine_on):
    provider = described("one", ProviderClass.KEYED)
    before = ScriptedWorkers(never, (provider,))
    async with engine_on(before, IMPATIENT) as engine:
        job = await submit(engine)
        await until(lambda: before.under_way)
    after = ScriptedWorkers(always, (provider,))
    async with engine_on(after) as engine:
        job = await ended(engine, job)
    assert job.status is JobStatus.COMPLETED
    assert after.calls[0].call_key == before.calls[0].call_key
    assert after.calls[0].input == before.calls[0].input


async def test_who_accepts_to_pay_twice_gets_a_new_attempt(engine_on):
    workers = ScriptedWorkers(failing(ProviderAmbiguous("Lost.")))
    async with engine_on(workers) as engine:
        job = await ended(engine, await submit(engine, order={"on_ambiguous": OnAmbiguous.RESEND}))
    assert job.status is JobStatus.COMPLETED
    assert [attempt.state for attempt in job.attempts] == [AttemptState.UNKNOWN, AttemptState.SUCCEEDED]
    assert len({call.call_key for call in workers.calls}) == 2


async def test_retry_goes_on_from_the_failed_step(engine_on):
    failures = [ProviderRejected("No.")]

    async def script(call):
        if call.capability == "image" and failures:
            raise failures.pop()
        return answer(call, "fine" if call.capability == "text" else "/storage/images/x.png")

    workers = ScriptedWorkers(script)
    async with engine_on(workers) as engine:
        job = await ended(engine, await submit(engine, "text_to_image", {"text": "a cat"}, style="oil"))
        assert job.status is JobStatus.FAILED
        job = await ended(engine, await engine.retry(DEFAULT_ORGANIZATION, job.id))
        assert job.status is JobStatus.COMPLETED
        with pytest.raises(Conflict):
            await engine.retry(DEFAULT_ORGANIZATION, job.id)
    assert [call.capability for call in workers.calls] == ["text", "image", "image"]
    assert workers.calls[2].input == workers.calls[1].input
    assert [attempt.number for attempt in job.attempts_of("draw")] == [1, 2]


async def test_retry_after_an_unknown_outcome_needs_a_word(engine_on):
    workers = ScriptedWorkers(failing(ProviderAmbiguous("Lost.")))
    async with engine_on(workers) as engine:
        job = await ended(engine, await submit(engine))
        with pytest.raises(Conflict) as caught:
            await engine.retry(DEFAULT_ORGANIZATION, job.id)
        assert "resend" in caught.value.hint
        job = await ended(engine, await engine.retry(DEFAULT_ORGANIZATION, job.id, resend=True))
    assert job.status is JobStatus.COMPLETED
    assert len(workers.calls) == 2


async def test_a_retried_job_has_all_its_attempts_again(engine_on):
    workers = ScriptedWorkers(failing(*[ProviderAmbiguous("Lost.")] * 2), (described("one", ProviderClass.REPEATABLE),))
    async with engine_on(workers, SETTINGS.model_copy(update={"max_attempts": 1})) as engine:
        job = await ended(engine, await submit(engine))
        for status in (JobStatus.FAILED, JobStatus.COMPLETED):
            await asyncio.sleep(0.01)
            job = await ended(engine, await engine.retry(DEFAULT_ORGANIZATION, job.id))
            assert job.status is status
    assert len(job.attempts) == 3


async def test_a_deadline_ends_the_job_and_not_the_attempt(engine_on):
    release = asyncio.Event()

    class Deaf(ScriptedWorkers):
        async def cancel(self, capability, attempt, handle=None):
            self.cancels.append("ignored")

    async def slow(call):
        await release.wait()
        return answer(call)

    async with engine_on(Deaf(slow)) as engine:
        job = await ended(engine, await submit(engine, order={"finish_within": 0.3}))
        assert (job.status, job.failure.code) == (JobStatus.FAILED, "deadline-passed")
        assert job.attempts[0].state is AttemptState.INTENDED
        release.set()
        job = await attempts_closed(engine, job)
    assert job.attempts[0].state is AttemptState.SUCCEEDED
    assert job.status is JobStatus.FAILED


async def test_attempts_that_outlive_their_job_are_reconciled(engine_on):
    provider = described("one", ProviderClass.HANDLE)
    script, _ = pending_once([])
    hanging = asyncio.Event()

    async def asked(call, handle):
        await hanging.wait()

    before = ScriptedWorkers(script, (provider,), poll_script=asked, shares_fate=False)
    async with engine_on(before, IMPATIENT) as engine:
        job = await submit(engine)
        await until(lambda: before.polls)
        await engine.cancel(DEFAULT_ORGANIZATION, job.id)
        job = await ended(engine, job)
    assert job.attempts[0].state is AttemptState.PENDING
    _, polled = pending_once(["pending", "done"])
    after = ScriptedWorkers(never, (provider,), poll_script=polled, shares_fate=False)
    async with engine_on(after) as engine:
        job = await attempts_closed(engine, job)
    assert (job.status, job.attempts[0].state) == (JobStatus.CANCELED, AttemptState.SUCCEEDED)


async def test_a_keyed_call_that_is_taken_up_after_its_deadline_is_looked_for(engine_on, impatient):
    async def remembered(call):
        return answer(call, "remembered")

    provider = described("one", ProviderClass.KEYED)
    before = ScriptedWorkers(never, (provider,), shares_fate=False)
    async with engine_on(before, impatient) as engine:
        job = await submit(engine)
        await until(lambda: before.under_way)
    await asyncio.sleep(impatient.call_timeout_seconds + 0.3)
    after = ScriptedWorkers(never, (provider,), shares_fate=False, recall_script=remembered)
    async with engine_on(after, impatient) as engine:
        job = await ended(engine, job)
    assert (job.status, job.outputs) == (JobStatus.COMPLETED, {"text": "remembered"})
    assert after.calls == []


async def test_a_refused_keyed_call_of_a_job_that_is_over_is_closed_in_the_end(engine_on, impatient):
    class Deaf(ScriptedWorkers):
        async def cancel(self, capability, attempt, handle=None):
            self.cancels.append("ignored")

    async def slow(call):
        await asyncio.sleep(1.3)
        raise ProviderRejected("No.")

    async def refused(call):
        raise ProviderRejected("No.")

    provider = described("one", ProviderClass.KEYED)
    workers = Deaf(slow, (provider,), shares_fate=False, recall_script=refused)
    async with engine_on(workers, impatient) as engine:
        job = await submit(engine)
        await until(lambda: workers.under_way)
        await engine.cancel(DEFAULT_ORGANIZATION, job.id)
        job = await attempts_closed(engine, await ended(engine, job))
    assert (job.status, job.attempts[0].state) == (JobStatus.CANCELED, AttemptState.UNKNOWN)


async def test_a_real_worker_asks_for_the_result_of_a_job_that_is_over(engine_on, tmp_path):
    provider = ProviderDescription("fake-handle", True, "", ("made-up",), False, ProviderClass.HANDLE, 1)

    async def not_yet(call, handle):
        return CallPending(handle, 0.01)

    async with paid_provider(tmp_path) as paid:
        settings = Settings(
            storage_path=tmp_path / "storage", fake_provider=True, fake_url=paid.url, local_provider=False
        )
        async with in_process("text", settings) as worker:
            before = ScriptedWorkers(worker.generate, (provider,), poll_script=not_yet)
            async with engine_on(before, IMPATIENT) as engine:
                job = await submit(engine)
                await until(lambda: before.polls)
                await engine.cancel(DEFAULT_ORGANIZATION, job.id)
                await ended(engine, job)
        async with in_process("text", settings) as worker:  # which remembers nothing of the call
            after = ScriptedWorkers(never, (provider,), poll_script=worker.poll)
            async with engine_on(after) as engine:
                job = await attempts_closed(engine, job)
        assert len(paid.charges) == 1
    assert (job.status, job.attempts[0].state) == (JobStatus.CANCELED, AttemptState.SUCCEEDED)
    assert job.attempts[0].output == {"text": "answer to hi"}
