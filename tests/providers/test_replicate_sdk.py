"""Replicate's own client drives the fake, so that the fake is true to the protocol."""

import asyncio
import io

import pytest
import replicate as sdk
from replicate.exceptions import ModelError, ReplicateError

from tests.support.providers import replicate
from tests.support.providers.base import serving

MODEL = "black-forest-labs/flux-schnell"
WHISPER = "openai/whisper:8099696689d249cf8b122d833c36ac3f75505c666a395ca40ef26f68e7d3d16e"


@pytest.fixture
async def server(monkeypatch):
    monkeypatch.setenv("REPLICATE_POLL_INTERVAL", "0.01")
    provider = replicate.FakeReplicate()
    async with serving(replicate.app_of(provider)) as url:
        client = sdk.Client(api_token=provider.key, base_url=url)
        yield provider, client
        await closed(client)


async def closed(client):
    """The client has no end of its own; what it opened is closed for it."""
    await client._async_client.aclose()
    client._client.close()


async def test_a_run_is_waited_for_and_its_file_read(server):
    provider, client = server
    (output,) = await client.async_run(MODEL, input={"prompt": "a cat"}, use_file_output=False)
    assert output.startswith("http://127.0.0.1")
    assert [charge.capability for charge in provider.charges] == ["image"]
    assert provider.requests == [f"POST /v1/models/{MODEL}/predictions"]


async def test_a_prediction_is_created_polled_and_told_in_full(server):
    provider, client = server
    prediction = await client.models.predictions.async_create(MODEL, {"prompt": "a cat"})
    assert prediction.status == "starting"
    await prediction.async_wait()
    assert prediction.status == "succeeded"
    assert prediction.metrics["predict_time"] == 1.25
    assert prediction.urls["cancel"].endswith(f"/v1/predictions/{prediction.id}/cancel")
    assert len(provider.charges) == 1


async def test_a_version_is_run_with_an_uploaded_file(server):
    provider, client = server
    recording = io.BytesIO(b"RIFF....WAVE")
    recording.name = "speech.wav"
    output = await client.async_run(WHISPER, input={"audio": recording}, wait=False)
    assert output["transcription"] == " The spoken words."
    assert list(provider.files.values()) == [b"RIFF....WAVE"]
    assert [charge.capability for charge in provider.charges] == ["transcription"]


async def test_a_cancel_ends_a_prediction(server):
    _, client = server
    prediction = await client.models.predictions.async_create(MODEL, {"prompt": "a cat [fault:held]"})
    await prediction.async_cancel()
    assert prediction.status == "canceled"


async def test_failures_are_errors_of_the_client(server):
    _, client = server
    with pytest.raises(ModelError, match="CUDA out of memory"):
        await client.async_run(MODEL, input={"prompt": "a cat [fault:failed]"}, wait=False)
    with pytest.raises(ReplicateError) as refused:
        await client.models.predictions.async_create(MODEL, {"prompt": "a cat [fault:refused]"})
    assert (refused.value.status, refused.value.detail) == (400, "fault 400")
    stranger = sdk.Client(api_token="r8_other", base_url=client._base_url)
    with pytest.raises(ReplicateError, match="valid authentication"):
        await stranger.accounts.async_current()
    await closed(stranger)


async def test_the_blocking_client_works_as_well(server):
    provider, client = server
    account = await asyncio.to_thread(client.accounts.current)
    assert account.username == "tester"
    assert provider.charges == []
