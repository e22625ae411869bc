"""One call of one provider: what becomes of replies, polls and results when something around them fails."""

import asyncio
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.attempt import ProviderClass
from genesis.domain.file import file_id_of, ids_in
from genesis.domain.identity import new_id
from genesis.domain.money import Money
from genesis.domain.quantity import Unit
from genesis.errors import (
    CallFailed,
    FailureClass,
    InputRejected,
    InvalidRequest,
    ProviderAmbiguous,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
    ReplyTooLarge,
    ResultLost,
    StorageUnavailable,
)
from genesis.net.client import HttpClient, ReplyCutOff
from genesis.net.exchange import Reply, Request
from genesis.net.fetcher import Fetched, FetchInterrupted
from genesis.ports.workers import CallPending
from genesis.providers.base import Done, Media, OverAndFree, Pending, Provider, ProviderCall, Service
from genesis.providers.local.adapter import LocalText
from genesis.providers.local.child import Endpoint
from genesis.settings import Settings
from genesis.storage.file import FileStore
from tests.support.samples import picture
from tests.support.sites import PNG, WAV, raw
from workers.channels import HttpChannel, LocalChannel
from workers.inputs import InputFiles
from workers.keeper import ResultKeeper
from workers.parts import PartsRunner
from workers.receipts import Receipts
from workers.runner import CallRunner, Order
from workers.streaming import stream

PAID = Money(7)
SUBMIT, POLL = Request("POST", "/"), Request("GET", "/poll")


class Adapter:
    """Reads replies by a script: a result, or an error."""

    options = frozenset()

    def __init__(self, *readings):
        self._readings = list(readings)

    def build_request(self, call):
        return SUBMIT

    def parse_reply(self, reply):
        reading = self._readings.pop(0)
        if isinstance(reading, Exception):
            raise reading
        return reading


class Channel:
    """Gives replies by a script: a status, or an error."""

    def __init__(self, *replies):
        self._replies = list(replies)
        self.sent = []
        self.seconds_left = []

    async def send(self, request, deadline=None):
        self.sent.append(request)
        self.seconds_left.append(deadline and deadline - asyncio.get_running_loop().time())
        reply = self._replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return Reply(reply, {}, b"")


@dataclass
class Fetcher:
    answers: list = field(default_factory=list)
    asked: int = 0

    async def fetch(self, url, *, accept):
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr("workers.keeper._LEAST_SECONDS", 1.0)
    monkeypatch.setattr("workers.runner._POLL_AGAIN_SECONDS", 0.01)


@pytest.fixture
def run(tmp_path):
    async def make(adapter, channel, fetcher=None, *, capability="image", seconds=1.0, kind=ProviderClass.OPAQUE):
        provider = Provider(
            name="one",
            base_url="http://one.test",
            provider_class=kind,
            services={capability: Service(adapter, models=("m",))},
        )
        (tmp_path / "files").mkdir(exist_ok=True)
        (tmp_path / "receipts").mkdir(exist_ok=True)
        kind, store = CAPABILITIES[capability], FileStore(tmp_path / "files")
        files = InputFiles(store, fetcher or Fetcher(), 1000)
        keeper = ResultKeeper(store, fetcher or Fetcher(), kind.output_kind)
        parts = PartsRunner(kind, files, store, keeper, limits={}, links=(), call_seconds=seconds)
        receipts = Receipts(FileStore(tmp_path / "receipts"), kind)
        runner = CallRunner(kind, files, receipts, keeper, parts, call_seconds=seconds)
        field_name = next(iter(CAPABILITIES[capability].input.model_fields))
        order = Order(provider, "m", channel, new_id(), {field_name: "a"}, {})
        outcome = await runner.submit(order)
        return await runner.wait(order, outcome) if isinstance(outcome, CallPending) else outcome

    return make


DONE = Done(media=Media(PNG, "image/png"), cost=PAID)
COPY = Done(media_url="https://files.test/a.png", cost=PAID)


class TestRepliesThatAreTooLarge:
    @pytest.mark.parametrize("kind", [ProviderClass.OPAQUE, ProviderClass.KEYED, ProviderClass.HANDLE])
    async def test_what_they_hold_was_paid_for(self, run, kind):
        with pytest.raises(ResultLost, match="more than") as lost:
            await run(Adapter(), Channel(ReplyTooLarge("It answered with more than 9 bytes.")), kind=kind)
        assert lost.value.failure is FailureClass.AMBIGUOUS
        assert "MAX_FETCH_BYTES" in lost.value.hint

    async def test_so_was_what_a_poll_answers_with(self, run):
        with pytest.raises(ResultLost):
            await run(Adapter(Pending(POLL, 0)), Channel(200, ReplyTooLarge("More than 9 bytes.")))

    async def test_one_that_is_free_is_not_asked_for_again(self, run):
        with pytest.raises(ProviderRejected) as rejected:
            await run(Adapter(), Channel(ReplyTooLarge("More than 9 bytes.")), kind=ProviderClass.REPEATABLE)
        assert rejected.value.failure is FailureClass.FINAL


class SlowFetcher:
    """Takes its time."""

    def __init__(self, seconds):
        self._seconds = seconds

    async def fetch(self, url, *, accept):
        await asyncio.sleep(self._seconds)
        return Fetched(PNG, "image/png")


class TestTime:
    async def test_a_call_has_the_time_that_its_input_has_left(self, run):
        channel = Channel(200)
        done = Done(media=Media(PNG, "image/png"))
        await run(Adapter(done), channel, SlowFetcher(0.5), capability="image_transform", seconds=30.0)
        assert 20 < channel.seconds_left[0] < 29.6

    async def test_an_input_that_takes_all_of_it_leaves_nothing_in_doubt(self, run):
        channel = Channel(200)
        with pytest.raises(StorageUnavailable, match=r"within 0\.2 seconds") as failed:
            await run(Adapter(), channel, SlowFetcher(5), capability="image_transform", seconds=0.2)
        assert (failed.value.failure, channel.sent) == (FailureClass.SAFE, [])

    async def test_the_exchange_itself_notices_that_the_time_is_over(self):
        """So that the provider can be asked by the headers that it has sent by then."""
        head = b"HTTP/1.1 200 OK\r\nX-Generation-Id: gen-1\r\nContent-Length: 9\r\n\r\na"
        async with raw(head, then_wait=True) as port, HttpClient() as client:
            channel = HttpChannel(Provider("one", f"http://127.0.0.1:{port}"), client, Settings())
            with pytest.raises(ReplyCutOff) as cut_off:
                async with asyncio.timeout(30):
                    await channel.send(SUBMIT, asyncio.get_running_loop().time() + 0.5)
        assert cut_off.value.headers["x-generation-id"] == "gen-1"


class TestPolls:
    @pytest.mark.parametrize("lost", [ProviderUnavailable, ProviderRateLimited, ProviderAmbiguous])
    async def test_a_poll_that_did_not_come_through_is_repeated(self, run, lost):
        channel = Channel(200, lost("away"), lost("away"), 200)
        made = await run(Adapter(Pending(POLL, 0), DONE), channel)
        assert made.cost == PAID
        assert channel.sent == [SUBMIT, POLL, POLL, POLL]

    @pytest.mark.parametrize("status", [401, 402, 403, 408, 425, 429, 500, 503])
    @pytest.mark.parametrize(
        "read_as", [ProviderMisconfigured, ProviderUnavailable, ProviderRateLimited, ProviderAmbiguous]
    )
    async def test_a_server_in_trouble_is_polled_again(self, run, status, read_as):
        channel = Channel(200, status, 200)
        assert (await run(Adapter(Pending(POLL, 0), read_as("busy"), DONE), channel)).artifact
        assert channel.sent == [SUBMIT, POLL, POLL]

    @pytest.mark.parametrize("status", [200, 404, 500])
    async def test_a_failure_of_the_work_is_final(self, run, status):
        channel = Channel(200, status)
        with pytest.raises(ProviderRejected, match="policy"):
            await run(Adapter(Pending(POLL, 0), ProviderRejected("policy")), channel)
        assert channel.sent == [SUBMIT, POLL]

    @pytest.mark.parametrize(
        "read_as", [ProviderUnavailable("nothing"), ProviderMisconfigured("key"), ProviderAmbiguous("unreadable")]
    )
    async def test_what_was_taken_is_not_asked_for_again(self, run, read_as):
        channel = Channel(200, 404)
        with pytest.raises(ProviderAmbiguous, match=read_as.message):
            await run(Adapter(Pending(POLL, 0), read_as), channel)
        assert channel.sent == [SUBMIT, POLL]

    async def test_a_call_that_was_given_up_for_free_may_be_made_again(self, run):
        with pytest.raises(OverAndFree) as over:
            await run(Adapter(Pending(POLL, 0), OverAndFree("It never began.")), Channel(200, 503))
        assert over.value.failure is FailureClass.SAFE

    async def test_the_deadline_ends_polling(self, run):
        with pytest.raises(ProviderAmbiguous, match=r"within 0\.2 seconds"):
            await run(Adapter(*[Pending(POLL, 0.01)] * 1000), Channel(*[200] * 1000), seconds=0.2)


class TestCopies:
    async def test_a_host_that_stumbles_is_asked_again(self, run):
        fetcher = Fetcher([FetchInterrupted("broke off"), FetchInterrupted("HTTP 503"), Fetched(PNG, "image/png")])
        made = await run(Adapter(COPY), Channel(200), fetcher)
        assert (made.artifact.size, made.cost, fetcher.asked) == (len(PNG), PAID, 3)

    async def test_a_host_that_stays_away(self, run):
        fetcher = Fetcher([FetchInterrupted("The host is away.", hint="Wait.")])
        with pytest.raises(ResultLost, match=r"could not be copied: The host is away\.") as lost:
            await run(Adapter(COPY), Channel(200), fetcher)
        assert (lost.value.cost, lost.value.hint) == (PAID, "Wait.")
        assert fetcher.asked >= 3

    async def test_a_file_that_cannot_be_used_is_fetched_once(self, run):
        fetcher = Fetcher([InputRejected("It is text/html.")])
        with pytest.raises(ResultLost, match="text/html") as lost:
            await run(Adapter(COPY), Channel(200), fetcher)
        assert (lost.value.cost, fetcher.asked) == (PAID, 1)

    async def test_a_host_that_never_answers(self, run):
        class Silent:
            async def fetch(self, url, *, accept):
                await asyncio.Event().wait()

        with pytest.raises(ResultLost, match="too long") as lost:
            await run(Adapter(COPY), Channel(200), Silent())
        assert lost.value.cost == PAID


class TestResults:
    @pytest.mark.parametrize(
        "done",
        [Done(media=Media(WAV, "audio/wav"), cost=PAID), Done(media=Media(b"", ""), cost=PAID), Done(cost=PAID)],
    )
    async def test_what_was_not_asked_for_has_its_cost(self, run, done):
        with pytest.raises(ProviderRejected) as rejected:
            await run(Adapter(done), Channel(200))
        assert rejected.value.cost == PAID

    async def test_a_store_that_refuses_is_asked_once(self, run, monkeypatch):
        tried = []

        async def refuse(self, key, data, media_type):
            tried.append(key)
            raise InvalidRequest("This is no key.")

        monkeypatch.setattr(FileStore, "write", refuse)
        with pytest.raises(ResultLost, match="no key"):
            await run(Adapter(DONE), Channel(200))
        assert len(tried) == 1

    async def test_a_second_one_of_a_call_names_the_call(self, tmp_path):
        """So that it is not swept before somebody records it."""
        keeper = ResultKeeper(FileStore(tmp_path), Fetcher(), CAPABILITIES["image"].output_kind)
        key, deadline = new_id(), asyncio.get_running_loop().time() + 5
        other = Done(media=Media(picture("PNG"), "image/png"))
        first, _ = await keeper.keep(DONE, key, deadline)
        second, _ = await keeper.keep(other, key, deadline)
        assert first.key == f"images/{key}.png"
        assert ids_in(second.key) == {file_id_of(second.key), key}
        assert file_id_of(second.key) != key

    async def test_a_slow_result_is_kept_after_the_deadline(self, run, monkeypatch):
        write = FileStore.write

        async def slow(self, key, data, media_type):
            await asyncio.sleep(0.5)
            return await write(self, key, data, media_type)

        monkeypatch.setattr(FileStore, "write", slow)
        assert (await run(Adapter(DONE), Channel(200), seconds=0.2)).artifact


class Child:
    """A child process of which only the address exists."""

    def __init__(self, port):
        self._port = port
        self.killed = 0

    def use(self):
        return self

    async def __aenter__(self):
        return Endpoint(f"http://127.0.0.1:{self._port}", "token")

    async def __aexit__(self, *_):
        pass

    async def kill(self):
        self.killed += 1


class TestOfflineModel:
    @pytest.mark.parametrize(
        ("answer", "then_wait", "kind", "says"),
        [
            (b"", False, ProviderAmbiguous, "The offline model ended in the middle of its work."),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na", False, ProviderAmbiguous, "in the middle of its work"),
            (b"", True, ProviderAmbiguous, "The offline model did not finish within 0.5 seconds."),
            (b"HTTP/1.1 200 OK\r\n\r\n" + bytes(5000), False, ProviderRejected, "The offline model's answer"),
        ],
    )
    async def test_its_failures_name_it(self, answer, then_wait, kind, says):
        async with raw(answer, then_wait=then_wait) as port:
            await self._fails(port, kind, says)

    async def test_one_that_is_gone_can_be_asked_again(self):
        async with raw(b"") as port:
            pass
        await self._fails(port, ProviderUnavailable, "The offline model ended before")

    @pytest.mark.parametrize(
        ("status", "media_type", "body", "kind", "says", "killed"),
        [
            (400, "application/json", b'{"error": {"message": "Too long."}}', ProviderRejected, "Too long", 0),
            (200, "application/json", b"{}", ProviderUnavailable, "without a result that can be read", 0),
            (200, "text/event-stream", b"", ProviderUnavailable, "ended before the text did", 1),
        ],
    )
    async def test_only_a_stream_that_breaks_off_ends_it(self, status, media_type, body, kind, says, killed):
        head = f"HTTP/1.1 {status} OK\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        async with raw(head.encode() + body) as port, HttpClient() as client:
            child = Child(port)
            channel = LocalChannel(child, client, Settings())
            with pytest.raises(CallFailed, match=says) as failed:
                await stream(LocalText(), channel, ProviderCall("m", "hi"), ProviderClass.REPEATABLE, [].append, 0)
        assert (type(failed.value), child.killed) == (kind, killed)

    async def _fails(self, port, kind, says):
        child = Child(port)
        settings = Settings(call_timeout_seconds=0.5, max_fetch_bytes=1024)
        async with HttpClient() as client:
            with pytest.raises(CallFailed, match=says) as failed:
                await LocalChannel(child, client, settings).send(Request("POST", "/x"))
        assert type(failed.value) is kind
        assert "127.0.0.1" not in failed.value.message
        assert child.killed == 1


class TestQuantities:
    @pytest.mark.parametrize("answers", [[], [Fetched(PNG, "image/png")]])
    async def test_what_was_made_is_measured(self, run, answers):
        fetcher = Fetcher(answers)
        made = await run(Adapter(COPY if answers else DONE), Channel(200), fetcher)
        assert made.quantities[Unit.IMAGES] == 1
        assert made.quantities.keys() <= {Unit.IMAGES, Unit.MEGAPIXELS}
        assert fetcher.asked == len(answers)

    async def test_the_providers_own_word_counts(self, run):
        one = await run(Adapter(DONE), Channel(200))
        own = {Unit.IMAGES: Decimal(3), Unit.OUTPUT_TOKENS: Decimal(7)}
        made = await run(Adapter(replace(DONE, quantities=own)), Channel(200))
        assert own.items() <= made.quantities.items()
        assert made.quantities[Unit.MEGAPIXELS] == 3 * one.quantities[Unit.MEGAPIXELS] > 0
