"""The ASGI application around one model: token, size limit, one generation at a time, errors in OpenAI's shape."""

import asyncio
import hmac
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from genesis.providers.local.models import LOCAL_MODELS
from genesis.providers.local.server.errors import RequestError
from genesis.providers.local.server.generation import SERVICES, Answer, Body, Model

logger = logging.getLogger(__name__)


class GenerationSlot:
    """The one place where a model computes: loaded at the first use, in a thread, never two at once."""

    def __init__(self, load: Callable[[], Model]) -> None:
        self._load = load
        self._model: Model | None = None
        self._task: asyncio.Task[Answer] | None = None

    @property
    def loaded(self) -> bool:
        """Whether the next answer needs no loading."""
        return self._model is not None

    @property
    def busy(self) -> bool:
        """Whether a generation is under way, also one that nobody waits for any more."""
        return self._task is not None and not self._task.done()

    async def answer(self, body: Body) -> Answer:
        """Generates.

        Raises:
            RequestError: the slot is taken, or the request cannot be served.
        """
        self.check_free()
        self._task = asyncio.create_task(asyncio.to_thread(self._run, body))
        # A thread cannot be stopped: the slot stays taken until it ends, whoever is still waiting.
        return await asyncio.shield(self._task)

    def check_free(self) -> None:
        """Raises RequestError when the slot is taken."""
        if self.busy:
            raise RequestError(
                "The model is busy with another request.", code="busy", status=HTTPStatus.SERVICE_UNAVAILABLE
            )

    def _run(self, body: Body) -> Answer:
        if self._model is None:
            self._model = self._loaded()
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
        return Response(answer.data, media_type=answer.media_type)

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
