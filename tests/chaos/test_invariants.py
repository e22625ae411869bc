"""That the checks of a chaos run find what they are for: each is shown a run that went well, with one thing changed."""

from copy import deepcopy
from dataclasses import replace

import pytest

from tests.chaos.clients import Memory
from tests.chaos.explanations import Explainer
from tests.chaos.faults import Outage
from tests.chaos.invariants import CHECKS, Remains, decided_twice, violations
from tests.chaos.ledger import Books
from tests.chaos.plan import Blow

STORY = ("job-queued", "job-started", "step-started", "step-completed", "job-completed")
FAILED = {"code": "provider-unavailable", "kind": "safe"}


def good():
    """One job with one paid call."""
    job = {
        "id": "j",
        "status": "completed",
        "owner": None,
        "wake_at": 0,
        "event_seq": len(STORY),
        "batch": None,
        "pipeline": "text_to_text",
        "inputs": {"text": "hello"},
        "options": {},
        "outputs": {"text": "answer to hello"},
        "failure": None,
        "on_ambiguous": "fail",
        "crash_count": 0,
    }
    step = {"job": "j", "name": "generate", "capability": "text", "state": "done", "output": {}, "failure": None}
    attempt = {
        "id": "a",
        "job": "j",
        "step": "generate",
        "number": 1,
        "call_key": "k",
        "target": "fake-keyed:made-up",
        "provider_class": "keyed",
        "state": "succeeded",
        "created_at": 10_000,
        "settled_at": 10_500,
        "failure": None,
        "cost": 1_000,
    }
    events = [event(number, kind) for number, kind in enumerate(STORY, start=1)]
    journal = [{"key": "k", "fault": "", "class": "keyed", "capability": "text", "prompt": "hello"}]
    feed = [("j", number) for number in range(1, len(STORY) + 1)]
    return Remains(
        Memory(jobs={"key": {"j"}}),
        Books([job], [step], [attempt], events),
        journal,
        receipts=frozenset({"k"}),
        feeds=(feed,),
        job_feeds={"j": [1, 2, 3]},
    )


def event(seq, kind, attempt=1):
    data = {"step": "generate", "attempt": attempt} if kind.startswith("step") else {}
    return {"job": "j", "seq": seq, "type": kind, "at": 10_000 + seq, "data": data}


def earlier_attempt(remains, **changes):
    """A first attempt before the one that succeeded."""
    last = remains.books.attempts[0]
    first = {**last, "id": "b", "call_key": "k0", "state": "failed", "settled_at": 9_500, "created_at": 9_000}
    last["number"] = 2
    remains.books.attempts.insert(0, {**first, "failure": FAILED, **changes})


def story(remains, *kinds):
    remains.books.events[:] = [event(number, kind) for number, kind in enumerate(kinds, start=1)]
    remains.books.jobs[0]["event_seq"] = len(kinds)


BROKEN = {
    "lost": [
        lambda remains: remains.memory.jobs.update(other={"gone"}),
        lambda remains: remains.memory.jobs["key"].add("j2"),
        lambda remains: remains.memory.sizes.update(batch=3),
        lambda remains: remains.memory.jobs.clear(),
    ],
    "charged_twice": [
        lambda remains: remains.journal.append(remains.journal[0]),
        lambda remains: remains.journal.append({**remains.journal[0], "key": "nobody"}),
    ],
    "sent_anew": [
        lambda remains: earlier_attempt(remains, state="unknown"),
        lambda remains: earlier_attempt(remains, settled_at=12_000),
        lambda remains: earlier_attempt(remains, call_key="k"),
    ],
    "paid_again": [
        lambda remains: (
            earlier_attempt(remains, failure={"code": "provider-rejected", "kind": "final"}),
            remains.journal.append({**remains.journal[0], "key": "k0"}),
        )
    ],
    "denied": [
        lambda remains: remains.books.attempts[0].update(state="not_sent"),
        lambda remains: remains.books.attempts[0].update(state="failed", failure=FAILED),
    ],
    "unclaimed": [lambda remains: remains.books.attempts[0].update(state="unknown")],
    "done_again": [
        lambda remains: story(remains, *STORY[:4], "step-started", "step-completed", "job-completed"),
        lambda remains: remains.books.steps[0].update(state="failed"),
    ],
    "decided_twice": [
        lambda remains: story(remains, *STORY, "job-failed"),
        lambda remains: (
            story(remains, *STORY[:3], *STORY[2:]),
            remains.books.attempts[0].update(settled_at=20_000),
        ),
        lambda remains: story(remains, *STORY[1:]),
        lambda remains: remains.books.jobs[0].update(status="failed"),
    ],
    "gaps": [lambda remains: remains.books.events.pop(2), lambda remains: remains.books.jobs[0].update(event_seq=9)],
    "missed": [
        lambda remains: remains.feeds[0].pop(),
        lambda remains: remains.feeds[0].append(("j", 5)),
        lambda remains: remains.feeds[0].reverse(),
        lambda remains: remains.job_feeds["j"].append(5),
    ],
    "miscounted": [
        lambda remains: remains.books.attempts[0].update(cost=None),
        lambda remains: remains.books.attempts[0].update(state="pending"),
        lambda remains: remains.journal.clear(),
    ],
    "stuck": [
        lambda remains: remains.books.jobs[0].update(status="running"),
        lambda remains: remains.books.jobs[0].update(owner="somebody"),
    ],
    "unaccounted": [lambda remains: remains.memory.jobs.update(other={"j3"})],
    "spoiled": [
        lambda remains: remains.books.jobs[0]["outputs"].update(text="answer to another"),
        lambda remains: remains.books.jobs[0].update(pipeline="text_to_image", outputs={"image_url": "/storage/x.png"}),
        lambda remains: remains.books.steps[0].update(state="waiting"),
        lambda remains: remains.books.jobs[0].update(failure={"code": "internal-error"}),
    ],
}


def test_what_went_well_passes():
    assert not any(violations(good()).values())
    assert set(BROKEN) == {check.__name__ for check in CHECKS}


@pytest.mark.parametrize(
    ("check", "number"), [(check, number) for check in BROKEN for number in range(len(BROKEN[check]))]
)
def test_what_went_wrong_is_found(check, number):
    remains = deepcopy(good())
    BROKEN[check][number](remains)
    assert violations(remains)[check]


def test_a_stray_job_is_found():
    assert violations(replace(good(), strays=("j",)))["stuck"]


def unknown(code, **changes):
    return {**good().books.attempts[0], "state": "unknown", "failure": {"code": code}, **changes}


def explainer(remains, *outages):
    return Explainer(1, remains, outages)


def test_an_unknown_attempt_needs_a_cause():
    remains = good()
    assert explainer(remains).cause(unknown("outcome-unknown")) is None
    assert explainer(remains).cause(unknown("attempt-canceled")) is None


def test_causes_are_found():
    remains = good()
    killed = Outage("worker-llm", Blow.KILL, 10_100, 10_200)
    assert explainer(remains, killed).cause(unknown("outcome-unknown")) == "kill of worker"
    other_worker, long_ago = replace(killed, process="worker-image"), replace(killed, began=1_000, ended=2_000)
    assert explainer(remains, other_worker, long_ago).cause(unknown("outcome-unknown")) is None
    remains.journal[0]["fault"] = "hang"
    assert explainer(remains).cause(unknown("provider-ambiguous")) == "provider: hang"
    remains.memory.cancels_asked.add("j")
    assert explainer(remains).cause(unknown("attempt-canceled")) == "canceled by a client"
    remains.books.jobs[0]["inputs"]["text"] = "hello [fault:reset:2]"
    assert explainer(remains).cause(unknown("provider-ambiguous", call_key="other")) == "provider: reset"


def test_a_job_that_busy_workers_refused_may_be_queued_again():
    remains = good()
    story(remains, "job-queued", "job-started", "step-started", "step-retried", "job-queued", *STORY[1:])
    remains = replace(remains, feeds=([("j", number) for number in range(1, 10)],), job_feeds={})
    assert list(decided_twice(remains)) == []
    story(remains, "job-queued", "job-started", "job-queued", "step-started", "step-completed", "job-completed")
    assert list(decided_twice(remains)) != []
