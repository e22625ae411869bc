"""Runs one claimed job: starts the steps that are ready, settles what they come to, and ends or releases the job.

Each round decides all that follows from what is known, writes it as one change, and only then begins the calls that
the change has recorded. So a job of n steps in a row costs n + 2 flushes (line 9 of the protocol).
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace

from genesis.domain.attempt import Attempt, AttemptState
from genesis.domain.event import Event, EventType
from genesis.domain.failure import DEADLINE_PASSED, Failure
from genesis.domain.identity import Milliseconds
from genesis.domain.job import CUT, JobStatus
from genesis.domain.pipeline import PipelineStep
from genesis.engine import outcome, plan
from genesis.engine.call import Exchange, StillOpen
from genesis.engine.chain import Target, draw_of, targets
from genesis.engine.choice import Chosen, Later, choose, intend
from genesis.engine.deltas import DeltaSender
from genesis.engine.draft import finished, merged, skipped
from genesis.engine.durable import write
from genesis.engine.flights import Flight, Flights, is_repeatable
from genesis.engine.parts import Divided, United, call_with, cut_up, expanded, is_own, models_of
from genesis.engine.settlement import billed
from genesis.engine.slots import JobSlots
from genesis.engine.surroundings import Surroundings
from genesis.errors import CallFailed, FailureClass, Fenced, InvalidRequest, WorkerUnavailable
from genesis.ports.ledger import Change, Claimed, Decision, Fence, Finish, Release
from genesis.ports.workers import Call, CallPending, CallResult

logger = logging.getLogger(__name__)

_CANCEL_GRACE_SECONDS = 1.0
_UNSURE_MILLISECONDS = 1_000

_DEFECT = Failure(
    "internal-error",
    "Genesis met an error of its own while running this job.",
    "The gateway's log has the details under this job's id; please report it.",
    FailureClass.FINAL,
)

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
        self._draft = Change()
        self._slots = JobSlots(around.lanes, lane)
        self._flights = Flights()
        self._canceled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._draining = False
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

    def drain(self) -> None:
        """Makes the run start nothing more and give the job back when what is under way has ended."""
        self._draining = True
        self._slots.stop_waiting()

    def cancel(self) -> None:
        """Makes the run end the job as canceled; it passes this on to the calls under way."""
        if not self._canceled.done():
            self._canceled.set_result(None)

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
                if self._canceled.done():
                    return await self._end(JobStatus.CANCELED, launches)
                if self._is_late:
                    return await self._end(JobStatus.FAILED, launches, DEADLINE_PASSED)
        except Fenced:
            await self._testify(self._draft.evidence)
            await self._outlive()
            raise
        finally:
            await self._flights.close()
            await self._slots.close()

    def _launch(self, launches: list[Launch]) -> None:
        """Begins the calls whose intents are durable, unless something has come between."""
        for planned, attempt in launches:
            lanes = self._slots.hand_over(planned.name, planned.capability)
            if self._draining or self._canceled.done() or not self._around.may_call():
                self._slots.give(lanes)
                self._withhold(attempt)
                continue
            task = asyncio.create_task(self._exchange(planned, attempt).made())
            task.add_done_callback(lambda _, lanes=lanes: self._slots.give(lanes))  # type: ignore[misc]
            self._flights.add(planned, attempt, task)

    def _withhold(self, attempt: Attempt) -> None:
        now = self._around.clock.now()
        step = replace(self._job.step(attempt.step), retry_at=now + _UNSURE_MILLISECONDS)
        self._apply(Change(evidence=(outcome.withheld(attempt, now),), steps=(step,)))

    def _advance(self) -> list[Launch]:
        """Decides all that follows now; returns the attempts that begin once the draft is written."""
        launches: list[Launch] = []
        while True:
            now = self._around.clock.now()
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
            if isinstance(end, Finish):
                self._draft = merged(self._draft, finished(end, now))
            elif end:
                self._draft = replace(self._draft, outcome=end)
            if end or self._draining:
                return launches
            prepared = [self._prepare(planned, launches) for planned in moves.ready]
            if all(prepared):
                return launches

    def _prepare(self, planned: PipelineStep, launches: list[Launch]) -> bool:
        """Records the next attempt of a ready step, or lets it wait for slots; false when it is not ready after all."""
        around, now = self._around, self._around.clock.now()
        if (left := self._job.attempt_to_take_up(planned.name)) is not None:
            return self._take_up(planned, left)
        worker = around.directory.known.get(planned.capability)
        match choose(self._job, planned, worker, around.breakers, around.policy, around.prices, now):
            case Later() as later:
                self._slots.drop(planned.name)
                self._put_off(planned, later)
                return False
            case Failure() as failure:
                self._slots.drop(planned.name)
                self._apply(outcome.failed_unsent(self._job.step(planned.name), failure, now))
                return False
            case Divided(parts):
                self._slots.drop(planned.name)
                self._apply(expanded(self._job.step(planned.name), parts, now))
                return False
            case United(output):
                self._slots.drop(planned.name)
                made_by = models_of(self._job, planned.name)
                self._apply(outcome.united(self._job.step(planned.name), output, made_by, now))
                return False
            case Chosen() as chosen:
                if self._slots.hold(planned.name, chosen.lanes(planned.capability)):
                    change = intend(self._job, planned, chosen.target, around.policy, now)
                    self._apply(change)
                    launches.append((planned, change.intents[0]))
                return True

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
        elif attempt.state is AttemptState.UNKNOWN:
            self._apply(outcome.left_unknown(step, attempt, now))
        elif is_repeatable(attempt) and attempt.handle is None:
            self._apply(outcome.interrupted(self._job, attempt, now))
        else:
            self._slots.drop(planned.name)
            self._flights.add(planned, attempt, asyncio.create_task(self._exchange(planned, attempt).resumed()))
            return True
        return False

    async def _next(self) -> None:
        """Waits until something has come of what is under way, the job is canceled, or its time is over."""
        moments = [self._job.finish_by]
        if not self._draining and not plan.is_broken(self._job):  # else no step is tried again
            moments.append(plan.next_retry(self._job, self._flights.steps | self._slots.waiting))
        known = [moment for moment in moments if moment is not None]
        timeout = max(0.0, (min(known) - self._around.clock.now()) / 1000) if known else None
        waiting: set[asyncio.Future[None] | asyncio.Task[object]] = {
            self._canceled,
            *self._slots.turns,
            *self._flights.tasks,
        }
        await asyncio.wait(waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        self._slots.clear_turns()
        while (flight := self._flights.take_ended()) is not None:
            self._settle(flight)

    @property
    def _is_late(self) -> bool:
        return self._job.finish_by is not None and self._around.clock.now() >= self._job.finish_by

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
            if not is_repeatable(attempt):  # a free one needs no rest, and is often the only one
                around.breakers.note(capability, attempt.target, error)
            if not is_own(attempt.target):
                around.health.note_failure(capability, attempt.target, error)
            if isinstance(error, WorkerUnavailable):
                around.directory.lose(capability, error.message)
            self._apply(outcome.failed(step, attempt, error, self._prospect(flight), now))
        else:
            if not is_own(attempt.target):
                around.breakers.note(capability, attempt.target, None)
                around.health.note_success(capability, attempt.target, now - attempt.created_at)
                around.pace.note(capability, now - attempt.created_at)
            self._apply(self._done(attempt, result, now))

    def _done(self, attempt: Attempt, result: CallResult, now: Milliseconds) -> Change:
        step = self._job.step(attempt.step)
        if attempt.target == CUT:
            return cut_up(self._job, step, attempt, result, now)
        return outcome.succeeded(step, attempt, result, now)

    def _prospect(self, flight: Flight) -> outcome.Prospect:
        counted = self._job.attempts_that_count(flight.planned.name)
        earlier = tuple(attempt for attempt in counted if attempt.id != flight.attempt.id)
        return outcome.Prospect(earlier, self._chain(flight), self._around.policy, self._job.on_ambiguous)

    def _chain(self, flight: Flight) -> tuple[Target, ...]:
        """What else the step may be tried with; while nobody knows, the same again."""
        worker = self._around.directory.known.get(flight.planned.capability)
        if worker is None or is_own(flight.attempt.target):
            return (Target(flight.attempt.target, flight.attempt.provider_class),)
        _, options = plan.call_of(self._job, flight.planned)
        try:
            return targets(worker, options.get("model"), draw_of(self._job, flight.planned.name))
        except InvalidRequest:
            return ()

    def _apply(self, change: Change) -> None:
        change = replace(change, evidence=self._billed(change.evidence))
        self._job = plan.applied(self._job, change)
        self._draft = merged(self._draft, change)

    def _billed(self, evidence: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
        """Attempts with what they cost."""
        asked = {attempt.id: attempt.target for attempt in self._job.attempts}
        return tuple(
            billed(attempt, self._job.step(attempt.step).capability, asked[attempt.id], self._around.prices)
            for attempt in evidence
        )

    def _exchange(self, planned: PipelineStep, attempt: Attempt) -> Exchange:
        call_input, options = call_with(self._job, planned, attempt.target)
        streamed = options.pop("stream", False)
        options["model"] = attempt.target
        call = Call(attempt.id, attempt.call_key, planned.capability, call_input, options, attempt.not_after)
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
            await self._write(Change(evidence=self._billed(evidence)))

    async def abandon(self) -> None:
        """Ends the job as failed after a defect of ours, so that it is not stuck.

        Raises:
            Fenced: somebody else decides about the job now.
        """
        now = self._around.clock.now()
        self._job, ended, finish = plan.end(self._job, JobStatus.FAILED, now)
        end = finished(replace(finish, failure=_DEFECT), now)
        try:
            await self._write(merged(Change(steps=ended), end))
        except Fenced:
            raise
        except Exception:
            # What the job has made may be the very thing that cannot be written.
            logger.exception("job %s ends without its outputs", self._job.id)
            await self._write(merged(Change(steps=ended), finished(Finish(JobStatus.FAILED, {}, _DEFECT), now)))

    async def _write_draft(self) -> Release | Finish | None:
        """Makes what was decided durable; returns it where the job has left this run with it."""
        draft, self._draft = self._draft, Change()
        if draft != Change():
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
