"""The ledger's writing side on one SQLite file."""

import json
from collections.abc import Collection, Sequence

from genesis.database.plans import Plans
from genesis.database.sqlite import claiming, deciding, executors, incarnation, submitting
from genesis.database.sqlite.ending import release
from genesis.database.sqlite.transaction import Transaction
from genesis.database.sqlite.writer import Writer
from genesis.domain.batch import Batch
from genesis.domain.job import Job
from genesis.ports.clock import Clock
from genesis.ports.ledger import Begin, Claimed, Decision, Idempotency, Submission

_MOST_STORED_PLANS = 10_000
"""Digests that are remembered; the others are offered to the database once more, which changes nothing."""


class SqliteLedger:
    """Implements the port `Ledger` through the group-committing writer."""

    exclusive = True

    def __init__(self, writer: Writer, clock: Clock, plans: Plans) -> None:
        self._writer = writer
        self._clock = clock
        self._plans = plans
        self._stored_plans: set[str] = set()
        self._taken_over = False

    async def submit(
        self, job: Job, *, idempotency: Idempotency | None = None, head_start: Claimed | None = None
    ) -> Submission:
        now, plan = self._clock.now(), self._plans.stored(job.plan)
        known = plan.digest in self._stored_plans
        submission = await self._writer.execute(
            lambda transaction: submitting.submit(
                transaction, self._plans, job, plan, idempotency, head_start, now, plan_known=known
            ),
            refusable=True,
        )
        if not known and not submission.replayed:
            if len(self._stored_plans) >= _MOST_STORED_PLANS:
                self._stored_plans.clear()
            self._stored_plans.add(plan.digest)
        return submission

    async def submit_batch(
        self, batch: Batch, jobs: Sequence[Job], *, idempotency: Idempotency | None = None
    ) -> tuple[Batch, bool]:
        now = self._clock.now()
        return await self._writer.execute(
            lambda transaction: submitting.submit_batch(transaction, self._plans, batch, jobs, idempotency, now),
            refusable=True,
        )

    async def claim(self, owner: str, lane: str, limit: int, begin: Begin) -> list[Claimed]:
        now = self._clock.now()
        return await self._writer.execute(
            lambda transaction: claiming.claim(transaction, self._plans, owner, lane, limit, begin, now)
        )

    async def claim_suspects(self, owner: str, begin: Begin) -> list[Claimed]:
        now = self._clock.now()
        return await self._writer.execute(
            lambda transaction: claiming.claim_suspects(transaction, self._plans, owner, begin, now)
        )

    async def decide(self, decision: Decision) -> None:
        now = self._clock.now()
        await self._writer.execute(lambda transaction: deciding.decide(transaction, self._plans, decision, now))

    async def cancel(self, organization: str, job_id: str) -> Job:
        now = self._clock.now()
        return await self._writer.execute(
            lambda transaction: deciding.cancel(transaction, self._plans, organization, job_id, now)
        )

    async def cancel_batch(self, organization: str, batch_id: str) -> None:
        now = self._clock.now()
        await self._writer.execute(
            lambda transaction: deciding.cancel_batch(transaction, self._plans, organization, batch_id, now)
        )

    async def retry(self, organization: str, job_id: str, *, resend: bool) -> Job:
        now = self._clock.now()
        return await self._writer.execute(
            lambda transaction: deciding.retry(transaction, self._plans, organization, job_id, now, resend=resend)
        )

    async def resume(self, organization: str) -> int:
        now, count = self._clock.now(), 0
        while portion := await self._writer.execute(
            lambda transaction: incarnation.resume(transaction, organization, now)
        ):
            count += portion
        return count

    async def join(self, executor: str) -> None:
        now, first = self._clock.now(), not self._taken_over

        def enter(transaction: Transaction) -> None:
            if first:
                executors.take_over(transaction, self._plans, now)
            executors.join(transaction, executor, now)

        await self._writer.execute(enter)
        self._taken_over = True

    async def heartbeat(self, executor: str) -> bool:
        now = self._clock.now()
        return await self._writer.execute(lambda transaction: executors.heartbeat(transaction, executor, now))

    async def leave(self, executor: str) -> None:
        now = self._clock.now()
        await self._writer.execute(lambda transaction: executors.leave(transaction, self._plans, executor, now))

    async def sweep(self) -> int:
        now = self._clock.now()
        return await self._writer.execute(lambda transaction: executors.sweep(transaction, self._plans, now))

    async def disown(self, executor: str, running: Collection[str]) -> int:
        now, keeping = self._clock.now(), json.dumps(list(running))
        return await self._writer.execute(
            lambda transaction: release(transaction, self._plans, executor, now, crashed=False, keeping=keeping)
        )
