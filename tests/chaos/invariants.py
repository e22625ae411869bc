"""The invariants of the engine's protocol, I1 to I12, as pure checks of what a chaos run has left behind.

Each returns what is wrong, in words, and nothing where all is well.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.chaos.clients import Memory
from tests.chaos.ledger import Books, Row
from tests.chaos.subscribers import Seen
from tests.support.paid_provider import PRICES

TERMINAL = ("completed", "failed", "canceled")
_ENDS = tuple(f"job-{status}" for status in TERMINAL)
_OVER = ("done", "failed", "skipped")
_MICRODOLLARS = 1_000_000
_CLOCKS_DIFFER = 1_000
"""Milliseconds: each process keeps the database's time by itself; the order of events shows the rest."""


@dataclass(frozen=True, slots=True)
class Remains:
    """All that is known after a run.

    Attributes:
        journal: the provider's charges.
        receipts: call keys of the receipts that workers have written.
        files: keys of the stored files.
        feeds: what each subscriber of all events has seen.
        job_feeds: what subscribers of single jobs have seen, by job.
        strays: jobs that were seen without owner and without a place in the queue while all went on.
    """

    memory: Memory
    books: Books
    journal: list[Row]
    receipts: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    feeds: tuple[list[Seen], ...] = ()
    job_feeds: Mapping[str, list[int]] = field(default_factory=dict)
    strays: tuple[str, ...] = ()

    @property
    def charges(self) -> Counter[str]:
        return Counter(line["key"] for line in self.journal)

    @property
    def by_key(self) -> dict[str, Row]:
        return {attempt["call_key"]: attempt for attempt in self.books.attempts}

    def may_pay_twice(self, job: str) -> bool:
        """Whether somebody has accepted that for this job."""
        ambiguous = {row["id"]: row["on_ambiguous"] for row in self.books.jobs}
        return job in self.memory.resends_asked or ambiguous[job] == "resend"


def lost(remains: Remains) -> Iterator[str]:
    """I1: every 201 exists, once."""
    stored = {row["id"] for row in remains.books.jobs}
    for key, ids in remains.memory.jobs.items():
        yield from (f"I1: job {job} of {key} was accepted and is not there" for job in ids - stored)
        if len(ids) > 1:
            yield f"I1: {key} was answered with several jobs: {sorted(ids)}"
    sizes = Counter(row["batch"] for row in remains.books.jobs if row["batch"])
    for batch, size in remains.memory.sizes.items():
        if sizes[batch] != size:
            yield f"I1: batch {batch} of {size} has {sizes[batch]} jobs"
    for key, ids in remains.memory.batches.items():
        if len(ids) > 1:
            yield f"I1: {key} was answered with several batches: {sorted(ids)}"
    known = {job for ids in remains.memory.jobs.values() for job in ids}
    for row in remains.books.jobs:
        if row["batch"] not in remains.memory.sizes and row["id"] not in known:
            yield f"I1: job {row['id']} was stored, but its key was answered with another one"


def charged_twice(remains: Remains) -> Iterator[str]:
    """I2: at most one charge per call key, and each is known to the ledger."""
    for key, count in remains.charges.items():
        if key not in remains.by_key:
            yield f"I2: call {key} was charged, and the ledger does not know it"
        elif count > 1:
            yield f"I2: call {key} of job {remains.by_key[key]['job']} was charged {count} times"


def sent_anew(remains: Remains) -> Iterator[str]:
    """I3: no new call of a step while an earlier one is open, or unresolved without leave to pay twice."""
    for earlier, later in _pairs_of_attempts(remains.books.attempts):
        place = f"attempt {later['number']} of step {later['step']} of job {later['job']}"
        if earlier["call_key"] == later["call_key"]:
            yield f"I3: {place} has the call key of the one before"
        if remains.may_pay_twice(later["job"]):
            continue
        if earlier["state"] == "unknown":
            yield f"I3: {place} was begun although nobody knows what came of the one before"
        elif earlier["settled_at"] > later["created_at"] + _CLOCKS_DIFFER:
            yield f"I3: {place} was begun {earlier['settled_at'] - later['created_at']} ms before the last one was over"


def paid_again(remains: Remains) -> Iterator[str]:
    """I3, as the bill has it: one charge per step, unless a person has asked for more or it was known to be in vain."""
    retried = {job: count for job, count in _count_of(remains.books.events, "job-retried").items() if count}
    by_step: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key in remains.charges:
        if attempt := remains.by_key.get(key):
            by_step[attempt["job"], attempt["step"]].append(attempt["state"])
    for (job, step), states in by_step.items():
        if len(states) > 1 + retried.get(job, 0) and not remains.may_pay_twice(job):
            yield f"I3: step {step} of job {job} was charged {len(states)} times: {states}"


def denied(remains: Remains) -> Iterator[str]:
    """I4: nothing that was charged is recorded as not sent, or as failed for a reason that proves that it cost nothing."""
    for key in remains.charges:
        attempt = remains.by_key.get(key)
        if attempt is None:
            continue
        harmless = attempt["state"] == "failed" and (attempt["failure"] or {}).get("kind") == "safe"
        if attempt["state"] == "not_sent" or harmless:
            yield f"I4: call {key} of job {attempt['job']} was charged and is recorded as {_state(attempt)}"


def unclaimed(remains: Remains) -> Iterator[str]:
    """I5: a receipt implies success."""
    for key in remains.receipts:
        attempt = remains.by_key.get(key)
        if attempt is None or attempt["state"] != "succeeded":
            yield f"I5: call {key} has a receipt, and the ledger says {_state(attempt)}"


def done_again(remains: Remains) -> Iterator[str]:
    """I6: a step that is done never runs again."""
    completed: set[tuple[str, str]] = set()
    for event in remains.books.events:
        step = (event["job"], event["data"].get("step", ""))
        if step in completed:
            yield f"I6: event {event['seq']} of job {event['job']} is {event['type']} of a step that is done"
        if event["type"] == "step-completed":
            completed.add(step)
    for step in remains.books.steps:
        if (step["state"] == "done") is not ((step["job"], step["name"]) in completed):
            yield f"I6: step {step['name']} of job {step['job']} is {step['state']}, and its events say otherwise"


def decided_twice(remains: Remains) -> Iterator[str]:
    """I7: one owner decides: a job's events are one story, and its row and steps tell its end."""
    stories: dict[str, list[Row]] = defaultdict(list)
    for event in remains.books.events:
        stories[event["job"]].append(event)
    settled: dict[str, dict[tuple[str, int], int]] = defaultdict(dict)
    for attempt in remains.books.attempts:
        settled[attempt["job"]][attempt["step"], attempt["number"]] = attempt["settled_at"]
    for job in remains.books.jobs:
        wrongs = _wrong_in(stories[job["id"]], job, settled[job["id"]])
        yield from (f"I7: job {job['id']}: {wrong}" for wrong in wrongs)


def _wrong_in(story: list[Row], job: Row, settled: Mapping[tuple[str, int], int | None]) -> Iterator[str]:
    """What is wrong with a job's events.

    Args:
        settled: when attempts were, by step and number; evidence from who has lost the job has no event.
    """
    if not story or story[0]["type"] != "job-queued":
        yield "its story does not begin with job-queued"
        return
    status = "queued"
    flying: dict[str, int] = {}
    for event in story[1:]:
        kind, data = event["type"], event["data"]
        allowed = {
            "job-started": status == "queued",
            "job-retried": status in ("failed", "canceled"),
            "job-completed": status == "running",
            "job-failed": status in ("queued", "running"),
            "job-canceled": status in ("queued", "running"),
        }.get(kind, status == "running")
        if not allowed:
            yield f"event {event['seq']} is {kind} while it was {status}"
        status = {"job-started": "running", "job-retried": "queued", "job-queued": "queued"}.get(kind, status)
        status = kind.removeprefix("job-") if kind in _ENDS else status
        if kind == "step-started":
            over_at = settled.get((data["step"], flying.get(data["step"], 0)), 0)
            if over_at is None or over_at > event["at"] + _CLOCKS_DIFFER:
                yield f"event {event['seq']} starts step {data['step']}, of which an attempt was under way"
            flying[data["step"]] = data["attempt"]
        elif kind in ("step-retried", "step-completed", "step-failed"):
            flying.pop(data["step"], None)
        elif kind in (*_ENDS, "job-queued"):
            flying.clear()
    if status != job["status"]:
        yield f"it is {job['status']}, and its story says {status}"


def gaps(remains: Remains) -> Iterator[str]:
    """I8: events of a job are numbered without gaps."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for event in remains.books.events:
        numbers[event["job"]].append(event["seq"])
    for job in remains.books.jobs:
        if numbers[job["id"]] != list(range(1, job["event_seq"] + 1)):
            yield f"I8: job {job['id']} has counted to {job['event_seq']} and has the events {numbers[job['id']]}"


def missed(remains: Remains) -> Iterator[str]:
    """I9: a subscriber sees each event once, those of a job in their order."""
    written = Counter((event["job"], event["seq"]) for event in remains.books.events)
    for number, feed in enumerate(remains.feeds, start=1):
        seen = Counter(feed)
        for what, events in (("missed", written - seen), ("saw again", seen - written)):
            if events:
                yield f"I9: subscriber {number} {what} {events.total()} events, such as {next(iter(events))}"
        last: dict[str, int] = {}
        for job, seq in feed:
            if seq < last.get(job, 0):
                yield f"I9: subscriber {number} saw event {seq} of job {job} after {last[job]}"
            last[job] = seq
    for job, numbers in remains.job_feeds.items():
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"I9: the subscriber of job {job} saw {numbers}"


def miscounted(remains: Remains) -> Iterator[str]:
    """I10: what succeeded was charged once, and costs in the ledger what it cost at the provider."""
    capabilities = {(step["job"], step["name"]): step["capability"] for step in remains.books.steps}
    for attempt in remains.books.attempts:
        place = f"I10: attempt {attempt['number']} of step {attempt['step']} of job {attempt['job']}"
        if attempt["state"] in ("intended", "pending"):
            yield f"{place} is still {attempt['state']}"
        if attempt["state"] != "succeeded":
            continue
        free = attempt["provider_class"] == "repeatable"
        capability = capabilities[attempt["job"], attempt["step"]]
        price = 0 if free else round(PRICES[capability] * _MICRODOLLARS)
        if attempt["cost"] != price:
            yield f"{place} cost {attempt['cost']}, not {price}"
        if not free and not remains.charges[attempt["call_key"]]:
            yield f"{place} succeeded and was never charged"


def stuck(remains: Remains) -> Iterator[str]:
    """I11: no job waits for nobody."""
    for job in remains.books.jobs:
        if job["status"] not in TERMINAL:
            yield f"I11: job {job['id']} is {job['status']}, owner {job['owner']}, wake_at {job['wake_at']}"
        elif job["owner"] is not None:
            yield f"I11: job {job['id']} is {job['status']} and has an owner"
    yield from (f"I11: job {job} had neither owner nor a place in the queue" for job in remains.strays)


def unaccounted(remains: Remains) -> Iterator[str]:
    """I12: accepted = completed + failed + canceled."""
    accepted = len({job for ids in remains.memory.jobs.values() for job in ids}) + sum(remains.memory.sizes.values())
    ended = sum(job["status"] in TERMINAL for job in remains.books.jobs)
    if accepted != ended:
        yield f"I12: {accepted} jobs were accepted, and {ended} have ended"


def spoiled(remains: Remains) -> Iterator[str]:
    """Beside the protocol: a completed job has what it was asked for, and none fails on an error of ours."""
    steps: dict[str, list[Row]] = defaultdict(list)
    for step in remains.books.steps:
        steps[step["job"]].append(step)
    for job in remains.books.jobs:
        for step in steps[job["id"]]:
            if job["status"] in TERMINAL and step["state"] not in _OVER:
                yield f"job {job['id']} is {job['status']} and its step {step['name']} {step['state']}"
        if job["failure"] and job["failure"]["code"] == "internal-error":
            yield f"job {job['id']} failed on an error of ours"
        if job["status"] != "completed":
            continue
        output = job["outputs"].get("text") or job["outputs"].get("image_url") or ""
        if job["pipeline"] == "text_to_text" and not output.endswith(job["inputs"]["text"]):
            yield f"job {job['id']} has the output {output[:80]!r}"
        if job["pipeline"] == "text_to_image" and output.removeprefix("/storage/") not in remains.files:
            yield f"job {job['id']} has the image {output!r}, which is not stored"


CHECKS = (
    lost,
    charged_twice,
    sent_anew,
    paid_again,
    denied,
    unclaimed,
    done_again,
    decided_twice,
    gaps,
    missed,
    miscounted,
    stuck,
    unaccounted,
    spoiled,
)


def violations(remains: Remains) -> dict[str, list[str]]:
    """What is wrong, by the name of the check."""
    return {check.__name__: list(check(remains)) for check in CHECKS}


def _pairs_of_attempts(attempts: Iterable[Row]) -> Iterator[tuple[Row, Row]]:
    by_step: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for attempt in attempts:
        by_step[attempt["job"], attempt["step"]].append(attempt)
    for of_step in by_step.values():
        yield from pairwise(sorted(of_step, key=lambda attempt: attempt["number"]))


def _count_of(events: Iterable[Row], kind: str) -> Counter[str]:
    return Counter(event["job"] for event in events if event["type"] == kind)


def _state(attempt: Mapping[str, Any] | None) -> str:
    if attempt is None:
        return "nothing"
    failure = attempt["failure"]
    return f"{attempt['state']} ({failure['code']})" if failure else str(attempt["state"])
