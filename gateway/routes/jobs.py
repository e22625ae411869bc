"""Jobs: create, look up, list, cancel."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from gateway.dependencies import EngineDependency, OrganizationDependency
from gateway.errors import problem_responses
from gateway.schemas.job import JobRequest, JobView
from genesis.errors import FieldError, InvalidRequest

router = APIRouter(tags=["jobs"])

_DEEPEST_OFFSET = 10_000


@router.post("/jobs", status_code=201, responses=problem_responses(400, 413, 422, 503))
async def create_job(
    body: JobRequest, response: Response, engine: EngineDependency, organization: OrganizationDependency
) -> JobView:
    """Accepts a job. It is durable when this answers, and runs as soon as its worker has a free slot."""
    job = await engine.submit(organization, body.pipeline, body.inputs, body.options)
    response.headers["Location"] = f"/jobs/{job.id}"
    return JobView.of(job, waiting_for=engine.waits_for(job))


@router.get("/jobs/{job_id}", responses=problem_responses(404, 422))
async def get_job(job_id: UUID, engine: EngineDependency, organization: OrganizationDependency) -> JobView:
    """Looks up a job."""
    job = await engine.job(organization, str(job_id))
    return JobView.of(job, waiting_for=engine.waits_for(job))


@router.get("/jobs", responses=problem_responses(422))
async def list_jobs(
    response: Response,
    engine: EngineDependency,
    organization: OrganizationDependency,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, description="At most 10,000; go on with `cursor` beyond.")] = 0,
    cursor: Annotated[UUID | None, Query(description="The last `job_id` of the page before.")] = None,
) -> list[JobView]:
    """Lists jobs, newest first. The `Link` header leads to the next page."""
    if offset > _DEEPEST_OFFSET:
        message = f"offset may be at most {_DEEPEST_OFFSET}."
        raise InvalidRequest(
            message,
            hint="Page with `cursor`: pass the last job_id of a page to get the one after it.",
            errors=(FieldError("offset", message),),
        )
    jobs = await engine.jobs(organization, limit=limit, offset=offset, before=str(cursor) if cursor else None)
    if len(jobs) == limit:
        response.headers["Link"] = f'</jobs?limit={limit}&cursor={jobs[-1].id}>; rel="next"'
    return [JobView.of(job, waiting_for=engine.waits_for(job)) for job in jobs]


@router.post("/jobs/{job_id}/cancel", responses=problem_responses(404, 409, 422))
async def cancel_job(job_id: UUID, engine: EngineDependency, organization: OrganizationDependency) -> JobView:
    """Cancels a job. A running one is canceled within about a second; its provider is told where it can be."""
    job = await engine.cancel(organization, str(job_id))
    return JobView.of(job, waiting_for=engine.waits_for(job))
