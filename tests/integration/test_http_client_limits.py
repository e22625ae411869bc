"""What is told of replies that are larger than what is read."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from genesis.errors import ProviderRejected, ReplyTooLarge
from genesis.net.client import HttpClient
from genesis.net.exchange import Request


@pytest.mark.parametrize(
    ("status", "kind"), [(200, ReplyTooLarge), (500, ReplyTooLarge), (400, ProviderRejected), (429, ProviderRejected)]
)
async def test_whether_something_may_have_been_made(status, kind):
    async def large(request):
        return web.Response(body=bytes(101), status=status)

    app = web.Application()
    app.router.add_get("/", large)
    async with TestServer(app) as server, HttpClient() as client:
        with pytest.raises(ProviderRejected, match="more than 100 bytes") as raised:
            await client.send(Request("GET", "/"), base_url=str(server.make_url("")), timeout_seconds=20, max_bytes=100)
    assert type(raised.value) is kind
