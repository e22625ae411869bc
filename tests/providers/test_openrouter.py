"""OpenRouter: exact requests, and every documented form of reply."""

import json
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from genesis.domain.money import Money
from genesis.errors import (
    ModelUnavailable,
    ProviderAmbiguous,
    ProviderError,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
)
from genesis.net.exchange import Reply, Request
from genesis.providers.base import ProviderCall
from genesis.providers.openrouter import provider
from genesis.providers.openrouter_text import OpenRouterText
from genesis.providers.translation import wait_asked
from genesis.settings import Settings

ADAPTER = OpenRouterText()
KEY = "sk-or-v1-0123456789abcdef"


def reply(document: object, status: int = 200, **headers: str) -> Reply:
    return Reply(status, {"content-type": "application/json", **headers}, json.dumps(document).encode())


def answer(choice: dict[str, object]) -> Reply:
    return reply({"id": "gen", "model": "m", "choices": [choice]})


def priced(cost: str) -> Reply:
    return Reply(200, {}, b'{"choices":[{"message":{"content":"x"}}],"usage":{"cost":' + cost.encode() + b"}}")


def test_plain_request() -> None:
    request = ADAPTER.build_request(ProviderCall(model="openai/gpt-3.5-turbo", text="Hi"))
    assert request == Request(
        "POST",
        "/chat/completions",
        json={"model": "openai/gpt-3.5-turbo", "messages": [{"role": "user", "content": "Hi"}]},
    )


def test_request_with_all_options() -> None:
    options = {
        "system": "Be brief.",
        "examples": [{"text": "2+2?", "answer": "4"}],
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 80,
        "stop": ["\n"],
        "seed": 7,
    }
    call = ProviderCall("m", "Hi", None, options, {"top_k": 40, "provider": {"sort": "price"}, "seed": 8})
    assert set(options) == set(ADAPTER.options)
    assert ADAPTER.build_request(call).json == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "2+2?"},
            {"role": "assistant", "content": "4"},
            {"role": "user", "content": "Hi"},
        ],
        "temperature": 0.5,
        "top_p": 0.9,
        "max_completion_tokens": 80,
        "stop": ["\n"],
        "seed": 8,
        "top_k": 40,
        "provider": {"sort": "price"},
    }


def test_a_stream_is_refused_before_it_costs_anything() -> None:
    with pytest.raises(ProviderRejected, match="stream"):
        ADAPTER.build_request(ProviderCall("m", "Hi", provider_options={"stream": True}))


def test_row() -> None:
    row = provider(
        Settings(openrouter_api_key=SecretStr(f" {KEY}\n"), openrouter_base_url="http://h/api/v1/", llm_model="a/b")
    )
    assert row.base_url == "http://h/api/v1"
    assert row.headers == {"Authorization": f"Bearer {KEY}", "X-OpenRouter-Title": "Genesis"}
    assert row.missing == ""
    assert row.services["text"].models == ("a/b",)
    assert row.services["text"].any_model
    assert KEY not in repr(row)


def test_row_without_a_key() -> None:
    row = provider(Settings(openrouter_api_key=None))
    assert row.missing == "OPENROUTER_API_KEY is not set"
    assert "Authorization" not in row.headers


def test_completed(stored: Callable[..., Reply]) -> None:
    done = ADAPTER.parse_reply(stored("openrouter/completed.json"))
    assert (done.text, done.cost, done.model) == ("Paris.", Money(141), "openai/gpt-4o-mini-2024-07-18")
    assert done.usage["completion_tokens"] == 4
    assert done.usage["cost_details"]["upstream_inference_completions_cost"] == 0.00004125
    json.dumps(done.usage)


def test_unknown_cost_stays_unknown(stored: Callable[..., Reply]) -> None:
    done = ADAPTER.parse_reply(stored("openrouter/no_cost.json"))
    assert (done.text, done.cost) == ("Once upon", None)


@pytest.mark.parametrize(
    ("cost", "money"), [("0", 0), ("0.000001", 1), ("12.5", 12_500_000), ("1e-7", 0), ("2", 2_000_000)]
)
def test_cost_is_exact(cost: str, money: int) -> None:
    assert ADAPTER.parse_reply(priced(cost)).cost == Money(money)


@pytest.mark.parametrize("cost", ["-1", "1e999", '"0.1"', "true", "[]", "1e7"])
def test_a_cost_that_cannot_be_true_is_none(cost: str) -> None:
    assert ADAPTER.parse_reply(priced(cost)).cost is None


def test_a_number_beyond_all_types_makes_the_reply_unreadable() -> None:
    with pytest.raises(ProviderAmbiguous):
        ADAPTER.parse_reply(priced("1e99999999999999999999"))


@pytest.mark.parametrize(
    ("fixture", "status", "headers", "kind", "wait"),
    [
        ("error_at_top_of_200", 200, {}, ProviderAmbiguous, None),
        ("error_at_top_of_200", 502, {}, ProviderUnavailable, None),
        ("error_in_choice_of_200", 200, {}, ProviderAmbiguous, None),
        ("finish_reason_error", 200, {}, ProviderAmbiguous, None),
        ("moderation_403", 403, {}, ProviderRejected, None),
        ("no_credit_402", 402, {}, ProviderMisconfigured, None),
        ("in_flight_402", 402, {"retry_after": "3"}, ProviderRateLimited, 3),
        ("capacity_429", 429, {}, ProviderRateLimited, 12),
        ("capacity_429", 429, {"retry_after": "5"}, ProviderRateLimited, 5),
        ("deprecated_404", 404, {}, ModelUnavailable, None),
        ("privacy_404", 404, {}, ProviderMisconfigured, None),
        ("unauthorized_401", 401, {}, ProviderMisconfigured, None),
    ],
)
def test_documented_errors(
    stored: Callable[..., Reply],
    fixture: str,
    status: int,
    headers: dict[str, str],
    kind: type[ProviderError],
    wait: float | None,
) -> None:
    with pytest.raises(ProviderError) as raised:
        ADAPTER.parse_reply(stored(f"openrouter/{fixture}.json", status, **headers))
    assert type(raised.value) is kind
    assert raised.value.retry_after == wait
    assert "0123456789abcdef" not in raised.value.message


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, ProviderMisconfigured),
        (400, ProviderRejected),
        (401, ProviderMisconfigured),
        (402, ProviderMisconfigured),
        (403, ProviderMisconfigured),
        (404, ModelUnavailable),
        (408, ProviderAmbiguous),
        (413, ProviderRejected),
        (422, ProviderRejected),
        (429, ProviderRateLimited),
        (425, ProviderUnavailable),
        *((status, ProviderAmbiguous) for status in (500, 501, 502, 504, 507, *range(520, 528), 530)),
        (101, ProviderAmbiguous),
        (999, ProviderAmbiguous),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>oops</html>", b'{"error":{"message":"oops"}}', b'{"error":"oops"}'])
def test_error_by_status(status: int, kind: type[ProviderError], body: bytes) -> None:
    with pytest.raises(ProviderError) as raised:
        ADAPTER.parse_reply(Reply(status, {}, body))
    assert type(raised.value) is kind
    assert str(status) in raised.value.message


@pytest.mark.parametrize(
    ("error_type", "status", "kind", "kind_within_200"),
    [
        ("context_length_exceeded", 400, ProviderRejected, ProviderRejected),
        ("content_policy_violation", 403, ProviderRejected, ProviderRejected),
        ("refusal", 400, ProviderRejected, ProviderRejected),
        ("not_found", 404, ModelUnavailable, ProviderRejected),
        ("authentication", 401, ProviderMisconfigured, ProviderMisconfigured),
        ("permission_denied", 403, ProviderMisconfigured, ProviderMisconfigured),
        ("payment_required", 402, ProviderMisconfigured, ProviderMisconfigured),
        ("rate_limit_exceeded", 429, ProviderRateLimited, ProviderAmbiguous),
        ("provider_overloaded", 503, ProviderUnavailable, ProviderAmbiguous),
        ("provider_unavailable", 502, ProviderUnavailable, ProviderAmbiguous),
        ("timeout", 502, ProviderAmbiguous, ProviderAmbiguous),
        ("server", 500, ProviderAmbiguous, ProviderAmbiguous),
        ("unmapped", 500, ProviderAmbiguous, ProviderAmbiguous),
    ],
)
def test_error_by_type(
    error_type: str, status: int, kind: type[ProviderError], kind_within_200: type[ProviderError]
) -> None:
    error = {"code": status, "message": "oops", "metadata": {"error_type": error_type}}
    for answered, expected in ((status, kind), (200, kind_within_200)):
        with pytest.raises(ProviderError) as raised:
            ADAPTER.parse_reply(reply({"error": error}, answered))
        assert type(raised.value) is expected


@pytest.mark.parametrize("code", [None, "weird", 7, 200, "2000", 10**30, True, 401, 402, 403, 429, 500, 502, 503])
def test_an_error_in_a_200_that_names_no_type_is_ambiguous(code: object) -> None:
    with pytest.raises(ProviderAmbiguous):
        ADAPTER.parse_reply(reply({"error": {"code": code, "message": "oops"}}))


NO_CAPACITY = {
    "code": 429,
    "message": "All providers are at capacity",
    "metadata": {"error_type": "rate_limit_exceeded"},
    "availability": {"code": "capacity_exhausted", "retryable": True, "retry_after": 12},
}
OVERLOADED = {
    "code": 503,
    "message": "Overloaded",
    "metadata": {"error_type": "provider_overloaded"},
    "availability": {"code": "temporarily_unavailable", "retryable": True},
}


@pytest.mark.parametrize(("error", "kind"), [(NO_CAPACITY, ProviderRateLimited), (OVERLOADED, ProviderUnavailable)])
@pytest.mark.parametrize("beside", [{}, {"choices": []}, {"usage": {"cost": 0}}, {"usage": None}])
def test_a_request_that_found_no_place_may_be_retried(
    error: dict[str, object], kind: type[ProviderError], beside: dict[str, object]
) -> None:
    for status in (200, 429):
        with pytest.raises(ProviderError) as raised:
            ADAPTER.parse_reply(reply({"error": error, **beside}, status))
        assert type(raised.value) is kind


@pytest.mark.parametrize(
    "beside",
    [
        {"choices": [{"message": {"content": "Half an"}}]},
        {"usage": {"cost": 0.002}},
        {"usage": {"cost": "0.002"}},
        {"usage": {"cost": 1e9}},
    ],
)
@pytest.mark.parametrize(
    "error", [NO_CAPACITY, OVERLOADED, {"code": 401, "metadata": {"error_type": "authentication"}}]
)
@pytest.mark.parametrize("status", [200, 401, 429, 503])
def test_signs_of_work_forbid_another_try(error: dict[str, object], beside: dict[str, object], status: int) -> None:
    with pytest.raises(ProviderAmbiguous):
        ADAPTER.parse_reply(reply({"error": error, **beside}, status))


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"error": {"code": 502, "message": "oops"}}, ProviderAmbiguous),
        ({"error": NO_CAPACITY}, ProviderAmbiguous),
        ({"error": {"code": 400, "metadata": {"error_type": "max_tokens_exceeded"}}}, ProviderRejected),
        ({"choices": [{"finish_reason": "error", "message": {"content": "Half"}}]}, ProviderAmbiguous),
        ({"choices": [{"finish_reason": "stop", "message": {"content": ""}}]}, ProviderAmbiguous),
        ({"choices": [{"finish_reason": "length", "message": {"content": ""}}]}, ProviderRejected),
        ({"choices": [{"message": {"refusal": "No."}}]}, ProviderRejected),
        ({"choices": []}, ProviderAmbiguous),
        ({"choices": [{"error": {"code": 400, "metadata": {"error_type": "refusal"}}}]}, ProviderRejected),
    ],
)
def test_a_failure_tells_what_it_cost(document: dict[str, object], kind: type[ProviderError]) -> None:
    with pytest.raises(ProviderError) as raised:
        ADAPTER.parse_reply(reply({**document, "usage": {"cost": 0.0025}}))
    assert type(raised.value) is kind
    assert raised.value.cost == 2500


def test_a_failure_without_a_reported_cost_has_none() -> None:
    with pytest.raises(ProviderAmbiguous) as raised:
        ADAPTER.parse_reply(answer({"finish_reason": "error", "message": {"content": "Half"}}))
    assert raised.value.cost is None


def test_moderation_names_its_reasons(stored: Callable[..., Reply]) -> None:
    with pytest.raises(ProviderRejected, match="violence; self-harm"):
        ADAPTER.parse_reply(stored("openrouter/moderation_403.json", 403))


def test_rate_limit_keeps_the_wait() -> None:
    with pytest.raises(ProviderRateLimited) as raised:
        ADAPTER.parse_reply(Reply(429, {"retry-after": "2.5"}, b"{}"))
    assert raised.value.retry_after == 2.5


def wait(after: str, **headers: str) -> float | None:
    with pytest.raises(ProviderUnavailable) as raised:
        ADAPTER.parse_reply(Reply(503, {"retry-after": after, **headers}, b"{}"))
    return raised.value.retry_after


@pytest.mark.parametrize("after", ["soon", "nan", "inf", "1e9", "", "Wed, 99 Oct 2026 07:28:00 GMT", "2026-10-21"])
def test_a_wait_that_is_no_time_is_none(after: str) -> None:
    assert wait(after) is None


@pytest.mark.parametrize(
    ("after", "seconds"),
    [
        ("-1", 0),
        ("-0.5", 0),
        ("3600", 3600),
        ("999999999", 3600),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30),
        ("Wednesday, 21-Oct-26 07:28:30 GMT", 30),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0),
        ("Wed, 21 Oct 2026 09:29:00 +0200", 60),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 3600),
        ("Wed, 21 Oct 2026 07:28:09 -0000", 9),
    ],
)
def test_a_wait_in_seconds_or_until_a_date_is_an_hour_at_most(after: str, seconds: float) -> None:
    assert wait(after, date="Wed, 21 Oct 2026 07:28:00 GMT") == seconds


def test_a_date_without_the_replys_own_is_measured_by_the_clock() -> None:
    at = Reply(503, {"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "today"}, b"")
    assert wait_asked(at, clock=lambda: 1_792_567_680 + 10.0) == 20
    assert wait("Wed, 21 Oct 2020 07:28:00 GMT") == 0
    assert wait("Wed, 21 Oct 2099 07:28:00 GMT") == 3600


@pytest.mark.parametrize(("asked", "seconds"), [(-3, 0), (2.5, 2.5), (1e9, 3600), ("3", None), (True, None)])
def test_a_wait_in_the_body(asked: object, seconds: float | None) -> None:
    error = {"code": 429, "message": "x", "availability": {"retryable": True, "retry_after": asked}}
    with pytest.raises(ProviderRateLimited) as raised:
        ADAPTER.parse_reply(reply({"error": error}, 429))
    assert raised.value.retry_after == seconds


@pytest.mark.parametrize("status", [408, 500, 502, 504, 524])
def test_leave_to_retry_is_no_proof_that_nothing_ran(status: int) -> None:
    error = {"code": status, "message": "x", "availability": {"retryable": True}}
    with pytest.raises(ProviderAmbiguous):
        ADAPTER.parse_reply(reply({"error": error}, status))


@pytest.mark.parametrize("content", ["", " \n", None, [], "\x00"])
def test_empty_content_is_ambiguous_since_the_prompt_may_be_billed(content: object) -> None:
    with pytest.raises(ProviderAmbiguous, match="no text"):
        ADAPTER.parse_reply(answer({"finish_reason": "stop", "message": {"content": content}}))


def test_refusal_is_final() -> None:
    with pytest.raises(ProviderRejected, match="I can't"):
        ADAPTER.parse_reply(answer({"finish_reason": "stop", "message": {"content": None, "refusal": "I can't."}}))
    with pytest.raises(ProviderRejected, match="refused"):
        ADAPTER.parse_reply(answer({"finish_reason": "content_filter", "message": {"content": ""}}))


def test_no_room_for_an_answer_is_final() -> None:
    with pytest.raises(ProviderRejected) as raised:
        ADAPTER.parse_reply(answer({"finish_reason": "length", "message": {"content": "", "reasoning": "Hm"}}))
    assert "max_tokens" in raised.value.hint


def test_content_in_parts_is_joined() -> None:
    parts = [{"type": "text", "text": "Par"}, {"type": "image_url"}, {"type": "text", "text": "is"}, "?"]
    done = ADAPTER.parse_reply(answer({"finish_reason": "stop", "message": {"content": parts}}))
    assert done.text == "Paris"


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"choices":[', b"[]", b"{}", b'{"choices":[]}', b'{"choices":[1]}'])
def test_a_success_that_cannot_be_read_is_ambiguous(body: bytes) -> None:
    with pytest.raises(ProviderAmbiguous):
        ADAPTER.parse_reply(Reply(200, {}, body))


def test_text_can_be_encoded_and_stored() -> None:
    body = rb'{"choices":[{"message":{"content":"a\ud800b\u0000c\n\td"}}]}'
    done = ADAPTER.parse_reply(Reply(200, {}, body))
    assert done.text == "abc\n\td"


def test_long_messages_are_cut() -> None:
    with pytest.raises(ProviderRejected) as raised:
        ADAPTER.parse_reply(reply({"error": {"message": "x" * 100_000}}, 400))
    assert len(raised.value.message) < 600
