"""The workers over real HTTP, called by the gateway's own client and by strangers."""

import asyncio
import threading
import time
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import aiohttp
import httpx2
import pytest
import uvicorn
from aiohttp import web

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.identity import new_id
from genesis.errors import (
    AttemptCanceled,
    InputRejected,
    ProviderAmbiguous,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
    WorkerBusy,
    WorkerUnavailable,
)
from genesis.ports.workers import Call
from genesis.settings import Settings
from genesis.transport.http import HttpWorkers
from tests.support.processes import free_port
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


@contextmanager
def running(app):
    """A worker in a thread with its own event loop, on a real port."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


@asynccontextmanager
async def client_of(capability, url):
    async with aiohttp.ClientSession() as session:
        yield HttpWorkers(session, {capability: url}, call_seconds=20)


@asynccontextmanager
async def worker(capability, settings):
    async with AsyncExitStack() as stack:
        url = stack.enter_context(running(create_worker(capability, settings)))
        yield await stack.enter_async_context(client_of(capability, url))


def call(capability="text", value="hi", **options):
    name = next(iter(CAPABILITIES[capability].input.model_fields))
    return Call(new_id(), new_id(), capability, {name: value}, options)


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


async def test_files_go_through_the_shared_store(settings):
    async with worker("image", settings) as client:
        made = await client.generate(call("image", "a cat", style="oil"))
    assert made.artifact is not None
    assert made.artifact.media_type == "image/png"
    assert made.output == {"image_url": made.artifact.url}
    assert (settings.storage_path / made.artifact.key).stat().st_size == made.artifact.size
    async with worker("image_transform", settings) as client:
        changed = await client.generate(call("image_transform", made.artifact.url))
    assert changed.output["image_url"].startswith("/storage/images/")


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("[fail-safe]", ProviderUnavailable),
        ("[fail-final]", ProviderRejected),
        ("[rate-limited]", ProviderRateLimited),
        ("[ambiguous]", ProviderAmbiguous),
    ],
)
async def test_failures_keep_their_kind_across_the_wire(settings, prompt, kind):
    async with worker("text", settings) as client:
        with pytest.raises(kind) as caught:
            await client.generate(call(value=prompt))
    if kind is ProviderRateLimited:
        assert caught.value.retry_after == 1


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"model": "nobody:x"}, ProviderRejected),
        ({"model": "fake:x"}, ProviderRejected),
        ({"model": "openrouter:x"}, ProviderMisconfigured),
        ({"temperature": 99}, InputRejected),
    ],
)
async def test_impossible_calls_are_refused(settings, options, kind):
    async with worker("text", settings) as client:
        with pytest.raises(kind):
            await client.generate(call(**options))


async def test_without_any_provider_it_says_what_to_set(settings):
    bare = settings.model_copy(update={"fake_provider": False})
    async with worker("text", bare) as client:
        assert (await client.describe("text")).chain == ()
        with pytest.raises(ProviderMisconfigured) as caught:
            await client.generate(call())
    assert "OPENROUTER_API_KEY" in caught.value.hint


async def test_a_full_worker_refuses(settings):
    slow = settings.model_copy(update={"fake_delay_ms": 60_000})
    async with worker("text", slow) as client:
        calls = [call() for _ in range(2)]
        tasks = [asyncio.create_task(client.generate(one)) for one in calls]
        async with asyncio.timeout(20):
            while True:
                # A probe that comes too early takes a slot itself; it is canceled and tried again.
                probe = call()
                task = asyncio.create_task(client.generate(probe))
                done, _ = await asyncio.wait({task}, timeout=0.5)
                if done:
                    break
                await client.cancel("text", probe.attempt)
                await asyncio.gather(task, return_exceptions=True)
        with pytest.raises(WorkerBusy):
            task.result()
        for one in calls:
            await client.cancel("text", one.attempt)
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(answer) for answer in answers} == {AttemptCanceled}


async def test_cancel_of_an_unknown_attempt_is_nothing(settings):
    async with worker("text", settings) as client:
        await client.cancel("text", new_id())


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
