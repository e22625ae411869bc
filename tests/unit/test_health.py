from genesis.engine.breaker import Breakers, BreakerState
from genesis.engine.health import Health
from genesis.errors import AttemptCanceled, ProviderUnavailable

DOWN = ProviderUnavailable("Down.")


def test_a_model_is_known_by_its_calls():
    health = Health(lambda: 7)
    health.note_success("text", "one:a", 100)
    health.note_success("text", "one:a", 200)
    health.note_failure("text", "one:a", DOWN)
    health.note_failure("image", "one:a", DOWN)
    (known,) = health.models("text").values()
    assert (known.calls, known.failures, known.latency) == (3, 1, 120)
    assert (known.last_success_at, known.last_failure_at) == (7, 7)
    assert known.last_failure is not None
    assert known.last_failure.code == "provider-unavailable"


def test_canceling_says_nothing_about_a_model():
    health = Health(lambda: 7)
    health.note_failure("text", "one:a", AttemptCanceled("Enough."))
    assert health.models("text") == {}


def test_the_models_asked_last_are_remembered():
    health = Health(lambda: 7)
    for number in range(1_100):
        health.note_success("text", "one:first", 1)
        health.note_success("text", f"one:{number}", 1)
    assert len(health.models("text")) == 1_000
    assert health.models("text")["one:first"].calls == 1_100


def test_a_breaker_tells_its_state():
    now = [0.0]
    breakers = Breakers(lambda: 0, lambda: now[0])
    for _ in range(4):
        breakers.note("text", "one:a", DOWN)
    assert breakers.state("text", "one:a") is BreakerState.CLOSED
    breakers.note("text", "one:a", DOWN)
    assert breakers.state("text", "one:a") is BreakerState.OPEN
    now[0] = 30.1
    assert breakers.state("text", "one:a") is BreakerState.TRIAL
    breakers.note("text", "one:a", None)
    assert breakers.state("text", "one:a") is BreakerState.CLOSED
