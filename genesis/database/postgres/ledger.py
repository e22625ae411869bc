"""The ledger's writing side on PostgreSQL."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, TypeVar

from genesis.database.postgres import claiming, executors, incarnation, requests, submitting
from genesis.database.postgres.clock import DatabaseClock
from genesis.database.postgres.connection import REFUSALS, Connection, Server, reason
from genesis.database.postgres.contact import Contact
from genesis.database.postgres.flush import Flush
from genesis.database.postgres.submitting import NewJob
from genesis.database.postgres.writer import Writer
from genesis.domain.batch import Batch
from genesis.domain.identity import Milliseconds
from genesis.domain.job import Job
from genesis.errors import Unavailable
from genesis.ports.clock import Clock
from genesis.ports.ledger import Begin, Claimed, Decision, Idempotency, Submission

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

_HEARTBEAT_SECONDS = 3.0
"""Longest that a sign of life may take; the next one comes soon."""
_MEASURE_SECONDS = 30.0


class Pulse:
    """Leases of executors, on a connection of their own that touches nothing else (line 15 of the protocol).

    Args:
        clock: the one to write leases by; None for the database's own, which the other clock is corrected with.

    Attributes:
        lease: how long an executor lives without a sign of life.
        was_set_back: whether the database's clock may have been since that was last seen to.
    """

    def __init__(self, server: Server, lease: Milliseconds, clock: Clock | DatabaseClock) -> None:
        self._server = server
        self.lease = lease
        self.was_set_back = True  # who knows what was before
        self._clock = clock
        self._contact = Contact(lease)
        self._turn = asyncio.Lock()
        self._connection: Connection | None = None
        self._measuring: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connects, and measures the clock.

        Raises:
            one of `REFUSALS`: the database cannot be reached.
        """
        await self._measure()
        if isinstance(self._clock, DatabaseClock):
            self._measuring = asyncio.create_task(self._keep_measuring())

    async def close(self) -> None:
        if self._measuring is not None:
            self._measuring.cancel()
        if self._connection is not None:
            self._connection.terminate()

    @property
    def now(self) -> Milliseconds | None:
        """The time to write leases by, None for the database's own."""
        return None if isinstance(self._clock, DatabaseClock) else self._clock.now()

    async def join(self, executor: str) -> None:
        await self._value(executors.JOIN, self.now, executor, self.lease)

    def lost(self) -> Milliseconds:
        """By how much leases are longer than they are written; to be asked when the database has just answered."""
        self._contact.answered()
        return self._contact.lost()

    async def beat(self, executor: str) -> bool:
        return await self._value(executors.HEARTBEAT, self.now, executor, self.lease) is not None

    async def _measure(self) -> None:
        await self._value(f"SELECT {executors.NOW}", self.now)

    async def _keep_measuring(self) -> None:
        """Corrects the clock of a process that has no executor, too."""
        while True:
            await asyncio.sleep(_MEASURE_SECONDS)
            try:
                await self._measure()
            except REFUSALS as error:
                logger.debug("the database's clock was not measured: %s", reason(error))

    async def _value(self, statement: str, *arguments: Any) -> Any:
        async with self._turn, asyncio.timeout(_HEARTBEAT_SECONDS):
            try:
                if self._connection is None or self._connection.is_closed():
                    self._connection = await self._server.connect("heartbeat")
                    await self._connection.prepare(statement)  # the measurement is to be of the answer alone
                before = self._local()
                value = await self._connection.fetchval(statement, *arguments)
            except BaseException:
                if self._connection is not None:
                    self._connection.terminate()
                    self._connection = None
                raise
            self._contact.answered()
            if isinstance(self._clock, DatabaseClock) and value is not None:
                self.was_set_back |= self._clock.measure(before, value, self._clock.local())
            return value

    def _local(self) -> float:
        return self._clock.local() if isinstance(self._clock, DatabaseClock) else 0.0


class PostgresLedger:
    """Implements the port `Ledger` through the group-committing writer."""

    exclusive = False

    def __init__(self, writer: Writer, pulse: Pulse) -> None:
        self._writer = writer
        self._pulse = pulse

    async def submit(
        self, job: Job, *, idempotency: Idempotency | None = None, head_start: Claimed | None = None
    ) -> Submission:
        submission: Submission = await self._writer.submit(NewJob(job, idempotency, head_start))
        return submission

    async def submit_batch(
        self, batch: Batch, jobs: Sequence[Job], *, idempotency: Idempotency | None = None
    ) -> tuple[Batch, bool]:
        async def run(flush: Flush) -> tuple[Batch, bool]:
            return await submitting.submit_batch(flush, batch, jobs, idempotency, self._writer.plans_known)

        size = sum(map(submitting.size_of, jobs))
        accepted: tuple[Batch, bool] = await self._writer.store(f"batch {batch.id}", run, size)
        return accepted

    async def claim(self, owner: str, lane: str, limit: int, begin: Begin) -> list[Claimed]:
        claimed: list[Claimed] = await self._writer.run(
            lambda flush: claiming.claim(flush, owner, lane, limit, begin), droppable=True
        )
        return claimed

    async def claim_suspects(self, owner: str, begin: Begin) -> list[Claimed]:
        claimed: list[Claimed] = await self._writer.run(
            lambda flush: claiming.claim_suspects(flush, owner, begin), droppable=True
        )
        return claimed

    async def decide(self, decision: Decision) -> None:
        await self._writer.decide(decision)

    async def cancel(self, organization: str, job_id: str) -> Job:
        job: Job = await self._writer.change(
            f"the cancellation of job {job_id}", lambda flush: requests.cancel(flush, organization, job_id)
        )
        return job

    async def cancel_batch(self, organization: str, batch_id: str) -> None:
        await self._writer.change_many(
            f"the cancellation of batch {batch_id}",
            lambda flush: requests.cancel_batch(flush, organization, batch_id),
        )

    async def retry(self, organization: str, job_id: str, *, resend: bool) -> Job:
        job: Job = await self._writer.change(
            f"the retry of job {job_id}", lambda flush: requests.retry(flush, organization, job_id, resend=resend)
        )
        return job

    async def resume(self, organization: str) -> int:
        count = 0
        while portion := await self._writer.change_many(
            "that jobs go on", lambda flush: incarnation.resume(flush, organization)
        ):
            count += portion
        return count

    async def join(self, executor: str) -> None:
        await self._on_pulse(self._pulse.join, executor)

    async def heartbeat(self, executor: str) -> bool:
        return await self._on_pulse(self._pulse.beat, executor)

    async def leave(self, executor: str) -> None:
        await self._writer.run(lambda flush: executors.leave(flush, executor), droppable=True)

    async def sweep(self) -> int:
        if self._pulse.was_set_back:
            self._pulse.was_set_back = False
            try:
                await self._writer.run(
                    lambda flush: executors.wake(flush, self._pulse.now, self._pulse.lease), droppable=True
                )
            except BaseException:
                self._pulse.was_set_back = True
                raise
        pulse = self._pulse
        count: int = await self._writer.run(
            lambda flush: executors.sweep(flush, pulse.now, pulse.lost(), pulse.lease), droppable=True
        )
        return count

    async def disown(self, executor: str, running: Collection[str]) -> int:
        count: int = await self._writer.run(lambda flush: executors.disown(flush, executor, running), droppable=True)
        return count

    async def _on_pulse(self, work: Callable[[str], Awaitable[Result]], executor: str) -> Result:
        try:
            return await work(executor)
        except REFUSALS as error:
            raise Unavailable(
                f"The executor's lease could not be written: {reason(error)}.", hint="Try again in a moment."
            ) from error
