"""Streamed text: what the worker makes of streams of every kind, and what a slow reader of its own gets."""

import asyncio
import json
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis.domain.attempt import ProviderClass
from genesis.domain.money import Money
from genesis.errors import ProviderAmbiguous, ProviderError, ProviderRejected, ProviderUnavailable
from genesis.net.client import HttpClient
from genesis.net.events import EventSplitter
from genesis.net.exchange import Request, StreamedReply
from genesis.ports.workers import CallResult
from genesis.providers.base import Provider, ProviderCall
from genesis.providers.openrouter import OpenRouterText
from genesis.settings import Settings
from genesis.transport.wire import problem_of
from tests.support.sites import raw
from tests.support.worker_servers import call, in_process
from workers.channels import HttpChannel
from workers.flights import Flight, Waiting
from workers.lines import LinesResponse, News
from workers.memory import CallMemory, digest, recalled
from workers.streaming import stream

SSE = {"content-type": "text/event-stream; charset=utf-8"}
END = {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"cost": 0.002, "total_tokens": 3}}


def said(*words):
    return [{"model": "maker/m", "choices": [{"delta": {"content": word}}]} for word in words]


def events(*documents, done=True):
    lines = [": OPENROUTER PROCESSING\n\n", *(f"data: {json.dumps(document)}\n\n" for document in documents)]
    return "".join([*lines, "data: [DONE]\n\n" if done else ""]).encode()


class Channel:
    """Gives one reply in pieces."""

    def __init__(self, pieces, status=200, headers=SSE):
        self._reply = (status, headers)
        self._pieces = pieces

    @asynccontextmanager
    async def stream(self, request, deadline=None):
        assert request.json["stream"] is True
        yield StreamedReply(*self._reply, self._body())

    async def _body(self):
        for piece in self._pieces:
            yield piece


async def read(channel, heard=None, provider_class=ProviderClass.OPAQUE):
    tell = ([] if heard is None else heard).append
    return await stream(
        OpenRouterText(), channel, ProviderCall("m", "hi"), provider_class, tell, asyncio.get_running_loop().time() + 60
    )


class TestStreams:
    async def test_a_tier_that_a_stream_names_once_is_known_at_its_end(self):
        (first,), end = said("a"), {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3}}
        done = await read(Channel([events(first | {"service_tier": "flex"}, end)]))
        assert (done.text, done.quantities, len(done.warnings)) == ("a", {}, 1)

    async def test_a_stream_is_the_same_result(self):
        heard = []
        done = await read(Channel([events(*said("Hel", "lo", " you"), END)]), heard)
        assert heard == ["Hel", "lo", " you"]
        assert (done.text, done.cost, done.model) == ("Hello you", Money(2_000), "maker/m")
        assert done.usage == {"cost": 0.002, "total_tokens": 3}

    @given(cuts=st.lists(st.integers(0, 400), max_size=20))
    def test_cuts_do_not_matter(self, cuts):
        text = events(*said("Hä", "l\u2028lo"), END).replace(b"\n", b"\r\n")
        places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
        pieces = [text[start:end] for start, end in pairwise(places)]
        assert asyncio.run(read(Channel(pieces))).text == "Häl\u2028lo"

    async def test_a_finished_text_needs_no_last_line(self):
        assert (await read(Channel([events(*said("a"), END, done=False)]))).text == "a"

    async def test_a_connection_that_stays_open_or_breaks_behind_the_end_is_no_matter(self):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        text = events(*said("a"), END)
        answer = head + f"{len(text):x}\r\n".encode() + text + b"\r\n"
        for stays_open in (True, False):
            async with raw(answer, then_wait=stays_open) as port, HttpClient() as client:
                settings = Settings(call_timeout_seconds=2.0)
                channel = HttpChannel(Provider("one", f"http://127.0.0.1:{port}"), client, settings)
                until = asyncio.get_running_loop().time() + 2.0
                call = ProviderCall("m", "hi")
                done = await stream(OpenRouterText(), channel, call, ProviderClass.OPAQUE, [].append, until)
            assert done.text == "a"

    @pytest.mark.parametrize(
        ("provider_class", "kind"),
        [(ProviderClass.OPAQUE, ProviderAmbiguous), (ProviderClass.REPEATABLE, ProviderUnavailable)],
    )
    @pytest.mark.parametrize("text", [b"", events(done=False), events(*said("a", "b"), done=False)])
    async def test_a_text_without_an_end(self, provider_class, kind, text):
        with pytest.raises(kind, match="ended before the text did"):
            await read(Channel([text]), provider_class=provider_class)

    async def test_what_comes_after_the_end_is_not_text(self):
        heard = []
        assert (await read(Channel([events(*said("a"), END), events(*said("b"))]), heard)).text == "a"
        assert heard == ["a"]

    async def test_an_error_in_the_midst_has_its_cost(self):
        broken = {"error": {"code": 502, "message": "The model broke."}, "usage": {"cost": 0.001}}
        with pytest.raises(ProviderAmbiguous, match="The model broke") as ambiguous:
            await read(Channel([events(*said("a"), broken)]))
        assert ambiguous.value.cost == 1_000

    @pytest.mark.parametrize("event", [b"data: {\n\n", b"data: 1\n\n", b"data: [[[\n\n", b"data: \xff\n\n"])
    async def test_what_cannot_be_read(self, event):
        with pytest.raises(ProviderAmbiguous):
            await read(Channel([events(*said("a"), done=False), event]))

    async def test_a_refusal_is_a_refusal(self):
        refused = {"choices": [{"delta": {"refusal": "I will not."}, "finish_reason": "stop"}]}
        with pytest.raises(ProviderRejected, match="I will not"):
            await read(Channel([events(refused)]))

    async def test_a_server_that_does_not_stream_is_understood(self):
        whole = {"choices": [{"message": {"content": "whole"}}], "usage": {"cost": 0.001}}
        heard = []
        channel = Channel([json.dumps(whole).encode()], headers={"content-type": "application/json"})
        assert (await read(channel, heard)).text == "whole"
        assert heard == []

    async def test_a_status_is_heard_whatever_the_type(self):
        with pytest.raises(ProviderUnavailable):
            await read(Channel([b'{"error": {"message": "full"}}'], status=503))

    async def test_a_line_that_does_not_end(self):
        with pytest.raises(ProviderAmbiguous, match="does not end"):
            await read(Channel([b"x" * 1024 * 1024] * 6))

    @given(pieces=st.lists(st.binary(max_size=40), max_size=8))
    def test_any_bytes_are_a_text_or_an_error(self, pieces):
        try:
            done = asyncio.run(read(Channel(pieces)))
        except ProviderError:
            return
        assert done.text

    @given(
        text=st.lists(st.sampled_from([b"data: a", b"data:b", b"\n", b"\r", b"\r\n", b": c", b"id: 1"]), max_size=30)
    )
    def test_events_do_not_depend_on_cuts(self, text):
        whole = EventSplitter().feed(b"".join(text) + b"\n\n\n")
        splitter = EventSplitter()
        cut = [event for byte in b"".join(text) + b"\n\n\n" for event in splitter.feed(bytes([byte]))]
        assert cut == whole


class TestConnections:
    @pytest.mark.parametrize(
        ("provider_class", "kind"),
        [(ProviderClass.OPAQUE, ProviderAmbiguous), (ProviderClass.REPEATABLE, ProviderUnavailable)],
    )
    async def test_one_that_breaks_off(self, provider_class, kind):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 99999\r\n\r\n"
        async with raw(head + events(*said("a", "b"), done=False)) as port, HttpClient() as client:
            heard = []
            provider = Provider("one", f"http://127.0.0.1:{port}")
            with pytest.raises(kind):
                await read(HttpChannel(provider, client, Settings()), heard, provider_class)
        assert heard == ["a", "b"]

    async def test_one_that_falls_silent(self):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
        async with raw(head + events(*said("a"), done=False), then_wait=True) as port, HttpClient() as client:
            provider = Provider("one", f"http://127.0.0.1:{port}")
            with pytest.raises(ProviderAmbiguous, match="within"):
                await read(HttpChannel(provider, client, Settings(call_timeout_seconds=0.3)))


class TestReaders:
    async def test_a_slow_one_gets_fewer_and_longer_lines(self):
        news, gate, sent = News(), asyncio.Event(), []
        outcome = asyncio.get_running_loop().create_future()
        flight = Flight("k", ({}, {}))
        response = LinesResponse(
            "a", Waiting(outcome, flight, news.tell), news, problem_of=lambda error: problem_of(error, 500)
        )

        async def send(message):
            sent.append(message)
            if len(sent) == 3:
                await gate.wait()

        task = asyncio.create_task(response({}, None, send))
        flight.tell("first ")
        while len(sent) < 2:
            await asyncio.sleep(0.01)
        for _ in range(100):
            flight.tell("word ")
            await asyncio.sleep(0)
        outcome.set_result(CallResult({"text": "all"}, "a:b"))
        gate.set()
        await task
        lines = b"".join(message.get("body", b"") for message in sent).splitlines()
        deltas = [json.loads(line)["delta"] for line in lines[1:-1]]
        assert "".join(deltas) == "first " + "word " * 100
        assert len(deltas) < 6
        assert list(json.loads(lines[-1])) == ["done"]
        assert flight.listeners == []

    async def test_one_that_has_gone_ends_nothing(self):
        async def gone(message):
            raise OSError

        outcome = asyncio.get_running_loop().create_future()
        response = LinesResponse("a", Waiting(outcome), News(), problem_of=lambda error: problem_of(error, 500))
        await response({}, None, gone)
        assert not outcome.done()

    async def test_a_listener_that_fails_costs_nobody_the_call(self, tmp_path):
        def broken(text):
            raise ZeroDivisionError

        settings = Settings(storage_path=tmp_path, fake_provider=True, local_provider=False)
        async with in_process("text", settings) as client:
            assert (await client.generate(call(), broken)).output == {"text": "fake: hi"}


async def test_the_offline_model_streams(tmp_path):
    settings = Settings(storage_path=tmp_path, local_provider=True)
    options = {"model": "local:smollm2-135m-instruct", "seed": 3, "max_tokens": 16}
    async with in_process("text", settings) as client:
        options["model"] = (await client.describe("text")).chain[-1].target
        heard = []
        streamed = await client.generate(call(value="Name three colors.", **options), heard.append)
        assert len(heard) > 3
        assert "".join(heard) == streamed.output["text"]
        assert streamed == await client.generate(call(value="Name three colors.", **options))


class TestMemory:
    def test_it_forgets_the_old_and_the_many(self):
        now = [0.0]
        memory = CallMemory(lambda: now[0], seconds=10, most_calls=3, most_bytes=100_000)
        for number in range(5):
            memory.keep(str(number), "d", CallResult({"text": "x"}, "a:b"))
        assert [memory.find(str(number)) is not None for number in range(5)] == [False, False, True, True, True]
        now[0] = 5
        memory.keep("2", "d", ProviderRejected("no", hint="h", cost=7))
        now[0] = 11
        assert memory.find("4") is None
        with pytest.raises(ProviderRejected) as rejected:
            recalled(memory.find("2").outcome)
        assert (rejected.value.hint, rejected.value.cost) == ("h", 7)

    def test_it_holds_no_more_than_so_many_bytes(self):
        memory = CallMemory(lambda: 0.0, most_bytes=10_000)
        for number in range(5):
            memory.keep(str(number), "d", CallResult({"text": "x" * 4_000}, "a:b"))
        assert [memory.find(str(number)) is not None for number in range(5)] == [False] * 4 + [True]
        memory.keep("large", "d", CallResult({"text": "x" * 50_000}, "a:b"))
        assert memory.find("large")

    def test_what_was_asked_has_one_name(self):
        assert digest({"a": 1, "b": 2}, {}) == digest({"b": 2, "a": 1}, {}) != digest({}, {"a": 1, "b": 2})


def test_a_request_in_a_handle_is_plain():
    from genesis.providers.base import Pending
    from workers.handles import handle_of, poll_request

    provider = Provider("one", "https://one.test/v1", headers={"Authorization": "Bearer secret"})
    secret = {"Authorization": "Bearer x", "X-Key": "y", "Accept": "image/png", "Host": "evil.test"}
    request = Request("POST", "https://one.test/status", secret, data=b"\xff")
    handle = json.loads(json.dumps(handle_of(provider, Pending(request))))
    assert poll_request(provider, handle) == Request(
        "POST", "https://one.test/status", {"Accept": "image/png"}, data=b"\xff"
    )
    for url in ("https://one.test.evil/", "https://one.test:444/", "http://one.test/", "https://a@one.test/", "//x"):
        handle["poll"]["url"] = url
        if url == "//x":
            assert poll_request(provider, handle).url == "//x"  # a path: what it is appended to ends the authority
            continue
        with pytest.raises(ProviderAmbiguous):
            poll_request(provider, handle)
