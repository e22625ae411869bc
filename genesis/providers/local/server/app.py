"""The ASGI application around one model: token, size limit, one generation at a time, errors in OpenAI's shape."""

import asyncio
import hmac
import logging
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from genesis.net.events import MEDIA_TYPE
from genesis.providers.local.models import LOCAL_MODELS
from genesis.providers.local.server.errors import RequestError
from genesis.providers.local.server.generation import SERVICES, Answer, Body, Emit, Model, StreamingModel

logger = logging.getLogger(__name__)


class GenerationSlot:
    """The one place where a model computes: loaded at the first use, in a thread, never two at once."""

    def __init__(self, load: Callable[[], Model]) -> None:
        self._load = load
        self._model: Model | None = None
        self._task: asyncio.Task[Answer | None] | None = None

    @property
    def loaded(self) -> bool:
        """Whether the next answer needs no loading."""
        return self._model is not None

    @property
    def busy(self) -> bool:
        """Whether a generation is under way, also one that nobody waits for any more."""
        return self._task is not None and not self._task.done()

    async def answer(self, body: Body) -> Answer | AsyncIterator[bytes]:
        """Generates; the events as they come, where the request asks for a stream.

        Raises:
            RequestError: the slot is taken, or the request cannot be served.
        """
        self.check_free()
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[bytes | None] = asyncio.Queue()

        def emit(event: bytes) -> None:
            loop.call_soon_threadsafe(events.put_nowait, event)

        self._task = task = asyncio.create_task(asyncio.to_thread(self._run, body, emit))
        task.add_done_callback(lambda _: events.put_nowait(None))
        first = await events.get()
        if first is not None:
            return _events(first, events, task)
        # A thread cannot be stopped: the slot stays taken until it ends, whoever is still waiting.
        answer = await asyncio.shield(task)
        return Answer(MEDIA_TYPE, b"") if answer is None else answer

    def check_free(self) -> None:
        """Raises RequestError when the slot is taken."""
        if self.busy:
            raise RequestError(
                "The model is busy with another request.", code="busy", status=HTTPStatus.SERVICE_UNAVAILABLE
            )

    def _run(self, body: Body, emit: Emit) -> Answer | None:
        if self._model is None:
            self._model = self._loaded()
        if isinstance(self._model, StreamingModel) and self._model.streams(body):
            self._model.stream(body, emit)
            return None
        return self._model.answer(body)

    def _loaded(self) -> Model:
        try:
            return self._load()
        except (OSError, ImportError) as error:
            logger.exception("the model cannot be loaded")
            raise RequestError(
                f"The model cannot be loaded: {error}",
                code="model_unavailable",
                status=HTTPStatus.INTERNAL_SERVER_ERROR,
            ) from error


def build_app(capability: str, token: str) -> ASGIApp:
    """The application that serves one capability to whoever knows the token."""
    service = SERVICES[capability]
    slot = GenerationSlot(service.load)

    async def health(_: Request) -> Response:
        return JSONResponse(
            {
                "status": "ok",
                "capability": capability,
                "model": LOCAL_MODELS[capability],
                "loaded": slot.loaded,
                "busy": slot.busy,
            }
        )

    async def generate(request: Request) -> Response:
        slot.check_free()
        body = Body(request.headers.get("content-type", ""), await _read(request, service.max_bytes))
        answer = await slot.answer(body)
        if isinstance(answer, Answer):
            return Response(answer.data, media_type=answer.media_type)
        return StreamingResponse(answer, media_type=MEDIA_TYPE)

    app = Starlette(
        routes=[Route("/health", health), Route(service.path, generate, methods=["POST"])],
        exception_handlers={
            RequestError: _request_error,
            ClientDisconnect: _client_gone,
            HTTPException: _http_error,
            Exception: _unforeseen,
        },
    )
    return require_token(app, token)


def require_token(app: ASGIApp, token: str) -> ASGIApp:
    """`app` for those who send `Authorization: Bearer <token>`; 401 for all others."""
    expected = f"Bearer {token}".encode()

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            sent = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
            if not hmac.compare_digest(sent, expected):
                error = RequestError("Wrong or missing token.", code="invalid_api_key", status=HTTPStatus.UNAUTHORIZED)
                await _error(error)(scope, receive, send)
                return
        await app(scope, receive, send)

    return guarded


async def _events(
    first: bytes, more: asyncio.Queue[bytes | None], task: asyncio.Task[Answer | None]
) -> AsyncIterator[bytes]:
    """All events; a failure in their midst breaks the answer off."""
    yield first
    while (event := await more.get()) is not None:
        yield event
    await task


async def _read(request: Request, max_bytes: int) -> bytes:
    """The body.

    Raises:
        RequestError: it is larger than the limit.
    """
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > max_bytes:
            raise RequestError(
                f"The body is larger than {max_bytes} bytes.",
                code="request_too_large",
                status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            )
    return bytes(data)


def _error(error: RequestError) -> Response:
    headers = {"Retry-After": "1"} if error.status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return JSONResponse(error.document(), status_code=error.status, headers=headers)


async def _request_error(_: Request, error: Exception) -> Response:
    return _error(cast(RequestError, error))


async def _http_error(request: Request, error: Exception) -> Response:
    failure = cast(HTTPException, error)
    message = f"{request.method} {request.url.path}: {failure.detail}."
    return _error(RequestError(message, code="unknown_url", status=failure.status_code))


async def _client_gone(_: Request, __: Exception) -> Response:
    return Response(status_code=HTTPStatus.BAD_REQUEST)


async def _unforeseen(_: Request, __: Exception) -> Response:
    """Starlette raises the error again behind this answer, so that it is logged."""
    return _error(RequestError("The model failed.", code="generation_failed", status=HTTPStatus.INTERNAL_SERVER_ERROR))
