"""The gateway with the fake provider's workers in the same process, and what one asks of it."""

import asyncio
from contextlib import asynccontextmanager

import httpx2

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
