"""What can be said of a job beside its work: repeating it, waiting for it, its place in the queue, finding it again."""

import asyncio

import pytest

from gateway.schemas.job import JobView
from genesis.errors import Unavailable
from tests.support.gateway import create, finished, is_problem, serving

BODY = {"pipeline": "text_to_text", "inputs": {"text": "hi"}}


@pytest.fixture
async def queue(settings, tmp_path):
    """Another gateway, which runs no jobs itself."""
    async with serving(settings.model_copy(update={"executor": False, "db_path": tmp_path / "queue.db"})) as client:
        yield client


def shape(value):
    """The names in a document, without what is free in it."""
    match value:
        case dict():
            free = ("inputs", "options", "output")
            return {name: None if name in free else shape(part) for name, part in value.items()}
        case list():
            return [shape(part) for part in value]
    return None


def fits_schema(job):
    assert shape(JobView.model_validate(job).model_dump(mode="json")) == shape(job)


async def test_what_is_answered_is_what_the_schema_says(client, queue):
    for text in ("hi", "[fail-safe]", "[fail-final]"):
        created = await create(client, inputs={"text": text})
        fits_schema(created.json())
        fits_schema(await finished(client, created))
    fits_schema(await finished(client, await create(client, "text_to_image", {"text": "a"}, style="[fail-final]")))
    waiting = await create(queue)
    fits_schema((await queue.get(waiting.headers["location"])).json())
    for job in (await client.get("/jobs")).json():
        fits_schema(job)
    canceled = await queue.post(waiting.headers["location"] + "/cancel")
    fits_schema(canceled.json())
    fits_schema((await queue.post(waiting.headers["location"] + "/retry")).json())


async def test_a_repeated_request_makes_no_second_job(client):
    headers = {"Idempotency-Key": "k" * 255}
    first = await client.post("/jobs", json=BODY, headers=headers)
    again = await client.post("/jobs?wait=20", json=BODY, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["job_id"] == first.json()["job_id"]
    assert again.json()["status"] == "completed"
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    other = await client.post("/jobs", json=BODY | {"priority": 1}, headers=headers)
    assert is_problem(other, 422, "idempotency-conflict")["hint"]
    assert len((await client.get("/jobs")).json()) == 1


@pytest.mark.parametrize("key", ["", "k" * 256, "a b", "ä".encode(), b"a\x01"])
async def test_a_key_that_cannot_be_used_is_refused(client, key):
    problem = is_problem(
        await client.post("/jobs", json=BODY, headers={"Idempotency-Key": key}), 422, "invalid-request"
    )
    assert problem["errors"][0]["field"] == "Idempotency-Key"
    assert (await client.get("/jobs")).json() == []


async def test_waiting_answers_with_the_end(client):
    asked = await client.post("/jobs?wait=20", json=BODY)
    assert (asked.status_code, asked.json()["status"]) == (201, "completed")
    assert "preference-applied" not in asked.headers
    preferred = await client.post("/jobs", json=BODY, headers={"Prefer": "respond-async, Wait=20; x=1"})
    assert (preferred.json()["status"], preferred.headers["preference-applied"]) == ("completed", "wait=20")
    looked_up = await client.get(asked.headers["location"], headers={"Prefer": 'wait="9999"'})
    assert (looked_up.json()["status"], looked_up.headers["preference-applied"]) == ("completed", "wait=60")


async def test_waiting_answers_after_its_time_with_the_job_as_it_is(queue):
    asked = await queue.post("/jobs?wait=0.1", json=BODY)
    assert (asked.status_code, asked.json()["status"]) == (201, "queued")
    path = asked.headers["location"]
    for ignored in ("wait=soon", "wait", "wait=-3", ""):
        answer = await queue.get(path, headers={"Prefer": ignored})
        assert (answer.status_code, "preference-applied" in answer.headers) == (200, False)
    waiting = asyncio.create_task(queue.get(path + "?wait=30"))
    await asyncio.sleep(0.1)
    await queue.post(path + "/cancel")
    assert (await waiting).json()["status"] == "canceled"


async def test_a_queued_job_shows_its_place(queue):
    jobs = [(await queue.post("/jobs", json=BODY | {"priority": priority})).json() for priority in (0, 0, 5)]
    assert jobs[0]["metadata"]["queue"] is None  # counting costs more than accepting
    shown = [(await queue.get(f"/jobs/{job['job_id']}")).json()["metadata"] for job in jobs]
    assert [metadata["queue"]["position"] for metadata in shown] == [1, 2, 0]
    assert [metadata["priority"] for metadata in shown] == [0, 0, 5]
    assert not any(metadata["queue"]["position_is_minimum"] for metadata in shown)
    assert all(metadata["waiting_for"] == metadata["queue"]["reason"] for metadata in shown)
    assert all(job["metadata"]["queue"] is None for job in (await queue.get("/jobs")).json())


async def test_when_a_job_may_start_and_must_end_is_shown(queue):
    body = BODY | {
        "not_before": "2100-01-01T01:00:00+01:00",
        "start_within_seconds": 60,
        "finish_within_seconds": 90.5,
        "on_ambiguous": "resend",
    }
    metadata = (await queue.post("/jobs", json=body)).json()["metadata"]
    assert metadata["not_before"] == "2100-01-01T00:00:00.000Z"
    assert metadata["on_ambiguous"] == "resend"
    assert metadata["created_at"] < metadata["start_by"] < metadata["finish_by"]
    past = (await queue.post("/jobs", json=BODY | {"not_before": "1960-01-01T00:00:00Z"})).json()
    assert past["metadata"]["not_before"] is None


async def test_lists_are_filtered_and_the_link_keeps_the_filters(queue):
    for number in range(6):
        text = {"text": f"Größe {number}" if number % 2 else "other"}
        await queue.post("/jobs", json={"pipeline": "text_to_text", "inputs": text})
    await queue.post("/jobs", json={"pipeline": "text_to_image", "inputs": {"text": "größe"}})
    seen, path = [], "/jobs?limit=1&status=queued&pipeline=text_to_text&text=größe&created_from=2020-01-01T00:00:00Z"
    while path:
        page = await queue.get(path)
        seen += [job["inputs"]["text"] for job in page.json()]
        path = page.links["next"]["url"] if "next" in page.links else None
        assert path is None or "text=gr" in path
    assert seen == ["Größe 5", "Größe 3", "Größe 1"]
    assert (await queue.get("/jobs?created_before=2020-01-01T00:00:00Z")).json() == []
    assert (await queue.get("/jobs?status=completed")).json() == []
    assert (await queue.get("/jobs?pipeline=nothing")).json() == []


async def test_a_failed_job_is_retried_and_others_are_not(client):
    response = await create(client, inputs={"text": "[fail-final]"})
    path = response.headers["location"]
    await finished(client, response)
    retried = await client.post(path + "/retry", json={"resend": False})
    assert (retried.status_code, retried.json()["status"]) == (200, "queued")
    assert retried.json()["metadata"]["retried_at"]
    job = await finished(client, response)
    assert len(job["steps"][0]["attempts"]) == 2
    assert (await client.post(path + "/retry")).status_code == 200
    for wrong in ({"resend": 1}, {"resend": None}, {"again": True}, []):
        is_problem(await client.post(path + "/retry", json=wrong), 422, "invalid-request")
    done = await create(client)
    await finished(client, done)
    is_problem(await client.post(done.headers["location"] + "/retry"), 409, "conflict")


async def test_a_ledger_that_is_away_is_told_and_the_gateway_lives(settings, monkeypatch):
    async def away(engine):
        raise Unavailable("The database does not answer.")

    async with serving(settings) as client:
        assert (await client.get("/ready")).json()["ledger"] == {"ready": True, "reason": None}
        monkeypatch.setattr("genesis.engine.engine.Engine.check", away)
        ready = await client.get("/ready")
        assert (ready.status_code, ready.json()["ready"]) == (503, False)
        assert ready.json()["ledger"] == {"ready": False, "reason": "The database does not answer."}
        assert (await client.get("/health")).status_code == 200
