"""Batches: jobs that are accepted together."""

from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gateway.dependencies import EngineDependency, OrganizationDependency, engine_of, organization_of
from gateway.direct import direct_route, json_response, read_model
from gateway.errors import problem_responses
from gateway.preferences import REPLAYED, idempotency_key
from gateway.routes.jobs import IdempotencyKey
from gateway.schemas.batch import BatchRequest, BatchView
from gateway.schemas.job import JobRequest
from gateway.views import batch_document
from genesis.domain.job import JobStatus
from genesis.engine.engine import Engine
from genesis.errors import PayloadTooLarge, Unavailable

router = APIRouter(tags=["batches"])


async def _create(request: Request) -> Response:
    key = idempotency_key(request.headers)
    orders = [job.order() for job in await _jobs_of(request)]
    engine, organization = engine_of(request), organization_of(request)
    batch, replayed = await engine.submit_batch(organization, orders, idempotency_key=key)
    headers = {"Location": f"/batches/{batch.id}"} | ({REPLAYED: "true"} if replayed else {})
    try:
        return await _shown(engine, organization, batch.id, 201, headers)
    except Unavailable:  # it is accepted, which is what matters now
        return json_response(batch_document(batch, {JobStatus.QUEUED: batch.size}), 201, headers)


async def _jobs_of(request: Request) -> list[JobRequest]:
    """The jobs of a batch.

    Raises:
        PayloadTooLarge: one of them would be too large for a request of its own.
    """
    jobs = (await read_model(request, BatchRequest)).jobs
    largest: int = request.app.state.largest_job
    if len(await request.body()) > largest:
        for number, job in enumerate(jobs):
            if len(job.model_dump_json(exclude_unset=True).encode()) > largest:
                raise PayloadTooLarge(
                    f"jobs.{number} has more than {largest:,} bytes, which is more than a job may have.",
                    hint="Nothing was accepted. Give files by URL; their content does not belong into the request.",
                )
    return jobs


async def _creation(body: BatchRequest, idempotency_key: IdempotencyKey = None) -> None:  # the description alone
    """Accepts up to 1,000 jobs, all or none: one that is wrong refuses all, and each error is named with its place, such
    as `jobs.3.inputs.text`. They are durable when this answers."""


router.add_api_route(
    "/batches",
    _creation,
    methods=["POST"],
    name="create_batch",
    status_code=201,
    response_model=BatchView,
    responses=problem_responses(400, 413, 415, 422, 503),
    route_class_override=direct_route(_create),
)


@router.get("/batches/{batch_id}", response_model=BatchView, responses=problem_responses(404, 422, 503))
async def get_batch(batch_id: UUID, engine: EngineDependency, organization: OrganizationDependency) -> Response:
    """Looks up a batch: how many of its jobs have which status."""
    return await _shown(engine, organization, str(batch_id))


@router.post("/batches/{batch_id}/cancel", response_model=BatchView, responses=problem_responses(404, 422, 503))
async def cancel_batch(batch_id: UUID, engine: EngineDependency, organization: OrganizationDependency) -> Response:
    """Cancels the jobs of a batch that have not ended; running ones are canceled within about a second."""
    await engine.cancel_batch(organization, str(batch_id))
    return await _shown(engine, organization, str(batch_id))


async def _shown(
    engine: Engine, organization: str, batch_id: str, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    batch, counts = await engine.batch(organization, batch_id)
    return json_response(batch_document(batch, counts), status, headers)
