"""The engine on a real database with scripted workers."""

import asyncio
from dataclasses import replace

import pytest

from genesis.domain.attempt import AttemptState, ProviderClass
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.step import StepState
from genesis.errors import (
    Conflict,
    InvalidRequest,
    ModelLoading,
    NoProvider,
    ProviderAmbiguous,
    ProviderMisconfigured,
    ProviderRejected,
    ProviderUnavailable,
    UnknownModel,
    UnknownPipeline,
    WorkerBusy,
    WorkerUnavailable,
)
from genesis.pipelines.contract import contract_of
from tests.support.engine import SETTINGS, always, attempts_closed, ended, failing, never, submit
from tests.support.jobs import pipeline, text_step
from tests.support.workers import ScriptedWorkers, answer, described


async def test_a_job_runs_to_its_end(engine_on):
    workers = ScriptedWorkers(always)
    async with engine_on(workers) as engine:
        job = await ended(engine, await submit(engine))
    assert (job.status, job.outputs) == (JobStatus.COMPLETED, {"text": "out"})
    assert [attempt.state for attempt in job.attempts] == [AttemptState.SUCCEEDED]
    assert workers.calls[0].options == {"model": "one:m"}
    assert workers.calls[0].call_key == job.attempts[0].call_key


async def test_safe_failures_are_repeated_each_with_a_new_key(engine_on):
    workers = ScriptedWorkers(failing(ProviderUnavailable("Down."), ProviderUnavailable("Down.")))
    async with engine_on(workers) as engine:
        job = await ended(engine, await submit(engine))
    assert job.status is JobStatus.COMPLETED
    assert [attempt.state for attempt in job.attempts] == [
        AttemptState.FAILED,
        AttemptState.FAILED,
        AttemptState.SUCCEEDED,
    ]
    assert [attempt.number for attempt in job.attempts] == [1, 2, 3]
    assert len({call.call_key for call in workers.calls}) == 3


async def test_a_model_that_is_being_loaded_costs_no_attempts(engine_on):
    loading = [ModelLoading("It is loading.", retry_after=0.05)] * (SETTINGS.max_attempts + 1)
    workers = ScriptedWorkers(failing(*loading))
    async with engine_on(workers) as engine:
        job = await ended(engine, await submit(engine))
    assert job.status is JobStatus.COMPLETED
    assert [attempt.failure.code for attempt in job.attempts[:-1]] == ["model-loading"] * len(loading)


async def test_the_chain_goes_on_when_a_provider_is_used_up(engine_on):
    async def only_two(call):
        if call.options["model"].startswith("one:"):
            raise ProviderUnavailable("Down.")
        return answer(call)

    workers = ScriptedWorkers(only_two, (described("one"), described("two")))
    async with engine_on(workers) as engine:
        job = await ended(engine, await submit(engine))
    assert job.status is JobStatus.COMPLETED
    assert [attempt.provider for attempt in job.attempts] == ["one", "one", "one", "two"]


async def test_a_wrong_key_falls_through_to_the_next_provider(engine_on):
    workers = ScriptedWorkers(failing(ProviderMisconfigured("Wrong key.")), (described("one"), described("two")))
    async with engine_on(workers) as engine:
        job = await ended(engine, await submit(engine))
    assert [attempt.provider for attempt in job.attempts] == ["one", "two"]


async def test_a_final_failure_fails_the_job_with_its_reason(engine_on):
    workers = ScriptedWorkers(failing(ProviderRejected("No cats.", hint="Ask for dogs.")))
    async with engine_on(workers) as engine:
        job = await ended(engine, await submit(engine))
    assert job.status is JobStatus.FAILED
    assert (job.failure.code, job.failure.message, job.failure.hint) == (
        "provider-rejected",
        "No cats.",
        "Ask for dogs.",
    )
    assert len(workers.calls) == 1


async def test_a_paid_call_in_doubt_is_never_resent(engine_on):
    workers = ScriptedWorkers(failing(ProviderAmbiguous("Lost.")), (described("one"), described("two")))
    async with engine_on(workers) as engine:
        job = await ended(engine, await submit(engine))
    assert job.status is JobStatus.FAILED
    assert [attempt.state for attempt in job.attempts] == [AttemptState.UNKNOWN]
    assert len(workers.calls) == 1


async def test_a_free_call_in_doubt_is_resent(engine_on):
    free = described("one", ProviderClass.REPEATABLE)
    workers = ScriptedWorkers(failing(ProviderAmbiguous("Lost.")), (free,))
    async with engine_on(workers) as engine:
        job = await ended(engine, await submit(engine))
    assert job.status is JobStatus.COMPLETED
    assert len(workers.calls) == 2


async def test_a_busy_or_missing_worker_costs_no_attempt(engine_on):
    errors = [WorkerBusy("Full.")] * 3 + [WorkerUnavailable("Away.")]
    workers = ScriptedWorkers(failing(*errors))
    async with engine_on(workers, SETTINGS.model_copy(update={"max_attempts": 1})) as engine:
        job = await ended(engine, await submit(engine))
    assert job.status is JobStatus.COMPLETED
    assert [attempt.state for attempt in job.attempts].count(AttemptState.NOT_SENT) == 4


async def test_jobs_wait_for_a_missing_worker_and_say_so(engine_on):
    workers = ScriptedWorkers(always, missing={"text"})
    async with engine_on(workers) as engine:
        job = await submit(engine)
        while "text" not in engine.directory.missing or "away" not in engine.directory.missing["text"]:
            await asyncio.sleep(0.01)
        assert (await engine.job(DEFAULT_ORGANIZATION, job.id)).status is JobStatus.QUEUED
        assert "llm worker is missing" in (await engine.waits_for([job]))[0]
        workers.missing.clear()
        assert (await ended(engine, job)).status is JobStatus.COMPLETED


async def test_enhancement_that_fails_falls_back_and_is_visible(engine_on):
    async def no_text(call):
        if call.capability == "text":
            raise ProviderRejected("Not today.")
        return answer(call, "/storage/images/x.png")

    workers = ScriptedWorkers(no_text)
    async with engine_on(workers) as engine:
        job = await ended(engine, await submit(engine, "text_to_image", {"text": "a cat"}, style="oil"))
    assert job.status is JobStatus.COMPLETED
    assert workers.calls[-1].input == {"prompt": "a cat"}
    assert job.step("enhance").failure.message == "Not today."


async def test_speech_to_image_gives_both_outputs(engine_on):
    async def script(call):
        return answer(
            call, {"transcription": "a boat", "text": "a fine boat", "image": "/storage/images/x.png"}[call.capability]
        )

    workers = ScriptedWorkers(script)
    async with engine_on(workers) as engine:
        job = await ended(engine, await submit(engine, "speech_to_image", {"audio_url": "/storage/audio/a.wav"}))
    assert job.outputs == {"text": "a boat", "image_url": "/storage/images/x.png"}
    assert [call.capability for call in workers.calls] == ["transcription", "text", "image"]
    assert workers.calls[-1].input == {"prompt": "a boat, a fine boat"}


async def test_independent_steps_run_at_the_same_time(engine_on):
    together = asyncio.Barrier(2)

    async def script(call):
        if call.input["text"] == "hi":
            await asyncio.wait_for(together.wait(), 10)
        return answer(call, "x")

    contract = contract_of(pipeline(text_step("a"), text_step("b"), text_step("c", "${steps.a.text}${steps.b.text}")))
    workers = ScriptedWorkers(script)
    async with engine_on(workers, pipelines={"trial": contract}) as engine:
        job = await ended(engine, await submit(engine, "trial"))
    assert job.status is JobStatus.COMPLETED
    assert workers.calls[-1].input == {"text": "xx"}


async def test_no_more_calls_than_slots(engine_on):
    running, most, full = 0, 0, asyncio.Event()

    async def script(call):
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 3:
            full.set()
        await full.wait()
        await asyncio.sleep(0.01)
        running -= 1
        return answer(call)

    workers = ScriptedWorkers(script, (described("one", slots=3),))
    async with engine_on(workers) as engine:
        jobs = [await submit(engine) for _ in range(15)]
        assert {(await ended(engine, job)).status for job in jobs} == {JobStatus.COMPLETED}
    assert most == 3


async def test_a_fallback_with_few_slots_is_not_flooded(engine_on):
    async def only_two(call):
        if call.options["model"].startswith("one:"):
            raise ProviderMisconfigured("Wrong key.")
        await asyncio.sleep(0.01)
        return answer(call)

    workers = ScriptedWorkers(only_two, (described("one", slots=8), described("two", slots=1)))
    async with engine_on(workers) as engine:
        jobs = [await ended(engine, job) for job in [await submit(engine) for _ in range(10)]]
    assert {job.status for job in jobs} == {JobStatus.COMPLETED}
    assert {len(job.attempts) for job in jobs} == {2}


async def test_a_step_of_another_version_fails_its_job(engine_on):
    plan = pipeline(text_step("a"), text_step("b", "${steps.a.text}"))
    known, unknown = plan.steps
    plan = replace(plan, steps=(known, replace(unknown, capability="video")))
    contract = replace(contract_of(pipeline(text_step("a"))), pipeline=plan)
    async with engine_on(ScriptedWorkers(always), pipelines={"trial": contract}) as engine:
        job = await ended(engine, await submit(engine, "trial"))
    assert job.failure.code == "unknown-capability"


async def test_one_worker_that_cannot_be_asked_hides_no_other(engine_on):
    class Odd(ScriptedWorkers):
        async def describe(self, capability):
            if capability == "speech":
                raise UnicodeError("label empty")
            return await super().describe(capability)

    async with engine_on(Odd(always)) as engine:
        assert (await ended(engine, await submit(engine))).status is JobStatus.COMPLETED
        while "label empty" not in engine.directory.missing.get("speech", ""):
            await asyncio.sleep(0.01)


async def test_cancel_reaches_a_running_call(engine_on):
    workers = ScriptedWorkers(never)
    async with engine_on(workers) as engine:
        job = await submit(engine)
        while not workers.under_way:
            await asyncio.sleep(0.01)
        await engine.cancel(DEFAULT_ORGANIZATION, job.id)
        job = await ended(engine, job, within=5)
        assert workers.cancels == [workers.calls[0].attempt]
        assert not workers.under_way
        with pytest.raises(Conflict):
            await engine.cancel(DEFAULT_ORGANIZATION, job.id)
    assert job.status is JobStatus.CANCELED
    assert job.attempts[0].state is AttemptState.UNKNOWN
    assert job.steps[0].state is StepState.SKIPPED


async def test_cancel_does_not_wait_for_a_worker_that_ignores_it(engine_on, impatient):
    class Deaf(ScriptedWorkers):
        async def cancel(self, capability, attempt, handle=None):
            self.cancels.append("ignored")

    async with engine_on(Deaf(never), impatient) as engine:
        job = await submit(engine)
        while (await engine.job(DEFAULT_ORGANIZATION, job.id)).attempts == ():
            await asyncio.sleep(0.01)
        await engine.cancel(DEFAULT_ORGANIZATION, job.id)
        job = await ended(engine, job, within=10)
        assert job.status is JobStatus.CANCELED
        assert job.attempts[0].state is AttemptState.INTENDED  # the call goes on, and so does its attempt
    async with engine_on(ScriptedWorkers(always), impatient) as engine:
        job = await attempts_closed(engine, job)
    assert job.status is JobStatus.CANCELED
    assert job.attempts[0].state is AttemptState.UNKNOWN


async def test_a_queued_job_is_canceled_at_once(engine_on):
    workers = ScriptedWorkers(always, missing={"text"})
    async with engine_on(workers) as engine:
        job = await engine.cancel(DEFAULT_ORGANIZATION, (await submit(engine)).id)
    assert job.status is JobStatus.CANCELED
    assert workers.calls == []


async def test_a_job_that_backs_off_can_be_canceled(engine_on):
    workers = ScriptedWorkers(failing(ProviderUnavailable("Down.", retry_after=3600)))
    async with engine_on(workers) as engine:
        job = await submit(engine)
        while (await engine.job(DEFAULT_ORGANIZATION, job.id)).owner or not workers.calls:
            await asyncio.sleep(0.01)
        job = await engine.cancel(DEFAULT_ORGANIZATION, job.id)
    assert job.status is JobStatus.CANCELED
    assert len(workers.calls) == 1


async def test_a_defect_of_ours_ends_the_job_visibly_and_no_other(engine_on, impatient):
    async def script(call):
        if call.input["text"] == "bad":
            raise ZeroDivisionError
        return answer(call)

    async with engine_on(ScriptedWorkers(script), impatient) as engine:
        bad = await submit(engine, inputs={"text": "bad"})
        good = await submit(engine)
        good = await ended(engine, good)
        bad = await attempts_closed(engine, await ended(engine, bad))
    assert (bad.status, bad.failure.code) == (JobStatus.FAILED, "internal-error")
    assert bad.attempts[0].state is AttemptState.UNKNOWN
    assert good.status is JobStatus.COMPLETED


async def test_impossible_jobs_are_refused(engine_on):
    nobody = described("one")
    workers = ScriptedWorkers(always, (nobody,))
    async with engine_on(workers) as engine:
        with pytest.raises(UnknownPipeline):
            await submit(engine, "text_to_video")
        with pytest.raises(UnknownModel):
            await submit(engine, model="two:x")
        with pytest.raises(InvalidRequest, match="not on the public internet"):
            await submit(engine, "speech_to_text", {"audio_url": "http://169.254.169.254/latest"})
        workers.providers = ()
        await engine.directory.refresh("text")
        with pytest.raises(NoProvider):
            await submit(engine)
        assert (await engine.jobs(DEFAULT_ORGANIZATION, limit=10)).jobs == []


async def test_a_step_that_nobody_can_serve_any_more_fails_by_itself(engine_on):
    workers = ScriptedWorkers(always)
    async with engine_on(workers) as engine:
        workers.providers = ()
        await engine.directory.refresh("text")
        job = await ended(engine, await submit(engine, "text_to_image", {"text": "a cat"}, style="oil"))
    assert job.step("enhance").failure.code == "no-provider"
    assert job.status is JobStatus.COMPLETED
