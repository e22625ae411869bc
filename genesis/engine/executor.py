"""The executor: claims waiting jobs for which there is a free slot, and runs them."""

import asyncio
import logging
from contextlib import suppress

from genesis.domain.identity import new_id
from genesis.domain.job import Job
from genesis.engine.run import JobRun, Surroundings
from genesis.errors import Fenced, Unavailable
from genesis.ports.queries import Queries

logger = logging.getLogger(__name__)

_SWEEP_SECONDS = 5.0
"""Longest pause between two looks at the queue, should a wake-up be missed."""


class Executor:
    """Runs jobs of one process under one owner id."""

    def __init__(self, around: Surroundings, queries: Queries) -> None:
        self.owner = new_id()
        self._around = around
        self._queries = queries
        self._runs: dict[str, JobRun] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._dispatcher: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._dispatcher = asyncio.create_task(self._dispatch())

    def wake(self) -> None:
        """Says that there may be something to claim."""
        self._wake.set()

    def cancel(self, job_id: str) -> None:
        """Cancels a job if it runs here."""
        if run := self._runs.get(job_id):
            run.cancel()

    async def stop(self, drain_seconds: float) -> None:
        """Claims and starts nothing more, and waits for the calls under way that cannot simply be made again.

        What is left continues at the next start.
        """
        if self._dispatcher:
            self._dispatcher.cancel()
            await asyncio.gather(self._dispatcher, return_exceptions=True)
        for run in self._runs.values():
            run.drain()
        deadline = asyncio.get_running_loop().time() + drain_seconds
        while self._tasks and any(run.waits_for_paid_call for run in self._runs.values()):
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                break
            await asyncio.wait(self._tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _dispatch(self) -> None:
        while True:
            self._wake.clear()
            try:
                pause = await self._claim_all()
            except Unavailable as error:
                logger.error("nothing can be claimed: %s", error.message)
                pause = _SWEEP_SECONDS
            except Exception:
                # Whatever it was, the next look may succeed; a queue that nobody looks at is worse than any error.
                logger.exception("nothing could be claimed")
                pause = _SWEEP_SECONDS
            # Not `wait_for`: before Python 3.12 it can swallow the cancel that ends this loop.
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    async def _claim_all(self) -> float:
        """Claims what there are slots for; returns the seconds until something more can be claimed."""
        pause = _SWEEP_SECONDS
        for lane in list(self._around.directory.known):
            free = self._around.lanes.free(lane)
            if not free:
                continue
            jobs = await self._around.ledger.claim(self.owner, lane, free)
            for job in jobs:
                self._start(job)
            if len(jobs) < free and (wake_at := await self._queries.next_wake(lane)) is not None:
                pause = min(pause, max(0.0, (wake_at - self._around.clock.now()) / 1000))
        return pause

    def _start(self, job: Job) -> None:
        run = JobRun(job, self.owner, self._around)
        self._runs[job.id] = run
        task = asyncio.create_task(self._run(job.id, run))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, job_id: str, run: JobRun) -> None:
        try:
            await self._guarded(job_id, run)
        except Fenced:
            logger.warning("job %s has another owner", job_id)
        finally:
            if self._runs.get(job_id) is run:  # it may have been claimed again in the meantime
                del self._runs[job_id]
            self.wake()

    async def _guarded(self, job_id: str, run: JobRun) -> None:
        """Runs a job; a defect of ours ends this job visibly and takes no other down."""
        try:
            await run.run()
        except Fenced:
            raise
        except Exception:
            logger.exception("job %s stopped on an unexpected error", job_id)
            await run.abandon()
