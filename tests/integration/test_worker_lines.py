"""A worker's answer as lines, and what its client makes of every other one."""

import asyncio
import json

import httpx2
import pytest
from aiohttp import web

from genesis.domain.identity import new_id
from genesis.errors import AttemptCanceled, InputRejected, WorkerLost, WorkerUnavailable
from genesis.ports.workers import CallPending, CallResult
from genesis.settings import Settings
from genesis.storage.file import FileStore
from tests.support.worker_servers import answering, call, client_of, in_process, over_http, paid_provider, running
from workers.app import create_worker

LINES = {"Accept": "application/x-ndjson"}
DONE = {"done": {"text": "x", "metadata": {"target": "a:b"}}}


@pytest.fixture
async def paid(tmp_path):
    async with paid_provider(tmp_path) as provider:
        yield provider


@pytest.fixture
def settings(tmp_path, paid):
    return Settings(
        storage_path=tmp_path / "storage",
        fake_provider=True,
        fake_url=paid.url,
        local_provider=False,
        log_level="ERROR",
        call_timeout_seconds=5,
    )


class Clock:
    def __init__(self, now):
        self._now = now

    def now(self):
        return self._now


def lines_of(response):
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.headers["genesis-attempt"] == response.request.headers["genesis-attempt"]
    return [json.loads(line) for line in response.text.splitlines()]


def body(text, provider, **more):
    return {"text": text, "options": {"model": f"{provider}:made-up"}, **more}


async def posted(url, content, **headers):
    """Posts without holding up the event loop, in which the provider lives."""
    async with httpx2.AsyncClient(timeout=20) as client:
        return await client.post(url, json=content, headers={"Genesis-Attempt": new_id(), **LINES, **headers})


class TestAnswers:
    async def test_each_ends_with_one_word(self, settings):
        with running(create_worker("text", settings)) as url:
            done = lines_of(await posted(url + "/generate", body("a", "fake-opaque")))
            assert [list(line) for line in done] == [["accepted"], ["done"]]
            assert done[1]["done"]["metadata"]["cost_microdollars"] == 1_000
            slow = {"Genesis-Deltas": "true"}
            streamed = lines_of(await posted(url + "/generate", body("a b c [fault:slow]", "fake-opaque"), **slow))
            assert list(streamed[0]) == ["accepted"]
            assert {next(iter(line)) for line in streamed[1:-1]} == {"delta"}
            assert "".join(line["delta"] for line in streamed[1:-1]) == streamed[-1]["done"]["text"]
            pending = lines_of(await posted(url + "/generate", body("a", "fake-handle")))
            assert [list(line) for line in pending] == [["accepted"], ["pending"]]
            failed = lines_of(await posted(url + "/generate", body("[fault:refused]", "fake-opaque")))
            assert failed[-1]["error"]["code"] == "provider-rejected"

    async def test_a_refusal_before_the_call_has_a_status(self, settings):
        with running(create_worker("text", settings)) as url:
            late = await posted(url + "/generate", body("a", "fake-opaque"), **{"Genesis-Not-After": "1"})
            assert (late.status_code, late.json()["code"]) == (409, "too-late")
            odd = await posted(url + "/generate", body("a", "fake-opaque"), **{"Genesis-Not-After": "soon"})
            assert (odd.status_code, odd.json()["code"]) == (422, "input-rejected")

    async def test_other_clients_get_the_polled_result(self, settings, paid):
        with running(create_worker("text", settings)) as url:
            plain = {"Accept": "application/json"}
            answer = await posted(url + "/generate", body("[fault:poll-error:1]", "fake-handle"), **plain)
            assert answer.json()["text"] == "answer to [fault:poll-error:1]"
            key = {"Genesis-Call-Key": new_id()}
            pending = lines_of(await posted(url + "/generate", body("b", "fake-handle"), **key))
            assert list(pending[-1]) == ["pending"]
            joined = await posted(url + "/generate", body("b", "fake-handle"), **key, **plain)
            assert joined.json()["text"] == "answer to b"
        assert len(paid.charges) == 2

    async def test_a_cancel_of_a_waiting_client_reaches_the_provider(self, settings, paid):
        attempt = new_id()
        with running(create_worker("text", settings)) as url:
            plain = {"Accept": "application/json", "Genesis-Attempt": attempt}
            task = asyncio.create_task(posted(url + "/generate", body("[fault:pending:500]", "fake-handle"), **plain))
            while not paid.charges:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.2)
            async with httpx2.AsyncClient() as client:
                assert (await client.delete(f"{url}/attempts/{attempt}")).status_code == 204
                assert (await task).json()["code"] == "attempt-canceled"
                state = await client.get(f"{paid.url}/handle/queue/jobs/job-1-0")
        assert state.json()["status"] == "canceled"

    async def test_what_is_unknown_is_the_workers_own_404(self, settings):
        attempt = new_id()
        with running(create_worker("text", settings)) as url:
            async with httpx2.AsyncClient() as client:
                answer = await client.get(f"{url}/attempts/{attempt}?call_key={new_id()}")
                assert (answer.status_code, answer.headers["genesis-attempt"]) == (404, attempt)
                assert (await client.get(f"{url}/attempts/{attempt}?call_key=x")).status_code == 422
                assert (await client.get(f"{url}/attempts/x?call_key={new_id()}")).status_code == 422
                assert (await client.post(f"{url}/attempts/{attempt}/poll", json={})).status_code == 422

    async def test_a_key_never_leaves_in_a_handle(self, settings):
        with running(create_worker("text", settings)) as url:
            answer = await posted(url + "/generate", body("a", "fake-handle"))
        assert "fake-key" not in answer.text

    async def test_receipts_are_not_served(self, settings):
        from tests.support.gateway import serving

        with running(create_worker("image", settings)) as url:
            key = new_id()
            content = {"prompt": "a", "options": {"model": "fake-opaque:made-up"}}
            assert (await posted(url + "/generate", content, **{"Genesis-Call-Key": key})).status_code == 200
        assert FileStore(settings.storage_path / ".receipts").local_path(f"image/{key}.json")
        async with serving(settings) as client:
            for path in (f".receipts/image/{key}.json", f"%2ereceipts/image/{key}.json", f"image/{key}.json"):
                assert (await client.get(f"/storage/{path}")).status_code in (404, 422)


def lines(*documents, cut=0):
    text = "".join(json.dumps(document) + "\n" for document in documents).encode()
    return text[: len(text) - cut]


@pytest.mark.parametrize("on_delta", [None, [].append], ids=["whole", "deltas"])
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\n\n",
        lines({"accepted": {}}),
        lines({"accepted": {}}, {"delta": "a"}),
        lines({"accepted": {}}, DONE, cut=5),
        lines({"done": {"metadata": {"target": "a:b"}}}),
        lines({"done": {"text": "x"}}),
        lines({"done": {"text": 3, "metadata": {"target": "a:b"}}}),
        lines({"done": {"text": "x", "metadata": {"target": "a:b", "artifact": {}}}}),
        lines({"pending": {}}),
        lines({"error": "x"}),
        lines([1]),
        b"not json\n",
        b"[" * 9000,
    ],
)
async def test_lines_without_a_last_word_prove_nothing(answer, on_delta):
    async def said(request):
        headers = {"Genesis-Attempt": request.headers["Genesis-Attempt"], "Content-Type": "application/x-ndjson"}
        return web.Response(body=answer, headers=headers)

    async with answering(said) as client:
        with pytest.raises(WorkerLost):
            await client.generate(call(), on_delta)
        for asking in (client.poll(call(), {}), client.recall(call())):
            with pytest.raises(WorkerLost):
                await asking


async def test_lines_cut_anywhere_are_read():
    answer = lines({"accepted": {}}, {"delta": "häl"}, {"delta": "lo"}, DONE)

    async def said(request):
        headers = {"Genesis-Attempt": request.headers["Genesis-Attempt"], "Content-Type": "application/x-ndjson"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        for byte in answer:
            await response.write(bytes([byte]))
        return response

    pieces = []
    async with answering(said) as client:
        made = await client.generate(call(), pieces.append)
    assert (pieces, made) == (["häl", "lo"], CallResult({"text": "x"}, "a:b"))


@pytest.mark.parametrize("status", [200, 404, 500])
async def test_what_the_worker_did_not_write_says_nothing_of_a_sent_call(status):
    async def ingress(request):
        return web.json_response({"code": "not-found", "detail": "d"}, status=status)

    async with answering(ingress) as client:
        for asking in (client.poll(call(), {}), client.recall(call())):
            with pytest.raises(WorkerLost):
                await asking


@pytest.mark.parametrize(("status", "code"), [(413, "payload-too-large"), (405, "method-not-allowed")])
async def test_a_question_that_was_not_read_says_nothing_of_the_call(status, code):
    async def refusal(request):
        headers = {"Genesis-Attempt": request.headers["Genesis-Attempt"]}
        return web.json_response({"code": code, "detail": "d"}, status=status, headers=headers)

    async with answering(refusal) as client:
        for asking in (client.poll(call(), {}), client.recall(call())):
            with pytest.raises(WorkerUnavailable):
                await asking
        with pytest.raises(InputRejected):
            await client.generate(call())


class TestClocks:
    @pytest.mark.parametrize(("off", "says"), [(5_000, "ahead of"), (-5_000, "behind")])
    async def test_a_worker_with_another_time_is_unavailable(self, settings, off, says):
        with running(create_worker("text", settings, Clock(1_000_000 + off))) as url:
            async with client_of("text", url, clock=Clock(1_000_000)) as client:
                with pytest.raises(WorkerUnavailable, match=rf"5\.0 seconds {says}") as unavailable:
                    await client.describe("text")
        assert "NTP" in unavailable.value.hint

    @pytest.mark.parametrize("off", [-1_000, 0, 1_000])
    async def test_a_second_is_allowed(self, settings, off):
        with running(create_worker("text", settings, Clock(1_000_000 + off))) as url:
            async with client_of("text", url, clock=Clock(1_000_000)) as client:
                assert (await client.describe("text")).worker == "llm"

    async def test_late_is_by_the_workers_clock(self, settings):
        async with over_http("text", settings, clock=Clock(1_000)) as client:
            assert await client.generate(call(not_after=1_000))


class TestDisconnects:
    async def test_a_client_that_goes_ends_nothing(self, settings, paid):
        one = call(value="a b c d [fault:slow]", model="fake-opaque:made-up")
        with running(create_worker("text", settings)) as url:
            async with client_of("text", url) as client:
                task = asyncio.create_task(client.generate(one, [].append))
                while not paid.charges:
                    await asyncio.sleep(0.01)
                task.cancel()
            async with client_of("text", url) as client:
                assert (await client.recall(one)).output["text"].startswith("answer to a b")
        assert len(paid.charges) == 1

    async def test_a_canceled_call_stays_canceled(self, settings, paid):
        one = call(value="[fault:hang]", model="fake-opaque:made-up")
        async with over_http("text", settings) as client:
            task = asyncio.create_task(client.generate(one))
            while not paid.charges:
                await asyncio.sleep(0.01)
            await client.cancel("text", one.attempt)
            for asking in (task, client.recall(one), client.generate(one)):
                with pytest.raises(AttemptCanceled):
                    await asking
        assert len(paid.charges) == 1

    async def test_a_worker_that_ends_does_not_call_it_a_cancel(self, settings, paid):
        async with in_process("text", settings) as client:
            task = asyncio.create_task(client.generate(call(value="[fault:hang]", model="fake-opaque:made-up")))
            while not paid.charges:
                await asyncio.sleep(0.01)
        with pytest.raises(WorkerLost):
            await task

    async def test_pending_is_plain_data(self, settings):
        async with over_http("text", settings) as client:
            pending = await client.generate(call(model="fake-handle:made-up"))
        assert isinstance(pending, CallPending)
        assert json.loads(json.dumps(pending.handle)) == pending.handle
        assert pending.handle["cancel"]["method"] == "DELETE"
