"""The engine's front: submit, look up, list, cancel and retry jobs, and the life of the process's executor."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from genesis.domain.attempt import ProviderClass
from genesis.domain.batch import Batch
from genesis.domain.identity import new_id
from genesis.domain.job import Job, JobStatus
from genesis.domain.usage import Usage, UsageQuery
from genesis.engine.breaker import Breakers
from genesis.engine.call_ends import CallEnds
from genesis.engine.chain import Limits
from genesis.engine.directory import WorkerDirectory
from genesis.engine.estimate import Estimate
from genesis.engine.executor import Executor
from genesis.engine.follow import Follower
from genesis.engine.given_files import GivenFiles
from genesis.engine.health import Health
from genesis.engine.lanes import Lanes
from genesis.engine.lease import Lease, since_boot
from genesis.engine.list_prices import ListPrices
from genesis.engine.order import Order, OrderDesk, fingerprint
from genesis.engine.outlook import Forecast, Outlook
from genesis.engine.pace import Pace
from genesis.engine.reconciler import Reconciler
from genesis.engine.retry import RetryPolicy
from genesis.engine.surroundings import Surroundings
from genesis.engine.tasks import end_tasks
from genesis.errors import CommitUnknown, FieldError, GenesisError, InvalidRequest
from genesis.pipelines.contract import Contract
from genesis.ports.clock import SystemClock
from genesis.ports.database import Database
from genesis.ports.ledger import Idempotency, Submission
from genesis.ports.prices import Prices
from genesis.ports.queries import EVERY_JOB, JobFilter, JobPage
from genesis.ports.signals import CancelRequested, Reread, Signal, WorkDue, WorkQueued
from genesis.ports.workers import WorkerClient
from genesis.settings import Settings


class Engine:
    """All that may be done with jobs."""

    def __init__(
        self,
        database: Database,
        workers: WorkerClient,
        pipelines: Mapping[str, Contract],
        prices: Prices,
        settings: Settings,
    ) -> None:
        self._ledger = ledger = database.ledger
        self._queries = queries = database.queries
        self._signals = signals = database.signals
        self._clock = clock = database.clock
        self._settings = settings
        self._loading: asyncio.Task[None] | None = None
        self.pipelines = pipelines
        self.follower = Follower(queries, signals)
        self.directory = WorkerDirectory(workers, self._worker_seen)
        self._prices = ListPrices(prices, self.directory)
        self._given_files = GivenFiles(database.files, pipelines)
        self._desk = OrderDesk(
            pipelines, self.directory.known, self._prices, settings.fetch_allowed_hosts, settings.fetch_plain_http
        )
        self._lanes = Lanes(self.directory.slots, self._slot_free)
        self.breakers = Breakers(clock.now, since_boot)
        self.health = Health(clock.now)
        pace = Pace()
        self._forecast = Forecast(
            queries,
            self.directory,
            self._lanes,
            pace,
            clock.now,
            executes=settings.executor,
            is_quarantined=self._is_quarantined,
            without_slot=self._steps_without_slot,
        )
        lease = Lease(None if ledger.exclusive else settings.lease_seconds)
        around = Surroundings(
            ledger=ledger,
            queries=queries,
            workers=workers,
            prices=self._prices,
            signals=signals,
            directory=self.directory,
            lanes=self._lanes,
            breakers=self.breakers,
            health=self.health,
            pace=pace,
            policy=RetryPolicy(
                Limits(settings.max_attempts, settings.max_step_attempts, settings.retry_cap_seconds),
                settings.retry_base_seconds,
                settings.retry_cap_seconds,
                settings.call_timeout_seconds,
            ),
            clock=clock,
            machine=SystemClock(),
            call_ends=CallEnds(clock),
            may_call=lease.allows_calls,
        )
        self._executor = Executor(around, lease) if settings.executor else None
        self._reconciler = Reconciler(around, self._attempts_in_flight)

    @property
    def executes(self) -> bool:
        """Whether this process runs jobs itself."""
        return self._executor is not None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Runs jobs, and takes over what others have left, until the context ends.

        Raises:
            Unavailable: the ledger does not answer at the start.
        """
        stop_listening = self._signals.listen(self._on_signal)
        self.directory.start()
        reconciling = None
        try:
            if self._executor is not None:
                await self._executor.start()
                reconciling = asyncio.create_task(self._reconciler.run())
            yield
        finally:
            if self._executor is not None and reconciling is not None:
                await end_tasks([reconciling])
                await self._executor.stop(self._settings.drain_seconds)
            await self.directory.stop()
            if self._loading is not None:
                await asyncio.gather(self._loading, return_exceptions=True)
            stop_listening()

    def _attempts_in_flight(self) -> frozenset[str]:
        return self._executor.attempts_in_flight if self._executor else frozenset()

    def _is_quarantined(self) -> bool:
        return self._executor is not None and self._executor.is_quarantined

    def _steps_without_slot(self, job_id: str) -> frozenset[str]:
        return self._executor.steps_without_slot(job_id) if self._executor else frozenset()

    def _slot_free(self) -> None:
        if self._executor is not None:
            self._executor.slot_free()

    def _worker_seen(self, capability: str) -> None:
        self._lanes.refresh(capability)
        if self._executor is not None and capability in self.directory.known:
            self._executor.wake(capability)
        if self._loading is None and self._charges(capability):
            self._loading = asyncio.create_task(asyncio.to_thread(self._prices.load))

    def _charges(self, capability: str) -> bool:
        """Whether calls of a capability may cost something, so that prices are going to be needed."""
        worker = self.directory.known.get(capability)
        providers = worker.providers if worker else ()
        return any(one.configured and one.provider_class is not ProviderClass.REPEATABLE for one in providers)

    def _on_signal(self, signal: Signal) -> None:
        if self._executor is None:
            return
        match signal:
            case WorkQueued(lane):
                self._executor.wake(lane)
            case WorkDue(at):
                self._executor.wake_at(at)
            case CancelRequested(job):
                if not self._executor.cancel(job):
                    self._reconciler.look()
            case Reread():
                self._executor.look_everywhere()

    async def submit(self, organization: str, order: Order, *, idempotency_key: str | None = None) -> Submission:
        """Accepts a job; it is durable when this returns.

        Raises:
            InvalidRequest: the job does not fit its pipeline, or no provider can serve it.
            IdempotencyConflict: the key was used for something else.
            Unavailable: the ledger cannot take it now.
        """
        idempotency = Idempotency(idempotency_key, fingerprint([order])) if idempotency_key else None
        try:
            order = await self._given_files.resolved(organization, order)
            job = self._desk.job(organization, order, self._clock.now())
        except InvalidRequest:
            # What was accepted before is told, although it would be refused now: its caller may not know of it.
            earlier, _ = await self._accepted(organization, idempotency)
            if earlier is None:
                raise
            return Submission(await self._queries.job(organization, earlier), replayed=True)
        head_start = None if self._executor is None or job.wake_at else self._executor.head_start(job)
        if self._executor is None or head_start is None:
            return await self._ledger.submit(job, idempotency=idempotency)
        try:
            submission = await self._ledger.submit(job, idempotency=idempotency, head_start=head_start)
        except BaseException as error:
            if isinstance(error, GenesisError) and not isinstance(error, CommitUnknown):
                self._executor.forgo(job)  # it was refused
            else:
                self._executor.take_back(head_start)
            raise
        if submission.job.owner == head_start.job.owner and not submission.replayed:
            self._executor.run(head_start)
        else:
            self._executor.forgo(job)
        return submission

    async def _accepted(self, organization: str, idempotency: Idempotency | None) -> tuple[str | None, str | None]:
        return (None, None) if idempotency is None else await self._queries.accepted(organization, idempotency)

    async def submit_batch(
        self, organization: str, orders: Sequence[Order], *, idempotency_key: str | None = None
    ) -> tuple[Batch, bool]:
        """Accepts jobs together, all or none; tells whether they were accepted before under the same key.

        Raises:
            InvalidRequest: some do not fit; all of them are listed by their number.
            IdempotencyConflict: the key was used for something else.
            Unavailable: the ledger cannot take them now.
        """
        now = self._clock.now()
        batch = Batch(new_id(), organization, now, len(orders))
        ids = sorted(new_id(now) for _ in orders)  # as old as the jobs say that they are
        jobs: list[Job] = []
        wrong: list[FieldError] = []
        for number, order in enumerate(orders):
            try:
                resolved = await self._given_files.resolved(organization, order)
                jobs.append(replace(self._desk.job(organization, resolved, now, batch.id), id=ids[number]))
            except InvalidRequest as error:
                fields = error.errors or (FieldError("", error.message),)
                wrong.extend(FieldError(f"jobs.{number}.{field.field}".rstrip("."), field.message) for field in fields)
        idempotency = Idempotency(idempotency_key, fingerprint(orders)) if idempotency_key else None
        if wrong:
            _, earlier = await self._accepted(organization, idempotency)
            if earlier is not None:
                return (await self._queries.batch(organization, earlier))[0], True
            raise InvalidRequest(
                f"{wrong[0].field}: {wrong[0].message}",
                hint="Nothing was accepted. Correct the jobs that `errors` names and send the batch again.",
                errors=tuple(wrong),
            )
        return await self._ledger.submit_batch(batch, jobs, idempotency=idempotency)

    async def estimate(self, organization: str, order: Order) -> Estimate:
        """What a job is expected to cost; nothing is stored.

        Raises:
            InvalidRequest: the job does not fit its pipeline, or no provider can serve it.
        """
        resolved = await self._given_files.resolved(organization, order)
        return self._desk.estimate(organization, resolved, self._clock.now())

    async def usage(self, organization: str, asked: UsageQuery) -> Sequence[Usage]:
        """What an organization's calls have come to, in groups.

        Raises:
            InvalidRequest: there are too many groups.
        """
        return await self._queries.usage(organization, asked)

    async def job(self, organization: str, job_id: str) -> Job:
        """One job.

        Raises:
            NotFound: the organization has no such job.
        """
        return await self._queries.job(organization, job_id)

    async def jobs(
        self,
        organization: str,
        *,
        limit: int,
        offset: int = 0,
        cursor: str | None = None,
        where: JobFilter = EVERY_JOB,
    ) -> JobPage:
        """Jobs, newest first, after `cursor` where that is given."""
        return await self._queries.jobs(organization, limit=limit, offset=offset, cursor=cursor, where=where)

    async def batch(self, organization: str, batch_id: str) -> tuple[Batch, Mapping[JobStatus, int]]:
        """A batch, and how many of its jobs have each status.

        Raises:
            NotFound: the organization has no such batch.
        """
        return await self._queries.batch(organization, batch_id)

    async def cancel(self, organization: str, job_id: str) -> Job:
        """Cancels a job, or asks its run to; a running one is canceled within about a second.

        Raises:
            NotFound: the organization has no such job.
            Conflict: it has already ended.
        """
        return await self._ledger.cancel(organization, job_id)

    async def cancel_batch(self, organization: str, batch_id: str) -> None:
        """Cancels every job of a batch that has not ended.

        Raises:
            NotFound: the organization has no such batch.
        """
        await self._ledger.cancel_batch(organization, batch_id)

    async def retry(self, organization: str, job_id: str, *, resend: bool = False) -> Job:
        """Queues a failed or canceled job again, from where it failed: what is done stays done.

        Args:
            resend: go on although nobody knows what an earlier attempt came to; it may then be paid twice.

        Raises:
            NotFound: the organization has no such job.
            Conflict: its state does not allow it.
        """
        return await self._ledger.retry(organization, job_id, resend=resend)

    async def resume(self, organization: str) -> int:
        """Lets the jobs go on that wait for a word since a backup was restored; returns how many there were."""
        return await self._ledger.resume(organization)

    async def outlook(self, job: Job) -> Outlook | None:
        """The prospects of a queued job; None for any other."""
        return await self._forecast.outlook(job)

    async def waits_for(self, jobs: Sequence[Job]) -> list[str | None]:
        """What each of some jobs waits for, in words and in their order; None where it goes on, is over, or nothing is
        known to stand in its way.
        """
        return await self._forecast.reasons(jobs)

    async def live_executors(self) -> int:
        """How many executors are alive, in whichever process.

        Raises:
            Unavailable: the ledger does not answer.
        """
        return await self._queries.live_executors()

    async def check(self) -> str | None:
        """Returns when the ledger answers; in words what single changes wait for, None when none do.

        Raises:
            Unavailable: it does not.
        """
        return await self._queries.check()
