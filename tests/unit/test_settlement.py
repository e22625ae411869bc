from dataclasses import replace
from decimal import Decimal

import pytest

from genesis.domain.attempt import Attempt, AttemptState, ProviderClass
from genesis.domain.failure import INTERRUPTED, Failure
from genesis.domain.money import Money
from genesis.domain.price import CostSource, Price
from genesis.domain.quantity import Unit
from genesis.engine.settlement import best_price, billed
from genesis.errors import NothingSaid, ProviderAmbiguous, ProviderRejected, ProviderUnavailable
from tests.support.prices import TEXT_PRICE, SetPrices

USED = {Unit.INPUT_TOKENS: Decimal(10), Unit.OUTPUT_TOKENS: Decimal(20)}
PRICES = SetPrices(one=TEXT_PRICE)


def attempt(state=AttemptState.SUCCEEDED, provider_class=ProviderClass.OPAQUE, **more):
    return Attempt("id", "a", 1, "key", "one:m", provider_class, 1, state, **more)


def cost_and_source(given, prices=PRICES, asked="one:m"):
    made = billed(given, "text", asked, prices)
    assert (made.cost is None) is (made.cost_source is None)
    return made.cost, made.cost_source


def test_what_the_provider_reported_goes_first():
    assert cost_and_source(attempt(cost=Money(7), quantities=USED)) == (7, CostSource.PROVIDER)
    assert cost_and_source(attempt(cost=Money(0), quantities=USED)) == (0, CostSource.PROVIDER)


def test_else_its_price_counts():
    assert cost_and_source(attempt(quantities=USED)) == (50, CostSource.OPERATOR)
    shipped = SetPrices(CostSource.CATALOG, one=TEXT_PRICE)
    assert cost_and_source(attempt(quantities=USED), shipped) == (50, CostSource.CATALOG)


@pytest.mark.parametrize(
    ("given", "prices"),
    [
        (attempt(quantities=USED), SetPrices()),
        (attempt(quantities={Unit.IMAGES: Decimal(1)}), PRICES),
        (attempt(), PRICES),
    ],
)
def test_what_nobody_knows_is_unknown_and_not_zero(given, prices):
    assert cost_and_source(given, prices) == (None, None)


@pytest.mark.parametrize("cost", [-1, 10**30])
def test_a_cost_that_cannot_be_true_is_not_believed(cost):
    assert cost_and_source(attempt(cost=Money(cost), quantities=USED)) == (50, CostSource.OPERATOR)
    assert cost_and_source(attempt(cost=Money(cost))) == (None, None)


def test_quantities_that_cannot_be_written_are_left_out():
    wrong = {Unit.INPUT_TOKENS: Decimal("1e999"), Unit.IMAGES: Decimal(1), Unit.CHARACTERS: Decimal("1e-400")}
    wrong |= {
        Unit.MEGAPIXELS: Decimal("NaN"),
        Unit.AUDIO_SECONDS: Decimal(-1),
        Unit.OUTPUT_TOKENS: Decimal("0." + "1" * 99),
    }
    assert billed(attempt(quantities=wrong), "text", "one:m", PRICES).quantities == {Unit.IMAGES: Decimal(1)}


def test_the_model_that_was_asked_stands_in_for_the_one_that_served():
    served = replace(attempt(quantities=USED), target="two:m-2026")
    assert cost_and_source(served, asked="one:m") == (50, CostSource.OPERATOR)


def test_the_operators_word_for_either_name_goes_before_the_catalogs():
    class Both:
        def price(self, capability, target):
            source = CostSource.OPERATOR if target == "one:asked" else CostSource.CATALOG
            return Price({Unit.IMAGES: Decimal(1)}), source

        def load(self):
            """Nothing."""

    assert best_price("image", ("one:served", "one:asked"), Both())[1] is CostSource.OPERATOR


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ProviderUnavailable("x"), (0, CostSource.PROVIDER)),
        (ProviderRejected("x"), (None, None)),
        (ProviderAmbiguous("x"), (None, None)),
    ],
)
def test_only_a_refusal_before_any_work_is_known_to_cost_nothing(error, expected):
    assert cost_and_source(attempt(AttemptState.FAILED, failure=Failure.of(error))) == expected


def test_a_recording_in_which_nobody_speaks_is_listened_to_all_the_same():
    prices = SetPrices(one=Price({Unit.AUDIO_SECONDS: Decimal("0.0001")}))
    silent = attempt(AttemptState.FAILED, failure=Failure.of(NothingSaid("x")))
    heard = replace(silent, quantities={Unit.AUDIO_SECONDS: Decimal(600)})
    assert cost_and_source(heard, prices) == (60_000, CostSource.OPERATOR)
    assert cost_and_source(silent, prices) == (None, None)


@pytest.mark.parametrize("state", [AttemptState.PENDING, AttemptState.UNKNOWN, AttemptState.NOT_SENT])
def test_what_has_not_ended_has_no_cost(state):
    assert cost_and_source(attempt(state, quantities=USED)) == (None, None)


def test_free_providers_cost_nothing():
    free = ProviderClass.REPEATABLE
    assert cost_and_source(attempt(provider_class=free), SetPrices()) == (0, CostSource.CATALOG)
    interrupted = attempt(AttemptState.FAILED, free, failure=INTERRUPTED)
    assert cost_and_source(interrupted, SetPrices()) == (0, CostSource.CATALOG)
