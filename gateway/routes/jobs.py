"""Jobs: create, look up, list, cancel, retry."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Header, Query
from starlette.requests import Request
from starlette.responses import Response

from gateway.dependencies import EngineDependency, OrganizationDependency, engine_of, organization_of
from gateway.direct import direct_route, json_response, read_model
from gateway.errors import problem_responses
from gateway.preferences import LONGEST_WAIT_SECONDS, REPLAYED, idempotency_key, waiting
from gateway.schemas.job import JobListQuery, JobRequest, JobView, ResumedView, RetryRequest
from gateway.views import job_document
from genesis.domain.job import Job, JobStatus
from genesis.engine.engine import Engine
from genesis.errors import FieldError, InvalidRequest, Unavailable

router = APIRouter(tags=["jobs"])

_DEEPEST_OFFSET = 10_000

Wait = Annotated[
    float | None,
    Query(
        ge=0,
        le=LONGEST_WAIT_SECONDS,
        description="Answer when the job has ended, or after this many seconds with the job as it is then.",
    ),
]
Prefer = Annotated[
    str | None, Header(description="`wait=n` does as the parameter `wait` does (RFC 7240).", examples=["wait=30"])
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Makes it safe to repeat the request: the same key with the same body gives the job that was accepted "
        "first, and with another body the problem `idempotency-conflict`.",
    ),
]


async def create_job(request: Request) -> Response:
    """Answers `POST /jobs`."""
    key = idempotency_key(request.headers)
    seconds, headers = waiting(request)
    order = (await read_model(request, JobRequest)).order()
    engine, organization = engine_of(request), organization_of(request)
    submission = await engine.submit(organization, order, idempotency_key=key)
    job = submission.job
    if seconds:
        with suppress(Unavailable):  # the job is accepted, which is what matters now
            job = await engine.follower.wait(organization, job.id, seconds)
    headers["Location"] = f"/jobs/{job.id}"
    if submission.replayed:
        headers[REPLAYED] = "true"
    return await _shown(engine, job, 201, headers)


async def get_job(request: Request) -> Response:
    """Answers `GET /jobs/{job_id}`."""
    job_id = identity(request.path_params["job_id"])
    seconds, headers = waiting(request)
    engine, organization = engine_of(request), organization_of(request)
    if seconds:
        job = await engine.follower.wait(organization, job_id, seconds)
    else:
        job = await engine.job(organization, job_id)
    if job.status is not JobStatus.QUEUED:
        return await _shown(engine, job, 200, headers)
    outlook = await engine.outlook(job)
    return json_response(
        job_document(job, waiting_for=outlook.reason if outlook else None, outlook=outlook), 200, headers
    )


def identity(text: str) -> str:
    """The id of a job in its one form.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        return str(UUID(text))
    except ValueError:
        message = "the id of a job is a UUID"
        raise InvalidRequest(
            f"job_id: {message}.",
            hint="`GET /jobs` lists jobs with their ids.",
            errors=(FieldError("job_id", message),),
        ) from None


async def _creation(
    body: JobRequest,
    wait: Wait = None,
    prefer: Prefer = None,
    idempotency_key: IdempotencyKey = None,
) -> None:
    """Accepts a job. It is durable when this answers, and runs as soon as its worker has a free slot.

    The header `Idempotency-Replayed: true` says that the job was accepted before, under the same key.
    """


async def _look_up(job_id: UUID, wait: Wait = None, prefer: Prefer = None) -> None:
    """Looks up a job. A queued one shows its place in the queue."""


def _add_direct(method: str, path: str, name: str, **more: Any) -> None:
    router.add_api_route(path, methods=[method], name=name, response_model=JobView, **more)


_add_direct(
    "POST",
    "/jobs",
    "create_job",
    endpoint=_creation,
    status_code=201,
    responses=problem_responses(400, 413, 415, 422, 503),
    route_class_override=direct_route(create_job),
)
_add_direct(
    "GET",
    "/jobs/{job_id}",
    "get_job",
    endpoint=_look_up,
    responses=problem_responses(404, 422, 503),
    route_class_override=direct_route(get_job),
)


@router.get("/jobs", response_model=list[JobView], responses=problem_responses(422, 503))
async def list_jobs(
    query: Annotated[JobListQuery, Query()], engine: EngineDependency, organization: OrganizationDependency
) -> Response:
    """Lists jobs, newest first. The `Link` header leads to the next page, with the same filters; a page may be short, or
    empty, and yet not the last."""
    if query.offset > _DEEPEST_OFFSET:
        message = f"offset may be at most {_DEEPEST_OFFSET}."
        raise InvalidRequest(
            message,
            hint="Page with `cursor`: pass the last job_id of a page to get the one after it.",
            errors=(FieldError("offset", message),),
        )
    page = await engine.jobs(
        organization,
        limit=query.limit,
        offset=query.offset,
        cursor=str(query.cursor) if query.cursor else None,
        where=query.filter(),
    )
    headers = {}
    if page.cursor is not None:
        following = query.model_dump(mode="json", exclude_none=True, exclude={"offset"}) | {"cursor": page.cursor}
        headers["Link"] = f'</jobs?{urlencode(following)}>; rel="next"'
    reasons = await engine.waits_for(page.jobs)
    shown = [job_document(job, waiting_for=reason) for job, reason in zip(page.jobs, reasons, strict=True)]
    return json_response(shown, headers=headers)


@router.post("/jobs/resume", response_model=ResumedView, responses=problem_responses(503))
async def resume_jobs(engine: EngineDependency, organization: OrganizationDependency) -> Response:
    """Lets all jobs go on that wait for a word since a backup was restored. They may have run since it was made."""
    return json_response({"resumed": await engine.resume(organization)})


@router.post("/jobs/{job_id}/cancel", response_model=JobView, responses=problem_responses(404, 409, 422, 503))
async def cancel_job(job_id: UUID, engine: EngineDependency, organization: OrganizationDependency) -> Response:
    """Cancels a job. A running one is canceled within about a second; its provider is told where it can be."""
    return await _shown(engine, await engine.cancel(organization, str(job_id)))


@router.post("/jobs/{job_id}/retry", response_model=JobView, responses=problem_responses(404, 409, 422, 503))
async def retry_job(
    job_id: UUID,
    engine: EngineDependency,
    organization: OrganizationDependency,
    body: RetryRequest | None = None,
) -> Response:
    """Queues a failed or canceled job again. What its steps have done is kept, and only the rest is done.

    It starts at once, whatever its `not_before` was, and has no deadlines any more.

    When nobody knows whether an earlier call was charged, this is a conflict unless `resend` is set.
    """
    resend = body is not None and body.resend
    return await _shown(engine, await engine.retry(organization, str(job_id), resend=resend))


async def _shown(engine: Engine, job: Job, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    (reason,) = await engine.waits_for([job])
    return json_response(job_document(job, waiting_for=reason), status, headers)
