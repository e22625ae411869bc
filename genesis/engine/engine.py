"""The engine's front: submit, look up, list and cancel jobs, and the life of the process's executor."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from genesis.capabilities.catalog import CAPABILITIES
from genesis.capabilities.fields import Kind
from genesis.domain.artifact import STORAGE_PREFIX
from genesis.domain.identity import new_id
from genesis.domain.job import Job, JobStatus
from genesis.domain.pipeline import OnError
from genesis.domain.step import Step
from genesis.engine.chain import targets
from genesis.engine.directory import WorkerDirectory
from genesis.engine.executor import Executor
from genesis.engine.lanes import Lanes
from genesis.engine.plan import call_of
from genesis.engine.retry import RetryPolicy
from genesis.engine.run import Surroundings
from genesis.errors import FieldError, InvalidRequest, UnknownPipeline
from genesis.net.addresses import check_public_url
from genesis.pipelines.contract import Contract
from genesis.ports.clock import Clock
from genesis.ports.ledger import Ledger
from genesis.ports.queries import Queries
from genesis.ports.workers import WorkerClient
from genesis.settings import Settings


class Engine:
    """All that may be done with jobs."""

    def __init__(
        self,
        ledger: Ledger,
        queries: Queries,
        workers: WorkerClient,
        pipelines: Mapping[str, Contract],
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._ledger = ledger
        self._queries = queries
        self._clock = clock
        self._settings = settings
        self.pipelines = pipelines
        self.directory = WorkerDirectory(workers, self._worker_seen)
        self._lanes = Lanes(self.directory.slots, self._slot_free)
        policy = RetryPolicy(settings.max_attempts, settings.retry_base_seconds, settings.retry_cap_seconds)
        around = Surroundings(ledger, workers, self.directory, self._lanes, policy, clock)
        self._executor = Executor(around, queries)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Takes over what an earlier process left, then runs jobs until the context ends."""
        await self._ledger.recover()
        self.directory.start()
        self._executor.start()
        try:
            yield
        finally:
            await self._executor.stop(self._settings.drain_seconds)
            await self.directory.stop()

    def _slot_free(self) -> None:
        self._executor.wake()

    def _worker_seen(self, capability: str) -> None:
        self._lanes.refresh(capability)
        self._executor.wake()

    async def submit(
        self, organization: str, pipeline: str, inputs: Mapping[str, Any], options: Mapping[str, Any]
    ) -> Job:
        """Accepts a job; it is durable when this returns.

        Raises:
            InvalidRequest: the job does not fit its pipeline, or no provider can serve it.
            Unavailable: the ledger cannot take it now.
        """
        contract = self.pipelines.get(pipeline)
        if contract is None:
            raise UnknownPipeline(
                f"There is no pipeline `{pipeline}`.", hint=f"Pipelines are {', '.join(self.pipelines)}."
            )
        inputs, options = contract.check(inputs, options)
        self._check_urls(contract, inputs)
        job = Job(
            id=new_id(),
            organization=organization,
            pipeline=pipeline,
            inputs=inputs,
            options=options,
            plan=contract.pipeline,
            created_at=self._clock.now(),
            steps=tuple(Step(step.name, step.capability) for step in contract.pipeline.steps),
        )
        self._check_servable(job)
        await self._ledger.submit(job)
        self._executor.wake()
        return job

    def _check_urls(self, contract: Contract, inputs: Mapping[str, Any]) -> None:
        for given in contract.pipeline.inputs:
            url = inputs.get(given.name)
            if given.kind == Kind.TEXT or url is None or url.startswith(STORAGE_PREFIX):
                continue
            try:
                check_public_url(url, self._settings.fetch_allowed_hosts)
            except InvalidRequest as error:
                field = FieldError(f"inputs.{given.name}", error.message)
                raise InvalidRequest(
                    f"inputs.{given.name}: {error.message}", hint=error.hint, errors=(field,)
                ) from None

    def _check_servable(self, job: Job) -> None:
        """Refuses what no provider can do; a worker that is missing now may come back, so its jobs wait."""
        for step in job.plan.steps:
            worker = self.directory.known.get(step.capability)
            if worker is None or step.on_error is OnError.CONTINUE:
                continue
            _, options = call_of(job, step)
            targets(worker, options.get("model"))

    async def job(self, organization: str, job_id: str) -> Job:
        """One job.

        Raises:
            NotFound: the organization has no such job.
        """
        return await self._queries.job(organization, job_id)

    async def jobs(self, organization: str, *, limit: int, offset: int = 0, before: str | None = None) -> list[Job]:
        """Jobs, newest first; only those older than job `before` where that is given."""
        return await self._queries.jobs(organization, limit=limit, offset=offset, before=before)

    async def cancel(self, organization: str, job_id: str) -> Job:
        """Cancels a job, or asks its run to; a running one is canceled within about a second.

        Raises:
            NotFound: the organization has no such job.
            Conflict: it has already ended.
        """
        job = await self._ledger.cancel(organization, job_id)
        self._executor.cancel(job_id)
        return job

    def waits_for(self, job: Job) -> str | None:
        """Why a queued job has not started, in words; None when it has or nothing stands in its way."""
        if job.status is not JobStatus.QUEUED:
            return None
        capability = job.steps[0].capability
        reason = self.directory.missing.get(capability)
        if reason is not None:
            return f"The {CAPABILITIES[capability].worker} worker is missing: {reason}"
        return None if self._lanes.free(capability) else f"All slots of {capability} are busy."
