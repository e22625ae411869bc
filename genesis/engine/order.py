"""What callers submit, and how it becomes a job."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from genesis.capabilities.fields import Kind
from genesis.domain.artifact import STORAGE_PREFIX
from genesis.domain.identity import Milliseconds, new_id
from genesis.domain.job import Job, OnAmbiguous
from genesis.domain.money import Money
from genesis.domain.pipeline import OnError
from genesis.domain.step import Step
from genesis.engine import plan
from genesis.engine.assumptions import Recording
from genesis.engine.budget import check_affordable
from genesis.engine.chain import draw_of, targets
from genesis.engine.estimate import Estimate, estimated
from genesis.errors import FieldError, InvalidRequest, UnknownPipeline
from genesis.net.addresses import check_public_url
from genesis.pipelines.contract import Contract
from genesis.ports.prices import Prices
from genesis.ports.workers import WorkerDescription


@dataclass(frozen=True, slots=True)
class Order:
    """A job as its caller describes it.

    Attributes:
        priority: higher ones start first within an organization.
        not_before: it waits until this moment.
        start_within, finish_within: seconds from its acceptance after which it fails.
        on_ambiguous: what follows when nobody knows whether a paid call was made.
        max_cost: no call is made that may make the job dearer than this.
        recorded: how long the recordings last that it names, by their paths.
    """

    pipeline: str
    inputs: Mapping[str, Any]
    options: Mapping[str, Any]
    priority: int = 0
    not_before: Milliseconds | None = None
    start_within: float | None = None
    finish_within: float | None = None
    on_ambiguous: OnAmbiguous = OnAmbiguous.FAIL
    max_cost: Money | None = None
    recorded: Mapping[str, Recording] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderDesk:
    """Checks orders.

    Attributes:
        workers: those that answer, by capability.
        prices: of models.
        allowed_hosts: that input URLs may name although they are not public.
        plain_http: whether input URLs need not be https.
    """

    pipelines: Mapping[str, Contract]
    workers: Mapping[str, WorkerDescription]
    prices: Prices
    allowed_hosts: Sequence[str]
    plain_http: bool = False

    def job(self, organization: str, order: Order, now: Milliseconds, batch: str | None = None) -> Job:
        """The job of an order.

        Raises:
            InvalidRequest: the job does not fit its pipeline, no provider can serve it, or it costs too much.
        """
        job = self._drafted(organization, order, now, batch)
        if job.max_cost is not None:
            check_affordable(job, self._estimated(job, order))
        return job

    def estimate(self, organization: str, order: Order, now: Milliseconds) -> Estimate:
        """What the job of an order is expected to cost, whatever it may cost.

        Raises:
            InvalidRequest: the job does not fit its pipeline, or no provider can serve it.
        """
        return self._estimated(self._drafted(organization, order, now, None), order)

    def _estimated(self, job: Job, order: Order) -> Estimate:
        return estimated(job, self.workers, self.prices, order.recorded)

    def _drafted(self, organization: str, order: Order, now: Milliseconds, batch: str | None) -> Job:
        contract = self.pipelines.get(order.pipeline)
        if contract is None:
            raise UnknownPipeline(
                f"There is no pipeline `{order.pipeline}`.", hint=f"Pipelines are {', '.join(self.pipelines)}."
            )
        inputs, options = contract.check(order.inputs, order.options)
        self._check_urls(contract, inputs)
        job = Job(
            id=new_id(),
            organization=organization,
            pipeline=order.pipeline,
            inputs=inputs,
            options=options,
            plan=contract.pipeline,
            created_at=now,
            wake_at=order.not_before if order.not_before and order.not_before > now else 0,
            steps=tuple(Step(step.name, step.capability) for step in contract.pipeline.steps),
            priority=order.priority,
            batch=batch,
            start_by=_after(now, order.start_within),
            finish_by=_after(now, order.finish_within),
            on_ambiguous=order.on_ambiguous,
            max_cost=order.max_cost,
            lane=plan.first_lane(contract.pipeline, inputs, options),
        )
        self._check_servable(job)
        return job

    def _check_urls(self, contract: Contract, inputs: Mapping[str, Any]) -> None:
        for given in contract.pipeline.inputs:
            url = inputs.get(given.name)
            if given.kind == Kind.TEXT or url is None or url.startswith(STORAGE_PREFIX):
                continue
            try:
                check_public_url(url, self.allowed_hosts, plain_http=self.plain_http)
            except InvalidRequest as error:
                field = FieldError(f"inputs.{given.name}", error.message)
                raise InvalidRequest(
                    f"inputs.{given.name}: {error.message}", hint=error.hint, errors=(field,)
                ) from None

    def _check_servable(self, job: Job) -> None:
        """Refuses what no provider can do; a worker that is missing now may come back, so its jobs wait."""
        for step in job.plan.steps:
            worker = self.workers.get(step.capability)
            if worker is None or step.on_error is OnError.CONTINUE:
                continue
            targets(worker, plan.model_of(job, step), draw_of(job, step.name))


def fingerprint(orders: Sequence[Order]) -> str:
    """A digest of what is ordered, the same for the same orders."""
    content = [
        [
            order.pipeline,
            order.inputs,
            order.options,
            order.priority,
            order.not_before,
            order.start_within,
            order.finish_within,
            order.on_ambiguous,
            *([] if order.max_cost is None else [order.max_cost]),  # so that keys of earlier versions stay valid
        ]
        for order in orders
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _after(now: Milliseconds, seconds: float | None) -> Milliseconds | None:
    return None if seconds is None else now + round(seconds * 1000)
