"""The gateway with the fake provider's workers in the same process, and what one asks of it."""

import asyncio
import contextlib
import json
import socket
from contextlib import asynccontextmanager

import httpx2
import uvicorn

from gateway.main import create_app
from launcher.workers import open_in_process_workers


@asynccontextmanager
async def serving(settings, **more):
    app = create_app(settings, open_in_process_workers, **more)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://genesis") as client,
    ):
        yield client


class _Server(uvicorn.Server):
    """Leaves the signals of the test's process alone."""

    def capture_signals(self):
        return contextlib.nullcontext()


@asynccontextmanager
async def listening(app, **more):
    """A server with a socket of its own, in this event loop; gives the server and its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = _Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=10, **more))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            assert not task.done(), await task
            await asyncio.sleep(0.01)
        try:
            yield server, f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            app.state.engine.follower.finish()  # as a signal does
            server.should_exit = True
            await task


def app_of(engine, settings):
    """The application with another engine."""
    app = create_app(settings)

    @asynccontextmanager
    async def lifespan(app):
        app.state.engine = engine
        async with engine.follower.listening():
            yield

    app.router.lifespan_context = lifespan
    return app


async def server_sent(lines):
    """The events of a response's lines: dicts of their fields, data as JSON; comments as `{"comment": …}`."""
    event = {}
    async for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line and event:
            yield event | ({"data": json.loads(event["data"])} if "data" in event else {})
            event = {}
        elif line and not name:
            yield {"comment": value}
        elif line:
            event[name] = value


async def create(client, pipeline="text_to_text", inputs=None, **options):
    return await client.post(
        "/jobs", json={"pipeline": pipeline, "inputs": inputs or {"text": "hi"}, "options": options}
    )


async def finished(client, response):
    assert response.status_code == 201, response.text
    path = response.headers["location"]
    async with asyncio.timeout(20):
        while (job := (await client.get(path)).json())["status"] in ("queued", "running"):
            await asyncio.sleep(0.01)
    return job


def is_problem(response, status, code):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["code"] == code, problem
    assert problem["status"] == status
    assert problem["detail"]
    assert problem["request_id"] == response.headers["x-request-id"]
    return problem
