"""What OpenRouter's records say of a call whose reply was cut off: every answer, and how long it is asked."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis.domain.money import Money
from genesis.domain.quantity import Unit
from genesis.errors import ProviderAmbiguous, ProviderError, ProviderRejected, ResultLost
from genesis.net.exchange import Reply, Request
from genesis.providers.base import (
    BillingAdapter,
    Done,
    Pending,
    PollingAdapter,
    RecoverableAdapter,
)
from genesis.providers.openrouter import provider
from genesis.providers.openrouter_generation import Recorded
from genesis.providers.openrouter_media import OpenRouterSpeech
from genesis.providers.openrouter_text import OpenRouterText
from genesis.settings import Settings

TEXT, SPEECH = OpenRouterText(), OpenRouterSpeech()
HEADERS = {"x-generation-id": "gen-1760000000-aBc"}
RECORD = {
    "id": "gen-1760000000-aBc",
    "total_cost": 0.000141,
    "model": "openai/gpt-4o-mini",
    "finish_reason": "stop",
    "cancelled": False,
    "tokens_prompt": 12,
    "tokens_completion": 4,
}


def reply(document: object, status: int = 200, **headers: str) -> Reply:
    return Reply(status, {"content-type": "application/json", **headers}, json.dumps(document).encode())


def record(**changes: object) -> Reply:
    return reply({"data": {**RECORD, **changes}})


def kept(text: object, error: object = None) -> Reply:
    return reply(
        {"data": {"input": {"prompt": "Hi"}, "output": {"completion": text, "reasoning": None}, "error": error}}
    )


def missing() -> Reply:
    return reply({"error": {"code": 404, "message": "Generation not found"}}, 404)


def asked(adapter: Recorded = TEXT, *answers: Reply) -> Pending:
    """What is asked after these answers."""
    pending = adapter.recover(HEADERS)
    for answer in answers:
        pending = adapter.parse_poll(pending.poll, answer)
        assert isinstance(pending, Pending)
    assert isinstance(pending, Pending)
    return pending


def after(*answers: Reply, adapter: Recorded = TEXT) -> Done | Pending:
    return adapter.parse_poll(asked(adapter, *answers[:-1]).poll, answers[-1])


def sent(request: Request) -> tuple[str, str]:
    return request.method, request.url.partition("#")[0]


def test_every_adapter_can_be_asked_for_its_calls() -> None:
    for service in provider(Settings()).services.values():
        assert isinstance(service.adapter, RecoverableAdapter)
        assert isinstance(service.adapter, PollingAdapter)
        assert isinstance(service.adapter, BillingAdapter)


def test_the_record_is_asked_for_then_the_text() -> None:
    assert sent(asked().poll) == ("GET", "/generation?id=gen-1760000000-aBc")
    assert sent(asked(TEXT, record()).poll) == ("GET", "/generation/content?id=gen-1760000000-aBc")


@pytest.mark.parametrize(
    "headers", [{}, {"x-generation-id": ""}, {"x-generation-id": "a b"}, {"x-generation-id": "a/b"}]
)
def test_without_a_generation_there_is_nothing_to_ask(headers: dict[str, str]) -> None:
    assert TEXT.recover(headers) is None


def test_a_text_that_is_kept_is_the_result() -> None:
    done = after(missing(), record(), kept("Paris."))
    assert isinstance(done, Done)
    assert (done.text, done.cost, done.model) == ("Paris.", Money(141), "openai/gpt-4o-mini")
    assert done.quantities == {Unit.INPUT_TOKENS: 12, Unit.OUTPUT_TOKENS: 4}
    assert json.dumps(done.usage) == '{"cost": 0.000141, "prompt_tokens": 12, "completion_tokens": 4}'


def test_patience_grows_and_ends_in_doubt() -> None:
    asking = [asked(TEXT, *[missing()] * times) for times in range(12)]
    assert [pending.wait_seconds for pending in asking] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30, 30, 30]
    with pytest.raises(ProviderAmbiguous, match="no record") as raised:
        after(*[missing()] * 12)
    assert raised.value.cost is None
    assert "gen-1760000000-aBc" in raised.value.hint


def test_a_text_that_goes_on_is_waited_for() -> None:
    going_on = record(finish_reason=None, total_cost=0)
    assert sent(asked(TEXT, going_on).poll) == ("GET", "/generation?id=gen-1760000000-aBc")
    assert sent(asked(TEXT, going_on, record()).poll)[1].startswith("/generation/content")
    with pytest.raises(ResultLost) as raised:
        after(*[going_on] * 12)
    assert raised.value.cost == 0


@pytest.mark.parametrize(
    "answers",
    [
        (record(cancelled=True),),
        (record(cancelled=True, finish_reason=None),),
        (record(), kept(None)),
        (record(), reply({"data": {}})),
        (record(), *[missing()] * 4),
        (record(), *[reply({"error": {"code": 403}}, 403)] * 4),
        (record(), *[reply({"error": {"code": 500}}, 500)] * 4),
    ],
)
def test_what_was_made_and_is_not_to_be_had_is_lost_with_its_cost(answers: tuple[Reply, ...]) -> None:
    with pytest.raises(ResultLost) as raised:
        after(*answers)
    assert raised.value.cost == 141
    assert "gen-1760000000-aBc" in raised.value.hint


def test_a_file_is_lost_as_soon_as_it_is_on_record() -> None:
    with pytest.raises(ResultLost) as raised:
        after(missing(), record(finish_reason=None), adapter=SPEECH)
    assert raised.value.cost == 141


def test_a_model_that_failed_says_why_and_what_it_cost() -> None:
    with pytest.raises(ProviderAmbiguous, match="The upstream broke") as raised:
        after(record(), kept(None, {"message": "The upstream broke", "status": 502}))
    assert raised.value.cost == 141


def test_an_answer_that_ended_without_text_is_final() -> None:
    with pytest.raises(ProviderRejected, match="refused") as raised:
        after(record(finish_reason="content_filter"), kept(""))
    assert raised.value.cost == 141


@pytest.mark.parametrize("status", [200, 400, 401, 403, 500, 524])
def test_a_record_that_is_refused_proves_nothing(status: int) -> None:
    with pytest.raises(ProviderAmbiguous):
        after(reply({"error": {"code": status, "message": "No."}}, status))


def test_a_wait_that_is_asked_for_is_kept() -> None:
    answer = after(record(), reply({"error": {"code": 429}}, 429, **{"retry-after": "7"}))
    assert isinstance(answer, Pending)
    assert answer.wait_seconds == 7


@pytest.mark.parametrize(
    "url",
    [
        "/generation",
        "/generation?id=a",
        "/generation?id=a#x",
        "/generation?id=a#W10",
        "/generation?id=a#eyJhc2tlZCI6IDEyLCAia25vd24iOiB7fX0",
        "/generation?id=a#eyJhc2tlZCI6IC0xLCAia25vd24iOiB7fX0",
        "/generation?id=a/..#eyJhc2tlZCI6IDEsICJrbm93biI6IHt9fQ",
    ],
)
def test_a_poll_of_somebody_else_is_in_doubt(url: str) -> None:
    with pytest.raises(ProviderAmbiguous, match="names no generation"):
        TEXT.parse_poll(Request("GET", url), record())


def test_the_cost_of_a_record() -> None:
    assert SPEECH.parse_cost(record()) == Money(141)
    assert SPEECH.parse_cost(missing()) is None
    assert SPEECH.parse_cost(reply({"data": None})) is None
    assert SPEECH.parse_cost(record(total_cost=None)) is None


def test_a_reply_without_a_cost_names_where_it_is_told() -> None:
    body = {"choices": [{"message": {"content": "x"}}], "usage": {"cost": None}}
    done = TEXT.parse_reply(reply(body, **HEADERS))
    assert done.cost_request == Request("GET", "/generation?id=gen-1760000000-aBc")
    told = TEXT.parse_reply(reply({**body, "usage": {"cost": 1}}, **HEADERS))
    assert (told.cost, told.cost_request) == (Money(1_000_000), None)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just("\ud800"), st.just("²"),
    st.just(10**400), st.lists(st.none(), max_size=2),
)  # fmt: skip
RECORDS = st.fixed_dictionaries({}, optional=dict.fromkeys(RECORD, VALUES))
BODIES = st.one_of(
    st.binary(max_size=40).map(lambda body: Reply(200, {}, body)),
    RECORDS.map(lambda changes: record(**changes)),
    VALUES.map(kept),
    VALUES.map(lambda error: kept("x", error)),
    st.sampled_from([missing(), reply({"data": []}), reply({}, 500)]),
)


def outcome(answers: list[Reply]) -> Done | Pending | ProviderError | ResultLost:
    pending = asked()
    for one in answers:
        try:
            answer = TEXT.parse_poll(pending.poll, one)
        except (ProviderError, ResultLost) as error:
            return error
        if isinstance(answer, Done):
            return answer
        pending = answer
    return pending


@given(st.lists(BODIES, min_size=1, max_size=6))
def test_all_answers_are_understood_or_refused(answers: list[Reply]) -> None:
    answer = outcome(answers)
    if isinstance(answer, Pending):
        assert answer.poll.url.isascii()
    elif isinstance(answer, Done):
        assert answer.text
        json.dumps(answer.usage, allow_nan=False).encode()
        assert all(isinstance(count, Decimal) for count in answer.quantities.values())
    else:
        assert answer.cost is None or 0 <= answer.cost < 2**63
