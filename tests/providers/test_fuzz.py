"""Whatever a provider answers, an adapter gives a result, something pending, or a provider error."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.attempt import ProviderClass
from genesis.errors import FailureClass, ProviderError, ResultLost
from genesis.net.exchange import Reply, Request
from genesis.providers import elevenlabs, fake, fake_paid, fal, openai, openai_compatible, openrouter, replicate
from genesis.providers.base import Adapter, Chunk, Done, Pending, PollingAdapter, StreamingAdapter
from genesis.providers.huggingface import row as huggingface
from genesis.providers.local import adapter as local
from genesis.providers.registry import ROWS
from genesis.settings import Settings

CAPABLE = {"url": "http://server.test/v1", "models": {capability: ["m"] for capability in CAPABILITIES}}
SERVERS = Settings.model_validate({"openai_compatible_servers": {"compatible": CAPABLE}})
PROVIDERS = (
    openrouter.provider(Settings()),
    openai.provider(Settings()),
    *openai_compatible.providers(SERVERS, ()),
    huggingface.provider(Settings()),
    fal.provider(Settings()),
    replicate.provider(Settings()),
    elevenlabs.provider(Settings()),
    fake.provider(),
    *(fake_paid.provider(one, "http://paid.test") for one in ProviderClass if one is not ProviderClass.REPEATABLE),
    *(local.provider(capability) for capability in CAPABILITIES),
)
ADAPTERS = {
    f"{provider.name}-{capability}": service.adapter
    for provider in PROVIDERS
    for capability, service in provider.services.items()
}

STATUSES = st.one_of(
    st.sampled_from([200, 201, 202, 301, 400, 401, 402, 403, 404, 408, 410, 422, 429, 500, 502, 503, 504, 524, 529]),
    st.integers(-1, 1000),
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "content-type",
            "retry-after",
            "date",
            "ratelimit",
            "x-fal-error-type",
            "x-generation-id",
            "retry-after-ms",
            "character-cost",
            "request-id",
            "x-litellm-response-cost",
        ]
    ),
    st.one_of(
        st.text(max_size=30),
        st.sampled_from(["application/json", "image/png", "9" * 400, "1e400", "\u0663", '"a";r=0;t=9', "-0"]),
        st.sampled_from(["Wed, 21 Oct 2026 07:28:30 GMT", "Wed, 21 Oct 9999 23:59:59 -9999", "1 Jan 0001 00:00 +2359"]),
    ),
)
NAMES = st.sampled_from(
    """
    error choices message content refusal finish_reason metadata error_type reasons flagged_input availability code
    retryable retry_after usage cost model images image audio url text data b64_json status response_url detail msg
    estimated_time id output metrics transcription segments chunks has_nsfw_concepts
    urls get outputs task_status image_result audio_duration_secs
    object type words start end word duration seconds input_tokens prompt_tokens completion_tokens
    """.split()
)
VALUES = st.sampled_from(
    [
        "error",
        "length",
        "IN_QUEUE",
        "COMPLETED",
        "starting",
        "succeeded",
        "processing",
        "PROCESSING",
        "completed",
        "https://queue.fal.run/a/requests/1",
        "https://h/a",
        "https://[",
        "//",
        "data:,",
        "\ud800",
        "",
        "429",
        "a,b=",
    ]
)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=True), st.text(max_size=8), VALUES, st.just(10**400)
)
DOCUMENTS: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=5)),
    max_leaves=25,
)
CHAT = st.fixed_dictionaries(
    {"choices": st.lists(st.fixed_dictionaries({"message": DOCUMENTS, "finish_reason": LEAVES}), max_size=2)},
    optional={"usage": DOCUMENTS, "error": DOCUMENTS, "model": DOCUMENTS},
)
MAGIC = st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"RIFF....WAVE", b"ID3", b"<html>", b'{"a":' * 3000, b"[" * 9000])
EXTREMES = st.sampled_from(
    [b'{"usage":{"cost":1e99999},"choices":[{"message":{"content":"x"}}]}', b'{"estimated_time":1e99999}', b"1" * 5000]
)
BODIES = st.one_of(
    st.binary(max_size=60),
    st.tuples(MAGIC, st.binary(max_size=20)).map(b"".join),
    EXTREMES,
    st.one_of(DOCUMENTS, CHAT).map(lambda document: json.dumps(document).encode()),
)
POLLS = (
    *("/fal-ai/", "/replicate/", "/wavespeed/", "/zai-org/"),  # of Hugging Face
    *("/queue/jobs/", "https://queue.fal.run/", "/v1/predictions/"),
)
TASKS = st.fixed_dictionaries(
    {},
    optional={
        "status": LEAVES,
        "task_status": LEAVES,
        "urls": st.fixed_dictionaries({"get": LEAVES}),
        "data": st.fixed_dictionaries(
            {"status": LEAVES}, optional={"id": LEAVES, "urls": DOCUMENTS, "outputs": DOCUMENTS}
        ),
        "output": DOCUMENTS,
        "error": LEAVES,
        "response_url": LEAVES,
    },
)


def outcome(adapter: Adapter, reply: Reply) -> Done | Pending | ProviderError:
    try:
        return adapter.parse_reply(reply)
    except ProviderError as error:
        return error


@pytest.mark.parametrize("name", ADAPTERS)
@given(status=STATUSES, headers=HEADERS, body=BODIES)
def test_every_reply_is_understood_or_refused(name: str, status: int, headers: dict[str, str], body: bytes) -> None:
    result = outcome(ADAPTERS[name], Reply(status, headers, body))
    if isinstance(result, ProviderError):
        result.message.encode()
        assert result.retry_after is None or 0 <= result.retry_after <= 3600
        assert result.cost is None or 0 <= result.cost < 2**63
        if 200 <= status < 300 and name.startswith(
            ("openrouter", "openai", "compatible", "huggingface", "fal-", "elevenlabs")
        ):
            assert result.failure is not FailureClass.SAFE or b'"error_type"' in body
        return
    if isinstance(result, Pending):
        assert result.poll.url.startswith(POLLS)
        assert result.wait_seconds >= 0
        return
    assert isinstance(result, Done)
    assert [result.text, result.media, result.media_url].count(None) == 2
    json.dumps(result.usage, allow_nan=False).encode()
    assert result.text is None or result.text.strip().encode()
    assert result.cost is None or 0 <= result.cost < 2**63


POLLING = {name: adapter for name, adapter in ADAPTERS.items() if isinstance(adapter, PollingAdapter)}


@pytest.mark.parametrize("name", POLLING)
@given(status=STATUSES, document=TASKS)
def test_every_answer_to_a_poll_is_understood_or_refused(name: str, status: int, document: dict[str, Any]) -> None:
    poll = Request("GET", "/zai-org/api/paas/v4/async-result/1")
    try:
        result = POLLING[name].parse_poll(poll, Reply(status, {}, json.dumps(document).encode()))
    except (ProviderError, ResultLost) as error:
        error.message.encode()
        return
    assert not isinstance(result, Pending) or result.poll.url.startswith(POLLS)


DELTAS = st.fixed_dictionaries(
    {"choices": st.lists(st.fixed_dictionaries({"delta": DOCUMENTS, "finish_reason": LEAVES}), max_size=2)},
    optional={"usage": DOCUMENTS, "error": DOCUMENTS, "model": DOCUMENTS},
)
EVENTS = st.one_of(
    st.binary(max_size=60),
    EXTREMES,
    st.sampled_from([b"[DONE]", b" [DONE] ", b"[" * 9000]),
    st.one_of(DOCUMENTS, DELTAS).map(lambda document: json.dumps(document).encode()),
)
STREAMING = {name: adapter for name, adapter in ADAPTERS.items() if isinstance(adapter, StreamingAdapter)}


@pytest.mark.parametrize("name", STREAMING)
@given(events=st.lists(EVENTS, max_size=6))
def test_every_stream_is_understood_or_refused(name: str, events: list[bytes]) -> None:
    adapter = STREAMING[name]
    done = assembled(adapter, events)
    if isinstance(done, ProviderError):
        done.message.encode()
        assert done.cost is None or 0 <= done.cost < 2**63
        return
    assert done.text
    done.text.encode()
    json.dumps(done.usage, allow_nan=False).encode()
    assert done.cost is None or 0 <= done.cost < 2**63


def assembled(adapter: StreamingAdapter, events: list[bytes]) -> Done | ProviderError:
    try:
        read = [adapter.parse_chunk(event) for event in events]
        whole = Chunk(
            text="".join(chunk.text for chunk in read),
            finish_reason=next((chunk.finish_reason for chunk in read if chunk.finish_reason), None),
            usage=next((chunk.usage for chunk in read if chunk.usage is not None), None),
            model=next((chunk.model for chunk in read if chunk.model), None),
            refusal="".join(chunk.refusal for chunk in read),
        )
        return adapter.assemble(whole)
    except ProviderError as error:
        return error


def test_those_that_stream_are_fuzzed() -> None:
    assert {name.partition("-text")[0] for name in STREAMING} == {
        *("openrouter", "openai", "compatible", "huggingface", "fake", "local", "fake-keyed", "fake-opaque")
    }


def test_every_provider_is_fuzzed() -> None:
    settings = Settings(fake_provider=True, fake_url="http://paid.test")
    names = {row.build(settings, "text").name for row in ROWS}
    assert names | set(SERVERS.openai_compatible_servers) == {provider.name for provider in PROVIDERS}
