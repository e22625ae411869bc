"""A text that is canceled while it is streamed: its connection is closed, which is all that a provider can be told."""

import asyncio
import json

import pytest
from aiohttp import web

from genesis.domain.identity import new_id
from genesis.errors import AttemptCanceled
from genesis.settings import Settings
from tests.support.providers.base import serving
from tests.support.worker_servers import call, in_process

PLENTY = 60.0
PIECE = {"model": "m", "choices": [{"delta": {"content": "One, "}}]}


def settings_for(url, folder):
    """Every provider that streams over HTTP, at one server."""
    return Settings(
        storage_path=folder,
        openrouter_api_key="key-of-a-test",
        openrouter_base_url=url,
        openai_api_key="key-of-a-test",
        openai_base_url=url,
        huggingface_api_key="key-of-a-test",
        huggingface_base_url=url,
        openai_compatible_servers={"mine": {"url": url, "models": {"text": ["m"]}}},
    )


@pytest.mark.parametrize("name", ["openrouter", "openai", "huggingface", "mine"])
async def test_a_cancel_closes_the_stream(name, tmp_path):
    closed, heard, attempt = asyncio.Event(), asyncio.Event(), new_id()

    async def endless(request):
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            while True:
                await response.write(f"data: {json.dumps(PIECE)}\n\n".encode())
                await asyncio.sleep(0.01)
        except (ConnectionError, asyncio.CancelledError):
            closed.set()
            raise

    app = web.Application()
    app.router.add_post("/{path:.*}", endless)
    async with serving(app) as url, in_process("text", settings_for(url, tmp_path)) as client:
        generating = asyncio.create_task(
            client.generate(call(attempt=attempt, model=f"{name}:m"), lambda _: heard.set())
        )
        async with asyncio.timeout(PLENTY):
            await heard.wait()
            await client.cancel("text", attempt, None)
            with pytest.raises(AttemptCanceled):
                await generating
            await closed.wait()
