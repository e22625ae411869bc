"""The forms of OpenAI's wire format, which carry what a caller has written."""

import json
from dataclasses import replace

import pytest

from genesis.domain.quantity import Unit
from genesis.errors import FailureClass, ProviderRejected
from genesis.net.exchange import Reply
from genesis.providers.openai_format import (
    chat_assembled,
    chat_chunk,
    chat_result,
    form_fields,
    image_result,
    quantities_of,
)


def test_what_a_form_carries():
    body = {"a": "\ud800é", "b": True, "c": None, "d": {"e": [1, "x"]}, "f": 0.5}
    assert form_fields(body) == {"a": "?é", "b": "true", "d[e][]": ("1", "x"), "f": "0.5"}


@pytest.mark.parametrize("name", ["", "a\r\nb", 'a"b', "é", "\ud800"])
def test_names_that_a_form_cannot_carry(name):
    for body in ({name: "x"}, {"a": {name: "x"}} if name else {"": 1}):
        with pytest.raises(ProviderRejected, match="cannot carry") as raised:
            form_fields(body)
        raised.value.message.encode()
        assert "provider_options" in raised.value.hint


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ({"prompt_tokens": 12, "completion_tokens": 3}, (12, 3)),
        ({"input_tokens": 12, "output_tokens": 3}, (12, 3)),
        ({"prompt_tokens": 12, "completion_tokens": 3, "input_tokens": 0, "output_tokens": 0}, (12, 3)),
        ({"prompt_tokens": 12, "completion_tokens": 3, "input_tokens": None, "output_tokens": None}, (12, 3)),
        ({"prompt_tokens": 0, "completion_tokens": 0, "input_tokens": 12, "output_tokens": 3}, (12, 3)),
        ({"prompt_tokens": 12, "completion_tokens": 0}, (12, 0)),
        ({"prompt_tokens": 0, "completion_tokens": 0}, (None, None)),
    ],
)
def test_tokens_count_under_the_name_that_tells_them(usage, counted):
    quantities = quantities_of(usage)
    assert (quantities.get(Unit.INPUT_TOKENS), quantities.get(Unit.OUTPUT_TOKENS)) == counted


def test_a_model_that_only_thinks_gives_no_empty_text():
    """Its thoughts count as tokens of the answer; a prompt that it was to enhance is used as it is."""
    choice = {"message": {"content": "", "reasoning": "Hm"}, "finish_reason": "length"}
    with pytest.raises(ProviderRejected) as raised:
        chat_result(Reply(200, {}, b""), {"choices": [choice], "usage": {"completion_tokens": 40}})
    assert (raised.value.failure, raised.value.hint) == (FailureClass.FINAL, "Raise options.max_tokens.")


def completion(tier, **more):
    choice = {"message": {"content": "Hi"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 12, "completion_tokens": 3}
    return {"choices": [choice], "usage": usage | more} | ({} if tier is None else {"service_tier": tier})


@pytest.mark.parametrize(
    ("tier", "more", "headers", "is_counted"),
    [
        (None, {}, {}, True),
        ("default", {}, {}, True),
        (7, {}, {}, True),
        ("priority", {}, {}, False),
        ("flex", {}, {}, False),
        ("priority", {"cost": 1}, {}, True),
        ("priority", {}, {"x-litellm-response-cost": "0.5"}, True),
    ],
)
def test_a_tier_without_the_usual_prices_counts_nothing_that_has_one(tier, more, headers, is_counted):
    done = chat_result(Reply(200, headers, b""), completion(tier, **more))
    assert (bool(done.quantities), done.warnings == ()) == (is_counted, is_counted)
    assert done.usage["prompt_tokens"] == 12


def test_a_tier_is_known_of_a_stream_as_well():
    document = {"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}], "service_tier": "flex"}
    chunk = replace(chat_chunk(document), usage={"prompt_tokens": 12})
    done = chat_assembled(chunk)
    assert (done.quantities, len(done.warnings)) == ({}, 1)


@pytest.mark.parametrize("odd", [{"note": "x" * 20_000}, {"parts": [7] * 20_000}])
def test_a_record_of_usage_that_is_none_is_not_kept(odd):
    done = chat_result(Reply(200, {}, b""), completion(None, **odd))
    assert (done.usage, done.quantities) == ({}, {Unit.INPUT_TOKENS: 12, Unit.OUTPUT_TOKENS: 3})


def test_several_images_are_counted():
    data = [{"url": "https://f/1.png"}, {"url": "https://f/2.png"}]
    done = image_result(Reply(200, {}, json.dumps({"data": data}).encode()))
    assert (done.media_url, done.quantities, len(done.warnings)) == ("https://f/1.png", {Unit.IMAGES: 2}, 1)
