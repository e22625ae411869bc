"""Text that a real model writes."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="module")
CHAT = "/v1/chat/completions"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def text(caller_for: Callable[[str], Any]) -> AsyncIterator[Any]:
    async with caller_for("text") as caller:
        yield caller


def user(content: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": content}]


async def test_an_answer_is_text_with_its_usage_and_the_same_for_the_same_seed(text: Any) -> None:
    request = {"messages": user("Name three fruits."), "max_tokens": 40, "temperature": 0.8, "seed": 7}
    answers = [(await text.call(CHAT, json=request))[1] for _ in range(2)]
    choice = answers[0]["choices"][0]
    assert len(choice["message"]["content"].split()) > 3
    assert answers[1]["choices"][0]["message"] == choice["message"]
    usage = answers[0]["usage"]
    assert 0 < usage["completion_tokens"] <= 40
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    other = (await text.call(CHAT, json={**request, "seed": 8}))[1]
    assert other["choices"][0]["message"] != choice["message"]


async def test_a_streamed_answer_is_the_same_in_pieces(text: Any) -> None:
    request = {"messages": user("Write a sentence about the sea."), "seed": 7, "max_tokens": 24}
    _, whole, _ = await text.call(CHAT, json=request)
    status, events, headers = await text.call(CHAT, json={**request, "stream": True})
    assert (status, headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
    *chunks, done = [event.removeprefix(b"data: ") for event in events.strip().split(b"\n\n")]
    assert done == b"[DONE]"
    read = [json.loads(chunk) for chunk in chunks]
    pieces = [chunk["choices"][0]["delta"].get("content", "") for chunk in read]
    assert "".join(pieces) == whole["choices"][0]["message"]["content"]
    assert len(pieces) > 5
    assert read[-1]["usage"] == whole["usage"]
    assert read[-1]["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"]


async def test_a_stream_that_cannot_begin_is_refused(text: Any) -> None:
    request = {"messages": user("word " * 3000), "stream": True}
    assert (await text.refused(CHAT, json=request))["code"] == "context_length_exceeded"
    assert await text.refused(CHAT, json={"messages": user(" "), "stream": True})


async def test_a_stop_text_ends_the_answer(text: Any) -> None:
    request = {"messages": user("Count from one to ten, with commas."), "max_tokens": 60, "stop": [","], "seed": 1}
    choice = (await text.call(CHAT, json=request))[1]["choices"][0]
    assert choice["finish_reason"] == "stop"
    assert "," not in choice["message"]["content"]


async def test_examples_and_a_begun_answer_are_followed(text: Any) -> None:
    begun = "A picture of a red bicycle, sketch style, with"
    messages = [*user("Describe a red bicycle in sketch style."), {"role": "assistant", "content": begun}]
    request = {"messages": messages, "max_tokens": 30, "stop": ["\n"], "seed": 1}
    content = (await text.call(CHAT, json=request))[1]["choices"][0]["message"]["content"]
    assert content.startswith(begun)
    assert len(content) > len(begun)


async def test_a_prompt_beyond_the_context_is_refused_with_the_limit(text: Any) -> None:
    error = await text.refused(CHAT, json={"messages": user("word " * 3000)})
    assert error["code"] == "context_length_exceeded"
    assert "2048" in error["message"]


async def test_bad_requests_are_refused(text: Any) -> None:
    for request in ({}, {"messages": []}, {"messages": user(" ")}, {"messages": user("x"), "stream": 3}):
        assert (await text.refused(CHAT, json=request))["type"] == "invalid_request_error"
    await text.refused("/v1/audio/speech", 404, json={"input": "x"})
    assert (await text.refused(CHAT, 413, data=io.BytesIO(bytes(1_100_000))))["code"] == "request_too_large"


async def test_only_the_token_opens_the_door(text: Any) -> None:
    for token in ("", "wrong", "\u00e9"):
        for path in ("/health", CHAT, "/nowhere"):
            assert (await text.refused(path, 401, token=token))["code"] == "invalid_api_key"


async def test_a_second_generation_is_refused_while_health_is_answered(text: Any) -> None:
    long = {"messages": user("Write a long story about the sea."), "max_tokens": 400, "seed": 1}
    first = asyncio.create_task(text.call(CHAT, json=long))
    while not (await text.call("/health"))[1]["busy"]:
        await asyncio.sleep(0.01)
    status, document, headers = await text.call(CHAT, json={"messages": user("Hello")})
    assert not first.done()
    assert (status, document["error"]["code"], headers["Retry-After"]) == (503, "busy", "1")
    assert (await text.call("/health"))[1]["status"] == "ok"
    assert (await first)[0] == 200
    assert (await text.call(CHAT, json={"messages": user("Hello"), "max_tokens": 4}))[0] == 200
