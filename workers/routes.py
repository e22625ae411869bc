"""The routes of a worker that are about one call.

They read and write plain JSON themselves; what FastAPI is told of them is for the API documentation only.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field, create_model
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from genesis.capabilities.catalog import Capability
from genesis.transport.wire import (
    ATTEMPT_HEADER,
    DELTAS_HEADER,
    LINES,
    CallMetadata,
    CallProblem,
    answer_of,
    encoded,
)
from workers.flights import Waiting
from workers.lines import LinesResponse, News
from workers.problems import call_problem
from workers.requests import attempt_in_path, call_key_in_query, read_call, read_object, read_poll
from workers.service import WorkerService

_UUID = {"type": "string", "format": "uuid"}
_ATTEMPT = {"name": "attempt", "in": "path", "required": True, "schema": _UUID}

_BODY_POINTER = "requestBody/content/application~1json/schema"

Handler = Callable[[Request], Coroutine[Any, Any, ASGIApp]]


def service_of(request: Request) -> WorkerService:
    """The service of the worker that was asked."""
    service: WorkerService = request.app.state.service
    return service


def add_call_routes(app: FastAPI, capability: Capability) -> Handler:
    """Adds them to the application of a worker; returns what answers `POST /generate`."""

    async def generate(request: Request) -> ASGIApp:
        """Makes one call of one provider and answers when it is done; in lines to whoever accepts those."""
        call = await read_call(request, capability.name)
        service = service_of(request)
        if LINES not in request.headers.get("accept", ""):
            result = await service.complete(call)
            return Response(
                encoded(answer_of(result)), headers={ATTEMPT_HEADER: call.attempt}, media_type="application/json"
            )
        news = News()
        on_delta = news.tell if request.headers.get(DELTAS_HEADER) == "true" else None
        return _lines(call.attempt, await service.begin(call, on_delta), news)

    async def poll(request: Request) -> ASGIApp:
        """Asks the provider once for the result of a pending call; answers in lines."""
        attempt = attempt_in_path(request)
        call, handle = await read_poll(request, attempt, capability.name)
        outcome = await service_of(request).poll(call, handle)
        return _lines(attempt, Waiting.over(outcome), News())

    async def recall(request: Request) -> ASGIApp:
        """Tells what became of a call, and waits for one that is under way; answers in lines, or 404 for unknown ones."""
        attempt = attempt_in_path(request)
        waiting = await service_of(request).recalling(call_key_in_query(request))
        if waiting is None:
            raise HTTPException(404, "The worker knows nothing of this call.")
        return _lines(attempt, waiting, News())

    async def cancel(request: Request) -> ASGIApp:
        """Gives up the call of an attempt, whose `POST /generate` then answers that it was canceled."""
        attempt = attempt_in_path(request)
        handle = (await read_object(request)).get("handle") if await request.body() else None
        await service_of(request).cancel(attempt, handle if isinstance(handle, dict) else None)
        return Response(status_code=204, headers={ATTEMPT_HEADER: attempt})

    _add(app, "/generate", "POST", generate, _generate_documentation(capability))
    _add(app, "/attempts/{attempt}/poll", "POST", poll, {"parameters": [_ATTEMPT]})
    call_key = {"name": "call_key", "in": "query", "required": True, "schema": _UUID}
    _add(app, "/attempts/{attempt}", "GET", recall, {"parameters": [_ATTEMPT, call_key]})
    _add(app, "/attempts/{attempt}", "DELETE", cancel, {"parameters": [_ATTEMPT]})
    return generate


def _lines(attempt: str, waiting: Waiting, news: News) -> LinesResponse:
    return LinesResponse(attempt, waiting, news, problem_of=call_problem)


class _PlainRoute(APIRoute):
    """Calls its endpoint with the request as it is."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint itself."""
        return self.endpoint


def _add(app: FastAPI, path: str, method: str, handler: Handler, documentation: dict[str, Any]) -> None:
    app.router.add_api_route(
        path,
        handler,
        methods=[method],
        response_class=Response,
        response_model=None,  # else FastAPI takes the handler's annotation for one
        route_class_override=_PlainRoute,
        responses={422: {"model": CallProblem}, **documentation.pop("responses", {})},
        openapi_extra=documentation,
    )


def _generate_documentation(capability: Capability) -> dict[str, Any]:
    request = create_model(
        f"{capability.worker.capitalize()}Request",
        __base__=capability.input,
        options=(capability.options, Field(default_factory=capability.options)),
    )
    answer: type[BaseModel] = create_model(
        f"{capability.worker.capitalize()}Answer", __base__=capability.output, metadata=(CallMetadata, ...)
    )
    schema = request.model_json_schema(ref_template=f"#/paths/~1generate/post/{_BODY_POINTER}/$defs/{{model}}")
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {200: {"model": answer}},
    }
