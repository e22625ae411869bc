"""Routes that are asked for often: answered without what FastAPI does for each request, described by it all the same."""

import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import error_response
from genesis.domain.artifact import STORAGE_PREFIX
from genesis.errors import GenesisError, InvalidRequest

Handler = Callable[[Request], Awaitable[Response]]
Model = TypeVar("Model", bound=BaseModel)

_ONE_JOB = re.compile(r"/jobs/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")


def direct_route(handler: Handler) -> type[APIRoute]:
    """A class of routes that a handler answers by itself; the endpoint's signature is only what the API's description
    shows."""

    class DirectRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            async def answer(request: Request) -> Response:
                return await handler(request)

            return answer

    return DirectRoute


class Shortcut:
    """Pure ASGI application in front of the routes: the requests that come most often do not pass through the routing.

    Args:
        create_job: answers `POST /jobs`.
        get_job: answers `GET /jobs/{job_id}`.
        get_content: answers GET and HEAD of `/storage/{key}`.
    """

    def __init__(self, app: ASGIApp, *, create_job: Handler, get_job: Handler, get_content: Handler) -> None:
        self._app = app
        self._create_job = create_job
        self._get_job = get_job
        self._get_content = get_content

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = self._handler(scope) if scope["type"] == "http" else None
        if handler is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            response = await handler(request)
        except (GenesisError, RequestValidationError, HTTPException) as error:
            response = error_response(request, error)
        await response(scope, receive, send)

    def _handler(self, scope: Scope) -> Handler | None:
        path: str = scope["path"]
        if scope["method"] == "POST" and path == "/jobs":
            return self._create_job
        if scope["method"] == "GET" and (match := _ONE_JOB.fullmatch(path)):
            scope["path_params"] = {"job_id": match[1]}
            return self._get_job
        if path.startswith(STORAGE_PREFIX) and scope["method"] in ("GET", "HEAD"):
            scope["path_params"] = {"key": path.removeprefix(STORAGE_PREFIX)}
            return self._get_content
        return None


def json_response(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response with a document that a schema describes."""
    content = to_json(document, fallback=dict)  # mappings of other types
    return Response(content, status, headers, media_type="application/json")


async def read_model(request: Request, model: type[Model]) -> Model:
    """The request's body.

    Raises:
        HTTPException: it is not announced as JSON: a page of another site may send such a body without asking first.
        RequestValidationError: it is not valid.
    """
    kind = request.headers.get("content-type", "")
    if "json" not in kind.partition(";")[0].lower():
        raise HTTPException(415, "The body is not announced as JSON.")
    body = await request.body()
    if not body:
        raise InvalidRequest("The request has no body.", hint="Send a JSON object; the API is described at /docs.")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise _invalid(error, "body") from None


def read_fields(fields: Mapping[str, str], model: type[Model], place: str) -> Model:
    """What the fields of a request say.

    Args:
        place: where they stand: `query` or `body`.

    Raises:
        RequestValidationError: it is not valid.
    """
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise _invalid(error, place) from None


def _invalid(error: ValidationError, place: str) -> RequestValidationError:
    return RequestValidationError([{**item, "loc": (place, *item["loc"])} for item in error.errors(include_url=False)])
