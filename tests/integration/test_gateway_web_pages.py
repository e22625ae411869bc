"""What web pages of others may not do, on a real port and within the whole application."""

import asyncio

import httpx2
import pytest

from gateway.main import create_app
from launcher.workers import open_in_process_workers
from tests.support.gateway import create, finished, is_problem, serving
from tests.support.worker_servers import running

FOREIGN_PAGES = [
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "same-site"},
]


def test_over_the_loopback_interface_only_its_own_names_are_answered(settings):
    """The gateway alone, as uvicorn starts it: it knows by itself where a request has arrived."""
    with (
        running(create_app(settings, open_in_process_workers)) as url,
        httpx2.Client(base_url=url) as client,
    ):
        for host in ("evil.example:8000", "gateway"):
            problem = is_problem(client.get("/jobs", headers={"Host": host}), 421, "untrusted-host")
            assert host in problem["detail"]
            assert "GENESIS_TRUSTED_HOSTS" in problem["hint"]
            assert problem["request_id"]
        for host in ("localhost:8000", "[::1]:8000", "10.0.0.7"):
            assert client.get("/jobs", headers={"Host": host}).status_code == 200


async def test_named_hosts_are_answered_and_no_others(settings):
    async with serving(settings.model_copy(update={"trusted_hosts": ("genesis.example.org",)})) as client:
        for host in ("genesis.example.org", "localhost", "10.244.0.7:8000"):
            assert (await client.get("/health", headers={"Host": host})).status_code == 200
        for path in ("/health", "/app/", "/docs", "/storage/images/a.png"):
            is_problem(await client.get(path, headers={"Host": "evil.example"}), 421, "untrusted-host")


@pytest.mark.parametrize("headers", FOREIGN_PAGES)
async def test_a_page_of_another_origin_cancels_no_job(settings, headers):
    async with serving(settings.model_copy(update={"fake_delay_ms": 60_000, "drain_seconds": 0})) as client:
        response = await create(client)
        path = response.headers["location"]
        while (await client.get(path)).json()["status"] != "running":
            await asyncio.sleep(0.01)
        problem = is_problem(await client.post(path + "/cancel", headers=headers), 403, "cross-origin-request")
        assert headers.get("Origin", "unknown") in problem["detail"]
        assert "CORS_ORIGINS" in problem["hint"]
        assert (await client.get(path)).json()["status"] == "running"
        own = {"Origin": "http://genesis", "Host": "genesis"}
        assert (await client.post(path + "/cancel", headers=own)).status_code == 200


@pytest.mark.parametrize("headers", FOREIGN_PAGES)
async def test_no_route_that_changes_something_takes_a_foreign_page(client, headers):
    """Also those that do not exist yet: the refusal comes before the routes."""
    document = (await client.get("/openapi.json")).json()
    changing = [
        (method, path)
        for path, operations in document["paths"].items()
        for method in operations
        if method not in ("get", "head")
    ]
    assert ("post", "/jobs") in changing
    for method, path in [*changing, ("delete", "/anything")]:
        url = path.replace("{job_id}", "01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55")
        is_problem(await client.request(method, url, headers=headers), 403, "cross-origin-request")
    assert (await client.get("/jobs", headers=headers)).json() == []


async def test_no_page_shows_any_answer_in_a_frame_and_nothing_is_taken_for_another_type(settings):
    settings.page_path.mkdir(parents=True)
    (settings.page_path / "index.html").write_text("<title>Genesis</title>")
    async with serving(settings) as client:
        job = await finished(client, await create(client, "text_to_image"))
        file = job["outputs"]["image_url"]
        documentation = ["/docs", "/redoc", "/openapi.json", "/static-offline-docs/swagger-ui-bundle.js"]
        for path in [*documentation, "/app/", "/", "/jobs", "/health", file, "/nowhere", "/storage/none.png"]:
            response = await client.get(path)
            assert response.headers.get_list("x-content-type-options") == ["nosniff"], path
            assert "frame-ancestors 'none'" in response.headers["content-security-policy"], path
        for path in documentation:
            assert (await client.get(path)).status_code == 200
        refused = await client.get("/docs", headers={"Host": "evil.example"})
        assert refused.status_code == 421
        assert "frame-ancestors 'none'" in refused.headers["content-security-policy"]


async def test_a_page_of_a_named_origin_may_create_jobs(client):
    headers = {"Origin": "https://page.example", "Sec-Fetch-Site": "cross-site"}
    asked = {**headers, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    assert (await client.options("/jobs", headers=asked)).status_code == 200
    body = {"pipeline": "text_to_text", "inputs": {"text": "hi"}}
    created = await client.post("/jobs", json=body, headers=headers)
    assert created.headers["access-control-allow-origin"] == "https://page.example"
    assert (await finished(client, created))["status"] == "completed"
