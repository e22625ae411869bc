"""Runs one claimed job: starts the steps that are ready, settles what they come to, and ends or releases the job.

Each round decides all that follows from what is known, writes it as one change, and only then begins the calls that
the change has recorded. So a job of n steps in a row costs n + 2 flushes (line 9 of the protocol).
"""

import asyncio
import logging
from contextlib import suppress
from functools import partial

from genesis.domain.attempt import Attempt, AttemptState
from genesis.domain.copies import replace
from genesis.domain.event import Event, EventType
from genesis.domain.failure import DEADLINE_PASSED, DEFECT, Failure
from genesis.domain.identity import Milliseconds
from genesis.domain.job import CUT, JobStatus
from genesis.domain.pipeline import PipelineStep
from genesis.engine import outcome, plan
from genesis.engine.call import Exchange, StillOpen
from genesis.engine.choice import Chosen, Later, choose, intend
from genesis.engine.deltas import DeltaSender
from genesis.engine.draft import NOTHING, finished, merged, skipped
from genesis.engine.durable import write
from genesis.engine.flights import CallTask, Flight, Flights, is_repeatable
from genesis.engine.lease import since_boot
from genesis.engine.news import News
from genesis.engine.parts import Divided, United, call_with, cut_up, expanded, models_of
from genesis.engine.prospect import prospect_of
from genesis.engine.settlement import all_billed
from genesis.engine.slots import JobSlots
from genesis.engine.surroundings import Surroundings
from genesis.errors import CallFailed, Fenced, WorkerBusy
from genesis.ports.ledger import Change, Claimed, Decision, Fence, Finish, Release
from genesis.ports.workers import Call, CallPending, CallResult

logger = logging.getLogger(__name__)

_CANCEL_GRACE_SECONDS = 1.0
_UNSURE_MILLISECONDS = 1_000

Launch = tuple[PipelineStep, Attempt]
"""An attempt whose call begins once its intent is durable."""


class JobRun:
    """The run of one job from its claim to its end or release.

    While it lasts, nobody else may decide about the job, so the copy in memory is the truth; each change of it is
    durable before anything follows from it.

    Args:
        lane: in which a slot is held for the job's first call, if one is.
    """

    def __init__(self, claimed: Claimed, lane: str | None, around: Surroundings) -> None:
        job = claimed.job
        self._job = plan.applied(job, claimed.change)
        self._begun = claimed.change.intents
        self._around = around
        self._fence = Fence(job.id, job.owner or "", job.epoch)
        self._draft = NOTHING
        self._news = News()  # a call has ended, a step got its slots, the run was canceled or lost
        self._slots = JobSlots(around.lanes, lane, self._news)
        self._flights = Flights(self._news)
        self._canceled = False
        self._lost = False
        self._asked: set[str] = set()  # attempts whose outcome is unknown, asked for once
        self._draining = False
        left = plan.seconds_left(job, around.clock.now())
        self._deadline = None if left is None else since_boot() + left
        self._writing = 0  # changes on their way that would leave a paid call in doubt if they were cut off

    @property
    def waits_for_paid_call(self) -> bool:
        """Whether cutting the run off would leave a call in doubt: one that can neither be made nor be found again is to
        begin, is under way, or its record is being written."""
        in_doubt = (flight.attempt for flight in self._flights if flight.attempt.handle is None)
        return self._writing > 0 or any(not is_repeatable(attempt) for attempt in (*self._begun, *in_doubt))

    @property
    def attempts_in_flight(self) -> frozenset[str]:
        """Ids of the attempts that are being made or asked for."""
        return self._flights.attempts

    @property
    def steps_without_slot(self) -> frozenset[str]:
        """Names of the steps that wait for a free slot."""
        return self._slots.waiting

    def drain(self) -> None:
        """Makes the run start nothing more and give the job back when what is under way has ended."""
        self._draining = True
        self._slots.stop_waiting()

    def cancel(self) -> None:
        """Makes the run end the job as canceled; it passes this on to the calls under way."""
        self._canceled = True
        self._news.tell()

    def lose(self) -> None:
        """Tells the run that somebody else decides about its job: it ends, but for what may have been paid for."""
        self._lost = True
        self._news.tell()

    @property
    def is_lost(self) -> bool:
        """Whether somebody else decides about the job."""
        return self._lost

    async def run(self) -> Release | Finish | None:
        """Runs until the job has ended or waits for something; returns which of both.

        Raises:
            Fenced: somebody else decides about the job now; what this run's calls come to is kept all the same.
        """
        try:
            launches: list[Launch] = [(self._job.planned(attempt.step), attempt) for attempt in self._begun]
            while True:
                self._launch(launches)
                self._begun = ()
                launches = self._advance()
                self._slots.drop_spare()
                if (left := await self._write_draft()) is not None:
                    return left
                if not launches:
                    await self._next()
                if self._canceled:
                    return await self._end(JobStatus.CANCELED, launches)
                if self._is_late:
                    return await self._end(JobStatus.FAILED, launches, DEADLINE_PASSED)
        except Fenced:
            self.lose()
            await self._testify(self._draft.evidence)
            await self._flights.drop_repeatable(self._around.workers, _CANCEL_GRACE_SECONDS)
            await self._outlive()
            raise
        finally:
            await self._flights.close()
            await self._slots.close()

    def _launch(self, launches: list[Launch]) -> None:
        """Begins the calls whose intents are durable, unless something has come between."""
        for planned, attempt in launches:
            lanes = self._slots.hand_over(planned.name, planned.capability)
            if self._draining or self._canceled or self.is_lost or not self._around.may_call():
                self._slots.give(lanes)
                self._withhold(attempt)
                continue
            task = self._flights.begin(planned, attempt, self._exchange(planned, attempt).made())
            task.add_done_callback(partial(self._land, lanes))

    def _land(self, lanes: tuple[str, ...], task: CallTask) -> None:
        """Gives the slots of a call back, and takes down what it tells about the worker's."""
        error = None if task.cancelled() else task.exception()
        succeeded = not task.cancelled() and error is None
        self._slots.give_back(lanes, refused=isinstance(error, WorkerBusy), succeeded=succeeded)

    def _withhold(self, attempt: Attempt) -> None:
        now = self._around.clock.now()
        step = replace(self._job.step(attempt.step), retry_at=now + _UNSURE_MILLISECONDS)
        self._apply(Change(evidence=(outcome.withheld(attempt, now),), steps=(step,)))

    def _advance(self) -> list[Launch]:
        """Decides all that follows now; returns the attempts that begin once the draft is written."""
        launches: list[Launch] = []
        while True:
            now = self._around.clock.now()
            if anew := plan.begun_anew(self._job, self._longest_wait, now):
                self._apply(Change(steps=anew))
            if plan.is_broken(self._job):
                self._slots.stop_waiting()
            launching = {planned.name for planned, _ in launches}
            in_flight = self._flights.steps | self._slots.waiting | launching
            moves = plan.advance(self._job, in_flight, now)
            self._job = moves.job
            for needless in moves.skipped:
                self._slots.drop(needless.name)
            self._draft = merged(self._draft, skipped(moves.skipped, now))
            end = moves.outcome
            if self._draining and end is None and not in_flight:
                end = Release(moves.ready[0].capability, 0)
            if end is not None:
                self._leave(end, now)
            if end or self._draining:
                return launches
            prepared = [self._prepare(planned, launches) for planned in moves.ready]
            if all(prepared):
                return launches

    def _leave(self, end: Release | Finish, now: Milliseconds) -> None:
        """Drafts how the job leaves this run."""
        if isinstance(end, Finish):
            self._draft = merged(self._draft, finished(end, now))
        elif plan.was_only_refused(self._job):
            self._draft = merged(self._draft, outcome.requeued(self._job, end, now))
        else:
            self._draft = replace(self._draft, outcome=end)

    def _prepare(self, planned: PipelineStep, launches: list[Launch]) -> bool:
        """Records the next attempt of a ready step, or lets it wait for slots; false when it is not ready after all."""
        around, now = self._around, self._around.clock.now()
        if (left := self._job.attempt_to_take_up(planned.name, self._asked)) is not None:
            return self._take_up(planned, left)
        worker = around.directory.known.get(planned.capability)
        choice = choose(self._job, planned, worker, around.breakers, around.policy, around.prices, now)
        if isinstance(choice, Chosen):
            if self._slots.hold(planned.name, choice.lanes(planned.capability)):
                change = intend(self._job, planned, choice.target, around.policy, now)
                self._apply(change)
                launches.append((planned, change.intents[0]))
            return True
        self._slots.drop(planned.name)
        step = self._job.step(planned.name)
        match choice:
            case Later():
                self._put_off(planned, choice)
            case Failure():
                self._apply(outcome.failed_unsent(step, choice, now))
            case Divided(parts):
                self._apply(expanded(step, parts, now))
            case United(output):
                self._apply(outcome.united(step, output, models_of(self._job, planned.name), now))
        return False

    def _put_off(self, planned: PipelineStep, later: Later) -> None:
        """Lets a step wait; that its model rests is written, as it takes a while."""
        step = replace(self._job.step(planned.name), retry_at=later.retry_at)
        if later.resting is None:
            self._job = plan.with_step(self._job, step)
        else:
            self._apply(outcome.put_off(step, later.resting, self._around.clock.now()))

    def _take_up(self, planned: PipelineStep, attempt: Attempt) -> bool:
        """Goes on with what another run has left: free calls are over, paid ones are looked for, late results count."""
        step, now = self._job.step(planned.name), self._around.clock.now()
        if attempt.state is AttemptState.SUCCEEDED:
            self._apply(replace(self._done(attempt, outcome.returned(attempt), now), evidence=()))
        elif attempt.state is AttemptState.UNKNOWN and (attempt.handle is None or attempt.id in self._asked):
            self._apply(outcome.left_unknown(step, attempt, now))
        elif is_repeatable(attempt) and attempt.handle is None:
            self._apply(outcome.interrupted(self._job, attempt, now))
        else:
            self._slots.drop(planned.name)
            self._asked.add(attempt.id)
            exchange = self._exchange(planned, attempt)
            replaced = attempt.state is AttemptState.UNKNOWN and outcome.may_be_replaced(self._job, attempt)
            self._flights.begin(planned, attempt, exchange.replaced() if replaced else exchange.resumed())
            return True
        return False

    async def _next(self) -> None:
        """Waits for what is under way, a cancel, or the end of the job's time; raises Fenced when the job is lost."""
        pauses = [] if self._deadline is None else [self._deadline - since_boot()]
        if not self._draining and not plan.is_broken(self._job):  # else no step is tried again
            retry_at = plan.next_retry(self._job, self._flights.steps | self._slots.waiting)
            pauses += [] if retry_at is None else [(retry_at - self._around.clock.now()) / 1000]
        await self._news.wait(max(0.0, min(pauses)) if pauses else None)
        self._slots.clear_turns()
        while (flight := self._flights.take_ended()) is not None:
            self._settle(flight)
        if self.is_lost:
            raise Fenced(f"Job {self._job.id} has another owner.")

    @property
    def _is_late(self) -> bool:
        return self._deadline is not None and since_boot() >= self._deadline

    def _longest_wait(self, step: str) -> Milliseconds:
        return round(self._around.policy.longest_wait(self._job.attempts_of(step)) * 1000)

    def _settle(self, flight: Flight) -> None:
        """Drafts what a call that has ended means for its step."""
        around, now = self._around, self._around.clock.now()
        step, attempt = self._job.step(flight.planned.name), flight.attempt
        capability = flight.planned.capability
        try:
            result = flight.task.result()
        except StillOpen as error:
            self._job = plan.with_step(self._job, replace(step, retry_at=now + round(error.seconds * 1000)))
        except CallFailed as error:
            if (change := outcome.asked_in_vain(self._job, attempt, error, now)) is not None:
                self._apply(change)
                return
            around.note_failure(capability, attempt, error)
            self._apply(outcome.failed(step, attempt, error, prospect_of(self._job, flight, around), now))
        else:
            around.note_success(capability, attempt, flight.milliseconds)
            self._apply(self._done(attempt, result, now))

    def _done(self, attempt: Attempt, result: CallResult, now: Milliseconds) -> Change:
        step = self._job.step(attempt.step)
        if attempt.target == CUT:
            return cut_up(self._job, step, attempt, result, now)
        return outcome.succeeded(step, attempt, result, now)

    def _apply(self, change: Change) -> None:
        if change.evidence:
            change = replace(change, evidence=all_billed(self._job, change.evidence, self._around.prices))
        self._job = plan.applied(self._job, change)
        self._draft = merged(self._draft, change)

    def _exchange(self, planned: PipelineStep, attempt: Attempt) -> Exchange:
        call_input, options = call_with(self._job, planned, attempt.target)
        streamed = options.pop("stream", False)
        options["model"] = attempt.target
        not_after = self._around.by_machine(attempt.not_after)
        call = Call(attempt.id, attempt.call_key, planned.capability, call_input, options, not_after)
        names = (self._job.organization, self._job.id, planned.name, attempt.id)
        deltas = DeltaSender(self._around.signals, *names) if streamed else None

        async def keep_handle(answer: CallPending) -> None:
            now = self._around.clock.now()
            event = Event(EventType.STEP_PENDING, now, {"step": planned.name, "target": attempt.target})
            change = Change(evidence=(outcome.pending(attempt, answer),), events=(event,))
            await self._write(change)
            self._job = plan.applied(self._job, change)
            self._flights.update(change.evidence[0])

        return Exchange(self._around, attempt, call, keep_handle, deltas)

    async def _end(self, status: JobStatus, launches: list[Launch], failure: Failure | None = None) -> Finish:
        """Tells the calls under way to stop, waits a moment for what they come to, and ends the job.

        A paid call that goes on all the same outlives its job: what it comes to is written when it is known.
        """
        for _, attempt in launches:
            self._withhold(attempt)
        self._slots.stop_waiting()
        await self._flights.ask_to_stop(self._around.workers, _CANCEL_GRACE_SECONDS)
        now = self._around.clock.now()
        while (flight := self._flights.take_ended()) is not None:
            if flight.task.exception() is None:  # it came in time: what was paid for counts
                self._settle(flight)
            else:
                self._apply(Change(evidence=flight.evidence(now)))
        self._apply(Change(evidence=tuple(flight.cut_off(now) for flight in self._flights.take_repeatable())))
        self._job, ended, finish = plan.end(self._job, status, now)
        self._draft = merged(self._draft, Change(steps=ended))
        self._draft = merged(self._draft, finished(replace(finish, failure=failure), now))
        await self._write_draft()
        await self._outlive()
        return finish

    async def _outlive(self) -> None:
        """Waits for the calls that are still under way, and writes what they come to: it stays true."""
        while self._flights:
            await asyncio.wait(self._flights.tasks, return_when=asyncio.FIRST_COMPLETED)
            while (flight := self._flights.take_ended()) is not None:
                logger.info("job %s: late evidence of attempt %s", self._job.id, flight.attempt.id)
                await self._testify(flight.evidence(self._around.clock.now()))

    async def _testify(self, evidence: tuple[Attempt, ...]) -> None:
        """Writes what calls came to although the job is not ours any more."""
        if not evidence:
            return
        with suppress(Fenced):  # as expected: nothing else was to be written
            await self._write(Change(evidence=all_billed(self._job, evidence, self._around.prices)))

    async def abandon(self) -> None:
        """Ends the job as failed after a defect of ours, so that it is not stuck.

        Raises:
            Fenced: somebody else decides about the job now.
        """
        now = self._around.clock.now()
        self._job, ended, finish = plan.end(self._job, JobStatus.FAILED, now)
        end = finished(replace(finish, failure=DEFECT), now)
        try:
            await self._write(merged(Change(steps=ended), end))
        except Fenced:
            raise
        except Exception:
            # What the job has made may be the very thing that cannot be written.
            logger.exception("job %s ends without its outputs", self._job.id)
            await self._write(merged(Change(steps=ended), finished(Finish(JobStatus.FAILED, {}, DEFECT), now)))

    async def _write_draft(self) -> Release | Finish | None:
        """Makes what was decided durable; returns it where the job has left this run with it."""
        draft, self._draft = self._draft, NOTHING
        if draft != NOTHING:
            await self._write(draft)
        return draft.outcome

    async def _write(self, change: Change) -> None:
        """Makes a change durable, however long the ledger is away."""
        precious = any(not is_repeatable(attempt) for attempt in (*change.evidence, *change.intents))
        self._writing += precious
        try:
            await write(self._around.ledger, Decision(self._fence, change))
        finally:
            self._writing -= precious
