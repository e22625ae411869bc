"""Workers reached by URL."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from pydantic import ValidationError
from yarl import URL

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.identity import Milliseconds
from genesis.errors import CallFailed, InputRejected, WorkerLost, WorkerUnavailable
from genesis.net.session import Progress, Response, Session
from genesis.net.words import presentable
from genesis.ports.clock import Clock, SystemClock
from genesis.ports.workers import Call, CallPending, CallResult, OnDelta, WorkerDescription
from genesis.settings import Settings
from genesis.transport.wire import (
    ATTEMPT_HEADER,
    CALL_KEY_HEADER,
    DELTAS_HEADER,
    LINES,
    NOT_AFTER_HEADER,
    WorkerHealth,
    description_of,
    encoded,
    error_of,
    input_of,
    outcome_of,
    result_of,
)

_CONNECT_SECONDS = 5.0
_DESCRIBE_SECONDS = 3.0
_CANCEL_SECONDS = 5.0
_GRACE_SECONDS = 15.0
"""A worker keeps its own deadline; we wait this much longer for its word."""
_SKEW_MILLISECONDS = 1000
_FAILURES = (aiohttp.ClientError, OSError, TimeoutError, ValueError)
"""What a request raises; ValueError and its UnicodeError for URLs that cannot be used."""
_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class _Asking:
    """A question about one call."""

    call: Call
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    refused: type[CallFailed] = InputRejected


class HttpWorkers:
    """Implements the port `WorkerClient` over HTTP.

    Line 13 of the protocol: only a failure before the first byte, or the worker's own word, is safe; an answer
    without the attempt's header was written by somebody in between and proves nothing.

    Args:
        urls: of the workers, by capability.
        call_seconds: longest that a worker may take for one call.
    """

    def __init__(
        self,
        session: Session,
        urls: Mapping[str, str],
        call_seconds: float,
        clock: Clock | None = None,
    ) -> None:
        self._session = session
        self._urls = urls
        self._clock = clock or SystemClock()
        self._call_seconds = call_seconds + _GRACE_SECONDS

    @property
    def shares_fate(self) -> bool:
        """No: a worker outlives the engine, and the engine the worker."""
        return False

    async def describe(self, capability: str) -> WorkerDescription:
        """What the worker can do; see the port. A worker whose clock is off by more than a second is unavailable."""
        worker = CAPABILITIES[capability].worker
        asked_at = self._clock.now()
        try:
            async with asyncio.timeout(_DESCRIBE_SECONDS):
                url = URL(self._urls[capability] + "/health")
                async with await self._session.request("GET", url, Progress(), headers={}) as response:
                    answer = await response.content.read()
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
        _check_clock(worker, health.now, asked_at, self._clock.now())
        return description_of(health)

    async def generate(self, call: Call, on_delta: OnDelta | None = None) -> CallResult | CallPending:
        """Makes one call; see the port."""
        headers = {CALL_KEY_HEADER: call.call_key, **_JSON}
        if call.not_after:
            headers[NOT_AFTER_HEADER] = str(call.not_after)
        if on_delta is not None:
            headers[DELTAS_HEADER] = "true"
        outcome = await self._ask(_Asking(call, "POST", "/generate", headers, encoded(input_of(call))), on_delta)
        if outcome is None:
            raise InputRejected("The worker cannot make calls.", hint=_hint(CAPABILITIES[call.capability].worker))
        return outcome

    async def poll(self, call: Call, handle: Mapping[str, Any]) -> CallResult | CallPending:
        """Asks for the result of a pending call; see the port."""
        body = encoded({"call": {"call_key": call.call_key, **input_of(call)}, "handle": dict(handle)})
        path = f"/attempts/{call.attempt}/poll"
        outcome = await self._ask(_Asking(call, "POST", path, _JSON, body, refused=WorkerUnavailable))
        if outcome is None:
            raise WorkerUnavailable("The worker cannot be asked about pending calls.")
        return outcome

    async def recall(self, call: Call) -> CallResult | CallPending | None:
        """Asks what became of a call; see the port."""
        path = f"/attempts/{call.attempt}?call_key={call.call_key}"
        return await self._ask(_Asking(call, "GET", path, {}, refused=WorkerUnavailable))

    async def cancel(self, capability: str, attempt: str, handle: Mapping[str, Any] | None = None) -> None:
        """Asks the worker to give up a call; see the port."""
        body = b"" if handle is None else encoded({"handle": dict(handle)})
        try:
            async with asyncio.timeout(_CANCEL_SECONDS):
                url = URL(f"{self._urls[capability]}/attempts/{attempt}")
                async with await self._session.request("DELETE", url, Progress(), headers=_JSON, body=body):
                    pass
        except _FAILURES as error:
            raise _unavailable(CAPABILITIES[capability].worker, error) from error

    async def _ask(self, asking: _Asking, on_delta: OnDelta | None = None) -> CallResult | CallPending | None:
        """What the worker says of the call; None when it does not know what it is asked for."""
        call = asking.call
        worker = CAPABILITIES[call.capability].worker
        progress = Progress()
        try:
            async with asyncio.timeout(self._call_seconds), await self._sent(asking, progress) as response:
                if response.headers.get(ATTEMPT_HEADER) != call.attempt:
                    raise WorkerLost(f"Something between gateway and {worker} worker answered {response.status}.")
                if _is_lines(response):
                    last = await _last_line(response, on_delta)
                    return outcome_of(last, CAPABILITIES[call.capability].output_field, refused=asking.refused)
                status, answer = response.status, await response.content.read()
        except _FAILURES as error:
            raise _lost(worker, progress, error) from error
        return _read(asking, status, answer)

    async def _sent(self, asking: _Asking, progress: Progress) -> Response:
        """The answer, once its head is there; what only serves to send is not held any longer."""
        call = asking.call
        headers = {ATTEMPT_HEADER: call.attempt, "Accept": LINES, **asking.headers}
        url = URL(self._urls[call.capability] + asking.path)
        return await self._session.request(asking.method, url, progress, headers=headers, body=asking.body)


def _is_lines(response: Response) -> bool:
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower() == LINES


async def _last_line(response: Response, on_delta: OnDelta | None) -> object:
    """The answer's last line; those before it are deltas and signs of life.

    Raises:
        WorkerLost: a line is no JSON, so that nobody knows what it says.
    """
    if on_delta is None:
        line = (await response.content.read()).rstrip().rpartition(b"\n")[2]
        return _json(line)
    pending, last = b"", None
    async for data in response.content.iter_any():
        *lines, pending = (pending + data).split(b"\n")
        for line in filter(None, lines):
            last = _json(line)
            if isinstance(last, dict) and isinstance(delta := last.get("delta"), str):
                on_delta(delta)
    return _json(pending) if pending else last


def _json(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise WorkerLost("The worker's answer cannot be read.") from None


def _read(asking: _Asking, status: int, answer: bytes) -> CallResult | None:
    """An answer that is not in lines: a refusal, or the result as other clients get it."""
    document = _json(answer)
    if status == 404 and isinstance(document, dict) and document.get("code") == "not-found":
        return None
    if status != 200:
        raise error_of(document, refused=asking.refused)
    return result_of(document, CAPABILITIES[asking.call.capability].output_field)


def _check_clock(worker: str, now: Milliseconds, asked_at: Milliseconds, answered_at: Milliseconds) -> None:
    """Raises WorkerUnavailable when the worker's clock is off, whenever between the two moments it was read."""
    off = now - answered_at if now > answered_at else min(now - asked_at, 0)
    if abs(off) > _SKEW_MILLISECONDS:
        direction = "ahead of" if off > 0 else "behind"
        raise WorkerUnavailable(
            f"The clock of the {worker} worker is {abs(off) / 1000:.1f} seconds {direction} ours.",
            hint="Let both machines keep their time by NTP; they may differ by one second.",
        )


def _lost(worker: str, progress: Progress, error: BaseException) -> CallFailed:
    if not progress.connected:
        return _unavailable(worker, error)
    return WorkerLost(f"The {worker} worker was lost during the call: {_reason(error)}.")


def _unavailable(worker: str, error: BaseException) -> WorkerUnavailable:
    if isinstance(error, ValueError):
        # The URL is not repeated: it may carry a password.
        return WorkerUnavailable(f"The URL of the {worker} worker cannot be used.", hint=_hint(worker))
    return WorkerUnavailable(f"The {worker} worker does not answer: {_reason(error)}.")


def _hint(worker: str) -> str:
    return f"Give {worker.upper()}_WORKER_URL the form http://host:port."


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
    async with Session(aiohttp.ClientTimeout(sock_connect=_CONNECT_SECONDS)) as session:
        yield HttpWorkers(session, {name: url.rstrip("/") for name, url in urls.items()}, settings.call_timeout_seconds)
