"""The API on a real database, with the fake provider's workers in the same process."""

import asyncio
import json
from contextlib import asynccontextmanager

import httpx2
import jsonschema
import pytest

from gateway.main import create_app
from genesis.settings import Settings
from launcher.workers import open_in_process_workers

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def settings(tmp_path):
    return Settings(
        db_path=tmp_path / "jobs.db",
        storage_path=tmp_path / "storage",
        page_path=tmp_path / "page",
        fake_provider=True,
        local_provider=False,
        log_level="ERROR",
        retry_base_seconds=0.01,
        cors_origins="https://page.example",
    )


@asynccontextmanager
async def serving(settings, **more):
    app = create_app(settings, open_in_process_workers, **more)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://genesis") as client,
    ):
        yield client


@pytest.fixture
async def client(settings):
    async with serving(settings) as client:
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


async def test_the_job_contract_of_the_specification(client):
    response = await create(client, "text_to_image", {"text": "a cat"}, style="oil")
    created = response.json()
    assert created["status"] == "queued"
    assert set(created) >= {"job_id", "pipeline", "inputs", "options", "status", "outputs", "metadata"}
    assert set(created["outputs"]) == {"text", "audio_url", "image_url"}
    assert set(created["metadata"]) >= {
        "provider",
        "created_at",
        "started_at",
        "completed_at",
        "error_message",
        "worker_used",
    }
    job = await finished(client, response)
    assert job["status"] == "completed"
    assert job["metadata"]["provider"] == "fake"
    assert job["metadata"]["worker_used"] == "llm, image"
    assert job["metadata"]["created_at"] < job["metadata"]["completed_at"]
    image = await client.get(job["outputs"]["image_url"])
    assert image.content.startswith(PNG)


async def test_every_pipeline_runs_and_outputs_are_inputs(client):
    image = await finished(client, await create(client, "text_to_image", {"text": "a cat"}))
    speech = await finished(client, await create(client, "text_to_speech", {"text": "a cat"}))
    audio, picture = speech["outputs"]["audio_url"], image["outputs"]["image_url"]
    assert audio.startswith("/storage/audio/")
    assert picture.startswith("/storage/images/")
    for pipeline, inputs, outputs in (
        ("text_to_text", {"text": "a cat"}, {"text"}),
        ("speech_to_text", {"audio_url": audio}, {"text"}),
        ("speech_to_image", {"audio_url": audio}, {"text", "image_url"}),
        ("image_to_image", {"image_url": picture}, {"image_url"}),
    ):
        job = await finished(client, await create(client, pipeline, inputs))
        assert job["status"] == "completed", job
        assert {name for name, value in job["outputs"].items() if value} == outputs


async def test_pipelines_are_described_with_schemas(client):
    pipelines = (await client.get("/pipelines")).json()["pipelines"]
    assert len(pipelines) == 6
    for pipeline in pipelines:
        assert pipeline["description"]
        for part in ("inputs", "options", "outputs"):
            jsonschema.Draft202012Validator.check_schema(pipeline[part])
        for step in pipeline["steps"]:
            assert step["worker"] in {"llm", "image", "stt", "tts", "cyclegan"}


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"pipeline": "text_to_video", "inputs": {"text": "a"}}, "unknown-pipeline", None),
        ({"pipeline": "text_to_text"}, "invalid-request", "inputs"),
        ({"pipeline": "text_to_text", "inputs": {}}, "invalid-request", "inputs.text"),
        ({"pipeline": "text_to_text", "inputs": {"text": 5}}, "invalid-request", "inputs.text"),
        ({"pipeline": "text_to_text", "inputs": {"text": "  \n"}}, "invalid-request", "inputs.text"),
        ({"pipeline": "text_to_text", "inputs": {"text": "x" * 32_001}}, "invalid-request", "inputs.text"),
        ({"pipeline": "text_to_text", "inputs": ["a"]}, "invalid-request", "inputs"),
        ({"pipeline": "text_to_text", "inputs": {"text": "a", "more": 1}}, "invalid-request", "inputs.more"),
        ({"pipeline": "text_to_text", "inputs": {"text": "a"}, "colour": 1}, "invalid-request", "colour"),
        ({"pipeline": "text_to_text", "inputs": {"text": "a\u0000"}}, "invalid-request", None),
        ({"pipeline": "text_to_text", "inputs": {"text": "a"}, "options": {"x": 1}}, "unknown-option", "options.x"),
        (
            {"pipeline": "text_to_text", "inputs": {"text": "a"}, "options": {"temperature": 9}},
            "invalid-request",
            "options.temperature",
        ),
        (
            {"pipeline": "text_to_text", "inputs": {"text": "a"}, "options": {"model": "gpt"}},
            "invalid-request",
            "options.model",
        ),
        ({"pipeline": "text_to_text", "inputs": {"text": "a"}, "options": {"model": "a:b"}}, "unknown-model", None),
        (
            {"pipeline": "text_to_text", "inputs": {"text": "a"}, "options": {"model": "fake:nothing"}},
            "unknown-model",
            None,
        ),
        ({"pipeline": "speech_to_text", "inputs": {"audio_url": "nonsense"}}, "invalid-request", "inputs.audio_url"),
        (
            {"pipeline": "speech_to_text", "inputs": {"audio_url": "http://localhost/a.wav"}},
            "invalid-request",
            "inputs.audio_url",
        ),
        (
            {"pipeline": "image_to_image", "inputs": {"image_url": "http://[::ffff:127.0.0.1]/a.png"}},
            "invalid-request",
            "inputs.image_url",
        ),
    ],
)
async def test_what_is_wrong_with_a_job_is_told(client, body, code, field):
    problem = is_problem(await client.post("/jobs", json=body), 422, code)
    if field:
        assert field in [error["field"] for error in problem["errors"]]
    assert (await client.get("/jobs")).json() == []


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 400, "malformed-json"),
        (b"", 422, "invalid-request"),
        (b"null", 422, "invalid-request"),
        (b"[" * 200_000, 400, "bad-request"),
        (b"\xff\xfe", 400, "malformed-json"),
        (b'{"pipeline":"text_to_text","inputs":{"text":"\\ud800"}}', 422, "invalid-request"),
        (b'{"pipeline":"\\ud800","inputs":{"text":"a"}}', 422, "invalid-request"),
        (b'{"pipeline":"text_to_text","inputs":{"\\ud800":"a"}}', 422, "invalid-request"),
        (
            b'{"pipeline":"text_to_text","inputs":{"text":"a"},"options":{"provider_options":{"a":1e999}}}',
            422,
            "invalid-request",
        ),
        (
            b'{"pipeline":"text_to_text","inputs":{"text":"a"},"options":{"provider_options":{"a":NaN}}}',
            422,
            "invalid-request",
        ),
    ],
)
async def test_broken_bodies_are_problems(client, content, status, code):
    response = await client.post("/jobs", content=content, headers={"content-type": "application/json"})
    is_problem(response, status, code)


async def test_other_content_types_are_refused(client):
    """A page of another site may send such requests without asking the browser first."""
    response = await client.post(
        "/jobs", content=b'{"pipeline":"text_to_text","inputs":{"text":"a"}}', headers={"content-type": "text/plain"}
    )
    problem = is_problem(response, 415, "unsupported-media-type")
    assert "Content-Type: application/json" in problem["hint"]
    assert (await client.get("/jobs")).json() == []


@pytest.mark.parametrize("announced", [True, False])
async def test_ten_megabytes_are_too_much(client, announced):
    body = b'{"pipeline":"text_to_text","inputs":{"text":"' + b"x" * 10_000_000 + b'"}}'

    async def pieces():
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    response = await client.post(
        "/jobs", content=body if announced else pieces(), headers={"content-type": "application/json"}
    )
    is_problem(response, 413, "payload-too-large")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not-found"),
        ("DELETE", "/jobs", 405, "method-not-allowed"),
        ("GET", "/jobs/nonsense", 422, "invalid-request"),
        ("GET", "/jobs/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55", 404, "not-found"),
        ("POST", "/jobs/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55/cancel", 404, "not-found"),
        ("GET", "/jobs?limit=0", 422, "invalid-request"),
        ("GET", "/jobs?limit=1001", 422, "invalid-request"),
        ("GET", "/jobs?offset=-1", 422, "invalid-request"),
        ("GET", "/jobs?offset=10001", 422, "invalid-request"),
        ("GET", "/jobs?cursor=x", 422, "invalid-request"),
        ("GET", "/storage/images/nothing.png", 404, "not-found"),
        ("GET", "/storage/..%2f..%2fjobs.db", 422, "invalid-request"),
        ("GET", "/storage/images/..%2f..%2fjobs.db", 422, "invalid-request"),
        ("GET", "/app/", 404, "not-found"),
    ],
)
async def test_other_errors_are_problems_too(client, method, path, status, code):
    is_problem(await client.request(method, path), status, code)


@pytest.mark.parametrize("depth", [40, 300, 900])
async def test_deep_nesting_is_refused_before_it_is_stored(client, depth):
    nested = {}
    for _ in range(depth):
        nested = {"a": nested}
    is_problem(await create(client, provider_options=nested), 422, "invalid-request")
    assert (await client.get("/jobs")).json() == []


async def test_text_about_characters_is_no_such_character(client):
    job = await finished(client, await create(client, inputs={"text": "write \\u0000 in C"}))
    assert job["status"] == "completed"


async def test_a_running_job_shows_what_it_has_made(settings):
    async with serving(settings.model_copy(update={"fake_delay_ms": 400})) as client:
        speech = await finished(client, await create(client, "text_to_speech", {"text": "a cat"}))
        response = await create(client, "speech_to_image", {"audio_url": speech["outputs"]["audio_url"]})
        while not (job := (await client.get(response.headers["location"])).json())["outputs"]["text"]:
            await asyncio.sleep(0.01)
        assert job["status"] == "running"


async def test_other_hosts_are_refused_where_hosts_are_named(settings):
    async with serving(settings.model_copy(update={"trusted_hosts": ("genesis",)})) as client:
        assert (await client.get("/health")).status_code == 200
        assert (await client.get("/health", headers={"Host": "evil.example"})).status_code == 400


async def test_the_hint_of_a_deep_offset_names_the_cursor(client):
    assert "cursor" in (await client.get("/jobs?offset=10001")).json()["hint"]


async def test_pages_follow_the_link(client):
    jobs = [(await create(client)).json()["job_id"] for _ in range(5)]
    seen, path = [], "/jobs?limit=2"
    while path:
        page = await client.get(path)
        seen += [job["job_id"] for job in page.json()]
        path = page.links["next"]["url"] if "next" in page.links else None
    assert seen == jobs[::-1]
    assert [job["job_id"] for job in (await client.get("/jobs?limit=2&offset=3")).json()] == jobs[1::-1]


async def test_failures_are_shown_with_their_attempts(client):
    job = await finished(client, await create(client, inputs={"text": "please [fail-safe]"}))
    assert job["status"] == "failed"
    assert job["metadata"]["error"]["code"] == "provider-unavailable"
    assert job["metadata"]["error_message"]
    assert [attempt["status"] for attempt in job["steps"][0]["attempts"]] == ["failed"] * 3


async def test_a_failed_enhancement_is_visible_and_not_fatal(client, settings):
    job = await finished(client, await create(client, "text_to_image", {"text": "a cat"}, style="[fail-final]"))
    steps = {step["name"]: step["status"] for step in job["steps"]}
    assert steps["enhance"] == "failed"


@pytest.mark.parametrize(
    ("url", "says"),
    [("/storage/audio/nothing.wav", "nothing.wav"), ("https://genesis.invalid/a.wav", "genesis.invalid")],
)
async def test_an_unreachable_input_fails_the_job_readably(client, url, says):
    job = await finished(client, await create(client, "speech_to_text", {"audio_url": url}))
    assert job["status"] == "failed"
    assert job["metadata"]["error"]["code"] == "input-rejected"
    assert says in job["metadata"]["error_message"]


async def test_an_image_is_no_recording(client):
    image = await finished(client, await create(client, "text_to_image", {"text": "a cat"}))
    job = await finished(client, await create(client, "speech_to_text", {"audio_url": image["outputs"]["image_url"]}))
    assert "image/png" in job["metadata"]["error_message"]


async def test_files_are_served_in_ranges_and_cached(client):
    job = await finished(client, await create(client, "text_to_image", {"text": "a cat"}))
    url = job["outputs"]["image_url"]
    whole = await client.get(url)
    assert whole.headers["content-type"] == "image/png"
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert "immutable" in whole.headers["cache-control"]
    part = await client.get(url, headers={"range": "bytes=0-7"})
    assert (part.status_code, part.content) == (206, PNG)
    head = await client.head(url)
    assert head.headers["content-length"] == str(len(whole.content))


async def test_cancel(settings):
    async with serving(settings.model_copy(update={"fake_delay_ms": 60_000, "drain_seconds": 0})) as client:
        response = await create(client)
        path = response.headers["location"]
        while (await client.get(path)).json()["status"] != "running":
            await asyncio.sleep(0.01)
        assert (await client.post(path + "/cancel")).status_code == 200
        job = await finished(client, response)
        assert job["status"] == "canceled"
        is_problem(await client.post(path + "/cancel"), 409, "conflict")


async def test_ready_and_providers(client):
    assert (await client.get("/health")).json()["status"] == "ok"
    ready = await client.get("/ready")
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    providers = (await client.get("/providers")).json()["providers"]
    unset = [provider for provider in providers if provider["name"] == "openrouter"]
    assert unset[0]["missing"] == "OPENROUTER_API_KEY is not set"


async def test_request_ids(client):
    assert (await client.get("/health", headers={"X-Request-ID": "mine-1"})).headers["x-request-id"] == "mine-1"
    long = (await client.get("/health", headers={"X-Request-ID": "x" * 500})).headers["x-request-id"]
    assert len(long) == 36


async def test_cors_is_for_the_named_origins(client):
    allowed = await client.get("/health", headers={"Origin": "https://page.example"})
    assert allowed.headers["access-control-allow-origin"] == "https://page.example"
    assert (
        "access-control-allow-origin"
        not in (await client.get("/health", headers={"Origin": "https://other.example"})).headers
    )


async def test_the_page_is_served_where_it_is_built(client, settings):
    assert (await client.get("/")).headers["location"] == "/docs"
    (settings.page_path / "assets").mkdir(parents=True)
    (settings.page_path / "index.html").write_text("<title>Genesis</title>")
    (settings.page_path / "assets" / "a.js").write_text("1")
    (settings.page_path.parent / "secret.txt").write_text("no")
    assert (await client.get("/")).headers["location"] == "/app/"
    assert (await client.get("/app?pipeline=x")).headers["location"] == "/app/?pipeline=x"
    for path in ("/app/", "/app/jobs/123"):
        page = await client.get(path)
        assert "Genesis" in page.text
        assert page.headers["cache-control"] == "no-cache"
    assert "immutable" in (await client.get("/app/assets/a.js")).headers["cache-control"]
    assert (await client.get("/app/assets/gone.js")).status_code == 404
    for odd in ("..%2fsecret.txt", "%00", "x" * 300, "%ff"):
        assert "Genesis" in (await client.get(f"/app/{odd}")).text


async def test_the_openapi_document_is_complete(client):
    document = (await client.get("/openapi.json")).json()
    assert "Problem" in document["components"]["schemas"]
    text = json.dumps(document)
    for name in [part.split('"')[0] for part in text.split("#/components/schemas/")[1:]]:
        assert name in document["components"]["schemas"]
    for page in ("/docs", "/redoc"):
        shown = await client.get(page)
        assert shown.status_code == 200
        assert "https://" not in shown.text.replace("https://fastapi.tiangolo.com/img/favicon.png", "")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), f"{method} {path} is not described"
