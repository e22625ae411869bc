"""What jobs will cost, and what calls have cost."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from gateway.dependencies import EngineDependency, OrganizationDependency, engine_of, organization_of
from gateway.direct import direct_route, json_response, read_model
from gateway.errors import problem_responses
from gateway.schemas.job import JobRequest
from gateway.schemas.money import EstimateView, UsageRequest, UsageView
from gateway.views import estimate_document, usage_document

router = APIRouter(tags=["money"])


async def _estimate(request: Request) -> Response:
    order = (await read_model(request, JobRequest)).order()
    estimate = await engine_of(request).estimate(organization_of(request), order)
    return json_response(estimate_document(estimate))


async def _estimation(body: JobRequest) -> None:  # the description alone
    """Estimates what a job would cost; takes what `POST /jobs` takes, and stores nothing.

    What is not known before the job is done is assumed, as `notes` say; architecture/02-money.md lists the assumptions.
    """


router.add_api_route(
    "/jobs/estimate",
    _estimation,
    methods=["POST"],
    name="estimate_job",
    response_model=EstimateView,
    responses=problem_responses(400, 413, 415, 422, 503),
    route_class_override=direct_route(_estimate),
)


@router.get("/usage", response_model=UsageView, responses=problem_responses(422, 503))
async def get_usage(
    query: Annotated[UsageRequest, Query()], engine: EngineDependency, organization: OrganizationDependency
) -> Response:
    """Adds up the calls of providers, up to 366 days at once: how many there were, how they ended, and what they cost."""
    asked = query.query()
    return json_response(usage_document(asked, await engine.usage(organization, asked)))
