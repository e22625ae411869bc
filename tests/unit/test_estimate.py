from dataclasses import replace
from decimal import Decimal
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis.domain.attempt import Attempt, AttemptState, ProviderClass
from genesis.domain.money import Money
from genesis.domain.price import CostSource, Price
from genesis.domain.quantity import Unit
from genesis.domain.step import Part, Step
from genesis.engine.assumptions import Recording, assumed_use
from genesis.engine.budget import check_affordable, dollars, over_budget, spent
from genesis.engine.chain import Target
from genesis.engine.estimate import estimated
from genesis.errors import TooExpensive, UnknownPrice
from genesis.ports.workers import Link, WorkerDescription
from tests.support.jobs import job_of, pipeline, text_step
from tests.support.prices import IMAGE_PRICE, TEXT_PRICE, SetPrices
from tests.support.workers import default_links, described

PRICES = SetPrices(one=TEXT_PRICE, two=IMAGE_PRICE)
PAID = Target("one:m", ProviderClass.OPAQUE)
CAPABILITIES = ("text", "image", "speech", "transcription", "image_transform")


def workers(*names, provider_class=ProviderClass.OPAQUE, capabilities=CAPABILITIES):
    providers = tuple(described(name, provider_class) for name in names)
    return {name: WorkerDescription("w", name, providers, default_links(providers)) for name in capabilities}


def one_step(text="hello", **options):
    return job_of(pipeline(text_step("a", options=options)), inputs={"text": text})


def step_of(job, prices=PRICES, known=None):
    (step,) = estimated(job, workers("one") if known is None else known, prices).steps
    return step


def test_max_tokens_bounds_a_text():
    step = step_of(one_step("x" * 300, max_tokens=50))
    assert step.quantities == {Unit.INPUT_TOKENS: Decimal(108), Unit.OUTPUT_TOKENS: Decimal(50)}
    assert (step.cost, step.at_most, step.source, step.model) == (208, 408, CostSource.OPERATOR, "one:m")
    assert step.notes == ()


def test_without_max_tokens_an_answer_is_assumed_and_nothing_bounds_it():
    step = step_of(one_step("x" * 300))
    assert (step.cost, step.at_most) == (2_108, None)
    assert "1,000 tokens" in step.notes[0]


@given(st.text(max_size=400), st.text(max_size=100), st.integers(1, 10_000))
def test_what_bounds_a_cost_is_never_below_it(text, system, max_tokens):
    assumed = assumed_use("text", {"text": text}, {"system": system, "max_tokens": max_tokens})
    assert assumed.quantities[Unit.INPUT_TOKENS] <= assumed.at_most[Unit.INPUT_TOKENS]


@given(
    st.sampled_from(CAPABILITIES),
    st.text(),
    st.fixed_dictionaries(
        {},
        optional={
            "quality": st.sampled_from(["draft", "standard", "high"]),
            "aspect_ratio": st.sampled_from(["1:1", "16:9"]),
            "speed": st.floats(0.5, 2),
            "max_tokens": st.integers(1, 131_072),
            "prompt": st.text(),
            "examples": st.lists(st.fixed_dictionaries({"text": st.text(), "answer": st.text()})),
        },
    ),
)
def test_every_assumption_is_a_positive_number(capability, text, options):
    assumed = assumed_use(capability, {"text": text, "prompt": text}, options)
    assert assumed.quantities
    assert all(quantity >= 0 and quantity.is_finite() for quantity in assumed.quantities.values())


def test_what_earlier_steps_make_is_assumed():
    job = job_of("speech_to_image", inputs={"audio_url": "/storage/audio/a.wav"}, options={})
    prices = SetPrices(one=Price({Unit.AUDIO_SECONDS: Decimal("0.0001"), Unit.INPUT_TOKENS: Decimal("0.000001")}))
    transcribe, enhance, draw = estimated(job, workers("one"), prices).steps
    assert transcribe.quantities[Unit.AUDIO_SECONDS] == 60
    assert "60 seconds" in transcribe.notes[0]
    assert enhance.cost is None  # text has no seconds
    assert draw.quantities == {} or draw.cost is None
    text_priced = estimated(job, workers("one"), SetPrices(one=TEXT_PRICE)).steps
    assert text_priced[1].quantities[Unit.INPUT_TOKENS] > 900 / 3  # the assumed transcript among it
    assert text_priced[2].quantities[Unit.INPUT_TOKENS] > 900 / 3


def test_a_recording_of_known_length_is_heard_in_its_length_and_written_down_in_it():
    url = "/storage/audio/a.wav"
    job = job_of("speech_to_image", inputs={"audio_url": url}, options={})
    recorded = {url: Recording(Decimal(600))}
    priced = SetPrices(one=Price({Unit.AUDIO_SECONDS: Decimal("0.0001")}))
    transcribe = estimated(job, workers("one"), priced, recorded).steps[0]
    assert (transcribe.quantities[Unit.AUDIO_SECONDS], transcribe.cost, transcribe.at_most) == (600, 60_000, 60_000)
    assert "assumed" not in " ".join(transcribe.notes)
    by_size = {url: Recording.of_size(4_800_001, "audio/mpeg")}
    guessed = estimated(job, workers("one"), priced, by_size).steps[0]
    assert (guessed.quantities[Unit.AUDIO_SECONDS], guessed.cost, guessed.at_most) == (601, 60_100, None)
    assert "By its size, 601 seconds" in guessed.notes[0]
    enhance = estimated(job, workers("one"), SetPrices(one=TEXT_PRICE), recorded).steps[1]
    assert enhance.quantities[Unit.INPUT_TOKENS] > 600 * 15 / 3


def test_a_text_that_is_not_written_yet_bounds_nothing():
    job = job_of("speech_to_image", inputs={"audio_url": "/storage/audio/a.wav"}, options={})
    known = {
        **workers("local", provider_class=ProviderClass.REPEATABLE, capabilities=("transcription",)),
        **workers("one", capabilities=("text",)),
        **workers("two", capabilities=("image",)),
    }
    estimate = estimated(job, known, PRICES)
    assert [step.at_most for step in estimate.steps] == [0, None, 40_000]
    assert (estimate.cost is None, estimate.at_most) == (False, None)


def test_provider_options_leave_nothing_bounded():
    step = step_of(one_step("x" * 300, max_tokens=50, provider_options={"max_tokens": 9_999}))
    assert (step.cost, step.at_most) == (208, None)
    assert "provider_options" in step.notes[-1]


def test_a_price_by_what_nobody_counts_says_so():
    step = step_of(one_step(), SetPrices(one=IMAGE_PRICE))
    assert (step.cost, step.at_most) == (None, None)
    assert "one:m charges by images" in step.notes[-1]
    stepped = Price(TEXT_PRICE.dollars, below_input_tokens=10)
    assert "not for so much" in step_of(one_step("x" * 300), SetPrices(one=stepped)).notes[-1]


def test_a_step_that_is_skipped_costs_nothing():
    job = job_of("text_to_image", options={})
    enhance, draw = estimated(job, workers("two"), PRICES).steps
    assert (enhance.cost, enhance.model) == (0, None)
    assert "skipped" in enhance.notes[0]
    assert draw.cost == 40_000
    styled = job_of("text_to_image", options={"style": "ink"})
    assert estimated(styled, workers("two"), PRICES).steps[0].model == "two:m"


def test_free_providers_cost_nothing():
    step = step_of(one_step(), SetPrices(), workers("local", provider_class=ProviderClass.REPEATABLE))
    assert (step.cost, step.at_most, step.source) == (0, 0, CostSource.CATALOG)


def test_what_nobody_knows_is_null_and_so_is_the_whole():
    job = job_of("text_to_image", options={"style": "ink"})
    estimate = estimated(job, workers("one"), SetPrices())
    assert [step.cost for step in estimate.steps] == [None, None]
    assert (estimate.cost, estimate.known_cost, estimate.at_most) == (None, 0, None)
    assert "Nobody knows what one:m charges" in estimate.steps[0].notes[0]
    missing = estimated(job, {}, PRICES)
    assert [step.model for step in missing.steps] == [None, None]
    assert "does not answer" in missing.steps[1].notes[0]


def test_the_rest_of_the_chain_is_named():
    assert step_of(one_step(), known=workers("one", "two")).notes[-1] == "If it fails: two:m."


def test_the_dearest_of_those_that_share_the_load_is_the_bound():
    providers = (described("one"), described("two"))
    prices = {"one": Price({Unit.IMAGES: Decimal("0.08")}), "two": IMAGE_PRICE}
    sharing = WorkerDescription("w", "image", providers, (Link("one:m", 0), Link("two:m", 0)))
    jobs = [job_of("text_to_image") for _ in range(30)]
    drawn = [estimated(job, {"image": sharing}, SetPrices(**prices)).steps[1] for job in jobs]
    assert {step.cost for step in drawn} == {40_000, 80_000}
    assert {step.at_most for step in drawn} == {80_000}
    assert all("is drawn for each job" in step.notes[0] for step in drawn)
    unbounded = estimated(jobs[0], {"image": sharing}, SetPrices(one=prices["one"])).steps[1]
    assert unbounded.at_most is None


def attempt(state=AttemptState.SUCCEEDED, cost=None, number=1):
    return Attempt(f"id{number}", "a", number, "k", "one:m", ProviderClass.OPAQUE, 1, state, cost=cost)


def test_what_was_spent_counts_what_is_known_and_else_what_is_expected():
    attempts = (
        attempt(cost=Money(100)),
        attempt(AttemptState.NOT_SENT, number=2),
        attempt(AttemptState.FAILED, Money(5), 3),
        attempt(AttemptState.UNKNOWN, number=4),
        attempt(AttemptState.INTENDED, number=5),
    )
    job = job_of(pipeline(text_step("a", options={"max_tokens": 50})), inputs={"text": "x" * 300}, attempts=attempts)
    assert spent(job, PRICES) == spent(job, PRICES)
    so_far = spent(job, PRICES)
    assert (so_far.amount, so_far.estimated, so_far.uncounted) == (105 + 2 * 208, 2 * 208, 0)
    unknown = spent(job, SetPrices())
    assert (unknown.amount, unknown.estimated, unknown.uncounted) == (105, 0, 2)


@pytest.mark.parametrize(("limit", "refused"), [(None, False), (308, False), (307, True), (0, True)])
def test_an_attempt_that_may_cost_too_much_is_not_made(limit, refused):
    max_cost = None if limit is None else Money(limit)
    plan = pipeline(text_step("a", options={"max_tokens": 50}))
    job = job_of(plan, inputs={"text": "x" * 300}, attempts=(attempt(cost=Money(100)),), max_cost=max_cost)
    failure = over_budget(job, job.plan.steps[0], PAID, PRICES)
    assert (failure is not None) is refused
    if failure:
        assert failure.code == "max-cost-reached"
        for word in ("$0.0001 ", "$0.000208", dollars(max_cost)):
            assert word in failure.message


def cut(*lengths, **changes):
    """A recording that was cut into parts of so many seconds."""
    job = job_of("speech_to_text", inputs={"audio_url": "/storage/audio/a.wav"}, **changes)
    ends = list(accumulate(lengths))
    parts = tuple(
        Step(f"transcribe#{number}", "transcription", part=Part("transcribe", number, {}, end - length, end))
        for number, (length, end) in enumerate(zip(lengths, ends, strict=True), start=1)
    )
    return replace(job, steps=(*job.steps, *parts))


def test_parts_that_cost_too_much_together_are_not_begun():
    prices = SetPrices(one=Price({Unit.AUDIO_SECONDS: Decimal("0.0001")}))
    first = cut(600.0, 300.0, max_cost=Money(89_999))
    failure = over_budget(first, first.planned("transcribe#1"), PAID, prices)
    assert failure.code == "max-cost-reached"
    assert "2 parts are expected to cost $0.09" in failure.message
    enough = replace(first, max_cost=Money(90_000))
    assert over_budget(enough, enough.planned("transcribe#1"), PAID, prices) is None
    unsent = replace(attempt(AttemptState.NOT_SENT), step="transcribe#1")
    assert over_budget(replace(first, attempts=(unsent,)), first.planned("transcribe#1"), PAID, prices) is not None
    begun = replace(first, attempts=(replace(attempt(cost=Money(50_000)), step="transcribe#1"),))
    assert over_budget(begun, begun.planned("transcribe#2"), PAID, prices) is None, "what was begun goes on"


def test_the_outputs_of_parts_are_not_assumed(monkeypatch):
    asked = []
    monkeypatch.setattr(
        "genesis.engine.estimate._with_assumed_output", lambda job, step, recorded: asked.append(step.name) or step
    )
    job = cut(*[60.0] * 100, max_cost=Money(10**9))
    lost = tuple(replace(attempt(AttemptState.UNKNOWN), step=step.name) for step in job.steps if step.part)
    prices = SetPrices(one=Price({Unit.AUDIO_SECONDS: Decimal("0.0001")}))
    assert over_budget(replace(job, attempts=lost), job.planned("transcribe#1"), PAID, prices) is None
    assert set(asked) <= {"transcribe"}, "nothing refers to the output of a part"


def test_a_message_says_what_of_it_is_a_guess():
    plan = pipeline(text_step("a", options={"max_tokens": 50}))
    job = job_of(plan, inputs={"text": "x" * 300}, attempts=(attempt(AttemptState.UNKNOWN),), max_cost=Money(300))
    assert "$0.000208 of it estimated" in over_budget(job, plan.steps[0], PAID, PRICES).message


def test_what_cannot_be_bounded_is_not_made_and_what_is_free_always_is():
    job = job_of(pipeline(text_step("a")), max_cost=Money(10**9))
    assert over_budget(job, job.plan.steps[0], PAID, SetPrices()).code == "unknown-price"
    free = Target("local:m", ProviderClass.REPEATABLE)
    spent_all = job_of(pipeline(text_step("a")), max_cost=Money(0), attempts=(attempt(cost=Money(9)),))
    assert over_budget(spent_all, spent_all.plan.steps[0], free, SetPrices()) is None


def affordable(job, prices=PRICES, known=None):
    check_affordable(job, estimated(job, known or workers("two"), prices))


def test_a_job_that_is_expected_to_cost_too_much_is_refused():
    affordable(job_of("text_to_image", max_cost=Money(40_000)))
    affordable(job_of("text_to_image"))
    with pytest.raises(TooExpensive, match=r"\$0\.04, more than its max_cost of \$0\.039999"):
        affordable(job_of("text_to_image", max_cost=Money(39_999)))


def test_a_job_of_unknown_cost_is_refused_unless_it_can_do_without_the_step():
    with pytest.raises(UnknownPrice, match="two:m") as refused:
        affordable(job_of("text_to_image", max_cost=Money(10**9)), SetPrices())
    assert "PRICES_PATH" in refused.value.hint
    affordable(job_of("text_to_image", options={"style": "ink"}, max_cost=Money(10**9)))  # enhancing is optional
    affordable(job_of("text_to_image", max_cost=Money(10**9)), SetPrices(), {"text": workers("two")["text"]})


@pytest.mark.parametrize(
    ("amount", "words"),
    [(0, "$0.00"), (1, "$0.000001"), (1_500_000, "$1.50"), (208, "$0.000208"), (12_345_678, "$12.345678")],
)
def test_amounts_are_exact_in_words(amount, words):
    assert dollars(Money(amount)) == words
