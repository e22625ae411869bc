"""The API on a real database, with the fake provider's workers in the same process."""

import asyncio
import json

import jsonschema
import pytest

from genesis.database.sqlite.queries import SqliteQueries
from tests.support.gateway import create, finished, is_problem, serving

PNG = b"\x89PNG\r\n\x1a\n"


async def test_the_job_contract_of_the_specification(client):
    response = await create(client, "text_to_image", {"text": "a cat"}, style="oil")
    created = response.json()
    assert created["status"] in ("queued", "running")  # a free worker takes it at once
    assert set(created) >= {"job_id", "pipeline", "inputs", "options", "status", "outputs", "metadata"}
    assert set(created["outputs"]) == {"text", "audio_url", "image_url", "subtitles"}
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


async def test_a_running_job_shows_what_it_has_made(settings):
    async with serving(settings.model_copy(update={"fake_delay_ms": 400})) as client:
        speech = await finished(client, await create(client, "text_to_speech", {"text": "a cat"}))
        response = await create(client, "speech_to_image", {"audio_url": speech["outputs"]["audio_url"]})
        while not (job := (await client.get(response.headers["location"])).json())["outputs"]["text"]:
            await asyncio.sleep(0.01)
        assert job["status"] == "running"


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
    assert (job["status"], steps["enhance"]) == ("completed", "failed")
    (warning,) = [one for one in job["metadata"]["warnings"] if "`enhance`" in one]
    assert warning.startswith("The step `enhance` failed, and the job went on without it: ")


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
    wrong = {"pipeline": "speech_to_text", "inputs": {"audio_url": image["outputs"]["image_url"]}}
    refused = await client.post("/jobs", json=wrong)
    assert refused.status_code == 422
    assert refused.json()["detail"] == "inputs.audio_url: The file is image/png, but audio is wanted."


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


async def test_providers_show_how_their_models_have_done(client):
    await finished(client, await create(client, "text_to_text", {"text": "hi"}))
    await finished(client, await create(client, "text_to_text", {"text": "[fail-final] hi"}))
    listed = (await client.get("/providers")).json()
    fake = next(one for one in listed["providers"] if (one["name"], one["capability"]) == ("fake", "text"))
    (health,) = fake["health"]
    assert (health["calls"], health["failures"], health["breaker"]) == (2, 1, "closed")
    assert health["model"] in fake["models"]
    assert health["latency_ms"] >= 0
    assert health["last_error"]["code"] == "provider-rejected"
    chain = next(one["links"] for one in listed["chains"] if one["capability"] == "text")
    assert chain[0] == {"model": health["model"], "group": 0, "weight": 1, "usable": True}
    assert any(not link["usable"] for link in chain)


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
    for path in ("/app/", "/app/assets/a.js", "/app/jobs/123"):
        answer, headers = await client.get(path), (await client.head(path)).headers
        assert headers["content-length"] == answer.headers["content-length"]
    assert (await client.head("/")).headers["location"] == "/app/"
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


@pytest.mark.parametrize("path", ["/health", "/ready"])
async def test_how_it_is_can_be_asked_without_a_body(client, path):
    async with asyncio.timeout(20):
        while (response := await client.head(path)).status_code != 200:
            assert (path, response.status_code) == ("/ready", 503)
            await asyncio.sleep(0.05)


async def test_without_an_executor_jobs_say_so(settings):
    async with serving(settings.model_copy(update={"executor": False})) as client:
        job = (await create(client)).json()
        assert job["metadata"]["waiting_for"] == "No executor is running."
        shown = (await client.get(f"/jobs/{job['job_id']}")).json()["metadata"]
        assert shown["queue"]["reason"] == shown["waiting_for"] == "No executor is running."
        (listed,) = (await client.get("/jobs")).json()
        assert listed["metadata"]["waiting_for"] == "No executor is running."
        ready = await client.get("/ready")
        assert (ready.status_code, ready.json()["executors"]) == (503, 0)
    async with serving(settings) as client:
        assert (await client.get("/ready")).json()["executors"] == 1


async def test_a_list_does_not_ask_for_executors_per_job(settings, monkeypatch):
    asked = 0
    look = SqliteQueries.live_executors

    async def counted(self):
        nonlocal asked
        asked += 1
        return await look(self)

    monkeypatch.setattr(SqliteQueries, "live_executors", counted)
    async with serving(settings.model_copy(update={"executor": False})) as client:
        for _ in range(5):
            await create(client)
        assert len((await client.get("/jobs")).json()) == 5
    assert 1 <= asked <= 3
