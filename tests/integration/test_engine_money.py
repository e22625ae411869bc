"""What jobs cost, and that they keep within what they may cost: the engine on both databases."""

from decimal import Decimal

import pytest

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.attempt import AttemptState, ProviderClass
from genesis.domain.job import JobStatus, OnAmbiguous
from genesis.domain.money import Money
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.price import CostSource
from genesis.domain.quantity import Unit
from genesis.domain.step import StepState
from genesis.engine.order import Order
from genesis.errors import InvalidRequest, ProviderAmbiguous, ProviderRateLimited, TooExpensive, UnknownPrice
from genesis.pipelines.contract import contract_of
from genesis.ports.workers import CallResult
from tests.support.engine import ended, failing, submit, until
from tests.support.jobs import pipeline, text_step
from tests.support.prices import TEXT_PRICE, SetPrices
from tests.support.workers import ScriptedWorkers, described

PRICES = SetPrices(one=TEXT_PRICE)
TOKENS = {Unit.INPUT_TOKENS: Decimal(100), Unit.OUTPUT_TOKENS: Decimal(200)}
TWO = pipeline(
    text_step("a", options={"max_tokens": 100}), text_step("b", "${steps.a.text}", options={"max_tokens": 100})
)
CHAIN = {"trial": contract_of(TWO)}


def used(cost=None, quantities=TOKENS):
    """Answers what has cost so much."""

    async def script(call):
        output = {CAPABILITIES[call.capability].output_field: "out"}
        return CallResult(output, call.options["model"], None if cost is None else Money(cost), quantities=quantities)

    return script


async def test_costs_come_from_the_provider_then_from_prices(engine_on):
    async with engine_on(ScriptedWorkers(used()), prices=PRICES) as engine:
        job = await ended(engine, await submit(engine))
        (attempt,) = job.attempts
        assert (attempt.cost, attempt.cost_source, attempt.quantities) == (500, CostSource.OPERATOR, TOKENS)
    async with engine_on(ScriptedWorkers(used(7)), prices=PRICES) as engine:
        job = await ended(engine, await submit(engine))
        assert (job.attempts[0].cost, job.attempts[0].cost_source) == (7, CostSource.PROVIDER)
    async with engine_on(ScriptedWorkers(used()), prices=SetPrices()) as engine:
        job = await ended(engine, await submit(engine))
        assert (job.attempts[0].cost, job.attempts[0].cost_source) == (None, None)


async def test_a_refusal_costs_nothing_and_a_doubt_is_unknown(engine_on):
    refused = ScriptedWorkers(failing(ProviderRateLimited("Slowly.")))
    async with engine_on(refused, prices=PRICES) as engine:
        job = await ended(engine, await submit(engine))
        assert [attempt.cost for attempt in job.attempts] == [0, None]
        assert job.attempts[0].cost_source is CostSource.PROVIDER
    for error, cost in ((ProviderAmbiguous("Hm."), None), (ProviderAmbiguous("Hm.", cost=9), 9)):
        async with engine_on(ScriptedWorkers(failing(error)), prices=PRICES) as engine:
            job = await ended(engine, await submit(engine))
            assert (job.attempts[0].state, job.attempts[0].cost) == (AttemptState.UNKNOWN, cost)


async def test_a_job_stops_between_steps_when_the_next_may_cost_too_much(engine_on):
    workers = ScriptedWorkers(used(900))
    async with engine_on(workers, prices=PRICES, pipelines=CHAIN) as engine:
        job = await ended(engine, await submit(engine, "trial", order={"max_cost": Money(1_000)}))
        first, second = job.steps
        assert (job.status, first.state, second.state) == (JobStatus.FAILED, StepState.DONE, StepState.FAILED)
        assert job.failure.code == second.failure.code == "max-cost-reached"
        assert "$0.0009 have been spent" in job.failure.message
        assert "max_cost of $0.001" in job.failure.message
        assert len(workers.calls) == len(job.attempts) == 1
        assert job.max_cost == 1_000


async def test_a_job_stops_between_attempts_when_the_last_was_charged(engine_on):
    workers = ScriptedWorkers(failing(ProviderAmbiguous("Hm.", cost=900)))
    order = {"max_cost": Money(1_000), "on_ambiguous": OnAmbiguous.RESEND}
    async with engine_on(workers, prices=PRICES, pipelines=CHAIN) as engine:
        job = await ended(engine, await submit(engine, "trial", order=order))
        assert (job.failure.code, len(workers.calls)) == ("max-cost-reached", 1)


async def test_an_attempt_of_unknown_cost_counts_with_its_estimate(engine_on):
    workers = ScriptedWorkers(failing(*(ProviderAmbiguous("Hm.") for _ in range(3))))
    order = {"max_cost": Money(600), "on_ambiguous": OnAmbiguous.RESEND}  # each attempt is expected to cost 209
    async with engine_on(workers, prices=PRICES, pipelines=CHAIN) as engine:
        job = await ended(engine, await submit(engine, "trial", order=order))
        assert (job.failure.code, len(workers.calls)) == ("max-cost-reached", 2)
        assert "estimated" in job.failure.message


async def test_a_job_that_keeps_within_its_limit_is_done(engine_on):
    workers = ScriptedWorkers(used(400))
    async with engine_on(workers, prices=PRICES, pipelines=CHAIN) as engine:
        job = await ended(engine, await submit(engine, "trial", order={"max_cost": Money(1_000)}))
        assert (job.status, sum(attempt.cost for attempt in job.attempts)) == (JobStatus.COMPLETED, 800)


async def test_what_costs_too_much_is_not_accepted(engine_on):
    workers = ScriptedWorkers(used())
    async with engine_on(workers, prices=PRICES, pipelines=CHAIN) as engine:
        with pytest.raises(TooExpensive):
            await submit(engine, "trial", order={"max_cost": Money(100)})
        assert (await engine.jobs(DEFAULT_ORGANIZATION, limit=9)).jobs == []
    assert workers.calls == []


async def test_what_costs_nobody_knows_what_is_not_accepted_under_a_limit(engine_on):
    workers = ScriptedWorkers(used())
    async with engine_on(workers, prices=SetPrices(), pipelines=CHAIN) as engine:
        with pytest.raises(UnknownPrice):
            await submit(engine, "trial", order={"max_cost": Money(10**9)})
        assert (await engine.jobs(DEFAULT_ORGANIZATION, limit=9)).jobs == []
        job = await ended(engine, await submit(engine, "trial"))
        assert job.status is JobStatus.COMPLETED


async def test_the_next_of_the_chain_without_a_price_is_not_asked_under_a_limit(engine_on):
    async def down(call):
        raise ProviderRateLimited("Slowly.")

    workers = ScriptedWorkers(down, (described("one"), described("two")))
    async with engine_on(workers, prices=PRICES, pipelines=CHAIN) as engine:
        job = await ended(engine, await submit(engine, "trial", order={"max_cost": Money(10_000)}))
        assert job.failure.code == "unknown-price"
        assert {call.options["model"] for call in workers.calls} == {"one:m"}


async def test_free_providers_are_asked_whatever_the_limit(engine_on):
    free = ScriptedWorkers(used(), (described("local", ProviderClass.REPEATABLE),))
    async with engine_on(free, prices=SetPrices(), pipelines=CHAIN) as engine:
        job = await ended(engine, await submit(engine, "trial", order={"max_cost": Money(0)}))
        assert job.status is JobStatus.COMPLETED
        assert [attempt.cost for attempt in job.attempts] == [0, 0]


async def test_all_jobs_of_a_batch_are_checked(engine_on):
    cheap, dear = (Order("trial", {"text": "hi"}, {}, max_cost=Money(cost)) for cost in (5_000, 5))
    async with engine_on(ScriptedWorkers(used()), prices=PRICES, pipelines=CHAIN) as engine:
        with pytest.raises(InvalidRequest) as refused:
            await engine.submit_batch(DEFAULT_ORGANIZATION, [cheap, dear])
        assert [error.field for error in refused.value.errors] == ["jobs.1"]


async def test_a_retry_does_not_forget_what_was_spent(engine_on):
    workers = ScriptedWorkers(used(900))
    async with engine_on(workers, prices=PRICES, pipelines=CHAIN) as engine:
        job = await ended(engine, await submit(engine, "trial", order={"max_cost": Money(1_000)}))
        await engine.retry(DEFAULT_ORGANIZATION, job.id)
        job = await ended(engine, await engine.job(DEFAULT_ORGANIZATION, job.id))
        assert (job.failure.code, len(workers.calls)) == ("max-cost-reached", 1)


class CountingPrices(SetPrices):
    """Counts how often they are read."""

    loaded = 0

    def load(self):
        self.loaded += 1


async def test_prices_are_read_once_somebody_charges_and_never_else(engine_on):
    prices = CountingPrices()
    free = ScriptedWorkers(used(), (described("local", ProviderClass.REPEATABLE),))
    async with engine_on(free, prices=prices) as engine:
        await until(lambda: engine.directory.known.keys() == CAPABILITIES.keys())
        await ended(engine, await submit(engine))
    assert prices.loaded == 0
    async with engine_on(ScriptedWorkers(used()), prices=prices) as engine:
        await until(lambda: engine.directory.known.keys() == CAPABILITIES.keys())
        await until(lambda: prices.loaded)
    assert prices.loaded == 1
