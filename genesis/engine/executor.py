"""The executor: claims waiting jobs for which there is a free slot, runs them, and keeps its lease."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from genesis.domain.copies import replace
from genesis.domain.identity import Milliseconds, new_id
from genesis.domain.job import Job, JobStatus
from genesis.engine.beginning import beginning
from genesis.engine.durable import write
from genesis.engine.lease import Lease, since_boot
from genesis.engine.outcome import withheld
from genesis.engine.quarantine import Quarantine
from genesis.engine.run import JobRun
from genesis.engine.surroundings import Surroundings
from genesis.engine.tasks import end_tasks
from genesis.errors import Fenced, Unavailable
from genesis.ports.ledger import Change, Claimed, Decision, Fence, Finish, Release

logger = logging.getLogger(__name__)

_LONGEST_PAUSE_SECONDS = 5.0
"""Between two looks at the queue, should a wake-up be missed."""
_CANCEL_SWEEP_SECONDS = 1.0
_SWEEP_SECONDS = 3.0
_DISOWN_SECONDS = 60.0
_LONGEST_CLAIM_SECONDS = 5.0
_LONGEST_GOODBYE_SECONDS = 3.0
_HEARTBEAT_AGAIN_SECONDS = 1.0
_HEAD_START_SECONDS = 0.02
_LOOKS_FOR_HEAD_STARTS = 100
_DUE_SECONDS = 1.0
"""Pause when something is due that cannot be claimed now."""


class Executor:
    """Runs jobs of one process under one owner id."""

    def __init__(self, around: Surroundings, lease: Lease) -> None:
        self._owner = new_id()
        self._around = around
        self._begin = partial(beginning, around)
        self._lease = lease
        self._runs: dict[str, JobRun] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._background: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()
        self._queued: set[str] = set()  # lanes in which something may wait
        self._crowded: set[str] = set()  # lanes that had more jobs than there were slots when they were last looked at
        self._look_everywhere = True
        self._look_again_at = 0.0  # everywhere, in seconds since boot
        self._next_wake: Milliseconds | None = None
        self._head_starts: set[str] = set()  # jobs on their way to the ledger as ours
        self._claiming_now = asyncio.Lock()
        self._claiming = False
        self._quarantine = Quarantine()
        self._disowning = False

    async def start(self) -> None:
        """Joins the executors that the ledger knows, and begins to claim."""
        await self._join(self._owner)
        self._claiming = True
        self._background = [
            asyncio.create_task(self._dispatch()),
            asyncio.create_task(self._regularly(_CANCEL_SWEEP_SECONDS, self._pass_on_cancels)),
            asyncio.create_task(self._regularly(_SWEEP_SECONDS, self._sweep)),
            asyncio.create_task(self._regularly(_DISOWN_SECONDS, self._disown)),
        ]
        if self._lease.heartbeat_seconds is not None:
            self._background.append(asyncio.create_task(self._keep_lease(self._lease.heartbeat_seconds)))

    async def _join(self, owner: str) -> None:
        sent_at = since_boot()
        await self._around.ledger.join(owner)
        self._owner = owner
        self._lease.renewed(sent_at)

    def wake(self, lane: str) -> None:
        """Says that something may wait in a lane."""
        self._queued.add(lane)
        self._wake.set()

    def wake_at(self, moment: Milliseconds) -> None:
        """Says that something is due at a moment."""
        if self._next_wake is None or moment < self._next_wake:
            self._next_wake = moment
            self._wake.set()

    def slot_free(self) -> None:
        """Says that a slot has become free."""
        if self._queued:
            self._wake.set()

    def look_everywhere(self) -> None:
        """Says that hints may have been lost, or that something was put off."""
        self._look_everywhere = True
        self._wake.set()

    def cancel(self, job_id: str) -> bool:
        """Cancels a job if it runs here; tells whether it does."""
        run = self._runs.get(job_id)
        if run is not None:
            run.cancel()
        return run is not None

    @property
    def attempts_in_flight(self) -> frozenset[str]:
        """Ids of the attempts whose calls are under way here."""
        return frozenset(attempt for run in self._runs.values() for attempt in run.attempts_in_flight)

    @property
    def is_quarantined(self) -> bool:
        """Whether nothing begins here now but a job that may bring executors down."""
        return self._quarantine.is_on

    def steps_without_slot(self, job_id: str) -> frozenset[str]:
        """Names of the steps of a job that wait for a free slot, if it runs here."""
        run = self._runs.get(job_id)
        return run.steps_without_slot if run else frozenset()

    def head_start(self, job: Job) -> Claimed | None:
        """A new job as it would begin here at once, in a slot that `run` or `forgo` gives back; None when it cannot."""
        if job.lane in self._crowded:
            return None  # others wait for longer, and the ledger would not let it begin
        if not self._claiming or self._quarantine.is_on or self._disowning or not self._lease.allows_calls():
            return None
        if not self._around.lanes.take(job.lane):
            return None
        now = self._around.clock.now()
        claimed = replace(job, owner=self._owner, epoch=1, status=JobStatus.RUNNING, started_at=now)
        self._head_starts.add(job.id)
        return Claimed(claimed, self._begin(claimed))

    def forgo(self, job: Job) -> None:
        """Gives the slot of a head start back that the ledger has not taken."""
        self._head_starts.discard(job.id)
        self._around.lanes.give(job.lane)

    def take_back(self, head_start: Claimed) -> None:
        """Gives a head start up of which nobody knows whether the ledger has taken it: if so, the job is queued again."""
        self._around.lanes.give(head_start.job.lane)
        task = asyncio.create_task(self._taken_back(head_start))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _taken_back(self, head_start: Claimed) -> None:
        job, now = head_start.job, self._around.clock.now()
        unsent = tuple(withheld(attempt, now) for attempt in head_start.change.intents)
        change = Change(evidence=unsent, outcome=Release(job.lane, 0))
        decision = Decision(Fence(job.id, job.owner or "", job.epoch), change)
        try:
            await write(self._around.ledger, decision)
        except Fenced:
            pass  # it was never stored, or is not ours any more
        finally:
            self._head_starts.discard(job.id)

    def run(self, claimed: Claimed) -> None:
        """Runs a job whose head start the ledger has accepted."""
        self._start(claimed, claimed.job.lane)
        self._head_starts.discard(claimed.job.id)

    async def stop(self, drain_seconds: float) -> None:
        """Claims and starts nothing more, and waits for the calls under way that cannot simply be made again.

        What is left continues at the next start, or elsewhere.
        """
        self._claiming = False
        dispatcher, *background = self._background
        with suppress(TimeoutError):  # a claim that is being written is waited for: its jobs are ours already
            async with asyncio.timeout(_LONGEST_CLAIM_SECONDS), self._claiming_now:
                pass
        await end_tasks([dispatcher])
        for run in self._runs.values():
            run.drain()
        deadline = asyncio.get_running_loop().time() + drain_seconds
        while self._tasks and any(run.waits_for_paid_call for run in self._runs.values()):
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                break
            await asyncio.wait(self._tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        await end_tasks(self._tasks)
        await end_tasks(background)
        try:
            async with asyncio.timeout(_LONGEST_GOODBYE_SECONDS):
                await self._around.ledger.leave(self._owner)
        except (Unavailable, TimeoutError) as error:
            words = str(error) or "the ledger does not answer"
            logger.error("the executor could not say goodbye, its lease will end by itself: %s", words)

    async def _dispatch(self) -> None:
        while True:
            self._wake.clear()
            try:
                pause = await self._claim_all()
            except Unavailable as error:
                logger.error("nothing can be claimed: %s", error.message)
                pause = _LONGEST_PAUSE_SECONDS
            except Exception:
                # Whatever it was, the next look may succeed; a queue that nobody looks at is worse than any error.
                logger.exception("nothing could be claimed")
                pause = _LONGEST_PAUSE_SECONDS
            # Not `wait_for`: before Python 3.12 it can swallow the cancel that ends this loop.
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                self._look_everywhere = True

    async def _claim_all(self) -> float:
        """Claims what there are slots for; returns the seconds until something more can be claimed."""
        if not self._lease.allows_calls():
            return _LONGEST_PAUSE_SECONDS
        if self._quarantine.is_on:
            await self._claim_suspects()
            return max(0.0, min(_LONGEST_PAUSE_SECONDS, self._quarantine.patience_left()))
        known = self._around.directory.known
        if self._look_everywhere or since_boot() >= self._look_again_at:  # however often it is woken in between
            self._look_everywhere, self._look_again_at = False, since_boot() + _LONGEST_PAUSE_SECONDS
            self._queued.update(known)
            for lane in list(known):
                await self._claim(lane)
            if not self._runs and not self._head_starts:
                self._quarantine.end_rest()
            self._next_wake = None
            asked = await self._around.queries.next_wake()
            moments = (asked, self._next_wake)  # what was told meanwhile may be earlier
            self._next_wake = min((moment for moment in moments if moment is not None), default=None)
        for lane in self._queued & known.keys():
            await self._claim(lane)
        if self._next_wake is None:
            return _LONGEST_PAUSE_SECONDS
        left = (self._next_wake - self._around.clock.now()) / 1000
        if left > 0:
            return min(_LONGEST_PAUSE_SECONDS, left)
        await self._around.ledger.sweep()  # it may be a deadline, or a sleeper whom no claim could wake
        self._next_wake = self._around.clock.now() + round(_DUE_SECONDS * 1000)
        return _DUE_SECONDS

    async def _claim(self, lane: str) -> None:
        """Claims as many jobs of a lane as there are slots; the lane stays noted as long as more may wait."""
        lanes = self._around.lanes
        slots = lanes.take(lane, lanes.free(lane)) if self._claiming else 0
        if not slots:
            return
        self._queued.discard(lane)
        claimed: list[Claimed] = []
        async with self._claiming_now:
            try:
                claimed = await self._around.ledger.claim(self._owner, lane, slots, self._begin)
            except BaseException:
                self._queued.add(lane)
                raise
            finally:
                lanes.return_unused(lane, slots - len(claimed))
            for one in claimed:
                self._start(one, lane)
        if len(claimed) == slots:
            self._queued.add(lane)
            self._crowded.add(lane)
        else:
            self._crowded.discard(lane)

    async def _claim_suspects(self) -> None:
        """Once nothing else runs here, takes jobs that may have killed their executors, and runs them.

        Calls that outlive a lost job are not waited for: they may take long, and nobody waits for them.
        """
        if not all(run.is_lost for run in self._runs.values()):
            if self._quarantine.patience_left() <= 0:
                self._quarantine.give_up()
                self.look_everywhere()
            return
        async with self._claiming_now:
            claimed: list[Claimed] = []
            if not self._quarantine.has_had_its_suspects:
                claimed = await self._around.ledger.claim_suspects(self._owner, lambda _: Change())
            if not claimed:
                self._quarantine.end()
                self.look_everywhere()
                return
            self._quarantine.occupy(one.job.id for one in claimed)
            for one in claimed:
                job = one.job
                logger.warning("job %s runs apart: its executors have died %d times", job.id, job.crash_count)
                self._start(one, job.lane if self._around.lanes.take(job.lane) else None)

    def _start(self, claimed: Claimed, lane: str | None) -> None:
        run = JobRun(claimed, lane, self._around)
        self._runs[claimed.job.id] = run
        if not self._claiming:  # it was on its way when the stop began
            run.drain()
        task = asyncio.create_task(self._run(claimed.job.id, run))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, job_id: str, run: JobRun) -> None:
        try:
            left = await self._guarded(job_id, run)
            if isinstance(left, Finish):
                self._quarantine.note_end(job_id)
            if isinstance(left, Release) and left.begun:  # the ledger hints at what is queued again
                self.look_everywhere()
        except Fenced:
            logger.warning("job %s has another owner", job_id)
        finally:
            if self._runs.get(job_id) is run:  # it may have been claimed again in the meantime
                del self._runs[job_id]
            if self._quarantine.is_on:
                self._wake.set()

    async def _guarded(self, job_id: str, run: JobRun) -> Release | Finish | None:
        """Runs a job; a defect of ours ends this job visibly and takes no other down."""
        try:
            return await run.run()
        except Fenced:
            raise
        except Exception:
            logger.exception("job %s stopped on an unexpected error", job_id)
            await run.abandon()
            return None

    async def _regularly(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await work()
            except Unavailable as error:
                logger.error("the ledger does not answer: %s", error.message)
            except Exception:
                # The next time may succeed, and nobody else does this work here.
                logger.exception("a regular task of the executor failed")

    async def _pass_on_cancels(self) -> None:
        """Finds the cancels of which the hint was lost."""
        if self._runs:
            for job_id in await self._around.queries.cancel_requests(self._owner):
                self.cancel(job_id)

    async def _sweep(self) -> None:
        """Takes over from the dead, ends what is too late, and makes room for jobs that have to run apart from others."""
        await self._around.ledger.sweep()
        if self._quarantine.may_begin and await self._around.queries.has_suspects():
            self._quarantine.begin()
            self._wake.set()

    async def _disown(self) -> None:
        """Gives back what is ours in the ledger only: a claim whose answer was lost.

        Nothing may become ours meanwhile: claims wait, and new jobs take no head start until this is over.
        """
        async with self._claiming_now:
            self._disowning = True
            try:
                if not await self._head_starts_ended():
                    return
                if count := await self._around.ledger.disown(self._owner, frozenset(self._runs)):
                    logger.warning("%d jobs were owned here but not run", count)
            finally:
                self._disowning = False

    async def _head_starts_ended(self) -> bool:
        for _ in range(_LOOKS_FOR_HEAD_STARTS):
            if not self._head_starts:
                return True
            await asyncio.sleep(_HEAD_START_SECONDS)
        return False

    async def _keep_lease(self, seconds: float) -> None:
        pause = seconds
        while True:
            await asyncio.sleep(pause)
            sent_at, pause = since_boot(), min(seconds, _HEARTBEAT_AGAIN_SECONDS)
            try:
                if await self._around.ledger.heartbeat(self._owner):
                    self._lease.renewed(sent_at)
                else:
                    await self._reborn()
                pause = seconds
            except Unavailable as error:
                logger.error("no heartbeat: %s", error.message)
            except Exception:
                # Without its lease the process would accept jobs and run none.
                logger.exception("no heartbeat")

    async def _reborn(self) -> None:
        """Goes on under a new id: others have taken over what runs here."""
        logger.error("executor %s was declared dead", self._owner)
        for run in self._runs.values():
            run.lose()
        if self._quarantine.is_on:
            self._wake.set()
        await self._join(new_id())
        self.look_everywhere()
