"""Real offline servers, one child process per capability and test module."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
import pytest

from genesis.providers.local.child import LocalServer


@dataclass
class Caller:
    """Sends requests to an offline server."""

    server: LocalServer
    session: aiohttp.ClientSession

    async def call(
        self,
        path: str,
        *,
        json: Any = None,
        form: dict[str, Any] | None = None,
        data: Any = None,
        token: str | None = None,
    ) -> tuple[int, Any, aiohttp.typedefs.LooseHeaders]:
        """Status, document or bytes, and headers of an answer."""
        method = "GET" if path == "/health" else "POST"
        async with self.server.use() as endpoint:
            headers = {"Authorization": f"Bearer {endpoint.token if token is None else token}"}
            async with self.session.request(
                method, endpoint.base_url + path, json=json, data=form_data(form) if form else data, headers=headers
            ) as response:
                document = response.content_type == "application/json"
                return response.status, await (response.json() if document else response.read()), response.headers

    async def refused(self, path: str, status: int = HTTPStatus.BAD_REQUEST, **request: Any) -> dict[str, Any]:
        """The error of a request that must be refused."""
        found, document, _ = await self.call(path, **request)
        assert found == status, document
        error: dict[str, Any] = document["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert "Traceback" not in error["message"]
        return error


def form_data(fields: dict[str, Any]) -> aiohttp.FormData:
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in fields.items():
        form.add_field(name, value, filename="input" if isinstance(value, bytes) else None)
    return form


@asynccontextmanager
async def calling(capability: str) -> AsyncIterator[Caller]:
    server = LocalServer(capability)
    async with aiohttp.ClientSession() as session:
        yield Caller(server, session)
    await server.close()


@pytest.fixture(scope="module")
def caller_for() -> Callable[[str], Any]:
    """Opens a server for one capability, as a context."""
    return calling
