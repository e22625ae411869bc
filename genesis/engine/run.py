"""Runs one claimed job: starts the steps that are ready, settles what they come to, and ends or releases the job."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.attempt import Attempt, ProviderClass
from genesis.domain.event import Event, EventType
from genesis.domain.failure import Failure
from genesis.domain.identity import new_id
from genesis.domain.job import Job, JobStatus
from genesis.domain.pipeline import PipelineStep
from genesis.domain.step import Step, StepState
from genesis.engine import outcome, plan
from genesis.engine.chain import Target, next_target, targets
from genesis.engine.directory import WorkerDirectory
from genesis.engine.lanes import Lanes
from genesis.engine.outcome import Verdict
from genesis.engine.retry import RetryPolicy
from genesis.errors import CallFailed, FailureClass, Fenced, InvalidRequest, Unavailable, WorkerUnavailable
from genesis.ports.clock import Clock
from genesis.ports.ledger import Decision, Fence, Finish, Ledger, Release
from genesis.ports.workers import Call, WorkerClient

logger = logging.getLogger(__name__)

_CANCEL_GRACE_SECONDS = 1.0
_LEDGER_RETRY_SECONDS = 1.0
_WORKER_RETRY_MILLISECONDS = 1000
_FINAL_EVENTS = {
    JobStatus.COMPLETED: EventType.JOB_COMPLETED,
    JobStatus.FAILED: EventType.JOB_FAILED,
    JobStatus.CANCELED: EventType.JOB_CANCELED,
}


def _unknown_capability(planned: PipelineStep) -> Failure:
    return Failure(
        "unknown-capability",
        f"This version of Genesis has no capability `{planned.capability}`.",
        "The job was made by another version; run that one, or create the job again.",
        FailureClass.FINAL,
    )


_DEFECT = Failure(
    "internal-error",
    "Genesis met an error of its own while running this job.",
    "The gateway's log has the details under this job's id; please report it.",
    FailureClass.FINAL,
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every run needs."""

    ledger: Ledger
    workers: WorkerClient
    directory: WorkerDirectory
    lanes: Lanes
    policy: RetryPolicy
    clock: Clock


class JobRun:
    """The run of one job from its claim to its end or release.

    While it lasts, nobody else may decide about the job, so the copy in memory is the truth; each change of it is
    durable before anything follows from it.
    """

    def __init__(self, job: Job, owner: str, around: Surroundings) -> None:
        self._job = job
        self._around = around
        self._fence = Fence(job.id, owner, job.epoch)
        self._attempts: dict[asyncio.Task[None], PipelineStep] = {}
        self._begun: dict[str, ProviderClass] = {}  # steps whose attempt is being written, made or settled
        self._calls: dict[str, Attempt] = {}  # attempts that a worker is making, by step
        self._canceled = asyncio.Event()
        self._draining = False

    @property
    def waits_for_paid_call(self) -> bool:
        """Whether a call is under way, from its intent to its settlement, that cannot simply be made again."""
        return any(provider_class is not ProviderClass.REPEATABLE for provider_class in self._begun.values())

    @property
    def _stopping(self) -> bool:
        return self._draining or self._canceled.is_set()

    def drain(self) -> None:
        """Makes the run start nothing more and give the job back when what is under way has ended."""
        self._draining = True
        self._cancel_waiting()

    def _cancel_waiting(self) -> None:
        """Ends the tasks that only wait for a slot; what has begun is never cut off between a call and its record."""
        for task, step in self._attempts.items():
            if step.name not in self._begun:
                task.cancel()

    def cancel(self) -> None:
        """Makes the run end the job as canceled; it passes this on to the calls under way."""
        self._canceled.set()

    async def run(self) -> None:
        """Runs until the job has ended or waits for something.

        Raises:
            Fenced: somebody else decides about the job now.
        """
        try:
            await self._settle(outcome.interrupted(self._job, self._around.clock.now()))
            while not await self._step():
                await self._next_settled()
                if self._canceled.is_set():
                    await self._end_canceled()
                    return
        finally:
            for task in self._attempts:
                task.cancel()
            await asyncio.gather(*self._attempts, return_exceptions=True)

    async def _step(self) -> bool:
        """Starts what is ready; true when the job has left this run."""
        if self._canceled.is_set():
            await self._end_canceled()
            return True
        in_flight = frozenset(step.name for step in self._attempts.values())
        moves = plan.advance(self._job, in_flight, self._around.clock.now())
        self._job = moves.job
        end = moves.outcome
        if self._draining and moves.ready and not in_flight:
            end = Release(moves.ready[0].capability, 0)
        if moves.skipped or end:
            await self._write(steps=moves.skipped, outcome=end)
        for step in () if self._draining else moves.ready:
            task = asyncio.create_task(self._attempt(step))
            self._attempts[task] = step
        return end is not None

    async def _next_settled(self) -> None:
        """Waits until an attempt has come to something or the job is canceled."""
        canceled = asyncio.create_task(self._canceled.wait())
        try:
            done, _ = await asyncio.wait({canceled, *self._attempts}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            canceled.cancel()
        for task in done - {canceled}:
            del self._attempts[task]  # type: ignore[arg-type]  # only `canceled` has another result
            if not task.cancelled():
                await task

    async def _attempt(self, planned: PipelineStep) -> None:
        """One attempt of one step, from its slot to its settlement."""
        if planned.capability not in CAPABILITIES:
            await self._fail_unsent(self._job.step(planned.name), _unknown_capability(planned))
            return
        async with self._around.lanes.slot(planned.capability):
            step = self._job.step(planned.name)
            earlier = self._job.attempts_of(planned.name)
            try:
                chain = self._chain(planned)
            except WorkerUnavailable:
                later = self._around.clock.now() + _WORKER_RETRY_MILLISECONDS
                self._job = plan.with_step(self._job, replace(step, retry_at=later))
                return
            except InvalidRequest as error:
                await self._fail_unsent(step, Failure(error.code, error.message, error.hint, FailureClass.FINAL))
                return
            target = next_target(chain, earlier, self._around.policy.max_attempts)
            if target is None:
                # The chain has become shorter since the last attempt.
                failure = next(attempt.failure for attempt in reversed(earlier) if attempt.failure)
                await self._fail_unsent(step, failure)
                return
            # The first provider's slots are those of the capability; a further one has its own.
            async with self._around.lanes.slot(f"{planned.capability}:{target.provider}"):
                if self._stopping:
                    return
                self._begun[planned.name] = target.provider_class
                try:
                    await self._call(planned, target, chain, earlier)
                finally:
                    del self._begun[planned.name]

    def _chain(self, planned: PipelineStep) -> tuple[Target, ...]:
        worker = self._around.directory.known.get(planned.capability)
        if worker is None:
            raise WorkerUnavailable(f"The worker of {planned.capability} is missing.")
        _, options = plan.call_of(self._job, planned)
        return targets(worker, options.get("model"))

    async def _call(
        self, planned: PipelineStep, target: Target, chain: tuple[Target, ...], earlier: tuple[Attempt, ...]
    ) -> None:
        step, attempt = await self._intend(planned, target, earlier)
        if self._stopping:  # in the meantime
            await self._settle((outcome.withheld(step, attempt, self._around.clock.now()),))
            return
        call_input, options = plan.call_of(self._job, planned)
        call = Call(attempt.id, attempt.call_key, planned.capability, call_input, options | {"model": target.name})
        self._calls[planned.name] = attempt
        try:
            result = await self._around.workers.generate(call)
        except CallFailed as error:
            verdict = self._failed(planned, step, attempt, error, chain, earlier)
        else:
            verdict = outcome.succeeded(step, attempt, result, self._around.clock.now())
        finally:
            del self._calls[planned.name]
        await self._settle((verdict,))

    def _failed(
        self,
        planned: PipelineStep,
        step: Step,
        attempt: Attempt,
        error: CallFailed,
        chain: tuple[Target, ...],
        earlier: tuple[Attempt, ...],
    ) -> Verdict:
        now = self._around.clock.now()
        if self._canceled.is_set():  # the end of the job decides about the step
            return Verdict(outcome.settled(attempt, error, now), step, ())
        if isinstance(error, WorkerUnavailable):
            self._around.directory.lose(planned.capability, error.message)
        return outcome.failed(step, attempt, error, earlier=earlier, chain=chain, policy=self._around.policy, now=now)

    async def _intend(
        self, planned: PipelineStep, target: Target, earlier: tuple[Attempt, ...]
    ) -> tuple[Step, Attempt]:
        """Records the attempt before the call (line 9 of the protocol)."""
        now = self._around.clock.now()
        step = self._job.step(planned.name)
        step = replace(step, state=StepState.RUNNING, started_at=step.started_at or now, retry_at=None)
        attempt = Attempt(
            id=new_id(),
            step=step.name,
            number=len(earlier) + 1,
            call_key=new_id(),
            target=target.name,
            provider_class=target.provider_class,
            created_at=now,
        )
        self._job = replace(plan.with_step(self._job, step), attempts=(*self._job.attempts, attempt))
        event = Event(
            EventType.STEP_STARTED, now, {"step": step.name, "target": target.name, "attempt": attempt.number}
        )
        await self._write(steps=(step,), intents=(attempt,), events=(event,))
        return step, attempt

    async def _fail_unsent(self, step: Step, failure: Failure) -> None:
        """Fails a step that no provider can be asked for."""
        now = self._around.clock.now()
        step = outcome.failed_step(step, failure, now)
        self._job = plan.with_step(self._job, step)
        await self._write(steps=(step,), events=(outcome.failed_event(step, now),))

    async def _settle(self, verdicts: Sequence[Verdict]) -> None:
        """Writes what attempts came to, with the job's end where that follows from it."""
        if not verdicts:
            return
        for verdict in verdicts:
            self._job = plan.with_step(self._job, verdict.step)
            self._job = replace(
                self._job,
                attempts=tuple(
                    verdict.attempt if attempt.id == verdict.attempt.id else attempt for attempt in self._job.attempts
                ),
            )
        await self._write(
            evidence=tuple(verdict.attempt for verdict in verdicts),
            steps=tuple(verdict.step for verdict in verdicts),
            events=tuple(event for verdict in verdicts for event in verdict.events),
        )

    async def _end_canceled(self) -> None:
        """Tells the calls under way to stop, waits a moment for their evidence, and ends the job."""
        self._cancel_waiting()
        passing = [
            asyncio.create_task(self._pass_on_cancel(planned.capability, self._calls[planned.name]))
            for planned in self._attempts.values()
            if planned.name in self._calls
        ]
        if self._attempts:
            await asyncio.wait({*self._attempts, *passing}, timeout=_CANCEL_GRACE_SECONDS)
        for task, planned in self._attempts.items():
            if planned.name in self._calls:  # its worker does not answer; a settlement is waited for instead
                task.cancel()
        for task in passing:
            task.cancel()
        await asyncio.gather(*self._attempts, *passing, return_exceptions=True)
        self._attempts.clear()
        now = self._around.clock.now()
        self._job, skipped, finish = plan.end(self._job, JobStatus.CANCELED, now)
        verdicts = outcome.interrupted(self._job, now)
        await self._write(evidence=tuple(verdict.attempt for verdict in verdicts), steps=skipped, outcome=finish)

    async def _pass_on_cancel(self, capability: str, attempt: Attempt) -> None:
        try:
            await self._around.workers.cancel(capability, attempt.id)
        except CallFailed as error:
            logger.warning("job %s: the cancel did not reach the worker: %s", self._job.id, error.message)

    async def abandon(self) -> None:
        """Ends the job as failed after a defect of ours, so that it is not stuck.

        Raises:
            Fenced: somebody else decides about the job now.
        """
        now = self._around.clock.now()
        evidence = tuple(verdict.attempt for verdict in outcome.interrupted(self._job, now))
        self._job, skipped, finish = plan.end(self._job, JobStatus.FAILED, now)
        try:
            await self._write(evidence=evidence, steps=skipped, outcome=replace(finish, failure=_DEFECT))
        except Fenced:
            raise
        except Exception:
            # What the job has made may be the very thing that cannot be written.
            logger.exception("job %s ends without its outputs", self._job.id)
            await self._write(outcome=Finish(JobStatus.FAILED, {}, _DEFECT))

    async def _write(
        self,
        *,
        evidence: tuple[Attempt, ...] = (),
        steps: tuple[Step, ...] = (),
        intents: tuple[Attempt, ...] = (),
        events: tuple[Event, ...] = (),
        outcome: Release | Finish | None = None,
    ) -> None:
        """Makes a change durable; a ledger that cannot write now is asked until it can, so that nothing is lost."""
        events = (*events, *self._events_of(steps, outcome))
        decision = Decision(self._fence, evidence, steps, intents, events, outcome)
        while True:
            try:
                await self._around.ledger.decide(decision)
            except Unavailable as error:
                logger.error("job %s waits for the ledger: %s", self._job.id, error.message)
                await asyncio.sleep(_LEDGER_RETRY_SECONDS)
            else:
                return

    def _events_of(self, steps: Sequence[Step], end: Release | Finish | None) -> list[Event]:
        now = self._around.clock.now()
        skipped = [step for step in steps if step.state is StepState.SKIPPED]
        events = [Event(EventType.STEP_SKIPPED, now, {"step": step.name}) for step in skipped]
        if isinstance(end, Finish):
            data = {"code": end.failure.code} if end.failure else {}
            events.append(Event(_FINAL_EVENTS[end.status], now, data))
        return events
