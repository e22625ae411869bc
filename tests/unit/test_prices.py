"""Tables of prices: the operator's, the shipped one, and that of the package for text."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis.domain.price import CostSource, cost_of
from genesis.domain.quantity import Unit
from genesis.engine.directory import WorkerDirectory
from genesis.engine.list_prices import ListPrices
from genesis.errors import Misconfigured
from genesis.prices import text
from genesis.prices.known import KnownPrices, open_prices
from genesis.prices.table import TableError, read_table
from genesis.settings import Settings
from tests.support.prices import TEXT_PRICE, SetPrices
from tests.support.workers import ScriptedWorkers, described


def table_of(*entries):
    return read_table(json.dumps({"prices": entries}))


def test_prices_are_per_unit_and_exact():
    table = read_table(
        '{"prices": [{"model": "openai:gpt-x", "per_million_input_tokens": 0.15, "per_million_output_tokens": "0.6"},'
        '{"model": "openai:tts-1", "per_million_characters": 15}, {"model": "groq:w", "per_audio_minute": 0.006}]}'
    )
    assert table.price("text", "openai:gpt-x").dollars == {
        Unit.INPUT_TOKENS: Decimal("0.00000015"),
        Unit.OUTPUT_TOKENS: Decimal("0.0000006"),
    }
    assert table.price("speech", "openai:tts-1").dollars == {Unit.CHARACTERS: Decimal("0.000015")}
    assert cost_of(table.price("transcription", "groq:w"), {Unit.AUDIO_SECONDS: Decimal(90)}) == 9_000
    assert table.price("text", "openai:other") is None


def test_the_first_entry_that_fits_counts():
    table = table_of(
        {"model": "fal:fal-ai/flux/*", "capability": "image", "per_image": "1"},
        {"model": "fal:fal-ai/flux/dev", "per_image": "2"},
        {"model": "fal:*", "per_image": "3"},
    )
    assert table.price("image", "fal:fal-ai/flux/dev").dollars[Unit.IMAGES] == 1
    assert table.price("image_transform", "fal:fal-ai/flux/dev").dollars[Unit.IMAGES] == 2
    assert table.price("image_transform", "fal:fal-ai/other[1].+").dollars[Unit.IMAGES] == 3
    assert table.price("image", "falx:any") is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "not of the form"),
        ('{"prices": {}}', "not of the form"),
        ('{"prices": [], "price": []}', "not of the form"),
        ('{"prices": [NaN]}', "NaN is not a number"),
        ('{"prices": [7]}', "entry 1"),
        (
            '{"prices": [{"model": "a:b", "per_image": 1}, {"model": "openai", "per_image": 1}]}',
            "entry 2 .openai.: model",
        ),
        ('{"prices": [{"model": "a:b"}]}', "entry 1 .a:b.: it names no price"),
        ('{"prices": [{"model": "a:b", "per_picture": 1}]}', "per_picture"),
        ('{"prices": [{"model": "a:b", "per_image": -1}]}', "per_image: write dollars"),
        ('{"prices": [{"model": "a:b", "per_image": "NaN"}]}', "per_image: write dollars"),
        ('{"prices": [{"model": "a:b", "per_image": 1e999}]}', "per_image: write dollars"),
        ('{"prices": [{"model": "a:b", "per_image": 1e-999}]}', "per_image: write dollars"),
        ('{"prices": [{"model": "a:b", "per_image": 1e999999999999}]}', "per_image: write dollars"),
        ('{"prices": [{"model": "a:b", "per_image": 1e99999999999999999999}]}', "per_image: write dollars"),
        ('{"prices": [{"model": "a:b", "per_image": 0.1234567890123456789}]}', "per_image: write dollars"),
        ('{"prices": [{"model": "a:b", "per_image": true}]}', "per_image: write dollars"),
        ('{"prices": [{"model": "a:b", "per_image": "1_0"}]}', "per_image: write dollars"),
        ('{"prices": [{"model": "a:b", "capability": "video", "per_image": 1}]}', "no capability `video`"),
    ],
)
def test_a_table_that_cannot_be_used_says_where(tmp_path, content, words):
    with pytest.raises(TableError, match=words):
        read_table(content)
    file = tmp_path / "prices.json"
    file.write_text(content)
    with pytest.raises(Misconfigured, match="PRICES_PATH: .*prices.json: .*" + words):
        open_prices(file)


@pytest.mark.parametrize("content", [b"\xff\xfe", b" " * (4 * 1024 * 1024 + 1)])
def test_a_file_that_is_no_text_or_too_large_is_refused(tmp_path, content):
    file = tmp_path / "prices.json"
    file.write_bytes(content)
    with pytest.raises(Misconfigured, match=r"prices\.json"):
        open_prices(file)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Misconfigured, match="cannot be read: No such file"):
        open_prices(tmp_path / "none.json")
    with pytest.raises(Misconfigured, match="cannot be read: Is a directory"):
        open_prices(tmp_path)


@given(st.text() | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_any_text_is_a_table_or_an_error(content):
    try:
        read_table(content)
    except TableError:
        pass
    else:
        assert json.loads(content).keys() <= {"prices", "about"}


def test_the_operators_word_goes_before_what_is_shipped(tmp_path):
    file = tmp_path / "prices.json"
    file.write_text('{"prices": [{"model": "openai:tts-1", "per_million_characters": 30}]}')
    prices = open_prices(Settings(prices_path=file).prices_path)
    price, source = prices.price("speech", "openai:tts-1")
    assert (price.dollars[Unit.CHARACTERS], source) == (Decimal("0.00003"), CostSource.OPERATOR)
    price, source = prices.price("speech", "openai:tts-1-hd")
    assert (price.dollars[Unit.CHARACTERS], source) == (Decimal("0.00003"), CostSource.CATALOG)
    assert prices.price("speech", "local:voice") is None
    assert prices.price("text", "openai:gpt-4o-mini")[1] is CostSource.CATALOG


def test_the_shipped_table_is_small_dated_and_licensed():
    file = resources.files("genesis.prices").joinpath("shipped_prices.json").read_text(encoding="utf-8")
    assert len(file) < 100_000
    about = json.loads(file)["about"]
    assert about.keys() == {"source", "version", "taken_on", "license"}
    assert "MIT License" in about["license"]
    assert date.fromisoformat(about["taken_on"]) <= datetime.now(UTC).date()
    models = [(entry["model"], entry.get("capability")) for entry in json.loads(file)["prices"]]
    assert len(set(models)) == len(models)
    assert {model.partition(":")[0] for model, _ in models} >= {"openai", "fal", "elevenlabs"}
    read_table(file)


def test_data_of_others_that_break_fail_no_call(monkeypatch):
    def broken(*_):
        raise RuntimeError("bad data")

    monkeypatch.setattr(text, "text_price", broken)
    assert KnownPrices(None).price("text", "openai:gpt-4o-mini") is None


def test_text_models_have_the_prices_of_the_package():
    price = text.text_price("openai", "gpt-4o-mini")
    assert price.dollars == {Unit.INPUT_TOKENS: Decimal("0.15") / 10**6, Unit.OUTPUT_TOKENS: Decimal("0.6") / 10**6}
    assert text.text_price("openrouter", "openai/gpt-3.5-turbo") is not None
    assert text.text_price("huggingface", "meta-llama/Llama-3.1-8B-Instruct:cerebras") is not None
    for model in ("meta-llama/llama-3.3-70b-instruct:free", "openrouter/free"):
        assert cost_of(text.text_price("openrouter", model), {Unit.OUTPUT_TOKENS: Decimal(10**6)}) == 0


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "nothing-like-it"),
        ("nobody", "gpt-4o-mini"),
        ("perplexity", "sonar"),  # charged by request as well
        ("huggingface", "meta-llama/Llama-3.1-8B-Instruct"),  # nobody says who serves it
        ("openai", "text-embedding-3-small"),  # writes nothing
        ("openai", ""),
    ],
)
def test_what_the_package_does_not_tell_is_unknown(provider, model):
    assert text.text_price(provider, model) is None


def test_a_price_in_steps_holds_below_the_first():
    from genai_prices.types import ModelPrice, Tier, TieredPrices

    tiers = TieredPrices(base=Decimal(1), tiers=[Tier(start=200, price=Decimal(2)), Tier(start=100, price=Decimal(3))])
    price = text._price(ModelPrice(input_mtok=tiers, output_mtok=Decimal(5)))
    assert (price.dollars[Unit.INPUT_TOKENS], price.below_input_tokens) == (Decimal("0.000001"), 100)


def test_prices_are_those_of_their_time():
    now, once = (text.text_price("openai", "o3", at) for at in (None, datetime(2025, 5, 1, tzinfo=UTC)))
    assert now != once


def test_loading_reads_all_that_takes_a_moment():
    prices = KnownPrices(None)
    prices.load()
    assert prices._shipped is not None
    assert text._model.cache_info().currsize > 0


@pytest.mark.parametrize(
    ("provider", "url", "is_its_own"),
    [
        ("groq", "https://api.groq.com/openai/v1", True),
        ("groq", "http://127.0.0.1:8000/v1", False),
        ("nobody", "https://api.groq.com/openai/v1", False),
    ],
)
def test_a_seller_is_known_by_its_address(provider, url, is_its_own):
    assert text.is_seller(provider, url) is is_its_own


async def _never(call):
    raise AssertionError(call)


async def test_what_is_publicly_known_holds_for_those_only_who_charge_by_it():
    own = replace(described("own"), list_prices=False)
    directory = WorkerDirectory(ScriptedWorkers(_never, (described("one"), own)), lambda _: None)
    catalog = ListPrices(SetPrices(CostSource.CATALOG, one=TEXT_PRICE, own=TEXT_PRICE), directory)
    assert catalog.price("text", "one:m") is None  # nobody knows yet who that is
    await directory.refresh("text")
    directory.lose("text", "it is away")
    assert catalog.price("text", "one:m") == (TEXT_PRICE, CostSource.CATALOG)
    assert catalog.price("text", "own:m") is None
    operators = ListPrices(SetPrices(own=TEXT_PRICE), directory)
    assert operators.price("text", "own:m") == (TEXT_PRICE, CostSource.OPERATOR)
