"""Files in the API: listed, shared, changed and deleted."""

import asyncio
import hashlib
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from genesis.settings import Settings
from tests.support.gateway import create, finished, is_problem, serving
from tests.support.uploads import announced, examined, png, settings_on, stored, wav

PNG, WAV = png(640, 480), wav(2)
NO_FILE = "/files/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55"


@pytest.fixture(params=["sqlite", "postgres"])
def databases(request, settings):
    return settings_on(request.param, settings)


@pytest.fixture
async def on_each(databases):
    """A gateway on every kind of database."""
    async with serving(databases) as client:
        yield client


async def uploaded(client, content=PNG, **query):
    sent = await client.post("/files", content=content, params=query)
    assert sent.status_code == 201, sent.text
    return sent.json()


async def test_pages_and_filters(on_each):
    names = ["a.png", "b.wav", "Große Reise.png", "d.wav", "reise.png"]
    files = [await uploaded(on_each, WAV if name.endswith("wav") else PNG, name=name) for name in names]
    seen, path = [], "/files?limit=2"
    while path:
        page = await on_each.get(path)
        assert page.status_code == 200, page.text
        seen += [file["name"] for file in page.json()]
        path = page.links["next"]["url"] if "next" in page.links else None
    assert seen == names[::-1]

    async def listed(**where):
        return {file["name"] for file in (await on_each.get("/files", params=where)).json()}

    assert await listed(family="audio") == {"b.wav", "d.wav"}
    assert await listed(q="REISE") == {"Große Reise.png", "reise.png"}
    assert await listed(source="job") == set()
    job = await finished(on_each, await create(on_each, "text_to_image", {"text": "a cat"}))
    assert len(await listed(source="job")) == len(await listed(job=job["job_id"])) == 1
    await on_each.delete(f"/files/{files[0]['id']}")
    assert "a.png" not in await listed()
    for query in ("limit=0", "limit=1001", "family=video", "source=me", "job=x", "q=", "q=%00", "cursor=x"):
        is_problem(await on_each.get(f"/files?{query}"), 422, "invalid-request")


async def test_outputs_are_files_and_inputs(on_each):
    job = await finished(on_each, await create(on_each, "text_to_image", {"text": "a cat"}))
    (file,) = (await on_each.get("/files", params={"source": "job"})).json()
    assert (file["job"], file["url"], file["state"]) == (job["job_id"], job["outputs"]["image_url"], "ready")
    assert file["sha256"] == hashlib.sha256((await on_each.get(file["url"])).content).hexdigest()
    again = await finished(on_each, await create(on_each, "image_to_image", {"image_file": file["id"]}))
    assert again["status"] == "completed", again
    assert (await examined(on_each, file))["problem"] is None


async def test_a_file_is_deleted_for_good(on_each, settings):
    file = await uploaded(on_each)
    await examined(on_each, file)
    path = f"/files/{file['id']}"
    for _ in range(2):
        assert (await on_each.delete(path)).status_code == 204
    for answer in (
        await on_each.get(path),
        await on_each.get(f"{path}/content"),
        await on_each.get(f"{path}/thumbnails/320"),
        await on_each.post(f"{path}/links"),
        await on_each.post(f"{path}/complete"),
        await on_each.patch(path, json={"expires_at": None}),
    ):
        is_problem(answer, 410, "gone")
    is_problem(await on_each.get(file["url"]), 404, "not-found")
    assert stored(settings) == set()
    is_problem(await create(on_each, "image_to_image", {"image_file": file["id"]}), 422, "invalid-request")


async def test_a_file_in_use_stays(settings):
    async with serving(settings.model_copy(update={"fake_delay_ms": 60_000, "drain_seconds": 0})) as client:
        file = await uploaded(client)
        response = await create(client, "image_to_image", {"image_file": file["id"]})
        assert response.status_code == 201, response.text
        path = f"/files/{file['id']}"
        problem = is_problem(await client.delete(path), 409, "conflict")
        assert problem["hint"]
        assert (await client.get(file["url"])).content == PNG
        await client.post(response.headers["location"] + "/cancel")
        await finished(client, response)
        assert (await client.delete(path)).status_code == 204


async def test_a_waiting_file_can_be_given_up(client):
    made = await announced(client)
    assert (await client.delete(f"/files/{made['file']['id']}")).status_code == 204
    is_problem(await client.put(made["upload"]["url"], content=PNG), 410, "gone")


async def test_when_a_file_is_deleted_can_be_changed(on_each):
    file = await uploaded(on_each)
    path, later = f"/files/{file['id']}", "2090-01-31T18:00:00+01:00"
    changed = (await on_each.patch(path, json={"expires_at": later})).json()
    assert changed["expires_at"] == "2090-01-31T17:00:00.000Z"
    assert (await on_each.get(path)).json()["expires_at"] == changed["expires_at"]
    assert (await on_each.patch(path, json={"expires_at": None})).json()["expires_at"] is None
    for body in ({}, {"expires_at": "soon"}, {"expires_at": "2090-01-31T18:00:00"}, {"expires_at": None, "name": "x"}):
        is_problem(await on_each.patch(path, json=body), 422, "invalid-request")
    for never in ("2001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-14:00"):
        is_problem(await on_each.patch(path, json={"expires_at": never}), 422, "invalid-request")
    waiting = await announced(on_each)
    is_problem(await on_each.patch(f"/files/{waiting['file']['id']}", json={"expires_at": later}), 409, "conflict")


async def test_a_link_opens_the_file_until_it_is_over(on_each):
    file = await uploaded(on_each, name="a.png")
    shared = await on_each.post(f"/files/{file['id']}/links", json={"expires_in": 60})
    link = shared.json()
    assert shared.status_code == 201
    assert datetime.fromisoformat(link["expires_at"]) > datetime.now(UTC)
    assert (await on_each.get(link["url"])).content == PNG
    assert (await on_each.head(link["url"])).status_code == 200
    saved = await on_each.get(link["url"] + "&download=cat.png")
    assert 'filename="cat.png"' in saved.headers["content-disposition"]
    other = await uploaded(on_each, WAV)
    for wrong in (
        link["url"][:-4] + "AAAA",
        link["url"].replace("expires=", "expires=1"),
        link["url"].replace(file["url"], other["url"]),
        file["url"] + "?expires=99999999999",
        file["url"] + "?signature=x",
    ):
        problem = is_problem(await on_each.get(wrong), 403, "forbidden")
        assert "links" in problem["hint"]
    assert (await on_each.post(f"/files/{file['id']}/links")).status_code == 201
    is_problem(await on_each.post(f"/files/{file['id']}/links", json={"expires_in": 10**7}), 422, "invalid-request")


async def test_gateways_of_one_database_share_the_key(settings, shared_database):
    settings = settings.model_copy(update={"database_url": shared_database})
    async with serving(settings) as one, serving(settings) as other:
        file = await uploaded(one)
        link = (await one.post(f"/files/{file['id']}/links")).json()["url"]
        assert (await other.get(link)).content == PNG


@pytest.fixture
def shared_database():
    return settings_on("postgres", Settings()).database_url


async def test_links_last_as_long_as_the_key_of_the_settings(settings):
    keyed = settings.model_copy(update={"signing_key": SecretStr("k" * 32)})
    async with serving(keyed) as client:
        file = await uploaded(client)
        link = (await client.post(f"/files/{file['id']}/links")).json()["url"]
    async with serving(keyed) as client:
        assert (await client.get(link)).status_code == 200
    async with serving(settings) as client:
        is_problem(await client.get(link), 403, "forbidden")


async def test_details_follow(on_each):
    image, sound = await uploaded(on_each), await uploaded(on_each, WAV)
    image, sound = await examined(on_each, image), await examined(on_each, sound)
    assert (image["details"]["width"], image["details"]["height"], image["details"]["frames"]) == (640, 480, 1)
    assert (sound["details"]["duration_seconds"], sound["details"]["sample_rate"]) == (2.0, 8_000)
    assert image["thumbnails"]
    for width, url in image["thumbnails"].items():
        for path in (url, f"/files/{image['id']}/thumbnails/{width}"):
            served = await on_each.get(path)
            assert (served.status_code, served.headers["content-type"]) == (200, "image/webp")
    for path in (sound["peaks"], f"/files/{sound['id']}/peaks"):
        served = await on_each.get(path)
        assert served.headers["content-type"] == "application/json"
        assert served.json()["peaks"]
    is_problem(await on_each.get(f"/files/{image['id']}/thumbnails/7"), 404, "not-found")
    is_problem(await on_each.get(f"/files/{image['id']}/peaks"), 404, "not-found")
    is_problem(await on_each.get(f"/files/{sound['id']}/thumbnails/320"), 404, "not-found")


async def test_what_cannot_be_used_says_why(client):
    file = await examined(client, await uploaded(client, PNG[:2_000]))
    assert file["problem"]
    problem = is_problem(await create(client, "image_to_image", {"image_file": file["id"]}), 422, "invalid-request")
    assert file["problem"] in problem["detail"]


async def test_before_it_is_examined_there_is_a_hint(settings, monkeypatch):
    async def never(self):
        await asyncio.Event().wait()

    monkeypatch.setattr("genesis.files.upkeep.Upkeep.examine", never)
    async with serving(settings) as client:
        file = await uploaded(client)
        for what in ("thumbnails/320", "peaks"):
            problem = is_problem(await client.get(f"/files/{file['id']}/{what}"), 404, "not-found")
            assert "examined" in problem["detail"]
            assert problem["hint"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", NO_FILE, 404),
        ("DELETE", NO_FILE, 404),
        ("POST", f"{NO_FILE}/links", 404),
        ("POST", f"{NO_FILE}/complete", 404),
        ("GET", f"{NO_FILE}/content", 404),
        ("GET", f"{NO_FILE}/thumbnails/320", 404),
        ("GET", f"{NO_FILE}/peaks", 404),
        ("GET", "/files/x", 422),
        ("DELETE", "/files/x", 422),
        ("GET", f"{NO_FILE}/thumbnails/wide", 422),
        ("PUT", "/files", 405),
    ],
)
async def test_what_is_not_there(client, method, path, status):
    code = {404: "not-found", 422: "invalid-request", 405: "method-not-allowed"}[status]
    is_problem(await client.request(method, path), status, code)
