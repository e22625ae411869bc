from dataclasses import replace

import pytest

from genesis.domain.attempt import Attempt, AttemptState, ProviderClass
from genesis.domain.failure import INTERRUPTED, Failure
from genesis.engine.chain import Limits, Target, next_target, targets
from genesis.engine.retry import RetryPolicy
from genesis.errors import (
    FailureClass,
    ModelLoading,
    NoProvider,
    ProviderMisconfigured,
    ProviderUnavailable,
    UnknownModel,
)
from genesis.ports.workers import Link, ProviderDescription, WorkerDescription
from tests.support.workers import default_links

A = Target("one:a", ProviderClass.OPAQUE)
B = Target("two:b", ProviderClass.REPEATABLE)
UNAVAILABLE = Failure.of(ProviderUnavailable("Down."))
LOADING = Failure.of(ModelLoading("It is loading."))


def provider(name, *, configured=True, any_model=False, models=("m", "n")):
    return ProviderDescription(
        name, configured, "" if configured else "SOME_KEY is not set", models, any_model, ProviderClass.OPAQUE, 4
    )


def worker(*providers):
    return WorkerDescription("llm", "text", providers, default_links(providers))


def attempt(target=A, state=AttemptState.FAILED, failure=UNAVAILABLE, **more):
    given = Attempt("id", "step", 1, "key", target.name, target.provider_class, 0, state, failure=failure)
    return replace(given, **more)


def test_the_chain_is_every_configured_default():
    described = worker(provider("one"), provider("off", configured=False), provider("two"))
    assert [target.name for target in targets(described, None, "draw")] == ["one:m", "two:m"]


def shared(*links):
    names = dict.fromkeys(link.provider for link in links)
    return WorkerDescription("llm", "text", tuple(provider(name) for name in names), links)


def test_those_of_a_group_share_the_load_by_their_weights_and_stand_in_for_each_other():
    described = shared(Link("one:a", 0, 3), Link("two:b", 0, 1), Link("three:c", 1))
    draws = [[target.name for target in targets(described, None, str(number))] for number in range(4_000)]
    assert all(set(drawn[:2]) == {"one:a", "two:b"} and drawn[2] == "three:c" for drawn in draws)
    share = sum(drawn[0] == "one:a" for drawn in draws) / len(draws)
    assert 0.70 < share < 0.80


def test_a_draw_is_always_alike():
    described = shared(*(Link(f"one:{name}", 0) for name in "abcdefgh"))
    assert targets(described, None, "job/step/0") == targets(described, None, "job/step/0")
    assert len({targets(described, None, f"job/{number}") for number in range(20)}) > 10


def test_links_of_providers_that_cannot_be_called_are_left_out():
    off = provider("off", configured=False)
    described = WorkerDescription("llm", "text", (off, provider("on")), (Link("off:a", 0), Link("on:b", 1)))
    assert [target.name for target in targets(described, None, "draw")] == ["on:b"]
    assert [one.name for one in described.first] == ["on"]


def test_a_step_has_a_budget_of_attempts_over_all_its_models():
    attempts = (attempt(), attempt(), attempt(B))
    assert next_target((A, B), attempts, Limits(3, 4)) == A
    assert next_target((A, B), attempts, Limits(3, 3)) is None
    untried = Target("three:c", ProviderClass.OPAQUE)
    assert next_target((A, B, untried), attempts, Limits(3, 3)) == untried


def test_a_named_model_stands_alone():
    assert [target.name for target in targets(worker(provider("one"), provider("two")), "two:n", "draw")] == ["two:n"]


@pytest.mark.parametrize("model", ["three:m", "off:m", "one:zzz"])
def test_an_impossible_model_is_refused_with_a_way_out(model):
    described = worker(provider("one"), provider("off", configured=False))
    with pytest.raises(UnknownModel) as caught:
        targets(described, model, "draw")
    assert caught.value.hint


def test_open_providers_take_any_name():
    assert targets(worker(provider("one", any_model=True)), "one:maker/x:free", "draw")[0].name == "one:maker/x:free"


def test_without_a_provider_the_missing_settings_are_told():
    with pytest.raises(NoProvider) as caught:
        targets(worker(provider("off", configured=False)), None, "draw")
    assert "SOME_KEY" in caught.value.hint


def test_a_target_is_tried_until_its_attempts_are_used_up_then_the_next():
    assert next_target((A, B), (), Limits(2, 99)) == A
    assert next_target((A, B), (attempt(),), Limits(2, 99)) == A
    assert next_target((A, B), (attempt(), attempt()), Limits(2, 99)) == B
    assert next_target((A, B), (attempt(), attempt(), attempt(B), attempt(B)), Limits(2, 99)) is None


def test_a_wrong_key_leads_to_the_next_provider_at_once():
    wrong_key = attempt(failure=Failure.of(ProviderMisconfigured("Wrong key.")))
    assert next_target((A, B), (wrong_key,), Limits(3, 99)) == B
    assert next_target((A,), (wrong_key,), Limits(3, 99)) is None


def test_what_never_reached_a_provider_costs_no_attempt():
    attempts = tuple(attempt(state=AttemptState.NOT_SENT) for _ in range(9))
    interrupted = tuple(attempt(failure=INTERRUPTED) for _ in range(9))
    assert next_target((A,), attempts + interrupted, Limits(1, 99)) == A


def loading(*seconds, target=A):
    return tuple(attempt(target, failure=LOADING, settled_at=second * 1000) for second in seconds)


def test_a_model_that_is_being_loaded_is_waited_for_where_there_is_no_other():
    waits = loading(*range(1, 280, 20))
    assert next_target((A,), waits, Limits(3, 8)) == A
    assert next_target((A,), (*waits, *loading(301)), Limits(3, 8)) is None
    assert next_target((A, B), waits[:2], Limits(3, 8)) == A
    assert next_target((A, B), waits[:3], Limits(3, 8)) == B
    tried = (*waits[:3], *(attempt(B, settled_at=70_000) for _ in range(3)))
    assert next_target((A, B), tried, Limits(3, 8)) == A


def test_other_failures_of_a_model_that_was_being_loaded_count():
    failed = tuple(attempt(settled_at=30_000) for _ in range(2))
    assert next_target((A,), (*loading(1, 2, 3), *failed), Limits(3, 8)) == A
    assert next_target((A,), (*loading(1, 2, 3), *failed, attempt(settled_at=40_000)), Limits(3, 8)) is None
    wrong_key = attempt(failure=Failure.of(ProviderMisconfigured("Wrong key.")), settled_at=9_000)
    assert next_target((A,), (*loading(1, 2, 3), wrong_key), Limits(3, 8)) is None


def test_a_call_that_may_have_been_paid_uses_up_an_attempt():
    unknown = attempt(state=AttemptState.UNKNOWN)
    assert next_target((A,), (unknown,), Limits(2, 99)) == A
    assert next_target((A,), (unknown, unknown), Limits(2, 99)) is None


def test_pauses_grow_and_stay_under_the_cap():
    policy = RetryPolicy(Limits(9, 99), 1.0, 8.0, 300.0)
    for row, longest in ((1, 1), (2, 2), (3, 4), (4, 8), (5, 8), (40, 8)):
        pauses = [policy.pause([attempt()] * row, A.name) for _ in range(50)]
        assert longest / 2 <= min(pauses) <= max(pauses) <= longest


def test_what_the_provider_asks_for_is_obeyed():
    assert RetryPolicy(Limits(3, 99), 0.1, 1.0, 300.0).pause([attempt(retry_after=60.0)], A.name) == 60.0


def test_who_asks_to_wait_for_long_is_left_for_another_model():
    limits, waits = Limits(3, 9, 30.0), attempt(retry_after=3600.0, settled_at=10_000)
    assert next_target((A, B), (waits,), limits) == B
    assert next_target((A, B), (attempt(retry_after=20.0),), limits) == A
    assert next_target((A,), (waits,), limits) == A
    attempts = (waits, attempt(B, settled_at=610_000))
    assert next_target((A, B), (*attempts, attempt(B), attempt(B)), limits) == A
    policy = RetryPolicy(limits, 0.1, 30.0, 300.0)
    assert policy.pause(attempts, B.name) < 1
    assert policy.pause(attempts, A.name) == 3000.0


def test_a_model_that_rests_is_waited_for_rather_than_one_that_asked_to_be_left_alone():
    limits, waits = Limits(3, 9, 30.0), attempt(retry_after=3600.0)
    assert next_target((A, B), (waits, attempt(B)), limits, lambda name: name == B.name) == B
    assert next_target((A, B), (waits, attempt(B, retry_after=60.0)), limits, lambda name: name == A.name) == B


def test_a_wait_is_bounded_by_what_may_have_been_waited_for():
    policy = RetryPolicy(9, 1.0, 90.0, 300.0)
    assert policy.longest_wait([]) == 90.0
    assert policy.longest_wait([attempt(retry_after=120.0), attempt()]) == 120.0
    assert RetryPolicy(9, 1.0, 5.0, 300.0).longest_wait([attempt()]) == 60.0  # a model that rests


def test_another_target_starts_with_a_short_pause():
    assert RetryPolicy(Limits(9, 99), 1.0, 64.0, 300.0).pause([attempt(A)] * 6 + [attempt(B)], B.name) <= 1.0


def test_failures_know_their_class():
    assert UNAVAILABLE.kind is FailureClass.SAFE
