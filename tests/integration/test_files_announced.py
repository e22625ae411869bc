"""Files that are announced first, and whose content is sent later: to the gateway, or to the store itself."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta

import httpx2
import obstore
import pytest

from genesis.domain.file import FileState, incoming_key
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.errors import Unavailable
from genesis.files.incoming import take_in
from genesis.storage.open import open_store
from genesis.storage.s3 import S3Store
from tests.support.gateway import is_problem, serving
from tests.support.samples import film
from tests.support.upkeep import files_of
from tests.support.uploads import announced, jpeg_with_place, png, settings_on, stored, wav

PNG, WAV = png(640, 480), wav(2)


@pytest.fixture(params=["sqlite", "postgres"])
def databases(request, settings):
    return settings_on(request.param, settings)


@pytest.fixture
async def on_each(databases):
    """A gateway on every kind of database."""
    async with serving(databases) as client:
        yield client


@pytest.fixture
def s3_settings(settings):
    return settings_on("s3", settings)


@pytest.fixture
async def in_s3(s3_settings):
    """A gateway whose files are in an S3 store."""
    async with serving(s3_settings) as client:
        yield client


async def sent_to_store(made, content):
    """Sends a content as the answer says, past the gateway."""
    upload = made["upload"]
    async with httpx2.AsyncClient() as direct:
        answer = await direct.request(upload["method"], upload["url"], headers=upload["headers"], content=content)
    assert answer.status_code == 200, answer.text


async def test_an_announced_file_is_sent_to_the_gateway(on_each):
    made = await announced(on_each, name="x.png", media_type="image/jpg", size=len(PNG), expires_in=500, seconds=60)
    upload, complete = made["upload"], made["complete"]
    is_problem(await on_each.post(complete["url"]), 409, "conflict")
    is_problem(await on_each.get(f"/files/{made['file']['id']}/content"), 409, "conflict")
    sent = await on_each.request(upload["method"], upload["url"], headers=upload["headers"], content=PNG)
    file = sent.json()
    assert (sent.status_code, file["state"], file["media_type"]) == (
        200,
        "ready",
        "image/png",
    )  # whatever was announced
    assert file["sha256"] == hashlib.sha256(PNG).hexdigest()
    kept = datetime.fromisoformat(file["expires_at"]) - datetime.now(UTC)
    assert timedelta(seconds=400) < kept <= timedelta(seconds=500)
    for _ in range(2):
        assert (await on_each.post(complete["url"])).json() == file
    assert (await on_each.get(file["url"])).content == PNG
    is_problem(await on_each.put(upload["url"], content=WAV), 409, "conflict")
    assert (await on_each.get(file["url"])).content == PNG


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.partition("?")[0],
        lambda url: url.replace("expires=", "expires=1"),
        lambda url: url[:-4] + "AAAA",
        lambda url: url + "&expires_in=5",
        lambda url: url.replace("/files/", "/files/0"),
        lambda url: url.replace("/files/", "/files/x"),
    ],
)
async def test_only_who_was_given_the_url_sends(client, settings, change):
    made = await announced(client)
    is_problem(await client.put(change(made["upload"]["url"]), content=PNG), 403, "forbidden")
    assert stored(settings) == set()


async def test_the_url_is_good_for_its_seconds(client):
    made = await announced(client, seconds=1)
    async with asyncio.timeout(20):
        while datetime.fromisoformat(made["upload"]["expires_at"]) > datetime.now(UTC):
            await asyncio.sleep(0.05)
    problem = is_problem(await client.put(made["upload"]["url"], content=PNG), 403, "forbidden")
    assert "over" in problem["detail"]
    assert "presign" in problem["hint"]


async def test_what_is_sent_to_the_url_is_looked_at(client, settings):
    made = await announced(client)
    url = made["upload"]["url"]
    is_problem(await client.put(url, content=b"<html><script>"), 415, "unsupported-media-type")
    is_problem(await client.put(url, content=film("mp4", "mpeg4")), 415, "unsupported-media-type")
    is_problem(await client.put(url, content=b""), 422, "invalid-request")
    assert stored(settings) == set()
    assert (await client.put(url, content=WAV)).json()["url"].endswith(".wav")  # it can be sent again, and better


async def test_of_two_senders_one_comes_first(client):
    url = (await announced(client))["upload"]["url"]
    contents = (PNG, WAV, jpeg_with_place())
    answers = await asyncio.gather(*(client.put(url, content=content) for content in contents))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    (first,) = (answer.json() for answer in answers if answer.status_code == 200)
    served = (await client.get(first["url"])).content
    assert hashlib.sha256(served).hexdigest() == first["sha256"]


@pytest.mark.parametrize(
    ("wishes", "status", "code"),
    [
        ({"media_type": "text/html"}, 415, "unsupported-media-type"),
        ({"media_type": "image/svg+xml"}, 415, "unsupported-media-type"),
        ({"media_type": ""}, 415, "unsupported-media-type"),
        ({"size": 2**40}, 413, "payload-too-large"),
        ({"size": 0}, 422, "invalid-request"),
        ({"seconds": 0}, 422, "invalid-request"),
        ({"seconds": 604_801}, 422, "invalid-request"),
        ({"expires_in": 0}, 422, "invalid-request"),
        ({"colour": 1}, 422, "invalid-request"),
    ],
)
async def test_what_would_be_refused_is_not_announced(client, wishes, status, code):
    is_problem(await client.post("/files/presign", json={"media_type": "image/png"} | wishes), status, code)
    assert (await client.get("/files")).json() == []


async def test_an_announced_file_is_sent_to_the_store(in_s3):
    made = await announced(in_s3, media_type="audio/wav", expires_in=500)
    assert made["upload"]["url"].startswith("http://127.0.0.1:")
    is_problem(await in_s3.post(made["complete"]["url"]), 409, "conflict")
    await sent_to_store(made, WAV)
    ready = await in_s3.post(made["complete"]["url"])
    file = ready.json()
    assert (ready.status_code, file["state"], file["size"]) == (200, "ready", len(WAV))
    assert file["sha256"] == hashlib.sha256(WAV).hexdigest()
    assert file["expires_at"]
    assert (await in_s3.get(file["url"])).content == WAV
    await sent_to_store(made, PNG)  # the URL is still good, and good for nothing
    assert (await in_s3.post(made["complete"]["url"])).json() == file
    assert (await in_s3.get(file["url"])).content == WAV


@pytest.mark.parametrize("content", [b"<html><script>alert(1)</script>", film("mp4", "mpeg4"), b""])
async def test_what_was_sent_to_the_store_is_looked_at(in_s3, s3_settings, content):
    made = await announced(in_s3)
    await sent_to_store(made, content)
    refused = await in_s3.post(made["complete"]["url"])
    assert refused.status_code in (415, 422), refused.text
    assert [blob.key async for blob in open_store(s3_settings).blobs()] == []
    await sent_to_store(made, PNG)
    assert (await in_s3.post(made["complete"]["url"])).status_code == 200


async def test_too_large_for_the_store(s3_settings):
    async with serving(s3_settings.model_copy(update={"max_upload_bytes": 10_000})) as client:
        made = await announced(client)
        await sent_to_store(made, PNG)
        is_problem(await client.post(made["complete"]["url"]), 413, "payload-too-large")
    assert [blob.key async for blob in open_store(s3_settings).blobs()] == []


async def test_a_completion_that_was_interrupted_is_done_again(in_s3, s3_settings, monkeypatch):
    async def killed(store, key, to, media_type):
        await copy(store, key, to, media_type)
        monkeypatch.setattr(S3Store, "delete", no_more)
        raise Unavailable("This process is no more.")

    async def no_more(store, key):
        raise Unavailable("This process is no more.")

    copy = S3Store.copy
    made = await announced(in_s3)
    await sent_to_store(made, PNG)
    with monkeypatch.context() as cut:
        cut.setattr(S3Store, "copy", killed)
        is_problem(await in_s3.post(made["complete"]["url"]), 503, "unavailable")
    monkeypatch.undo()
    file = (await in_s3.post(made["complete"]["url"])).json()
    assert (file["media_type"], file["sha256"]) == ("image/png", hashlib.sha256(PNG).hexdigest())
    keys = {blob.key async for blob in open_store(s3_settings).blobs("uploads")}
    left = keys - {file["url"].removeprefix("/storage/")}
    assert len(left) == 1  # and is swept, though there is a file of its id


async def test_only_what_was_looked_at_becomes_the_content(s3_settings, records, clock, monkeypatch):
    """Of two gateways, one is about to copy what was sent when the other has recorded it, and its sender sends another."""
    store = open_store(s3_settings)
    first, second = (files_of(store, records, clock, s3_settings) for _ in range(2))
    made = await first.announce(
        DEFAULT_ORGANIZATION, name="", media_type="image/png", size=None, seconds=60, put_path=lambda file_id: file_id
    )
    copy, about_to_copy, recorded = obstore.copy_async, asyncio.Event(), asyncio.Event()

    async def late(*request):
        monkeypatch.setattr("obstore.copy_async", copy)
        about_to_copy.set()
        await recorded.wait()
        await copy(*request)

    async def send(content):
        async with httpx2.AsyncClient() as direct:
            assert (await direct.put(made.upload.url, content=content)).status_code == 200

    monkeypatch.setattr("obstore.copy_async", late)
    await send(PNG)
    slow = asyncio.create_task(first.complete(DEFAULT_ORGANIZATION, made.file.id, None))
    await about_to_copy.wait()
    file = await second.complete(DEFAULT_ORGANIZATION, made.file.id, None)
    await send(png(640, 481))
    recorded.set()
    assert await slow == file
    assert file.sha256 == hashlib.sha256(PNG).hexdigest()
    assert await store.read(file.key, limit=len(PNG)) == PNG
    assert [blob.key async for blob in store.blobs()] == [file.key]


async def test_what_another_gateway_has_taken_in_meanwhile_is_found(s3_settings, records, clock, monkeypatch):
    store = open_store(s3_settings)
    first, second = (files_of(store, records, clock, s3_settings) for _ in range(2))
    made = await first.announce(
        DEFAULT_ORGANIZATION, name="", media_type="image/png", size=None, seconds=60, put_path=lambda file_id: file_id
    )
    await store.write(incoming_key(made.file.id), PNG, "image/png")

    async def too_late(store, file_id, *, limit):
        monkeypatch.undo()
        await second.complete(DEFAULT_ORGANIZATION, file_id, None)
        return await take_in(store, file_id, limit=limit)

    monkeypatch.setattr("genesis.files.service.take_in", too_late)
    file = await first.complete(DEFAULT_ORGANIZATION, made.file.id, None)
    assert (file.state, file.sha256) == (FileState.READY, hashlib.sha256(PNG).hexdigest())


async def test_completions_in_one_gateway_look_once(in_s3, monkeypatch):
    taken = []

    async def noted(store, file_id, *, limit):
        taken.append(file_id)
        return await take_in(store, file_id, limit=limit)

    monkeypatch.setattr("genesis.files.service.take_in", noted)
    made = await announced(in_s3)
    await sent_to_store(made, PNG)
    answers = await asyncio.gather(*(in_s3.post(made["complete"]["url"]) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert taken == [made["file"]["id"]]


async def test_a_completion_takes_a_place_among_the_uploads(in_s3, monkeypatch):
    made = await announced(in_s3)
    await sent_to_store(made, PNG)
    with monkeypatch.context() as full:
        full.setattr("genesis.files.service.MOST_UPLOADS", 0)
        is_problem(await in_s3.post(made["complete"]["url"]), 503, "unavailable")
    assert (await in_s3.post(made["complete"]["url"])).status_code == 200
