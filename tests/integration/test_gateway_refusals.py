"""What the API refuses, each with a problem that says what happened and what to do."""

import pytest

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


async def test_the_hint_of_a_deep_offset_names_the_cursor(client):
    assert "cursor" in (await client.get("/jobs?offset=10001")).json()["hint"]
