"""Texts that end before they are complete: whoever gets one is told, streamed or not."""

import json
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from genesis.settings import Settings
from tests.support.providers.base import serving
from tests.support.worker_servers import call, in_process

AT_THE_END = "The text ends at the longest answer that the model gives; options.max_tokens may allow more."
FILTERED = "The provider's filter has cut the text."


@asynccontextmanager
async def writing(tmp_path, text, finish_reason):
    """A worker whose model writes a text and ends it for a reason."""

    async def chat(request):
        choice = {"index": 0, "finish_reason": finish_reason}
        if not (await request.json()).get("stream"):
            return web.json_response({"choices": [{**choice, "message": {"content": text}}]})
        chunks = [{**choice, "finish_reason": None, "delta": {"content": text}}, {**choice, "delta": {}}]
        events = "".join(f"data: {json.dumps({'choices': [chunk]})}\n\n" for chunk in chunks)
        return web.Response(text=f"{events}data: [DONE]\n\n", content_type="text/event-stream")

    app = web.Application()
    app.router.add_post("/chat/completions", chat)
    async with serving(app) as url:
        servers = {"mine": {"url": url, "models": {"text": ["m"]}}}
        settings = Settings(openai_compatible_servers=servers, storage_path=tmp_path, local_provider=False)
        async with in_process("text", settings) as client:
            yield client


@pytest.mark.parametrize("on_delta", [None, [].append])
@pytest.mark.parametrize(
    ("finish_reason", "options", "warnings"),
    [
        ("stop", {}, ()),
        ("length", {}, (AT_THE_END,)),
        ("length", {"max_tokens": 5}, ()),
        ("content_filter", {}, (FILTERED,)),
        ("content_filter", {"max_tokens": 5}, (FILTERED,)),
        (None, {}, ()),
    ],
)
async def test_why_a_text_ended(tmp_path, on_delta, finish_reason, options, warnings):
    async with writing(tmp_path, "Half a sen", finish_reason) as client:
        result = await client.generate(call(model="mine:m", **options), on_delta)
    assert (result.output, result.warnings) == ({"text": "Half a sen"}, warnings)


@pytest.mark.parametrize("on_delta", [None, [].append])
async def test_a_text_that_is_too_long_to_be_kept(tmp_path, on_delta):
    async with writing(tmp_path, "a" * 1_000_001, "stop") as client:
        result = await client.generate(call(model="mine:m"), on_delta)
    assert result.output == {"text": "a" * 1_000_000}
    assert result.warnings == ("The text was cut after 1,000,000 characters.",)
