"""Workers reached by URL."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from pydantic import ValidationError

from genesis.capabilities.catalog import CAPABILITIES
from genesis.errors import ProviderAmbiguous, WorkerUnavailable
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
        url = self._urls[capability] + "/health"
        timeout = aiohttp.ClientTimeout(total=_DESCRIBE_SECONDS)
        try:
            async with self._session.get(url, timeout=timeout) as response:
                health = WorkerHealth.model_validate_json(await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise WorkerUnavailable(f"{url} does not answer: {_reason(error)}.") from error
        except ValidationError as error:
            raise WorkerUnavailable(f"{url} answers, but not as a worker.") from error
        if health.capability != capability:
            raise WorkerUnavailable(f"{url} is the {health.worker} worker, not the one of {capability}.")
        return description_of(health)

    async def generate(self, call: Call) -> CallResult:
        capability = CAPABILITIES[call.capability]
        url = self._urls[call.capability] + "/generate"
        headers = {ATTEMPT_HEADER: call.attempt, CALL_KEY_HEADER: call.call_key}
        body: dict[str, Any] = {**call.input, "options": dict(call.options)}
        try:
            async with self._session.post(url, json=body, headers=headers, timeout=self._timeout) as response:
                answer = await response.read()
                own_word = response.headers.get(ATTEMPT_HEADER) == call.attempt
                status = response.status
        except aiohttp.ClientConnectorError as error:
            raise WorkerUnavailable(f"The {capability.worker} worker cannot be reached: {_reason(error)}.") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ProviderAmbiguous(
                f"The {capability.worker} worker was lost during the call: {_reason(error)}."
            ) from error
        if not own_word:
            raise ProviderAmbiguous(f"Something between gateway and {capability.worker} worker answered {status}.")
        return _read(answer, status, capability.output_field)

    async def cancel(self, capability: str, attempt: str) -> None:
        url = f"{self._urls[capability]}/attempts/{attempt}"
        try:
            async with self._session.delete(url, timeout=aiohttp.ClientTimeout(total=_DESCRIBE_SECONDS)):
                pass
        except (aiohttp.ClientError, TimeoutError) as error:
            raise WorkerUnavailable(f"{url} does not answer: {_reason(error)}.") from error


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
    return str(error) or type(error).__name__


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
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield HttpWorkers(session, {name: url.rstrip("/") for name, url in urls.items()}, settings.call_timeout_seconds)
