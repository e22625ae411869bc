"""Batches: all jobs or none, what they come to, and canceling them."""

import asyncio

import pytest

from gateway.schemas.batch import BatchView
from gateway.views import batch_status
from genesis.domain.job import JobStatus
from tests.support.gateway import is_problem, serving

GOOD = {"pipeline": "text_to_text", "inputs": {"text": "hi"}}


async def ended(client, path):
    async with asyncio.timeout(60):
        while (batch := (await client.get(path)).json())["status"] in ("queued", "running"):
            await asyncio.sleep(0.02)
    return batch


async def test_a_batch_from_its_acceptance_to_its_end(client):
    created = await client.post("/batches", json={"jobs": [GOOD, GOOD | {"priority": 5}, GOOD]})
    assert created.status_code == 201
    path = created.headers["location"]
    assert created.json()["size"] == 3
    assert set(created.json()) == set(BatchView.model_validate(created.json()).model_dump())
    batch = await ended(client, path)
    assert batch["status"] == "completed"
    assert batch["counts"] == {"queued": 0, "running": 0, "completed": 3, "failed": 0, "canceled": 0}
    jobs = (await client.get(f"/jobs?batch_id={batch['batch_id']}")).json()
    assert {job["metadata"]["batch_id"] for job in jobs} == {batch["batch_id"]}
    assert sorted(job["metadata"]["priority"] for job in jobs) == [0, 0, 5]


async def test_a_failed_job_shows(client):
    bad = {"pipeline": "text_to_text", "inputs": {"text": "[fail-final]"}}
    created = await client.post("/batches", json={"jobs": [GOOD, bad]})
    batch = await ended(client, created.headers["location"])
    assert (batch["status"], batch["counts"]["failed"], batch["counts"]["completed"]) == ("failed", 1, 1)


async def test_all_errors_are_listed_and_nothing_is_accepted(client):
    wrong = [
        GOOD,
        {"pipeline": "text_to_video", "inputs": {"text": "a"}},
        {"pipeline": "text_to_text", "inputs": {}},
        GOOD | {"options": {"temperature": 9}},
    ]
    problem = is_problem(await client.post("/batches", json={"jobs": wrong}), 422, "invalid-request")
    assert [error["field"] for error in problem["errors"]] == [
        "jobs.1",
        "jobs.2.inputs.text",
        "jobs.3.options.temperature",
    ]
    malformed = [GOOD, {"pipeline": 5}, GOOD | {"priority": 500}]
    problem = is_problem(await client.post("/batches", json={"jobs": malformed}), 422, "invalid-request")
    fields = [error["field"] for error in problem["errors"]]
    assert fields == ["jobs.1.pipeline", "jobs.1.inputs", "jobs.2.priority"]
    assert (await client.get("/jobs")).json() == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"jobs": []}', 422),
        (b"{}", 422),
        (b"[]", 422),
        (b'{"jobs": [{}], "more": 1}', 422),
        (b'{"jobs": {}}', 422),
        (b"", 422),
        (b"{", 400),
    ],
)
async def test_what_is_no_batch_is_refused(client, body, status):
    response = await client.post("/batches", content=body, headers={"content-type": "application/json"})
    is_problem(response, status, "malformed-json" if status == 400 else "invalid-request")


async def test_a_thousand_long_jobs_fit_and_one_more_does_not(settings):
    async with serving(settings.model_copy(update={"executor": False})) as client:
        long = {"pipeline": "text_to_text", "inputs": {"text": "x" * 32_000}}
        created = await client.post("/batches", json={"jobs": [long] * 1_000}, timeout=60)
        assert created.status_code == 201, created.text
        assert created.json()["counts"]["queued"] == 1_000
        assert created.json()["status"] == "queued"
        is_problem(await client.post("/batches", json={"jobs": [GOOD] * 1_001}), 422, "invalid-request")
        is_problem(
            await client.post("/batches", content=b" " * 40_000_000, headers={"content-type": "application/json"}),
            413,
            "payload-too-large",
        )
        canceled = await client.post(created.headers["location"] + "/cancel", timeout=60)
        assert canceled.status_code == 200
        assert (canceled.json()["status"], canceled.json()["counts"]["canceled"]) == ("canceled", 1_000)


async def test_a_job_of_a_batch_may_be_as_large_as_one_by_itself(settings):
    async with serving(settings.model_copy(update={"executor": False, "max_request_bytes": 100_000})) as client:
        large = {
            "pipeline": "text_to_text",
            "inputs": {"text": "x"},
            "options": {"provider_options": {"a": "y" * 99_000}},
        }
        too_large = {**large, "options": {"provider_options": {"a": "y" * 100_000}}}
        for job, status in ((large, 201), (too_large, 413)):
            assert (await client.post("/jobs", json=job)).status_code == status
        refused = await client.post("/batches", json={"jobs": [GOOD, large, too_large]})
        is_problem(refused, 413, "payload-too-large")
        assert "jobs.2 " in refused.json()["detail"]
        assert (await client.post("/batches", json={"jobs": [GOOD, large, large]})).status_code == 201
        assert len((await client.get("/jobs")).json()) == 4


async def test_a_repeated_batch_is_the_same(client):
    headers = {"Idempotency-Key": "one"}
    first = await client.post("/batches", json={"jobs": [GOOD]}, headers=headers)
    again = await client.post("/batches", json={"jobs": [GOOD]}, headers=headers)
    assert again.json()["batch_id"] == first.json()["batch_id"]
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
    other = await client.post("/batches", json={"jobs": [GOOD, GOOD]}, headers=headers)
    is_problem(other, 422, "idempotency-conflict")
    assert len((await client.get("/jobs")).json()) == 1


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        ({"queued": 2}, "queued"),
        ({"queued": 2, "running": 1}, "running"),
        ({"queued": 2, "completed": 1}, "running"),
        ({"running": 1, "failed": 1}, "running"),
        ({"completed": 3}, "completed"),
        ({"completed": 3, "canceled": 1}, "canceled"),
        ({"completed": 3, "canceled": 1, "failed": 1}, "failed"),
        ({"completed": 3, "failed": 0}, "completed"),
    ],
)
def test_what_jobs_come_to(counts, status):
    assert batch_status({JobStatus(name): count for name, count in counts.items()}) == status
