"""Events as they happen: of one job, and of all jobs of the organization."""

from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, WebSocket
from pydantic import BaseModel

from gateway.dependencies import EngineDependency, OrganizationDependency, engine_of
from gateway.errors import problem_responses
from gateway.routes.jobs import identity
from gateway.schemas.event import EventView, TextDeltaView
from gateway.streaming import EventStream, tell_websocket
from genesis.domain.event import RecordedEvent
from genesis.engine.streams import Stream
from genesis.errors import FieldError, InvalidRequest

router = APIRouter(tags=["events"])

_LONGEST_NUMBER = 18
"""Digits of an event's number."""


def _described(*models: type[BaseModel]) -> dict[str, Any]:
    """The description of server-sent events with these as their data, in the form of OpenAPI 3.2."""
    data = [{"$ref": f"#/components/schemas/{model.__name__}"} for model in models]
    properties = {
        "id": {"type": "string"},
        "event": {"type": "string"},
        "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": {"anyOf": data}},
    }
    return {
        "description": f"Server-sent events; the data of each is {' or '.join(model.__name__ for model in models)}.",
        "content": {"text/event-stream": {"itemSchema": {"type": "object", "properties": properties}}},
    }


LastEventId = Annotated[
    str | None, Header(max_length=200, description="As `after`, which it comes before: browsers send it by themselves.")
]
JobAfter = Annotated[
    str | None, Query(max_length=200, description="The `seq` of the last event that was seen; 0 for none.")
]
FeedAfter = Annotated[
    str | None,
    Query(
        max_length=200,
        description="The `cursor` of the last event that was seen, or `beginning`; without it, what happens from now on.",
    ),
]


@router.get(
    "/jobs/{job_id}/events",
    status_code=200,
    response_class=EventStream,
    responses={
        200: _described(EventView, TextDeltaView),
        204: {"description": "The job is over, and nothing follows what was seen."},
        **problem_responses(404, 422, 503),
    },
)
async def job_events(
    job_id: UUID,
    engine: EngineDependency,
    organization: OrganizationDependency,
    after: JobAfter = None,
    last_event_id: LastEventId = None,
) -> EventStream:
    """Follows a job: server-sent events with what has happened, then with what happens, until it has ended.

    Pieces of generated text come as `text-delta`, without an id. A WebSocket at the same path gives the same as JSON
    messages.
    """
    place = last_event_id or after
    opening = engine.follower.job_events(organization, str(job_id), _number(place))
    return EventStream(opening, _seq, resumed=bool(place))


@router.get(
    "/events",
    status_code=200,
    response_class=EventStream,
    responses={
        200: _described(EventView),
        **problem_responses(422, 503),
    },
)
async def all_events(
    engine: EngineDependency,
    organization: OrganizationDependency,
    after: FeedAfter = None,
    last_event_id: LastEventId = None,
) -> EventStream:
    """Follows all jobs: server-sent events, without pieces of text and without an end.

    A WebSocket at the same path gives the same as JSON messages; its first, `stream-opened`, has the cursor of its
    beginning.
    """
    opening = engine.follower.organization_events(organization, last_event_id or after or None)
    return EventStream(opening, _cursor, resumed=False)


@router.websocket("/jobs/{job_id}/events")
async def job_events_websocket(websocket: WebSocket, job_id: str, organization: OrganizationDependency) -> None:
    """Follows a job."""

    def opening() -> AbstractAsyncContextManager[Stream]:
        after = _number(websocket.query_params.get("after"))
        return engine_of(websocket).follower.job_events(organization, identity(job_id), after)

    await tell_websocket(websocket, opening)


@router.websocket("/events")
async def all_events_websocket(websocket: WebSocket, organization: OrganizationDependency) -> None:
    """Follows all jobs."""
    after = websocket.query_params.get("after") or None
    await tell_websocket(websocket, lambda: engine_of(websocket).follower.organization_events(organization, after))


def _seq(event: RecordedEvent) -> str:
    return str(event.seq)


def _cursor(event: RecordedEvent) -> str:
    return event.cursor


def _number(text: str | None) -> int:
    """The number of an event; 0 without one.

    Raises:
        InvalidRequest: it is none.
    """
    if not text:
        return 0
    if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER:
        return int(text)
    message = "an event's number counts from 1"
    raise InvalidRequest(
        f"after: {message}; {text[:50]!r} is none.",
        hint="Pass the `seq` of the last event that you have seen, or 0.",
        errors=(FieldError("after", message),),
    )
