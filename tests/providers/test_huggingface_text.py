"""Hugging Face: text over the router, plain and streamed."""

import json

import pytest

from genesis.domain.quantity import Unit
from genesis.errors import (
    ModelUnavailable,
    ProviderAmbiguous,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
)
from genesis.net.exchange import Reply, Request
from genesis.providers.base import Done, ProviderCall, StreamingAdapter
from genesis.providers.huggingface.row import provider
from genesis.settings import Settings

TEXT = provider(Settings()).services["text"].adapter
OPTIONS = {
    "system": "Be brief.",
    "examples": [{"text": "1+1?", "answer": "2"}],
    "temperature": 0.5,
    "top_p": 0.9,
    "max_tokens": 50,
    "stop": ["END"],
    "seed": 7,
}


def refused(status, document, **headers):
    with pytest.raises(Exception) as raised:  # noqa: PT011 - each test looks at its type
        TEXT.parse_reply(Reply(status, headers, json.dumps(document).encode()))
    return raised.value


def test_a_request_with_all_options():
    assert set(OPTIONS) == set(TEXT.options)
    call = ProviderCall("openai/gpt-oss-120b:groq", "2+2?", None, OPTIONS, {"reasoning_effort": "low"})
    assert TEXT.build_request(call) == Request(
        "POST",
        "/v1/chat/completions",
        json={
            "model": "openai/gpt-oss-120b:groq",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "1+1?"},
                {"role": "assistant", "content": "2"},
                {"role": "user", "content": "2+2?"},
            ],
            "temperature": 0.5,
            "top_p": 0.9,
            "stop": ["END"],
            "seed": 7,
            "max_tokens": 50,
            "reasoning_effort": "low",
        },
    )


def test_a_streamed_request_asks_for_the_tokens_at_its_end():
    assert isinstance(TEXT, StreamingAdapter)
    body = TEXT.build_stream(ProviderCall("a/b", "hi")).json
    assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})
    without = TEXT.build_stream(ProviderCall("a/b", "hi", provider_options={"stream_options": None})).json
    assert without["stream_options"] is None


def test_an_answer(stored):
    assert TEXT.parse_reply(stored("huggingface/chat.json")) == Done(
        text="Hello.",
        usage={"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8},
        quantities={Unit.INPUT_TOKENS: 5, Unit.OUTPUT_TOKENS: 3},
        finish_reason="stop",
    )


def test_chunks():
    assert isinstance(TEXT, StreamingAdapter)
    events = [
        b'{"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}],"model":"m"}',
        b'{"choices":[{"delta":{"content":"Hel"},"finish_reason":null}]}',
        b'{"choices":[{"delta":{"content":"lo."},"finish_reason":"stop"}]}',
        b'{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":3}}',
        b"[DONE]",
    ]
    chunks = [TEXT.parse_chunk(event) for event in events]
    assert "".join(chunk.text for chunk in chunks) == "Hello."
    assert chunks[2].finish_reason == "stop"
    assert chunks[3].usage == {"prompt_tokens": 5, "completion_tokens": 3}
    assert chunks[4].last


@pytest.mark.parametrize(
    "event",
    [
        b'{"error":{"message":"The model went down","type":"server_error"}}',
        b'{"error":"The model went down","error_type":"generation"}',
        b'{"message":"The model went down","error":true}',
    ],
)
def test_an_error_in_a_stream_is_in_doubt(event):
    assert isinstance(TEXT, StreamingAdapter)
    with pytest.raises(ProviderAmbiguous, match="went down"):
        TEXT.parse_chunk(event)


def test_an_error_behind_a_success_is_in_doubt():
    error = refused(200, {"error": {"message": "Upstream failed"}})
    assert type(error) is ProviderAmbiguous
    assert "Upstream failed" in error.message


def test_a_model_that_nobody_serves(stored):
    with pytest.raises(ModelUnavailable, match="not supported by any provider") as raised:
        TEXT.parse_reply(stored("huggingface/chat_not_supported_400.json", 400))
    assert "settings/inference-providers" in raised.value.hint


@pytest.mark.parametrize(
    ("status", "kind", "hint"),
    [
        (401, ProviderMisconfigured, "HUGGINGFACE_API_KEY; `genesis-server check`"),
        (402, ProviderMisconfigured, "credit"),
        (403, ProviderMisconfigured, "Inference Providers"),
        (404, ModelUnavailable, "another model"),
        (422, ProviderRejected, ""),
        (429, ProviderRateLimited, ""),
        (500, ProviderAmbiguous, ""),
        (502, ProviderAmbiguous, ""),
        (503, ProviderUnavailable, ""),
        (504, ProviderAmbiguous, ""),
    ],
)
@pytest.mark.parametrize("document", [{"error": "oops"}, {"error": {"message": "oops"}}, {"message": "oops"}])
def test_errors_by_status(status, kind, hint, document):
    error = refused(status, document)
    assert type(error) is kind
    assert "oops" in error.message
    assert hint in error.hint


def test_a_rate_limit_tells_its_wait_in_the_headers_of_the_ietf():
    headers = {"ratelimit": '"api";r=0;t=55', "ratelimit-policy": '"fixed window";"api";q=500;w=300'}
    assert refused(429, {"error": "slow down"}, **headers).retry_after == 55
