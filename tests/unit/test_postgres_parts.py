"""The parts of the PostgreSQL ledger that need no server."""

import asyncio
import json

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis.database.postgres import messages
from genesis.database.postgres.clock import DatabaseClock
from genesis.database.postgres.connection import Server, Trouble, reason, trouble
from genesis.database.postgres.contact import Contact
from genesis.database.postgres.deciding import waves
from genesis.database.postgres.listing import _holds, _pattern
from genesis.database.postgres.queries import _position, _warnings
from genesis.database.postgres.submitting import size_of
from genesis.errors import InvalidRequest, Misconfigured
from genesis.ports.ledger import Change, Decision, Fence
from genesis.ports.signals import CancelRequested, JobChanged, Reread, TextDelta, WorkDue, WorkQueued
from tests.support.jobs import job_of

TEXT = st.text(max_size=200)
SIGNALS = st.lists(
    st.one_of(
        st.builds(JobChanged, TEXT, TEXT),
        st.builds(WorkQueued, TEXT),
        st.builds(WorkDue, st.integers(0, 2**63 - 1)),
        st.builds(CancelRequested, TEXT),
        st.just(Reread()),
    ),
    max_size=30,
    unique=True,
)


@given(SIGNALS)
def test_hints_come_out_of_their_payloads_in_order(signals):
    payloads = messages.encode("me", signals)
    assert [signal for payload in payloads for signal in messages.decode(payload)] == signals
    assert all(messages.is_from("me", payload) for payload in payloads)
    assert not any(messages.is_from(other, payload) for payload in payloads for other in ("m", "me2", "you"))


@given(st.lists(st.builds(TextDelta, TEXT, TEXT, TEXT, TEXT, st.integers(0, 99), st.text(max_size=9_000)), max_size=3))
def test_payloads_fit_and_long_texts_come_in_pieces_at_their_places(deltas):
    payloads = messages.encode("me", deltas)
    assert all(len(payload.encode()) < 8_000 for payload in payloads)
    got = [signal for payload in payloads for signal in messages.decode(payload)]
    if got == [Reread()]:
        return
    for delta in dict.fromkeys(deltas):
        for piece in got:
            if isinstance(piece, TextDelta) and len(deltas) == 1:
                start = piece.offset - delta.offset
                expected = delta.text[start : start + len(piece.text)].replace("\0", "\ufffd")
                assert piece.text == expected.encode("utf-8", "replace").decode()


def test_too_many_hints_become_one():
    many = [JobChanged("organization", f"job {number}") for number in range(5_000)]
    (payload,) = messages.encode("me", many)
    assert messages.decode(payload) == [Reread()]


@pytest.mark.parametrize("payload", ["", "{}", "[]", '["x",["z",1]]', '["x",["j"]]', "[1,2]", '["x",[]]'])
def test_a_payload_that_is_not_understood_means_to_read_again(payload):
    assert messages.decode(payload) == [Reread()]


class Local:
    time = 1_000.0

    def __call__(self):
        return self.time


def test_the_clock_keeps_to_what_it_measured_and_follows_drift_only():
    local = Local()
    clock = DatabaseClock(local)
    with pytest.raises(RuntimeError):
        clock.now()
    clock.measure(1_000, 50_020, 1_040)
    assert clock.now() == 50_000
    clock.measure(1_000, 50_300, 1_400)  # a slow answer that agrees with it
    assert clock.now() == 50_000
    clock.measure(1_000, 50_010, 1_004)  # it lags behind by 6 ms at least
    assert clock.now() == 50_006
    local.time += 500
    clock.measure(1_500, 50_400, 1_504)
    assert clock.now() == 50_400


def test_the_clock_tells_when_the_other_is_set_back():
    clock = DatabaseClock(Local())
    assert not clock.measure(1_000, 50_000, 1_000)
    assert not clock.measure(1_000, 49_001, 1_000)  # drift
    assert clock.measure(1_000, 40_000, 1_000)
    assert not clock.measure(1_000, 40_000, 1_000)
    assert not clock.measure(1_000, 90_000, 1_000)  # forward
    assert clock.now() == 90_000


def test_a_lease_stands_still_while_the_database_does_not_answer():
    local = Local()
    contact = Contact(15_000, local)

    def go_on(seconds):
        for _ in range(seconds):
            local.time += 1_000
            contact.answered()

    go_on(20)
    assert contact.lost() == 0
    local.time += 17_000
    contact.answered()
    assert contact.lost() == 14_000  # a sign of life was due in these seconds, as always
    go_on(14)
    assert contact.lost() == 14_000
    go_on(1)
    assert contact.lost() == 0


def test_outages_that_follow_each_other_count_together_and_a_slow_answer_does_not():
    local = Local()
    contact = Contact(15_000, local)
    for _ in range(3):
        local.time += 10_000
        contact.answered()
        local.time += 5_000
        contact.answered()
    assert contact.lost() == 14_000  # of the first it has answered for long enough since
    for _ in range(5):
        local.time += 3_000
        contact.answered()
    assert contact.lost() == 0


def decisions(*jobs):
    return [Decision(Fence(job, "me", 1), Change()) for job in jobs]


def test_waves_have_each_job_once_and_keep_its_order():
    assert waves(decisions("a", "b", "a", "c", "a", "b")) == [[0, 1, 3], [2, 5], [4]]
    assert waves([]) == []


@given(st.lists(st.sampled_from("abc")))
def test_waves_cover_everything(jobs):
    cut = waves(decisions(*jobs))
    assert sorted(index for wave in cut for index in wave) == list(range(len(jobs)))
    for wave in cut:
        assert len({jobs[index] for index in wave}) == len(wave)
    for job in "abc":
        assert [i for wave in cut for i in wave if jobs[i] == job] == [
            i for i, other in enumerate(jobs) if other == job
        ]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (asyncpg.DeadlockDetectedError("x"), Trouble.BUSY),
        (asyncpg.SerializationError("x"), Trouble.BUSY),
        (asyncpg.LockNotAvailableError("x"), Trouble.BUSY),
        (asyncpg.QueryCanceledError("x"), Trouble.BUSY),
        (asyncpg.AdminShutdownError("x"), Trouble.LOST),
        (asyncpg.CannotConnectNowError("x"), Trouble.LOST),
        (asyncpg.IdleInTransactionSessionTimeoutError("x"), Trouble.LOST),
        (asyncpg.ConnectionDoesNotExistError("x"), Trouble.LOST),
        (asyncpg.InterfaceError("x"), Trouble.LOST),
        (ConnectionRefusedError(), Trouble.LOST),
        (TimeoutError(), Trouble.LOST),
        (asyncio.IncompleteReadError(b"", 1), Trouble.LOST),
        (asyncpg.DiskFullError("x"), Trouble.OUTAGE),
        (asyncpg.TooManyConnectionsError("x"), Trouble.OUTAGE),
        (asyncpg.ReadOnlySQLTransactionError("x"), Trouble.OUTAGE),
        (asyncpg.CharacterNotInRepertoireError("x"), Trouble.DEFECT),
        (asyncpg.ForeignKeyViolationError("x"), Trouble.DEFECT),
        (asyncpg.DataError("x"), Trouble.DEFECT),
        (asyncpg.exceptions.DataError("x"), Trouble.DEFECT),
        (ValueError("x"), Trouble.DEFECT),
    ],
)
def test_errors_are_told_apart(error, kind):
    assert trouble(error) is kind
    assert reason(error)


@pytest.mark.parametrize(
    "url", ["postgresql://u:secret@h/d", "postgresql://u:secret@/d?host=/run/x", "postgres://u:secret@h:1/"]
)
def test_a_server_is_named_without_its_password(url):
    server = Server(url)
    assert "secret" not in server.name
    assert int(server.settings("writer")["idle_in_transaction_session_timeout"]) == 5_000


def test_a_url_that_cannot_be_read_is_not_repeated():
    with pytest.raises(Misconfigured) as refused:
        Server("postgresql://u:secret@[h/d")
    assert "secret" not in f"{refused.value}{refused.value.hint}"


@pytest.mark.parametrize("cursor", ["", "1", "1-", "-1-1", "1-2-3", "٣-1", "9223372036854775808-1", "1-1 "])
def test_what_is_no_cursor_is_refused(cursor):
    with pytest.raises(InvalidRequest):
        _position(cursor)


def test_cursors_are_places():
    assert _position(None) == (0, 0)
    assert _position("12-34") == (12, 34)


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_what_holds_a_text_is_found(before, text, after):
    inputs = json.dumps({"text": before + text + after}, ensure_ascii=False)
    assert _holds(inputs, text.casefold()) or (before + text + after).casefold().find(text.casefold()) < 0


def test_wildcards_are_letters():
    assert _pattern('a%b_c\\d"') == '%a\\%b\\_c\\\\\\\\d\\\\"%'


def test_settings_that_weaken_the_guarantees_are_told():
    assert _warnings("on", "on") == ()
    assert _warnings("remote_apply", "on") == ()
    assert len(_warnings("off", "off")) == 2
    assert len(_warnings("local", "on")) == 1


def test_what_a_new_job_takes_until_it_is_stored_counts_its_options_as_well():
    small = size_of(job_of("text_to_text"))
    assert size_of(job_of("text_to_text", inputs={"text": "x" * 5_000})) == pytest.approx(small + 5_000, abs=100)
    options = {"provider_options": {"deep": [{"a": "x" * 5_000}]}}
    assert size_of(job_of("text_to_text", options=options)) == pytest.approx(small + 5_000, abs=100)
