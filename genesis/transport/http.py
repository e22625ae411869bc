"""Workers reached by URL."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from pydantic import ValidationError

from genesis.capabilities.catalog import CAPABILITIES
from genesis.errors import CallFailed, ProviderAmbiguous, WorkerUnavailable
from genesis.net.session import Progress, open_session
from genesis.net.words import presentable
from genesis.ports.workers import Call, CallResult, WorkerDescription
from genesis.settings import Settings
from genesis.transport.wire import (
    ATTEMPT_HEADER,
    CALL_KEY_HEADER,
    CallAnswer,
    CallProblem,
    WorkerHealth,
    description_of,
    error_of,
    result_of,
)

_CONNECT_SECONDS = 5.0
_DESCRIBE_SECONDS = 3.0
_GRACE_SECONDS = 15.0
"""A worker keeps its own deadline; we wait this much longer for its word."""
_FAILURES = (aiohttp.ClientError, OSError, TimeoutError, ValueError)
"""What a request raises; ValueError and its UnicodeError for URLs that cannot be used."""


class HttpWorkers:
    """Implements the port `WorkerClient` over HTTP.

    Line 13 of the protocol: only a failure before the first byte, or the worker's own word, is safe; an answer
    without the attempt's header was written by somebody in between and proves nothing.
    """

    def __init__(self, session: aiohttp.ClientSession, urls: Mapping[str, str], call_seconds: float) -> None:
        self._session = session
        self._urls = urls
        self._timeout = aiohttp.ClientTimeout(total=call_seconds + _GRACE_SECONDS, sock_connect=_CONNECT_SECONDS)

    async def describe(self, capability: str) -> WorkerDescription:
        worker = CAPABILITIES[capability].worker
        url = self._urls[capability] + "/health"
        timeout = aiohttp.ClientTimeout(total=_DESCRIBE_SECONDS)
        try:
            async with self._session.get(url, timeout=timeout, allow_redirects=False) as response:
                answer = await response.read()
        except _FAILURES as error:
            raise _unavailable(worker, error) from error
        try:
            health = WorkerHealth.model_validate_json(answer)
        except ValidationError as error:
            raise WorkerUnavailable(
                f"Something answers at the URL of the {worker} worker, but not as a worker.", hint=_hint(worker)
            ) from error
        if health.capability != capability:
            raise WorkerUnavailable(
                f"The URL of the {worker} worker leads to the {presentable(health.worker)} worker.", hint=_hint(worker)
            )
        return description_of(health)

    async def generate(self, call: Call) -> CallResult:
        capability = CAPABILITIES[call.capability]
        progress = Progress()
        try:
            async with self._session.post(
                self._urls[call.capability] + "/generate",
                data=_body(call),
                headers={
                    ATTEMPT_HEADER: call.attempt,
                    CALL_KEY_HEADER: call.call_key,
                    "Content-Type": "application/json",
                },
                timeout=self._timeout,
                allow_redirects=False,
                trace_request_ctx=progress,
            ) as response:
                answer = await response.read()
                own_word = response.headers.get(ATTEMPT_HEADER) == call.attempt
                status = response.status
        except _FAILURES as error:
            raise _lost(capability.worker, progress, error) from error
        if not own_word:
            raise ProviderAmbiguous(f"Something between gateway and {capability.worker} worker answered {status}.")
        return _read(answer, status, capability.output_field)

    async def cancel(self, capability: str, attempt: str) -> None:
        url = f"{self._urls[capability]}/attempts/{attempt}"
        timeout = aiohttp.ClientTimeout(total=_DESCRIBE_SECONDS)
        try:
            async with self._session.delete(url, timeout=timeout, allow_redirects=False):
                pass
        except _FAILURES as error:
            raise _unavailable(CAPABILITIES[capability].worker, error) from error


def _body(call: Call) -> bytes:
    # Not longer than what the caller has sent, because both have the same limit: letters are not escaped. A lone
    # surrogate can only be written as an escape, and its backslash form is the one of JSON.
    body: dict[str, Any] = {**call.input, "options": dict(call.options)}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


def _lost(worker: str, progress: Progress, error: BaseException) -> CallFailed:
    if not progress.connected:
        return _unavailable(worker, error)
    return ProviderAmbiguous(f"The {worker} worker was lost during the call: {_reason(error)}.")


def _unavailable(worker: str, error: BaseException) -> WorkerUnavailable:
    if isinstance(error, ValueError | aiohttp.NonHttpUrlClientError):
        # The URL is not repeated: it may carry a password.
        return WorkerUnavailable(f"The URL of the {worker} worker cannot be used.", hint=_hint(worker))
    return WorkerUnavailable(f"The {worker} worker does not answer: {_reason(error)}.")


def _hint(worker: str) -> str:
    return f"Give {worker.upper()}_WORKER_URL the form http://host:port."


def _read(answer: bytes, status: int, output_field: str) -> CallResult:
    try:
        if status != 200:
            raise error_of(CallProblem.model_validate_json(answer))
        body = CallAnswer.model_validate_json(answer)
    except ValidationError as error:
        raise ProviderAmbiguous("The worker's answer cannot be read.") from error
    output = (body.model_extra or {}).get(output_field)
    if not isinstance(output, str):
        raise ProviderAmbiguous(f"The worker's answer has no `{output_field}`.")
    return result_of({output_field: output}, body.metadata)


def _reason(error: BaseException) -> str:
    return presentable(str(error)).rstrip(".") or type(error).__name__


@asynccontextmanager
async def open_http_workers(settings: Settings) -> AsyncIterator[HttpWorkers]:
    """Reaches the workers by the URLs of the settings."""
    urls = {
        "text": settings.llm_worker_url,
        "image": settings.image_worker_url,
        "transcription": settings.stt_worker_url,
        "speech": settings.tts_worker_url,
        "image_transform": settings.cyclegan_worker_url,
    }
    async with open_session(aiohttp.ClientTimeout()) as session:
        yield HttpWorkers(session, {name: url.rstrip("/") for name, url in urls.items()}, settings.call_timeout_seconds)
