"""fal's adapter against aimock, a server of fal's queue that nobody here wrote.

aimock tells fal's paths by a header that fal does not have, which a proxy before it adds; and like fal behind a proxy it
names fal's own host in its answers.
"""

import base64
from collections.abc import Iterator
from contextlib import asynccontextmanager
from decimal import Decimal

import aiohttp
import pytest
from aiohttp import web

from genesis.domain.quantity import Unit
from genesis.errors import (
    ModelUnavailable,
    ProviderAmbiguous,
    ProviderMisconfigured,
    ProviderRateLimited,
)
from genesis.ports.workers import CallPending, CallResult
from genesis.settings import Settings
from tests.support.providers.base import serving
from tests.support.sites import PNG
from tests.support.third_party import KEY, Aimock, aimock
from tests.support.worker_servers import call, in_process

MODEL = "fal:fal-ai/flux/dev"
IMAGE = {"images": [{"url": "data:image/png;base64," + base64.b64encode(PNG).decode()}], "seed": 7}
FIXTURES = [{"match": {"userMessage": "cat"}, "response": {"json": IMAGE, "billableUnits": 1.5}}]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aimock]:
    with aimock(FIXTURES, tmp_path_factory.mktemp("aimock")) as running:
        yield running


@asynccontextmanager
async def named(upstream):
    """A proxy that says for whom its requests are."""

    async def pass_on(request):
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        headers["x-fal-target-host"] = "queue.fal.run"
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                request.method, upstream + request.path, data=await request.read(), headers=headers
            ) as reply,
        ):
            kept = {name: value for name, value in reply.headers.items() if name.lower().startswith(("x-fal", "retry"))}
            return web.Response(
                body=await reply.read(), status=reply.status, headers=kept, content_type="application/json"
            )

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", pass_on)
    async with serving(app) as url:
        yield url


@asynccontextmanager
async def worker(server, tmp_path, key=KEY):
    async with named(server.url) as url:
        settings = Settings(fal_key=key, fal_base_url=f"{url}/fal", storage_path=tmp_path, local_provider=False)
        async with in_process("image", settings) as client:
            server.reset()
            yield client


async def test_a_request_is_submitted_polled_and_read(server, tmp_path):
    async with worker(server, tmp_path) as client:
        wanted = call("image", "a cat", model=MODEL)
        answer = first = await client.generate(wanted)
        assert isinstance(first, CallPending)
        while not isinstance(answer, CallResult):
            answer = await client.poll(wanted, answer.handle)
        assert answer.artifact.media_type == "image/png"
        assert answer.quantities[Unit.PROVIDER_UNITS] == Decimal("1.5")
        methods = [entry["method"] for entry in server.journal]
        assert (methods[0], methods.count("POST")) == ("POST", 1)


async def test_a_cancel_that_comes_too_late_loses_nothing(server, tmp_path):
    """Every request is complete at once there, so that it only tells whether the cancel is asked for in the right way."""
    async with worker(server, tmp_path) as client:
        wanted = call("image", "a cat", model=MODEL)
        pending = await client.generate(wanted)
        await client.cancel("image", wanted.attempt, pending.handle)
        last = server.journal[-1]
        assert (last["method"], last["response"]["status"]) == ("PUT", 400)
        complete = await client.poll(wanted, pending.handle)
        assert isinstance(await client.poll(wanted, complete.handle), CallResult)


@pytest.mark.parametrize(
    ("rates", "kind"),
    [
        ({"rateLimitRate": 1.0}, ProviderRateLimited),
        ({"dropRate": 1.0}, ProviderAmbiguous),
        ({"malformedRate": 1.0}, ProviderAmbiguous),
    ],
)
async def test_its_faults_are_told_apart(server, tmp_path, rates, kind):
    async with worker(server, tmp_path) as client:
        server.fail(**rates)
        with pytest.raises(kind) as failed:
            await client.generate(call("image", "a cat", model=MODEL))
        assert type(failed.value) is kind
        assert len(server.journal) == 1


async def test_a_wrong_key_and_an_unknown_prompt(server, tmp_path):
    async with worker(server, tmp_path, key="id:wrong") as client:
        with pytest.raises(ProviderMisconfigured):
            await client.generate(call("image", "a cat", model=MODEL))
    async with worker(server, tmp_path) as client:
        with pytest.raises(ModelUnavailable):
            await client.generate(call("image", "a dog", model=MODEL))
