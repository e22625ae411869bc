"""fal's own client drives the fake, so that the fake is true to the protocol."""

import asyncio

import fal_client
import pytest
from fal_client.client import Completed, FalClientHTTPError, InProgress

from tests.support.providers import fal
from tests.support.providers.base import serving


@pytest.fixture
async def server(monkeypatch):
    """The client knows only fal's own host, over HTTPS; the test says where it is."""
    provider = fal.FakeFal()
    async with serving(fal.app_of(provider)) as url:
        monkeypatch.setattr("fal_client.client.QUEUE_URL_FORMAT", f"{url}/")
        client = fal_client.AsyncClient(key=provider.key)
        yield provider, client
        await closed(client)


async def closed(client):
    """The client has no end of its own; what it opened is closed for it."""
    await (await client._client).aclose()


async def test_a_request_is_submitted_polled_and_read(server):
    provider, client = server
    handle = await client.submit("fal-ai/flux/dev", {"prompt": "a cat"})
    assert isinstance(await handle.status(with_logs=True), InProgress)
    status = await handle.status()
    assert isinstance(status, Completed)
    assert status.metrics == {"inference_time": 0.5}
    result = await handle.get()
    assert result["images"][0]["url"].endswith(".png")
    assert [charge.capability for charge in provider.charges] == ["image"]
    assert provider.requests[-1] == f"GET /fal-ai/flux/requests/{handle.request_id}"


async def test_every_form_of_result_is_read(server):
    provider, client = server
    speech = await client.submit("fal-ai/kokoro/american-english", {"prompt": "hello"})
    assert (await speech.get(interval=0.01))["audio"]["url"].endswith(".wav")
    words = await client.submit("fal-ai/whisper", {"audio_url": "https://files.example/a.wav"})
    assert (await words.get(interval=0.01))["text"] == " The spoken words."
    assert len(provider.charges) == 2


async def test_the_client_builds_the_same_urls_from_an_id(server):
    _, client = server
    given = await client.submit("fal-ai/flux/dev", {"prompt": "a cat"})
    made = await client.get_handle("fal-ai/flux/dev", given.request_id)
    assert (made.status_url, made.response_url, made.cancel_url) == (
        given.status_url,
        given.response_url,
        given.cancel_url,
    )


async def test_a_cancel_is_taken(server):
    provider, client = server
    handle = await client.submit("fal-ai/flux/dev", {"prompt": "a cat [fault:held]"})
    await handle.cancel()
    assert provider.queue[handle.request_id].canceled


async def test_failures_are_errors_of_the_client(server):
    _, client = server
    refused = await client.submit("fal-ai/flux/dev", {"prompt": "a cat [fault:model-error]"})
    with pytest.raises(FalClientHTTPError) as failed:
        await refused.get(interval=0.01)
    assert failed.value.status_code == 422
    assert failed.value.message[0]["type"] == "content_policy_violation"
    broken = await client.submit("fal-ai/flux/dev", {"prompt": "a cat [fault:runner-error]"})
    *_, status = [status async for status in broken.iter_events(interval=0.01)]
    assert (status.error, status.error_type) == ("Runner disconnected", "runner_disconnected")
    with pytest.raises(FalClientHTTPError) as unknown:
        await client.submit("nobody/none", {"prompt": "a cat"})
    assert unknown.value.status_code == 404
    stranger = fal_client.AsyncClient(key="id:other")
    with pytest.raises(FalClientHTTPError, match="fault 401"):
        await stranger.submit("fal-ai/flux/dev", {})
    await closed(stranger)


async def test_the_blocking_client_works_as_well(server):
    provider, _ = server
    client = fal_client.SyncClient(key=provider.key)
    result = await asyncio.to_thread(client.subscribe, "fal-ai/flux/dev", {"prompt": "a cat"})
    client._client.close()
    assert result["seed"] == 7
    assert len(provider.charges) == 1
