from dataclasses import replace

from genesis.domain.attempt import Attempt, AttemptState, ProviderClass
from genesis.domain.failure import Failure
from genesis.engine.breaker import Breakers
from genesis.engine.chain import Limits
from genesis.engine.choice import Chosen, Later, choose, intend
from genesis.engine.retry import RetryPolicy
from genesis.errors import ProviderUnavailable
from genesis.ports.workers import ProviderDescription, WorkerDescription
from tests.support.jobs import job_of, pipeline, text_step
from tests.support.prices import SetPrices
from tests.support.workers import default_links

POLICY = RetryPolicy(Limits(3, 9), 0.5, 30.0, 300.0)
DOWN = ProviderUnavailable("Down.")


def worker(*names):
    providers = tuple(ProviderDescription(name, True, "", ("m",), True, ProviderClass.OPAQUE, 4) for name in names)
    return WorkerDescription("llm", "text", providers, default_links(providers))


def chosen_of(described, breakers=None, **changes):
    job = job_of(pipeline(text_step("a")), **changes)
    breakers = breakers or Breakers(lambda: 0, lambda: 0.0)
    return choose(job, job.plan.steps[0], described, breakers, POLICY, SetPrices(), 1_000)


def test_the_first_provider_uses_the_slots_of_the_capability():
    choice = chosen_of(worker("one", "two"))
    assert isinstance(choice, Chosen)
    assert (choice.target.name, choice.lanes("text")) == ("one:m", ("text",))


def test_a_missing_worker_is_waited_for():
    assert chosen_of(None) == Later(2_000)


def test_a_model_that_keeps_failing_is_passed_over():
    breakers = Breakers(lambda: 0, lambda: 0.0)
    for _ in range(5):
        breakers.note("text", "one:m", DOWN)
    choice = chosen_of(worker("one", "two"), breakers)
    assert isinstance(choice, Chosen)
    assert choice.lanes("text") == ("text", "text:two")
    assert chosen_of(worker("one"), breakers) == Later(30_000, "one:m")


def test_a_chain_that_nobody_is_left_in_gives_the_last_reason():
    failed = Attempt("id", "a", 1, "key", "one:m", ProviderClass.OPAQUE, 5, AttemptState.FAILED)
    attempts = tuple(replace(failed, failure=Failure.of(DOWN)) for _ in range(3))
    assert chosen_of(worker("one"), attempts=attempts) == Failure.of(DOWN)
    assert isinstance(chosen_of(worker("one"), attempts=attempts, retried_at=6), Chosen)


def test_an_intent_tells_until_when_it_may_begin_and_last():
    job = job_of(pipeline(text_step("a")))
    choice = chosen_of(worker("one"))
    change = intend(job, job.plan.steps[0], choice.target, POLICY, 1_000)
    (attempt,) = change.intents
    assert (attempt.not_after, attempt.call_deadline) == (6_000, 316_000)
    assert change.events[0].data == {"step": "a", "target": "one:m", "attempt": 1}
