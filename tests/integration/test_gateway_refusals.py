"""What the API refuses, each with a problem that says what happened and what to do."""

import gzip

import pytest

from gateway.main import create_app
from launcher.workers import open_in_process_workers
from tests.support.gateway import create, finished, is_problem


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
        ({"pipeline": "a\u0000", "inputs": {"text": "a"}}, "invalid-request", None),
        *(
            ({"pipeline": "text_to_text", "inputs": {"text": "a"}, name: value}, "invalid-request", name)
            for name, value in (
                ("priority", 101),
                ("priority", -101),
                ("priority", 1.5),
                ("priority", "1"),
                ("priority", True),
                ("not_before", "2030-01-01T00:00:00"),
                ("not_before", "soon"),
                ("start_within_seconds", 0),
                ("start_within_seconds", 1e9),
                ("finish_within_seconds", -1),
                ("finish_within_seconds", "x"),
                ("on_ambiguous", "maybe"),
            )
        ),
        (
            {"pipeline": "text_to_text", "inputs": {"text": "a"}, "not_before": "9999-12-31T23:59:59-12:00"},
            "invalid-request",
            None,
        ),
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
            {"pipeline": "speech_to_text", "inputs": {"audio_url": "http://example.com/a.wav"}},
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
        (b"[" * 200_000, 400, "malformed-json"),
        (b"\xff\xfe", 400, "malformed-json"),
        (b'{"pipeline":"text_to_text","inputs":{"text":"\\ud800"}}', 400, "malformed-json"),
        (b'{"pipeline":"\\ud800","inputs":{"text":"a"}}', 400, "malformed-json"),
        (b'{"pipeline":"text_to_text","inputs":{"\\ud800":"a"}}', 400, "malformed-json"),
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
        ("GET", "/jobs?status=done", 422, "invalid-request"),
        ("GET", "/jobs?created_from=2030-01-01T00:00:00", 422, "invalid-request"),
        ("GET", "/jobs?created_before=x", 422, "invalid-request"),
        ("GET", "/jobs?text=", 422, "invalid-request"),
        ("GET", "/jobs?text=a%00b", 422, "invalid-request"),
        ("GET", "/jobs?pipeline=%00", 422, "invalid-request"),
        ("GET", "/jobs?batch_id=x", 422, "invalid-request"),
        ("GET", "/jobs/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55?wait=1", 404, "not-found"),
        ("GET", "/jobs/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55?wait=61", 422, "invalid-request"),
        ("GET", "/jobs/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55?wait=nan", 422, "invalid-request"),
        ("POST", "/jobs?wait=-1", 422, "invalid-request"),
        ("POST", "/jobs/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55/retry", 404, "not-found"),
        ("POST", "/jobs/x/retry", 422, "invalid-request"),
        ("GET", "/batches/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55", 404, "not-found"),
        ("GET", "/batches/x", 422, "invalid-request"),
        ("POST", "/batches/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55/cancel", 404, "not-found"),
        ("GET", "/events?after=999999999999", 422, "invalid-request"),
        ("GET", "/batches", 405, "method-not-allowed"),
        ("GET", "/storage/images/nothing.png", 404, "not-found"),
        ("GET", "/storage/..%2f..%2fjobs.db", 422, "invalid-request"),
        ("GET", "/storage/images/..%2f..%2fjobs.db", 422, "invalid-request"),
        ("GET", "/app/", 404, "not-found"),
    ],
)
async def test_other_errors_are_problems_too(client, method, path, status, code):
    is_problem(await client.request(method, path), status, code)


@pytest.mark.parametrize(
    ("depth", "status", "code"),
    [(40, 422, "invalid-request"), (300, 400, "malformed-json"), (900, 400, "malformed-json")],
)
async def test_deep_nesting_is_refused_before_it_is_stored(client, depth, status, code):
    nested = {}
    for _ in range(depth):
        nested = {"a": nested}
    is_problem(await create(client, provider_options=nested), status, code)
    assert (await client.get("/jobs")).json() == []


async def test_text_about_characters_is_no_such_character(client):
    job = await finished(client, await create(client, inputs={"text": "write \\u0000 in C"}))
    assert job["status"] == "completed"


async def test_the_hint_of_a_deep_offset_names_the_cursor(client):
    assert "cursor" in (await client.get("/jobs?offset=10001")).json()["hint"]


@pytest.mark.parametrize(
    ("path", "methods"), [("/jobs", "GET, POST"), ("/batches", "POST"), ("/health", "GET, HEAD"), ("/events", "GET")]
)
async def test_a_wrong_method_is_told_all_right_ones(client, path, methods):
    response = await client.delete(path)
    is_problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == methods


@pytest.mark.parametrize("path", ["/jobs", "/batches", "/jobs/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55/retry"])
async def test_a_compressed_body_is_refused_by_name(client, path):
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    problem = is_problem(
        await client.post(path, content=gzip.compress(b"{}"), headers=headers), 415, "unsupported-media-type"
    )
    assert "Content-Encoding gzip" in problem["detail"]
    assert "Content-Encoding" in problem["hint"]


async def test_a_client_that_leaves_in_the_middle_of_its_body_is_no_error(settings, capsys):
    messages = iter([{"type": "http.request", "body": b'{"pipeline"', "more_body": True}, {"type": "http.disconnect"}])
    sent = []

    async def receive():
        return next(messages)

    async def send(message):
        sent.append(message)

    app = create_app(settings.model_copy(update={"log_level": "INFO"}), open_in_process_workers)
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/jobs",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
    }
    async with app.router.lifespan_context(app):
        await app(scope, receive, send)
    assert sent == []
    log = capsys.readouterr().err
    assert "POST /jobs 499" in log
    assert "ERROR" not in log
