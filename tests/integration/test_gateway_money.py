"""Money as the API shows it: estimates, limits, receipts and usage, with providers that charge."""

import json
from datetime import UTC, datetime

import pytest
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from gateway.schemas.job import JobView
from gateway.schemas.money import EstimateView, UsageView
from genesis.errors import Misconfigured
from tests.support.gateway import create, finished, is_problem, serving
from tests.support.paid_provider import PRICES, PaidProvider, app_of, journal_of

TEXT = {"pipeline": "text_to_text", "inputs": {"text": "hi"}}
IMAGE = {"pipeline": "text_to_image", "inputs": {"text": "a fox"}, "options": {"style": "ink"}}
TABLE = {
    "prices": [
        {"model": "fake-opaque:unlisted", "capability": "speech", "per_image": 1},
        {"model": "fake-*:*", "capability": "text", "per_million_input_tokens": 1, "per_million_output_tokens": 2},
        {"model": "fake-keyed:*", "capability": "image", "per_image": "0.04"},
    ]
}


@pytest.fixture
async def paid(settings, tmp_path):
    """A gateway whose providers charge by a journal, and by a table of the operator; both with it."""
    (tmp_path / "prices.json").write_text(json.dumps(TABLE))
    async with TestServer(app_of(PaidProvider(str(tmp_path / "journal")))) as server:
        url = str(server.make_url(""))
        more = {"fake_url": url, "fake_provider": False, "prices_path": tmp_path / "prices.json"}
        async with serving(settings.model_copy(update=more)) as client:
            yield client, lambda: journal_of(tmp_path / "journal")


async def estimate(client, body):
    response = await client.post("/jobs/estimate", json=body)
    assert response.status_code == 200, response.text
    EstimateView.model_validate(response.json())
    return response.json()


async def test_an_estimate_says_what_each_step_costs_and_stores_nothing(paid):
    client, charges = paid
    found = await estimate(client, IMAGE)
    enhance, draw = found["steps"]
    assert (enhance["model"], draw["model"]) == ("fake-keyed:made-up", "fake-keyed:made-up")
    assert enhance["cost_source"] == draw["cost_source"] == "operator"
    assert enhance["quantities"]["output_tokens"] == "1000"
    assert 80 < enhance["cost_microdollars"] < enhance["at_most_microdollars"]
    assert (draw["quantities"], draw["cost_microdollars"]) == ({"images": "1"}, 40_000)
    assert found["cost_microdollars"] == found["cost_known_microdollars"] == enhance["cost_microdollars"] + 40_000
    assert found["at_most_microdollars"] == enhance["at_most_microdollars"] + 40_000
    unbounded = await estimate(client, TEXT)
    assert unbounded["at_most_microdollars"] is None
    assert "1,000 tokens" in unbounded["steps"][0]["notes"][0]
    unknown = await estimate(client, IMAGE | {"options": {"model": "fake-opaque:made-up"}})
    assert (unknown["cost_microdollars"], unknown["steps"][1]["cost_microdollars"]) == (None, None)
    assert "Nobody knows" in unknown["steps"][1]["notes"][0]
    assert (await client.get("/jobs")).json() == []
    assert charges() == []


async def test_a_server_in_the_place_of_a_provider_has_the_operators_prices_only(settings, tmp_path):
    table = {"prices": [{"model": "openai:gpt-4o-mini", "per_million_input_tokens": 1, "per_million_output_tokens": 1}]}
    (tmp_path / "prices.json").write_text(json.dumps(table))
    body = TEXT | {"options": {"model": "openai:gpt-4o-mini"}}
    found = []
    for more in ({}, {"openai_base_url": "http://127.0.0.1:9/v1"}, {"prices_path": tmp_path / "prices.json"}):
        settings = settings.model_copy(update={"openai_api_key": SecretStr("sk-1"), **more})
        async with serving(settings) as client:
            (step,) = (await estimate(client, body))["steps"]
            found.append((step["cost_source"], step["cost_microdollars"] is None))
    assert found == [("catalog", False), (None, True), ("operator", False)]


async def test_what_is_free_is_estimated_as_such(client):
    found = await estimate(client, TEXT)
    assert (found["cost_microdollars"], found["at_most_microdollars"]) == (0, 0)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"pipeline": "nothing", "inputs": {}}, "unknown-pipeline"),
        (TEXT | {"options": {"model": "nobody:x"}}, "unknown-model"),
        (TEXT | {"options": {"speed": 3}}, "unknown-option"),
        ({"pipeline": "text_to_text", "inputs": {}}, "invalid-request"),
    ],
)
async def test_what_would_be_refused_as_a_job_is_refused_as_an_estimate(client, body, code):
    is_problem(await client.post("/jobs/estimate", json=body), 422, code)


async def test_an_estimate_needs_json(client):
    is_problem(await client.post("/jobs/estimate", content="{}"), 415, "unsupported-media-type")
    is_problem(
        await client.post("/jobs/estimate", content="{", headers={"content-type": "application/json"}),
        400,
        "malformed-json",
    )


async def test_a_receipt_says_what_was_paid_for_what(paid):
    client, _ = paid
    job = await finished(client, await client.post("/jobs", json=IMAGE | {"max_cost": "1"}))
    JobView.model_validate(job)
    text, image = (round(price * 1_000_000) for price in (PRICES["text"], PRICES["image"]))
    metadata = job["metadata"]
    assert metadata["cost_microdollars"] == metadata["cost_known_microdollars"] == text + image
    assert metadata["max_cost_microdollars"] == 1_000_000
    assert [step["cost_microdollars"] for step in job["steps"]] == [text, image]
    enhance, draw = (step["attempts"][0] for step in job["steps"])
    assert (enhance["cost_microdollars"], enhance["cost_source"]) == (text, "provider")
    assert enhance["quantities"] == {"input_tokens": "1", "output_tokens": "1"}
    assert draw["quantities"]["images"] == "1"
    assert float(draw["quantities"]["megapixels"]) > 0


async def test_a_job_that_has_ended_without_a_call_has_cost_nothing(client):
    job = (await client.post("/jobs", json=TEXT | {"not_before": "2999-01-01T00:00:00Z"})).json()
    assert job["metadata"]["cost_microdollars"] is None
    assert (await client.post(f"/jobs/{job['job_id']}/cancel")).status_code in (200, 202)
    job = (await client.get(f"/jobs/{job['job_id']}")).json()
    assert (job["status"], job["metadata"]["cost_microdollars"]) == ("canceled", 0)


async def test_a_job_stops_before_the_step_that_costs_too_much(paid):
    client, charges = paid
    options = IMAGE["options"] | {"max_tokens": 40}
    job = await finished(client, await client.post("/jobs", json=IMAGE | {"options": options, "max_cost": 0.0405}))
    assert job["status"] == "failed"
    assert job["metadata"]["error"]["code"] == "max-cost-reached"
    assert "$0.001 have been spent" in job["metadata"]["error_message"]
    assert [step["status"] for step in job["steps"]] == ["done", "failed"]
    assert [charge["capability"] for charge in charges()] == ["text"]


async def test_a_job_that_cannot_be_paid_for_is_refused_before_anything_is_made(paid):
    client, charges = paid
    problem = is_problem(await client.post("/jobs", json=IMAGE | {"max_cost": "0.04"}), 422, "too-expensive")
    assert "max_cost of $0.04" in problem["detail"]
    assert "/jobs/estimate" in problem["hint"]
    unknown = IMAGE | {"options": {"model": "fake-opaque:made-up"}, "max_cost": 100}
    assert "PRICES_PATH" in is_problem(await client.post("/jobs", json=unknown), 422, "unknown-price")["hint"]
    batch = await client.post("/batches", json={"jobs": [TEXT, IMAGE | {"max_cost": "0.04"}]})
    assert is_problem(batch, 422, "invalid-request")["errors"][0]["field"] == "jobs.1"
    assert (await client.get("/jobs")).json() == []
    assert charges() == []


@pytest.mark.parametrize(
    "written",
    [
        "-1",
        "-0.000001",
        "NaN",
        "Infinity",
        "1e999",
        "1_0",
        " 1 ",
        "",
        "0x1",
        "0.1000000000000000001",
        "0.0000001",
        "10000000",
        *(-1, -1e-9, 1_000_001, 0.1234567, True, [], {}),
    ],
)
async def test_an_amount_that_is_none_is_refused(client, written):
    problem = is_problem(await client.post("/jobs", json=TEXT | {"max_cost": written}), 422, "invalid-request")
    assert problem["errors"][0]["field"].startswith("max_cost")


@pytest.mark.parametrize("number", ["1e999", "NaN", "-Infinity", "1e-7"])
async def test_a_number_that_is_no_amount_is_refused(client, number):
    content = json.dumps(TEXT)[:-1] + f', "max_cost": {number}}}'
    response = await client.post("/jobs", content=content, headers={"content-type": "application/json"})
    assert response.status_code in (400, 422)


@pytest.mark.parametrize(
    ("written", "micro"), [("0.1", 100_000), (0.1, 100_000), ("1000000", 10**12), (0, 0), ("0.000001", 1), (None, None)]
)
async def test_amounts_are_taken_exactly(client, written, micro):
    job = (await client.post("/jobs", json=TEXT | {"max_cost": written})).json()
    assert job["metadata"]["max_cost_microdollars"] == micro


async def test_the_same_key_for_another_limit_is_a_conflict(client):
    key = {"Idempotency-Key": "once"}
    first = await client.post("/jobs", json=TEXT | {"max_cost": "1"}, headers=key)
    again = await client.post("/jobs", json=TEXT | {"max_cost": 1.0}, headers=key)
    assert again.json()["job_id"] == first.json()["job_id"]
    is_problem(await client.post("/jobs", json=TEXT, headers=key), 422, "idempotency-conflict")


async def usage(client, **query):
    response = await client.get("/usage", params=query)
    assert response.status_code == 200, response.text
    UsageView.model_validate(response.json())
    return response.json()


async def test_usage_adds_up_calls(paid):
    client, _ = paid
    await finished(client, await client.post("/jobs", json=IMAGE))
    await finished(client, await create(client, inputs={"text": "hi [fault:unavailable:1]"}))
    await finished(client, await create(client, inputs={"text": "hi"}, model="fake-opaque:made-up"))
    today = datetime.now(UTC).date().isoformat()
    found = await usage(client)
    assert found["to"] == today
    assert found["group_by"] == ["day", "provider", "model"]
    keyed, opaque = found["rows"]
    assert (keyed["day"], keyed["provider"], keyed["model"]) == (today, "fake-keyed", "fake-keyed:made-up")
    assert (keyed["calls"], keyed["succeeded"], keyed["failed"], keyed["unknown"]) == (4, 3, 1, 0)
    assert (keyed["cost_known_microdollars"], keyed["cost_unknown_calls"]) == (42_000, 0)
    assert keyed["quantities"]["input_tokens"] == "2"
    assert (opaque["calls"], opaque["cost_known_microdollars"]) == (1, 1_000)
    for written in ({"group_by": "day"}, {"group_by": ["day"]}):
        (row,) = (await usage(client, **written))["rows"]
        assert (row["calls"], row["provider"], row["model"]) == (5, None, None)
    assert len((await usage(client, group_by="provider,day"))["rows"]) == 2
    assert (await usage(client, **{"from": "2020-01-01", "to": "2020-12-31"}))["rows"] == []


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday",
        "from=2026-13-01",
        "from=1767225600",
        "from=2026-11-23T00:00:00",
        "from=2026-03-02&to=2026-03-01",
        "from=2025-01-01&to=2026-01-02",
        "group_by=week",
        "group_by=",
        "group_by=day,day,day,day",
        "form=2026-01-01",
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(client, query):
    is_problem(await client.get(f"/usage?{query}"), 422, "invalid-request")


async def test_a_year_is_the_most_that_is_added_up(client):
    assert (await usage(client, **{"from": "2024-01-01", "to": "2024-12-31"}))["rows"] == []
    assert (await usage(client, **{"from": "0001-01-01", "to": "0001-01-02"}))["rows"] == []
    assert (await usage(client, to="0001-01-02"))["from"] == "0001-01-01"
    assert (await usage(client, **{"from": "9999-12-31", "to": "9999-12-31"}))["rows"] == []


async def test_a_table_that_cannot_be_used_ends_the_start(settings, tmp_path):
    (tmp_path / "prices.json").write_text('{"prices": [{"model": "a:b", "per_image": -1}]}')
    with pytest.raises(Misconfigured, match=r"prices\.json: entry 1 \(a:b\): per_image"):
        async with serving(settings.model_copy(update={"prices_path": tmp_path / "prices.json"})):
            pass
