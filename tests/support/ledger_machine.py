"""A state machine that does to a ledger what people, executors and time do, and knows beside it what has to come of it."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import strategies
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule

from genesis.domain.attempt import OPEN, TRANSITIONS, AttemptState, ProviderClass
from genesis.domain.job import TERMINAL, JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.domain.step import Step, StepState
from genesis.errors import Conflict, Fenced, IdempotencyConflict
from genesis.ports.ledger import Change, Decision, Fence, Finish, Idempotency, Release
from genesis.ports.queries import JobFilter
from tests.support.jobs import job_of
from tests.support.ledger import LEASE_IS_OVER, TWO_STEPS, SetClock, attempt_of, first_call

LANE = "text"
ANY = strategies.integers(0, 999)
RARELY = strategies.sampled_from([False, False, False, True])
OUTCOMES = tuple(state for state in AttemptState if state is not AttemptState.INTENDED)
EXECUTORS = ("first", "second")


@dataclass
class Expected:
    """A job as it should be."""

    job: object
    status: JobStatus = JobStatus.QUEUED
    owner: str | None = None
    epoch: int = 0
    wake_at: int = 0
    crashes: int = 0
    alone: bool = False
    lone_crashes: int = 0
    cancel_asked: bool = False
    done: set = field(default_factory=set)
    attempts: dict = field(default_factory=dict)
    retried_at: int = 0

    @property
    def waits(self):
        return self.owner is None and self.status not in TERMINAL and self.wake_at == 0

    @property
    def unresolved(self):
        undone = [one for one in self.attempts.values() if one.step not in self.done]
        newest = {one.step: one for one in undone if one.state is not AttemptState.NOT_SENT}.values()
        unknown = (one for one in undone if one.state is AttemptState.UNKNOWN)
        return any(one.created_at >= self.retried_at or one in newest for one in unknown)


class LedgerMachine(RuleBasedStateMachine):
    """Each rule does one thing to the ledger and to the model."""

    database = None  # given a clock, makes a fresh one; each call of that opens it

    jobs = Bundle("jobs")

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = SetClock()
        self.expected = {}
        self.keys = {}
        self.live = set()
        self.issued = []
        self.joined = 0

    @initialize(target=jobs, count=strategies.integers(1, 3))
    def begin(self, count):
        self.opener = self.database(self.clock)
        self.open()
        for name in EXECUTORS:
            self.join(name)
        return multiple(*(self.accepted(None, "x") for _ in range(count)))

    def open(self):
        self.context = self.opener()
        self.opened = self.do(self.context.__aenter__())
        self.ledger, self.queries = self.opened.ledger, self.opened.queries

    def teardown(self):
        if hasattr(self, "opened"):
            self.do(self.context.__aexit__(None, None, None))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    def do(self, work):
        return self.loop.run_until_complete(work)

    def join(self, name):
        self.joined += 1
        identity = f"{name} {self.joined}"
        self.do(self.ledger.join(identity))
        self.live = {one for one in self.live if one.partition(" ")[0] != name} | {identity}

    def executor(self, name):
        return next(one for one in sorted(self.live) if one.startswith(name))

    # What people do

    @rule(
        target=jobs, key=strategies.sampled_from([None, None, None, "a", "b"]), text=strategies.sampled_from(["x", "y"])
    )
    def submit(self, key, text):
        earlier = self.keys.get(key)
        if earlier and earlier[0] != text:
            with pytest.raises(IdempotencyConflict):
                self.submitted(key, text)
            return multiple()
        if earlier:
            submission = self.submitted(key, text)
            assert submission.replayed
            assert submission.job.id == earlier[1]
            return multiple()
        return self.accepted(key, text)

    def accepted(self, key, text):
        submission = self.submitted(key, text)
        assert not submission.replayed
        if key:
            self.keys[key] = (text, submission.job.id)
        self.expected[submission.job.id] = Expected(submission.job)
        return submission.job.id

    def submitted(self, key, text):
        job = job_of(TWO_STEPS, now=self.clock.time, wake_at=0, inputs={"text": text}, lane=LANE)
        return self.do(self.ledger.submit(job, idempotency=Idempotency(key, text) if key else None))

    @rule(job=jobs, what=strategies.sampled_from(["cancel", "retry", "retry and resend"]))
    def change_mind(self, job, what):
        if what == "cancel":
            self.cancel(job)
        else:
            self.retry(job, resend=what == "retry and resend")

    def cancel(self, job):
        expected = self.expected[job]
        if expected.status in TERMINAL:
            with pytest.raises(Conflict):
                self.do(self.ledger.cancel(DEFAULT_ORGANIZATION, job))
            return
        self.do(self.ledger.cancel(DEFAULT_ORGANIZATION, job))
        expected.cancel_asked = True
        if expected.owner is None:
            self.ends(expected, JobStatus.CANCELED)

    def retry(self, job, *, resend):
        expected = self.expected[job]
        refused = expected.status not in (JobStatus.FAILED, JobStatus.CANCELED)
        refused |= any(one.state in OPEN for one in expected.attempts.values())
        refused |= expected.unresolved and not resend
        if refused:
            with pytest.raises(Conflict):
                self.do(self.ledger.retry(DEFAULT_ORGANIZATION, job, resend=resend))
            return
        self.do(self.ledger.retry(DEFAULT_ORGANIZATION, job, resend=resend))
        expected.status, expected.owner, expected.wake_at = JobStatus.QUEUED, None, 0
        expected.epoch += 1
        expected.crashes, expected.lone_crashes, expected.alone = 0, 0, False
        latest = [one.created_at + 1 for one in expected.attempts.values()]
        expected.cancel_asked, expected.retried_at = False, max(self.clock.time, *latest, 0)

    # What executors do

    @rule(
        name=strategies.sampled_from(EXECUTORS),
        limit=strategies.integers(1, 3),
        provider_class=strategies.sampled_from(ProviderClass),
    )
    def claim(self, name, limit, provider_class):
        """A job that has no attempt yet begins with one."""
        owner = self.executor(name)
        self.wake()
        waiting = sorted(job for job, expected in self.expected.items() if expected.waits and expected.crashes < 2)

        def begin(job):
            return Change() if job.attempts or job.steps[0].state is StepState.DONE else first_call(job, provider_class)

        claimed = self.do(self.ledger.claim(owner, LANE, limit, begin))
        assert sorted(one.job.id for one in claimed) == waiting[:limit]
        for one in claimed:
            self.expected[one.job.id].attempts |= {attempt.id: attempt for attempt in one.change.intents}
            self.owns(one.job, owner)

    def wake(self):
        for expected in self.expected.values():
            if 0 < expected.wake_at <= self.clock.time:
                expected.wake_at = 0

    def owns(self, job, owner):
        expected = self.expected[job.id]
        expected.owner, expected.status = owner, JobStatus.RUNNING
        expected.epoch += 1
        assert (job.owner, job.epoch) == (owner, expected.epoch)
        self.issued.append(Fence(job.id, owner, job.epoch))

    @precondition(lambda self: self.issued)
    @rule(state=strategies.sampled_from(OUTCOMES), zombie=strategies.booleans(), pick=ANY)
    def settle(self, state, zombie, pick):
        """Evidence counts whoever brings it, but for what somebody else's sending of a key may have made untrue."""
        known = [
            (fence, attempt)
            for fence in self.issued
            if self.holds(fence) is not zombie
            for attempt in self.expected[fence.job].attempts.values()
        ]
        if not known:
            return
        fence, attempt = _pick([one for one in known if one[1].state in OPEN] or known, pick)
        changed = replace(attempt, state=state, settled_at=self.clock.time, output={"text": "out"})
        fenced = not self.decided(fence, Change(evidence=(changed,)))
        of_one_sending = state in (AttemptState.NOT_SENT, AttemptState.FAILED)
        counts = not (fenced and of_one_sending and attempt.provider_class is ProviderClass.KEYED)
        if counts and state in TRANSITIONS[attempt.state]:
            self.expected[fence.job].attempts[attempt.id] = changed

    @precondition(lambda self: self.issued)
    @rule(what=strategies.sampled_from(["intend", "finish a step", "release", "end"]), zombie=RARELY, pick=ANY)
    def decide(self, what, zombie, pick):
        """Only the owner decides."""
        fences = [fence for fence in self.issued if self.holds(fence) is not zombie]
        if not fences:
            return
        fence, kinds = _pick(fences, pick), tuple(ProviderClass)
        match what:
            case "intend":
                self.intend(fence, _pick("ab", pick), _pick(kinds, pick))
            case "finish a step":
                self.finish_step(fence, _pick("ab", pick))
            case "release":
                self.release(fence, _pick([0, 50], pick), begun=pick % 3 > 0)
            case _:
                self.end(fence, _pick(sorted(TERMINAL), pick))

    def intend(self, fence, step, provider_class):
        expected = self.expected[fence.job]
        if step in expected.done:
            return
        number = 1 + sum(one.step == step for one in expected.attempts.values())
        attempt = attempt_of(step, number, provider_class, at=self.clock.time)
        running = Step(step, LANE, StepState.RUNNING, started_at=self.clock.time)
        if self.decided(fence, Change(intents=(attempt,), steps=(running,))):
            expected.attempts[attempt.id] = attempt

    def finish_step(self, fence, step):
        done = Step(step, LANE, StepState.DONE, output={"text": "out"}, completed_at=self.clock.time)
        if self.decided(fence, Change(steps=(done,))):
            self.expected[fence.job].done.add(step)

    def release(self, fence, delay, *, begun):
        wake_at = self.clock.time + delay if delay else 0
        if self.decided(fence, Change(outcome=Release(LANE, wake_at, begun))):
            self.expected[fence.job].status = JobStatus.RUNNING if begun else JobStatus.QUEUED
            self.gives_up(self.expected[fence.job], wake_at)

    def end(self, fence, status):
        if self.decided(fence, Change(outcome=Finish(status))):
            expected = self.expected[fence.job]
            expected.status, expected.owner = status, None
            expected.epoch += 1

    def decided(self, fence, change):
        """Whether the ledger took a decision, which it has to exactly if its fence holds."""
        if self.holds(fence):
            self.do(self.ledger.decide(Decision(fence, change)))
            return True
        with pytest.raises(Fenced):
            self.do(self.ledger.decide(Decision(fence, change)))
        return False

    def holds(self, fence):
        expected = self.expected[fence.job]
        return (expected.owner, expected.epoch) == (fence.owner, fence.epoch)

    # What time and death do

    @rule(
        name=strategies.sampled_from(EXECUTORS),
        how=strategies.sampled_from(["leaves", "disowns", "dies", "works"]),
        pick=ANY,
    )
    def goes_on(self, name, how, pick):
        """Time passes; an executor may lose its jobs: in good order, by mistake, or with its lease."""
        self.clock.time += 10 + pick % 90
        assert self.do(self.ledger.sweep()) == 0
        self.wake()
        owner = self.executor(name)
        if how == "leaves":
            self.leave(owner)
        elif how == "disowns":
            self.disown(owner, keep=pick % 2)
        elif how == "dies" and self.ledger.exclusive:
            self.die_all()
        elif how == "dies":
            self.die(owner)

    def leave(self, owner):
        """Nobody is blamed. Another one takes its place."""
        self.do(self.ledger.leave(owner))
        for expected in self.owned_by(owner):
            self.gives_up(expected, 0)
        self.join(owner.partition(" ")[0])

    def disown(self, owner, keep):
        owned = self.owned_by(owner)
        kept = [expected.job.id for expected in owned[:keep]]
        assert self.do(self.ledger.disown(owner, kept)) == len(owned) - len(kept)
        for expected in owned[len(kept) :]:
            self.gives_up(expected, 0)

    def die(self, owner):
        """Its lease ends, the others go on."""
        self.clock.time += LEASE_IS_OVER
        for one in sorted(self.live - {owner}):
            assert self.do(self.ledger.heartbeat(one))
        owned = self.owned_by(owner)
        assert self.do(self.ledger.sweep()) == len(owned)
        self.wake()
        for expected in owned:
            self.loses_owner(expected)
        assert not self.do(self.ledger.heartbeat(owner))
        self.join(owner.partition(" ")[0])

    def die_all(self):
        """The process dies and is started again, which proves all earlier executors dead; what has begun is woken."""
        self.do(self.context.__aexit__(None, None, None))
        self.open()
        self.live.clear()
        for name in EXECUTORS:
            self.join(name)
        for _, expected in sorted(self.expected.items()):
            if expected.owner is not None:
                self.loses_owner(expected)
            expected.wake_at = expected.wake_at if expected.status is JobStatus.QUEUED else 0

    @precondition(lambda self: any(one.crashes > 1 for one in self.expected.values()))
    @rule(name=strategies.sampled_from(EXECUTORS))
    def claim_suspects(self, name):
        """Jobs on which owners have died twice run where nothing else does; the third death of one alone ends it."""
        owner = self.executor(name)
        self.wake()
        suspects = sorted(job for job, expected in self.expected.items() if expected.waits and expected.crashes > 1)
        claimed = [claim.job for claim in self.do(self.ledger.claim_suspects(owner, lambda _: Change()))]
        crashes = self.expected[suspects[0]].crashes if suspects else 0
        alike = [job for job in suspects if self.expected[job].crashes == crashes and not self.owned_by(owner)]
        assert [job.id for job in claimed] == alike[: {2: 16, 3: 4}.get(crashes, 1)]
        for job in claimed:
            self.owns(job, owner)
            self.expected[job.id].alone = len(claimed) == 1

    def owned_by(self, owner):
        return [expected for _, expected in sorted(self.expected.items()) if expected.owner == owner]

    def loses_owner(self, expected):
        expected.crashes += 1
        expected.lone_crashes += expected.alone
        self.gives_up(expected, 0)
        if expected.lone_crashes >= 3 and expected.status not in TERMINAL:
            self.ends(expected, JobStatus.FAILED)

    def gives_up(self, expected, wake_at):
        expected.owner, expected.wake_at, expected.alone = None, wake_at, False
        expected.epoch += 1
        if expected.cancel_asked:
            self.ends(expected, JobStatus.CANCELED)

    def ends(self, expected, status):
        """By the ledger itself: free calls are over."""
        expected.status = status
        expected.epoch += 1
        for identity, one in expected.attempts.items():
            if one.state in OPEN and one.provider_class is ProviderClass.REPEATABLE:
                expected.attempts[identity] = replace(one, state=AttemptState.FAILED)

    @invariant()
    def the_ledger_is_as_expected(self):
        page = self.do(self.queries.jobs(DEFAULT_ORGANIZATION, limit=1_000, where=JobFilter()))
        assert {job.id for job in page.jobs} == set(self.expected)
        for job in page.jobs:
            expected = self.expected[job.id]
            assert (job.status, job.owner, job.epoch) == (expected.status, expected.owner, expected.epoch)
            if expected.status not in TERMINAL and expected.owner is None:
                assert job.wake_at == expected.wake_at
            assert {step.name for step in job.steps if step.state is StepState.DONE} == expected.done
            assert {one.id: one.state for one in job.attempts} == {
                one.id: one.state for one in expected.attempts.values()
            }
        feed = self.do(self.queries.feed(DEFAULT_ORGANIZATION, after=None, limit=10_000))
        for job in self.expected:
            numbers = [event.seq for event in feed if event.job == job]
            assert numbers == list(range(1, len(numbers) + 1))


def _pick(those, number):
    return those[number % len(those)]
