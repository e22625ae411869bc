"""Replicate's adapter against real cog servers, which run and write down Replicate's predictions.

Verified so: that models understand the `input` as it is sent, data URLs among it, and that predictions in every state are
read as cog writes them. Not so: the hosted API's own paths, files and refusals, which the fake stands for.
"""

import asyncio
import json
from contextlib import asynccontextmanager
from decimal import Decimal

import aiohttp
import pytest

from genesis.domain.quantity import Unit
from genesis.errors import ProviderRejected
from genesis.net.media import sniff
from genesis.ports.workers import CallPending, CallResult
from genesis.providers.base import Media, ProviderCall
from genesis.providers.replicate import provider
from genesis.providers.translation import media_of_base64
from genesis.settings import Settings
from tests.support.cog import HostedApi, cog_server, hosted, predicted
from tests.support.sites import WAV
from tests.support.worker_servers import call, in_process

PREDICTORS = {"image": "Painter", "text": "Writer", "transcription": "Listener"}


@pytest.fixture(scope="module", params=PREDICTORS)
def server(request, tmp_path_factory):
    """A capability with its cog server; tests of one capability follow one another."""
    log = tmp_path_factory.mktemp("cog") / "log"
    with cog_server(PREDICTORS[request.param], log) as url:
        yield request.param, url


@pytest.fixture(scope="module")
def painter(tmp_path_factory):
    with cog_server("Painter", tmp_path_factory.mktemp("cog") / "log") as url:
        yield url


def asked(capability):
    if capability == "transcription":
        return ProviderCall("o/n", media=Media(WAV, "audio/wav"), options={"language": "en"})
    options = {"system": "Well,"} if capability == "text" else {"seed": 7}
    return ProviderCall("o/n", text="hello", options=options)


def checked(capability, done):
    assert done.quantities[Unit.COMPUTE_SECONDS] > Decimal(0)
    match capability:
        case "image":
            assert sniff(done.media.data) == "image/png"
            assert done.quantities[Unit.IMAGES] == 1
        case "text":
            assert done.text == "Well, you said: hello"
        case "transcription":
            assert (done.text, done.segments[0].end) == (f"{len(WAV)} bytes", 1.5)


async def test_the_body_of_a_create_is_understood_and_its_answer_read(server):
    """Without anything between: cog takes the same body at `/predictions`, and answers once it is done."""
    capability, url = server
    adapter = provider(Settings()).services[capability].adapter
    body = adapter.build_request(asked(capability)).json
    async with aiohttp.ClientSession() as session:
        reply = await predicted(session, url, body, {})
    assert reply.status == 200
    checked(capability, adapter.parse_reply(reply))


@asynccontextmanager
async def worker(tmp_path, cog_url, capability="image"):
    api = HostedApi(cog_url)
    async with hosted(api) as url:
        settings = Settings(replicate_api_token="r8_token", replicate_base_url=url, storage_path=tmp_path)
        async with in_process(capability, settings) as client:
            yield client, api


async def finished(client, wanted):
    answer = await client.generate(wanted)
    assert isinstance(answer, CallPending)
    async with asyncio.timeout(30):
        while not isinstance(answer, CallResult):
            await asyncio.sleep(0.05)
            answer = await client.poll(wanted, answer.handle)
    return answer


async def test_a_prediction_in_the_background_is_polled_to_its_end(painter, tmp_path):
    async with worker(tmp_path, painter) as (client, api):
        result = await finished(client, call("image", "a cat", model="replicate:o/n", seed=9))
        assert result.artifact.media_type == "image/png"
        assert result.quantities[Unit.COMPUTE_SECONDS] > 0
        assert api.inputs == [{"prompt": "a cat", "seed": 9}]


async def test_an_image_that_was_sent_is_repainted(painter):
    adapter = provider(Settings()).services["image_transform"].adapter
    first = provider(Settings()).services["image"].adapter.build_request(asked("image")).json
    async with aiohttp.ClientSession() as session:
        painted = json.loads((await predicted(session, painter, first, {})).body)["output"]
        media = media_of_base64(painted, "image")
        body = adapter.build_request(ProviderCall("o/n", media=media, options={"prompt": "grey"})).json
        done = adapter.parse_reply(await predicted(session, painter, body, {}))
    assert sniff(done.media.data) == "image/png"
    assert done.media.data != media.data


async def test_a_model_that_fails_is_told_in_its_own_words(painter, tmp_path):
    async with worker(tmp_path, painter) as (client, _):
        with pytest.raises(ProviderRejected, match="no paint left"):
            await finished(client, call("image", "fail at once", model="replicate:o/n"))


async def test_a_cancel_ends_a_model_that_runs(painter, tmp_path):
    async with worker(tmp_path, painter) as (client, api):
        wanted = call("image", "slow", model="replicate:o/n")
        pending = await client.generate(wanted)
        async with asyncio.timeout(20):
            while b'"processing"' not in api.told["prediction0"]:
                await asyncio.sleep(0.05)
            await client.cancel("image", wanted.attempt, pending.handle)
            while json.loads(api.told["prediction0"])["status"] != "canceled":
                await asyncio.sleep(0.05)
        with pytest.raises(ProviderRejected, match="canceled"):
            await client.poll(wanted, pending.handle)
