"""The workers over real HTTP, called by the gateway's own client and by strangers."""

from contextlib import AsyncExitStack

import httpx2
import pytest
from aiohttp import web

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.identity import new_id
from genesis.errors import CallFailed, FailureClass, InputRejected, WorkerLost, WorkerUnavailable
from genesis.settings import Settings
from tests.support.processes import free_port
from tests.support.worker_servers import answering, call, client_of, running
from workers.app import create_worker
from workers.service import WorkerService


@pytest.fixture
def settings(tmp_path):
    return Settings(
        storage_path=tmp_path / "storage",
        fake_provider=True,
        local_provider=False,
        log_level="ERROR",
        worker_slots=2,
    )


@pytest.mark.parametrize(
    ("capability", "body", "field"),
    [
        ("text", {"text": "hi"}, "text"),
        ("image", {"prompt": "a cat"}, "image_url"),
        ("speech", {"text": "hi"}, "audio_url"),
    ],
)
def test_a_stranger_can_use_a_worker_as_the_specification_says(settings, capability, body, field):
    with running(create_worker(capability, settings)) as url:
        answer = httpx2.post(url + "/generate", json=body).json()
        assert answer[field]
        assert answer["metadata"]["target"] == "fake:made-up"
        health = httpx2.get(url + "/health").json()
        assert (health["status"], health["worker"]) == ("ok", CAPABILITIES[capability].worker)
        assert {provider["name"]: provider["configured"] for provider in health["providers"]}["fake"]
        assert httpx2.get(url + "/docs").status_code == 200
        described = httpx2.get(url + "/openapi.json").json()["paths"]
        assert set(described["/attempts/{attempt}"]) == {"get", "delete"}
        schema = described["/generate"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert set(body) | {"options"} == set(schema["properties"])


@pytest.mark.parametrize("body", [{}, {"text": 4}, {"text": "x", "options": {"zzz": 1}}, {"text": "x", "more": 1}])
def test_what_is_wrong_is_a_problem(settings, body):
    with running(create_worker("text", settings)) as url:
        response = httpx2.post(url + "/generate", json=body)
        assert response.status_code == 422
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["code"] == "input-rejected"


def problem(response, status, code):
    """Checks that this is a problem, and the worker's own word."""
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["genesis-attempt"] == response.request.headers.get("genesis-attempt", "")
    assert response.json()["detail"]
    return response.json()


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_is_refused(settings, chunked):
    body = b'{"text":"' + b"a" * settings.max_request_bytes + b'"}'
    headers = {"Genesis-Attempt": new_id(), "Content-Type": "application/json"}
    with running(create_worker("text", settings)) as url:
        sent = (body[start : start + 100_000] for start in range(0, len(body), 100_000)) if chunked else body
        problem(httpx2.post(url + "/generate", content=sent, headers=headers), 413, "payload-too-large")


def test_requests_that_are_none(settings):
    headers = {"Genesis-Attempt": new_id(), "Content-Type": "application/json"}
    with running(create_worker("text", settings)) as url:
        problem(httpx2.post(url + "/generate", content=b"{", headers=headers), 400, "malformed-json")
        problem(httpx2.get(url + "/nope"), 404, "not-found")
        problem(httpx2.get(url + "/generate", headers=headers), 405, "method-not-allowed")
        odd = httpx2.post(url + "/generate", content=rb'{"text":"a","\ud800\u0000":1}', headers=headers)
        problem(odd, 422, "input-rejected")


@pytest.mark.parametrize("identity", ["-" * 36, "0" * 36, "a", "../../../../../../etc/passwd00000000"])
def test_ids_are_uuids(settings, identity):
    with running(create_worker("image", settings)) as url:
        response = httpx2.post(url + "/generate", json={"prompt": "a"}, headers={"Genesis-Call-Key": identity})
        problem(response, 422, "input-rejected")


def test_an_input_that_was_deleted_is_told(settings):
    """As of a job that is tried again."""
    with running(create_worker("image_transform", settings)) as url:
        body = {"image_url": f"/storage/images/{new_id()}.png"}
        response = httpx2.post(url + "/generate", json=body, headers={"Genesis-Attempt": new_id()})
        found = problem(response, 422, "input-rejected")
        assert body["image_url"] in found["detail"]
        assert "deleted" in found["detail"]
        assert "new job" in found["hint"]


async def test_an_error_outside_of_the_call_is_the_workers_own_word(settings, monkeypatch):
    async def broken(self, call, *_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(WorkerService, "begin", broken)
    with running(create_worker("text", settings)) as url:
        headers = {"Genesis-Attempt": new_id()}
        problem(httpx2.post(url + "/generate", json={"text": "a"}, headers=headers), 500, "worker-error")
        async with client_of("text", url) as client:
            with pytest.raises(WorkerLost, match="error of its own"):
                await client.generate(call())


async def test_text_that_is_as_long_as_the_limit_allows_arrives(settings):
    """A caller writes a letter of Chinese in three bytes; as an escape it would have six."""
    tight = settings.model_copy(update={"max_request_bytes": 70_000})
    with running(create_worker("text", tight)) as url:
        async with client_of("text", url) as client:
            made = await client.generate(call(value="\u6f22" * 20_000))
    assert made.output["text"].endswith("\u6f22")


async def test_a_body_above_the_workers_limit_is_final(settings):
    tight = settings.model_copy(update={"max_request_bytes": 1024})
    with running(create_worker("text", tight)) as url:
        async with client_of("text", url) as client:
            with pytest.raises(InputRejected, match="1,024 bytes"):
                await client.generate(call(value="a" * 2000))


ODD_URLS = [
    "",
    "llm",
    "http://",
    "ftp://127.0.0.1",
    "http://[::1",
    "http://127.0.0.1:99999",
    "http://127.0.0.1:port",
    "http://a b",
    "http://\ud800",
    f"http://{'a' * 70}.invalid",
    "http://user:hunter2@",
]


@pytest.mark.parametrize("url", ODD_URLS)
async def test_an_odd_url_is_a_worker_that_is_away(url):
    async with client_of("text", url) as client:
        for asking in (client.describe("text"), client.generate(call()), client.cancel("text", new_id())):
            with pytest.raises(WorkerUnavailable, match="llm worker") as away:
                await asking
            assert "hunter2" not in away.value.message + away.value.hint
            assert (away.value.message + away.value.hint).isprintable()


async def test_a_redirect_is_not_followed():
    seen = []

    async def elsewhere(request):
        seen.append(request.path)
        return web.Response(status=307, headers={"Location": "/other"})

    async with answering(elsewhere) as client:
        with pytest.raises(WorkerLost):
            await client.generate(call())
        with pytest.raises(WorkerUnavailable):
            await client.describe("text")
        await client.cancel("text", new_id())
    assert "/other" not in seen


async def test_what_a_failed_call_has_cost_is_told():
    async def charged(request):
        body = {"title": "t", "status": 502, "code": "result-lost", "detail": "Lost.\u0000\n", "cost_microdollars": 42}
        return web.json_response(
            body, status=502, headers={"Genesis-Attempt": request.headers.get("Genesis-Attempt", "")}
        )

    async with answering(charged) as client:
        with pytest.raises(CallFailed) as caught:
            await client.generate(call())
    assert (caught.value.code, caught.value.cost, caught.value.message) == ("result-lost", 42, "Lost.")


async def test_a_code_that_nobody_knows_proves_nothing():
    async def newer(request):
        body = {"title": "t", "status": 500, "code": "of-tomorrow", "detail": "d"}
        return web.json_response(body, status=500, headers={"Genesis-Attempt": request.headers["Genesis-Attempt"]})

    async with answering(newer) as client:
        with pytest.raises(CallFailed) as caught:
            await client.generate(call())
    assert caught.value.failure is FailureClass.AMBIGUOUS


async def test_a_worker_that_is_away_was_sent_nothing():
    async with client_of("text", f"http://127.0.0.1:{free_port()}") as client:
        with pytest.raises(WorkerUnavailable):
            await client.describe("text")
        with pytest.raises(WorkerUnavailable):
            await client.generate(call())


async def test_the_wrong_worker_is_told(settings):
    async with AsyncExitStack() as stack:
        url = stack.enter_context(running(create_worker("speech", settings)))
        client = await stack.enter_async_context(client_of("text", url))
        with pytest.raises(WorkerUnavailable, match="tts"):
            await client.describe("text")


@pytest.mark.parametrize("status", [200, 404, 500, 502, 503])
async def test_an_answer_that_the_worker_did_not_write_proves_nothing(status):
    async def ingress(request):
        return web.json_response({"text": "x", "code": "worker-busy"}, status=status)

    async with answering(ingress) as client:
        with pytest.raises(WorkerLost):
            await client.generate(call())


@pytest.mark.parametrize("body", [b"", b"not json", b"{}", b'{"metadata":{"target":"a:b"}}', b"[1]"])
@pytest.mark.parametrize("status", [200, 500])
async def test_a_garbled_answer_proves_nothing(status, body):
    async def garbled(request):
        return web.Response(
            body=body, status=status, headers={"Genesis-Attempt": request.headers.get("Genesis-Attempt", "")}
        )

    async with answering(garbled) as client:
        with pytest.raises(WorkerLost):
            await client.generate(call())
        with pytest.raises(WorkerUnavailable):
            await client.describe("text")


async def test_a_connection_lost_during_the_call_proves_nothing():
    async def hang_up(request):
        request.transport.close()
        return web.Response()

    async with answering(hang_up) as client:
        with pytest.raises(WorkerLost):
            await client.generate(call())
