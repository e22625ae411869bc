"""Texts and recordings that are too long for one call, on both databases: each part is paid once, whatever happens."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from genesis.domain.attempt import AttemptState
from genesis.domain.job import CUT, JOIN, JobStatus
from genesis.domain.money import Money
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.price import Price
from genesis.domain.quantity import Unit
from genesis.domain.step import StepState
from genesis.engine.run import JobRun
from genesis.errors import TooExpensive, UnknownModel
from genesis.pipelines.contract import contract_of
from tests.support.engine import SETTINGS, ended, submit, until
from tests.support.jobs import pipeline
from tests.support.parts import Dying, recording, serving_openai, text_of
from tests.support.prices import SetPrices
from workers.measure import audio_seconds

AT_ONCE = SETTINGS.model_copy(update={"drain_seconds": 0})


@pytest.fixture
async def openai(tmp_path, monkeypatch):
    monkeypatch.setattr("genesis.providers.openai.LONGEST_AUDIO_SECONDS", 2.0)
    async with serving_openai(tmp_path / "storage") as openai:
        yield openai


@pytest.fixture
def at_work(engine_on, openai):
    @asynccontextmanager
    async def opened(settings=AT_ONCE, **more):
        async with engine_on(openai.workers, settings, **more) as engine:
            await until(lambda: len(engine.directory.known) == 2)
            yield engine

    return opened


async def speak(engine, text, order=None, **options):
    return await submit(engine, "text_to_speech", {"text": text}, order, format="wav", **options)


def states(job):
    return {step.name: step.state for step in job.steps}


def assert_spoken(openai, job, text, parts):
    """The whole text was spoken once, in parts, and the parts are in the one file."""
    assert job.status is JobStatus.COMPLETED, job.failure
    assert " ".join(sorted(openai.spoken, key=text.index)) == text
    assert len(openai.spoken) == parts
    assert set(states(job).values()) == {StepState.DONE}
    assert [step.name for step in job.steps] == ["speak", *(f"speak#{number + 1}" for number in range(parts))]
    joins = [attempt for attempt in job.attempts_of("speak") if attempt.state is AttemptState.SUCCEEDED]
    assert [(attempt.target, attempt.cost) for attempt in joins] == [(JOIN, 0)]


async def test_a_long_text_is_spoken_in_parts_and_joined(at_work, openai):
    text = text_of(6)
    async with at_work() as engine:
        job = await ended(engine, await speak(engine, text))
        assert_spoken(openai, job, text, 6)
        whole = await openai.file(job.outputs["audio_url"])
        parts = [await openai.file(step.output["audio_url"]) for step in job.parts_of("speak")]
        expected = float(sum(map(audio_seconds, parts))) + 5 * 0.25
        assert float(audio_seconds(whole)) == pytest.approx(expected, abs=0.05)
        assert max(len(passage) for passage in openai.spoken) <= 4096
        events = await engine._queries.events(DEFAULT_ORGANIZATION, job.id, after=0, limit=99)
        divided = [event.event.data for event in events if event.event.type == "step-divided"]
        assert divided == [{"step": "speak", "parts": 6}]
        assert [event.seq for event in events] == list(range(1, len(events) + 1))


async def test_a_text_that_fits_is_one_call(at_work, openai):
    async with at_work() as engine:
        job = await ended(engine, await speak(engine, text_of(1)))
        assert (job.status, len(job.steps), len(job.attempts)) == (JobStatus.COMPLETED, 1, 1)


async def test_parts_cost_a_decision_each_and_a_few_more(at_work, openai):
    counting = []

    def wrap(ledger):
        counting.append(Dying(ledger, 10**6))
        return counting[-1]

    async with at_work(wrap=wrap) as engine:
        await ended(engine, await speak(engine, text_of(8)))
        assert 10**6 - counting[0].left <= 8 + 4


async def test_at_most_four_parts_are_under_way_at_once(at_work, openai):
    async with at_work() as engine:
        job = await speak(engine, text_of(8, "[fault:hang]"))
        await until(lambda: len(openai.spoken) == 8)
        job = await engine.job(DEFAULT_ORGANIZATION, job.id)
        assert sum(state is StepState.RUNNING for state in states(job).values()) <= 5
        await engine.cancel(DEFAULT_ORGANIZATION, job.id)
        await ended(engine, job)


@pytest.mark.parametrize("decisions", range(9))
async def test_a_death_at_any_moment_loses_nothing_and_pays_nothing_twice(at_work, openai, decisions):
    text = text_of(3)
    dying = []

    def wrap(ledger):
        dying.append(Dying(ledger, decisions))
        return dying[-1]

    async with at_work(wrap=wrap) as engine:
        job = await speak(engine, text)
        ending = asyncio.create_task(ended(engine, job))
        await asyncio.wait({ending, asyncio.create_task(dying[0].dead.wait())}, return_when="FIRST_COMPLETED")
        ending.cancel()
    async with at_work() as engine:
        job = await ended(engine, job)
        assert_spoken(openai, job, text, 3)


@pytest.mark.parametrize("decisions", range(10))
async def test_the_same_of_a_recording(at_work, openai, decisions):
    url = await openai.given(recording(7))
    dying = []

    def wrap(ledger):
        dying.append(Dying(ledger, decisions))
        return dying[-1]

    async with at_work(wrap=wrap) as engine:
        job = await submit(engine, "speech_to_text", {"audio_url": url})
        ending = asyncio.create_task(ended(engine, job))
        await asyncio.wait({ending, asyncio.create_task(dying[0].dead.wait())}, return_when="FIRST_COMPLETED")
        ending.cancel()
    async with at_work() as engine:
        job = await ended(engine, job)
        assert job.status is JobStatus.COMPLETED, job.failure
        parts = len(job.parts_of("transcribe"))
        assert parts >= 4
        assert len(openai.server.charges) == parts == len({charge.prompt for charge in openai.server.charges})
        assert job.outputs["text"] == " ".join(["What was said."] * parts)


class Losing(Dying):
    """A ledger whose process is taken for dead just before it divides a step: only its evidence is written."""

    async def decide(self, decision):
        if decision.change.parts and not self.dead.is_set():
            self.dead.set()
            decision = replace(decision, fence=replace(decision.fence, epoch=-1))
        await self._ledger.decide(decision)


async def test_a_cut_of_who_has_lost_the_job_is_used_by_the_next(at_work, openai):
    url = await openai.given(recording(5))
    losing = []

    def wrap(ledger):
        losing.append(Losing(ledger, 0))
        return losing[-1]

    async with at_work(wrap=wrap) as engine:
        job = await submit(engine, "speech_to_text", {"audio_url": url})
        async with asyncio.timeout(20):
            await losing[0].dead.wait()
    async with at_work() as engine:
        job = await ended(engine, job)
        assert job.status is JobStatus.COMPLETED, job.failure
        assert [attempt.target for attempt in job.attempts_of("transcribe")].count(CUT) == 1
        assert len(openai.server.charges) == len(job.parts_of("transcribe")) > 2


async def test_stops_again_and_again_pay_nothing_twice(at_work, openai):
    text = text_of(9)
    async with at_work(SETTINGS) as engine:
        job = await speak(engine, text)
    while job.status is not JobStatus.COMPLETED:
        async with at_work(SETTINGS) as engine:
            asked = len(openai.spoken)
            await until(lambda asked=asked: len(openai.spoken) > asked or asked == 9)
            job = await ended(engine, job) if asked == 9 else await engine.job(DEFAULT_ORGANIZATION, job.id)
    assert_spoken(openai, job, text, 9)


async def test_a_part_that_fails_for_good_fails_the_step_and_a_retry_pays_the_rest_only(at_work, openai):
    text = text_of(6, "[fault:refused:1]")
    async with at_work() as engine:
        job = await ended(engine, await speak(engine, text))
        assert (job.status, job.failure.code) == (JobStatus.FAILED, "provider-rejected")
        found = states(job)
        assert (found["speak"], found["speak#2"]) == (StepState.FAILED, StepState.FAILED)
        assert {StepState.DONE, StepState.SKIPPED} >= {found[f"speak#{number}"] for number in (1, 3, 4, 5, 6)}
        paid = len(openai.spoken)
        assert paid == sum(state is StepState.DONE for state in found.values()) < 6
        await engine.retry(DEFAULT_ORGANIZATION, job.id)
        job = await ended(engine, await engine.job(DEFAULT_ORGANIZATION, job.id))
        assert_spoken(openai, job, text, 6)


async def test_a_part_that_fails_safely_is_tried_again_by_itself(at_work, openai):
    text = text_of(3, "[fault:unavailable:2]")
    async with at_work() as engine:
        job = await ended(engine, await speak(engine, text))
        assert_spoken(openai, job, text, 3)
        assert len(job.attempts_of("speak#2")) == 3


async def test_a_part_of_unknown_outcome_is_not_sent_again(at_work, openai):
    text = text_of(3, "[fault:charged-reset:1]")
    async with at_work() as engine:
        job = await ended(engine, await speak(engine, text))
        assert (job.status, len(openai.spoken)) == (JobStatus.FAILED, 3)
        assert job.attempts_of("speak#2")[0].state is AttemptState.UNKNOWN
        await engine.retry(DEFAULT_ORGANIZATION, job.id, resend=True)
        job = await ended(engine, await engine.job(DEFAULT_ORGANIZATION, job.id))
        assert job.status is JobStatus.COMPLETED
        assert len(openai.spoken) == 4  # the one that somebody has accepted to pay twice


async def test_a_cancel_stops_the_parts_and_a_retry_goes_on(at_work, openai):
    text = text_of(9, "[fault:hang:1]")
    async with at_work() as engine:
        job = await speak(engine, text)
        await until(lambda: any("[fault:hang" in prompt for prompt in openai.spoken))
        await engine.cancel(DEFAULT_ORGANIZATION, job.id)
        job = await ended(engine, job)
        assert job.status is JobStatus.CANCELED
        assert StepState.RUNNING not in states(job).values()
        await engine.retry(DEFAULT_ORGANIZATION, job.id, resend=True)
        job = await ended(engine, await engine.job(DEFAULT_ORGANIZATION, job.id))
        assert job.status is JobStatus.COMPLETED
        in_doubt = {one.step for one in job.attempts if one.state is AttemptState.UNKNOWN}
        accepted = {job.step(name).part.input["text"] for name in in_doubt}
        assert {prompt for prompt in openai.spoken if openai.spoken.count(prompt) > 1} <= accepted
        assert len(accepted) <= 4
        assert len(set(openai.spoken)) == 9


async def test_a_failed_part_is_waited_for_in_peace(at_work, openai, monkeypatch):
    rounds = []
    original = JobRun._next

    async def count(self):
        rounds.append(self)
        await original(self)

    monkeypatch.setattr(JobRun, "_next", count)
    plan = pipeline(
        {"name": "say", "capability": "speech", "input": {"text": "${inputs.text}"}, "on_error": "continue"},
        outputs={"audio_url": "${steps.say.audio_url}"},
    )
    text = text_of(9, "[fault:refused]").replace("number 1,", "number 1, [fault:hang]")
    async with at_work(pipelines={"trial": contract_of(plan)}) as engine:
        job = await submit(engine, "trial", {"text": text})
        await until(lambda: any("[fault:hang]" in prompt for prompt in openai.spoken))
        await asyncio.sleep(0.5)
        assert len(rounds) < 30
        assert (await engine.job(DEFAULT_ORGANIZATION, job.id)).step("say").state is StepState.FAILED
        await engine.cancel(DEFAULT_ORGANIZATION, job.id)
        await ended(engine, job)


async def test_a_step_that_may_fail_goes_without_its_parts(at_work, openai):
    plan = pipeline(
        {"name": "say", "capability": "speech", "input": {"text": "${inputs.text}"}, "on_error": "continue"},
        outputs={"audio_url": "${steps.say.audio_url}"},
    )
    async with at_work(pipelines={"trial": contract_of(plan)}) as engine:
        job = await ended(engine, await submit(engine, "trial", {"text": text_of(9, "[fault:refused]")}))
        assert (job.status, job.outputs) == (JobStatus.COMPLETED, {})
        assert job.step("say").state is StepState.FAILED
        assert {StepState.WAITING, StepState.RUNNING}.isdisjoint(states(job).values())
        assert len(openai.spoken) < 8


async def test_a_limit_of_cost_counts_parts(at_work, openai):
    price = Price({Unit.CHARACTERS: Decimal("0.00001")})
    text = text_of(6)
    async with at_work(prices=SetPrices(openai=price)) as engine:
        order = {"max_cost": Money.from_dollars(Decimal("0.25"))}
        job = await ended(engine, await speak(engine, text, order))
        assert_spoken(openai, job, text, 6)
        assert sum(attempt.cost for attempt in job.attempts) == sum(len(one) * 10 for one in openai.spoken)
        with pytest.raises(TooExpensive):
            await speak(engine, text, {"max_cost": Money.from_dollars(Decimal("0.2"))})


async def test_parts_that_cost_more_than_was_thought_end_at_the_limit(at_work, openai):
    openai.server.tells_cost = True  # $0.00123 each
    cheap = Price({Unit.CHARACTERS: Decimal("0.00000001")})
    async with at_work(prices=SetPrices(openai=cheap)) as engine:
        order = {"max_cost": Money.from_dollars(Decimal("0.002"))}
        job = await ended(engine, await speak(engine, text_of(9), order))
        assert (job.status, job.failure.code) == (JobStatus.FAILED, "max-cost-reached")
        assert 2 <= len(openai.spoken) <= 5  # those that were under way together
        assert set(states(job).values()) == {StepState.DONE, StepState.FAILED, StepState.SKIPPED}


async def test_a_recording_that_costs_too_much_is_not_begun(at_work, openai, monkeypatch):
    monkeypatch.setattr("genesis.engine.assumptions.RECORDING_SECONDS", 3)  # that is what is thought at first
    url = await openai.given(recording(5))
    order = ("speech_to_text", {"audio_url": url})
    async with at_work(prices=SetPrices(openai=Price({Unit.AUDIO_SECONDS: Decimal("0.01")}))) as engine:
        job = await submit(engine, *order, {"max_cost": Money(40_000)}, model="openai:whisper-1")
        job = await ended(engine, job)
        assert (job.status, job.failure.code) == (JobStatus.FAILED, "max-cost-reached")
        assert "3 parts are expected to cost $0.05" in job.failure.message
        assert openai.server.charges == []
        job = await submit(engine, *order, {"max_cost": Money(60_000)}, model="openai:whisper-1")
        job = await ended(engine, job)
        assert job.status is JobStatus.COMPLETED, job.failure
        assert len(openai.server.charges) == 3


async def test_a_text_of_too_many_parts_is_refused_in_words(at_work, openai, monkeypatch):
    monkeypatch.setattr("genesis.engine.parts.MOST_PARTS", 2)
    async with at_work() as engine:
        job = await ended(engine, await speak(engine, text_of(3)))
        assert (job.status, job.failure.code) == (JobStatus.FAILED, "input-too-long")
        assert "3 calls of 4,096 characters" in job.failure.message
        assert openai.spoken == []


async def test_a_long_recording_is_cut_and_its_times_are_those_of_the_whole(at_work, openai):
    url = await openai.given(recording(5))
    async with at_work() as engine:
        options = {"model": "openai:whisper-1", "subtitles": "srt"}
        job = await ended(engine, await submit(engine, "speech_to_text", {"audio_url": url}, **options))
        assert job.status is JobStatus.COMPLETED, job.failure
        parts = job.parts_of("transcribe")
        assert parts[0].part.start == 0.0
        assert [one.part.end for one in parts[:-1]] == [one.part.start for one in parts[1:]]
        assert parts[-1].part.end == pytest.approx(5.0)
        assert all(one.part.end - one.part.start <= 2.0 for one in parts)
        cues = [line.split(" --> ")[0] for line in job.outputs["subtitles"].splitlines() if "-->" in line]
        assert cues == [f"00:00:{one.part.start:06.3f}".replace(".", ",") for one in parts]
        targets = [(attempt.target, attempt.state) for attempt in job.attempts_of("transcribe")]
        assert targets == [
            ("openai:whisper-1", AttemptState.NOT_SENT),
            (CUT, AttemptState.SUCCEEDED),
        ]


async def test_callers_cannot_ask_for_what_the_platform_does_itself(at_work, openai):
    async with at_work() as engine:
        for model in (JOIN, CUT):
            with pytest.raises(UnknownModel):
                await speak(engine, "hello", model=model)
        assert "genesis" not in {provider.name for provider in engine.directory.known["speech"].providers}
