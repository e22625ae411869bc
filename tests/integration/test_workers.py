"""The workers over real HTTP, called by the gateway's own client and by strangers."""

from contextlib import AsyncExitStack, asynccontextmanager

import httpx2
import pytest
from aiohttp import web

from genesis.capabilities.catalog import CAPABILITIES
from genesis.errors import (
    ProviderAmbiguous,
    WorkerUnavailable,
)
from genesis.settings import Settings
from tests.support.processes import free_port
from tests.support.worker_servers import call, client_of, running
from workers.app import create_worker


@pytest.fixture
def settings(tmp_path):
    return Settings(
        storage_path=tmp_path / "storage",
        fake_provider=True,
        local_provider=False,
        log_level="ERROR",
        worker_slots=2,
    )


@pytest.mark.parametrize(
    ("capability", "body", "field"),
    [
        ("text", {"text": "hi"}, "text"),
        ("image", {"prompt": "a cat"}, "image_url"),
        ("speech", {"text": "hi"}, "audio_url"),
    ],
)
def test_a_stranger_can_use_a_worker_as_the_specification_says(settings, capability, body, field):
    with running(create_worker(capability, settings)) as url:
        answer = httpx2.post(url + "/generate", json=body).json()
        assert answer[field]
        assert answer["metadata"]["target"] == "fake:made-up"
        health = httpx2.get(url + "/health").json()
        assert (health["status"], health["worker"]) == ("ok", CAPABILITIES[capability].worker)
        assert {provider["name"]: provider["configured"] for provider in health["providers"]}["fake"]
        assert httpx2.get(url + "/docs").status_code == 200


@pytest.mark.parametrize("body", [{}, {"text": 4}, {"text": "x", "options": {"zzz": 1}}, {"text": "x", "more": 1}])
def test_what_is_wrong_is_a_problem(settings, body):
    with running(create_worker("text", settings)) as url:
        response = httpx2.post(url + "/generate", json=body)
        assert response.status_code == 422
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["code"] == "input-rejected"


async def test_a_worker_that_is_away_was_sent_nothing():
    async with client_of("text", f"http://127.0.0.1:{free_port()}") as client:
        with pytest.raises(WorkerUnavailable):
            await client.describe("text")
        with pytest.raises(WorkerUnavailable):
            await client.generate(call())


async def test_the_wrong_worker_is_told(settings):
    async with AsyncExitStack() as stack:
        url = stack.enter_context(running(create_worker("speech", settings)))
        client = await stack.enter_async_context(client_of("text", url))
        with pytest.raises(WorkerUnavailable, match="tts"):
            await client.describe("text")


@asynccontextmanager
async def answering(handler):
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        async with client_of("text", f"http://127.0.0.1:{port}") as client:
            yield client
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("status", [200, 404, 500, 502, 503])
async def test_an_answer_that_the_worker_did_not_write_proves_nothing(status):
    async def ingress(request):
        return web.json_response({"text": "x", "code": "worker-busy"}, status=status)

    async with answering(ingress) as client:
        with pytest.raises(ProviderAmbiguous):
            await client.generate(call())


@pytest.mark.parametrize("body", [b"", b"not json", b"{}", b'{"metadata":{"target":"a:b"}}', b"[1]"])
@pytest.mark.parametrize("status", [200, 500])
async def test_a_garbled_answer_proves_nothing(status, body):
    async def garbled(request):
        return web.Response(
            body=body, status=status, headers={"Genesis-Attempt": request.headers.get("Genesis-Attempt", "")}
        )

    async with answering(garbled) as client:
        with pytest.raises(ProviderAmbiguous):
            await client.generate(call())
        with pytest.raises(WorkerUnavailable):
            await client.describe("text")


async def test_a_connection_lost_during_the_call_proves_nothing():
    async def hang_up(request):
        request.transport.close()
        return web.Response()

    async with answering(hang_up) as client:
        with pytest.raises(ProviderAmbiguous):
            await client.generate(call())
